"""Questions: asked by people and checks, answered by the site, settled by who asks; and remarks that ask nothing."""

from __future__ import annotations

from datetime import date

import pytest

from trialwright.build.compile import compiled
from trialwright.trial.capture.commands import RecordVisit
from trialwright.trial.capture.state import LOG
from trialwright.trial.capture.views import VISIT
from trialwright.trial.command import NotFound
from trialwright.trial.event import Space
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
from trialwright.trial.setup.commands import ActivateAmendment, ApproveBuild
from trialwright.trial.setup.events import Approval
from trialwright.trial.tasks import Kind, tasks


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
    assert (row(asked)["opened_by"], row(asked)["by_check"]) == ("monitor", "range_count"), "who asks that, and why"
    assert asked.queries.unsettled() == ["screening.sheet.1.range_count"]


def test_what_a_person_asks_again_is_theirs_to_settle(asked):
    world = asked.world
    world.give(answer(asked, confirms=True), "nurse")
    world.give(reopen(asked), "monitor")
    asked.fill("sheet", {"count": "13"}, reason="slip")
    assert row(asked)["text"] == "Look again.", "the check finds something else, and does not write over the question"
    asked.fill("sheet", {"count": "5"}, reason="slip")
    assert row(asked)["status"] == "open", "the check finds nothing more, and the question still waits for an answer"
    world.give(answer(asked, confirms=True), "nurse")
    assert (row(asked)["status"], asked.queries.unsettled()) == ("answered", ["screening.sheet.1.range_count"])
    world.give(close(asked), "monitor")
    assert asked.queries.unsettled() == []
    asked.fill("sheet", {"count": "14"}, reason="slip")
    assert (row(asked)["status"], row(asked)["opened_by"]) == ("open", "check")
    asked.fill("sheet", {"count": "5"}, reason="slip")
    assert row(asked)["status"] == "closed", "what the check asks, it settles"


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


@pytest.fixture
def amended(capture_build):
    """``amended(version, checks=False)``: the study with or without its checks, and one form more at screening."""

    def make(version, *, checks=True, more=()):
        study = capture_build.study
        forms = (
            study.forms
            if checks
            else {**study.forms, "sheet": study.forms["sheet"].model_copy(update={"checks": ()})}
        )
        first, *others = study.schedule.encounters
        first = first.model_copy(update={"forms": (*first.forms, *more)})
        schedule = study.schedule.model_copy(update={"encounters": (first, *others)})
        identity = study.identity.model_copy(update={"version": version})
        return compiled(study.model_copy(update={"forms": forms, "schedule": schedule, "identity": identity}))

    return make


def move(book, build):
    """The site works under this build from now on."""
    book.world.trial.builds = {**book.world.trial.builds, build.id: build}
    book.world.give(ApproveBuild(build=build.id, evidence="e" * 64, summary="s"), "sponsor")
    approvals = (Approval(kind="ethics", reference="2/2025", date="2025-02-01"),)
    amendment = ActivateAmendment(site="01", build=build.id, approvals=approvals, reconsent=False)
    book.world.give(amendment, "sponsor")


def test_checks_that_an_amendment_takes_away_stop_asking_and_ask_anew_when_they_come_back(book, amended):
    book.fill("sheet", {"since": "2025-03-02", "day": "2025-03-01"})
    move(book, amended("2.0", checks=False))
    assert book.asked() == ["since_before_day"]  # until somebody works on the form
    book.fill("sheet", {"note": "x"})
    assert (book.asked(), book.asked("closed")) == ([], ["since_before_day"])
    move(book, amended("3.0"))
    book.fill("sheet", {"note": "y"}, reason="slip")
    assert book.asked() == ["since_before_day"]


def test_what_stands_on_a_form_that_an_amendment_took_from_the_visit_can_still_be_corrected(book, amended):
    move(book, amended("2.0", more=("walk",)))
    rater = {"by": "rater"}
    other = type(book)(book.world, book.world.consented())
    visit = RecordVisit(participant=other.participant, encounter="screening", date=book.world.today)
    book.world.give(visit, "nurse")
    other.fill("walk", {"seconds": "7"}, **rater)
    move(book, amended("3.0"))
    other.fill("walk", {"seconds": "8"}, **rater, reason="misread")
    book.world.refuses(NotFound, book.save("walk", {"seconds": "7"}), "rater")


def test_a_visit_owes_the_forms_of_the_build_it_was_recorded_under(book, amended):
    move(book, amended("2.0", more=("walk",)))
    book.world.later(days=1)
    again = RecordVisit(participant=book.participant, encounter="screening", date=book.world.today)
    book.world.give(again, "nurse", reason="misread")
    builds = book.world.trial.builds
    now = list(builds.values())[-1]
    assert [form for _, form, _ in book.state.unfilled(builds, now)] == ["screening", "sheet"]
    (visit,) = book.rows(VISIT, encounter="screening")
    assert (visit["date"], visit["build"]) == (book.world.today, book.world.build.id)
    other = type(book)(book.world, book.world.consented())
    book.world.give(RecordVisit(participant=other.participant, encounter="screening", date=book.world.today), "nurse")
    assert [form for _, form, _ in other.state.unfilled(builds, now)] == ["screening", "sheet", "walk"]
    assert [form for _, form, _ in other.state.unfilled(builds, book.world.build)] == ["screening", "sheet"]
    waiting = tasks(book.world.trial.stores[Space.OPEN].rows, builds, date.fromisoformat(book.world.today))
    owed = [(task.participant, task.about) for task in waiting if task.kind is Kind.COMPLETE_FORM]
    assert sorted(owed) == [
        (participant, f"screening.{form}.1")
        for participant, forms in (
            (book.participant, ("screening", "sheet")),
            (other.participant, ("screening", "sheet", "walk")),
        )
        for form in forms
    ]
