"""Facts about allocations. None of them holds a label: who looked is recorded, not what was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trialwright.trial.event import Event, Space


@dataclass(frozen=True, kw_only=True)
class SealedRow:
    """One row as it was sealed."""

    stratum: str
    position: int
    """In this list, from 0."""
    tokens: dict[str, str]
    """Purpose of the recipient's key → base64, all of one length."""


@dataclass(frozen=True, kw_only=True)
class AllocationRowsSealed(Event):
    """Rows of a sealed list, in the order of its commitment; long lists come in several parts."""

    TYPE: ClassVar[str] = "allocation.rows_sealed"
    SPACE: ClassVar[Space] = Space.CLOSED
    STREAM: ClassVar[str] = "allocation"
    list: int
    sealed_for: str
    """The name bound into every seal: study, space and number of the list."""
    kind: str
    """allocation or number (a minimisation's stream)."""
    rows: tuple[SealedRow, ...]


@dataclass(frozen=True, kw_only=True)
class StratumRows:
    """How many rows a list has for a stratum."""

    number: int
    """Names the stratum's stream; the same in every list."""
    stratum: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class AllocationListCommitted(Event):
    """A list was sealed before its first use: its method and sizes, and the root that stands for its rows."""

    TYPE: ClassVar[str] = "allocation.list_committed"
    STREAM: ClassVar[str] = "allocation"
    list: int
    """1 for the first; later ones continue it."""
    method: str
    unit: str
    """arm or sequence."""
    root: str
    """Merkle root (hex) over the salted rows."""
    recipients: dict[str, str]
    """Purpose → fingerprint of the keys that open the rows."""
    strata: tuple[StratumRows, ...]


@dataclass(frozen=True, kw_only=True)
class AllocationPositionTaken(Event):
    """The next position of a stratum went to a participant; decides, with the list, what is given."""

    TYPE: ClassVar[str] = "allocation.position_taken"
    STREAM: ClassVar[str] = "stratum/{number}"
    number: int
    stratum: str
    position: int
    """The number of earlier randomisations in the stratum, over all lists."""
    participant: str
    factors: dict[str, str]
    """Factor → level, as known at randomisation."""


@dataclass(frozen=True, kw_only=True)
class ParticipantRandomised(Event):
    """The participant has an allocation, which nobody in the open space knows. Never undone."""

    TYPE: ClassVar[str] = "allocation.participant_randomised"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    number: int
    stratum: str
    position: int
    token: str
    """Stands for the allocation in the open space; random."""
    date: str


@dataclass(frozen=True, kw_only=True)
class MistakenRandomisationRecorded(Event):
    """The participant should not have been randomised, and stays randomised."""

    TYPE: ClassVar[str] = "allocation.mistaken_randomisation_recorded"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    what: str
    flags: tuple[str, ...] = ("randomised_by_mistake",)


@dataclass(frozen=True, kw_only=True)
class AllocationDisclosed(Event):
    """Somebody was shown one participant's allocation. The envelope says who, when and why."""

    TYPE: ClassVar[str] = "allocation.disclosed"
    SPACE: ClassVar[Space] = Space.CLOSED
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    purpose: str
    """dispensing, envelope, emergency or susar."""
    about: str | None = None
    """The adverse event, for a SUSAR; the period, for dispensing."""


@dataclass(frozen=True, kw_only=True)
class AllocationsJoined(Event):
    """The independent statistician joined allocations to a data cut, for the closed report to the committee."""

    TYPE: ClassVar[str] = "allocation.joined"
    SPACE: ClassVar[Space] = Space.CLOSED
    STREAM: ClassVar[str] = "allocation"
    cut: str
    participants: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class EmergencyUnblinded(Event):
    """An investigator unblinded a participant in an emergency: that it happened, not what was seen."""

    TYPE: ClassVar[str] = "allocation.emergency_unblinded"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    means: str
    """system or envelope."""
    shown: str
    """SHA-256 (hex) of the warning that was signed."""


@dataclass(frozen=True, kw_only=True)
class AccidentalUnblindingRecorded(Event):
    """Somebody learned an allocation who should not: who and how, never what."""

    TYPE: ClassVar[str] = "allocation.accidental_unblinding_recorded"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    learned_by: str
    how: str
    flags: tuple[str, ...] = ("accidentally_unblinded",)


EVENTS: tuple[type[Event], ...] = (
    AllocationRowsSealed, AllocationListCommitted, AllocationPositionTaken, ParticipantRandomised,
    MistakenRandomisationRecorded, AllocationDisclosed, AllocationsJoined, EmergencyUnblinded,
    AccidentalUnblindingRecorded,
)  # fmt: skip
