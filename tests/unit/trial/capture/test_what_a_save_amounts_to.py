"""Conditions, derivations, completeness, ranges and checks; in tables row by row, and across forms."""

from __future__ import annotations

import pytest

from trialwright.trial.capture.commands import ReasonMissing, RecordVisit
from trialwright.trial.capture.events import ChecksRepeated, Entered, FormSaved
from trialwright.trial.capture.views import FORM, ITEM
from trialwright.trial.queries.commands import AnswerQuery, CloseQuery

NEEDED = {"count": "1", "present": "false"}


def answer(book, form, check, *, confirms=True):
    command = AnswerQuery(
        participant=book.participant, query=book.name(form, check), text="as it is", confirms=confirms
    )
    book.world.give(command, "nurse")


def close(book, form, check):
    book.world.give(CloseQuery(participant=book.participant, query=book.name(form, check)), "data_manager")


def test_a_computed_item_follows_its_inputs(book):
    book.fill("sheet", {"count": "3", "present": "true"})
    assert (book.values("sheet")["double"], book.values("sheet")["half"]) == ("6", "1.5")
    book.fill("sheet", {"count": Entered(missing="refused")}, reason="withdrawn")
    assert (book.values("sheet")["double"], book.values("sheet")["half"]) == ("?refused", "?refused")


def test_a_computed_item_that_is_not_asked_is_not_applicable(book):
    book.fill("sheet", {"count": "3", "present": "true"})
    receipt = book.fill("sheet", {"present": "false"}, reason="slip")
    assert receipt.event(FormSaved).derived["half"].missing == "not_applicable"
    assert book.values("sheet")["half"] == "?not_applicable"
    book.fill("sheet", {"present": "true"}, reason="slip")
    assert book.values("sheet")["half"] == "1.5"


def test_conditions_follow_computed_items_and_each_other(book):
    book.fill("sheet", {"count": "3"})  # double is 6: large is not asked, so neither is why
    assert (book.values("sheet")["large"], book.values("sheet")["why"]) == ("?not_applicable", "?not_applicable")
    book.fill("sheet", {"count": "4"}, reason="slip")
    assert (book.values("sheet")["large"], book.values("sheet")["why"]) == ("?not_asked", "?not_asked")
    book.fill("sheet", {"large": "false"})  # nothing was there, so no reason
    assert book.values("sheet")["why"] == "?not_applicable"
    book.fill("sheet", {"count": "3"}, reason="slip")
    assert book.values("sheet")["large"] == "false"  # what was entered stays, and is asked about
    assert book.asked() == ["condition_large"]


def test_what_is_asked_again_is_missing_until_it_is_answered(book):
    book.fill("sheet", {"count": "3", "present": "false"})
    assert book.record("sheet").complete
    book.fill("sheet", {"count": "4"}, reason="slip")
    assert not book.record("sheet").complete
    (row,) = book.rows(ITEM, form="sheet", item="large")
    assert (row["value"], row["missing"], row["derived"]) == (None, "not_asked", 1)
    book.fill("sheet", {"large": "true", "why": Entered(missing="unknown")})
    assert book.record("sheet").complete
    assert book.rows(FORM, form="sheet")[0]["complete"] == 1


def test_not_applicable_chosen_by_a_person_is_never_taken_back(book):
    book.fill("sheet", {"count": "4", "present": "false", "large": Entered(missing="not_applicable")})
    book.fill("sheet", {"ratio": "1"})
    assert book.values("sheet")["large"] == "?not_applicable"
    assert book.record("sheet").complete
    change = book.save("sheet", {"large": "true"})
    book.world.refuses(ReasonMissing, change, "nurse")  # it was entered


def test_a_value_where_none_is_asked_for_stays_and_is_asked_about_until_one_of_them_changes(book):
    book.fill("sheet", {"count": "4", "present": "false", "large": "true", "why": "saw it"})
    assert book.asked() == []
    book.fill("sheet", {"count": "2"}, reason="slip")
    assert book.values("sheet")["large"] == "true"
    assert book.asked() == ["condition_large"]
    book.fill("sheet", {"large": Entered(missing="not_applicable")}, reason="slip")
    assert book.asked("closed") == ["condition_large"]
    assert book.asked() == ["condition_why"]  # nor is the reason asked for of what is not applicable


