"""What expressions are given from the book: this page, this visit, a named visit, or the latest value known then."""

from __future__ import annotations

import pytest

from trialwright.build import ItemReference, ItemValue
from trialwright.expressions import Missing
from trialwright.foundation.missing import MissingReason
from trialwright.foundation.quantities import Quantity
from trialwright.trial.capture.commands import RecordVisit
from trialwright.trial.capture.events import Entered
from trialwright.trial.capture.state import LOG

WEIGHT = {"form": "sheet", "item": "weight"}


@pytest.fixture
def history(book):
    """Weights 70 on 3 March, 72 on 10 March, none on 17 March; the visit of 3 March is filled last."""
    book.world.later(days=20)
    for number, day in ((1, "2025-03-10"), (2, "2025-03-17"), (3, "2025-03-10")):
        visit = RecordVisit(participant=book.participant, encounter=f"unscheduled_{number}", date=day)
        book.world.give(visit, "nurse")
    for encounter, weight in (
        ("unscheduled_1", "72"),
        ("unscheduled_2", Entered(missing="not_done")),
        ("screening", "70"),
    ):
        book.encounter = encounter
        book.fill("sheet", {"weight": weight})
    return book


def read(book, here=None, *, own=None, standing=None, **reference):
    wanted = ItemReference("key", **{**WEIGHT, **reference})
    return book.state.row(book.world.build, (wanted,), here, own=own, standing=standing)["key"]


def kg(text):
    return Quantity(text, "kg")


def test_a_plain_reference_means_the_form_of_the_same_visit(history):
    assert read(history, "screening") == kg("70")
    assert read(history, "unscheduled_1") == kg("72")
    assert read(history, "unscheduled_2") == Missing(MissingReason.NOT_DONE)


def test_where_the_form_is_planned_and_not_filled_nothing_is_known(history):
    assert read(history, "follow_up") is None


def test_where_the_form_has_no_place_the_latest_value_by_visit_date_counts(history):
    assert read(history, "marrow_1") == kg("72")  # not the one saved last, and not the one that is missing
    assert read(history, None) == kg("72")


def test_a_named_visit_is_read_wherever_one_stands(history):
    assert read(history, "unscheduled_1", encounter="screening") == kg("70")
    assert read(history, "screening", encounter="follow_up") is None


def test_the_latest_value_is_never_later_than_the_visit_that_asks(history):
    assert read(history, "screening", latest=True) == kg("70")
    assert read(history, "unscheduled_2", latest=True) == kg("72")
    assert read(history, None, latest=True) == kg("72")


@pytest.mark.parametrize(("within", "found"), [(6, None), (7, kg("72")), (30, kg("72"))])
def test_the_latest_value_may_be_too_old(history, within, found):
    assert read(history, "unscheduled_2", latest=True, within=within) == found


def test_an_age_limit_asks_for_a_visit_with_a_date(history):
    assert read(history, None, latest=True, within=1000) is None
    history.encounter = LOG
    history.fill("medication", {"name": "aspirin", "started": "2020"})
    assert read(history, "screening", form="medication", item="name", latest=True) == "aspirin"
    assert read(history, "screening", form="medication", item="name", latest=True, within=1000) is None


def test_of_two_values_of_one_day_the_one_saved_last_counts(history):
    history.encounter = "unscheduled_3"
    history.fill("sheet", {"weight": "75"})
    assert read(history, None) == kg("75")
    history.encounter = "unscheduled_1"
    history.fill("sheet", {"weight": "73"}, reason="misread")
    assert read(history, None) == kg("73")


def test_a_void_form_is_not_there_and_one_left_out_says_why(history):
    history.world.give(history.void("sheet"), "nurse", reason="other person")
    assert read(history, "screening") is None
    assert read(history, "screening", latest=True) is None
    history.world.give(history.mark("sheet"), "nurse", reason="no time")
    assert read(history, "screening") == Missing(MissingReason.NOT_DONE)
    assert read(history, "screening", latest=True) is None


def test_what_is_being_saved_counts_before_it_is_saved(history):
    new = {"weight": ItemValue(text="80", unit="kg")}
    own = ("unscheduled_3", "sheet", 1)
    assert read(history, own[0], own=own, standing={own: new}) == kg("80")
    assert read(history, own[0], own=own, standing={own: new}, latest=True) == kg("80")
    assert read(history, "unscheduled_2", standing={own: new}, latest=True) == kg("80")
    changed = ("screening", "sheet", 1)
    assert read(history, None, standing={changed: new}, latest=True) == kg("72")
    assert read(history, "unscheduled_1", standing={changed: new}, encounter="screening") == kg("80")


def test_facts_and_measurements_are_not_in_the_book(history):
    fact = ItemReference("age", None, "age")
    assert history.state.row(history.world.build, (fact,), None) == {}
