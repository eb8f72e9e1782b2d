"""The calendar: a week or a month of visits, their windows as bars, and the same for a calendar program."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from trialwright.build import Build
from trialwright.trial.tasks import matrix
from trialwright_web.capture.calendar_model import (
    AHEAD,
    BAR,
    Appointment,
    appointments,
    as_icalendar,
    days,
    week_of,
    windows,
)
from trialwright_web.capture.readers import READERS
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_page

AHEAD_DAYS = 365
"""How far the file for a calendar program looks ahead."""
MOST_WINDOWS = 150
"""Windows that are drawn, the most urgent ones."""


def builds_by_site(desk: Desk) -> dict[str, Build]:
    """The build in force at each site."""
    return {site: desk.build_at(site) for site in desk.build.study.sites}


def _appointments(desk: Desk, site: str = "") -> list[Appointment]:
    wanted = desk.site or (site if site in desk.build.study.sites else None)
    rows = matrix(desk.rows, desk.builds, desk.today, site=wanted)
    return list(appointments(rows, builds_by_site(desk)))


@at_desk(*READERS)
@require_GET
def calendar(request: Request, desk: Desk) -> HttpResponse:
    """``?view=week`` or ``month`` around ``?day=2028-02-15``; today by default."""
    view = "month" if request.GET.get("view") == "month" else "week"
    day = _day(request.GET.get("day", "")) or desk.today
    site = request.GET.get("site", "")
    found = _appointments(desk, site)
    first, count = _month(day) if view == "month" else (week_of(day), 7)
    shown = days(found, first, count, desk.today, day.month if view == "month" else None)
    bars_from, bars_for = (first, count) if view == "month" else (first - timedelta(days=7), 28)
    before, after = _neighbours(view, day)
    bars = windows(found, bars_from, bars_for, desk.today)
    context: dict[str, Any] = {
        "view": view,
        "day": day,
        "weeks": [shown[index : index + 7] for index in range(0, count, 7)],
        "week_number": first.isocalendar().week,
        "windows": bars[:MOST_WINDOWS],
        "more_windows": max(0, len(bars) - MOST_WINDOWS),
        "bars_from": bars_from,
        "bars_to": bars_from + timedelta(days=bars_for - 1),
        "bar": BAR,
        "before": before,
        "after": after,
        "site": site,
        "sites": desk.build.study.sites if desk.site is None else {},
        "zone": desk.zone(),
    }
    return render_page(request, "capture/calendar.html", context)


@at_desk(*READERS)
@require_GET
def calendar_file(request: Request, desk: Desk) -> HttpResponse:
    """The visits ahead as an iCalendar file (RFC 5545)."""
    until = desk.today + timedelta(days=AHEAD_DAYS)
    found = [
        one
        for one in _appointments(desk, request.GET.get("site", ""))
        if one.state in AHEAD and one.day <= until and (one.latest is None or one.latest >= desk.today)
    ]
    body = as_icalendar(
        found,
        study=desk.study,
        acronym=desk.build.study.identity.acronym,
        host=request.get_host().partition(":")[0],
        now=desk.now,
    )
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{desk.study}-visits.ics"'
    return response


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1900 <= found.year <= 2199 else None


def _month(day: date) -> tuple[date, int]:
    """The Monday on which the page of a month begins, and how many days it has."""
    first = week_of(day.replace(day=1))
    last = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return first, (week_of(last) - first).days + 7


def _neighbours(view: str, day: date) -> tuple[date, date]:
    if view == "week":
        return day - timedelta(days=7), day + timedelta(days=7)
    first = day.replace(day=1)
    return (first - timedelta(days=1)).replace(day=1), (first + timedelta(days=32)).replace(day=1)
