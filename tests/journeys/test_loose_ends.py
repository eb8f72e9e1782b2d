"""A rehearsal that stops in the middle leaves what real days leave on people's desks, in the record that it makes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from trialwright.rehearsal import Wishes, rehearse
from trialwright.stores import MemoryStore
from trialwright.trial.capture.views import FORM
from trialwright.trial.event import Space
from trialwright.trial.tasks import Kind, tasks

UNTIL = datetime(2027, 3, 1, tzinfo=UTC)
WANTED = {Kind.ANSWER_QUERY, Kind.SETTLE_QUERY, Kind.COMPLETE_FORM, Kind.VISIT_OVERDUE, Kind.MEET_CLOCK}


def stopped(build, *, loose_ends: bool):
    wishes = Wishes(participants=10, seed=1, until=UNTIL, loose_ends=loose_ends)
    trial = rehearse(build, MemoryStore(), MemoryStore(), wishes).trial
    return trial, tasks(trial.stores[Space.OPEN].rows, trial.builds, UNTIL.date())


@pytest.fixture(scope="module")
def left(build_of):
    return stopped(build_of("smart-ms"), loose_ends=True)


def test_somebody_has_questions_half_a_form_an_overdue_visit_and_a_running_clock(left):
    _trial, waiting = left
    assert {task.kind for task in waiting} >= WANTED


def test_the_form_half_filled_is_at_an_unplanned_visit_of_the_last_day(left):
    trial, _waiting = left
    half = [row for row in trial.stores[Space.OPEN].rows.where(FORM) if not row["complete"]]
    assert {(row["encounter"], str(row["last_saved_at"])[:10]) for row in half} == {("unscheduled_1", "2027-02-28")}


def test_nobody_leaves_loose_ends_unless_wished(build_of):
    _trial, waiting = stopped(build_of("smart-ms"), loose_ends=False)
    assert not {Kind.COMPLETE_FORM, Kind.MEET_CLOCK} & {task.kind for task in waiting if task.kind in WANTED}
