"""Sites side by side, as a table and as bars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from trialwright.protocol.roles import Role
from trialwright_web.monitor.metrics import Metrics, metrics
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.words import Words

READERS = (
    Role.INVESTIGATOR, Role.STUDY_NURSE, Role.MONITOR, Role.UNBLINDED_MONITOR, Role.DATA_MANAGER,
    Role.MEDICAL_MONITOR, Role.SPONSOR, Role.INSPECTOR,
)  # fmt: skip

FIGURES: tuple[tuple[Words, Callable[[Metrics], float | None], str], ...] = (
    (_("Days from visit to entry (median)"), lambda one: one.entry_days, ""),
    (_("Age of open queries in days (median)"), lambda one: one.query_days, ""),
    (_("Forms signed of those complete"), lambda one: one.signed_percent, "%"),
    (_("Screening failures of those screened"), lambda one: one.failed_percent, "%"),
)
"""What is drawn: title, figure, unit."""

WIDTH, ROW = 320, 26
"""Of a drawing, in its own units; a row for each site."""
LABEL, VALUE = 40, 60
"""Room for the site's number on the left, for the figure on the right."""


@dataclass(frozen=True)
class Bar:
    """One bar with where it stands in the drawing."""

    site: str
    words: str
    y: int
    width: float

    @property
    def text_y(self) -> int:
        return self.y + 13

    @property
    def words_x(self) -> float:
        return LABEL + self.width + 6


@dataclass(frozen=True)
class Drawing:
    """Bars of one figure, one for each site."""

    title: Words
    bars: tuple[Bar, ...]
    width: int = WIDTH
    label: int = LABEL

    @property
    def height(self) -> int:
        return ROW * len(self.bars)


@at_desk(*READERS)
@require_GET
def sites(request: Request, desk: Desk) -> HttpResponse:
    """The page."""
    found = list(metrics(desk))
    drawings = [drawing(title, found, figure, unit) for title, figure, unit in FIGURES]
    return render_page(request, "monitor/sites.html", {"metrics": found, "drawings": drawings})


def drawing(title: Words, found: list[Metrics], figure: Callable[[Metrics], float | None], unit: str) -> Drawing:
    """Bars as long as the figures; percentages against a hundred, others against the longest."""
    values = [figure(one) for one in found]
    longest = 100 if unit == "%" else max([value for value in values if value is not None] or [0]) or 1
    room = WIDTH - LABEL - VALUE
    bars = tuple(
        Bar(
            site=one.site,
            words="–" if value is None else f"{value:g} {unit}".strip(),
            y=index * ROW + 4,
            width=round(room * (value or 0) / longest, 1),
        )
        for index, (one, value) in enumerate(zip(found, values, strict=True))
    )
    return Drawing(title, bars)
