"""Forms of the closed space: nothing of them is open, and they remember as open ones do."""

from __future__ import annotations

import pytest

from trialwright.protocol.roles import Role
from trialwright.stores import open_store
from trialwright.trial.capture.commands import (
    AlreadyRecorded,
    FormChanged,
    FormNotYours,
    MarkClosedFormNotDone,
    NotComplete,
    NothingThere,
    NotWhatWasShown,
    ReasonMissing,
    RecordVisit,
    SaveClosedForm,
    SaveForm,
    SignClosedForm,
    SignForm,
    StudyIsFrozen,
    VerifyClosedItems,
    VerifyItems,
    VoidClosedForm,
)
from trialwright.trial.capture.events import (
    ClosedFormMarkedNotDone,
    ClosedFormSaved,
    ClosedFormSigned,
    ClosedFormVoided,
    ClosedItemsVerified,
    Entered,
)
from trialwright.trial.capture.shown import shown_form
from trialwright.trial.capture.state import ClosedCaseBook
from trialwright.trial.capture.views import CLOSED_FORM, CLOSED_ITEM
from trialwright.trial.closed_tasks import closed_tasks
from trialwright.trial.closure.commands import FreezeStudy
from trialwright.trial.closure.events import ClosedDeviationOpened
from trialwright.trial.command import Actor, NotFound, Signature
from trialwright.trial.event import Space
from trialwright.trial.permission import ConflictingRole, NotPermitted, SignatureMissing, SpaceUnavailable
from trialwright.trial.queries.commands import (
    AnswerClosedQuery,
    AnswerQuery,
    CloseClosedQuery,
    CommentClosedItem,
    CommentItem,
    OpenClosedQuery,
    OpenQuery,
    QueryNotInThatState,
    ReopenClosedQuery,
    TextMissing,
)
from trialwright.trial.queries.events import ClosedQueryAnswered, ClosedQueryOpened
from trialwright.trial.queries.views import CLOSED_COMMENT, CLOSED_QUERY
from trialwright.trial.setup.commands import DelegateTask
from trialwright.trial.tasks import Kind


@pytest.fixture
def closed(books):
    return books(at="follow_up")


def save(book, items, version):
    return book.save("preparation", items, kind=SaveClosedForm, read_version=version)


def rows(book, table):
    return list(book.world.trial.stores[Space.CLOSED].rows.where(table, participant=book.participant))


def test_a_closed_form_leaves_nothing_in_the_open_space(closed):
    before = closed.world.heads()[Space.OPEN]
    receipt = closed.world.give(save(closed, {"thawed": "true"}, 0), "injector")
    assert [type(fact.event) for fact in receipt.facts] == [ClosedFormSaved]
    assert closed.world.heads()[Space.OPEN] == before
    assert closed.state.peek(("follow_up", "preparation", 1)).saves == 0
    assert [r["item"] for r in rows(closed, CLOSED_ITEM)] == ["thawed"]


def test_a_closed_form_keeps_its_version_its_values_and_its_reasons(closed):
    give = closed.world.give
    give(save(closed, {"thawed": "true"}, 0), "injector")
    closed.world.refuses(FormChanged, save(closed, {"volume": "2"}, 0), "injector")
    receipt = give(save(closed, {"volume": "2"}, 1), "injector")
    assert receipt.event(ClosedFormSaved).complete
    closed.world.refuses(ReasonMissing, save(closed, {"thawed": "false"}, 2), "injector")
    give(save(closed, {"thawed": "false"}, 2), "injector", reason="slip")
    assert rows(closed, CLOSED_FORM)[0]["saves"] == 3


def test_what_is_odd_on_a_closed_form_is_asked_in_the_closed_space_until_corrected(closed):
    closed.world.give(save(closed, {"volume": Entered(text="9", unit="mL")}, 0), "injector")
    assert [(r["by_check"], r["status"]) for r in rows(closed, CLOSED_QUERY)] == [("range_volume", "open")]
    assert closed.asked("open", "closed") == []
    closed.world.give(save(closed, {"volume": "3"}, 1), "injector", reason="slip")
    assert [r["status"] for r in rows(closed, CLOSED_QUERY)] == ["closed"]


