"""Whatever is saved, left out, void, asked and answered in whatever order, the book and its tables stay whole.

Against them stand a plain model that reads the events one by one, a replay, and the checks worked out anew.
"""

from __future__ import annotations

import contextlib
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trialwright.foundation.errors import Refusal
from trialwright.trial.capture.commands import RecordVisit
from trialwright.trial.capture.events import (
    ChecksRepeated,
    Entered,
    FormMarkedNotDone,
    FormSaved,
    FormSigned,
    FormVoided,
    ItemsVerified,
)
from trialwright.trial.capture.saving import Saving
from trialwright.trial.capture.shown import shown_form
from trialwright.trial.capture.state import CaseBook
from trialwright.trial.capture.views import CASE_BOOK, FORM, ITEM, VISIT
from trialwright.trial.event import Space
from trialwright.trial.queries.commands import AnswerQuery, CloseQuery, OpenQuery, ReopenQuery
from trialwright.trial.queries.events import QueryAnswered, QueryClosed, QueryOpened, QueryReopened
from trialwright.trial.queries.state import Queries
from trialwright.trial.queries.views import COMMENT, QUERY
from trialwright.trial.state import State, StreamCache

PLACES = (("screening", "sheet"), ("screening", "screening"), ("unscheduled_1", "sheet"), ("unscheduled_1", "doses"))
VALUES = {
    "sheet": {
        "count": ("1", "4", "11", "-1", Entered(missing="unknown")),
        "present": ("true", "false"),
        "large": ("true", "false", Entered(missing="not_applicable")),
        "why": ("so",),
        "day": ("2025-03-01", "2025-03-02"),
        "since": ("2025", "2025-03-02"),
    },
    "screening": {
        "sex": ("F", "M"),
        "age": ("17", "34", "99"),
        "pregnant": ("true", Entered(missing="not_applicable")),
    },
    "doses": {
        name + row: values
        for row in ("", ".2", ".3")
        for name, values in {"dose": ("3", "20", "99"), "given": ("true", "false"), "reason": ("away",)}.items()
    },
}


@st.composite
def steps(draw):
    planned = []
    for _ in range(draw(st.integers(6, 25))):
        place = draw(st.sampled_from(PLACES))
        act = draw(
            st.sampled_from(
                ["save"] * 6 + ["finish"] * 3 + ["mark"] * 2 + ["void", "verify", "ask", "finish all", "visit"]
            )
        )
        known = VALUES[place[1]]
        names = draw(st.lists(st.sampled_from(sorted(known)), min_size=1, max_size=4, unique=True))
        items = {name: draw(st.sampled_from(known[name])) for name in names}
        planned.append((act, place, items, None))
        if draw(st.booleans()):
            how = draw(st.sampled_from(["confirm", "promise", "close", "reopen"]))
            planned.append(("settle", place, items, (how, draw(st.integers(0, 5)))))
    return planned


def carry_out(book, act, place, items, detail):
    book.encounter, form = place
    world, person = book.world, book.participant
    match act:
        case "save":
            book.fill(form, items, reason="slip")
        case "finish":
            finish(book, form)
        case "mark":
            world.give(book.mark(form), "nurse", reason="no time")
        case "void":
            world.give(book.void(form), "nurse", reason="other person")
        case "verify":
            world.give(book.verify(form, *items), "monitor")
        case "ask":
            ask = OpenQuery(participant=person, encounter=place[0], form=form, item=sorted(items)[0], text="Sure?")
            world.give(ask, "monitor")
        case "finish all":
            for encounter, name in PLACES:
                book.encounter = encounter
                finish(book, name)
            book.sign_all()
        case "visit":
            day = "2025-03-03" if book.state.held["unscheduled_1"] == "2025-03-04" else "2025-03-04"
            moved = RecordVisit(participant=person, encounter="unscheduled_1", date=day)
            world.give(moved, "nurse", reason="misread")
        case "settle":
            how, index = detail
            names = sorted(book.queries.queries)
            if names:
                settle(book, how, names[index % len(names)])


