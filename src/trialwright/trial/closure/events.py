"""Facts about deviations and the end of the study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trialwright.trial.event import Event


@dataclass(frozen=True, kw_only=True)
class DeviationOpened(Event):
    """The protocol was not followed; opened by a person, or together with a fact that was recorded out of order."""

    TYPE: ClassVar[str] = "closure.deviation_opened"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    deviation: str
    """Identifier within the participant: ``<kind>.<what>``, unique."""
    kind: str
    """visit_window, missed_visit, after_withdrawal, consent, eligibility, randomisation, product, dose, safety …"""
    about: str
    """What it is about, in words that do not reveal the arm."""


@dataclass(frozen=True, kw_only=True)
class StudyFrozen(Event):
    """No data entry any more; only queries of the blind review."""

    TYPE: ClassVar[str] = "closure.study_frozen"
    STREAM: ClassVar[str] = "study"


@dataclass(frozen=True, kw_only=True)
class StudyLocked(Event):
    """The data are final."""

    TYPE: ClassVar[str] = "closure.study_locked"
    STREAM: ClassVar[str] = "study"
    size: int
    """Open events covered."""
    root: str
    """Merkle root (hex) of the open ledger at the lock."""


@dataclass(frozen=True, kw_only=True)
class StudyUnlocked(Event):
    """Opened again, by two people."""

    TYPE: ClassVar[str] = "closure.study_unlocked"
    STREAM: ClassVar[str] = "study"
    second: str
    """The other person who agreed."""


EVENTS: tuple[type[Event], ...] = (DeviationOpened, StudyFrozen, StudyLocked, StudyUnlocked)