def test_a_closed_form_may_read_an_open_one(closed):
    closed.world.later(days=1)
    closed.encounter = "screening"
    visit = RecordVisit(participant=closed.participant, encounter="screening", date="2025-03-03")
    closed.world.give(visit, "nurse")
    closed.fill("screening", {"age": "17", "sex": "M"})
    closed.encounter = "follow_up"
    closed.world.give(save(closed, {"volume": "3"}, 0), "injector")
    assert [r["by_check"] for r in rows(closed, CLOSED_QUERY)] == ["adults_only"]


def test_open_acts_on_closed_forms_are_refused(closed):
    closed.world.give(save(closed, {"thawed": "true"}, 0), "injector")
    refuses, who, where = closed.world.refuses, closed.participant, {"encounter": "follow_up", "form": "preparation"}
    refuses(FormNotYours, SaveForm(participant=who, **where, items={}, read_version=0), "injector")
    refuses(FormNotYours, closed.mark("preparation"), "injector", reason="x")
    refuses(FormNotYours, closed.void("preparation"), "injector", reason="x")
    refuses(FormNotYours, SignForm(participant=who, **where), "injector")
    refuses(NothingThere, VerifyItems(participant=who, **where, items=("thawed",)), "unblinded_monitor")
    refuses(NotFound, OpenQuery(participant=who, **where, item="thawed", text="Really?"), "unblinded_monitor")
    refuses(NotFound, CommentItem(participant=who, **where, item="thawed", text="Frozen."), "injector")


def test_an_open_form_is_not_saved_as_a_closed_one(closed):
    closed.world.refuses(FormNotYours, closed.save("sheet", {"count": "1"}, kind=SaveClosedForm), "injector")


def test_closed_forms_are_for_unblinded_people_in_a_process_of_their_own(closed):
    closed.world.refuses(NotPermitted, save(closed, {"thawed": "true"}, 0), "nurse")
    closed.world.trial = closed.world.twin(closed_store=None)
    closed.world.refuses(SpaceUnavailable, save(closed, {"thawed": "true"}, 0), "injector")


def test_who_rates_does_not_prepare(closed):
    closed.fill("walk", {"seconds": "7"}, "rater")
    both = Actor("rater-01", Role.INJECTING_PHYSICIAN, "hospital-01", "01")
    delegate = DelegateTask(
        site="01", person=both.person, role=both.role, organisation=both.organisation, since="2025-01-01"
    )
    closed.world.give(delegate, "investigator")
    closed.world.refuses(ConflictingRole, save(closed, {"thawed": "true"}, 0), both)


def test_a_closed_form_without_consent_is_a_deviation_of_the_closed_space(books):
    book = books(consented=False, at="follow_up")
    before = book.world.heads()[Space.OPEN]
    receipt = book.world.give(save(book, {"thawed": "true"}, 0), "injector")
    assert receipt.event(ClosedDeviationOpened).kind == "without_consent"
    assert book.world.heads()[Space.OPEN] == before


def test_on_sqlite_the_closed_file_holds_the_closed_tables_only(books, tmp_path):
    stores = tuple(open_store(f"sqlite:///{tmp_path}/{name}.db") for name in ("open", "closed"))
    book = books(at="follow_up", stores=stores)
    book.world.give(save(book, {"thawed": "true"}, 0), "injector")
    assert [r["item"] for r in rows(book, CLOSED_ITEM)] == ["thawed"]


# --- signing, leaving out, voiding, verifying -----------------------------------------------------------------


def about(book, form="preparation"):
    return {"participant": book.participant, "encounter": "follow_up", "form": form}


def record(book):
    return book.world.trial.state().of(ClosedCaseBook, book.participant).peek(("follow_up", "preparation", 1))


def shown(book):
    return shown_form(book.participant, ("follow_up", "preparation", 1), record(book))


def form_row(book):
    (found,) = rows(book, CLOSED_FORM)
    return found


@pytest.fixture
def filled(closed):
    """A complete closed form, nothing odd on it."""
    closed.world.give(save(closed, {"thawed": "true", "volume": "2"}, 0), "injector")
    return closed


