"""Laws of the schedule, over random plans and histories, and a second, naive way to reach each verdict."""

import calendar
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.schedule import (
    NOT_DONE,
    FaultKind,
    Offset,
    PlannedEncounter,
    Status,
    Unit,
    expectations,
    impossible,
    overlaps,
    projected,
)

DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))
NAMES = [f"e{n}" for n in range(6)]
ANCHORS = ["a", "b", "c"]


def plans(units=tuple(Unit)):
    encounter = st.builds(
        PlannedEncounter,
        id=st.just("x"),
        anchor=st.sampled_from([*ANCHORS, None]),
        offset=st.builds(Offset, st.integers(-30, 60), st.sampled_from(units)),
        window_before_days=st.integers(-3, 20),
        window_after_days=st.integers(-3, 20),
        sets=st.sampled_from([*ANCHORS, None]),
        after=st.lists(st.sampled_from([*NAMES, "nowhere"]), max_size=2).map(tuple),
        optional=st.booleans(),
    )

    def name(encounters):
        return tuple(
            PlannedEncounter(
                id=f"e{n}",
                anchor=e.anchor,
                offset=e.offset,
                window_before_days=e.window_before_days,
                window_after_days=e.window_after_days,
                sets=e.sets,
                after=e.after,
                optional=e.optional,
            )
            for n, e in enumerate(encounters)
        )

    return st.lists(encounter, max_size=6).map(name)


ANCHORED = st.dictionaries(st.sampled_from(ANCHORS), DAYS)
HAPPENED = st.dictionaries(st.sampled_from([*NAMES, "foreign"]), st.one_of(DAYS, st.just(NOT_DONE)))
PROGRESS = [Status.EXPECTED, Status.DUE, Status.OVERDUE]


def shifted(dates, days):
    return {k: v if v is NOT_DONE else v + timedelta(days=days) for k, v in dates.items()}


@settings(deadline=None)
@given(plans((Unit.DAYS, Unit.WEEKS)), ANCHORED, HAPPENED, st.integers(-400, 400), DAYS)
def test_shifting_every_date_shifts_every_window_and_keeps_every_status(plan, anchors, happened, by, on):
    move = timedelta(days=by)
    here = expectations(plan, anchors, happened, on=on)
    there = expectations(plan, shifted(anchors, by), shifted(happened, by), on=on + move)
    for a, b in zip(here, there, strict=True):
        assert (a.status, a.days_out, a.waits_for) == (b.status, b.days_out, b.waits_for)
        if a.target is not None:
            assert (a.target + move, a.earliest + move, a.latest + move) == (b.target, b.earliest, b.latest)


@settings(deadline=None)
@given(plans(), ANCHORED, HAPPENED, st.none() | DAYS, st.lists(DAYS, min_size=2, max_size=2).map(sorted))
def test_as_days_pass_a_status_only_moves_forward(plan, anchors, happened, ended, dates):
    earlier = expectations(plan, anchors, happened, ended=ended, on=dates[0])
    later = expectations(plan, anchors, happened, ended=ended, on=dates[1])
    for a, b in zip(earlier, later, strict=True):
        if a.status in PROGRESS and b.status in PROGRESS:
            assert PROGRESS.index(a.status) <= PROGRESS.index(b.status)
        elif a.status in PROGRESS:
            assert a.optional and b.status is Status.NOT_EXPECTED
        else:
            assert a == b


def naive_status(encounter, anchors, happened, ended, on):
    """The same verdict, day by day: the window is a set of dates instead of two ends."""
    outcome = happened.get(encounter.id)
    if encounter.anchor not in anchors:
        if outcome is NOT_DONE:
            return Status.MISSED
        if outcome:
            return Status.UNSCHEDULED
        return Status.NOT_EXPECTED if ended or encounter.anchor is None else Status.NOT_YET_ANCHORED
    target = naive_target(encounter.offset, anchors[encounter.anchor])
    first = target - timedelta(days=encounter.window_before_days)
    last = target + timedelta(days=encounter.window_after_days)
    window = {first + timedelta(days=n) for n in range((last - first).days + 1)}
    if outcome is NOT_DONE:
        return Status.MISSED
    if outcome:
        return Status.DONE_IN_WINDOW if outcome in window else Status.DONE_OUT_OF_WINDOW
    if ended:
        closed = last <= ended
        return Status.MISSED if closed and not encounter.optional else Status.NOT_EXPECTED
    if on in window:
        return Status.DUE
    if on <= last:
        return Status.EXPECTED
    return Status.NOT_EXPECTED if encounter.optional else Status.OVERDUE


def naive_target(offset, anchor):
    """Months by walking one month at a time; the day of the anchor is kept and clamped at the end."""
    if offset.unit is not Unit.MONTHS:
        return anchor + offset.count * timedelta(days=7 if offset.unit is Unit.WEEKS else 1)
    year, month = anchor.year, anchor.month
    for _ in range(abs(offset.count)):
        month += 1 if offset.count > 0 else -1
        if month in {0, 13}:
            year, month = (year - 1, 12) if month == 0 else (year + 1, 1)
    for day in range(anchor.day, 0, -1):
        if day <= calendar.monthrange(year, month)[1]:
            return date(year, month, day)
    raise AssertionError


