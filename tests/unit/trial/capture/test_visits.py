"""Visits: dates as said, judged against windows and withdrawal, never refused for being early or late."""

from __future__ import annotations

import pytest

from trialwright.trial.capture.commands import (
    AlreadyRecorded,
    DateNotPossible,
    NothingEntered,
    ReasonMissing,
    RecordMissedVisit,
    RecordVisit,
    StudyIsFrozen,
)
from trialwright.trial.capture.events import EncounterHeld, EncounterMissed
from trialwright.trial.capture.views import VISIT
from trialwright.trial.closure.commands import FreezeStudy
from trialwright.trial.closure.events import DeviationOpened
from trialwright.trial.closure.state import Deviations
from trialwright.trial.command import NotFound
from trialwright.trial.consent.commands import WithdrawConsent
from trialwright.trial.enrolment.commands import EndParticipation
from trialwright.trial.permission import NotPermitted, OtherSite


def visit(book, encounter, date):
    return RecordVisit(participant=book.participant, encounter=encounter, date=date)


def test_a_visit_inside_its_window_is_recorded_without_a_flag(book):
    book.world.later(days=21)
    held = book.world.give(visit(book, "marrow_1", "2025-03-24"), "nurse").event(EncounterHeld)
    assert (held.date, held.days_out, held.unscheduled, held.flags) == ("2025-03-24", 0, False, ())
    (row,) = book.rows(VISIT, encounter="marrow_1")
    assert (row["date"], row["status"], row["days_out"]) == ("2025-03-24", "held", 0)


@pytest.mark.parametrize(("days", "out"), [(6, -1), (7, 0), (21, 0), (22, 1), (40, 19)])
def test_days_outside_the_window_are_counted_from_its_edges_and_open_a_deviation(book, days, out):
    book.world.later(days=days)
    receipt = book.world.give(visit(book, "marrow_1", book.world.today), "nurse")
    held = receipt.event(EncounterHeld)
    assert held.days_out == out
    assert held.flags == (("visit_window",) if out else ())
    assert len(receipt.facts) == (2 if out else 1)
    if out:
        opened = receipt.event(DeviationOpened)
        assert (opened.kind, opened.about) == ("visit_window", f"marrow_1 on {book.world.today}, {out:+d} days")


@pytest.mark.parametrize("date", ["2025-02-30", "3 March", "", "2025-03-04", "2025-03-02", "9999-12-31", "2025-03"])
def test_a_date_that_cannot_be_is_refused(book, date):
    book.world.refuses(DateNotPossible, visit(book, "marrow_1", date), "nurse")


def test_the_local_date_of_the_site_is_what_counts(books):
    book = books()
    book.world.later(hours=15, minutes=30)  # half past midnight in Bergen, still yesterday in Greenwich
    book.world.give(visit(book, "unscheduled_1", "2025-03-04"), "nurse")


@pytest.mark.parametrize("encounter", ["christmas", "unscheduled_", "unscheduled_0", "unscheduled_1x", "log", ""])
def test_a_visit_that_the_study_does_not_have_is_refused(book, encounter):
    book.world.refuses(NotFound, visit(book, encounter, book.world.today), "nurse")


def test_an_unscheduled_visit_has_no_window(book):
    book.world.later(days=300)
    held = book.world.give(visit(book, "unscheduled_2", book.world.today), "nurse").event(EncounterHeld)
    assert (held.unscheduled, held.days_out, held.flags) == (True, 0, ())


def test_a_date_is_corrected_with_a_reason_and_judged_anew(book):
    book.world.later(days=30)
    book.world.give(visit(book, "marrow_1", "2025-04-02"), "nurse")
    book.world.refuses(ReasonMissing, visit(book, "marrow_1", "2025-04-01"), "nurse")
    book.world.refuses(ReasonMissing, visit(book, "marrow_1", "2025-04-01"), "nurse", reason="  ")
    held = book.world.give(visit(book, "marrow_1", "2025-04-01"), "nurse", reason="misread").event(EncounterHeld)
    assert held.days_out == 8
    book.world.give(visit(book, "marrow_1", "2025-03-20"), "nurse", reason="misread again")
    assert book.state.held["marrow_1"] == "2025-03-20"
    waiting = book.world.trial.state().of(Deviations, book.participant).waiting()
    assert waiting == ("visit_window.marrow_1", "visit_window.marrow_1.2")  # what was said stays to be judged


