"""The calendar: what lies on which day, how far a bar reaches, and the file for a calendar program."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from trialwright.trial.tasks import CellState, MatrixRow, VisitCell
from trialwright_web.capture.calendar_model import (
    BAR,
    Appointment,
    appointments,
    as_icalendar,
    days,
    week_of,
    windows,
)

TODAY = date(2028, 2, 15)
DATES = st.dates(date(2028, 1, 1), date(2028, 4, 30))


def visit(day, state=CellState.AHEAD, before=3, after=3, participant="NO-01-001"):
    return Appointment(
        participant=participant,
        site="01",
        encounter="week_1",
        words="Week 1",
        state=state,
        day=day,
        earliest=day - timedelta(days=before),
        latest=day + timedelta(days=after),
        held=state is CellState.SIGNED,
        remote=False,
    )


VISITS = st.builds(
    visit,
    DATES,
    st.sampled_from([CellState.AHEAD, CellState.DUE, CellState.OVERDUE, CellState.SIGNED]),
    st.integers(0, 30),
    st.integers(0, 30),
)


@given(st.lists(VISITS, max_size=20), DATES)
def test_every_visit_of_the_week_stands_once_on_its_day(found, day):
    monday = week_of(day)
    shown = days(found, monday, 7, TODAY)
    assert [one.day for one in shown] == [monday + timedelta(days=number) for number in range(7)]
    standing = [entry for one in shown for entry in one.entries]
    expected = [one for one in found if monday <= one.day < monday + timedelta(days=7)]
    assert sorted(standing, key=id) == sorted(expected, key=id)
    for one in shown:
        assert all(entry.day == one.day for entry in one.entries)
        assert all(entry.latest == one.day != entry.day and not entry.held for entry in one.closing)


def test_a_week_begins_on_monday():
    assert week_of(date(2028, 2, 20)) == date(2028, 2, 14) == week_of(date(2028, 2, 14))


@given(st.lists(VISITS, max_size=20), DATES, st.integers(7, 42))
def test_bars_stay_inside_the_drawing_and_are_as_long_as_their_days(found, first, count):
    last = first + timedelta(days=count - 1)
    for bar in windows(found, first, count, TODAY):
        assert 0 <= bar.x <= bar.x + bar.width <= BAR + 0.2
        seen = min(bar.visit.latest, last) - max(bar.visit.earliest, first)
        assert abs(bar.width - max(0, seen.days + 1) * BAR / count) <= 0.1
        assert (bar.target is not None) == (first <= bar.visit.day <= last)
        assert bar.left == (bar.visit.latest - TODAY).days
        assert bar.visit.state is not CellState.SIGNED


def test_what_closes_first_stands_first_and_what_is_late_is_never_left_out():
    late = visit(date(2028, 1, 5), CellState.OVERDUE, participant="NO-01-009")
    soon, later = visit(date(2028, 2, 16)), visit(date(2028, 2, 25))
    bars = windows([later, soon, late], date(2028, 2, 14), 28, TODAY)
    assert [bar.visit for bar in bars] == [late, soon, later]
    assert bars[0].width == 0


def test_the_matrix_gives_the_calendar_its_visits(smart_ms):
    cells = (
        VisitCell(encounter="screening", state=CellState.SIGNED, date="2028-01-03", earliest=None, latest=None,
                  days_out=0, open_queries=0),
        VisitCell(encounter="week_1", state=CellState.DUE, date="2028-02-16", earliest="2028-02-14",
                  latest="2028-02-18", days_out=0, open_queries=0),
        VisitCell(encounter="month_18", state=CellState.NOT_YET_ANCHORED, date=None, earliest=None, latest=None,
                  days_out=0, open_queries=0),
    )  # fmt: skip
    row = MatrixRow(participant="NO-01-001", site="01", status="randomised", cells=cells)
    first, second = appointments([row], {"01": smart_ms})
    assert (first.words, first.held, first.day) == ("Screening", True, date(2028, 1, 3))
    assert (second.tone, second.earliest, second.latest) == ("due", date(2028, 2, 14), date(2028, 2, 18))


def test_a_calendar_program_reads_the_same_days_back():
    found = [visit(date(2028, 2, 16)), visit(date(2028, 3, 1), participant="NO-01-002")]
    now = datetime(2028, 2, 15, 8, tzinfo=UTC)
    text = as_icalendar(found, study="smart-ms", acronym="SMART-MS", host="trial.example", now=now)
    events = Calendar.from_ical(text).walk("VEVENT")
    assert [event.decoded("dtstart") for event in events] == [date(2028, 2, 16), date(2028, 3, 1)]
    assert [str(event["summary"]) for event in events] == ["SMART-MS NO-01-001: Week 1", "SMART-MS NO-01-002: Week 1"]
    assert len({str(event["uid"]) for event in events}) == 2
    assert text == as_icalendar(found, study="smart-ms", acronym="SMART-MS", host="trial.example", now=now)
