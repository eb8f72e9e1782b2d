"""Saving: who, where, over which version, with which reason; what cannot be read is refused, what is odd is asked."""

from __future__ import annotations

import pytest

from trialwright.protocol.roles import Role
from trialwright.trial.capture.commands import (
    EntryNotReadable,
    FormChanged,
    FormNotYours,
    ImportItems,
    NothingEntered,
    ReasonMissing,
    RecordVisit,
    StudyIsFrozen,
    VisitNotRecorded,
)
from trialwright.trial.capture.events import Entered, FormSaved
from trialwright.trial.capture.state import LOG
from trialwright.trial.capture.views import FORM, ITEM
from trialwright.trial.closure.commands import FreezeStudy
from trialwright.trial.closure.events import DeviationOpened
from trialwright.trial.closure.state import Deviations
from trialwright.trial.command import Actor, NotFound
from trialwright.trial.permission import NotAppointed, NotPermitted, OtherSite


def test_a_save_is_one_event_with_the_values_as_entered(book):
    receipt = book.fill("sheet", {"count": "3", "weight": Entered(text="70.50", unit="kg"), "note": " bled  twice "})
    (fact,) = receipt.facts
    saved = receipt.event(FormSaved)
    assert saved.items["weight"] == Entered(text="70.50", unit="kg")
    assert saved.items["note"].text == "bled  twice"
    assert saved.derived["double"] == Entered(text="6")
    assert not saved.complete
    (row,) = book.rows(FORM, form="sheet")
    assert (row["saves"], row["complete"], row["last_saved_by"], row["first_saved_at"]) == (1, 0, "nurse-01", fact.at)
    items = {r["item"]: (r["value"], r["unit"], r["derived"]) for r in book.rows(ITEM, form="sheet")}
    assert items["weight"] == ("70.50", "kg", 0)
    assert items["double"] == ("6", None, 1)


@pytest.mark.parametrize(
    ("item", "good", "bad"),
    [
        ("count", "7", "seven"),
        ("count", "-2", "3.5"),
        ("ratio", "0.25", "0.256"),
        ("present", "true", "yes"),
        ("result", "NEGATIVE", "negative"),
        ("day", "2025-02-28", "2025-02"),
        ("day", "2024-02-29", "2025-02-29"),
        ("since", "2019", "2019-13"),
        ("since", "2019-05", "May 2019"),
        ("hour", "09:30", "9.30"),
        ("weight", "70.5", "1e2"),
        ("pain", "10", "11"),
        ("note", "æøå", "bell\x07"),
        ("note", "x", "x" * 4001),
        ("count", "1", ""),
    ],
)
def test_what_can_be_a_value_of_the_item_is_kept_and_what_cannot_is_refused(book, item, good, bad):
    refused = book.world.refuses(EntryNotReadable, book.save("sheet", {item: bad}), "nurse")
    assert refused.given["item"] == f"sheet.{item}"
    book.fill("sheet", {item: good})
    assert book.values("sheet")[item] == good


@pytest.mark.parametrize(
    "given",
    [
        Entered(),
        Entered(text="3", missing="unknown"),
        Entered(text="3", outcome="unable"),
        Entered(outcome="unable", missing="unknown"),
        Entered(outcome="unable"),
        Entered(missing="lost in the post"),
        Entered(missing="intentionally_blank"),
        Entered(missing="not_asked"),
        Entered(text="3", unit="kg"),
    ],
)
def test_an_entry_is_one_of_value_declared_outcome_and_allowed_reason(book, given):
    book.world.refuses(EntryNotReadable, book.save("sheet", {"count": given}), "nurse")


def test_units_are_kept_as_entered_and_others_are_refused(book):
    book.fill("sheet", {"weight": Entered(text="70500", unit="g")})
    assert book.record("sheet").values["weight"].unit == "g"
    assert book.asked() == []  # 70.5 kg is usual
    stone = book.save("sheet", {"weight": Entered(text="11", unit="[stone_av]")})
    book.world.refuses(EntryNotReadable, stone, "nurse")
    book.fill("sheet", {"weight": Entered(text="70500", unit="kg")}, reason="wrong unit")
    assert book.asked() == ["range_weight"]


