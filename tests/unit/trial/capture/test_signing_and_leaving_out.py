"""Left out, void, verified, signed: what each takes, and what makes it fall."""

from __future__ import annotations

import pytest

from trialwright.trial.capture.commands import (
    AlreadyRecorded,
    EntryNotReadable,
    FormNotYours,
    NotComplete,
    NothingThere,
    NotWhatWasShown,
    ReasonMissing,
    RecordMissedVisit,
    RecordVisit,
    SignCaseBook,
    SignForm,
    VerifyItems,
)
from trialwright.trial.capture.events import Entered, FormMarkedNotDone, FormVoided, ItemsVerified
from trialwright.trial.capture.shown import shown_case_book
from trialwright.trial.capture.state import LOG
from trialwright.trial.capture.views import CASE_BOOK, FORM, ITEM, VISIT
from trialwright.trial.command import NotFound, Signature
from trialwright.trial.permission import NotPermitted, OtherSite, SignatureMissing
from trialwright.trial.queries.commands import AnswerQuery, CloseQuery, OpenQuery

NEEDED = {"count": "1", "present": "false"}
PERSON = {"age": "34", "sex": "M"}


@pytest.fixture
def filled(book):
    """Both forms of the visit are complete."""
    book.fill("screening", PERSON)
    book.fill("sheet", NEEDED)
    return book


# --- left out and void ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["not_done", "intentionally_blank"])
def test_a_form_is_left_out_with_a_reason_and_counts_as_complete(book, how):
    book.world.refuses(ReasonMissing, book.mark("sheet", how), "nurse")
    receipt = book.world.give(book.mark("sheet", how), "nurse", reason="moved away")
    assert receipt.event(FormMarkedNotDone).how == how
    assert (book.record("sheet").status, book.record("sheet").complete) == (how, True)
    (row,) = book.rows(FORM, form="sheet")
    assert (row["status"], row["complete"], row["saves"]) == (how, 1, 1)
    assert book.rows(VISIT, encounter="screening")[0]["forms_complete"] == 1
    book.world.refuses(AlreadyRecorded, book.mark("sheet", how), "nurse", reason="again")


def test_there_are_two_ways_to_leave_a_form_out(book):
    book.world.refuses(EntryNotReadable, book.mark("sheet", "saved"), "nurse", reason="x")
    book.world.give(book.mark("sheet", "not_done"), "nurse", reason="x")
    book.world.give(book.mark("sheet", "intentionally_blank"), "nurse", reason="better said")
    assert book.record("sheet").status == "intentionally_blank"


def test_a_form_with_values_is_not_left_out(filled):
    filled.world.refuses(AlreadyRecorded, filled.mark("sheet"), "nurse", reason="x")


def test_only_who_fills_a_form_leaves_it_out_or_voids_it(book):
    for command in (book.mark("sheet"), book.void("sheet")):
        book.world.refuses(FormNotYours, command, "rater", reason="x")
        book.world.refuses(NotPermitted, command, "monitor", reason="x")
        book.world.refuses(OtherSite, command, "nurse@02", reason="x")


def test_values_on_a_form_that_was_left_out_need_a_reason(book):
    book.world.give(book.mark("sheet"), "nurse", reason="no time")
    book.world.refuses(ReasonMissing, book.save("sheet", NEEDED), "nurse")
    book.fill("sheet", NEEDED, reason="found the paper")
    assert book.record("sheet").status == "saved"


def test_a_void_form_counts_nowhere_and_its_questions_are_settled(filled):
    filled.fill("sheet", {"count": "11"}, reason="slip")
    ask = OpenQuery(participant=filled.participant, encounter="screening", form="sheet", item="count", text="Sure?")
    filled.world.give(ask, "monitor")
    filled.world.refuses(ReasonMissing, filled.void("sheet"), "nurse")
    voided = filled.world.give(filled.void("sheet"), "nurse", reason="other person").event(FormVoided)
    assert voided.resolved == ("screening.sheet.1.range_count", "screening.sheet.1.asked-1")
    assert filled.queries.unsettled() == []
    assert [key[1] for key, _ in filled.state.live()] == ["screening"]
    assert filled.rows(ITEM, form="sheet") == []
    (row,) = filled.rows(FORM, form="sheet")
    assert (row["status"], row["complete"]) == ("voided", 0)
    assert filled.rows(VISIT, encounter="screening")[0]["forms_saved"] == 1
    filled.world.refuses(NothingThere, filled.void("sheet"), "nurse", reason="again")


def test_after_a_void_the_form_is_filled_anew_and_asked_about_anew(filled):
    filled.fill("sheet", {"count": "11"}, reason="slip")
    answer = AnswerQuery(
        participant=filled.participant, query=filled.name("sheet", "range_count"), text="yes", confirms=True
    )
    filled.world.give(answer, "nurse")
    filled.world.give(filled.void("sheet"), "nurse", reason="other person")
    assert filled.values("sheet") == {}
    assert filled.record("sheet").saves == 3  # versions go on: what was read before the void is stale
    filled.fill("sheet", {"count": "11"})  # nothing is there, so no reason
    assert filled.asked() == ["range_count"]
    assert not filled.record("sheet").complete


