"""The screening log: everybody who was considered, and why somebody was not included."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from trialwright.build import Build
from trialwright.foundation.tables import Cell, Row
from trialwright.protocol.roles import Role
from trialwright.trial.enrolment.views import SCREENING_LOG
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.templatetags.shell import in_language

READERS = (
    Role.INVESTIGATOR, Role.STUDY_NURSE, Role.MONITOR, Role.UNBLINDED_MONITOR, Role.DATA_MANAGER,
    Role.MEDICAL_MONITOR, Role.SPONSOR, Role.INSPECTOR,
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One person of the log."""

    row: Row
    not_met: tuple[str, ...]
    unknown: tuple[str, ...]
    failed_for: tuple[str, ...]


@at_desk(*READERS)
@require_GET
def screening(request: Request, desk: Desk) -> HttpResponse:
    """The log, newest first, and how often each criterion excluded somebody."""
    site = request.GET.get("site", "")
    found = sorted(_lines(desk, site), key=lambda line: str(line.row["screened_on"]), reverse=True)
    reasons = Counter(words for line in found for words in line.failed_for)
    context = {
        "lines": found,
        "reasons": reasons.most_common(),
        "site": site,
        "sites": desk.build.study.sites if desk.site is None else {},
        "zone": desk.zone(),
    }
    return render_page(request, "monitor/screening.html", context)


def _lines(desk: Desk, site: str) -> Iterator[Line]:
    for person in desk.participants(site or None):
        row = desk.rows.get(SCREENING_LOG, (person["participant"],))
        if row is not None:
            build = desk.build_at(str(row["site"]))
            yield Line(row, *(_criteria(build, row[name]) for name in ("not_met", "unknown", "failed_for")))


def _criteria(build: Build, names: Cell) -> tuple[str, ...]:
    found = []
    for name in str(names or "").split():
        compiled = build.criteria.get(name)
        found.append(in_language(compiled.criterion.text) if compiled else name)
    return tuple(found)