@pytest.mark.parametrize(
    ("items", "complete"),
    [
        ({"count": "1"}, False),
        (NEEDED, True),
        ({"count": Entered(missing="not_done"), "present": "false"}, False),  # large may apply
        ({"count": Entered(missing="not_done"), "present": "false", "large": Entered(missing="unknown")}, False),
        (
            {
                "count": Entered(missing="not_done"),
                "present": "false",
                "large": Entered(missing="unknown"),
                "why": Entered(missing="unknown"),
            },
            True,
        ),
        ({"count": "9", "present": "false", "large": "false"}, True),
        ({"count": "9", "present": "false", "large": "true"}, False),
    ],
)
def test_a_form_is_complete_when_every_required_item_is_answered_or_explained(book, items, complete):
    assert book.fill("sheet", items).event(FormSaved).complete is complete
    assert book.record("sheet").complete is complete


def test_unusual_and_impossible_numbers_are_asked_about_in_words(book):
    raised = book.fill("sheet", {"count": "11"}).event(FormSaved).raised
    assert [(q.query, q.item, q.message) for q in raised] == [
        ("screening.sheet.1.range_count", "count", "Count: 11 is unusual. Confirm or correct.")
    ]
    receipt = book.fill("sheet", {"count": "-1"}, reason="slip").event(FormSaved)
    assert [q.message for q in receipt.raised] == ["Count: -1 is not possible. Please correct."]
    assert receipt.resolved == ("screening.sheet.1.range_count",)
    receipt = book.fill("sheet", {"count": "5"}, reason="slip").event(FormSaved)
    assert (receipt.raised, receipt.resolved) == ((), ("screening.sheet.1.possible_count",))
    assert book.asked("closed") == ["possible_count", "range_count"]


def test_an_open_question_follows_the_value_it_is_about(book):
    book.fill("sheet", {"count": "11"})
    (raised,) = book.fill("sheet", {"count": "12"}, reason="slip").event(FormSaved).raised
    assert raised.message == "Count: 12 is unusual. Confirm or correct."
    assert book.fill("sheet", {"ratio": "1"}).event(FormSaved).raised == ()


def test_what_the_site_confirmed_is_asked_again_only_when_what_was_read_changes(book):
    book.fill("sheet", {"since": "2025-03-02", "day": "2025-03-01"})
    answer(book, "sheet", "since_before_day")
    assert book.asked("confirmed") == ["since_before_day"]
    book.fill("sheet", {"count": "1"})
    assert book.asked("confirmed") == ["since_before_day"]
    book.fill("sheet", {"day": "2025-02-28"}, reason="slip")  # the check reads both, its query stands on since
    assert book.asked() == ["since_before_day"]


def test_what_a_person_closed_stays_closed_until_what_was_read_changes(book):
    book.fill("sheet", {"count": "11"})
    answer(book, "sheet", "range_count")
    close(book, "sheet", "range_count")
    book.fill("sheet", {"ratio": "1"})
    assert book.asked("closed") == ["range_count"]
    book.fill("sheet", {"count": "12"}, reason="slip")
    assert book.asked() == ["range_count"]


def test_a_promise_to_correct_is_asked_again_when_the_correction_is_wrong_too(book):
    book.fill("sheet", {"count": "11"})
    answer(book, "sheet", "range_count", confirms=False)
    assert book.asked("answered") == ["range_count"]
    book.fill("sheet", {"count": "12"}, reason="slip")
    assert book.asked() == ["range_count"]
    book.fill("sheet", {"count": "1"}, reason="slip")
    assert book.asked("closed") == ["range_count"]


def test_a_check_that_stopped_asking_asks_anew(book):
    for count, asked in (("11", True), ("5", False), ("12", True), ("4", False)):
        book.fill("sheet", {"count": count}, reason="slip")
        assert book.asked() == (["range_count"] if asked else [])


@pytest.mark.parametrize(
    ("since", "asks"), [("2025", False), ("2025-03", False), ("2025-03-02", True), ("2025-04", True), ("2024", False)]
)
def test_a_partial_date_is_asked_about_only_when_no_day_of_it_would_fit(book, since, asks):
    book.fill("sheet", {"day": "2025-03-01", "since": since})
    assert (book.asked() == ["since_before_day"]) is asks


def test_missing_values_ask_nothing(book):
    book.fill("sheet", {"day": "2025-03-01", "since": Entered(missing="unknown")})
    book.fill("sheet", {"present": "true"})  # sex is not known yet
    assert book.asked() == []


# --- tables ---------------------------------------------------------------------------------------------------


@pytest.fixture
def table(books):
    return books(at="follow_up")


def test_each_row_of_a_table_has_its_own_conditions_and_computed_values(table):
    table.fill(
        "doses",
        {"dose": "10", "given": "true", "dose.2": "20", "given.2": "false", "reason.2": "away", "given.3": "true"},
    )
    values = table.values("doses")
    assert (values["micro"], values["micro.2"], values["micro.3"]) == ("10000.0000", "20000.0000", "?not_asked")
    assert values["reason"] == "?not_applicable"
    assert values["reason.2"] == "away"
    assert values["reason.3"] == "?not_applicable"
    assert not table.record("doses").complete  # the third dose is not filled
    table.fill("doses", {"dose.3": Entered(missing="unknown")})
    assert table.record("doses").complete


