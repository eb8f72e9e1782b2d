"""Enrolment against plan, with the reasons why people were not included."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from trialwright_web.capture.enrolment_model import Enrolment, curve
from trialwright_web.capture.enrolment_model import enrolment as of_desk
from trialwright_web.capture.home_model import SEES_FIGURES
from trialwright_web.capture.words import criterion_words
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_page


@at_desk(*sorted(SEES_FIGURES, key=lambda role: role.value))
@require_GET
def enrolment(request: Request, desk: Desk) -> HttpResponse:
    """The page; ``?site=01`` for one site where the desk sees several."""
    site = request.GET.get("site", "")
    found = of_desk(desk, site if site in desk.build.study.sites else None)
    context = {
        "enrolment": found,
        "curve": curve(found),
        "chart": chart(found),
        "reasons": [(criterion_words(desk.build, one.criterion), one) for one in found.reasons],
        "site": site,
        "sites": desk.build.study.sites if desk.site is None else {},
    }
    return render_page(request, "capture/enrolment.html", context)


def chart(found: Enrolment) -> list[list[float | None]]:
    """The curve for the browser's drawing: days (seconds since 1970), included, planned."""
    points = {point.day: (point.included, point.planned) for point in found.points}
    for day, number in found.steps:
        points[day] = (number, points.get(day, (0, None))[1])
    included = 0
    days: list[float | None] = []
    counts: list[float | None] = []
    plan: list[float | None] = []
    for day in sorted(points):
        included = max(included, points[day][0])
        days.append(float((day.toordinal() - _EPOCH) * 86400))
        counts.append(float(included))
        plan.append(points[day][1])
    return [days, counts, plan]


_EPOCH = 719163
"""Ordinal of 1970-01-01."""