def test_nothing_can_be_voided_where_nothing_is(book):
    book.world.refuses(NothingThere, book.void("sheet"), "nurse", reason="x")
    book.world.refuses(NotFound, book.void("walk"), "rater", reason="x")


# --- verified ---------------------------------------------------------------------------------------------------


def test_verification_stands_until_the_value_changes(filled):
    receipt = filled.world.give(filled.verify("sheet", "count", "present"), "monitor")
    assert receipt.event(ItemsVerified).items == ("count", "present")
    filled.fill("sheet", {"count": "2"}, reason="slip")
    assert filled.record("sheet").verified == {"present"}
    verified = {row["item"]: row["verified"] for row in filled.rows(ITEM, form="sheet")}
    assert (verified["count"], verified["present"]) == (0, 1)


def test_verification_of_a_computed_value_falls_with_its_inputs(filled):
    filled.world.give(filled.verify("sheet", "double"), "monitor")
    filled.fill("sheet", {"count": "2"}, reason="slip")
    assert filled.record("sheet").verified == set()


def test_only_values_that_are_there_are_verified_by_monitors(filled):
    for items in ((), ("ratio",), ("count", "ratio"), ("height",)):
        filled.world.refuses(NothingThere, filled.verify("sheet", *items), "monitor")
    elsewhere = VerifyItems(participant=filled.participant, encounter="follow_up", form="sheet", items=("count",))
    filled.world.refuses(NothingThere, elsewhere, "monitor")
    nobody = VerifyItems(participant="NO-01-099", encounter="screening", form="sheet", items=("count",))
    filled.world.refuses(NotFound, nobody, "monitor")
    filled.world.refuses(NotPermitted, filled.verify("sheet", "count"), "nurse")
    filled.world.give(filled.void("sheet"), "nurse", reason="other person")
    filled.world.refuses(NothingThere, filled.verify("sheet", "count"), "monitor")


# --- signed -----------------------------------------------------------------------------------------------------


def sign_form(book, form="sheet"):
    return SignForm(participant=book.participant, encounter="screening", form=form)


def test_a_signature_is_over_what_was_shown_and_falls_when_it_changes(filled):
    shown = filled.shown("sheet")
    filled.sign("sheet")
    (row,) = filled.rows(FORM, form="sheet")
    assert (row["signed"], row["signed_by"]) == (1, "investigator-01")
    signed_at = row["signed_at"]
    assert filled.rows(VISIT, encounter="screening")[0]["forms_signed"] == 1
    filled.fill("sheet", {"ratio": "1"})
    assert not filled.record("sheet").signed
    (row,) = filled.rows(FORM, form="sheet")
    assert (row["signed"], row["signed_by"], row["signed_at"]) == (0, "investigator-01", signed_at)
    assert filled.rows(VISIT, encounter="screening")[0]["forms_signed"] == 0
    filled.world.refuses(NotWhatWasShown, sign_form(filled), "investigator", shown=shown)
    filled.sign("sheet")
    assert filled.record("sheet").signed


@pytest.mark.parametrize("act", ["void", "verify", "ask"])
def test_only_what_changes_the_data_takes_a_signature_away(filled, act):
    filled.sign("sheet")
    if act == "void":
        filled.world.give(filled.void("sheet"), "nurse", reason="other person")
    elif act == "verify":
        filled.world.give(filled.verify("sheet", "count"), "monitor")
    else:
        ask = OpenQuery(
            participant=filled.participant, encounter="screening", form="sheet", item="count", text="Sure?"
        )
        filled.world.give(ask, "monitor")
    assert filled.record("sheet").signed is (act != "void")


def test_the_hash_covers_every_value_its_unit_and_whose_it_is(filled):
    seen = {filled.shown("sheet")}
    for items in (
        {"weight": Entered(text="70", unit="kg")},
        {"weight": Entered(text="70", unit="g")},
        {"weight": Entered(text="70.0", unit="g")},
        {"weight": Entered(missing="unknown")},
        {"weight": Entered(missing="refused")},
    ):
        filled.fill("sheet", items, reason="slip")
        seen.add(filled.shown("sheet"))
    assert len(seen) == 6
    other = type(filled)(filled.world, filled.world.consented())
    visit = RecordVisit(participant=other.participant, encounter="screening", date=filled.world.today)
    filled.world.give(visit, "nurse")
    other.fill("screening", PERSON)
    assert other.values("screening") == filled.values("screening")
    assert other.shown("screening") != filled.shown("screening")


def test_a_form_is_signed_by_the_role_it_names(filled):
    filled.world.refuses(FormNotYours, sign_form(filled), "nurse", shown=filled.shown("sheet"))
    filled.world.refuses(NotPermitted, sign_form(filled), "monitor")
    filled.world.refuses(NotFound, sign_form(filled, "diet"), "investigator")
    unsigned = SignForm(participant=filled.participant, encounter=LOG, form="medication")
    filled.world.refuses(FormNotYours, unsigned, "investigator")
    somebody = Signature("somebody", "sign_form", filled.shown("sheet"))
    filled.world.refuses(SignatureMissing, sign_form(filled), "investigator", signature=somebody)
    nobody = SignForm(participant="NO-01-099", encounter="screening", form="sheet")
    filled.world.refuses(NotFound, nobody, "investigator")


