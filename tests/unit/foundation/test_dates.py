"""Partial dates: reading, intervals, comparison, completed years."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.foundation.dates import (
    PartialDate,
    WholeNumbers,
    completed_years,
    days_between,
    local_date,
    parse_instant,
    years_between,
)
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.truth import Truth

DAYS = st.dates(date(1990, 1, 1), date(1993, 12, 31))


@st.composite
def partial_dates(draw: st.DrawFn) -> PartialDate:
    day, known = draw(DAYS), draw(st.integers(1, 3))
    return PartialDate(day.year, day.month if known > 1 else None, day.day if known > 2 else None)


def sampled(when: PartialDate, beside: PartialDate) -> set[date]:
    """Enough days of an interval to reach every answer: its ends, the other's ends, the turns of each month."""
    days = [when.earliest + timedelta(days=n) for n in range((when.latest - when.earliest).days + 1)]
    near = {beside.earliest + timedelta(days=n) for n in (-1, 0, 1)}
    near |= {beside.latest + timedelta(days=n) for n in (-1, 0, 1)}
    return {day for day in days if day.day in {1, 28, 29} or day in {when.earliest, when.latest, *near}}


def paired(first: PartialDate, second: PartialDate) -> list[tuple[date, date]]:
    return [(a, b) for a in sampled(first, second) for b in sampled(second, first)]


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2021", "2021"),
        ("2021-06", "2021-06"),
        ("2021-06-14", "2021-06-14"),
        ("14.06.2021", "2021-06-14"),
        ("4.6.2021", "2021-06-04"),
        ("UN.06.2021", "2021-06"),
        ("un.UN.2021", "2021"),
        ("2020-02-29", "2020-02-29"),
    ],
)
def test_a_date_is_read_in_every_form_staff_write(text: str, canonical: str) -> None:
    assert PartialDate.parse(text).text == canonical


@pytest.mark.parametrize(
    "text",
    ["", "21", "2021-6", "2021-13", "2021-00", "2021-02-29", "2021-06-31", "14.UN.2021", "31.04.2021", "2021-06-14 ",
     "2021-06-14\n", "1799", "2200-01", "14/06/2021", "UN.UN.UN", "2021-06-14T10:00", "２０２１", "x" * 10_000],
)  # fmt: skip
def test_what_is_no_date_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        PartialDate.parse(text)
    assert caught.value.remedy
    assert len(caught.value.message) < 100


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("2020", "2020-01-01", "2020-12-31"),
        ("2020-02", "2020-02-01", "2020-02-29"),
        ("2021-02", "2021-02-01", "2021-02-28"),
        ("2021-02-03", "2021-02-03", "2021-02-03"),
    ],
)
def test_a_partial_date_is_the_interval_of_its_days(text: str, earliest: str, latest: str) -> None:
    when = PartialDate.parse(text)
    assert (when.earliest.isoformat(), when.latest.isoformat()) == (earliest, latest)


@given(partial_dates())
def test_the_canonical_text_reads_back_to_the_same_date(when: PartialDate) -> None:
    assert PartialDate.parse(when.text) == when
    assert PartialDate.of(when.earliest).is_full


@settings(deadline=None)
@given(partial_dates(), partial_dates())
def test_a_comparison_is_certain_exactly_when_all_days_agree(first: PartialDate, second: PartialDate) -> None:
    pairs = paired(first, second)

    def agreed(answers: list[bool]) -> Truth:
        return Truth.YES if all(answers) else Truth.UNKNOWN if any(answers) else Truth.NO

    assert first.before(second) is agreed([a < b for a, b in pairs])
    assert first.on_or_before(second) is agreed([a <= b for a, b in pairs])
    assert first.after(second) is agreed([a > b for a, b in pairs])
    assert first.on_or_after(second) is agreed([a >= b for a, b in pairs])
    assert first.same_day(second) is agreed([a == b for a, b in pairs])


@settings(deadline=None)
@given(partial_dates(), partial_dates())
def test_a_difference_is_the_interval_of_all_differences(first: PartialDate, second: PartialDate) -> None:
    pairs = paired(first, second)
    days = [(b - a).days for a, b in pairs]
    years = [completed_years(a, b) for a, b in pairs]
    assert days_between(first, second) == WholeNumbers(min(days), max(days))
    assert years_between(first, second) == WholeNumbers(min(years), max(years))


@given(DAYS, DAYS)
def test_completed_years_count_the_birthdays_passed(start: date, end: date) -> None:
    """Against a slow count: walk from birthday to birthday (29 February is kept on 1 March)."""

    def birthday(year: int) -> date:
        try:
            return start.replace(year=year)
        except ValueError:
            return date(year, 3, 1)

    passed = -20
    while birthday(start.year + passed + 1) <= end:
        passed += 1
    assert completed_years(start, end) == passed


def test_the_day_at_a_site_is_the_local_one() -> None:
    instant = datetime(2025, 6, 30, 22, 30, tzinfo=UTC)
    assert local_date(instant, "Europe/Oslo") == date(2025, 7, 1)
    assert local_date(instant, "America/New_York") == date(2025, 6, 30)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "Europe"])
def test_an_unknown_zone_is_refused_by_name(zone: str) -> None:
    with pytest.raises(InvalidValue):
        local_date(datetime(2025, 1, 1, tzinfo=UTC), zone)


def test_a_time_without_zone_has_no_local_day() -> None:
    with pytest.raises(InvalidValue):
        local_date(datetime(2025, 1, 1), "Europe/Oslo")  # noqa: DTZ001


def test_an_instant_needs_its_offset() -> None:
    assert parse_instant("2025-03-01T09:30:00+01:00") == datetime(2025, 3, 1, 8, 30, tzinfo=UTC)
    for text in ("2025-03-01T09:30:00", "yesterday", "", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        with pytest.raises(InvalidValue):
            parse_instant(text)
