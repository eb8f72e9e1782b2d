"""Record visits; save, void, verify and sign forms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

from trialwright.build import Build, CompiledForm, ItemValue, missing_value, outcome_value, parse_item_value
from trialwright.foundation.errors import InvalidValue, Refusal
from trialwright.foundation.missing import MissingReason
from trialwright.protocol.roles import Role
from trialwright.schedule import Status, expectations
from trialwright.trial.capture.events import (
    CaseBookSigned,
    ClosedFormSaved,
    EncounterHeld,
    EncounterMissed,
    Entered,
    FormMarkedNotDone,
    FormSaved,
    FormSigned,
    FormVoided,
    ItemsVerified,
    RaisedQuery,
)
from trialwright.trial.capture.saving import Finding, Outcome, Saving
from trialwright.trial.capture.shown import shown_case_book, shown_form
from trialwright.trial.capture.state import LOG, CaseBook, FormKey, FormRecord, entered
from trialwright.trial.closure.events import DeviationOpened
from trialwright.trial.command import Command, Context, Decide, NotFound, Permission, may
from trialwright.trial.consent.state import Consent
from trialwright.trial.enrolment.state import Enrolment
from trialwright.trial.event import Event, Space
from trialwright.trial.queries.state import Queries
from trialwright.trial.setup.state import StudySetup
from trialwright.trial.state import State

SITE_STAFF = (Role.INVESTIGATOR, Role.STUDY_NURSE)
ASSESSORS = (*SITE_STAFF, Role.BLINDED_RATER, Role.INJECTING_PHYSICIAN, Role.PHARMACIST, Role.CENTRAL_READER)


class FormNotYours(Refusal):
    """The form is filled or signed by other roles."""

    code = "capture.form_not_yours"


class VisitNotRecorded(Refusal):
    """The visit has no date yet, so nothing can have been seen at it."""

    code = "capture.visit_not_recorded"


class FormChanged(Refusal):
    """Somebody saved the form since it was read; both versions are shown side by side, none is lost."""

    code = "capture.form_changed"


class ReasonMissing(Refusal):
    """A saved value is changed, or a form voided, without saying why."""

    code = "capture.reason_missing"


class EntryNotReadable(Refusal):
    """A text that cannot be a value of its item."""

    code = "capture.entry_not_readable"


class NothingEntered(Refusal):
    """The save changes nothing."""

    code = "capture.nothing_entered"


class DateNotPossible(Refusal):
    """A visit in the future, or before the participant was screened."""

    code = "capture.date_not_possible"


class StudyIsFrozen(Refusal):
    """Data entry has ended; only queries of the blind review are answered."""

    code = "capture.study_frozen"


class NotComplete(Refusal):
    """Something is still open: required items, forms or queries."""

    code = "capture.not_complete"


class NotWhatWasShown(Refusal):
    """The data changed between showing and signing."""

    code = "capture.not_what_was_shown"


class AlreadyVoid(Refusal):
    """There is nothing to void, verify or sign."""

    code = "capture.nothing_there"


@dataclass(frozen=True, kw_only=True)
class RecordVisit(Command):
    """Record that a visit took place on a local date, planned or ``unscheduled_<n>``. By site staff.

    A fact: never refused for being early, late or after withdrawal; those open a deviation.
    Refused: unknown visit, a date in the future or before screening.
    """

    PERMISSION: ClassVar[Permission] = may(*ASSESSORS)
    participant: str
    encounter: str
    date: str


@dataclass(frozen=True, kw_only=True)
class RecordMissedVisit(Command):
    """Record that a planned visit will not take place any more. By site staff. Refused: unknown, or it was held."""

    PERMISSION: ClassVar[Permission] = may(*SITE_STAFF)
    participant: str
    encounter: str


@dataclass(frozen=True, kw_only=True)
class SaveForm(Command):
    """Save what changed on a form: one command, one transaction, one event. By the roles the form names.

    Refused: another role, a visit without date, somebody saved in between, a changed value without reason,
    an entry that cannot be read, a frozen study. Unusual values are not refused: checks ask.
    """

    PERMISSION: ClassVar[Permission] = may(
        *ASSESSORS, Role.PARTICIPANT, Role.CELL_LABORATORY, Role.QUALIFIED_PERSON, treats=True
    )
    participant: str
    encounter: str
    form: str
    items: Mapping[str, Entered] = field(default_factory=dict)
    read_version: int
    """:attr:`FormRecord.saves` when the form was read."""
    repeat: int = 1


@dataclass(frozen=True, kw_only=True)
class SaveClosedForm(SaveForm):
    """Like :class:`SaveForm`, for a form of the closed space; only in a process that holds it."""

    PERMISSION: ClassVar[Permission] = may(
        Role.INJECTING_PHYSICIAN,
        Role.CELL_LABORATORY,
        Role.QUALIFIED_PERSON,
        Role.PHARMACIST,
        space=Space.CLOSED,
        treats=True,
    )


@dataclass(frozen=True, kw_only=True)
class MarkFormNotDone(Command):
    """Mark a whole form as not done or intentionally left blank, with a reason. By the roles the form names.

    Refused: values were saved (void it instead), no reason.
    """

    PERMISSION: ClassVar[Permission] = may(*ASSESSORS, Role.PARTICIPANT)
    participant: str
    encounter: str
    form: str
    how: str = "not_done"
    repeat: int = 1


@dataclass(frozen=True, kw_only=True)
class VoidForm(Command):
    """Void a form entered for the wrong participant or visit, with a reason. By the roles the form names.

    Refused: nothing there, no reason.
    """

    PERMISSION: ClassVar[Permission] = may(*ASSESSORS)
    participant: str
    encounter: str
    form: str
    repeat: int = 1


@dataclass(frozen=True, kw_only=True)
class VerifyItems(Command):
    """Say that items were compared with their source. By a monitor. Refused: items without a value."""

    PERMISSION: ClassVar[Permission] = may(Role.MONITOR, Role.UNBLINDED_MONITOR)
    participant: str
    encounter: str
    form: str
    items: tuple[str, ...]
    repeat: int = 1


@dataclass(frozen=True, kw_only=True)
class SignForm(Command):
    """Sign a form over the hash of what was shown. By the role the form names.

    Refused: incomplete, open queries, not what was shown.
    """

    PERMISSION: ClassVar[Permission] = may(*ASSESSORS, signs="sign_form")
    participant: str
    encounter: str
    form: str
    repeat: int = 1


@dataclass(frozen=True, kw_only=True)
class SignCaseBook(Command):
    """Sign a participant's whole case book. By the investigator.

    Refused: a form incomplete or unsigned, a query unsettled, not what was shown.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, signs="sign_case_book")
    participant: str


