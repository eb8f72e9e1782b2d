"""A list sealed before the first randomisation, and opened row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

from trialwright.foundation.ports import Entropy
from trialwright.sealing.commitment import SALT, Row
from trialwright.sealing.encoding import utf8
from trialwright.sealing.errors import InvalidList, SealBroken
from trialwright.sealing.keys import KeyPurpose
from trialwright.sealing.places import Kind, Place
from trialwright.sealing.sealers import Opener, Sealed, Sealer

_FORMAT = "trialwright sealed list 1"


@dataclass(frozen=True)
class SealedList:
    """A sealed list: it may lie anywhere, only the holders of the keys read it.

    Attributes:
        ledger: whose list.
        root: the commitment, 32 bytes.
        recipients: purpose → fingerprint.
        rows: in the order of the commitment: strata as given, positions 0, 1, 2, …
    """

    ledger: str
    root: bytes
    recipients: Mapping[KeyPurpose, str]
    rows: tuple[Sealed, ...]

    def row(self, stratum: str, position: int) -> Sealed:
        """The sealed row at a position of a stratum.

        Raises:
            InvalidList: the list has no such row: the stratum is unknown, or its rows are used up.
        """
        found = self._by_place.get((stratum, position))
        if found is not None:
            return found
        raise InvalidList(
            f"the list has no position {position} in stratum {stratum!r}",
            remedy="seal a longer list as an amendment, or check the stratum's name",
            stratum=stratum,
            position=position,
        )

    @cached_property
    def _by_place(self) -> dict[tuple[str, int], Sealed]:
        return {(sealed.place.stratum, sealed.place.position): sealed for sealed in self.rows}

    def as_json(self) -> dict[str, Any]:
        """Plain data for an event of the closed ledger; of it, only the root belongs in the open one."""
        return {
            "format": _FORMAT,
            "ledger": self.ledger,
            "root": self.root.hex(),
            "recipients": {purpose.value: fingerprint for purpose, fingerprint in self.recipients.items()},
            "rows": [sealed.as_json() for sealed in self.rows],
        }

    @classmethod
    def from_json(cls, data: object) -> SealedList:
        """The inverse of :meth:`as_json`.

        Raises:
            SealBroken: anything else.
        """
        try:
            fields: Any = data
            if fields["format"] != _FORMAT or not isinstance(fields["ledger"], str):
                raise ValueError
            recipients = {KeyPurpose(name): str(print_) for name, print_ in fields["recipients"].items()}
            rows = tuple(Sealed.from_json(row) for row in fields["rows"])
            root = bytes.fromhex(fields["root"])
        except (KeyError, TypeError, ValueError, AttributeError):
            raise SealBroken(
                "this is not a sealed list", remedy=f"give the data of an event in the format {_FORMAT!r}"
            ) from None
        return cls(fields["ledger"], root, MappingProxyType(recipients), rows)


def seal_list(
    lists: Mapping[str, Sequence[str]],
    *,
    ledger: str,
    sealer: Sealer,
    entropy: Entropy,
    kind: Kind = Kind.ALLOCATION,
) -> SealedList:
    """Salt, commit to and seal the rows of a list.

    Args:
        lists: stratum → labels by position; ``""`` names the one stratum of an unstratified list.
        ledger: the id of the ledger that will use the list.
        sealer: seals each row to the dispensing and the unblinding key.
        entropy: for the salts.
        kind: ALLOCATION, or NUMBER for a stream (see :func:`seal_stream`).

    Raises:
        InvalidList: no row at all, or an empty label.
        InvalidText: a label or name that is not valid Unicode.
        ContentTooLong: a label of more than 78 bytes.
    """
    rows = [
        Row(place, _checked(label), _salt(entropy, place))
        for stratum, labels in lists.items()
        for position, label in enumerate(labels)
        for place in (Place(ledger, kind, stratum, position),)
    ]
    if not rows:
        raise InvalidList("there is no row to seal", remedy="generate the list first")
    sealed = tuple(sealer.seal(row.place, row.salt + utf8(row.value)) for row in rows)
    return SealedList(ledger, sealer.commit(rows), sealer.recipients, sealed)


def open_row(sealed: Sealed, opener: Opener) -> Row:
    """The row in the clear.

    Raises:
        WrongKey: sealed to another key.
        SealBroken: altered, or moved from its place.
    """
    content = opener.open(sealed)
    try:
        value = content[SALT:].decode("utf-8")
    except UnicodeDecodeError:
        value = ""
    if not value:
        raise SealBroken("the seal does not hold a row of a list", remedy="open rows of lists only")
    return Row(sealed.place, value, content[:SALT])


def open_list(sealed: SealedList, opener: Opener) -> tuple[Row, ...]:
    """All rows in the clear, in the order of the commitment; check them with :func:`verify_commitment`."""
    return tuple(open_row(row, opener) for row in sealed.rows)


def _salt(entropy: Entropy, place: Place) -> bytes:
    return entropy.bytes(SALT, purpose="row salt", stream=place.stream, position=place.position)


def _checked(label: str) -> str:
    if not label:
        raise InvalidList("a label is empty", remedy="give each row the label of its unit")
    return label
