"""Record visits; save, void, verify and sign forms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
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
    ChecksRepeated,
    ClosedFormMarkedNotDone,
    ClosedFormSaved,
    ClosedFormSigned,
    ClosedFormVoided,
    ClosedItemsVerified,
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
from trialwright.trial.capture.saving import Finding, Saving, split_row
from trialwright.trial.capture.shown import shown_case_book, shown_form
from trialwright.trial.capture.state import (
    LOG,
    CaseBook,
    ClosedCaseBook,
    FormKey,
    FormRecord,
    Values,
    entered,
    left_out,
)
from trialwright.trial.closure.state import ClosedDeviations, Deviations
from trialwright.trial.command import Command, Context, Decide, NotFound, Permission, may
from trialwright.trial.consent.state import Consent
from trialwright.trial.enrolment.state import Enrolment
from trialwright.trial.event import Event, Space
from trialwright.trial.queries.state import ClosedQueries, Queries, Query
from trialwright.trial.setup.state import StudySetup
from trialwright.trial.state import State

LEFT_OUT = ("not_done", "intentionally_blank")
SOURCES = ("paper", "device", "ehr", "direct")
"""Where a value may have been seen first; what an item declares is meant where a save says nothing."""
_UNSCHEDULED = re.compile(r"unscheduled_[1-9][0-9]{0,3}\Z", re.ASCII)
_ROW = re.compile(r"[a-z][a-z0-9_]*\.([2-9]|[1-9][0-9]{1,2})\Z", re.ASCII)
"""An item in the second or a later row of a repeating group."""

SITE_STAFF = (Role.INVESTIGATOR, Role.STUDY_NURSE)
ASSESSORS = (*SITE_STAFF, Role.BLINDED_RATER, Role.INJECTING_PHYSICIAN, Role.PHARMACIST, Role.CENTRAL_READER)
CLOSED_FILLERS = (Role.INJECTING_PHYSICIAN, Role.CELL_LABORATORY, Role.QUALIFIED_PERSON, Role.PHARMACIST)
"""Who may be asked to fill a form of the closed space; the form says which of them."""


class FormNotYours(Refusal):
    """The form is filled or signed by other roles."""

    code = "capture.form_not_yours"


class VisitNotRecorded(Refusal):
    """The visit has no date yet, so nothing can have been seen at it."""

    code = "capture.visit_not_recorded"


class FormChanged(Refusal):
    """Somebody saved the form since it was read: the caller shows both versions side by side, none is lost."""

    code = "capture.form_changed"


class ReasonMissing(Refusal):
    """A saved value is changed, or a form voided, without saying why."""

    code = "capture.reason_missing"


class EntryNotReadable(Refusal):
    """A text that cannot be a value of its item."""

    code = "capture.entry_not_readable"


class NothingEntered(Refusal):
    """The save, or the visit's date, changes nothing."""

    code = "capture.nothing_entered"


class DateNotPossible(Refusal):
    """No date, or a visit in the future, or before the participant was screened."""

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


class NothingThere(Refusal):
    """There is nothing to void or verify."""

    code = "capture.nothing_there"


class AlreadyRecorded(Refusal):
    """The visit took place or was recorded as missed; or the form that is to be left out has values."""

    code = "capture.already_recorded"


@dataclass(frozen=True, kw_only=True)
class RecordVisit(Command):
    """Record that a visit took place on a local date, planned or ``unscheduled_<n>``. By site staff.

    A fact: never refused for being early, late or after withdrawal; those open a deviation.
    Refused: unknown visit, a date in the future or before screening, another date than before without a reason,
    the same date again, a frozen study.
    """

    PERMISSION: ClassVar[Permission] = may(*ASSESSORS)
    participant: str
    encounter: str
    date: str


@dataclass(frozen=True, kw_only=True)
class RecordMissedVisit(Command):
    """Record that a planned visit will not take place any more, with the reason. By site staff.

    Refused: unknown visit, it was held or recorded as missed, no reason, a frozen study.
    """

    PERMISSION: ClassVar[Permission] = may(*SITE_STAFF)
    participant: str
    encounter: str


