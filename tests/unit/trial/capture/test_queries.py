"""Questions: asked by people and checks, answered by the site, settled by who asks; and remarks that ask nothing."""

from __future__ import annotations

import pytest

from trialwright.trial.capture.events import Entered
from trialwright.trial.capture.state import LOG
from trialwright.trial.command import NotFound
from trialwright.trial.permission import NotPermitted, OtherSite
from trialwright.trial.queries.commands import (
    AnswerQuery,
    CloseQuery,
    CommentItem,
    OpenQuery,
    QueryNotInThatState,
    ReopenQuery,
    TextMissing,
)
from trialwright.trial.queries.events import ItemCommented, QueryAnswered, QueryClosed, QueryOpened, QueryReopened
from trialwright.trial.queries.views import COMMENT, QUERY


@pytest.fixture
def asked(book):
    """A form with an unusual value: a check asks."""
    book.fill("sheet", {"count": "11"})
    return book


def ask(book, item="count", text="Is this right?", **where):
    given = {"participant": book.participant, "encounter": "screening", "form": "sheet", "item": item, "text": text}
    return OpenQuery(**{**given, **where})


def answer(book, query="screening.sheet.1.range_count", text="It is right.", *, confirms=False):
    return AnswerQuery(participant=book.participant, query=query, text=text, confirms=confirms)


def close(book, query="screening.sheet.1.range_count"):
    return CloseQuery(participant=book.participant, query=query)


def reopen(book, query="screening.sheet.1.range_count", text="Look again."):
    return ReopenQuery(participant=book.participant, query=query, text=text)


def comment(book, **changes):
    given = {"participant": book.participant, "encounter": "screening", "form": "sheet", "item": "note"}
    return CommentItem(**{**given, "text": "on paper", **changes})


def row(book, query="screening.sheet.1.range_count"):
    (found,) = book.rows(QUERY, query=query)
    return found


def test_a_person_asks_the_site_answers_the_asker_closes(asked):
    world = asked.world
    opened = world.give(ask(asked), "monitor").event(QueryOpened)
    assert opened.query == "screening.sheet.1.asked-1"
    assert (row(asked, opened.query)["opened_by"], row(asked, opened.query)["by_check"]) == ("monitor", None)
    answered = world.give(answer(asked, opened.query, confirms=True), "nurse").event(QueryAnswered)
    assert answered.confirms
    assert row(asked, opened.query)["status"] == "answered"  # who asked decides whether that settles it
    world.give(close(asked, opened.query), "monitor").event(QueryClosed)
    assert row(asked, opened.query)["status"] == "closed"
    again = world.give(ask(asked, item="double"), "data_manager").event(QueryOpened)
    assert again.query == "screening.sheet.1.asked-2"


def test_a_check_is_answered_by_confirming_the_value(asked):
    assert asked.queries.unsettled() == ["screening.sheet.1.range_count"]
    asked.world.give(answer(asked, confirms=True), "nurse")
    assert row(asked)["status"] == "confirmed"
    assert row(asked)["answer"] == "It is right."
    assert asked.queries.unsettled() == []
    asked.world.give(reopen(asked), "monitor").event(QueryReopened)
    assert (row(asked)["status"], row(asked)["text"]) == ("open", "Look again.")
    assert asked.queries.unsettled() == ["screening.sheet.1.range_count"]


def test_the_age_of_a_question_starts_when_it_is_asked_anew(asked):
    first = row(asked)["opened_at"]
    asked.world.later(days=1)
    asked.fill("sheet", {"count": "12"}, reason="slip")
    assert (row(asked)["opened_at"], row(asked)["times"]) == (first, 2)
    asked.fill("sheet", {"count": "5"}, reason="slip")
    asked.world.later(days=1)
    asked.fill("sheet", {"count": "13"}, reason="slip")
    assert (row(asked)["opened_at"] > first, row(asked)["times"]) == (True, 3)


@pytest.mark.parametrize("text", ["", "  \n", "x" * 2001])
def test_questions_answers_and_remarks_have_words(asked, text):
    asked.world.refuses(TextMissing, ask(asked, text=text), "monitor")
    asked.world.refuses(TextMissing, answer(asked, text=text), "nurse")
    asked.world.refuses(TextMissing, comment(asked, text=text), "nurse")
    asked.world.give(close(asked), "monitor")
    asked.world.refuses(TextMissing, reopen(asked, text=text), "monitor")


def test_each_step_needs_a_query_in_the_right_state(asked):
    world = asked.world
    world.refuses(QueryNotInThatState, reopen(asked), "monitor")
    world.give(answer(asked), "nurse")
    world.refuses(QueryNotInThatState, answer(asked), "nurse")
    world.give(close(asked), "monitor")
    world.refuses(QueryNotInThatState, close(asked), "monitor")
    world.refuses(QueryNotInThatState, answer(asked), "nurse")
    world.give(reopen(asked), "monitor")
    world.refuses(QueryNotInThatState, reopen(asked), "monitor")


