"""What decisions know of allocations: commitments and positions here, sealed rows in the closed space."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from trialwright.sealing import Kind, Place, Sealed
from trialwright.trial.allocation.events import (
    AccidentalUnblindingRecorded,
    AllocationListCommitted,
    AllocationPositionTaken,
    AllocationRowsSealed,
    EmergencyUnblinded,
    MistakenRandomisationRecorded,
    ParticipantRandomised,
)
from trialwright.trial.event import Event, Fact, Space
from trialwright.trial.state import Slice

PARAMETERS = "parameters"
"""Names the row that seals what the study file leaves out (block sizes, probability); no stratum is called so."""


@dataclass
class Randomised(Slice):
    """One participant's randomisation, as the open space knows it."""

    STREAM: ClassVar[str] = "participant/{}"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (
        ParticipantRandomised, MistakenRandomisationRecorded, EmergencyUnblinded, AccidentalUnblindingRecorded,
    )  # fmt: skip
    number: int = 0
    """Number of the stratum's stream; 0 before randomisation."""
    stratum: str = ""
    position: int = -1
    token: str = ""
    on: str = ""
    """Local date."""
    by_mistake: bool = False
    unblinded: bool = False
    """An emergency or an accident; the final unblinding is not counted."""

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case ParticipantRandomised() as e:
                self.number, self.stratum, self.position, self.token = e.number, e.stratum, e.position, e.token
                self.on = e.date
            case MistakenRandomisationRecorded():
                self.by_mistake = True
            case EmergencyUnblinded() | AccidentalUnblindingRecorded():
                self.unblinded = True

    @property
    def done(self) -> bool:
        """Whether the participant is randomised."""
        return self.number > 0


@dataclass
class Commitments(Slice):
    """The lists committed to, and how many rows each stratum has."""

    STREAM: ClassVar[str] = "allocation"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (AllocationListCommitted,)
    lists: int = 0
    method: str = ""
    build: str = ""
    """The build that the newest list was made for."""
    numbers: dict[str, int] = field(default_factory=dict)
    """Stratum → number of its stream."""
    rows: dict[str, int] = field(default_factory=dict)
    """Stratum → rows over all lists."""

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case AllocationListCommitted() as e:
                self.lists, self.method, self.build = e.list, e.method, fact.build
                for part in e.strata:
                    self.numbers[part.stratum] = part.number
                    self.rows[part.stratum] = self.rows.get(part.stratum, 0) + part.rows


@dataclass(frozen=True)
class Taken:
    """Who took a position, with which factors."""

    participant: str
    factors: dict[str, str]


@dataclass
class Stratum(Slice):
    """The positions used in one stratum, in their order; reading it makes two randomisations take turns."""

    STREAM: ClassVar[str] = "stratum/{}"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (AllocationPositionTaken,)
    taken: list[Taken] = field(default_factory=list)

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case AllocationPositionTaken(participant=participant, factors=factors):
                self.taken.append(Taken(participant, factors))


@dataclass
class SealedRows(Slice):
    """All sealed rows, by stratum and position over all lists."""

    STREAM: ClassVar[str] = "allocation"
    SPACE: ClassVar[Space] = Space.CLOSED
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (AllocationRowsSealed,)
    by_stratum: dict[str, list[Sealed]] = field(default_factory=dict)
    by_list: dict[int, list[Sealed]] = field(default_factory=dict)
    """List → its rows in the order of the commitment."""

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case AllocationRowsSealed() as e:
                for row in e.rows:
                    place = Place(e.sealed_for, Kind(e.kind), row.stratum, row.position)
                    sealed = Sealed.from_json({**_place(place), "tokens": row.tokens})
                    self.by_stratum.setdefault(row.stratum, []).append(sealed)
                    self.by_list.setdefault(e.list, []).append(sealed)


def _place(place: Place) -> dict[str, str | int]:
    return {
        "ledger": place.ledger,
        "kind": place.kind.value,
        "stratum": place.stratum,
        "position": place.position,
    }


SLICES: tuple[type[Slice], ...] = (Randomised, Commitments, Stratum, SealedRows)