def test_a_signature_on_a_closed_form_covers_what_was_shown_and_falls_with_a_change(filled):
    give, before = filled.world.give, filled.world.heads()[Space.OPEN]
    sign = SignClosedForm(**about(filled))
    filled.world.refuses(NotWhatWasShown, sign, "injector", shown="0" * 64)
    seen = shown(filled)
    assert give(sign, "injector", shown=seen).event(ClosedFormSigned).shown == seen
    assert (record(filled).signed, form_row(filled)["signed"], form_row(filled)["signed_by"]) == (
        True,
        1,
        "injector-01",
    )
    give(save(filled, {"volume": "3"}, 1), "injector", reason="slip")
    assert (record(filled).signed, form_row(filled)["signed"], form_row(filled)["signed_by"]) == (
        False,
        0,
        "injector-01",
    )
    filled.world.refuses(NotWhatWasShown, sign, "injector", shown=seen)
    assert filled.world.heads()[Space.OPEN] == before


def test_a_closed_form_is_signed_complete_answered_and_by_whom_it_names(closed):
    sign, refuses = SignClosedForm(**about(closed)), closed.world.refuses
    refuses(NotComplete, sign, "injector")
    closed.world.give(save(closed, {"thawed": "true"}, 0), "injector")
    refuses(NotComplete, sign, "injector", shown=shown(closed))
    closed.world.give(save(closed, {"volume": "9"}, 1), "injector")
    refuses(NotComplete, sign, "injector", shown=shown(closed))  # the check asks
    refuses(FormNotYours, sign, "laboratory", shown=shown(closed))
    refuses(NotPermitted, sign, "investigator")
    refuses(SignatureMissing, sign, "injector", signature=Signature("injector-01", "sign_case_book", shown(closed)))
    refuses(FormNotYours, SignClosedForm(**about(closed, "sheet")), "injector")
    closed.world.give(save(closed, {"volume": "3"}, 2), "injector", reason="slip")
    assert closed.world.give(sign, "injector", shown=shown(closed)).event(ClosedFormSigned)


def test_a_closed_form_is_marked_as_not_done_with_a_reason_and_filled_after_all(closed):
    mark, before = MarkClosedFormNotDone(**about(closed)), closed.world.heads()[Space.OPEN]
    closed.world.refuses(ReasonMissing, mark, "injector")
    receipt = closed.world.give(mark, "injector", reason="device out of order")
    assert receipt.event(ClosedFormMarkedNotDone).how == "not_done"
    assert (form_row(closed)["status"], form_row(closed)["complete"]) == ("not_done", 1)
    closed.world.refuses(ReasonMissing, save(closed, {"volume": "2"}, 1), "injector")
    closed.world.give(save(closed, {"volume": "2"}, 1), "injector", reason="found after all")
    assert form_row(closed)["status"] == "saved"
    closed.world.refuses(AlreadyRecorded, mark, "injector", reason="x")
    closed.world.refuses(FormNotYours, MarkClosedFormNotDone(**about(closed, "sheet")), "injector", reason="x")
    assert closed.world.heads()[Space.OPEN] == before


def test_a_voided_closed_form_is_empty_and_its_queries_are_settled(closed):
    give, before = closed.world.give, closed.world.heads()[Space.OPEN]
    void = VoidClosedForm(**about(closed))
    closed.world.refuses(NothingThere, void, "injector", reason="x")
    give(save(closed, {"volume": "9"}, 0), "injector")
    closed.world.refuses(ReasonMissing, void, "injector")
    closed.world.refuses(NotPermitted, void, "unblinded_monitor", reason="x")
    receipt = give(void, "injector", reason="other participant")
    assert receipt.event(ClosedFormVoided).resolved == ("follow_up.preparation.1.range_volume",)
    assert [r["status"] for r in rows(closed, CLOSED_QUERY)] == ["closed"]
    assert rows(closed, CLOSED_ITEM) == []
    assert (form_row(closed)["status"], form_row(closed)["saves"], record(closed).status) == ("voided", 2, "voided")
    assert closed.world.heads()[Space.OPEN] == before


def test_source_verification_of_a_closed_form_falls_with_a_change(filled):
    verify, before = VerifyClosedItems(**about(filled), items=("thawed", "volume")), filled.world.heads()[Space.OPEN]
    filled.world.refuses(NotPermitted, verify, "monitor")
    filled.world.refuses(NothingThere, VerifyClosedItems(**about(filled), items=("never",)), "unblinded_monitor")
    assert filled.world.give(verify, "unblinded_monitor").event(ClosedItemsVerified).items == ("thawed", "volume")
    verified = {r["item"]: r["verified"] for r in rows(filled, CLOSED_ITEM)}
    assert verified == {"thawed": 1, "volume": 1}
    filled.world.give(save(filled, {"volume": "3"}, 1), "injector", reason="slip")
    assert {r["item"]: r["verified"] for r in rows(filled, CLOSED_ITEM)} == {"thawed": 1, "volume": 0}
    assert record(filled).verified == {"thawed"}
    assert filled.world.heads()[Space.OPEN] == before