def test_a_query_that_is_not_there_is_not_found(asked):
    for command, by in (
        (answer(asked, "x"), "nurse"),
        (close(asked, "x"), "monitor"),
        (reopen(asked, "x"), "monitor"),
    ):
        asked.world.refuses(NotFound, command, by)


def test_questions_are_about_items_of_forms_that_count(asked):
    world = asked.world
    for command in (
        ask(asked, item="height"),
        ask(asked, item="count.2"),
        ask(asked, form="diet"),
        ask(asked, form="screening", item="age"),
        ask(asked, encounter="follow_up"),
        ask(asked, repeat=2),
        ask(asked, participant="NO-01-099"),
    ):
        world.refuses(NotFound, command, "monitor")
    world.give(ask(asked, item="ratio"), "monitor")  # why is it empty?
    world.give(asked.void("sheet"), "nurse", reason="other person")
    world.refuses(NotFound, ask(asked), "monitor")
    world.give(asked.mark("sheet"), "nurse", reason="no time")
    world.give(ask(asked), "monitor")  # why was it left out?


def test_a_row_of_a_table_is_asked_about_by_its_number(books):
    book = books(at="follow_up")
    book.fill("doses", {"dose": "10", "given": "true", "dose.2": "10", "given.2": "true"})
    opened = book.world.give(ask(book, "dose.2", encounter="follow_up", form="doses"), "monitor").event(QueryOpened)
    assert opened.item == "dose.2"
    for item in ("remark.2", "dose.x", "dose.²"):
        book.world.refuses(NotFound, ask(book, item, encounter="follow_up", form="doses"), "monitor")


def test_who_may_ask_answer_and_close(asked):
    world = asked.world
    for by in ("nurse", "sponsor", "rater"):
        world.refuses(NotPermitted, ask(asked), by)
        world.refuses(NotPermitted, close(asked), by)
        world.refuses(NotPermitted, reopen(asked), by)
    for by in ("monitor", "data_manager"):
        world.refuses(NotPermitted, answer(asked), by)
    world.refuses(OtherSite, answer(asked), "nurse@02")
    world.refuses(OtherSite, comment(asked), "nurse@02")
    world.refuses(NotPermitted, comment(asked), "laboratory")


def test_a_remark_stands_beside_the_field_filled_or_not_and_asks_nothing(book):
    receipt = book.world.give(comment(book), "nurse")
    assert receipt.event(ItemCommented).text == "on paper"
    book.world.give(comment(book, text="same minute"), "monitor")
    book.world.give(comment(book, encounter=LOG, form="medication", item="name"), "nurse")
    assert [(r["text"], r["by"]) for r in book.rows(COMMENT)] == [
        ("on paper", "nurse-01"),
        ("same minute", "monitor"),
        ("on paper", "nurse-01"),
    ]
    assert book.asked() == []


def test_remarks_are_about_items_of_people_of_the_study(book):
    for changes in (
        {"item": "height"},
        {"form": "diet"},
        {"encounter": "follow_up"},
        {"participant": "NO-01-099"},
        {"participant": "NO-01-099", "encounter": LOG, "form": "medication", "item": "name"},
    ):
        book.world.refuses(NotFound, comment(book, **changes), "monitor")


def test_checks_that_an_amendment_took_away_stop_asking_at_the_next_save(books, capture_build):
    from trialwright.build.compile import compiled
    from trialwright.trial.setup.commands import ActivateAmendment, ApproveBuild
    from trialwright.trial.setup.events import Approval

    study = capture_build.study
    sheet = study.forms["sheet"]
    lighter = compiled(
        study.model_copy(
            update={
                "forms": {**study.forms, "sheet": sheet.model_copy(update={"checks": ()})},
                "identity": study.identity.model_copy(update={"version": "2.0"}),
            }
        )
    )
    book = books()
    book.world.trial.builds = {capture_build.id: capture_build, lighter.id: lighter}
    book.fill("sheet", {"since": "2025-03-02", "day": "2025-03-01"})
    assert book.asked() == ["since_before_day"]
    book.world.give(ApproveBuild(build=lighter.id, evidence="e" * 64, summary="s"), "sponsor")
    approvals = (Approval(kind="ethics", reference="2/2025", date="2025-02-01"),)
    move = ActivateAmendment(site="01", build=lighter.id, approvals=approvals, reconsent=False)
    book.world.give(move, "sponsor")
    book.fill("sheet", {"note": Entered(text="x")})
    assert (book.asked(), book.asked("closed")) == ([], ["since_before_day"])
