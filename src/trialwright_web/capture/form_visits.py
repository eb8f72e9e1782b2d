"""A visit: its date, whether it took place, its forms, its signatures; and visits nobody planned."""

from __future__ import annotations

import re

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trialwright.foundation.errors import InvalidValue, Refusal, TrialwrightError
from trialwright.trial.capture.commands import ASSESSORS, RecordMissedVisit, RecordVisit
from trialwright.trial.capture.state import CaseBook
from trialwright.trial.tasks import CellState, VisitCell, matrix
from trialwright_web.capture.form_blank import printable
from trialwright_web.capture.form_entry import normal_text, shown_text
from trialwright_web.capture.form_place import FormPlace, VisitPlace, find_visit
from trialwright_web.shell.desk import Desk, Request, at_desk, new_request_id
from trialwright_web.shell.pages import render_page, status_of

_EXPECTED = frozenset({CellState.AHEAD, CellState.DUE, CellState.OVERDUE})
UNSCHEDULED = re.compile(r"unscheduled_([0-9]{1,4})\Z", re.ASCII)


@at_desk()
@require_http_methods(["GET", "POST"])
def visit(request: Request, desk: Desk, participant: str, encounter: str) -> HttpResponse:
    """The visit page; a post records its date, another date, or that it will not take place."""
    place = find_visit(desk, participant, encounter)
    error: TrialwrightError | None = None
    if request.method == "POST":
        try:
            return _record(request, place)
        except (Refusal, InvalidValue) as refusal:
            error = refusal
    forms = list(place.forms())
    context = {
        "visit": place,
        "forms": forms,
        "fillable": _fillable(place, forms),
        "to_sign": [form for form in forms if form.is_ready_to_sign],
        "may_record": desk.may(RecordVisit) and not place.is_log and not place.is_frozen,
        "may_miss": desk.may(RecordMissedVisit) and not place.is_log and place.date is None and not place.is_frozen,
        "is_missed": place.encounter in place.book.missed,
        "expected": _expected(place) if place.date is None else None,
        "to_print": printable(desk, place.planned) if place.date is None else [],
        "typed": {name: request.POST.get(name, "") for name in ("date", "reason", "act")},
        "today": shown_text("date", desk.today.isoformat()),
        "zone": desk.zone(place.site),
        "error": error,
        "done": _done_text(request.GET.get("done", "")),
        "request_id": new_request_id(),
    }
    return render_page(request, "capture/form_visit.html", context, status=status_of(error) if error else 200)


def _record(request: Request, place: VisitPlace) -> HttpResponse:
    command: RecordVisit | RecordMissedVisit
    if request.POST.get("act") == "missed":
        command = RecordMissedVisit(participant=place.participant, encounter=place.encounter)
    else:
        day = normal_text("date", request.POST.get("date", ""), place.desk.today)
        command = RecordVisit(participant=place.participant, encounter=place.encounter, date=day)
    reason = request.POST.get("reason", "").strip()
    place.desk.dispatch(command, request_id=request.POST.get("request_id", ""), reason=reason)
    waiting = next(
        (form for form in find_visit(place.desk, place.participant, place.encounter).forms() if form.waits), None
    )
    if isinstance(command, RecordVisit) and place.date is None and waiting is not None:
        return redirect(waiting.address())
    return redirect(f"{place.address()}?done=recorded")


def _expected(place: VisitPlace) -> VisitCell | None:
    """When a visit that has no date yet is expected; None where its window is not known."""
    desk = place.desk
    (row,) = matrix(desk.rows, desk.builds, desk.today, participant=place.participant)
    cell = next((one for one in row.cells if one.encounter == place.encounter), None)
    return cell if cell is not None and cell.state in _EXPECTED else None


def _fillable(place: VisitPlace, forms: list[FormPlace]) -> list[FormPlace]:
    """Forms that may be started at an unscheduled visit."""
    if not UNSCHEDULED.match(place.encounter):
        return []
    there = {form.id for form in forms}
    offered = (place.form(form) for form in place.build.study.schedule.unscheduled_forms if form not in there)
    return [form for form in offered if form is not None]


def _done_text(done: str) -> str:
    words = {
        "recorded": _("Recorded."),
        "saved": _("Saved. That was the last form of the visit that waits for you."),
        "unchanged": _("Nothing was changed. No other form of the visit waits for you."),
        "not_done": _("Marked as not done."),
        "intentionally_blank": _("Marked as intentionally left blank."),
        "signed": _("Signed."),
    }
    return words.get(done, "")


@at_desk(*ASSESSORS)
@require_http_methods(["GET", "POST"])
def new_visit(request: Request, desk: Desk, participant: str) -> HttpResponse:
    """Record a visit that nobody planned."""
    person = desk.participant(participant)
    error: TrialwrightError | None = None
    if request.method == "POST":
        encounter = f"unscheduled_{_next_number(desk, participant)}"
        day = normal_text("date", request.POST.get("date", ""), desk.today)
        command = RecordVisit(participant=participant, encounter=encounter, date=day)
        try:
            desk.dispatch(command, request_id=request.POST.get("request_id", ""))
            return redirect(reverse("capture:visit", args=(desk.study, participant, encounter)))
        except (Refusal, InvalidValue) as refusal:
            error = refusal
    context = {
        "participant": participant,
        "person": person,
        "typed": request.POST.get("date", ""),
        "error": error,
        "request_id": request.POST.get("request_id") or new_request_id(),
    }
    return render_page(request, "capture/form_new_visit.html", context, status=status_of(error) if error else 200)


def _next_number(desk: Desk, participant: str) -> int:
    held = desk.trial.state().of(CaseBook, participant).held
    found = (UNSCHEDULED.match(encounter) for encounter in held)
    return max((int(match[1]) for match in found if match), default=0) + 1
