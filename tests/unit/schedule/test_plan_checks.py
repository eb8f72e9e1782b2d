"""Mistakes in a plan, each alone in a plan that is otherwise sound."""

from dataclasses import replace

import pytest

from trialwright.schedule import (
    Fault,
    FaultKind,
    Offset,
    Overlap,
    PlannedEncounter,
    Unit,
    impossible,
    overlaps,
)


def days(n):
    return Offset(n, Unit.DAYS)


def months(n):
    return Offset(n, Unit.MONTHS)


AT_ONCE = days(0)


def planned(name, anchor="baseline", offset=AT_ONCE, before=0, after_days=0, **more):
    return PlannedEncounter(
        id=name,
        anchor=anchor,
        offset=offset,
        window_before_days=before,
        window_after_days=after_days,
        **more,
    )


SOUND = (
    planned("baseline", sets="baseline"),
    planned("week_1", offset=days(7), before=2, after_days=2, after=("baseline",)),
    planned("month_6", offset=months(6), before=14, after_days=14, sets="crossover"),
    planned("week_27", anchor="crossover", offset=days(7), before=2, after_days=2, after=("week_1",)),
)


def changed(name, **changes):
    return tuple(replace(e, **changes) if e.id == name else e for e in SOUND)


def test_a_sound_plan_has_no_fault_and_no_overlap():
    assert impossible(SOUND) == ()
    assert overlaps(SOUND) == ()


@pytest.mark.parametrize(
    ("plan", "fault"),
    [
        ((*SOUND, planned("week_1", offset=days(40))), (FaultKind.DUPLICATE_ID, "week_1", "")),
        (
            changed("week_27", sets="crossover", anchor="baseline", offset=months(8)),
            (FaultKind.ANCHOR_SET_TWICE, "week_27", "crossover"),
        ),
        (changed("month_6", window_after_days=-1), (FaultKind.NEGATIVE_WINDOW, "month_6", "")),
        (
            changed("week_1", anchor="baselin"),
            (FaultKind.UNREACHABLE_ANCHOR, "week_1", "baselin"),
        ),
        (changed("week_1", after=("basline",)), (FaultKind.UNKNOWN_PREDECESSOR, "week_1", "basline")),
        (
            changed("month_6", anchor="crossover"),
            (FaultKind.CYCLE, "month_6", "month_6 → month_6"),
        ),
        (
            changed("week_1", after=("week_27",)),
            (FaultKind.CYCLE, "week_1", "week_1 → week_27 → week_1"),
        ),
        (
            changed("week_1", after=("month_6",)),
            (FaultKind.WINDOW_BEFORE_PREDECESSOR, "week_1", "month_6"),
        ),
        (
            (*SOUND, planned("week_20", offset=days(140), after=("week_27",))),
            (FaultKind.TARGET_BEFORE_PREDECESSOR, "week_20", "week_27"),
        ),
    ],
)
def test_each_mistake_is_found_and_nothing_else(plan, fault):
    kind, encounter, other = fault
    found = impossible(plan)
    assert found == (Fault(kind=kind, encounter=encounter, other=other),)


def test_a_circle_of_anchors_is_spelled_out():
    plan = (
        planned("a", anchor="from_b", sets="from_a"),
        planned("b", anchor="from_a", sets="from_b"),
    )
    (fault,) = impossible(plan)
    assert fault.kind is FaultKind.CYCLE
    assert fault.other in {"a → b → a", "b → a → b"}


def test_anchors_from_outside_the_plan_are_reachable_when_given():
    plan = (planned("week_1", anchor="randomised", offset=days(7)),)
    assert [f.kind for f in impossible(plan)] == [FaultKind.UNREACHABLE_ANCHOR]
    assert impossible(plan, given={"randomised"}) == ()


def test_overlap_counts_shared_dates_and_knows_a_declared_order():
    first = planned("first", offset=days(10), after_days=5)
    second = planned("second", offset=days(14), before=2)
    assert overlaps((first, second)) == (Overlap(first="first", second="second", days=3, ordered=False),)
    ordered = replace(second, after=("first",))
    assert overlaps((first, ordered)) == (Overlap(first="first", second="second", days=3, ordered=True),)
    touching = replace(second, window_before_days=-2)
    assert overlaps((first, touching)) == ()
    assert overlaps((first, replace(second, anchor="other"))) == ()


def test_months_against_weeks_overlap_only_through_february():
    # 1 month is 28 days from 31 January or any day of a common February, 31 days from most other dates.
    month = planned("month", offset=months(1))
    week = planned("week", offset=days(26), after_days=2)
    assert overlaps((month, week)) == (Overlap(first="month", second="week", days=1, ordered=False),)
    assert overlaps((month, replace(week, window_after_days=1))) == ()


def test_month_targets_are_compared_over_every_anchor_date():
    plan = (
        planned("baseline", sets="baseline"),
        planned("day_30", offset=days(30)),
        planned("month_1", offset=months(1), after_days=5, after=("day_30",)),
    )
    assert [f.kind for f in impossible(plan)] == [FaultKind.TARGET_BEFORE_PREDECESSOR]