def test_the_same_date_twice_says_nothing_new(book):
    book.world.refuses(NothingEntered, visit(book, "screening", book.world.today), "nurse")


def test_a_visit_since_the_day_of_withdrawal_is_recorded_flagged_and_opens_a_deviation(book):
    book.world.later(days=14)
    book.world.give(WithdrawConsent(participant=book.participant, scopes=("visits",)), "nurse")
    book.world.later(days=1)
    before = book.world.give(visit(book, "unscheduled_1", "2025-03-16"), "nurse")
    assert before.event(EncounterHeld).flags == ()
    for number, day in ((2, "2025-03-17"), (3, "2025-03-18")):
        after = book.world.give(visit(book, f"unscheduled_{number}", day), "nurse")
        assert after.event(EncounterHeld).flags == ("after_withdrawal",)
        assert after.event(DeviationOpened).kind == "after_withdrawal"


def test_a_visit_after_participation_ended_is_flagged_one_on_its_last_day_is_not(trial_world):
    participant = trial_world.randomised()
    end = EndParticipation(participant=participant, date=trial_world.today, how="completed")
    trial_world.give(end, "nurse")
    on_the_day = RecordVisit(participant=participant, encounter="unscheduled_1", date=trial_world.today)
    assert trial_world.give(on_the_day, "nurse").event(EncounterHeld).flags == ()
    trial_world.later(days=1)
    later = RecordVisit(participant=participant, encounter="unscheduled_2", date=trial_world.today)
    assert trial_world.give(later, "nurse").event(EncounterHeld).flags == ("after_withdrawal",)


def test_a_missed_visit_opens_a_deviation_and_may_take_place_after_all(book):
    miss = RecordMissedVisit(participant=book.participant, encounter="marrow_1")
    book.world.refuses(ReasonMissing, miss, "nurse", reason=" ")
    receipt = book.world.give(miss, "nurse", reason="ill")
    assert receipt.event(EncounterMissed).encounter == "marrow_1"
    assert receipt.event(DeviationOpened).kind == "missed_visit"
    assert book.rows(VISIT, encounter="marrow_1")[0]["status"] == "missed"
    book.world.refuses(AlreadyRecorded, miss, "nurse", reason="ill")
    book.world.later(days=14)
    book.world.give(visit(book, "marrow_1", book.world.today), "nurse")
    assert book.state.missed == set()
    assert book.rows(VISIT, encounter="marrow_1")[0]["status"] == "held"
    book.world.refuses(AlreadyRecorded, miss, "nurse", reason="ill")


def test_only_planned_visits_can_be_missed(book):
    for encounter in ("unscheduled_1", "christmas"):
        miss = RecordMissedVisit(participant=book.participant, encounter=encounter)
        book.world.refuses(NotFound, miss, "nurse")


def test_visits_are_recorded_for_people_of_the_study_by_their_own_site(book):
    for kind in (
        RecordVisit(participant="NO-01-099", encounter="screening", date=book.world.today),
        RecordMissedVisit(participant="NO-01-099", encounter="screening"),
    ):
        book.world.refuses(NotFound, kind, "nurse")
    for command in (
        visit(book, "marrow_1", book.world.today),
        RecordMissedVisit(participant=book.participant, encounter="marrow_1"),
    ):
        book.world.refuses(OtherSite, command, "nurse@02")
        book.world.refuses(NotPermitted, command, "monitor")


def test_a_frozen_study_takes_no_visits(book):
    for form in ("screening", "sheet"):
        book.world.give(book.mark(form), "nurse", reason="moved away")
    book.world.give(FreezeStudy(), "data_manager")
    for command in (
        visit(book, "marrow_1", book.world.today),
        RecordMissedVisit(participant=book.participant, encounter="marrow_1"),
    ):
        book.world.refuses(StudyIsFrozen, command, "nurse")
