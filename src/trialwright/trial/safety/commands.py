"""Report, follow up, judge, code, submit and close adverse events."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from trialwright.foundation.dates import PartialDate
from trialwright.foundation.errors import InvalidValue, Refusal
from trialwright.protocol.roles import Role
from trialwright.protocol.safety import ReportingClock
from trialwright.trial.closure.state import ClosedDeviations, Deviations
from trialwright.trial.command import Command, Context, Decide, NotFound, Permission, may
from trialwright.trial.enrolment.gate import existing
from trialwright.trial.event import Event, Space
from trialwright.trial.record import utc_text
from trialwright.trial.safety.clocks import is_expedited, is_late, listed, running, special_interest, to_sponsor
from trialwright.trial.safety.dictionary import SYNTHETIC, SYNTHETIC_VERSION, Coded
from trialwright.trial.safety.events import (
    ACTIONS,
    OUTCOMES,
    RELATIONS,
    SERIOUSNESS,
    UNSETTLED,
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
from trialwright.trial.safety.state import AdverseEvent, AdverseEvents, ExpeditedReports
from trialwright.trial.state import State

ASSESSORS = (Role.MEDICAL_MONITOR, Role.SAFETY_OFFICER)
LONGEST = 200


class ReportNotReadable(Refusal):
    """A part of the report is not what it claims to be: a date, a grade, a code."""

    code = "safety.report_not_readable"


class Contradiction(Refusal):
    """Parts of one report contradict each other: grade 5, outcome fatal and seriousness death go together."""

    code = "safety.contradiction"


class CausalityNotYours(Refusal):
    """Causality is judged by a physician."""

    code = "safety.causality_not_yours"


class AgentUnknown(Refusal):
    """The study does not judge causality for this agent."""

    code = "safety.agent_unknown"


class AssessorUnblinded(Refusal):
    """Who may know the allocation does not judge for everybody to see."""

    code = "safety.assessor_unblinded"


class DowngradeRefused(Refusal):
    """The sponsor may not take away what the investigator reported as serious."""

    code = "safety.downgrade_refused"


class NotInReference(Refusal):
    """Only what the reference safety information lists can be called expected."""

    code = "safety.not_in_reference"


class NotSuspected(Refusal):
    """Nobody sees a relation to this agent, so there is no reaction to be expected or not."""

    code = "safety.not_suspected"


class ClockNotRunning(Refusal):
    """The clock does not run for this event, or belongs to another command."""

    code = "safety.clock_not_running"


class AlreadySubmitted(Refusal):
    """It was submitted before."""

    code = "safety.already_submitted"


class TermNotInDictionary(Refusal):
    """The dictionary of the study has no such term."""

    code = "safety.term_not_in_dictionary"


class NothingNew(Refusal):
    """Nothing was changed, or the sponsor knew already."""

    code = "safety.nothing_new"


class StillOpen(Refusal):
    """The follow-up cannot be finished yet, or is finished."""

    code = "safety.still_open"


class ReasonMissing(Refusal):
    """A change asks for a reason."""

    code = "safety.reason_missing"


@dataclass(frozen=True, kw_only=True)
class ReportAdverseEvent(Command):
    """Report an adverse event; ``observed_at`` is when the site became aware. By investigator or nurse.

    Causality is for the investigator, agent by agent. Refused: unreadable onset, grade or codes, contradictions,
    causality from a nurse. Never refused for its time: events after withdrawal or after the lock are reported too.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, Role.STUDY_NURSE, after_lock=True)
    participant: str
    term: str
    onset: str
    """ISO date, partial where the day is not known."""
    grade: int
    seriousness: tuple[str, ...] = ()
    outcome: str = "not_recovered"
    action: str = "none"
    causality: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FollowUpAdverseEvent(Command):
    """Add to or correct a report, with the reason; what is None stays. By investigator or nurse.

    Becoming serious, fatal or life-threatening starts the clocks of that quality from this awareness.
    Refused: nothing changed, no reason, unreadable parts, contradictions.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, Role.STUDY_NURSE, after_lock=True)
    participant: str
    adverse_event: str
    term: str | None = None
    onset: str | None = None
    ended: str | None = None
    grade: int | None = None
    seriousness: tuple[str, ...] | None = None
    outcome: str | None = None
    action: str | None = None


@dataclass(frozen=True, kw_only=True)
class AssessCausality(Command):
    """Judge the relation to one agent. By the investigator, and by the sponsor's physicians for the sponsor.

    Refused: agent unknown; an assessor who may know the allocation.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, *ASSESSORS, after_lock=True)
    participant: str
    adverse_event: str
    agent: str
    relation: str