@dataclass(frozen=True, kw_only=True)
class SaveForm(Command):
    """Save what changed on a form: one command, one transaction, one event. By the roles the form names.

    Refused: another role, a form that has no place there, a visit without date, somebody saved in between, nothing
    changed, a changed value (or a form first left out) without reason, an entry that cannot be read, a frozen
    study. Unusual values are not refused: checks ask.
    """

    PERMISSION: ClassVar[Permission] = may(
        *ASSESSORS, Role.PARTICIPANT, Role.CELL_LABORATORY, Role.QUALIFIED_PERSON, treats=True
    )
    participant: str
    encounter: str
    form: str
    items: Mapping[str, Entered] = field(default_factory=dict)
    """What changed; the second row of a repeating group is ``item.2``."""
    read_version: int
    """:attr:`FormRecord.saves` when the form was read."""
    repeat: int = 1


@dataclass(frozen=True, kw_only=True)
class SaveClosedForm(SaveForm):
    """Like :class:`SaveForm`, for a form of the closed space, by the unblinded roles it names.

    Refused as there; and in a process that does not hold the closed space.
    """

    PERMISSION: ClassVar[Permission] = may(*CLOSED_FILLERS, space=Space.CLOSED, treats=True)


@dataclass(frozen=True, kw_only=True)
class ImportItems(SaveForm):
    """Add what somebody outside the sites measured, from a file. By the data manager, to forms of a central reader.

    Refused as there; and for any other form, for values that are on record (the site, or the reader, corrects
    theirs), and for a form that was left out.
    """

    PERMISSION: ClassVar[Permission] = may(Role.DATA_MANAGER)


@dataclass(frozen=True, kw_only=True)
class MarkFormNotDone(Command):
    """Mark a whole form as not done or intentionally left blank, with a reason. By the roles the form names.

    Refused: values were saved (void it instead), no reason, a form of the closed space, a frozen study.
    """

    PERMISSION: ClassVar[Permission] = may(
        *ASSESSORS, Role.PARTICIPANT, Role.CELL_LABORATORY, Role.QUALIFIED_PERSON, treats=True
    )
    participant: str
    encounter: str
    form: str
    how: str = "not_done"
    repeat: int = 1


@dataclass(frozen=True, kw_only=True)
class MarkClosedFormNotDone(MarkFormNotDone):
    """Like :class:`MarkFormNotDone`, for a form of the closed space. By the unblinded roles it names.

    Refused as there, with a form of the open space; and in a process that does not hold the closed space.
    """

    PERMISSION: ClassVar[Permission] = may(*CLOSED_FILLERS, space=Space.CLOSED, treats=True)


@dataclass(frozen=True, kw_only=True)
class VoidForm(Command):
    """Void a form entered for the wrong participant or visit, with a reason. By the roles the form names.

    Refused: nothing there, no reason, a form of the closed space, a frozen study.
    """

    PERMISSION: ClassVar[Permission] = may(*ASSESSORS, Role.CELL_LABORATORY, Role.QUALIFIED_PERSON)
    participant: str
    encounter: str
    form: str
    repeat: int = 1


@dataclass(frozen=True, kw_only=True)
class VoidClosedForm(VoidForm):
    """Like :class:`VoidForm`, for a form of the closed space. By the unblinded roles it names.

    Refused as there, with a form of the open space; and in a process that does not hold the closed space.
    """

    PERMISSION: ClassVar[Permission] = may(*CLOSED_FILLERS, space=Space.CLOSED)


@dataclass(frozen=True, kw_only=True)
class VerifyItems(Command):
    """Say that items were compared with their source. By a monitor.

    Refused: items without a value, a form of the closed space.
    """

    PERMISSION: ClassVar[Permission] = may(Role.MONITOR, Role.UNBLINDED_MONITOR)
    participant: str
    encounter: str
    form: str
    items: tuple[str, ...]
    repeat: int = 1


