"""Texts leave the body of an entry before it is hashed and come back when it is read, as long as their key is there.

An entry that holds free text of a participant has in ``sealed`` one item for each class of data::

    {"ledger": "study/open", "holder": "NO-01-001", "class": "text", "key": 0,
     "places": [["data", "text"], ["reason"]], "parts": ["base64 …"]}

The parts, opened (:func:`~trialwright.sealing.open_field`) and put one after another, are canonical JSON: the texts
in the order of their places. Each part is bound to ledger, participant, class, stream and position of its entry, and
padded, so that its size tells a text's length roughly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trialwright.build import Build
from trialwright.foundation.errors import RecordError
from trialwright.foundation.missing import MissingReason
from trialwright.foundation.ports import Entropy, Keyring
from trialwright.ledger import canonical
from trialwright.sealing import DataKey, FieldPlace, SealBroken, from_text, open_field, seal_field, to_text
from trialwright.trial.event import Event
from trialwright.trial.free_text import Path, holder_of, places

ERASED = "(erased)"
"""Stands for a text whose key was destroyed, where the field must hold a text."""

_CHARACTERS = 16_000
"""Of each part: at most 64,000 bytes of UTF-8, which one seal holds."""

Numbers = Callable[[str], int]
"""Participant → number of the keys that seal now."""


class TextsSealed(RecordError):
    """An entry holds sealed texts, and whoever reads it was not given the keyring."""

    code = "trial.texts_sealed"


class SealedTexts:
    """Seals and opens the texts of entries.

    Args:
        keyrings: ledger id → the keyring of its space.
        builds: by id; say which items are free text or identify somebody.
        entropy: for keys and nonces.
        seals: whether texts are sealed when they are written; what is sealed is opened in any case.
    """

    def __init__(
        self,
        keyrings: Mapping[str, Keyring],
        builds: Mapping[str, Build],
        entropy: Entropy,
        *,
        seals: bool = True,
    ) -> None:
        self._seals = seals
        self._keyrings = keyrings
        self._builds = builds
        self._entropy = entropy

    def seal(self, ledger_id: str, event: Event, body: dict[str, Any], number: Numbers) -> None:
        """Take the free texts out of the body and put them in, sealed. Without a keyring nothing is sealed."""
        keyring, holder = self._keyrings.get(ledger_id), holder_of(event)
        if not self._seals or keyring is None or holder is None:
            return
        found: dict[str, list[Path]] = {}
        for data_class, path in places(event, body, self._builds.get(body["build"])):
            found.setdefault(data_class, []).append(path)
        for data_class, paths in sorted(found.items()):
            content = canonical({"texts": [_taken(body, path) for path in paths]}).decode()
            key_number = number(holder)
            key = self._key(keyring, ledger_id, holder, data_class, key_number)
            parts = [
                seal_field(key, content[at : at + _CHARACTERS], place, entropy=self._entropy, version=key_number)
                for at in range(0, len(content), _CHARACTERS)
                for place in [_place(ledger_id, holder, data_class, body, at)]
            ]
            body["sealed"].append(
                {
                    "ledger": ledger_id,
                    "holder": holder,
                    "class": data_class,
                    "key": key_number,
                    "places": [list(path) for path in paths],
                    "parts": [to_text(part) for part in parts],
                }
            )

    def open(self, body: dict[str, Any], erased_below: int) -> None:
        """Put the texts back, or what stands for those that are erased.

        Args:
            body: of an entry as it was read; changed.
            erased_below: keys of smaller numbers count as destroyed, whether they are yet or not.

        Raises:
            TextsSealed: there is no keyring for this ledger.
            SealBroken: altered, or moved from another entry.
        """
        for sealed in body["sealed"]:
            try:
                self._open(body, sealed, erased_below)
            except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
                raise SealBroken(
                    f"what is sealed in entry {body['stream_seq']} of {body['stream']} cannot be read: {error}",
                    remedy="verify the ledger; if it is intact, a newer Trialwright wrote it: upgrade",
                ) from error

    def refresh(self) -> None:
        """Notice keys that other processes destroyed."""
        for keyring in self._keyrings.values():
            keyring.refresh()

    def _open(self, body: dict[str, Any], sealed: Mapping[str, Any], erased_below: int) -> None:
        ledger_id, holder, data_class = sealed["ledger"], sealed["holder"], sealed["class"]
        keyring = self._keyrings.get(ledger_id)
        if keyring is None:
            raise TextsSealed(
                f"the texts of {holder} are sealed, and there is no keyring for {ledger_id}",
                remedy="open the store at its own address, with its keyring beside it",
                ledger=ledger_id,
            )
        raw = None
        if sealed["key"] >= erased_below:
            raw = keyring.find(f"{ledger_id}/{holder}", data_class, sealed["key"])
        if raw is None:
            for path in sealed["places"]:
                _mark_erased(body, path)
            return
        key, content = DataKey(raw), ""
        for number, part in enumerate(sealed["parts"]):
            place = _place(ledger_id, holder, data_class, body, number * _CHARACTERS)
            content += open_field(key, from_text(part), place)
        for path, text in zip(sealed["places"], json.loads(content)["texts"], strict=True):
            _within(body, path)[path[-1]] = text

    def _key(self, keyring: Keyring, ledger_id: str, holder: str, data_class: str, number: int) -> DataKey:
        name = f"{ledger_id}/{holder}"
        fresh = self._entropy.bytes(32, purpose="data key", stream=f"{name}/{data_class}", position=number)
        return DataKey(keyring.keep(name, data_class, number, fresh))


def _place(ledger_id: str, holder: str, data_class: str, body: Mapping[str, Any], at: int) -> FieldPlace:
    return FieldPlace(ledger_id, holder, data_class, f"{body['stream']}/{body['stream_seq']}/{at}")


def _within(body: Any, path: Sequence[str | int]) -> Any:
    """What holds the last step of the path."""
    for step in path[:-1]:
        body = body[step]
    return body


def _taken(body: dict[str, Any], path: Path) -> str:
    """The text, which is left out of the body from now on."""
    within = _within(body, path)
    text: str = within[path[-1]]
    if path == ("reason",):
        within["reason"] = None  # the envelope always says that there is none
    else:
        del within[path[-1]]
    return text


def _mark_erased(body: dict[str, Any], path: Sequence[str | int]) -> None:
    within = _within(body, path)
    if len(path) == 4 and path[1] in ("items", "derived") and path[3] == "text":
        # A field of a form has a missing reason where there is no text.
        within.pop("unit", None)
        within["missing"] = MissingReason.ERASED.value
    else:
        within[path[-1]] = ERASED
