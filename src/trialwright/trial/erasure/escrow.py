"""Copies of keyrings that somebody else keeps: which there are, and how one comes back without undoing an erasure.

A copy can hold keys that were destroyed later. The keyring notes every copy until it is noted as destroyed, too; a
lost keyring is put back without the keys that the record says are destroyed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.ports import Keyring
from trialwright.ledger.port import Ledger
from trialwright.sealing import KeyringCopy, NamedKey
from trialwright.trial.erasure.on_record import ForgottenOnRecord

NOTE = "escrow copy"
"""Class of the keyring's own notes; what stands there is no key."""


@dataclass(frozen=True)
class NotedCopy:
    """A copy that is out of the house.

    Attributes:
        about: what the copy says of itself.
        destroyed_since: keys in it that were destroyed after it was made; more than none: it must be destroyed.
    """

    about: KeyringCopy
    destroyed_since: int


def keys_to_copy(keyring: Keyring) -> tuple[NamedKey, ...]:
    """Every key, and the names of those destroyed; not the keyring's own notes."""
    return tuple(one for one in keyring.entries() if one[1] != NOTE)


def note_copy(keyring: Keyring, about: KeyringCopy, keys: Iterable[NamedKey]) -> None:
    """Remember that a copy with these keys exists."""
    said = {**vars(about), "gone": _gone(keys)}
    keyring.keep(_holder(about.ledger, about.copy), NOTE, 0, json.dumps(said).encode())


def copies(keyring: Keyring) -> list[NotedCopy]:
    """Every copy that is not noted as destroyed, the oldest first."""
    gone, found = _gone(keyring.entries()), []
    for _, kind, _, content in keyring.entries():
        if kind == NOTE and content is not None:
            said = json.loads(content)
            found.append(
                NotedCopy(KeyringCopy(**{k: v for k, v in said.items() if k != "gone"}), gone - said["gone"])
            )
    return sorted(found, key=lambda one: one.about.made_at)


def note_destroyed(keyring: Keyring, ledger_id: str, copy: str) -> None:
    """Remember that a copy was destroyed, as its keeper said.

    Raises:
        InvalidValue: no such copy is out.
    """
    if not keyring.destroy(_holder(ledger_id, copy), 1):
        raise InvalidValue(f"no copy {copy[:40]!r} is out", remedy="list the copies, and take a name from there")


def put_back(keyring: Keyring, ledger_id: str, keys: Iterable[NamedKey], open_ledger: Ledger) -> tuple[int, int]:
    """Put keys of a copy into a keyring, without those that the record says are destroyed.

    What the keyring has already stays, and what was destroyed in it stays destroyed.

    Args:
        keyring: of the ledger ``ledger_id``.
        open_ledger: of the study; says who is forgotten.

    Returns:
        How many were put back, and how many left out.
    """
    record = ForgottenOnRecord.of(open_ledger)
    files = record.files()
    known = {name[:3] for name in keyring.entries()}
    put, left = 0, 0
    for holder, kind, number, key in keys:
        if (holder, kind, number) in known:
            left += 1
            continue
        keyring.keep(holder, kind, number, key or bytes(32))
        if key is None or _has_forgotten(record, files, holder.removeprefix(f"{ledger_id}/"), number):
            keyring.destroy(holder, number + 1)
            left += 1
        else:
            put += 1
    return put, left


def _has_forgotten(record: ForgottenOnRecord, files: set[str], name: str, number: int) -> bool:
    """Whether a key is one that was destroyed: of texts, of a contact, of a file."""
    whose, _, rest = name.partition("/")
    if whose == "file":
        return rest in files
    if rest:
        return whose in record.wholly
    return number < record.below.get(whose, 0)


def _gone(keys: Iterable[NamedKey]) -> int:
    return sum(key is None and kind != NOTE for _, kind, _, key in keys)


def _holder(ledger_id: str, copy: str) -> str:
    return f"{ledger_id}/escrow/{copy}"
