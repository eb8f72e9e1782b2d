"""What is expected of a participant, one situation a test, on a small crossover plan."""

from datetime import UTC, date, datetime, timedelta

import pytest

from trialwright.foundation.errors import InvalidValue
from trialwright.schedule import NOT_DONE, Offset, PlannedEncounter, Status, Unit, expectations, projected


def weeks(n):
    return Offset(n, Unit.WEEKS)


def months(n):
    return Offset(n, Unit.MONTHS)


PLAN = (
    PlannedEncounter(id="screening", anchor="screening", sets="screening"),
    PlannedEncounter(
        id="injection_1",
        anchor="screening",
        offset=weeks(6),
        window_before_days=14,
        window_after_days=14,
        sets="injection_1",
        after=("screening",),
    ),
    PlannedEncounter(id="week_4", anchor="injection_1", offset=weeks(4), window_before_days=3, window_after_days=3),
    PlannedEncounter(
        id="injection_2",
        anchor="injection_1",
        offset=months(6),
        window_before_days=7,
        window_after_days=14,
        sets="injection_2",
    ),
    PlannedEncounter(id="telephone", anchor="injection_2", offset=weeks(2), window_after_days=2, optional=True),
    PlannedEncounter(id="month_9", anchor="injection_2", offset=months(3), window_before_days=14),
    PlannedEncounter(id="extra", anchor=None),
)


def seen(happened=None, **kwargs):
    found = expectations(PLAN, kwargs.pop("anchors", {}), happened or {}, **kwargs)
    return {expectation.encounter: expectation for expectation in found}


def test_nothing_is_anchored_before_screening():
    found = seen()
    assert found["injection_1"].status is Status.NOT_YET_ANCHORED
    assert found["injection_1"].target is None
    assert found["extra"].status is Status.NOT_EXPECTED


def test_the_window_counts_local_dates_at_both_ends():
    day = date(2025, 3, 1)
    found = seen({"screening": day}, on=day)
    injection = found["injection_1"]
    assert (injection.target, injection.earliest, injection.latest) == (
        date(2025, 4, 12),
        date(2025, 3, 29),
        date(2025, 4, 26),
    )
    assert injection.status is Status.EXPECTED
    for on, status in [
        (date(2025, 3, 28), Status.EXPECTED),
        (date(2025, 3, 29), Status.DUE),
        (date(2025, 4, 26), Status.DUE),
        (date(2025, 4, 27), Status.OVERDUE),
    ]:
        assert seen({"screening": day}, on=on)["injection_1"].status is status


def test_nothing_is_overdue_unless_a_date_is_asked_for():
    assert seen({"screening": date(1990, 1, 1)})["injection_1"].status is Status.EXPECTED


@pytest.mark.parametrize(
    ("took_place", "status", "days_out"),
    [
        (date(2025, 3, 26), Status.DONE_OUT_OF_WINDOW, -3),
        (date(2025, 3, 29), Status.DONE_IN_WINDOW, 0),
        (date(2025, 4, 26), Status.DONE_IN_WINDOW, 0),
        (date(2025, 4, 28), Status.DONE_OUT_OF_WINDOW, 2),
    ],
)
def test_an_encounter_out_of_its_window_says_by_how_many_days(took_place, status, days_out):
    found = seen({"screening": date(2025, 3, 1), "injection_1": took_place})["injection_1"]
    assert (found.status, found.days_out, found.happened_on) == (status, days_out, took_place)


def test_period_two_counts_from_the_second_injection_not_from_the_first():
    happened = {"screening": date(2025, 1, 1), "injection_1": date(2025, 2, 12)}
    assert seen(happened)["month_9"].status is Status.NOT_YET_ANCHORED
    late = seen({**happened, "injection_2": date(2025, 8, 25)})
    assert late["month_9"].target == date(2025, 11, 25)
    assert late["injection_2"].status is Status.DONE_IN_WINDOW


def test_an_anchor_in_the_record_wins_over_the_date_of_the_encounter():
    happened = {"screening": date(2025, 1, 1), "injection_1": date(2025, 2, 12)}
    found = seen(happened, anchors={"injection_1": date(2025, 2, 13)})
    assert found["week_4"].target == date(2025, 3, 13)


def test_months_are_calendar_months_clamped_to_the_last_day():
    for day, target in [
        (date(2025, 8, 31), date(2026, 2, 28)),
        (date(2023, 8, 31), date(2024, 2, 29)),
        (date(2025, 8, 29), date(2026, 2, 28)),
        (date(2025, 2, 28), date(2025, 8, 28)),
    ]:
        assert seen(anchors={"injection_1": day})["injection_2"].target == target
    assert Offset(-1, Unit.MONTHS).after(date(2025, 3, 31)) == date(2025, 2, 28)
    assert Offset(12, Unit.MONTHS).after(date(2024, 2, 29)) == date(2025, 2, 28)


def test_recorded_as_not_done_is_missed_and_leaves_later_encounters_without_an_anchor():
    found = seen({"screening": date(2025, 1, 1), "injection_1": NOT_DONE})
    assert found["injection_1"].status is Status.MISSED
    assert found["week_4"].status is Status.NOT_YET_ANCHORED


