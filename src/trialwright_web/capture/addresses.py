"""Where things are done: addresses of other screens, as far as this process has them."""

from __future__ import annotations

from django.urls import NoReverseMatch, resolve, reverse

from trialwright.foundation.tables import Row
from trialwright.trial.event import Space
from trialwright.trial.queries.views import CLOSED_QUERY, QUERY
from trialwright.trial.tasks import Kind, Task
from trialwright_web.shell.desk import Desk


def address(name: str, *args: object) -> str:
    """The address of a route; empty where this process does not have it."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def reachable(desk: Desk, name: str, *args: object) -> str:
    """The address of a route that the desk's role reaches; empty for any other."""
    where = address(name, *args)
    roles = getattr(resolve(where).func, "roles", None) if where else None
    return where if roles and desk.role in roles else ""


def visit_address(desk: Desk, participant: str, encounter: str) -> str:
    """The page of a visit."""
    return address("capture:visit", desk.study, participant, encounter)


def query_address(desk: Desk, row: Row | None) -> str:
    """The form on which a query asks, at its field."""
    if row is None:
        return ""
    place = address("capture:form", desk.study, row["participant"], row["encounter"], row["form"], row["repeat"])
    return f"{place}?field={row['item']}" if place and row["item"] else place


def query_row(desk: Desk, task: Task) -> Row | None:
    """The query that a task is about, in whichever space it was asked."""
    if task.command.PERMISSION.space is Space.CLOSED:
        return desk.closed_rows.get(CLOSED_QUERY, (task.participant, task.about))
    return desk.rows.get(QUERY, (task.participant, task.about))


def task_address(desk: Desk, task: Task) -> str:
    """Where a task is done; empty where no screen of this process does it."""
    study, participant, about = desk.study, task.participant or "", task.about
    if task.kind in _FORMS:
        return address(_FORMS[task.kind], study, participant, *about.split("."))
    if task.kind in _VISITS:
        return visit_address(desk, participant, about)
    match task.kind:
        case Kind.COUNTERSIGN_CONSENT:
            return address("consents:countersign", study, participant)
        case Kind.ASK_CONSENT | Kind.CONSENT_AGAIN:
            return address("capture:participant", study, participant)
        case Kind.ASSESS_ELIGIBILITY:
            return address("capture:criteria", study, participant)
        case Kind.SIGN_OFF_ELIGIBILITY:
            return address("capture:act", study, participant, "sign-off")
        case Kind.END_SCREENING:
            return address("capture:act", study, participant, "fail-screening")
        case Kind.RANDOMISE:
            return address("randomise:participant", study, participant)
        case Kind.ANSWER_QUERY | Kind.SETTLE_QUERY:
            return query_address(desk, query_row(desk, task))
        case Kind.SIGN_CASE_BOOK:
            return address("capture:case_book", study, participant)
        case Kind.CLASSIFY_DEVIATION:
            return address("monitor:classify", study, participant, about)
        case Kind.NOTIFY_BREACH:
            return address("monitor:notify_breach", study, about)
        case Kind.MEET_CLOCK:
            event = about.rpartition(".")[0]
            return address("safety:event", study, participant, event) or address("safety:board", study)
    return ""


_FORMS = {
    Kind.COMPLETE_FORM: "capture:form",
    Kind.SIGN_FORM: "capture:sign_form",
    Kind.VERIFY_ITEMS: "monitor:verify_form",
}
_VISITS = frozenset({Kind.VISIT_DUE, Kind.VISIT_OVERDUE, Kind.VISIT_MISSED})