def test_checks_and_ranges_ask_in_the_row_they_are_about(table):
    table.fill(
        "doses", {"dose": "10", "given": "true", "dose.2": "3", "given.2": "true", "dose.3": "99", "given.3": "true"}
    )
    assert table.asked() == ["not_for_nothing.2", "range_dose.3"]
    items = {name.split(".", 3)[3]: query.item for name, query in table.queries.queries.items()}
    assert items == {"not_for_nothing.2": "dose.2", "range_dose.3": "dose.3"}
    table.fill("doses", {"given.2": "false", "reason.2": "too little"}, reason="slip")
    assert table.asked() == ["range_dose.3"]


def test_a_table_without_rows_is_complete_and_computes_nothing(table):
    assert table.fill("doses", {"remark": "none"}).event(FormSaved).complete
    assert table.values("doses") == {"remark": "none"}


def test_a_row_where_something_is_not_asked_any_more_keeps_it_and_asks(table):
    table.fill("doses", {"dose.2": "20", "given.2": "false", "reason.2": "away"})
    table.fill("doses", {"given.2": "true"}, reason="slip")
    assert table.asked() == ["condition_reason.2"]
    assert table.values("doses")["reason.2"] == "away"


# --- across forms ---------------------------------------------------------------------------------------------


def person(sex, age="34"):
    return {"age": age, "sex": sex} | ({"pregnant": "false"} if sex == "F" else {})


def test_a_check_that_reads_another_form_asks_when_that_form_changes(book):
    book.fill("screening", person("F"))
    book.fill("sheet", {"present": "true"})
    assert book.asked() == []
    changed = {"sex": "M", "pregnant": Entered(missing="not_applicable")}
    receipt = book.fill("screening", changed, reason="slip")
    repeated = receipt.event(ChecksRepeated)
    assert (repeated.form, [q.query for q in repeated.raised]) == ("sheet", ["screening.sheet.1.present_in_women"])
    assert book.asked() == ["present_in_women"]
    receipt = book.fill("screening", {"sex": "F", "pregnant": "false"}, reason="slip")
    assert receipt.event(ChecksRepeated).resolved == ("screening.sheet.1.present_in_women",)
    assert book.asked() == []


def test_a_check_elsewhere_is_left_alone_when_what_it_reads_is_unchanged(book):
    book.fill("screening", person("M"))
    book.fill("sheet", {"present": "true"})
    answer(book, "sheet", "present_in_women")
    receipt = book.fill("screening", {"age": "35"}, reason="slip")
    assert [type(fact.event) for fact in receipt.facts] == [FormSaved]
    assert book.asked("confirmed") == ["present_in_women"]


def test_asking_again_elsewhere_leaves_version_and_signature_of_that_form(book):
    book.fill("screening", person("F"))
    book.fill("sheet", {"present": "true", "count": "1"})
    book.sign("sheet")
    book.fill("screening", {"sex": "M", "pregnant": Entered(missing="not_applicable")}, reason="slip")
    record = book.record("sheet")
    assert (record.saves, record.signed) == (1, True)  # its data are what was signed
    assert book.asked() == ["present_in_women"]


@pytest.mark.parametrize("act", ["void", "mark"])
def test_checks_elsewhere_stop_asking_when_the_form_they_read_is_gone(book, act):
    book.fill("screening", person("M"))
    book.fill("sheet", {"present": "true"})
    assert book.asked() == ["present_in_women"]
    receipt = book.world.give(book.void("screening"), "nurse", reason="other person")
    assert receipt.event(ChecksRepeated).resolved == ("screening.sheet.1.present_in_women",)
    if act == "mark":
        book.world.give(book.mark("screening"), "nurse", reason="lost")
    assert book.asked() == []


def test_a_check_of_every_visit_asks_again(book):
    book.fill("screening", person("F"))
    book.fill("sheet", {"present": "true"})
    visit = RecordVisit(participant=book.participant, encounter="unscheduled_1", date=book.world.today)
    book.world.give(visit, "nurse")
    book.encounter = "unscheduled_1"
    book.fill("sheet", {"present": "true"})
    book.encounter = "screening"
    receipt = book.fill("screening", {"sex": "M", "pregnant": Entered(missing="not_applicable")}, reason="slip")
    where = [f.event.encounter for f in receipt.facts if isinstance(f.event, ChecksRepeated)]
    assert where == ["screening", "unscheduled_1"]