def test_an_incomplete_an_empty_and_a_void_form_are_not_signed(book):
    book.world.refuses(NotComplete, sign_form(book), "investigator", shown=book.shown("sheet"))
    book.fill("sheet", {"count": "1"})
    book.world.refuses(NotComplete, sign_form(book), "investigator", shown=book.shown("sheet"))
    book.fill("sheet", {"present": "false"})
    book.world.give(book.void("sheet"), "nurse", reason="x")
    book.world.refuses(NotComplete, sign_form(book), "investigator", shown=book.shown("sheet"))


def test_an_open_question_stands_in_the_way_of_signing_an_answered_one_does_not(filled):
    filled.fill("sheet", {"count": "11", "large": "false"}, reason="slip")
    filled.world.refuses(NotComplete, sign_form(filled), "investigator", shown=filled.shown("sheet"))
    answer = AnswerQuery(participant=filled.participant, query=filled.name("sheet", "range_count"), text="will check")
    filled.world.give(answer, "nurse")
    filled.sign("sheet")


# --- the case book ----------------------------------------------------------------------------------------------


def sign_book(book):
    return SignCaseBook(participant=book.participant)


@pytest.fixture
def signed_forms(filled):
    for form in ("screening", "sheet"):
        filled.sign(form)
    return filled


def test_the_case_book_is_signed_when_everything_is_and_falls_with_any_change(signed_forms):
    book = signed_forms
    book.sign_all()
    assert book.state.signed
    assert book.rows(CASE_BOOK)[0]["signed_by"] == "investigator-01"
    book.encounter = LOG
    book.fill("medication", {"name": "aspirin", "started": "2020"})
    assert not book.state.signed
    assert book.rows(CASE_BOOK) == []


@pytest.mark.parametrize("act", ["date", "missed", "void", "mark"])
def test_visits_and_forms_left_out_are_under_the_signature_too(signed_forms, act):
    book = signed_forms
    book.world.later(days=30)
    visit = RecordVisit(participant=book.participant, encounter="unscheduled_1", date="2025-03-20")
    book.world.give(visit, "nurse")
    shown = book.shown_all()
    book.sign_all()
    if act == "date":
        moved = RecordVisit(participant=book.participant, encounter="unscheduled_1", date="2025-03-21")
        book.world.give(moved, "nurse", reason="misread")
    elif act == "missed":
        book.world.give(RecordMissedVisit(participant=book.participant, encounter="marrow_1"), "nurse", reason="ill")
    elif act == "void":
        book.world.give(book.void("sheet"), "nurse", reason="other person")
    else:
        book.encounter = "unscheduled_1"
        book.world.give(book.mark("sheet"), "nurse", reason="no time")
    assert not book.state.signed
    assert book.rows(CASE_BOOK) == []
    assert book.shown_all() != shown


def test_a_form_of_a_visit_that_nobody_filled_stands_in_the_way(book):
    book.fill("screening", PERSON)
    book.sign("screening")
    refused = book.world.refuses(NotComplete, sign_book(book), "investigator", shown=book.shown_all())
    assert refused.message == "sheet at screening is not filled"
    book.world.give(book.mark("sheet"), "nurse", reason="no time")
    book.sign_all()


def test_unsigned_and_incomplete_forms_and_unsettled_questions_stand_in_the_way(filled):
    def why():
        return filled.world.refuses(NotComplete, sign_book(filled), "investigator", shown=filled.shown_all()).message

    assert why() == "screening at screening is not signed"
    filled.sign("screening")
    filled.sign("sheet")
    filled.fill("sheet", {"count": "9"}, reason="slip")
    assert why() == "sheet at screening is not complete"
    filled.fill("sheet", {"count": "11", "large": "false"}, reason="slip")
    query = filled.name("sheet", "range_count")
    filled.world.give(AnswerQuery(participant=filled.participant, query=query, text="will check"), "nurse")
    filled.sign("sheet")
    assert why() == "1 queries are not settled"
    filled.world.give(CloseQuery(participant=filled.participant, query=query), "monitor")
    filled.sign_all()


def test_the_case_book_is_signed_by_an_investigator_over_what_was_shown(signed_forms):
    book = signed_forms
    book.world.refuses(NotWhatWasShown, sign_book(book), "investigator", shown="0" * 64)
    book.world.refuses(NotPermitted, sign_book(book), "nurse", shown=book.shown_all())
    book.world.refuses(OtherSite, sign_book(book), "investigator@02", shown=book.shown_all())
    book.world.refuses(NotFound, SignCaseBook(participant="NO-01-099"), "investigator")
    assert shown_case_book("NO-01-099", book.state) != book.shown_all()
