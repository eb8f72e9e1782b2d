"""Adverse events of a participant as they stand, with their running clocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from trialwright.trial.event import Event, Fact, Space
from trialwright.trial.safety.events import (
    SUSPECTED,
    AdverseEventClosed,
    AdverseEventFollowedUp,
    AdverseEventReported,
    CausalityAssessed,
    ClockStarted,
    ExpectednessAssessed,
    ExpeditedReportRecorded,
    SafetyEvent,
    SeriousnessAssessed,
    SponsorBecameAware,
    SubmissionRecorded,
    TermCoded,
)
from trialwright.trial.state import Slice

SERIOUS = "serious"
FATAL = "fatal_or_life_threatening"
SPECIAL = "special_interest"


class Moment(NamedTuple):
    """When somebody became aware."""

    at: str
    """UTC."""
    on: str
    """Local date."""


@dataclass
class AdverseEvent:
    """One adverse event. :meth:`fold` is used on the record and, on a copy, by decisions."""

    term: str = ""
    onset: str = ""
    ended: str = ""
    grade: int = 0
    reported: tuple[str, ...] = ()
    """Seriousness by the investigator."""
    added: tuple[str, ...] = ()
    """Seriousness by the sponsor."""
    outcome: str = ""
    action: str = ""
    causality: dict[tuple[str, str], str] = field(default_factory=dict)
    """(agent, investigator or sponsor) → relation."""
    expected: dict[str, bool] = field(default_factory=dict)
    coded: str = ""
    special_interest: tuple[str, ...] = ()
    noticed: dict[str, Moment] = field(default_factory=dict)
    """serious, fatal_or_life_threatening, special_interest → when the site first knew it."""
    aware: dict[str, Moment] = field(default_factory=dict)
    """The same for the sponsor."""
    clocks: dict[str, str] = field(default_factory=dict)
    """Clock → due."""
    met: set[str] = field(default_factory=set)
    closed: bool = False

    @property
    def seriousness(self) -> tuple[str, ...]:
        """Criteria by the investigator or the sponsor."""
        return tuple(dict.fromkeys((*self.reported, *self.added)))

    @property
    def qualities(self) -> tuple[str, ...]:
        """What makes clocks run: serious, fatal_or_life_threatening, special_interest."""
        found = [SERIOUS] if self.seriousness else []
        found += [FATAL] if {"death", "life_threatening"} & set(self.seriousness) else []
        return (*found, *([SPECIAL] if self.special_interest else []))

    def suspected(self) -> tuple[str, ...]:
        """Agents to which the investigator or the sponsor sees a reasonable possibility of a relation."""
        return tuple(dict.fromkeys(agent for (agent, _), relation in self.causality.items() if relation in SUSPECTED))

    def fold(self, event: SafetyEvent) -> None:
        """Take in one event."""
        match event:
            case AdverseEventReported() as e:
                self.term, self.onset, self.grade, self.reported = e.term, e.onset, e.grade, e.seriousness
                self.outcome, self.action = e.outcome, e.action
                self.causality.update({(agent, "investigator"): r for agent, r in e.causality.items()})
                self._special(e.special_interest)
                self._notice(Moment(e.noticed_at, e.noticed_on))
            case AdverseEventFollowedUp() as e:
                self._change(e)
            case CausalityAssessed() as e:
                self.causality[(e.agent, e.by)] = e.relation
            case SeriousnessAssessed() as e:
                self.added = e.seriousness
                self._notice(Moment(e.noticed_at, e.noticed_on))
            case ExpectednessAssessed() as e:
                self.expected[e.agent] = e.expected
            case TermCoded() as e:
                self.coded = e.term
                self._special(e.special_interest)
                self._notice(Moment(e.noticed_at, e.noticed_on))
            case SponsorBecameAware() as e:
                for quality in self.qualities:
                    self.aware.setdefault(quality, Moment(e.aware_at, e.aware_on))
            case ClockStarted(clock=clock, due=due):
                self.clocks[clock] = due
            case SubmissionRecorded(clock=clock):
                self.met.add(clock)
            case AdverseEventClosed():
                self.closed = True

    def _change(self, event: AdverseEventFollowedUp) -> None:
        self.term = event.term if event.term is not None else self.term
        self.onset = event.onset if event.onset is not None else self.onset
        self.ended = event.ended if event.ended is not None else self.ended
        self.grade = event.grade if event.grade is not None else self.grade
        self.reported = event.seriousness if event.seriousness is not None else self.reported
        self.outcome = event.outcome if event.outcome is not None else self.outcome
        self.action = event.action if event.action is not None else self.action
        self._special(event.special_interest)
        self._notice(Moment(event.noticed_at, event.noticed_on))
        self.closed = False

    def _special(self, found: tuple[str, ...]) -> None:
        self.special_interest = tuple(dict.fromkeys((*self.special_interest, *found)))

    def _notice(self, moment: Moment) -> None:
        for quality in self.qualities:
            self.noticed.setdefault(quality, moment)


@dataclass
class AdverseEvents(Slice):
    """One participant's adverse events by id."""

    STREAM: ClassVar[str] = "participant/{}"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (
        AdverseEventReported, AdverseEventFollowedUp, CausalityAssessed, SeriousnessAssessed, ExpectednessAssessed,
        TermCoded, SponsorBecameAware, ClockStarted, SubmissionRecorded, AdverseEventClosed,
    )  # fmt: skip
    events: dict[str, AdverseEvent] = field(default_factory=dict)

    def apply(self, fact: Fact) -> None:
        assert isinstance(fact.event, SafetyEvent)
        self.events.setdefault(fact.event.adverse_event, AdverseEvent()).fold(fact.event)

    def unfinished(self) -> tuple[str, ...]:
        """Serious events whose follow-up is not finished."""
        return tuple(name for name, event in self.events.items() if event.seriousness and not event.closed)


@dataclass
class ExpeditedReports(Slice):
    """What became of the suspected reactions of one participant."""

    STREAM: ClassVar[str] = "participant/{}"
    SPACE: ClassVar[Space] = Space.CLOSED
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (ExpeditedReportRecorded,)
    done: set[tuple[str, str]] = field(default_factory=set)
    """(adverse event, clock)."""

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case ExpeditedReportRecorded() as e:
                self.done.add((e.adverse_event, e.clock))


SLICES: tuple[type[Slice], ...] = (AdverseEvents, ExpeditedReports)