@dataclass(frozen=True, kw_only=True)
class AssessSeriousness(Command):
    """Judge seriousness for the sponsor. By medical monitor or safety officer.

    Refused: a criterion of the investigator left out; an assessor who may know the allocation.
    """

    PERMISSION: ClassVar[Permission] = may(*ASSESSORS, after_lock=True)
    participant: str
    adverse_event: str
    seriousness: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AssessExpectedness(Command):
    """Judge expectedness for one agent by the reference in force. By medical monitor or safety officer.

    Refused: nobody suspects the agent; called expected without being listed; an assessor who may know the allocation.
    """

    PERMISSION: ClassVar[Permission] = may(*ASSESSORS, after_lock=True)
    participant: str
    adverse_event: str
    agent: str
    expected: bool


@dataclass(frozen=True, kw_only=True)
class RecordSponsorAwareness(Command):
    """Report that the sponsor knows what is on record (``observed_at``): day 0 of its clocks. By the sponsor's side.

    Clocks whose receiver is the sponsor are met by it; too late is flagged. Refused: the sponsor knew already.
    """

    PERMISSION: ClassVar[Permission] = may(*ASSESSORS, Role.SPONSOR, after_lock=True)
    participant: str
    adverse_event: str


@dataclass(frozen=True, kw_only=True)
class RecordSubmission(Command):
    """Report that who had to know, knows (``observed_at``). By the sponsor's side. A fact: too late is flagged.

    Refused: the clock does not run, was met, or is one for suspected reactions (:class:`RecordExpeditedReport`).
    """

    PERMISSION: ClassVar[Permission] = may(*ASSESSORS, Role.SPONSOR, after_lock=True)
    participant: str
    adverse_event: str
    clock: str
    reference: str


@dataclass(frozen=True, kw_only=True)
class RecordExpeditedReport(Command):
    """Report what became of a suspected unexpected serious reaction. By the safety officer, in the closed space.

    Whether it went to the authorities depends on what was given, so the open space does not hold it.
    Refused: the clock does not run or was met.
    """

    PERMISSION: ClassVar[Permission] = may(Role.SAFETY_OFFICER, space=Space.CLOSED, after_lock=True)
    participant: str
    adverse_event: str
    clock: str
    outcome: str
    """submitted or not_required."""
    reference: str


@dataclass(frozen=True, kw_only=True)
class RecodeTerm(Command):
    """Code the term, or code it anew. By data management or the sponsor's physicians.

    With the synthetic dictionary the coded term alone is given. Refused: not in the dictionary.
    """

    PERMISSION: ClassVar[Permission] = may(Role.DATA_MANAGER, *ASSESSORS)
    participant: str
    adverse_event: str
    term: str
    code: str = ""
    body_system: str = ""
    version: str = ""


