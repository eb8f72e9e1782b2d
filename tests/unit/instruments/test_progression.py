"""Confirmed change: one rule a test, on a course small enough to follow with a finger."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from trialwright.foundation.errors import InvalidValue
from trialwright.instruments.progression import (
    EDSS,
    NHPT,
    SDMT,
    T25FW,
    Change,
    Criteria,
    EdssSteps,
    Relation,
    Visit,
    confirmed_changes,
    first_worsening,
)

START = date(2025, 1, 1)


def course(*points):
    return [Visit(day(n), value) for n, value in points]


def day(number):
    return START + timedelta(days=number)


def onset(visits, criteria=EDSS, relapses=()):
    event = first_worsening(visits, criteria, relapses)
    return None if event is None else (event.onset_on - START).days


@pytest.mark.parametrize(
    ("criteria", "baseline", "worse", "not_enough"),
    [
        (EDSS, 0, "1.5", "1.0"),
        (EDSS, "1.0", "2.0", "1.5"),
        (EDSS, "5.0", "6.0", "5.5"),
        (EDSS, "5.5", "6.0", "5.5"),
        (replace(EDSS, threshold=EdssSteps(half_step_from=Decimal("5.0"))), "5.0", "5.5", "5.0"),
        (T25FW, "5.5", "6.6", "6.59"),  # exactly 20 %: a binary float would say 6.6000000000000005
        (NHPT, "30", "36", "35.9"),
        (SDMT, "50", "46", "47"),
        (SDMT, "10", "8", "9"),
    ],
)
def test_the_least_relevant_change_counts_and_less_does_not(criteria, baseline, worse, not_enough):
    assert onset(course((0, baseline), (90, worse), (180, worse)), criteria) == 90
    assert onset(course((0, baseline), (90, not_enough), (180, not_enough)), criteria) is None


def test_no_change_is_never_a_change_even_from_a_baseline_of_zero():
    assert onset(course((0, 0), (90, 0), (180, 0)), SDMT) is None


def test_a_worsening_at_the_last_visit_is_not_confirmed():
    assert onset(course((0, 4), (90, 6))) is None


@pytest.mark.parametrize(("days", "confirmed"), [(76, False), (77, True), (814, True), (815, False)])
def test_the_confirmation_visit_lies_inside_its_window(days, confirmed):
    found = onset(course((0, 4), (90, 6), (90 + days, 6)))
    assert (found == 90) is confirmed


def test_without_an_upper_end_any_later_visit_confirms():
    assert onset(course((0, 4), (90, 6), (2000, 6)), replace(EDSS, late_days=None)) == 90


def test_a_visit_in_between_must_keep_the_change_unless_told_otherwise():
    visits = course((0, 4), (90, 6), (120, 4), (180, 6), (300, 6))
    assert onset(visits) == 180
    assert onset(visits, replace(EDSS, hold_between=False)) == 90


def test_a_smaller_but_still_relevant_change_confirms():
    assert onset(course((0, 4), (90, 6), (180, 5))) == 90
    assert onset(course((0, 4), (90, 6), (180, "4.5"))) is None


def test_an_unscheduled_visit_may_be_barred_from_confirming():
    visits = [*course((0, 4), (90, 6)), Visit(day(175), Decimal(6), confirms=False)]
    assert onset(visits) is None
    assert onset([*visits, Visit(day(180), Decimal(6))]) == 90


def test_a_recent_relapse_moves_the_baseline_and_bars_a_confirmation():
    visits = course((0, 6), (60, 4), (150, 6), (240, 6))
    assert onset(visits, relapses=[day(-10)]) == 150
    assert onset(visits) is None
    confirming = course((0, 4), (90, 6), (180, 6), (270, 6))
    event = first_worsening(confirming, EDSS, [day(175)])
    assert event is not None
    assert event.confirmed_on == day(270)


@pytest.mark.parametrize(("days_before", "is_baseline"), [(29, False), (30, True)])
def test_the_influence_of_a_relapse_ends_on_the_declared_day(days_before, is_baseline):
    visits = course((0, 4), (90, 6), (180, 6))
    event = first_worsening(visits, EDSS, [day(-days_before)])
    assert (event is not None) is is_baseline


def test_nobody_has_a_baseline_during_a_relapse():
    assert confirmed_changes(course((0, 4), (20, 6)), EDSS, [day(-5)]) == ()
    assert confirmed_changes([], EDSS, []) == ()


@pytest.mark.parametrize(
    ("relapse_day", "relation"),
    [
        (200, Relation.RAW),
        (110, Relation.RAW),
        (109, Relation.PIRA),
        (230, Relation.UNDETERMINED),  # begins 30 days after the onset
        (231, Relation.PIRA),
        (500 - 90, Relation.UNDETERMINED),
        (500 - 91, Relation.PIRA),
        (500 + 30, Relation.UNDETERMINED),
        (500 + 31, Relation.PIRA),
    ],
)
def test_the_relation_to_relapses_turns_at_the_declared_days(relapse_day, relation):
    visits = course((0, 4), (200, 6), (500, 6), (800, 6))
    event = first_worsening(visits, EDSS, [day(relapse_day)])
    assert event is not None
    assert event.relation is relation


def test_without_knowledge_of_relapses_there_is_no_relation():
    visits = course((0, 4), (90, 6), (180, 6))
    assert first_worsening(visits, EDSS).relation is None
    assert first_worsening(visits, EDSS, []).relation is Relation.PIRA


def test_a_fixed_baseline_counts_one_lasting_change_once():
    visits = course((0, 4), (90, 6), (180, 6), (270, 6), (360, 4), (450, 6), (540, 6))
    events = confirmed_changes(visits, EDSS, [])
    assert [(e.onset_on - START).days for e in events] == [90, 450]
    assert (events[0].sustained_until, events[0].sustained_to_end) == (day(270), False)
    assert events[1].sustained_to_end


def test_a_roving_baseline_counts_each_further_step():
    visits = course((0, 4), (90, 5), (180, 5), (270, 6), (360, 6))
    roving = replace(EDSS, baseline="roving")
    assert [(e.onset_on - START).days for e in confirmed_changes(visits, roving, [])] == [90, 270]
    assert [(e.onset_on - START).days for e in confirmed_changes(visits, EDSS, [])] == [90]


def test_an_improvement_is_found_and_is_no_worsening():
    visits = course((0, 5), (90, 4), (180, 4))
    (event,) = confirmed_changes(visits, EDSS, [])
    assert (event.change, event.relation) == (Change.IMPROVEMENT, None)
    assert first_worsening(visits, EDSS, []) is None


@pytest.mark.parametrize(
    "call",
    [
        lambda: confirmed_changes(course((0, 4), (0, 5)), EDSS),
        lambda: Visit(datetime(2025, 1, 1, tzinfo=UTC), Decimal(1)),
        lambda: Visit(START, "four"),
        lambda: Criteria(threshold=EdssSteps(), early_days=84),
        lambda: Criteria(threshold=EdssSteps(), raw_days=-1),
    ],
)
def test_what_cannot_be_is_refused(call):
    with pytest.raises(InvalidValue):
        call()
