"""The curve of enrolment: steps that stay inside the drawing and end at what the record counts."""

from __future__ import annotations

import re
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from trialwright_web.capture.enrolment import chart
from trialwright_web.capture.enrolment_model import HEIGHT, WIDTH, Enrolment, Point, curve

FIRST = date(2026, 1, 16)


def enrolment(offsets, planned):
    today = FIRST + timedelta(days=400)
    included = sorted(FIRST + timedelta(days=offset) for offset in offsets)
    points = tuple(
        Point(
            day=day,
            screened=len(included),
            included=sum(one <= day for one in included),
            planned=planned and round(planned * (day - FIRST).days / 400, 3),
        )
        for day in (FIRST, FIRST + timedelta(days=200), today)
    )
    steps = tuple((day, number) for number, day in enumerate(included, start=1))
    return Enrolment(
        first=FIRST, today=today, planned=18, points=points, steps=steps, reasons=(), sites=(),
        screened=len(included), not_included=0, in_screening=0,
    )  # fmt: skip


OFFSETS = st.lists(st.integers(0, 400), max_size=60)
PLANNED = st.one_of(st.none(), st.floats(1, 300))


@given(OFFSETS, PLANNED)
def test_the_drawing_stays_inside_its_frame(offsets, planned):
    drawn = curve(enrolment(offsets, planned))
    for path in (drawn.included, drawn.planned):
        horizontal = [float(x) for x in re.findall(r"[MLH](-?[\d.]+)", path)]
        vertical = [float(y) for y in re.findall(r"V(-?[\d.]+)|[ML]-?[\d.]+ (-?[\d.]+)", path) for y in y if y]
        assert all(0 <= x <= WIDTH for x in horizontal)
        assert all(0 <= y <= HEIGHT for y in vertical)
        assert horizontal == sorted(horizontal)
    assert bool(drawn.planned) == (planned is not None)
    assert len({level.at for level in drawn.levels}) == len(drawn.levels)


@given(OFFSETS, PLANNED)
def test_what_the_browser_draws_grows_to_what_the_record_counts(offsets, planned):
    days, included, plan = chart(enrolment(offsets, planned))
    assert days == sorted(set(days))
    assert included == sorted(included)
    assert included[-1] == len(offsets)
    assert len(days) == len(included) == len(plan)
    assert (date(1970, 1, 1) + timedelta(seconds=days[0])) == FIRST
