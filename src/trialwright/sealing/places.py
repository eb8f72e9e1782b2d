"""Where a sealed thing belongs. The place is bound into the seal, so a seal cannot be moved."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from trialwright.sealing.encoding import joined, utf8
from trialwright.sealing.errors import InvalidList


class Kind(Enum):
    """What is sealed; all of a kind have one width, so that size says nothing.

    ALLOCATION: a row of a list. NUMBER: a number of a minimisation stream. DRAW: the record of a minimised draw.
    """

    ALLOCATION = "allocation"
    NUMBER = "number"
    DRAW = "draw"

    @property
    def width(self) -> int:
        """Bytes of content after padding."""
        return 4096 if self is Kind.DRAW else 96


@dataclass(frozen=True)
class Place:
    """A position in a stratum of a ledger.

    Args:
        ledger: the ledger's id.
        kind: see :class:`Kind`.
        stratum: its name, ``""`` when there is none.
        position: 0, 1, …: the number of earlier randomisations in the stratum.

    Raises:
        InvalidList: a position that is not 0, 1, 2, …
        InvalidText: a name that is not valid Unicode.
    """

    ledger: str
    kind: Kind
    stratum: str
    position: int

    def __post_init__(self) -> None:
        if isinstance(self.position, bool) or not isinstance(self.position, int) or self.position < 0:
            raise InvalidList(
                f"the position {self.position!r} was given",
                remedy="count positions in a stratum 0, 1, 2, …",
                position=str(self.position),
            )
        for name in (self.ledger, self.stratum):
            utf8(name)

    @property
    def context(self) -> bytes:
        """The place as bytes, without ambiguity."""
        return joined(self.ledger, self.kind.value, self.stratum, self.position)

    @property
    def stream(self) -> str:
        """The place without its position, to address entropy."""
        return f"{self.ledger}/{self.kind.value}/{self.stratum}"