def test_an_outcome_is_kept_as_an_outcome(trial_world):
    participant = trial_world.consented()
    trial_world.give(RecordVisit(participant=participant, encounter="follow_up", date="2025-03-03"), "nurse")
    unable = {"seconds": Entered(outcome="unable")}
    receipt = trial_world.save(participant, "follow_up", "walk", unable, "rater")
    assert receipt.event(FormSaved).complete


def test_a_changed_value_needs_a_reason_a_new_one_does_not(book):
    book.fill("sheet", {"count": "3"})
    book.fill("sheet", {"ratio": "0.5"})
    book.world.refuses(ReasonMissing, book.save("sheet", {"count": "4"}), "nurse")
    book.world.refuses(ReasonMissing, book.save("sheet", {"count": "4", "pain": "1"}), "nurse", reason=" ")
    gone = book.save("sheet", {"count": Entered(missing="unknown")})
    book.world.refuses(ReasonMissing, gone, "nurse")
    receipt = book.fill("sheet", {"count": "4", "ratio": "0.5"}, reason="misread")
    assert set(receipt.event(FormSaved).items) == {"count"}  # what was not changed is not in the event
    assert receipt.facts[0].reason == "misread"
    (row,) = book.rows(ITEM, form="sheet", item="count")
    assert (row["value"], row["changes"]) == ("4", 1)


def test_a_save_without_a_change_is_refused(book):
    book.world.refuses(NothingEntered, book.save("sheet", {}), "nurse")
    book.fill("sheet", {"count": "3"})
    book.world.refuses(NothingEntered, book.save("sheet", {"count": "3"}), "nurse")


def test_who_saves_over_an_older_version_is_stopped(book):
    stale = book.save("sheet", {"count": "3"})
    book.fill("sheet", {"count": "4"})
    refused = book.world.refuses(FormChanged, stale, "investigator", reason="mine")
    assert refused.given["version"] == 1
    book.world.refuses(FormChanged, book.save("sheet", {"ratio": "1"}, read_version=2), "nurse")


@pytest.mark.parametrize(
    ("form", "item"),
    [
        ("sheet", "double"),
        ("sheet", "height"),
        ("sheet", "count.2"),
        ("sheet", "count."),
        ("doses", "dose.1"),
        ("doses", "dose.0"),
        ("doses", "dose.02"),
        ("doses", "dose.²"),
        ("doses", "dose.1000"),
        ("doses", "dose.2.2"),
        ("doses", "micro.2"),
        ("doses", "remark.2"),
        ("sheet", "Count"),
    ],
)
def test_items_are_those_of_the_form_and_computed_ones_are_not_entered(books, form, item):
    book = books(at="follow_up")
    book.world.refuses(NotFound, book.save(form, {item: "3"}), "nurse")


def test_a_form_is_filled_where_it_has_a_place(book):
    book.world.refuses(NotFound, book.save("diet", {"x": "1"}), "nurse")
    book.world.refuses(NotFound, book.save("walk", {"seconds": "7"}), "rater")
    book.world.refuses(NotFound, book.save("sheet", {"count": "1"}, encounter=LOG), "nurse")
    book.world.refuses(NotFound, book.save("sheet", {"count": "1"}, participant="NO-01-099"), "nurse")
    book.world.refuses(VisitNotRecorded, book.save("sheet", {"count": "1"}, encounter="follow_up"), "nurse")
    book.world.refuses(VisitNotRecorded, book.save("sheet", {"count": "1"}, encounter="unscheduled_1"), "nurse")
    visit = RecordVisit(participant=book.participant, encounter="unscheduled_1", date=book.world.today)
    book.world.give(visit, "nurse")
    book.encounter = "unscheduled_1"
    book.fill("sheet", {"count": "1"})
    book.world.refuses(NotFound, book.save("medication", {"name": "aspirin"}), "nurse")


def test_repeats_are_for_forms_that_repeat_and_have_no_gaps(book):
    book.encounter = LOG
    for repeat in (0, -1, 2, 2**60):
        book.world.refuses(NotFound, book.save("medication", {"name": "aspirin"}, repeat=repeat), "nurse")
    book.fill("medication", {"name": "aspirin", "started": "2020"})
    book.fill("medication", {"name": "baclofen", "started": Entered(missing="unknown")}, repeat=2)
    assert {key[2] for key, _ in book.state.live()} == {1, 2}
    book.encounter = "screening"
    book.world.refuses(NotFound, book.save("sheet", {"count": "1"}, repeat=2), "nurse")


