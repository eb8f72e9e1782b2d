"""Participants × visits: who stands where, and what is late, asked or unsigned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from django.http import HttpResponse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET

from trialwright.trial.enrolment.commands import ScreenParticipant
from trialwright.trial.tasks import CellState, MatrixRow, VisitCell, matrix
from trialwright_web.capture.readers import READERS
from trialwright_web.capture.words import SIGNS, STATUS
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.record_words import visit_words

FILTERS: Mapping[str, tuple[str | Promise, Callable[[VisitCell], bool]]] = {
    "queries": (gettext_lazy("Open queries"), lambda cell: cell.open_queries > 0),
    "overdue": (gettext_lazy("Overdue"), lambda cell: cell.state is CellState.OVERDUE),
    "due": (gettext_lazy("In its window now"), lambda cell: cell.state is CellState.DUE),
    "started": (gettext_lazy("Not complete"), lambda cell: cell.state is CellState.STARTED),
    "unsigned": (gettext_lazy("Not signed"), lambda cell: cell.state is CellState.COMPLETE),
}
"""Name in the address → words, and which cells are wanted; rows without one are left out."""


@dataclass(frozen=True)
class Column:
    """A visit of the schedule."""

    encounter: str
    words: str


@dataclass(frozen=True)
class Line:
    """A participant's row, drawn."""

    participant: str
    address: str
    site: str
    status: str
    tone: str
    queries: int
    cells: tuple[SafeString, ...]


@at_desk(*READERS)
@require_GET
def participants(request: Request, desk: Desk) -> HttpResponse:
    """The matrix; ``?show=overdue``, ``?status=screening``, ``?site=01`` and ``?find=003`` narrow it."""
    show, status, site = (request.GET.get(name, "") for name in ("show", "status", "site"))
    find = request.GET.get("find", "").strip()
    wanted_site = desk.site or (site if site in desk.build.study.sites else None)
    every = matrix(desk.rows, desk.builds, desk.today, site=wanted_site)
    rows = [row for row in every if _wanted(row, show, status, find)]
    columns = _columns(desk, rows)
    context = {
        "columns": columns,
        "lines": list(_lines(rows, columns)),
        "total": len(every),
        "filters": [(name, words, _count(every, name)) for name, (words, _test) in FILTERS.items()],
        "statuses": [(name, STATUS[name][0]) for name in STATUS if any(row.status == name for row in every)],
        "may_screen": desk.may(ScreenParticipant),
        "legend": [sign for state, sign in SIGNS.items() if state is not CellState.NOT_EXPECTED],
        "show": show,
        "status": status,
        "site": site,
        "find": find,
        "sites": desk.build.study.sites if desk.site is None else {},
    }
    return render_page(request, "capture/matrix.html", context)


def _wanted(row: MatrixRow, show: str, status: str, find: str) -> bool:
    test = FILTERS[show][1] if show in FILTERS else None
    return (
        (status not in STATUS or row.status == status)
        and (not find or find.casefold() in row.participant.casefold())
        and (test is None or any(test(cell) for cell in row.cells))
    )


def _count(rows: tuple[MatrixRow, ...], name: str) -> int:
    test = FILTERS[name][1]
    return sum(any(test(cell) for cell in row.cells) for row in rows)


def _columns(desk: Desk, rows: list[MatrixRow]) -> tuple[Column, ...]:
    """The schedule's visits in order; those only earlier builds had, and unscheduled ones, behind them."""
    planned = list(desk.build.study.encounters)
    others = {cell.encounter: None for row in rows for cell in row.cells if cell.encounter not in planned}
    return tuple(Column(name, visit_words(desk.build, name)) for name in (*planned, *others))


def _lines(rows: list[MatrixRow], columns: tuple[Column, ...]) -> Iterator[Line]:
    """Cells are made here, not in the template: a page has thousands. Addresses are relative to the page's."""
    signs = {state: (state.name.lower(), sign.symbol, str(sign.words)) for state, sign in SIGNS.items()}
    empty = format_html("<td></td>")
    for row in rows:
        cells = {cell.encounter: cell for cell in row.cells}
        drawn = tuple(
            empty if cell is None or cell.state is CellState.NOT_EXPECTED else _cell(row, cell, column, signs)
            for column in columns
            for cell in (cells.get(column.encounter),)
        )
        words, tone = STATUS.get(row.status, (row.status, ""))
        yield Line(
            participant=row.participant,
            address=f"{row.participant}/",
            site=row.site,
            status=str(words),
            tone=tone,
            queries=sum(cell.open_queries for cell in row.cells),
            cells=drawn,
        )


def _cell(
    row: MatrixRow, cell: VisitCell, column: Column, signs: Mapping[CellState, tuple[str, str, str]]
) -> SafeString:
    name, symbol, words = signs[cell.state]
    said = f"{row.participant}, {column.words}: {words}{_when(cell)}{_asked(cell)}"
    return format_html(
        '<td data-state="{}"><a href="{}/{}/" aria-label="{}"><span>{}</span>{}</a></td>',
        name,
        row.participant,
        cell.encounter,
        said,
        symbol,
        format_html("<b>?{}</b>", cell.open_queries) if cell.open_queries else "",
    )


def _when(cell: VisitCell) -> str:
    """The day it was held, or the window it waits for."""
    if cell.state in (CellState.AHEAD, CellState.DUE, CellState.OVERDUE) and cell.earliest and cell.latest:
        return f", {_short(cell.earliest)}–{_short(cell.latest)}"
    return f", {_short(cell.date)}" if cell.date else ""


def _asked(cell: VisitCell) -> str:
    if not cell.open_queries:
        return ""
    words = ngettext("%(number)d open query", "%(number)d open queries", cell.open_queries)
    return ", " + words % {"number": cell.open_queries}


def _short(day: str | None) -> str:
    return f"{day[8:10]}.{day[5:7]}.{day[2:4]}" if day else ""