def test_an_open_form_is_not_verified_as_a_closed_one(filled):
    filled.fill("sheet", {"count": "1"})
    command = VerifyClosedItems(**about(filled, "sheet"), items=("count",))
    filled.world.refuses(NothingThere, command, "unblinded_monitor")


def test_a_frozen_study_takes_no_entry_on_closed_forms(filled):
    participant = Actor(filled.participant, Role.PARTICIPANT, "public")
    for form, by in {"sheet": "nurse", "doses": "nurse", "walk": "rater", "diary": participant}.items():
        filled.world.give(filled.mark(form), by, reason="moved away")
    filled.world.give(FreezeStudy(), "data_manager")
    for command in (MarkClosedFormNotDone(**about(filled)), VoidClosedForm(**about(filled))):
        filled.world.refuses(StudyIsFrozen, command, "injector", reason="x")


def test_without_the_closed_space_nothing_is_done_to_closed_forms(filled):
    filled.world.trial = filled.world.twin(closed_store=None)
    refuses, query = filled.world.refuses, {"participant": filled.participant, "query": "q"}
    for command in (
        MarkClosedFormNotDone(**about(filled)),
        VoidClosedForm(**about(filled)),
        SignClosedForm(**about(filled)),
        AnswerClosedQuery(**query, text="x"),
        CommentClosedItem(**about(filled), item="volume", text="x"),
    ):
        refuses(SpaceUnavailable, command, "injector", reason="x")
    for command in (
        VerifyClosedItems(**about(filled), items=("volume",)),
        OpenClosedQuery(**about(filled), item="volume", text="x"),
        CloseClosedQuery(**query),
        ReopenClosedQuery(**query, text="x"),
    ):
        refuses(SpaceUnavailable, command, "unblinded_monitor")


# --- queries --------------------------------------------------------------------------------------------------


def test_what_a_check_asks_on_a_closed_form_is_confirmed_there(closed):
    give, before = closed.world.give, closed.world.heads()[Space.OPEN]
    give(save(closed, {"thawed": "true", "volume": "9"}, 0), "injector")
    query = {"participant": closed.participant, "query": "follow_up.preparation.1.range_volume"}
    answer = AnswerClosedQuery(**query, text="A large syringe.", confirms=True)
    closed.world.refuses(NotPermitted, answer, "nurse")
    closed.world.refuses(NotFound, AnswerQuery(**query, text="A large syringe."), "injector")
    assert give(answer, "injector").event(ClosedQueryAnswered).confirms
    (row,) = rows(closed, CLOSED_QUERY)
    assert (row["status"], row["answer"]) == ("confirmed", "A large syringe.")
    give(SignClosedForm(**about(closed)), "injector", shown=shown(closed))
    give(CloseClosedQuery(**query), "unblinded_monitor")
    give(save(closed, {"thawed": "false"}, 1), "injector", reason="slip")
    assert [r["status"] for r in rows(closed, CLOSED_QUERY)] == ["closed"]  # accepted as long as the volume stands
    assert closed.world.heads()[Space.OPEN] == before


def test_an_unblinded_monitor_asks_settles_and_asks_again(filled):
    give, refuses, before = filled.world.give, filled.world.refuses, filled.world.heads()[Space.OPEN]
    ask = OpenClosedQuery(**about(filled), item="volume", text="Which syringe?")
    refuses(NotPermitted, ask, "monitor")
    refuses(TextMissing, OpenClosedQuery(**about(filled), item="volume", text=" "), "unblinded_monitor")
    query = give(ask, "unblinded_monitor").event(ClosedQueryOpened).query
    assert query == "follow_up.preparation.1.asked-1"
    refuses(NotComplete, SignClosedForm(**about(filled)), "injector", shown=shown(filled))
    named = {"participant": filled.participant, "query": query}
    give(AnswerClosedQuery(**named, text="The large one."), "injector")
    refuses(QueryNotInThatState, AnswerClosedQuery(**named, text="Again."), "injector")
    give(CloseClosedQuery(**named), "unblinded_monitor")
    give(ReopenClosedQuery(**named, text="Are you sure?"), "unblinded_monitor")
    (row,) = rows(filled, CLOSED_QUERY)
    assert (row["status"], row["text"], row["opened_by"]) == ("open", "Are you sure?", "unblinded_monitor")
    assert filled.asked("open", "answered", "confirmed", "closed") == []
    assert filled.world.heads()[Space.OPEN] == before