def test_a_form_is_filled_by_the_roles_it_names(book):
    book.world.refuses(FormNotYours, book.save("sheet", {"count": "1"}), "rater")
    book.world.refuses(NotPermitted, book.save("sheet", {"count": "1"}), "monitor")
    book.world.refuses(OtherSite, book.save("sheet", {"count": "1"}), "nurse@02")
    somebody = Actor("somebody", Role.STUDY_NURSE, "hospital-01", "01")
    book.world.refuses(NotAppointed, book.save("sheet", {"count": "1"}), somebody)
    book.fill("sheet", {"count": "1"}, "investigator")


def test_the_data_manager_adds_from_a_file_what_a_central_reader_measures_and_changes_nothing(books):
    book = books(at="follow_up")
    book.world.refuses(NotPermitted, book.save("doses", {"dose": "4"}), "data_manager")
    book.world.refuses(NotPermitted, book.save("doses", {"dose": "4"}, kind=ImportItems), "nurse")
    book.world.refuses(FormNotYours, book.save("sheet", {"count": "1"}, kind=ImportItems), "data_manager")
    first = book.save("doses", {"dose": Entered(text="4", source="device")}, kind=ImportItems)
    saved = book.world.give(first, "data_manager", reason="import doses.csv").event(FormSaved)
    assert saved.items["dose"] == Entered(text="4", unit="mg", source="device")
    other = book.save("doses", {"dose": "5"}, kind=ImportItems)
    book.world.refuses(FormNotYours, other, "data_manager", reason="a newer file")
    book.world.give(
        book.save("doses", {"given": "true"}, kind=ImportItems), "data_manager", reason="import doses.csv"
    )
    assert book.record("doses").values["given"].text == "true"


def test_the_data_manager_fills_nothing_that_was_left_out(books):
    book = books(at="follow_up")
    book.world.give(book.mark("doses"), "nurse", reason="not sampled")
    late = book.save("doses", {"dose": "4"}, kind=ImportItems)
    book.world.refuses(FormNotYours, late, "data_manager", reason="import doses.csv")


def test_participants_fill_their_own_diary_and_nobody_elses(books):
    book = books(at="follow_up")
    me = Actor(book.participant, Role.PARTICIPANT, "public")
    other = Actor(book.world.consented(), Role.PARTICIPANT, "public")
    book.world.refuses(NotAppointed, book.save("diary", {"mood": "7"}), other)
    book.world.refuses(FormNotYours, book.save("diary", {"mood": "7"}), "nurse")
    book.world.refuses(FormNotYours, book.save("sheet", {"count": "7"}), me)
    book.fill("diary", {"mood": "7"}, me)


def test_data_without_consent_are_kept_flagged_and_open_a_deviation_each_time(books):
    book = books(consented=False)
    receipt = book.fill("sheet", {"count": "1"})
    assert receipt.event(FormSaved).flags == ("without_consent",)
    assert receipt.event(DeviationOpened).kind == "without_consent"
    book.fill("sheet", {"pain": "1"})
    waiting = book.world.trial.state().of(Deviations, book.participant).waiting()
    assert waiting == ("without_consent.screening.sheet.1", "without_consent.screening.sheet.1.2")


def test_a_frozen_study_takes_no_data(book):
    for form in ("screening", "sheet"):
        book.world.give(book.mark(form), "nurse", reason="moved away")
    book.world.give(FreezeStudy(), "data_manager")
    book.world.refuses(StudyIsFrozen, book.save("sheet", {"count": "2"}), "nurse", reason="late")
    book.world.refuses(StudyIsFrozen, book.mark("sheet", "intentionally_blank"), "nurse", reason="late")
    book.world.refuses(StudyIsFrozen, book.void("sheet"), "nurse", reason="late")


def test_saving_the_same_request_twice_answers_the_first_result(book):
    command = book.save("sheet", {"count": "3"})
    first = book.world.give(command, "nurse", request_id="once")
    again = book.world.give(command, "nurse", request_id="once")
    assert again.repeated
    assert again.facts == first.facts