FINISHED = {
    "sheet": {"count": "1", "present": "false", "large": Entered(missing="not_applicable")},
    "screening": {"age": "34", "sex": "F", "pregnant": "false"},
    "doses": {
        f"{name}{row}": value for row in ("", ".2", ".3") for name, value in (("dose", "20"), ("given", "true"))
    },
}


def finish(book, form):
    """Everything filled, answered, verified and signed."""
    stands = book.record(form).values
    changes = {
        name: value
        for name, value in FINISHED[form].items()
        if (stands[name].text if name in stands else None) != (value if isinstance(value, str) else None)
    }
    if changes:
        book.fill(form, changes, reason="slip")
    for name, query in book.queries.queries.items():
        if query.status == "open" and (query.encounter, query.form) == (book.encounter, form):
            settle(book, "confirm", name)
            settle(book, "close", name)
    book.world.give(book.verify(form, *FINISHED[form]), "monitor")
    if form != "doses":
        book.sign(form)


def settle(book, how, query):
    match how:
        case "close":
            book.world.give(CloseQuery(participant=book.participant, query=query), "monitor")
        case "reopen":
            book.world.give(ReopenQuery(participant=book.participant, query=query, text="Again?"), "monitor")
        case _:
            answer = AnswerQuery(participant=book.participant, query=query, text="Yes.", confirms=how == "confirm")
            book.world.give(answer, "nurse")


def test_books_queries_tables_and_replay_agree_whatever_happens(books):
    seen = Counter()

    @given(steps())
    @settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def whatever_happens(planned):
        book = books()
        book.world.later(days=2)
        visit = RecordVisit(participant=book.participant, encounter="unscheduled_1", date="2025-03-04")
        book.world.give(visit, "nurse")
        refused_without_a_trace(book.world)
        for step in planned:
            with contextlib.suppress(Refusal):
                carry_out(book, *step)
                seen[step[0]] += 1
        tables_say_what_the_book_says(book)
        the_record_read_plainly_says_the_same(book, seen)
        checks_ask_what_they_should(book, seen)
        replay_gives_the_same(book)
        seen["books signed"] += book.state.signed

    whatever_happens()
    for what in ("save", "finish", "mark", "void", "ask", "settle", "visit", "signed", "asking", "settled"):
        assert seen[what] >= 3, (what, seen)
    assert seen["books signed"] >= 1, seen


def refused_without_a_trace(world):
    """From now on every refusal of this world is held against the ledgers."""
    give = world.give

    def watched(*command, **how):
        heads = world.heads()
        try:
            return give(*command, **how)
        except Refusal:
            assert world.heads() == heads
            raise

    world.give = watched


def tables_say_what_the_book_says(book):
    state, queries = book.state, book.queries
    forms = {(r["encounter"], r["form"], r["repeat"]): r for r in book.rows(FORM)}
    assert set(forms) == {key for key, record in state.forms.items() if record.saves}
    for key, row in forms.items():
        record = state.forms[key]
        shown = (record.status, record.saves, int(record.complete), int(record.signed))
        assert tuple(row[name] for name in ("status", "saves", "complete", "signed")) == shown
        assert row["signed_by"] is not None or not record.signed
        items = {r["item"]: r for r in book.rows(ITEM, encounter=key[0], form=key[1])}
        assert set(items) == set(record.values)
        for name, value in record.values.items():
            missing = value.missing.value if value.missing else None
            told = (value.text, value.unit, value.outcome, missing)
            assert tuple(items[name][column] for column in ("value", "unit", "outcome", "missing")) == told
            assert items[name]["verified"] == int(name in record.verified)
            assert items[name]["derived"] == int(name in record.computed)
    assert {r["query"]: r["status"] for r in book.rows(QUERY)} == {n: q.status for n, q in queries.queries.items()}
    assert bool(book.rows(CASE_BOOK)) == state.signed
    for row in book.rows(VISIT):
        live = [r for r in forms.values() if r["encounter"] == row["encounter"] and r["status"] != "voided"]
        assert (row["date"], row["status"]) == (state.held[row["encounter"]], "held")
        assert row["forms_saved"] == len(live)
        assert row["forms_complete"] == sum(r["complete"] for r in live)
        assert row["forms_signed"] == sum(r["signed"] for r in live)


