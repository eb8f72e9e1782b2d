"""The site home: what waits for this desk, the most urgent first; beside it the week and how the site stands."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from trialwright.trial.closed_tasks import closed_tasks
from trialwright.trial.tasks import MatrixRow, tasks_and_matrix
from trialwright_web.capture.calendar import builds_by_site
from trialwright_web.capture.calendar_model import appointments, days, week_of
from trialwright_web.capture.enrolment_model import curve, enrolment
from trialwright_web.capture.home_model import SEES_FIGURES, cards, groups, of_desk, roles_at, signable_forms
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.waiting import boards_waiting


@at_desk()
@require_GET
def home(request: Request, desk: Desk) -> HttpResponse:
    """The task list of the desk, and for whom they are work the figures of the site."""
    found, rows = tasks_and_matrix(desk.rows, desk.builds, desk.today, site=desk.site, role=roles_at(desk))
    waiting = of_desk(desk, found)
    if desk.holds_closed:
        waiting += closed_tasks(desk.rows, desk.closed_rows, desk.builds, role=desk.role, site=desk.site)
    boards = boards_waiting(desk)
    context: dict[str, Any] = {
        "groups": groups(desk, waiting),
        "boards": boards,
        "number": len(waiting) + sum(len(board.lines) for board in boards),
        "late": sum(task.late for task in waiting),
        "zone": desk.zone(),
    }
    if desk.role in SEES_FIGURES:
        context |= _figures(desk, rows)
    return render_page(request, "capture/home.html", context)


def _figures(desk: Desk, rows: tuple[MatrixRow, ...]) -> dict[str, Any]:
    found = appointments(rows, builds_by_site(desk))
    monday = week_of(desk.today)
    week = days(found, monday, 7, desk.today)
    people = enrolment(desk)
    return {
        "cards": cards(desk, people, rows, signable_forms(desk)),
        # Saturday and Sunday take room only where something lies on them.
        "week": tuple(day for day in week if day.day.weekday() < 5 or day.entries or day.closing or day.is_today),
        "week_number": monday.isocalendar().week,
        "enrolment": people,
        "curve": curve(people),
    }
