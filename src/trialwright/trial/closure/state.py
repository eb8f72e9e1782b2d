"""Deviations of a participant, who is in the study, and how near the end is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from trialwright.trial.closure.events import (
    AllocationsDisclosed,
    AnalysisCodeFrozen,
    AnalysisPlanSigned,
    BlindReviewSigned,
    ClosedDeviationClassified,
    ClosedDeviationOpened,
    DataCutMade,
    DeviationClassified,
    DeviationOpened,
    PopulationDecision,
    SecondPersonAsked,
    SeriousBreachNotified,
    SeriousBreachRecorded,
    StudyArchived,
    StudyClosed,
    StudyFrozen,
    StudyLocked,
    StudyUnblinded,
    StudyUnlocked,
    UrgentSafetyMeasureTaken,
)
from trialwright.trial.enrolment.events import ParticipantNumberTaken
from trialwright.trial.event import Event, Fact, Space
from trialwright.trial.state import Slice

UNLOCK = "unlock"
UNBLIND = "unblind"
"""Acts that need two people."""


@dataclass
class Deviations(Slice):
    """One participant's deviations in the open space."""

    STREAM: ClassVar[str] = "participant/{}"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (DeviationOpened, DeviationClassified)
    EVENT: ClassVar[type[DeviationOpened]] = DeviationOpened
    classified: dict[str, bool] = field(default_factory=dict)
    """Identifier → judged or not."""

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case DeviationOpened(deviation=name):
                self.classified[name] = False
            case DeviationClassified(deviation=name):
                self.classified[name] = True

    def open(self, participant: str, kind: str, what: str, about: str) -> DeviationOpened:
        """The event that opens a deviation as ``<kind>.<what>``, numbered from the second of that name on.

        Args:
            about: in the open space, words that do not reveal the arm.
        """
        wanted = name = f"{kind}.{what}"
        number = 1
        while name in self.classified:
            number += 1
            name = f"{wanted}.{number}"
        return self.EVENT(participant=participant, deviation=name, kind=kind, about=about)

    def waiting(self) -> tuple[str, ...]:
        """Deviations that nobody judged yet."""
        return tuple(name for name, done in self.classified.items() if not done)


@dataclass
class ClosedDeviations(Deviations):
    """One participant's deviations in the closed space."""

    SPACE: ClassVar[Space] = Space.CLOSED
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (ClosedDeviationOpened, ClosedDeviationClassified)
    EVENT: ClassVar[type[DeviationOpened]] = ClosedDeviationOpened


@dataclass
class Roster(Slice):
    """Participant codes of one site, in the order they were given out."""

    STREAM: ClassVar[str] = "site/{}"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (ParticipantNumberTaken,)
    participants: list[str] = field(default_factory=list)

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case ParticipantNumberTaken(participant=participant):
                self.participants.append(participant)


@dataclass
class Ending(Slice):
    """How near the end the study is."""

    STREAM: ClassVar[str] = "study"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (
        SeriousBreachRecorded, SeriousBreachNotified, UrgentSafetyMeasureTaken, DataCutMade, BlindReviewSigned,
        StudyFrozen, StudyLocked, SecondPersonAsked, StudyUnlocked, AnalysisPlanSigned, AnalysisCodeFrozen,
        StudyUnblinded, StudyClosed, StudyArchived,
    )  # fmt: skip
    frozen: bool = False
    locked: bool = False
    reviewed: bool = False
    """The blind review was signed since the last freeze."""
    decisions: tuple[PopulationDecision, ...] = ()
    proposed: dict[str, str] = field(default_factory=dict)
    """Act that needs two people → who proposed it."""
    plan: str = ""
    code: str = ""
    unblinded: bool = False
    closed: bool = False
    archived: bool = False
    keep_until: str = ""
    """Local date to which the record must be kept; empty before it is archived."""
    cuts: set[str] = field(default_factory=set)
    breaches: dict[str, str] = field(default_factory=dict)
    """Serious breach → due date, until the authority was told."""
    breach_count: int = 0
    measures: int = 0

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case SeriousBreachRecorded(breach=breach, due=due):
                self.breaches[breach] = due
                self.breach_count += 1
            case SeriousBreachNotified(breach=breach):
                self.breaches.pop(breach, None)
            case UrgentSafetyMeasureTaken():
                self.measures += 1
            case DataCutMade(cut=cut):
                self.cuts.add(cut)
            case SecondPersonAsked(act=act):
                self.proposed[act] = fact.actor
            case AnalysisPlanSigned(plan=plan):
                self.plan = plan
                self.proposed.pop(UNBLIND, None)  # who proposed it agreed to another plan
            case AnalysisCodeFrozen(code=code):
                self.code = code
                self.proposed.pop(UNBLIND, None)
            case StudyClosed():
                self.closed = True
            case StudyArchived(keep_until=until):
                self.archived, self.keep_until = True, until
            case _:
                self._step(fact.event)

    def _step(self, event: Event) -> None:
        """Freeze, review, lock, unlock, unblinding: each undoes the proposals made before it."""
        match event:
            case StudyFrozen():
                self.frozen, self.reviewed = True, False
            case BlindReviewSigned(decisions=decisions):
                self.reviewed, self.decisions = True, decisions
            case StudyLocked():
                self.locked = True
                self.proposed.clear()
            case StudyUnlocked():
                self.frozen = self.locked = self.reviewed = False
                self.proposed.clear()
            case StudyUnblinded():
                self.unblinded = True
                self.proposed.clear()


@dataclass
class Disclosure(Slice):
    """Whether the allocations were disclosed."""

    STREAM: ClassVar[str] = "study"
    SPACE: ClassVar[Space] = Space.CLOSED
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (AllocationsDisclosed,)
    done: bool = False

    def apply(self, fact: Fact) -> None:
        self.done = True


SLICES: tuple[type[Slice], ...] = (Deviations, ClosedDeviations, Roster, Ending, Disclosure)
