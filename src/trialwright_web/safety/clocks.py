"""Clocks of an adverse event as a page shows them: due when, in whose time, how long still."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from trialwright.build import Build
from trialwright.foundation.tables import Row
from trialwright.trial.safety.clocks import is_expedited
from trialwright.trial.safety.views import CLOCK, EXPEDITED
from trialwright_web.shell.desk import Desk
from trialwright_web.shell.templatetags.shell import in_language, local_time
from trialwright_web.shell.time_left import time_left

State = Literal["met", "late", "running", "soon", "overdue", "elsewhere"]
SOON = timedelta(hours=24)


@dataclass(frozen=True)
class Clock:
    """One clock.

    Attributes:
        state: ``elsewhere`` is a clock of a suspected reaction, of which the open space does not know whether it was
            met.
        ends: the last instant in which it is met.
        left: in words.
    """

    id: str
    label: str
    receiver: str
    started: str
    due: str
    site_time: str
    ends: datetime
    state: State
    left: str
    met_on: str
    reference: str
    is_expedited: bool

    @property
    def tone(self) -> str:
        tones = {"met": "good", "late": "bad", "overdue": "bad", "soon": "warn", "running": "warn"}
        return tones.get(self.state, "")

    @property
    def is_running(self) -> bool:
        return self.state in ("running", "soon", "overdue")


def clocks_of(desk: Desk, participant: str, event: str, site: str) -> list[Clock]:
    """The clocks of one event, the next due first."""
    rows = desk.rows.where(CLOCK, participant=participant, adverse_event=event)
    build = desk.build_at(site)
    return sorted(
        (_clock(desk, build, row, site) for row in rows), key=lambda clock: (not clock.is_running, clock.ends)
    )


def _clock(desk: Desk, build: Build, row: Row, site: str) -> Clock:
    declared = next((clock for clock in build.study.safety.clocks if clock.id == row["clock"]), None)
    expedited = declared is not None and is_expedited(declared)
    met = _expedited_row(desk, row) if expedited else (row if row["met_on"] else None)
    ends = _ends(str(row["due"]), desk, site)
    met_on = str(met["date" if expedited else "met_on"]) if met else ""
    return Clock(
        id=str(row["clock"]),
        label=in_language(declared.label) if declared else str(row["clock"]),
        receiver=str(row["receiver"]),
        started=str(row["started"]),
        due=local_time(row["due"], desk.zone()),
        site_time=_in_site_time(ends, desk, site),
        ends=ends,
        state=_state(desk, ends, met, hidden=expedited and not desk.holds_closed),
        left=time_left(ends - desk.now),
        met_on=met_on,
        reference=str(met["reference"] or "") if met else "",
        is_expedited=expedited,
    )


def _expedited_row(desk: Desk, row: Row) -> Row | None:
    """What became of a suspected reaction, where the process and the role may know."""
    if not desk.holds_closed:
        return None
    return desk.closed_rows.get(EXPEDITED, (row["participant"], row["adverse_event"], row["clock"]))


def _ends(due: str, desk: Desk, site: str) -> datetime:
    """A due date lasts to the end of that day at the site; a due instant is one."""
    if len(due) > len("2028-02-15"):
        return datetime.fromisoformat(due)
    return datetime.combine(date.fromisoformat(due) + timedelta(days=1), time(), desk.zone(site))


def _in_site_time(ends: datetime, desk: Desk, site: str) -> str:
    """The same instant at the site, where its clock differs from the desk's."""
    here, there = ends.astimezone(desk.zone()), ends.astimezone(desk.zone(site))
    return "" if here.utcoffset() == there.utcoffset() else there.strftime("%d.%m.%Y %H:%M")


def _state(desk: Desk, ends: datetime, met: Row | None, *, hidden: bool) -> State:
    if met is not None:
        return "late" if met["late"] else "met"
    if hidden:
        return "elsewhere"
    left = ends - desk.now
    if left < timedelta(0):
        return "overdue"
    return "soon" if left < SOON else "running"


def running(clocks: Iterable[Clock]) -> Iterator[Clock]:
    """Those that nobody met yet."""
    return (clock for clock in clocks if clock.is_running)