@dataclass(frozen=True, kw_only=True)
class CloseAdverseEvent(Command):
    """Finish the follow-up: resolved, stable, or explained. By the investigator.

    Refused: finished already; a serious event whose outcome is still unknown without a reason.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, after_lock=True)
    participant: str
    adverse_event: str


def report_adverse_event(command: ReportAdverseEvent, state: State, context: Context) -> Iterable[Event]:
    existing(state, command.participant)
    if command.causality and context.actor.role is not Role.INVESTIGATOR:
        raise CausalityNotYours(
            "causality is judged by a physician",
            remedy="report without it; the investigator gives AssessCausality",
            role=context.actor.role.value,
        )
    for agent, relation in command.causality.items():
        _check_causality(agent, relation, context)
    known = state.of(AdverseEvents, command.participant).events
    event = AdverseEventReported(
        participant=command.participant,
        adverse_event=f"ae_{len(known) + 1}",
        term=_term(command.term),
        onset=_day(command.onset, "onset", context),
        grade=command.grade,
        seriousness=_ordered(command.seriousness),
        outcome=command.outcome,
        action=command.action,
        causality=dict(command.causality),
        special_interest=special_interest(command.term, context.build.study.safety),
        noticed_at=utc_text(context.happened),
        noticed_on=context.happened_on,
    )
    yield from _with_clocks(AdverseEvent(), (event,), context)


def follow_up_adverse_event(command: FollowUpAdverseEvent, state: State, context: Context) -> Iterable[Event]:
    known = _known(command.participant, command.adverse_event, state)
    _need_reason(context, "a change of a report")
    event = AdverseEventFollowedUp(
        participant=command.participant,
        adverse_event=command.adverse_event,
        term=_changed(known.term, None if command.term is None else _term(command.term)),
        onset=_changed(known.onset, None if command.onset is None else _day(command.onset, "onset", context)),
        ended=_changed(known.ended, None if command.ended is None else _day(command.ended, "end", context)),
        grade=None if command.grade == known.grade else command.grade,
        seriousness=_new_seriousness(known, command),
        outcome=_changed(known.outcome, command.outcome),
        action=_changed(known.action, command.action),
        special_interest=special_interest(command.term or "", context.build.study.safety),
        noticed_at=utc_text(context.happened),
        noticed_on=context.happened_on,
    )
    changes = (event.term, event.onset, event.ended, event.grade, event.seriousness, event.outcome, event.action)
    if all(change is None for change in changes):
        raise NothingNew("nothing was changed", remedy="change something, or leave it", event=command.adverse_event)
    yield from _with_clocks(known, (event,), context)


def assess_causality(command: AssessCausality, state: State, context: Context) -> Iterable[Event]:
    known = _known(command.participant, command.adverse_event, state)
    _check_causality(command.agent, command.relation, context)
    _need_blinded(context)
    event = CausalityAssessed(
        participant=command.participant,
        adverse_event=command.adverse_event,
        agent=command.agent,
        relation=command.relation,
        by="investigator" if context.actor.role is Role.INVESTIGATOR else "sponsor",
    )
    yield from _with_clocks(known, (event,), context)


def assess_seriousness(command: AssessSeriousness, state: State, context: Context) -> Iterable[Event]:
    known = _known(command.participant, command.adverse_event, state)
    _need_blinded(context)
    left_out = set(known.reported) - set(command.seriousness)
    if left_out:
        raise DowngradeRefused(
            f"the investigator reported {', '.join(sorted(left_out))}",
            remedy="keep it; ask the investigator with a query if it seems wrong",
            event=command.adverse_event,
        )
    event = SeriousnessAssessed(
        participant=command.participant,
        adverse_event=command.adverse_event,
        seriousness=_ordered(command.seriousness),
        noticed_at=utc_text(context.happened),
        noticed_on=context.happened_on,
    )
    yield from _with_clocks(known, (event,), context)


def assess_expectedness(command: AssessExpectedness, state: State, context: Context) -> Iterable[Event]:
    known = _known(command.participant, command.adverse_event, state)
    _need_blinded(context)
    _check_agent(command.agent, context)
    if command.agent not in known.suspected():
        raise NotSuspected(
            f"nobody sees a relation to {command.agent}",
            remedy="assess causality first",
            agent=command.agent,
        )
    reference = context.build.study.safety.reference
    found = listed(known, command.agent, reference)
    if command.expected and not found:
        raise NotInReference(
            f"{reference.document} {reference.version} does not list {known.coded or known.term!r}"
            f" for {command.agent} with grade {known.grade}",
            remedy="call it unexpected; the reference changes by an amendment only",
            agent=command.agent,
        )
    event = ExpectednessAssessed(
        participant=command.participant,
        adverse_event=command.adverse_event,
        agent=command.agent,
        expected=command.expected,
        reference=f"{reference.document} {reference.version}",
        listed=found,
    )
    yield from _with_clocks(known, (event,), context)


def record_sponsor_awareness(command: RecordSponsorAwareness, state: State, context: Context) -> Iterable[Event]:
    known = _known(command.participant, command.adverse_event, state)
    waiting = [clock for clock in _receivers(context) if clock.id in known.clocks and clock.id not in known.met]
    if not waiting and set(known.qualities) <= set(known.aware) and (known.aware or not known.qualities):
        raise NothingNew(
            "the sponsor knows all that makes clocks run", remedy="nothing to do", event=command.adverse_event
        )
    event = SponsorBecameAware(
        participant=command.participant,
        adverse_event=command.adverse_event,
        aware_at=utc_text(context.happened),
        aware_on=context.happened_on,
    )
    yield from _with_clocks(known, (event,), context)
    for clock in waiting:
        yield from _submission(command, clock.id, "seen in the record", state, context)


def record_submission(command: RecordSubmission, state: State, context: Context) -> Iterable[Event]:
    known = _known(command.participant, command.adverse_event, state)
    clock = _clock(command.clock, context)
    if clock is None or is_expedited(clock) or command.clock not in known.clocks:
        raise ClockNotRunning(
            f"the clock {command.clock[:60]!r} does not run for {command.adverse_event}, or is not submitted here",
            remedy="suspected unexpected serious reactions are reported by the safety officer in the closed space",
            clock=command.clock[:60],
        )
    if command.clock in known.met:
        raise AlreadySubmitted(f"{command.clock} was met before", remedy="nothing to do", clock=command.clock)
    yield from _submission(command, command.clock, command.reference, state, context)


def record_expedited_report(command: RecordExpeditedReport, state: State, context: Context) -> Iterable[Event]:
    known = _known(command.participant, command.adverse_event, state)
    clock = _clock(command.clock, context)
    if clock is None or not is_expedited(clock) or command.clock not in known.clocks:
        raise ClockNotRunning(
            f"the clock {command.clock[:60]!r} does not run for {command.adverse_event}, or is not of this kind",
            remedy="look at the clocks of the event",
            clock=command.clock[:60],
        )
    if (command.adverse_event, command.clock) in state.of(ExpeditedReports, command.participant).done:
        raise AlreadySubmitted(f"{command.clock} was met before", remedy="nothing to do", clock=command.clock)
    if command.outcome not in ("submitted", "not_required"):
        raise ReportNotReadable(
            f"{command.outcome!r} is no outcome of a report", remedy="use submitted or not_required"
        )
    due = known.clocks[command.clock]
    late = command.outcome == "submitted" and is_late(due, context.happened, context.happened_on)
    yield ExpeditedReportRecorded(
        participant=command.participant,
        adverse_event=command.adverse_event,
        clock=command.clock,
        outcome=command.outcome,
        date=context.happened_on,
        reference=command.reference,
        flags=("late",) if late else (),
    )
    if late:
        what, about = f"late.{command.adverse_event}.{command.clock}", f"{command.clock} was due {due}"
        yield state.of(ClosedDeviations, command.participant).open(command.participant, "safety", what, about)


def recode_term(command: RecodeTerm, state: State, context: Context) -> Iterable[Event]:
    known = _known(command.participant, command.adverse_event, state)
    safety = context.build.study.safety
    coded = _coded(command, safety.dictionary)
    if coded.term == known.coded:
        raise NothingNew(f"it is coded as {coded.term}", remedy="nothing to do", event=command.adverse_event)
    event = TermCoded(
        participant=command.participant,
        adverse_event=command.adverse_event,
        dictionary=safety.dictionary,
        version=command.version or SYNTHETIC_VERSION,
        code=coded.code,
        term=coded.term,
        body_system=coded.body_system,
        special_interest=special_interest(coded.term, safety),
        noticed_at=utc_text(context.now),
        noticed_on=context.today,
    )
    yield from _with_clocks(known, (event,), context)


def close_adverse_event(command: CloseAdverseEvent, state: State, context: Context) -> Iterable[Event]:
    known = _known(command.participant, command.adverse_event, state)
    if known.closed:
        raise StillOpen("the follow-up is finished", remedy="nothing to do", event=command.adverse_event)
    if known.seriousness and known.outcome in UNSETTLED and not (context.reason or "").strip():
        raise StillOpen(
            f"a serious event with outcome {known.outcome} is still followed",
            remedy="record the outcome, or say why the follow-up ends",
            event=command.adverse_event,
        )
    yield AdverseEventClosed(participant=command.participant, adverse_event=command.adverse_event)


# --- what several decisions need -----------------------------------------------------------------------------


def _with_clocks(known: AdverseEvent, events: tuple[SafetyEvent, ...], context: Context) -> Iterator[Event]:
    """The events, and the clocks that start with them."""
    after = copy.deepcopy(known)
    for event in events:
        after.fold(event)
        yield event
    _check_consistent(after)
    for clock, started, due in running(after, context.build.study.safety):
        if clock.id not in after.clocks:
            yield ClockStarted(
                participant=events[0].participant,
                adverse_event=events[0].adverse_event,
                clock=clock.id,
                to=clock.to,
                started=started,
                due=due,
            )


def _check_consistent(event: AdverseEvent) -> None:
    if not 1 <= event.grade <= 5:
        raise ReportNotReadable(f"the grade is {event.grade}", remedy="use 1 to 5", grade=event.grade)
    for what, value, known in (("outcome", event.outcome, OUTCOMES), ("action", event.action, ACTIONS)):
        if value not in known:
            raise ReportNotReadable(f"{value[:40]!r} is no {what}", remedy=f"use one of {', '.join(known)}")
    death = {event.grade == 5, event.outcome == "fatal", "death" in event.reported}
    if len(death) > 1:
        raise Contradiction(
            f"grade {event.grade}, outcome {event.outcome}, seriousness {', '.join(event.reported) or 'none'}",
            remedy="grade 5, outcome fatal and seriousness death go together, or none of them",
        )
    if event.ended and PartialDate.parse(event.ended).latest < PartialDate.parse(event.onset).earliest:
        raise Contradiction(f"it ended {event.ended}, before {event.onset}", remedy="correct onset or end")


def _submission(
    command: RecordSponsorAwareness | RecordSubmission, clock: str, reference: str, state: State, context: Context
) -> Iterator[Event]:
    known = _known(command.participant, command.adverse_event, state)
    due = known.clocks[clock]
    late = is_late(due, context.happened, context.happened_on)
    yield SubmissionRecorded(
        participant=command.participant,
        adverse_event=command.adverse_event,
        clock=clock,
        date=context.happened_on,
        reference=reference,
        flags=("late",) if late else (),
    )
    if late:
        what, about = f"late.{command.adverse_event}.{clock}", f"{clock} was due {due}"
        yield state.of(Deviations, command.participant).open(command.participant, "safety", what, about)


def _known(participant: str, name: str, state: State) -> AdverseEvent:
    existing(state, participant)
    found = state.of(AdverseEvents, participant).events.get(name)
    if found is None:
        raise NotFound(
            f"{participant} has no adverse event {name[:60]!r}", remedy="look at the list of events", event=name[:60]
        )
    return found


def _term(text: str) -> str:
    words = " ".join(text.split())
    if not words or len(words) > LONGEST:
        raise ReportNotReadable(
            "the term is empty" if not words else f"the term has {len(words):,} characters",
            remedy=f"write what happened in up to {LONGEST} characters; details go to the form",
        )
    return words


def _day(text: str, what: str, context: Context) -> str:
    try:
        day = PartialDate.parse(text)
    except InvalidValue as error:
        raise ReportNotReadable(f"{what}: {error.message}", remedy=error.remedy) from error
    if day.earliest.isoformat() > context.today:
        raise ReportNotReadable(f"the {what}, {text}, has not come yet", remedy="correct the date")
    return day.text


def _ordered(given: tuple[str, ...]) -> tuple[str, ...]:
    strange = [criterion for criterion in given if criterion not in SERIOUSNESS]
    if strange:
        raise ReportNotReadable(
            f"{strange[0][:40]!r} is no criterion of seriousness", remedy=f"use {', '.join(SERIOUSNESS)}"
        )
    return tuple(criterion for criterion in SERIOUSNESS if criterion in given)


def _new_seriousness(known: AdverseEvent, command: FollowUpAdverseEvent) -> tuple[str, ...] | None:
    if command.seriousness is None:
        return None
    given = _ordered(command.seriousness)
    return None if given == known.reported else given


def _changed(before: str, now: str | None) -> str | None:
    return None if now == before else now


def _check_agent(agent: str, context: Context) -> None:
    known = [declared.id for declared in context.build.study.safety.agents]
    if agent not in known:
        raise AgentUnknown(f"{agent[:60]!r} is no agent of this study", remedy=f"agents: {', '.join(known)}")


def _check_causality(agent: str, relation: str, context: Context) -> None:
    _check_agent(agent, context)
    if relation not in RELATIONS:
        raise ReportNotReadable(f"{relation[:40]!r} is no relation", remedy=f"use one of {', '.join(RELATIONS)}")


def _need_blinded(context: Context) -> None:
    blinding = context.build.study.identity.blinding
    if blinding.kind == "blinded" and context.actor.role in blinding.unblinded_roles:
        raise AssessorUnblinded(
            f"the role {context.actor.role.value} may know the allocation",
            remedy="a blinded physician of the sponsor judges",
            role=context.actor.role.value,
        )


def _clock(name: str, context: Context) -> ReportingClock | None:
    return next((clock for clock in context.build.study.safety.clocks if clock.id == name), None)


def _receivers(context: Context) -> Iterator[ReportingClock]:
    return (clock for clock in context.build.study.safety.clocks if to_sponsor(clock))


def _coded(command: RecodeTerm, dictionary: str) -> Coded:
    if dictionary != "synthetic":
        if command.code and command.term and command.version:
            return Coded(command.code, command.term, command.body_system)
        raise TermNotInDictionary(
            f"a term of {dictionary} needs code, term and version", remedy="take them from your own copy"
        )
    found = SYNTHETIC.get(command.term.casefold())
    if found is None:
        raise TermNotInDictionary(
            f"the synthetic dictionary has no {command.term[:60]!r}",
            remedy="choose the nearest term of the dictionary",
            term=command.term[:60],
        )
    return found


def _need_reason(context: Context, what: str) -> None:
    if not (context.reason or "").strip():
        raise ReasonMissing(f"{what} is made without a reason", remedy="say why in a few words")


DECISIONS: Mapping[type[Command], Decide] = {
    ReportAdverseEvent: report_adverse_event,
    FollowUpAdverseEvent: follow_up_adverse_event,
    AssessCausality: assess_causality,
    AssessSeriousness: assess_seriousness,
    AssessExpectedness: assess_expectedness,
    RecordSponsorAwareness: record_sponsor_awareness,
    RecordSubmission: record_submission,
    RecordExpeditedReport: record_expedited_report,
    RecodeTerm: recode_term,
    CloseAdverseEvent: close_adverse_event,
}