@pytest.mark.parametrize(
    ("ended", "status"),
    [
        (date(2025, 3, 28), Status.NOT_EXPECTED),
        (date(2025, 4, 25), Status.NOT_EXPECTED),
        (date(2025, 4, 26), Status.MISSED),
    ],
)
def test_after_the_end_only_windows_that_had_closed_are_missed(ended, status):
    found = seen({"screening": date(2025, 3, 1)}, ended=ended, on=date(2030, 1, 1))
    assert found["injection_1"].status is status
    assert found["week_4"].status is Status.NOT_EXPECTED


def test_what_took_place_after_the_end_is_still_a_fact():
    found = seen({"screening": date(2025, 3, 1), "injection_1": date(2025, 4, 12)}, ended=date(2025, 3, 2))
    assert found["injection_1"].status is Status.DONE_IN_WINDOW


def test_an_optional_encounter_is_never_overdue_nor_missed():
    anchors = {"injection_2": date(2025, 8, 1)}
    assert seen(anchors=anchors, on=date(2025, 8, 16))["telephone"].status is Status.DUE
    assert seen(anchors=anchors, on=date(2026, 1, 1))["telephone"].status is Status.NOT_EXPECTED
    assert seen(anchors=anchors, ended=date(2026, 1, 1))["telephone"].status is Status.NOT_EXPECTED


def test_contacts_without_a_window_are_unscheduled_and_never_refused():
    found = seen({"extra": date(2025, 5, 1), "removed_by_amendment": date(2025, 5, 2)})
    assert found["extra"].status is Status.UNSCHEDULED
    assert found["removed_by_amendment"].happened_on == date(2025, 5, 2)
    assert seen({"week_4": date(2025, 5, 3)})["week_4"].status is Status.UNSCHEDULED


def test_a_predecessor_narrows_the_window_but_never_widens_it():
    plan = (
        PlannedEncounter(id="assessment", anchor="injection_1", offset=weeks(26), window_after_days=14),
        PlannedEncounter(
            id="marrow",
            anchor="injection_1",
            offset=weeks(26),
            window_after_days=14,
            after=("assessment",),
        ),
    )
    anchors = {"injection_1": date(2025, 1, 1)}
    waiting = expectations(plan, anchors, {})[1]
    assert waiting.waits_for == ("assessment",)
    narrowed = expectations(plan, anchors, {"assessment": date(2025, 7, 8)})[1]
    assert (narrowed.earliest, narrowed.latest, narrowed.waits_for) == (
        date(2025, 7, 8),
        date(2025, 7, 16),
        (),
    )
    late = expectations(plan, anchors, {"assessment": date(2025, 7, 20), "marrow": date(2025, 7, 20)})[1]
    assert (late.earliest, late.status, late.days_out) == (date(2025, 7, 16), Status.DONE_OUT_OF_WINDOW, 4)
    same_day = expectations(plan, anchors, {"assessment": date(2025, 7, 3), "marrow": date(2025, 7, 3)})[1]
    assert (same_day.status, same_day.waits_for) == (Status.DONE_IN_WINDOW, ())
    reversed_order = expectations(plan, anchors, {"assessment": date(2025, 7, 5), "marrow": date(2025, 7, 4)})
    assert (reversed_order[1].days_out, reversed_order[1].waits_for) == (-1, ("assessment",))


def test_the_projection_lays_the_whole_journey_out_from_its_beginning():
    journey = projected(PLAN, {"screening": date(2025, 1, 1)})
    assert list(journey) == ["screening", "injection_1", "week_4", "injection_2", "telephone", "month_9"]
    assert journey["injection_1"] == date(2025, 2, 12)
    assert journey["month_9"] == date(2025, 11, 12)
    moved = projected(PLAN, {}, {"screening": date(2025, 1, 1), "injection_1": date(2025, 3, 1)})
    assert moved["month_9"] == date(2025, 12, 1)
    assert projected(PLAN, {}) == {}


@pytest.mark.parametrize(
    "call",
    [
        lambda: Offset(200, Unit.MONTHS).after(date(9990, 1, 1)),
        lambda: Offset(-200, Unit.MONTHS).after(date(5, 1, 1)),
        lambda: Offset(36_600, Unit.DAYS).after(date(9990, 1, 1)),
        lambda: PLAN[1].window(date(9999, 11, 18)),
        lambda: Offset(1201, Unit.MONTHS),
        lambda: PlannedEncounter(id="x", anchor="a", window_after_days=99_999),
        lambda: seen({"screening": datetime(2025, 1, 1, tzinfo=UTC)}),
        lambda: seen(on=datetime(2025, 1, 1, tzinfo=UTC)),
        lambda: seen(ended=datetime(2025, 1, 1, tzinfo=UTC)),
    ],
)
def test_dates_that_cannot_be_are_named(call):
    with pytest.raises(InvalidValue) as refused:
        call()
    assert refused.value.remedy


def test_windows_do_not_notice_daylight_saving():
    for anchor in (date(2025, 3, 29), date(2025, 10, 25)):
        found = seen(anchors={"injection_1": anchor})["week_4"]
        assert found.target - anchor == timedelta(days=28)
