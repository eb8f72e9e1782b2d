"""Forms of the closed space: nothing of them is open, and they remember as open ones do."""

from __future__ import annotations

import pytest

from trialwright.protocol.roles import Role
from trialwright.stores import open_store
from trialwright.trial.capture.commands import (
    FormChanged,
    FormNotYours,
    NothingThere,
    ReasonMissing,
    RecordVisit,
    SaveClosedForm,
    SaveForm,
    VerifyItems,
)
from trialwright.trial.capture.events import ClosedFormSaved, Entered
from trialwright.trial.capture.views import CLOSED_FORM, CLOSED_ITEM
from trialwright.trial.closure.events import ClosedDeviationOpened
from trialwright.trial.command import Actor, NotFound
from trialwright.trial.event import Space
from trialwright.trial.permission import ConflictingRole, NotPermitted, SpaceUnavailable
from trialwright.trial.queries.commands import CommentItem, OpenQuery
from trialwright.trial.queries.views import CLOSED_QUERY
from trialwright.trial.setup.commands import DelegateTask


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