@settings(deadline=None)
@given(plans(), ANCHORED, HAPPENED, st.none() | DAYS, DAYS)
def test_every_status_agrees_with_a_window_taken_as_a_set_of_dates(plan, anchors, happened, ended, on):
    plan = tuple(
        PlannedEncounter(
            id=e.id,
            anchor=e.anchor,
            offset=e.offset,
            window_before_days=e.window_before_days,
            window_after_days=abs(e.window_after_days) + abs(e.window_before_days),
            optional=e.optional,
        )
        for e in plan
    )
    found = expectations(plan, anchors, happened, ended=ended, on=on)
    for encounter, expectation in zip(plan, found, strict=False):
        assert expectation.status is naive_status(encounter, anchors, happened, ended, on)


@settings(deadline=None)
@given(plans(), ANCHORED, HAPPENED, st.none() | DAYS, DAYS)
def test_every_fact_comes_back_and_every_expectation_is_consistent(plan, anchors, happened, ended, on):
    found = expectations(plan, anchors, happened, ended=ended, on=on)
    assert {e.encounter for e in found} >= set(happened)
    assert [e.encounter for e in found[: len(plan)]] == [e.id for e in plan]
    for e in found:
        assert (e.happened_on is not None) == (
            e.status in {Status.DONE_IN_WINDOW, Status.DONE_OUT_OF_WINDOW, Status.UNSCHEDULED}
        )
        assert (e.days_out != 0) == (e.status is Status.DONE_OUT_OF_WINDOW)
        dates = (e.target, e.earliest, e.latest)
        assert all(d is None for d in dates) or all(d is not None for d in dates)


@settings(deadline=None)
@given(plans())
def test_checks_answer_for_every_plan(plan):
    impossible(plan)
    for overlap in overlaps(plan):
        assert overlap.days >= 1


@settings(deadline=None)
@given(plans((Unit.DAYS, Unit.WEEKS)), DAYS)
def test_overlap_is_what_two_sets_of_dates_share(plan, anchor):
    def window(e):
        _, first, last = e.window(anchor)
        return {first + timedelta(days=n) for n in range((last - first).days + 1)}

    expected = {
        (a.id, b.id): len(window(a) & window(b))
        for n, a in enumerate(plan)
        for b in plan[n + 1 :]
        if a.anchor is not None and a.anchor == b.anchor and window(a) & window(b)
    }
    assert {(o.first, o.second): o.days for o in overlaps(plan)} == expected


LEAP_CYCLE = [date(2028, 3, 1) + timedelta(days=n) for n in range(1461)]


@settings(deadline=None, max_examples=40)
@given(plans())
def test_with_months_the_overlap_is_the_largest_over_all_anchor_dates(plan):
    pairs = [(a, b) for n, a in enumerate(plan) for b in plan[n + 1 :] if a.anchor is not None]
    pairs = [(a, b) for a, b in pairs if a.anchor == b.anchor][:2]
    found = {(o.first, o.second): o.days for o in overlaps(plan)}
    for a, b in pairs:
        windows = [(a.window(day), b.window(day)) for day in LEAP_CYCLE]
        most = max((min(x[2], y[2]) - max(x[1], y[1])).days + 1 for x, y in windows)
        assert found.get((a.id, b.id), 0) == max(0, most)


# One month is 28 to 31 days: offsets that are before or after each other as the anchor falls.
CLOSE = st.one_of(
    st.builds(Offset, st.integers(28, 31), st.just(Unit.DAYS)),
    st.builds(Offset, st.integers(0, 2), st.just(Unit.MONTHS)),
    st.builds(Offset, st.integers(4, 5), st.just(Unit.WEEKS)),
)


@st.composite
def journeys(draw):
    """Three or four encounters, each anchored to an earlier one, the last after one that is not the first."""
    count = draw(st.integers(3, 4))
    return tuple(
        PlannedEncounter(
            id=f"e{n}",
            anchor=f"by_e{draw(st.integers(0, n - 1))}" if n else "start",
            offset=draw(CLOSE),
            window_before_days=draw(st.integers(0, 1)),
            window_after_days=draw(st.integers(0, 1)),
            sets=f"by_e{n}",
            after=(f"e{draw(st.integers(1, n - 1))}",) if n == count - 1 else (),
        )
        for n in range(count)
    )


@settings(deadline=None, max_examples=50)
@given(journeys())
def test_a_broken_order_is_found_exactly_when_some_anchor_date_breaks_it(plan):
    last = plan[-1]
    (before,) = (e for e in plan if e.id in last.after)
    layouts = [projected(plan, {"start": day}) for day in LEAP_CYCLE]
    too_early = any(layout[last.id] < layout[before.id] for layout in layouts)
    closed = last.anchor == before.anchor and any(last.window(day)[2] < before.window(day)[1] for day in LEAP_CYCLE)
    kinds = [fault.kind for fault in impossible(plan, given={"start"})]
    if closed:
        assert kinds == [FaultKind.WINDOW_BEFORE_PREDECESSOR]
    else:
        assert kinds == ([FaultKind.TARGET_BEFORE_PREDECESSOR] if too_early else [])


@settings(deadline=None)
@given(plans(), ANCHORED)
def test_a_projection_that_comes_true_is_in_window(plan, anchors):
    whole = [e for e in plan if e.window_before_days >= 0 and e.window_after_days >= 0]
    whole = [
        PlannedEncounter(
            id=e.id,
            anchor=e.anchor,
            offset=e.offset,
            window_before_days=e.window_before_days,
            window_after_days=e.window_after_days,
            sets=f"by_{e.id}",
        )
        for e in whole
    ]
    targets = projected(whole, anchors)
    for expectation in expectations(whole, anchors, targets):
        if expectation.encounter in targets:
            assert expectation.status is Status.DONE_IN_WINDOW