def record_visit(command: RecordVisit, state: State, context: Context) -> Iterable[Event]:
    enrolment = _participant(command.participant, state)
    casebook = state.of(CaseBook, command.participant)
    unscheduled = command.encounter.startswith("unscheduled_")
    if not unscheduled:
        _encounter(command.encounter, context.build)
    day = _day(command.date)
    if command.date > context.today or command.date < enrolment.screened_on:
        raise DateNotPossible(
            f"{command.date} is {'in the future' if command.date > context.today else 'before screening'}",
            remedy="give the date on which the visit took place",
            date=command.date,
        )
    if casebook.held.get(command.encounter) not in (None, command.date):
        _need_reason(context, f"the date of {command.encounter}")
    days_out = 0
    if not unscheduled:
        happened = {name: date.fromisoformat(held) for name, held in casebook.held.items()} | {command.encounter: day}
        (found,) = [e for e in expectations(context.build.plan(), {}, happened) if e.encounter == command.encounter]
        days_out = found.days_out if found.status is Status.DONE_OUT_OF_WINDOW else 0
    flags = _visit_flags(days_out, state.of(Consent, command.participant), enrolment, command.date)
    yield EncounterHeld(
        participant=command.participant,
        encounter=command.encounter,
        date=command.date,
        unscheduled=unscheduled,
        days_out=days_out,
        flags=flags,
    )
    for flag in flags:
        about = f"{command.encounter} on {command.date}" + (f", {days_out:+d} days" if flag == "visit_window" else "")
        yield _deviation(command.participant, flag, command.encounter, about)


