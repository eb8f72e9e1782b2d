"""Facts about adverse events. Open unless a class says otherwise, and never about the arm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trialwright.trial.event import Event, Space

SERIOUSNESS = (
    "death", "life_threatening", "hospitalisation", "disability", "congenital_anomaly", "medically_important",
)  # fmt: skip
"""Criteria of seriousness (ICH E2A, II.B)."""

OUTCOMES = ("recovered", "recovered_with_sequelae", "recovering", "not_recovered", "fatal", "unknown")
UNSETTLED = ("recovering", "not_recovered", "unknown")
ACTIONS = ("none", "medication", "hospital", "injection_postponed", "injection_cancelled", "other")
RELATIONS = ("unrelated", "unlikely", "possible", "probable", "definite")
SUSPECTED = ("possible", "probable", "definite")
"""A reasonable possibility: the event may be a reaction."""


@dataclass(frozen=True, kw_only=True)
class SafetyEvent(Event):
    """What every open fact about an adverse event says."""

    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    adverse_event: str
    """``ae_1``, ``ae_2`` … within the participant."""


@dataclass(frozen=True, kw_only=True)
class AdverseEventReported(SafetyEvent):
    """First report."""

    TYPE: ClassVar[str] = "safety.adverse_event_reported"
    term: str
    """In the reporter's words."""
    onset: str
    """ISO date, partial where the day is not known."""
    grade: int
    """1 mild … 5 death."""
    seriousness: tuple[str, ...]
    outcome: str
    action: str
    causality: dict[str, str]
    """Agent → relation, as the reporting physician judges; agents not judged yet are absent."""
    special_interest: tuple[str, ...]
    noticed_at: str
    """When the site became aware, UTC."""
    noticed_on: str
    """The same as local date."""


@dataclass(frozen=True, kw_only=True)
class AdverseEventFollowedUp(SafetyEvent):
    """More is known, or something was corrected; the envelope has the reason. Absent fields did not change."""

    TYPE: ClassVar[str] = "safety.adverse_event_followed_up"
    term: str | None = None
    onset: str | None = None
    ended: str | None = None
    grade: int | None = None
    seriousness: tuple[str, ...] | None = None
    outcome: str | None = None
    action: str | None = None
    special_interest: tuple[str, ...] = ()
    noticed_at: str
    noticed_on: str


@dataclass(frozen=True, kw_only=True)
class CausalityAssessed(SafetyEvent):
    """One agent's relation, judged apart from the other agents."""

    TYPE: ClassVar[str] = "safety.causality_assessed"
    agent: str
    relation: str
    by: str
    """investigator or sponsor; neither judgement replaces the other."""


@dataclass(frozen=True, kw_only=True)
class SeriousnessAssessed(SafetyEvent):
    """The sponsor's judgement; it may add to the investigator's criteria, never take away."""

    TYPE: ClassVar[str] = "safety.seriousness_assessed"
    seriousness: tuple[str, ...]
    noticed_at: str
    noticed_on: str


@dataclass(frozen=True, kw_only=True)
class ExpectednessAssessed(SafetyEvent):
    """Expected or not for one agent, by the reference safety information in force."""

    TYPE: ClassVar[str] = "safety.expectedness_assessed"
    agent: str
    expected: bool
    reference: str
    """Document and version."""
    listed: bool
    """Whether the reference lists the term with this grade."""


@dataclass(frozen=True, kw_only=True)
class TermCoded(SafetyEvent):
    """The term was coded, or coded anew."""

    TYPE: ClassVar[str] = "safety.term_coded"
    dictionary: str
    version: str
    code: str
    term: str
    body_system: str
    special_interest: tuple[str, ...] = ()
    noticed_at: str
    noticed_on: str


@dataclass(frozen=True, kw_only=True)
class SponsorBecameAware(SafetyEvent):
    """The sponsor knows what is on record by now: day 0 of its clocks."""

    TYPE: ClassVar[str] = "safety.sponsor_became_aware"
    aware_at: str
    aware_on: str


@dataclass(frozen=True, kw_only=True)
class ClockStarted(SafetyEvent):
    """A deadline runs. Written down, so that it can be proved later what was due when."""

    TYPE: ClassVar[str] = "safety.clock_started"
    clock: str
    to: str
    started: str
    """Local date of awareness."""
    due: str
    """Last local date; for clocks of hours the last instant, UTC."""


@dataclass(frozen=True, kw_only=True)
class SubmissionRecorded(SafetyEvent):
    """Who had to know, knows."""

    TYPE: ClassVar[str] = "safety.submission_recorded"
    clock: str
    date: str
    reference: str
    flags: tuple[str, ...] = ()
    """``late``."""


@dataclass(frozen=True, kw_only=True)
class ExpeditedReportRecorded(SafetyEvent):
    """What became of a suspected reaction after its case was unblinded for reporting. That depends on the arm."""

    TYPE: ClassVar[str] = "safety.expedited_report_recorded"
    SPACE: ClassVar[Space] = Space.CLOSED
    clock: str
    outcome: str
    """submitted, or not_required: what was given was no product of the sponsor."""
    date: str
    reference: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AdverseEventClosed(SafetyEvent):
    """Follow-up is finished: resolved, stable, or explained otherwise."""

    TYPE: ClassVar[str] = "safety.adverse_event_closed"


EVENTS: tuple[type[Event], ...] = (
    AdverseEventReported, AdverseEventFollowedUp, CausalityAssessed, SeriousnessAssessed, ExpectednessAssessed,
    TermCoded, SponsorBecameAware, ClockStarted, SubmissionRecorded, ExpeditedReportRecorded, AdverseEventClosed,
)  # fmt: skip