def the_record_read_plainly_says_the_same(book, seen):
    """The slow reference: what stands, what is verified, signed and asked, from the events alone."""
    values, verified, signed, asked, by_people = {}, {}, {}, {}, set()
    for fact in book.world.trial.facts():
        event = fact.event
        key = tuple(getattr(event, name, None) for name in ("encounter", "form", "repeat"))
        match event:
            case FormSaved():
                stands = values.setdefault(key, {})
                changed = {**event.items, **event.derived}
                stands.update(changed)
                verified[key] = verified.get(key, set()) - set(changed)
                signed.pop(key, None)
            case FormMarkedNotDone() | FormVoided():
                values[key], verified[key] = {}, set()
                signed.pop(key, None)
            case ItemsVerified(items=items):
                verified.setdefault(key, set()).update(items)
            case FormSigned(shown=shown):
                signed[key] = shown
            case QueryOpened(query=name) | QueryReopened(query=name):
                asked[name] = "open"
                by_people.add(name)
            case QueryAnswered(query=name, confirms=confirms):
                asked[name] = "confirmed" if confirms and name not in by_people else "answered"
            case QueryClosed(query=name):
                asked[name] = "closed"
        if isinstance(event, FormSaved | ChecksRepeated):
            asked.update({raised.query: "open" for raised in event.raised})
            by_people -= {raised.query for raised in event.raised}
        if isinstance(event, FormSaved | ChecksRepeated | FormVoided):
            asked.update(dict.fromkeys(event.resolved, "closed"))
    for key, record in book.state.forms.items():
        told = {name: (v.text, v.missing.value if v.missing else None) for name, v in record.values.items()}
        assert told == {name: (e.text, e.missing) for name, e in values.get(key, {}).items()}
        assert record.verified == verified.get(key, set())
        assert record.signed == (key in signed)
        if key in signed:
            # A signature that stands is over exactly what stands.
            assert signed[key] == shown_form(book.participant, key, record)
            seen["signed"] += 1
    assert {name: query.status for name, query in book.queries.queries.items()} == asked


def checks_ask_what_they_should(book, seen):
    """A check's question is open, or settled by a person, exactly where the check asks of what stands now."""
    state, queries = book.state, book.queries
    build = book.world.build
    reopened = reopened_by_people(book)
    for key, record in state.forms.items():
        asking = set()
        if record.status == "saved":
            outcome = Saving(build, state, key, record.values).outcome()
            assert not outcome.derived, "nothing is left to compute"
            assert record.complete == outcome.complete
            asking = {f"{key[0]}.{key[1]}.{key[2]}.{finding.check}" for finding in outcome.findings}
        of_checks = {name: q for name, q in queries.of_form(*key).items() if q.by_check is not None}
        for name, query in of_checks.items():
            if name in asking:
                by_person = query.status in ("answered", "confirmed") or (query.status == "closed" and query.accepted)
                assert query.status == "open" or by_person
                seen["asking"] += 1
            else:
                assert query.status == "closed" or name in reopened
                seen["settled"] += 1
        assert asking <= set(of_checks)


def reopened_by_people(book):
    """Queries that nobody but a person keeps open."""
    found = set()
    for fact in book.world.trial.facts():
        match fact.event:
            case QueryReopened(query=name):
                found.add(name)
            case FormSaved(raised=raised) | ChecksRepeated(raised=raised):
                found -= {query.query for query in raised}
    return found


def replay_gives_the_same(book):
    trial = book.world.trial
    tables = (VISIT, FORM, ITEM, CASE_BOOK, QUERY, COMMENT)
    before = [book.rows(table) for table in tables]
    trial.rebuild_views()
    assert [book.rows(table) for table in tables] == before
    afresh = State(StreamCache(trial.ledgers, (CaseBook, Queries), trial._recorder))
    assert afresh.of(CaseBook, book.participant) == book.state
    assert afresh.of(Queries, book.participant) == book.queries
    assert trial.ledgers[Space.OPEN].head().size > 0