def test_remarks_on_closed_forms_stay_there(filled):
    before = filled.world.heads()[Space.OPEN]
    remark = {"item": "volume", "text": "Measured twice."}
    filled.world.give(CommentClosedItem(**about(filled), **remark), "injector")
    assert [(r["item"], r["text"], r["by"]) for r in rows(filled, CLOSED_COMMENT)] == [
        ("volume", "Measured twice.", "injector-01")
    ]
    wrong = CommentClosedItem(**about(filled, "sheet"), item="count", text="x")
    filled.world.refuses(NotFound, wrong, "injector")
    filled.world.refuses(
        NotFound, OpenClosedQuery(**about(filled, "sheet"), item="count", text="x"), "unblinded_monitor"
    )
    assert filled.world.heads()[Space.OPEN] == before


def test_views_of_closed_forms_folded_again_are_the_same(filled):
    give = filled.world.give
    give(SignClosedForm(**about(filled)), "injector", shown=shown(filled))
    give(OpenClosedQuery(**about(filled), item="volume", text="Which?"), "unblinded_monitor")
    give(CommentClosedItem(**about(filled), item="volume", text="This."), "injector")
    give(VerifyClosedItems(**about(filled), items=("volume",)), "unblinded_monitor")
    tables = (CLOSED_FORM, CLOSED_ITEM, CLOSED_QUERY, CLOSED_COMMENT)
    before = [rows(filled, table) for table in tables]
    filled.world.trial.rebuild_views(Space.CLOSED)
    assert [rows(filled, table) for table in tables] == before


# --- what waits -----------------------------------------------------------------------------------------------


def waiting(book, role):
    stores = book.world.trial.stores
    found = closed_tasks(stores[Space.OPEN].rows, stores[Space.CLOSED].rows, book.world.trial.builds, role=role)
    assert all(task.command.PERMISSION.space is Space.CLOSED and role in task.roles for task in found)
    return [(task.kind, task.about) for task in found if task.participant == book.participant]


def test_what_waits_about_closed_forms_is_told_to_those_who_do_it_alone(closed):
    closed.world.trial.rebuild_views(Space.CLOSED)  # nothing closed was ever written
    give, physician, monitor = closed.world.give, Role.INJECTING_PHYSICIAN, Role.UNBLINDED_MONITOR
    form, query = "follow_up.preparation.1", "follow_up.preparation.1.range_volume"
    assert waiting(closed, physician) == [(Kind.COMPLETE_FORM, form)]
    give(save(closed, {"thawed": "true", "volume": "9"}, 0), "injector")
    assert waiting(closed, physician) == [(Kind.ANSWER_QUERY, query)]
    named = {"participant": closed.participant, "query": query}
    give(AnswerClosedQuery(**named, text="A large one.", confirms=True), "injector")
    assert waiting(closed, physician) == [(Kind.SIGN_FORM, form)]
    give(SignClosedForm(**about(closed)), "injector", shown=shown(closed))
    assert waiting(closed, physician) == []
    give(ReopenClosedQuery(**named, text="How large?"), "unblinded_monitor")
    give(AnswerClosedQuery(**named, text="9 mL."), "injector")
    assert (Kind.SETTLE_QUERY, query) in waiting(closed, monitor)
    for role in (Role.STUDY_NURSE, Role.BLINDED_RATER, Role.MONITOR, Role.CELL_LABORATORY):
        assert waiting(closed, role) == []


def test_closed_items_wait_for_the_unblinded_monitor_until_they_are_verified(filled, monkeypatch):
    monkeypatch.setattr(
        "trialwright.trial.closed_tasks.to_verify", lambda build, participant, key, item: item == "volume"
    )
    monitor = Role.UNBLINDED_MONITOR
    assert waiting(filled, monitor) == [(Kind.VERIFY_ITEMS, "follow_up.preparation.1")]
    filled.world.give(VerifyClosedItems(**about(filled), items=("volume",)), "unblinded_monitor")
    assert waiting(filled, monitor) == []