@dataclass(frozen=True, kw_only=True)
class VerifyClosedItems(VerifyItems):
    """Like :class:`VerifyItems`, for a form of the closed space. By the unblinded monitor.

    Refused: items without a value, a form of the open space; and in a process without the closed space.
    """

    PERMISSION: ClassVar[Permission] = may(Role.UNBLINDED_MONITOR, space=Space.CLOSED)


@dataclass(frozen=True, kw_only=True)
class SignForm(Command):
    """Sign a form over the hash of what was shown. By the role the form names.

    Refused: another role, a form of the closed space, incomplete, open queries, not what was shown.
    """

    PERMISSION: ClassVar[Permission] = may(*ASSESSORS, signs="sign_form")
    participant: str
    encounter: str
    form: str
    repeat: int = 1


@dataclass(frozen=True, kw_only=True)
class SignClosedForm(SignForm):
    """Like :class:`SignForm`, for a form of the closed space. By the unblinded role it names.

    Refused as there, with a form of the open space; and in a process that does not hold the closed space.
    """

    PERMISSION: ClassVar[Permission] = may(*CLOSED_FILLERS, space=Space.CLOSED, signs="sign_form")


@dataclass(frozen=True, kw_only=True)
class SignCaseBook(Command):
    """Sign a participant's whole case book. By the investigator.

    Refused: a form of a visit not filled, incomplete or unsigned, a query unsettled, not what was shown.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, signs="sign_case_book")
    participant: str


def record_visit(command: RecordVisit, state: State, context: Context) -> Iterable[Event]:
    enrolment = _participant(command.participant, state)
    _need_entry(state, command.encounter)
    casebook = state.of(CaseBook, command.participant)
    unscheduled = _UNSCHEDULED.match(command.encounter) is not None
    if not unscheduled:
        _encounter(command.encounter, context.build)
    day = _day_of_visit(command.date, enrolment, context)
    before = casebook.held.get(command.encounter)
    if before == day.isoformat():
        raise NothingEntered(f"{command.encounter} is recorded on {before}", remedy="give another date", date=before)
    if before is not None:
        _need_reason(context, f"the date of {command.encounter}")
    days_out = 0 if unscheduled else _days_out(command.encounter, day, casebook, context.build)
    flags = _visit_flags(days_out, state.of(Consent, command.participant), enrolment, day.isoformat())
    yield EncounterHeld(
        participant=command.participant,
        encounter=command.encounter,
        date=day.isoformat(),
        unscheduled=unscheduled,
        days_out=days_out,
        flags=flags,
    )
    deviations = state.of(Deviations, command.participant)
    for flag in flags:
        about = f"{command.encounter} on {day}" + (f", {days_out:+d} days" if flag == "visit_window" else "")
        yield deviations.open(command.participant, flag, command.encounter, about)


def record_missed_visit(command: RecordMissedVisit, state: State, context: Context) -> Iterable[Event]:
    _participant(command.participant, state)
    _need_entry(state, command.encounter)
    _encounter(command.encounter, context.build)
    casebook = state.of(CaseBook, command.participant)
    if command.encounter in casebook.held or command.encounter in casebook.missed:
        raise AlreadyRecorded(
            f"{command.encounter} is already recorded",
            remedy="correct the visit instead",
            encounter=command.encounter,
        )
    if not (context.reason or "").strip():
        raise ReasonMissing(
            f"{command.encounter} is said not to take place, without a reason", remedy="say why in a few words"
        )
    yield EncounterMissed(participant=command.participant, encounter=command.encounter)
    about = f"{command.encounter} did not take place"
    yield state.of(Deviations, command.participant).open(
        command.participant, "missed_visit", command.encounter, about
    )


def save_form(command: SaveForm, state: State, context: Context) -> Iterable[Event]:
    closed = _is_closed(command)
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
    if not changes:
        raise NothingEntered("nothing was changed", remedy="change a value, or leave the form", form=command.form)
    corrected = any(name in record.values and name not in record.computed for name in changes)
    if record.status in LEFT_OUT or corrected:
        if isinstance(command, ImportItems):
            raise FormNotYours(
                f"{command.form} says something else already", remedy="ask with a query", form=command.form
            )
        _need_reason(context, f"what is recorded on {command.form}")
    outcome = Saving(context.build, casebook, key, {**record.values, **changes}, entered=changes).outcome()
    changed = frozenset(f"{command.form}.{name}" for name in (*changes, *outcome.derived))
    known = state.of(ClosedQueries if closed else Queries, command.participant).of_form(*key)
    raised, resolved = _asked(key, outcome.findings, known, changed)
    flags = () if state.of(Consent, command.participant).version else ("without_consent",)
    yield (ClosedFormSaved if closed else FormSaved)(
        participant=command.participant,
        encounter=command.encounter,
        form=command.form,
        repeat=command.repeat,
        items={name: entered(value, command.items[name].source) for name, value in changes.items()},
        derived={name: entered(value) for name, value in outcome.derived.items()},
        raised=raised,
        resolved=resolved,
        complete=outcome.complete,
        flags=flags,
    )
    if not closed:
        yield from _checks_elsewhere(command, key, outcome.values, changed, state, context)
    for flag in flags:
        about = f"{command.form} at {command.encounter} was entered without consent in force"
        what = f"{command.encounter}.{command.form}.{command.repeat}"
        deviations = state.of(ClosedDeviations if closed else Deviations, command.participant)
        yield deviations.open(command.participant, flag, what, about)


def mark_form_not_done(command: MarkFormNotDone, state: State, context: Context) -> Iterable[Event]:
    _, key, casebook = _form_for_entry(command, state, context)
    if command.how not in LEFT_OUT:
        raise EntryNotReadable(
            f"{command.how!r} is not a way to leave a form",
            remedy="use not_done or intentionally_blank",
            how=command.how,
        )
    if casebook.peek(key).status in ("saved", command.how):
        raise AlreadyRecorded(
            f"{command.form} is already {casebook.peek(key).status}",
            remedy="where values were saved, void them first",
            form=command.form,
        )
    _need_reason(context, f"leaving {command.form} out")
    closed = _is_closed(command)
    yield (ClosedFormMarkedNotDone if closed else FormMarkedNotDone)(
        participant=command.participant,
        encounter=command.encounter,
        form=command.form,
        repeat=command.repeat,
        how=command.how,
    )
    if not closed:
        values = left_out(context.build, command.form, command.how)
        yield from _checks_elsewhere(command, key, values, None, state, context)


def void_form(command: VoidForm, state: State, context: Context) -> Iterable[Event]:
    _, key, casebook = _form_for_entry(command, state, context)
    if casebook.peek(key).status in ("empty", "voided"):
        raise NothingThere(f"{command.form} has no values to void", remedy="nothing to do", form=command.form)
    _need_reason(context, f"voiding {command.form}")
    closed = _is_closed(command)
    queries = state.of(ClosedQueries if closed else Queries, command.participant).of_form(*key)
    yield (ClosedFormVoided if closed else FormVoided)(
        participant=command.participant,
        encounter=command.encounter,
        form=command.form,
        repeat=command.repeat,
        resolved=tuple(name for name, query in queries.items() if query.status != "closed"),
    )
    if not closed:
        yield from _checks_elsewhere(command, key, {}, None, state, context)


def verify_items(command: VerifyItems, state: State, context: Context) -> Iterable[Event]:
    _participant(command.participant, state)
    closed = _is_closed(command)
    casebook = state.of(ClosedCaseBook if closed else CaseBook, command.participant)
    record = casebook.peek((command.encounter, command.form, command.repeat))
    absent = [item for item in command.items if item not in record.values]
    if absent or not command.items:
        raise NothingThere(
            f"no value to verify in {', '.join(absent) or command.form}",
            remedy="choose filled items",
            form=command.form,
        )
    yield (ClosedItemsVerified if closed else ItemsVerified)(
        participant=command.participant,
        encounter=command.encounter,
        form=command.form,
        repeat=command.repeat,
        items=command.items,
    )


def sign_form(command: SignForm, state: State, context: Context) -> Iterable[Event]:
    _participant(command.participant, state)
    form = _form_of_the_side(command, context.build).form
    if form.signed_by is not context.actor.role:
        signer = form.signed_by.value if form.signed_by else "nobody"
        raise FormNotYours(f"{command.form} is signed by {signer}", remedy="ask that role to sign", form=command.form)
    key = (command.encounter, command.form, command.repeat)
    closed = _is_closed(command)
    record = state.of(ClosedCaseBook if closed else CaseBook, command.participant).peek(key)
    if record.status in ("empty", "voided") or not record.complete:
        raise NotComplete(f"{command.form} is not complete", remedy="fill or explain every item", form=command.form)
    queries = state.of(ClosedQueries if closed else Queries, command.participant).of_form(*key)
    waiting = [name for name, query in queries.items() if query.status == "open"]
    if waiting:
        raise NotComplete(
            f"{len(waiting)} queries are open on {command.form}", remedy="answer them", query=waiting[0]
        )
    shown = _as_shown(context, shown_form(command.participant, key, record))
    yield (ClosedFormSigned if closed else FormSigned)(
        participant=command.participant,
        encounter=command.encounter,
        form=command.form,
        repeat=command.repeat,
        shown=shown,
    )


def sign_case_book(command: SignCaseBook, state: State, context: Context) -> Iterable[Event]:
    _participant(command.participant, state)
    casebook = state.of(CaseBook, command.participant)
    for encounter, form, why in _unfinished(casebook, context):
        raise NotComplete(f"{form} at {encounter} is {why}", remedy="complete and sign every form first", form=form)
    unsettled = state.of(Queries, command.participant).unsettled()
    if unsettled:
        raise NotComplete(f"{len(unsettled)} queries are not settled", remedy="settle them first", query=unsettled[0])
    shown = _as_shown(context, shown_case_book(command.participant, casebook))
    yield CaseBookSigned(participant=command.participant, shown=shown)


# --- what several decisions need ----------------------------------------------------------------------------


def _unfinished(casebook: CaseBook, context: Context) -> Iterator[tuple[str, str, str]]:
    """(encounter, form, why) of what stands in the way of signing the case book."""
    for encounter, form, _ in casebook.unfilled(context.builds, context.build):
        yield encounter, form, "not filled"
    for (encounter, form, _), record in casebook.live():
        # A form that an amendment took away is a fact all the same; there is no one to sign it any more.
        compiled = context.build.forms.get(form)
        if compiled is not None and not record.complete:
            yield encounter, form, "not complete"
        elif compiled and compiled.form.signed_by is not None and not record.signed and record.status == "saved":
            yield encounter, form, "not signed"


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


def _need_entry(state: State, what: str) -> None:
    if state.of(StudySetup).frozen:
        raise StudyIsFrozen("data entry has ended", remedy="the study is unlocked by two people", about=what)


def _is_closed(command: Command) -> bool:
    """Whether the act is one of the closed space, on a form of the closed space."""
    return command.PERMISSION.space is Space.CLOSED


def _form_of_the_side(command: SaveForm | MarkFormNotDone | VoidForm | SignForm, build: Build) -> CompiledForm:
    """The form, if it belongs to the space of the act."""
    compiled = _form(command.form, build)
    if _is_closed(command) is not (compiled.form.space == "closed"):
        raise FormNotYours(
            f"{command.form} belongs to the {compiled.form.space} space",
            remedy="forms of the closed space, and those alone, have commands of their own, as SaveClosedForm",
            form=command.form,
        )
    return compiled


def _form_for_entry(
    command: SaveForm | MarkFormNotDone | VoidForm, state: State, context: Context
) -> tuple[CompiledForm, FormKey, CaseBook]:
    """The form, where it stands and the book it is written in, if this person may write it now."""
    _participant(command.participant, state)
    compiled = _form_of_the_side(command, context.build)
    # What a central reader measured may come in a file, by the hand of the data manager.
    hand = Role.CENTRAL_READER if isinstance(command, ImportItems) else context.actor.role
    if hand not in compiled.form.filled_by:
        fillers = ", ".join(role.value for role in compiled.form.filled_by)
        raise FormNotYours(f"{command.form} is filled by {fillers}", remedy="ask one of them", form=command.form)
    _need_entry(state, command.form)
    casebook = state.of(CaseBook, command.participant)
    if _is_closed(command):
        casebook = state.of(ClosedCaseBook, command.participant).beside(casebook)
    _need_place(command, compiled, casebook, context.build)
    return compiled, (command.encounter, command.form, command.repeat), casebook


def _need_place(
    command: SaveForm | MarkFormNotDone | VoidForm, compiled: CompiledForm, casebook: CaseBook, build: Build
) -> None:
    # Where an amendment took the form from the visit, what stands there can still be corrected.
    stands = (command.encounter, command.form, command.repeat) in casebook.forms
    if not stands and not has_place(command.encounter, command.form, build):
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
    if command.repeat > 1 and (command.encounter, command.form, command.repeat - 1) not in casebook.forms:
        raise NotFound(
            f"{command.form} has no number {command.repeat - 1} yet",
            remedy="number repeats without gaps",
            form=command.form,
        )


def has_place(encounter: str, form: str, build: Build) -> bool:
    schedule = build.study.schedule
    if encounter == LOG:
        return form in schedule.log_forms
    if _UNSCHEDULED.match(encounter):
        return form in schedule.unscheduled_forms
    planned = build.study.encounters.get(encounter)
    return planned is not None and form in planned.forms


def _changes(compiled: CompiledForm, items: Mapping[str, Entered], record: FormRecord) -> dict[str, ItemValue]:
    changes = {}
    for name, given in items.items():
        item = split_row(name)[0] if _ROW.match(name) else name
        known = compiled.items.get(item)
        if known is None or known.derive is not None or (item != name and not known.repeats):
            raise NotFound(
                f"{compiled.form.id} has no item {name[:60]!r} to enter",
                remedy="use the form's items; computed items are not entered, rows are numbered from item.2 on",
                item=name[:60],
            )
        value = _read(compiled, item, given)
        # Somebody who says that a value came from elsewhere corrects it, too.
        if record.values.get(name) != value or record.sources.get(name) != given.source:
            changes[name] = value
    return changes


def _read(compiled: CompiledForm, item: str, given: Entered) -> ItemValue:
    field_ = compiled.items[item].field
    try:
        _check_source(given.source, field_.item.origin)
        if (given.text is None) + (given.outcome is None) + (given.missing is None) < 2:
            raise InvalidValue("more than one of value, outcome and missing reason", remedy="give one of them")
        if given.outcome is not None:
            return outcome_value(field_, given.outcome)
        if given.missing is not None:
            return missing_value(field_, _reason(given.missing))
        return parse_item_value(field_, given.text or "", given.unit)
    except InvalidValue as error:
        raise EntryNotReadable(error.message, remedy=error.remedy, item=f"{compiled.form.id}.{item}") from error


def _check_source(source: str | None, declared: str) -> None:
    allowed = [known for known in SOURCES if known != declared]
    if source is not None and source not in allowed:
        raise InvalidValue(
            f"{source[:40]!r} is no source that differs from the declared one ({declared})",
            remedy=f"use one of {', '.join(allowed)}, or none where it is as declared",
        )


def _reason(text: str) -> MissingReason:
    try:
        return MissingReason(text)
    except ValueError:
        raise InvalidValue(
            f"{text[:40]!r} is not a missing reason", remedy=f"use one of {', '.join(r.value for r in MissingReason)}"
        ) from None


def _asked(
    key: FormKey, findings: Iterable[Finding], known: Mapping[str, Query], changed: frozenset[str] | None
) -> tuple[tuple[RaisedQuery, ...], tuple[str, ...]]:
    """Queries to raise, and queries of checks that no longer ask.

    Args:
        key: the form.
        findings: what its checks ask now.
        known: the queries on the form that these checks may have raised.
        changed: ``form.item`` of what changed; None for the whole of a form.
    """
    asking = {_query_name(key, finding.check): finding for finding in findings}
    raised = tuple(
        RaisedQuery(query=name, item=finding.item, check=finding.check, message=finding.message)
        for name, finding in asking.items()
        if name not in known
        or known[name].asks_again(finding.message, changed is None or not changed.isdisjoint(finding.reads))
    )
    resolved = tuple(
        name
        for name, query in known.items()
        if query.is_automatic and query.status != "closed" and name not in asking
    )
    return raised, resolved


def _checks_elsewhere(
    command: SaveForm | MarkFormNotDone | VoidForm,
    key: FormKey,
    values: Values,
    changed: frozenset[str] | None,
    state: State,
    context: Context,
) -> Iterator[ChecksRepeated]:
    """The checks of other forms that read this one, asked again."""
    readers = context.build.forms_reading[key[1]]
    casebook = state.of(CaseBook, command.participant)
    for other, record in casebook.live():
        if other == key or other[1] not in readers or record.status != "saved":
            continue
        saving = Saving(context.build, casebook, other, record.values, standing={key: values})
        findings, checks = saving.checks_reading(key[1])
        names = {_query_name(other, check) for check in checks}
        queries = state.of(Queries, command.participant).of_form(*other)
        known = {name: query for name, query in queries.items() if name in names}
        raised, resolved = _asked(other, findings, known, changed)
        if raised or resolved:
            encounter, form, repeat = other
            yield ChecksRepeated(
                participant=command.participant,
                encounter=encounter,
                form=form,
                repeat=repeat,
                raised=raised,
                resolved=resolved,
            )


def _query_name(key: FormKey, check: str) -> str:
    encounter, form, repeat = key
    return f"{encounter}.{form}.{repeat}.{check}"


def _days_out(encounter: str, day: date, casebook: CaseBook, build: Build) -> int:
    happened = {name: date.fromisoformat(held) for name, held in casebook.held.items()} | {encounter: day}
    (found,) = (e for e in expectations(build.plan(), {}, happened) if e.encounter == encounter)
    return found.days_out if found.status is Status.DONE_OUT_OF_WINDOW else 0


def _visit_flags(days_out: int, consent: Consent, enrolment: Enrolment, day: str) -> tuple[str, ...]:
    flags = []
    if days_out:
        flags.append("visit_window")
    withdrawn = consent.withdrawn.get("visits")
    # Whether it was before or after on the very day of a withdrawal, somebody has to judge.
    if (withdrawn is not None and day >= withdrawn) or (enrolment.ended_on and day > enrolment.ended_on):
        flags.append("after_withdrawal")
    return tuple(flags)


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


def _day_of_visit(text: str, enrolment: Enrolment, context: Context) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise DateNotPossible(
            f"{text[:40]!r} is not a date", remedy="give it as YYYY-MM-DD", date=text[:40]
        ) from None
    for wrong, why in (
        (day.isoformat() > context.today, "in the future"),
        (day.isoformat() < enrolment.screened_on, "before screening"),
    ):
        if wrong:
            raise DateNotPossible(
                f"{day} is {why}", remedy="give the date on which the visit took place", date=day.isoformat()
            )
    return day


DECISIONS: Mapping[type[Command], Decide] = {
    RecordVisit: record_visit,
    RecordMissedVisit: record_missed_visit,
    SaveForm: save_form,
    SaveClosedForm: save_form,
    ImportItems: save_form,
    MarkFormNotDone: mark_form_not_done,
    MarkClosedFormNotDone: mark_form_not_done,
    VoidForm: void_form,
    VoidClosedForm: void_form,
    VerifyItems: verify_items,
    VerifyClosedItems: verify_items,
    SignForm: sign_form,
    SignClosedForm: sign_form,
    SignCaseBook: sign_case_book,
}

IN_THE_CLOSED: Mapping[type[Command], type[Command]] = {
    SaveForm: SaveClosedForm,
    MarkFormNotDone: MarkClosedFormNotDone,
    VoidForm: VoidClosedForm,
    VerifyItems: VerifyClosedItems,
    SignForm: SignClosedForm,
}
"""What is done to a form, and the same to one of the closed space."""
