"""All queries with their state, and the comments on fields."""

from __future__ import annotations

from trialwright.foundation.tables import Cell, Column, Rows, Table
from trialwright.trial.capture.events import FormMarkedNotDone, FormSaved, FormVoided
from trialwright.trial.event import Fact
from trialwright.trial.queries.events import ItemCommented, QueryAnswered, QueryClosed, QueryOpened, QueryReopened
from trialwright.trial.view import View

QUERY = Table(
    "query",
    key=(Column("participant"), Column("query")),
    columns=(
        Column("encounter"),
        Column("form"),
        Column("repeat", "integer"),
        Column("item"),
        Column("by_check"),
        Column("status"),
        Column("text"),
        Column("answer"),
        Column("opened_by"),
        Column("opened_at"),
        Column("changed_at"),
        Column("times", "integer"),
    ),
    indexes=(("status",),),
)
COMMENT = Table(
    "comment",
    key=(Column("participant"), Column("at"), Column("item")),
    columns=(Column("encounter"), Column("form"), Column("repeat", "integer"), Column("text"), Column("by")),
)


def _saved(event: FormSaved, fact: Fact, rows: Rows) -> None:
    for raised in event.raised:
        before = rows.get(QUERY, (event.participant, raised.query))
        rows.put(
            QUERY,
            {
                "participant": event.participant,
                "query": raised.query,
                "encounter": event.encounter,
                "form": event.form,
                "repeat": event.repeat,
                "item": raised.item,
                "by_check": raised.check,
                "status": "open",
                "text": raised.message,
                "opened_by": "check",
                "opened_at": fact.at,
                "changed_at": fact.at,
                "times": 1 if before is None else int(before["times"] or 0) + 1,
            },
        )
    _settle(rows, event.participant, event.resolved, fact)


def _gone(event: FormMarkedNotDone | FormVoided, fact: Fact, rows: Rows) -> None:
    _settle(rows, event.participant, event.resolved, fact)


def _opened(event: QueryOpened, fact: Fact, rows: Rows) -> None:
    rows.put(
        QUERY,
        {
            "participant": event.participant,
            "query": event.query,
            "encounter": event.encounter,
            "form": event.form,
            "repeat": event.repeat,
            "item": event.item,
            "status": "open",
            "text": event.text,
            "opened_by": fact.actor,
            "opened_at": fact.at,
            "changed_at": fact.at,
            "times": 1,
        },
    )


def _answered(event: QueryAnswered, fact: Fact, rows: Rows) -> None:
    row = rows.get(QUERY, (event.participant, event.query))
    confirmed = bool(event.confirms and row and row["by_check"])
    _change(
        rows, event.participant, event.query, fact, status="confirmed" if confirmed else "answered", answer=event.text
    )


def _closed(event: QueryClosed, fact: Fact, rows: Rows) -> None:
    _change(rows, event.participant, event.query, fact, status="closed")


def _reopened(event: QueryReopened, fact: Fact, rows: Rows) -> None:
    _change(rows, event.participant, event.query, fact, status="open", text=event.text)


def _commented(event: ItemCommented, fact: Fact, rows: Rows) -> None:
    rows.put(
        COMMENT,
        {
            "participant": event.participant,
            "at": fact.at,
            "item": event.item,
            "encounter": event.encounter,
            "form": event.form,
            "repeat": event.repeat,
            "text": event.text,
            "by": fact.actor,
        },
    )


def _settle(rows: Rows, participant: str, queries: tuple[str, ...], fact: Fact) -> None:
    for query in queries:
        _change(rows, participant, query, fact, status="closed")


def _change(rows: Rows, participant: str, query: str, fact: Fact, **changes: Cell) -> None:
    row = rows.get(QUERY, (participant, query))
    if row is not None:
        rows.put(QUERY, {**row, **changes, "changed_at": fact.at})


VIEWS = (
    View(
        "queries",
        (QUERY, COMMENT),
        {
            FormSaved: _saved,
            FormMarkedNotDone: _gone,
            FormVoided: _gone,
            QueryOpened: _opened,
            QueryAnswered: _answered,
            QueryClosed: _closed,
            QueryReopened: _reopened,
            ItemCommented: _commented,
        },
    ),
)