def record_missed_visit(command: RecordMissedVisit, state: State, context: Context) -> Iterable[Event]:
    _participant(command.participant, state)
    _encounter(command.encounter, context.build)
    casebook = state.of(CaseBook, command.participant)
    if command.encounter in casebook.held or command.encounter in casebook.missed:
        raise AlreadyVoid(
            f"{command.encounter} is already recorded",
            remedy="correct the visit instead",
            encounter=command.encounter,
        )
    yield EncounterMissed(participant=command.participant, encounter=command.encounter)
    yield _deviation(
        command.participant, "missed_visit", command.encounter, f"{command.encounter} did not take place"
    )


def save_form(command: SaveForm, state: State, context: Context) -> Iterable[Event]:
    compiled, key, casebook = _form_for_entry(command, state, context)
    record = casebook.peek(key)
    if record.saves != command.read_version:
        raise FormChanged(
            f"{command.form} was saved in between (version {record.saves}, you read {command.read_version})",
            remedy="compare both versions and save again",
            form=command.form,
            version=record.saves,
        )
    changes = _changes(compiled, command.items, record)
    if not changes and record.submitted and record.status == "saved":
        raise NothingEntered("nothing was changed", remedy="change a value, or leave the form", form=command.form)
    if record.submitted and any(name in record.values for name in changes):
        _need_reason(context, f"a value of {command.form}")
    live = record.values if record.status == "saved" else {}
    outcome = Saving(context.build, casebook, key, {**live, **changes}).outcome()
    raised, resolved = _asked(command, outcome, state, {*changes, *outcome.derived})
    flags = _form_flags(state, command.participant)
    event = ClosedFormSaved if isinstance(command, SaveClosedForm) else FormSaved
    yield event(
        participant=command.participant,
        encounter=command.encounter,
        form=command.form,
        repeat=command.repeat,
        items={name: entered(value) for name, value in changes.items()},
        derived={name: entered(value) for name, value in outcome.derived.items() if name not in changes},
        raised=raised,
        resolved=resolved,
        complete=outcome.complete,
        flags=flags,
    )
    for flag in flags:
        about = f"{command.form} at {command.encounter} was entered without consent in force"
        yield _deviation(command.participant, flag, f"{command.encounter}.{command.form}.{command.repeat}", about)


def mark_form_not_done(command: MarkFormNotDone, state: State, context: Context) -> Iterable[Event]:
    _, key, casebook = _form_for_entry(command, state, context)
    if command.how not in ("not_done", "intentionally_blank"):
        raise EntryNotReadable(
            f"{command.how!r} is not a way to leave a form",
            remedy="use not_done or intentionally_blank",
            how=command.how,
        )
    if casebook.peek(key).status == "saved":
        raise AlreadyVoid("values were saved on this form", remedy="void it first", form=command.form)
    _need_reason(context, f"leaving {command.form} out")
    yield FormMarkedNotDone(
        participant=command.participant,
        encounter=command.encounter,
        form=command.form,
        repeat=command.repeat,
        how=command.how,
    )


def void_form(command: VoidForm, state: State, context: Context) -> Iterable[Event]:
    _, key, casebook = _form_for_entry(command, state, context)
    if casebook.peek(key).status in ("empty", "voided"):
        raise AlreadyVoid(f"{command.form} has no values to void", remedy="nothing to do", form=command.form)
    _need_reason(context, f"voiding {command.form}")
    queries = state.of(Queries, command.participant).of_form(*key)
    yield FormVoided(
        participant=command.participant,
        encounter=command.encounter,
        form=command.form,
        repeat=command.repeat,
        resolved=tuple(name for name, query in queries.items() if query.status != "closed"),
    )


def verify_items(command: VerifyItems, state: State, context: Context) -> Iterable[Event]:
    _participant(command.participant, state)
    record = state.of(CaseBook, command.participant).peek((command.encounter, command.form, command.repeat))
    absent = [item for item in command.items if item not in record.values]
    if absent or not command.items:
        raise AlreadyVoid(
            f"no value to verify in {', '.join(absent) or command.form}",
            remedy="choose filled items",
            form=command.form,
        )
    yield ItemsVerified(
        participant=command.participant,
        encounter=command.encounter,
        form=command.form,
        repeat=command.repeat,
        items=command.items,
    )


