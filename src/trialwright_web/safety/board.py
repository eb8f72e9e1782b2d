"""The board: every adverse event that the desk may see, blinded, with the clocks that run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from trialwright.foundation.tables import Row
from trialwright.protocol.roles import Role
from trialwright.trial.safety.commands import ReportAdverseEvent
from trialwright.trial.safety.views import ADVERSE_EVENT, ASSESSMENT
from trialwright_web.safety.clocks import Clock, clocks_of, running
from trialwright_web.shell.acts import may_act
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.safety_words import OUTCOMES, RELATIONS, several
from trialwright_web.shell.templatetags.shell import in_language
from trialwright_web.shell.words import Words

READERS = (
    Role.INVESTIGATOR, Role.STUDY_NURSE, Role.INJECTING_PHYSICIAN, Role.MONITOR, Role.UNBLINDED_MONITOR,
    Role.DATA_MANAGER, Role.MEDICAL_MONITOR, Role.SAFETY_OFFICER, Role.SPONSOR, Role.INSPECTOR,
)  # fmt: skip

SEVERITY = tuple(RELATIONS)
"""Relations from the weakest to the strongest."""


@dataclass(frozen=True)
class Line:
    """One adverse event of the board."""

    row: Row
    site: str
    clocks: tuple[Clock, ...]
    relation: Words
    outcome: Words
    special: str

    @property
    def next_clock(self) -> Clock | None:
        """The running clock that is due first."""
        return min(running(self.clocks), key=lambda clock: clock.ends, default=None)

    @property
    def is_open(self) -> bool:
        return self.row["closed_at"] is None

    @property
    def order(self) -> tuple[bool, str, bool, str]:
        """Clocks first, then serious ones, then the newest."""
        clock = self.next_clock
        return (clock is None, clock.ends.isoformat() if clock else "", not self.row["serious"], "")


@at_desk(*READERS)
@require_GET
def board(request: Request, desk: Desk) -> HttpResponse:
    """The page."""
    site, show = request.GET.get("site", ""), request.GET.get("show", "open")
    everything = list(_lines(desk, site))
    found = [line for line in everything if _shown(line, show)]
    found.sort(key=lambda line: str(line.row["noticed_on"]), reverse=True)
    found.sort(key=lambda line: line.order)
    ticking = [clock for line in everything for clock in running(line.clocks)]
    context = {
        "lines": found,
        "show": show,
        "site": site,
        "sites": desk.build.study.sites if desk.site is None else {},
        "serious": sum(bool(line.row["serious"]) and line.is_open for line in everything),
        "running": len(ticking),
        "overdue": sum(clock.state == "overdue" for clock in ticking),
        "uncoded": sum(line.row["coded_term"] is None for line in everything),
        "may_report": may_act(desk, ReportAdverseEvent),
        "zone": desk.zone(),
    }
    return render_page(request, "safety/board.html", context)


def _shown(line: Line, show: str) -> bool:
    match show:
        case "all":
            return True
        case "serious":
            return bool(line.row["serious"])
        case "clocks":
            return line.next_clock is not None
        case "uncoded":
            return line.row["coded_term"] is None
        case _:
            return line.is_open or line.next_clock is not None


def _lines(desk: Desk, site: str) -> Iterator[Line]:
    for person in desk.participants(site or None):
        where = str(person["site"])
        kinds = {kind.id: kind for kind in desk.build_at(where).study.safety.special_interest}
        for row in desk.rows.where(ADVERSE_EVENT, participant=person["participant"]):
            special = [kinds[name] for name in str(row["special_interest"] or "").split() if name in kinds]
            yield Line(
                row=row,
                site=where,
                clocks=tuple(clocks_of(desk, str(row["participant"]), str(row["adverse_event"]), where)),
                relation=_relation(desk, row),
                outcome=several(str(row["outcome"]), OUTCOMES),
                special=", ".join(in_language(kind.label) for kind in special),
            )


def _relation(desk: Desk, row: Row) -> Words:
    """The strongest relation that anybody sees to any agent."""
    rows = desk.rows.where(ASSESSMENT, participant=row["participant"], adverse_event=row["adverse_event"])
    seen = [str(one["causality"]) for one in rows if one["causality"]]
    return RELATIONS[max(seen, key=SEVERITY.index)] if seen else "–"
