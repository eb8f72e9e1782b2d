"""Facts about deviations and the end of the study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trialwright.trial.event import Event, Space


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
class ClosedDeviationOpened(DeviationOpened):
    """A deviation whose content, or whose very existence, depends on the arm; known in the closed space only."""

    TYPE: ClassVar[str] = "closure.closed_deviation_opened"
    SPACE: ClassVar[Space] = Space.CLOSED


@dataclass(frozen=True, kw_only=True)
class DeviationClassified(Event):
    """Somebody judged the deviation and said what was done about it."""

    TYPE: ClassVar[str] = "closure.deviation_classified"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    deviation: str
    important: bool
    """May it significantly affect the data's reliability or the participant's rights, safety or well-being."""
    assessment: str
    action: str


@dataclass(frozen=True, kw_only=True)
class ClosedDeviationClassified(DeviationClassified):
    """The same for a deviation of the closed space."""

    TYPE: ClassVar[str] = "closure.closed_deviation_classified"
    SPACE: ClassVar[Space] = Space.CLOSED


@dataclass(frozen=True, kw_only=True)
class SeriousBreachRecorded(Event):
    """A breach likely to affect participants' safety and rights or the data to a significant degree."""

    TYPE: ClassVar[str] = "closure.serious_breach_recorded"
    STREAM: ClassVar[str] = "study"
    breach: str
    site: str
    """Where; empty when it concerns the whole study."""
    what: str
    aware: str
    """Local date on which the sponsor became aware."""
    due: str
    """Local date by which the authority must know: seven days later."""


@dataclass(frozen=True, kw_only=True)
class SeriousBreachNotified(Event):
    """The authority got the notification."""

    TYPE: ClassVar[str] = "closure.serious_breach_notified"
    STREAM: ClassVar[str] = "study"
    breach: str
    date: str
    reference: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class UrgentSafetyMeasureTaken(Event):
    """Participants were protected at once, before any amendment; the amendment follows."""

    TYPE: ClassVar[str] = "closure.urgent_safety_measure_taken"
    STREAM: ClassVar[str] = "study"
    measure: str
    site: str
    """Where; empty when it concerns the whole study."""
    what: str
    date: str
    due: str
    """Local date by which authority and ethics committee must know: seven days later."""


@dataclass(frozen=True, kw_only=True)
class DataCutMade(Event):
    """The open ledger up to here has a name, for the data monitoring committee or an interim report."""

    TYPE: ClassVar[str] = "closure.data_cut_made"
    STREAM: ClassVar[str] = "study"
    cut: str
    size: int
    """Open events in the cut."""
    root: str
    """Merkle root (hex) of the open ledger at that size."""


@dataclass(frozen=True, kw_only=True)
class PopulationDecision:
    """Whether one participant counts in one analysis population."""

    participant: str
    population: str
    included: bool
    why: str


@dataclass(frozen=True, kw_only=True)
class BlindReviewSigned(Event):
    """Before unblinding it was decided who counts in which population."""

    TYPE: ClassVar[str] = "closure.blind_review_signed"
    STREAM: ClassVar[str] = "study"
    decisions: tuple[PopulationDecision, ...]
    shown: str


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
class SecondPersonAsked(Event):
    """Somebody proposed an act that needs two people; it waits for the other one."""

    TYPE: ClassVar[str] = "closure.second_person_asked"
    STREAM: ClassVar[str] = "study"
    act: str
    """unlock or unblind."""


@dataclass(frozen=True, kw_only=True)
class StudyUnlocked(Event):
    """Opened again, by two people: the one who proposed it, and the actor of this event."""

    TYPE: ClassVar[str] = "closure.study_unlocked"
    STREAM: ClassVar[str] = "study"
    second: str
    """The other person who agreed: who proposed it."""
    after_unblinding: bool = False
    """Allocations were known by then; every later change must be read in that light."""


@dataclass(frozen=True, kw_only=True)
class AnalysisPlanSigned(Event):
    """The statistical analysis plan is final."""

    TYPE: ClassVar[str] = "closure.analysis_plan_signed"
    STREAM: ClassVar[str] = "study"
    version: str
    plan: str
    """SHA-256 (hex) of the document."""
    shown: str


@dataclass(frozen=True, kw_only=True)
class AnalysisCodeFrozen(Event):
    """The programs that will run on the unblinded data are fixed."""

    TYPE: ClassVar[str] = "closure.analysis_code_frozen"
    STREAM: ClassVar[str] = "study"
    code: str
    """SHA-256 (hex) of the programs, or the build of the analysis environment."""


@dataclass(frozen=True, kw_only=True)
class Disclosed:
    """One participant's allocation."""

    participant: str
    label: str
    """Arm or sequence."""


@dataclass(frozen=True, kw_only=True)
class AllocationsDisclosed(Event):
    """All allocations, once; from here the closed views join them to participants."""

    TYPE: ClassVar[str] = "closure.allocations_disclosed"
    SPACE: ClassVar[Space] = Space.CLOSED
    STREAM: ClassVar[str] = "study"
    allocations: tuple[Disclosed, ...]


@dataclass(frozen=True, kw_only=True)
class StudyUnblinded(Event):
    """The study was unblinded. The open record says that it happened; what was allocated stays in the closed one."""

    TYPE: ClassVar[str] = "closure.study_unblinded"
    STREAM: ClassVar[str] = "study"
    second: str
    """The other person: who proposed it."""
    participants: int
    """Allocations disclosed."""


@dataclass(frozen=True, kw_only=True)
class StudyClosed(Event):
    """The trial has ended."""

    TYPE: ClassVar[str] = "closure.study_closed"
    STREAM: ClassVar[str] = "study"
    date: str
    early: bool
    """Stopped before what was planned."""


@dataclass(frozen=True, kw_only=True)
class StudyArchived(Event):
    """The record was handed to the archive."""

    TYPE: ClassVar[str] = "closure.study_archived"
    STREAM: ClassVar[str] = "study"
    place: str
    size: int
    root: str
    keep_until: str
    """Local date; 25 years for trial records, longer where products must stay traceable."""


EVENTS: tuple[type[Event], ...] = (
    DeviationOpened, ClosedDeviationOpened, DeviationClassified, ClosedDeviationClassified, SeriousBreachRecorded,
    SeriousBreachNotified, UrgentSafetyMeasureTaken, DataCutMade, BlindReviewSigned, StudyFrozen, StudyLocked,
    SecondPersonAsked, StudyUnlocked, AnalysisPlanSigned, AnalysisCodeFrozen, AllocationsDisclosed, StudyUnblinded,
    StudyClosed, StudyArchived,
)  # fmt: skip