def sign_form(command: SignForm, state: State, context: Context) -> Iterable[Event]:
    _participant(command.participant, state)
    form = _form(command.form, context.build).form
    if form.signed_by is not context.actor.role:
        signer = form.signed_by.value if form.signed_by else "nobody"
        raise FormNotYours(f"{command.form} is signed by {signer}", remedy="ask that role to sign", form=command.form)
    key = (command.encounter, command.form, command.repeat)
    record = state.of(CaseBook, command.participant).peek(key)
    if record.status in ("empty", "voided") or not record.complete:
        raise NotComplete(f"{command.form} is not complete", remedy="fill or explain every item", form=command.form)
    queries = state.of(Queries, command.participant).of_form(*key)
    waiting = [name for name, query in queries.items() if query.status == "open"]
    if waiting:
        raise NotComplete(
            f"{len(waiting)} queries are open on {command.form}", remedy="answer them", query=waiting[0]
        )
    shown = _as_shown(context, shown_form(command.participant, key, record))
    yield FormSigned(
        participant=command.participant,
        encounter=command.encounter,
        form=command.form,
        repeat=command.repeat,
        shown=shown,
    )


def sign_case_book(command: SignCaseBook, state: State, context: Context) -> Iterable[Event]:
    _participant(command.participant, state)
    casebook = state.of(CaseBook, command.participant)
    for (encounter, form, _), record in casebook.live():
        needs = _form(form, context.build).form.signed_by
        if not record.complete or (needs is not None and not record.signed and record.status == "saved"):
            raise NotComplete(
                f"{form} at {encounter} is {'not signed' if record.complete else 'not complete'}",
                remedy="complete and sign every form first",
                form=form,
            )
    unsettled = state.of(Queries, command.participant).unsettled()
    if unsettled:
        raise NotComplete(f"{len(unsettled)} queries are not settled", remedy="settle them first", query=unsettled[0])
    shown = _as_shown(context, shown_case_book(command.participant, casebook))
    yield CaseBookSigned(participant=command.participant, shown=shown)


# --- what several decisions need ----------------------------------------------------------------------------


def _participant(participant: str, state: State) -> Enrolment:
    enrolment = state.of(Enrolment, participant)
    if not enrolment.exists:
        raise NotFound(f"there is no participant {participant}", remedy="check the code", participant=participant)
    return enrolment


def _encounter(encounter: str, build: Build) -> None:
    if encounter not in build.study.encounters:
        raise NotFound(f"the study has no visit {encounter!r}", remedy="use a visit of the schedule", given=encounter)


def _form(form: str, build: Build) -> CompiledForm:
    if form not in build.forms:
        raise NotFound(f"the study has no form {form!r}", remedy="use a form of the build in force", given=form)
    return build.forms[form]


def _form_for_entry(
    command: SaveForm | MarkFormNotDone | VoidForm, state: State, context: Context
) -> tuple[CompiledForm, FormKey, CaseBook]:
    _participant(command.participant, state)
    compiled = _form(command.form, context.build)
    closed = compiled.form.space == "closed"
    if closed is not isinstance(command, SaveClosedForm) and isinstance(command, SaveForm):
        raise FormNotYours(
            f"{command.form} belongs to the {compiled.form.space} space",
            remedy="use the command of that space",
            form=command.form,
        )
    if context.actor.role not in compiled.form.filled_by:
        fillers = ", ".join(role.value for role in compiled.form.filled_by)
        raise FormNotYours(f"{command.form} is filled by {fillers}", remedy="ask one of them", form=command.form)
    if state.of(StudySetup).frozen:
        raise StudyIsFrozen("data entry has ended", remedy="the study is unlocked by two people", form=command.form)
    casebook = state.of(CaseBook, command.participant)
    if not _has_place(command.encounter, command.form, context.build):
        raise NotFound(
            f"{command.form} is not filled at {command.encounter}",
            remedy="use the visit it is planned at, the log, or an unscheduled visit",
            form=command.form,
        )
    if command.encounter != LOG and command.encounter not in casebook.held:
        raise VisitNotRecorded(
            f"{command.encounter} has no date yet",
            remedy="record the visit with its date first",
            encounter=command.encounter,
        )
    if command.repeat < 1 or (command.repeat > 1 and not compiled.form.repeats):
        raise NotFound(f"{command.form} does not repeat", remedy="use repeat 1", form=command.form)
    return compiled, (command.encounter, command.form, command.repeat), casebook


