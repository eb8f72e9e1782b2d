"""What the site home shows: tasks by kind, figures on cards. Worked out from the open views, for today."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from trialwright.foundation.tables import Row
from trialwright.protocol.roles import Role
from trialwright.trial.capture.views import FORM
from trialwright.trial.closure.views import DEVIATION
from trialwright.trial.queries.views import QUERY
from trialwright.trial.safety.clocks import is_expedited
from trialwright.trial.safety.views import ADVERSE_EVENT, CLOCK
from trialwright.trial.tasks import FEW, CellState, Kind, MatrixRow, Task
from trialwright_web.capture.addresses import address, query_row, reachable, task_address
from trialwright_web.capture.enrolment_model import Enrolment
from trialwright_web.capture.readers import SITE_STAFF
from trialwright_web.capture.words import KINDS, criterion_words
from trialwright_web.shell.desk import Desk
from trialwright_web.shell.deviations import about_words as deviation_words
from trialwright_web.shell.query_words import query_words
from trialwright_web.shell.record_words import form_words, visit_words
from trialwright_web.shell.templatetags.shell import in_language
from trialwright_web.shell.time_left import time_left
from trialwright_web.shell.words import Words

FIRST = 8
"""Tasks of a kind that are shown at once."""
MOST = 100
"""Tasks of a kind that are listed at all; the screen where they are done lists the others."""


LONGEST = 40
"""Characters of a criterion on a card."""


@dataclass(frozen=True)
class Line:
    """One task as it stands in the list."""

    task: Task
    words: str
    address: str


@dataclass(frozen=True)
class Group:
    """Tasks of one kind, late ones first."""

    kind: Kind
    words: Words
    icon: str
    number: int
    late: int
    first: tuple[Line, ...]
    more: tuple[Line, ...]


@dataclass(frozen=True)
class Card:
    """A figure with what it means, and where to see more."""

    label: str
    figure: str
    note: str
    address: str = ""
    tone: str = ""


ASKED = frozenset({Kind.ASK_CONSENT, Kind.CONSENT_AGAIN})
"""What participants do, and staff ask them to."""


def roles_at(desk: Desk) -> frozenset[Role]:
    """Whose tasks the desk looks at: its own, and for site staff those of participants, whom they ask to consent."""
    return frozenset({desk.role, Role.PARTICIPANT} if desk.role in SITE_STAFF else {desk.role})


def of_desk(desk: Desk, found: Sequence[Task]) -> tuple[Task, ...]:
    """What the desk does; what participants do only where somebody has to ask them."""
    return tuple(task for task in found if desk.role in task.roles or task.kind in ASKED)


def groups(desk: Desk, waiting: Sequence[Task]) -> tuple[Group, ...]:
    """Tasks by kind: kinds with something late first, then in the order of a day."""
    by_kind: dict[Kind, list[Task]] = {}
    for task in waiting:
        by_kind.setdefault(task.kind, []).append(task)
    order = list(KINDS)
    found = [_group(desk, kind, tasks) for kind, tasks in by_kind.items()]
    return tuple(sorted(found, key=lambda group: (group.late == 0, order.index(group.kind))))


def _group(desk: Desk, kind: Kind, tasks: list[Task]) -> Group:
    words, icon = KINDS[kind]
    ordered = sorted(tasks, key=lambda task: not task.late)
    lines = [Line(task, about_words(desk, task), task_address(desk, task)) for task in ordered[:MOST]]
    late = sum(task.late for task in tasks)
    return Group(kind, words, icon, len(tasks), late, tuple(lines[:FIRST]), tuple(lines[FIRST:]))


def about_words(desk: Desk, task: Task) -> str:
    """What a task is about, in words."""
    build = desk.build_at(task.site) if task.site else desk.build
    match task.kind:
        case Kind.COMPLETE_FORM | Kind.SIGN_FORM | Kind.VERIFY_ITEMS:
            encounter, form, repeat = task.about.split(".")
            return f"{visit_words(build, encounter)} · {form_words(build, form, int(repeat))}"
        case Kind.VISIT_DUE | Kind.VISIT_OVERDUE | Kind.VISIT_MISSED:
            return visit_words(build, task.about)
        case Kind.ANSWER_QUERY | Kind.SETTLE_QUERY:
            row = query_row(desk, task)
            if row is None:
                return ""
            where = f"{visit_words(build, str(row['encounter']))} · {form_words(build, str(row['form']))}"
            return f"{where}: {query_words(build, row)}"
        case Kind.CLASSIFY_DEVIATION:
            row = desk.rows.get(DEVIATION, (task.participant, task.about))
            return deviation_words(build, row) if row is not None else ""
        case Kind.MEET_CLOCK:
            event, _sep, clock = task.about.rpartition(".")
            declared = next((one for one in build.study.safety.clocks if one.id == clock), None)
            row = desk.rows.get(ADVERSE_EVENT, (task.participant, event)) or {}
            return f"{row.get('term') or event} · {in_language(declared.label) if declared else clock}"
        case Kind.COUNTERSIGN_CONSENT | Kind.CONSENT_AGAIN:
            return _("version %(version)s") % {"version": task.about}
        case Kind.END_SCREENING:
            return " · ".join(criterion_words(build, name) for name in task.about.split())
    return task.about


def cards(desk: Desk, people: Enrolment, rows: Iterable[MatrixRow], signable: Sequence[Row]) -> tuple[Card, ...]:
    """The figures of the desk's site, or of the study."""
    return (
        _included(desk, people),
        _not_included(desk, people),
        _queries(desk),
        _out_of_window(desk, rows),
        _to_sign(desk, signable),
        _serious(desk),
    )


