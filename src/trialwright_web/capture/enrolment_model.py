"""Enrolment against plan: who came and when, what was planned, and why people were not included."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from trialwright.build import Build
from trialwright.foundation.dates import local_date
from trialwright.foundation.tables import Row
from trialwright.trial.enrolment.views import DISPOSITION, SCREENING_LOG
from trialwright.trial.setup.views import SITE
from trialwright_web.shell.desk import Desk

DAYS_A_MONTH = Decimal("30.4375")
NOT_INCLUDED = ("screen_failure", "consent_refused")


@dataclass(frozen=True)
class Point:
    """One day of the curve: people screened and included up to it, and how many were to be included by then."""

    day: date
    screened: int
    included: int
    planned: float | None


@dataclass(frozen=True)
class Reason:
    """Why people were not included: the criterion (empty for another reason), its words, how many."""

    criterion: str
    number: int


@dataclass(frozen=True)
class SiteLine:
    """One site beside the others."""

    site: str
    name: str
    active: bool
    recruiting: bool
    planned: int
    screened: int
    included: int
    failed: int


@dataclass(frozen=True)
class Enrolment:
    """What the page and the site home show.

    Args:
        points: one for each month's first day, and for today.
        steps: every day on which somebody was included, with how many by then.
        planned: how many in all.
        plan_today: how many by today; None where the study declares no pace.
    """

    first: date
    today: date
    planned: int
    points: tuple[Point, ...]
    steps: tuple[tuple[date, int], ...]
    reasons: tuple[Reason, ...]
    sites: tuple[SiteLine, ...]
    screened: int
    not_included: int
    in_screening: int

    @property
    def included(self) -> int:
        """How many by now."""
        return self.points[-1].included

    @property
    def plan_today(self) -> float | None:
        """How many should be by now."""
        return self.points[-1].planned


@dataclass(frozen=True)
class _Pace:
    """How a site was to include: from a day on, so many a month, up to so many."""

    since: date
    per_month: Decimal
    most: int

    def by(self, day: date) -> float:
        months = Decimal(max(0, (day - self.since).days)) / DAYS_A_MONTH
        return float(min(Decimal(self.most), self.per_month * months))


def enrolment(desk: Desk, site: str | None = None) -> Enrolment:
    """Enrolment of the desk's site, of one site, or of all that the desk may see."""
    build, today = desk.build, desk.today
    wanted = desk.site or site
    people = list(desk.rows.where(DISPOSITION, **({"site": wanted} if wanted else {})))
    active = {str(row["site"]): row for row in desk.rows.where(SITE)}
    sites = [name for name in build.study.sites if wanted in (None, name)]
    screened = sorted(_days(people, "screened_on"))
    included = sorted(_days(people, "randomised_on"))
    paces = _paces(build, {name: active[name] for name in sites if name in active})
    first = min([*screened[:1], *(pace.since for pace in paces), today])
    planned = sum(build.study.sites[name].planned_participants for name in sites)
    return Enrolment(
        first=first,
        today=today,
        planned=planned if wanted else build.study.identity.planned_participants,
        points=tuple(_point(day, screened, included, paces) for day in _months(first, today)),
        steps=tuple((day, number) for number, day in enumerate(included, start=1)),
        reasons=_reasons(desk, people),
        sites=tuple(_line(build, name, active.get(name), people) for name in sites),
        screened=len(people),
        not_included=sum(row["status"] in NOT_INCLUDED for row in people),
        in_screening=sum(row["status"] == "screening" for row in people),
    )


def _days(people: Iterable[Row], column: str) -> list[date]:
    return [date.fromisoformat(str(row[column])) for row in people if row[column]]