def _has_place(encounter: str, form: str, build: Build) -> bool:
    schedule = build.study.schedule
    if encounter == LOG:
        return form in schedule.log_forms
    if encounter.startswith("unscheduled_"):
        return form in schedule.unscheduled_forms
    planned = build.study.encounters.get(encounter)
    return planned is not None and form in planned.forms


def _changes(compiled: CompiledForm, items: Mapping[str, Entered], record: FormRecord) -> dict[str, ItemValue]:
    changes = {}
    live = record.values if record.status == "saved" else {}
    for name, given in items.items():
        base, _, row = name.partition(".")
        known = compiled.items.get(base)
        if known is None or known.derive is not None or (row and not (known.repeats and row.isdigit())):
            raise NotFound(
                f"{compiled.form.id} has no item {name!r} to enter",
                remedy="use the form's items; computed items are not entered",
                item=name,
            )
        value = _read(compiled, base, given)
        if live.get(name) != value:
            changes[name] = value
    return changes


def _read(compiled: CompiledForm, item: str, given: Entered) -> ItemValue:
    field_ = compiled.items[item].field
    try:
        if given.outcome is not None:
            return outcome_value(field_, given.outcome)
        if given.missing is not None:
            return missing_value(field_, _reason(given.missing))
        return parse_item_value(field_, given.text or "", given.unit)
    except InvalidValue as error:
        raise EntryNotReadable(error.message, remedy=error.remedy, item=f"{compiled.form.id}.{item}") from error


def _reason(text: str) -> MissingReason:
    try:
        return MissingReason(text)
    except ValueError:
        raise InvalidValue(
            f"{text!r} is not a missing reason", remedy=f"use one of {', '.join(r.value for r in MissingReason)}"
        ) from None


def _asked(
    command: SaveForm, outcome: Outcome, state: State, changed: set[str]
) -> tuple[tuple[RaisedQuery, ...], tuple[str, ...]]:
    """Queries to raise, and automatic queries that no longer ask."""
    prefix = f"{command.encounter}.{command.form}.{command.repeat}."
    known = state.of(Queries, command.participant).of_form(command.encounter, command.form, command.repeat)
    findings: dict[str, Finding] = {prefix + finding.check: finding for finding in outcome.findings}
    raised = []
    for name, finding in findings.items():
        query = known.get(name)
        # Confirmed by the site with the value unchanged: it asks again only when the value changes again.
        if query is None or query.status == "closed" or (query.status == "confirmed" and finding.item in changed):
            raised.append(RaisedQuery(query=name, item=finding.item, check=finding.check, message=finding.message))
    resolved = tuple(
        name
        for name, query in known.items()
        if query.by_check is not None and query.status != "closed" and name not in findings
    )
    return tuple(raised), resolved


def _visit_flags(days_out: int, consent: Consent, enrolment: Enrolment, day: str) -> tuple[str, ...]:
    flags = []
    if days_out:
        flags.append("visit_window")
    if "visits" in consent.withdrawn or (enrolment.ended_on and day > enrolment.ended_on):
        flags.append("after_withdrawal")
    return tuple(flags)


def _form_flags(state: State, participant: str) -> tuple[str, ...]:
    return () if state.of(Consent, participant).version else ("without_consent",)


def _deviation(participant: str, kind: str, what: str, about: str) -> DeviationOpened:
    return DeviationOpened(participant=participant, deviation=f"{kind}.{what}", kind=kind, about=about)


def _need_reason(context: Context, what: str) -> None:
    if not (context.reason or "").strip():
        raise ReasonMissing(f"{what} is changed without a reason", remedy="say why in a few words")


def _as_shown(context: Context, now: str) -> str:
    assert context.signature is not None  # the permission demands it
    if context.signature.shown != now:
        raise NotWhatWasShown(
            "the data changed after they were shown", remedy="look at them again, then sign", shown=now
        )
    return now


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DateNotPossible(f"{text!r} is not a date", remedy="give it as YYYY-MM-DD", date=text) from None


DECISIONS: Mapping[type[Command], Decide] = {
    RecordVisit: record_visit,
    RecordMissedVisit: record_missed_visit,
    SaveForm: save_form,
    SaveClosedForm: save_form,
    MarkFormNotDone: mark_form_not_done,
    VoidForm: void_form,
    VerifyItems: verify_items,
    SignForm: sign_form,
    SignCaseBook: sign_case_book,
}