def _included(desk: Desk, people: Enrolment) -> Card:
    plan = people.plan_today
    note = _("plan by today: %(number)s") % {"number": f"{plan:.0f}"} if plan is not None else ""
    behind = plan is not None and people.included < plan - 1
    where = address("capture:enrolment", desk.study)
    return Card(_("Included"), f"{people.included} / {people.planned}", note, where, "warn" if behind else "")


def _not_included(desk: Desk, people: Enrolment) -> Card:
    top = [f"{_why_not(desk, one.criterion)}: {one.number}" for one in people.reasons[:2]]
    rest = sum(one.number for one in people.reasons[2:])
    note = " · ".join([*top, *([_("others: %(number)d") % {"number": rest}] if rest else [])])
    return Card(_("Screened, not included"), str(people.not_included), note, address("capture:enrolment", desk.study))


def _why_not(desk: Desk, criterion: str) -> str:
    """Why somebody was not included, short enough for a card."""
    if criterion == "consent_refused":
        return _("consent refused")
    return Truncator(criterion_words(desk.build, criterion).rstrip(".")).chars(LONGEST) if criterion else _("other")


def _queries(desk: Desk) -> Card:
    mine = {str(row["participant"]) for row in desk.participants()} if desk.site else None
    found = [row for row in desk.rows.where(QUERY, status="open") if mine is None or row["participant"] in mine]
    ages = [(desk.now - datetime.fromisoformat(str(row["opened_at"]))).days for row in found]
    note = ""
    if ages:
        middle = round(median(ages))
        note = ngettext("median age %(days)d day", "median age %(days)d days", middle) % {"days": middle}
        note = note if middle else _("median age less than a day")
    where = reachable(desk, "monitor:queries", desk.study) or f"{address('capture:matrix', desk.study)}?show=queries"
    return Card(_("Open queries"), str(len(found)), note, where)


def _out_of_window(desk: Desk, rows: Iterable[MatrixRow]) -> Card:
    cells = [cell for row in rows for cell in row.cells]
    overdue = sum(cell.state is CellState.OVERDUE for cell in cells)
    out = sum(cell.days_out != 0 for cell in cells)
    note = ngettext("%(number)d was held outside", "%(number)d were held outside", out) % {"number": out}
    where = f"{address('capture:matrix', desk.study)}?show=overdue"
    return Card(_("Visits overdue"), str(overdue), note, where, "bad" if overdue else "")


def _to_sign(desk: Desk, signable: Sequence[Row]) -> Card:
    note = ""
    if signable:
        oldest = min(str(row["last_saved_at"]) for row in signable)
        days = (desk.now - datetime.fromisoformat(oldest)).days
        note = ngettext("the oldest for %(days)d day", "the oldest for %(days)d days", days) % {"days": days}
    where = f"{address('capture:matrix', desk.study)}?show=unsigned"
    return Card(_("Forms to sign"), str(len(signable)), note, where)


def signable_forms(desk: Desk) -> list[Row]:
    """Forms that are complete and wait for a signature, whoever's."""
    people = [str(row["participant"]) for row in desk.participants()]
    if len(people) > FEW:
        wanted = set(people)
        rows: Iterable[Row] = (row for row in desk.rows.where(FORM) if row["participant"] in wanted)
    else:
        rows = (row for one in people for row in desk.rows.where(FORM, participant=one))
    signed_by = {form: compiled.form.signed_by for form, compiled in desk.build.forms.items()}
    return [
        row
        for row in rows
        if row["status"] == "saved" and row["complete"] and not row["signed"] and signed_by.get(str(row["form"]))
    ]


def _serious(desk: Desk) -> Card:
    mine = {str(row["participant"]) for row in desk.participants()} if desk.site else None
    events = [
        row
        for row in desk.rows.where(ADVERSE_EVENT)
        if row["serious"] and row["closed_at"] is None and (mine is None or row["participant"] in mine)
    ]
    expedited = {
        clock.id for build in desk.builds.values() for clock in build.study.safety.clocks if is_expedited(clock)
    }
    due = sorted(
        str(row["due"])
        for row in desk.rows.where(CLOCK)
        if row["met_on"] is None and row["clock"] not in expedited and (mine is None or row["participant"] in mine)
    )
    note = _clock_words(desk, due[0]) if due else _("no clock is running") if events else ""
    where = reachable(desk, "safety:board", desk.study)
    return Card(_("Serious events open"), str(len(events)), note, where, "bad" if due else "")


def _clock_words(desk: Desk, due: str) -> str:
    """How much is left: hours where the due time is an instant, days where it is a date."""
    if len(due) == len("2028-02-15"):
        left = (datetime.fromisoformat(due).date() - desk.today).days
        if left < 0:
            return ngettext("%(days)d day late", "%(days)d days late", -left) % {"days": -left}
        return ngettext("%(days)d day left", "%(days)d days left", left) % {"days": left}
    rest = datetime.fromisoformat(due) - desk.now
    return time_left(rest) if rest < timedelta() else _("%(time)s left") % {"time": time_left(rest)}


SEES_FIGURES = frozenset(
    {
        Role.INVESTIGATOR, Role.STUDY_NURSE, Role.MONITOR, Role.UNBLINDED_MONITOR, Role.DATA_MANAGER,
        Role.MEDICAL_MONITOR, Role.SAFETY_OFFICER, Role.SPONSOR, Role.INSPECTOR,
    }
)  # fmt: skip
"""Roles for whom the figures of a site or of the study are work; others see their tasks alone."""