def _paces(build: Build, active: dict[str, Row]) -> tuple[_Pace, ...]:
    """The pace of each active site, as the study's simulation declares arrivals and screening failures."""
    simulation = build.study.simulation
    kept = 1 - Decimal(simulation.screen_failure)
    rates = {one.site: Decimal(one.per_month) * kept for one in simulation.accrual}
    return tuple(
        _Pace(
            since=local_date(datetime.fromisoformat(str(row["activated_at"])), build.study.sites[name].timezone),
            per_month=rates[name],
            most=build.study.sites[name].planned_participants,
        )
        for name, row in active.items()
        if name in rates
    )


def _months(first: date, today: date) -> list[date]:
    """The first day, the first of each month after it, and today."""
    days, day = [first], first.replace(day=1)
    while (day := (day + timedelta(days=32)).replace(day=1)) < today:
        days.append(day)
    return [*days, today] if today > first else days


def _point(day: date, screened: list[date], included: list[date], paces: tuple[_Pace, ...]) -> Point:
    return Point(
        day=day,
        screened=sum(one <= day for one in screened),
        included=sum(one <= day for one in included),
        planned=round(sum(pace.by(day) for pace in paces), 3) if paces else None,
    )


def _reasons(desk: Desk, people: list[Row]) -> tuple[Reason, ...]:
    counted: Counter[str] = Counter()
    for row in people:
        if row["status"] == "screen_failure":
            log = desk.rows.get(SCREENING_LOG, (row["participant"],)) or {}
            counted.update(str(log.get("failed_for") or "").split() or [""])
        elif row["status"] == "consent_refused":
            counted["consent_refused"] += 1
    return tuple(Reason(criterion, number) for criterion, number in counted.most_common())


def _line(build: Build, site: str, row: Row | None, people: list[Row]) -> SiteLine:
    here = [one for one in people if one["site"] == site]
    return SiteLine(
        site=site,
        name=build.study.sites[site].name,
        active=row is not None,
        recruiting=bool(row and row["recruiting"]),
        planned=build.study.sites[site].planned_participants,
        screened=len(here),
        included=sum(one["randomised_on"] is not None for one in here),
        failed=sum(one["status"] in NOT_INCLUDED for one in here),
    )


# --- the drawing ------------------------------------------------------------------------------------------------

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 34, 10, 10, 24


@dataclass(frozen=True)
class Mark:
    """A line of the grid with its words."""

    at: float
    words: str


@dataclass(frozen=True)
class Curve:
    """The curve as paths of an SVG of :data:`WIDTH` × :data:`HEIGHT`."""

    included: str
    area: str
    planned: str
    levels: tuple[Mark, ...]
    days: tuple[Mark, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM
    words_y: int = HEIGHT - 6


def curve(found: Enrolment) -> Curve:
    """Inclusions as steps, the plan as a line."""
    planned = [(point.day, point.planned) for point in found.points if point.planned is not None]
    top = _round_up(max([found.included, *(number for _, number in planned), 1]))
    span = max(1, (found.today - found.first).days)

    def x(day: date) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (day - found.first).days / span, 1)

    def y(number: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * number / top, 1)

    steps = [f"M{x(found.first)} {y(0)}"]
    steps += [f"H{x(day)}V{y(number)}" for day, number in found.steps]
    steps.append(f"H{x(found.today)}")
    path = "".join(steps)
    return Curve(
        included=path,
        area=f"{path}V{y(0)}Z",
        planned="M" + "L".join(f"{x(day)} {y(number)}" for day, number in planned) if planned else "",
        levels=tuple(Mark(y(level), str(level)) for level in range(0, top + 1, max(1, top // 4))),
        days=tuple(Mark(x(day), day.strftime("%m.%y")) for day in _ticks(found)),
    )


def _round_up(number: float) -> int:
    for step in (4, 8, 12, 16, 20, 40, 60, 80, 100, 200, 400, 800, 1600, 4000, 8000):
        if number <= step:
            return step
    return int(number)


def _ticks(found: Enrolment) -> list[date]:
    """At most seven first days of months."""
    firsts = [point.day for point in found.points if point.day.day == 1]
    every = max(1, -(-len(firsts) // 7))
    return firsts[::every]
