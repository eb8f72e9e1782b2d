"""All queries with their state, and the comments on fields."""

from __future__ import annotations

from trialwright.foundation.tables import Cell, Column, Key, Rows, Table
from trialwright.trial.capture.events import (
    ChecksRepeated,
    ClosedFormSaved,
    ClosedFormVoided,
    FormSaved,
    FormVoided,
)
from trialwright.trial.event import Event, Fact, Space
from trialwright.trial.queries.events import (
    ClosedItemCommented,
    ClosedQueryAnswered,
    ClosedQueryClosed,
    ClosedQueryOpened,
    ClosedQueryReopened,
    ItemCommented,
    QueryAnswered,
    QueryClosed,
    QueryOpened,
    QueryReopened,
)
from trialwright.trial.view import View

_KEY = (Column("participant"), Column("query"))
_COLUMNS = (
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
)
QUERY = Table("query", key=_KEY, columns=_COLUMNS, indexes=(("status",),))
CLOSED_QUERY = Table("closed_query", key=_KEY, columns=_COLUMNS)
"""What is asked about forms of the closed space, by their checks and by people."""
_COMMENT_KEY = (Column("participant"), Column("number", "integer"))
_COMMENT_COLUMNS = (
    Column("encounter"),
    Column("form"),
    Column("repeat", "integer"),
    Column("item"),
    Column("text"),
    Column("by"),
    Column("at"),
)
COMMENT = Table("comment", key=_COMMENT_KEY, columns=_COMMENT_COLUMNS)
CLOSED_COMMENT = Table("closed_comment", key=_COMMENT_KEY, columns=_COMMENT_COLUMNS)
"""Remarks on fields of forms of the closed space."""


def _checked(event: FormSaved | ChecksRepeated, fact: Fact, rows: Rows) -> None:
    table = _queries(event)
    for raised in event.raised:
        before = rows.get(table, (event.participant, raised.query)) or {"status": "closed", "times": 0}
        rows.put(
            table,
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
                "opened_at": before["opened_at"] if before["status"] == "open" else fact.at,
                "changed_at": fact.at,
                "times": int(before["times"] or 0) + 1,
            },
        )
    _settle(rows, table, event.participant, event.resolved, fact)


def _gone(event: FormVoided, fact: Fact, rows: Rows) -> None:
    _settle(rows, _queries(event), event.participant, event.resolved, fact)


def _opened(event: QueryOpened, fact: Fact, rows: Rows) -> None:
    rows.put(
        _queries(event),
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
    table, key = _queries(event), (event.participant, event.query)
    row = rows.get(table, key)
    by_check = row is not None and row["by_check"] is not None and row["opened_by"] == "check"
    status = "confirmed" if event.confirms and by_check else "answered"
    _change(rows, table, key, fact, status=status, answer=event.text)


def _closed(event: QueryClosed, fact: Fact, rows: Rows) -> None:
    _change(rows, _queries(event), (event.participant, event.query), fact, status="closed")


def _reopened(event: QueryReopened, fact: Fact, rows: Rows) -> None:
    # Whoever asks again asks in words of their own, also where a check asked before.
    asks = {"status": "open", "text": event.text, "opened_by": fact.actor}
    _change(rows, _queries(event), (event.participant, event.query), fact, **asks)


def _commented(event: ItemCommented, fact: Fact, rows: Rows) -> None:
    rows.put(
        CLOSED_COMMENT if event.SPACE is Space.CLOSED else COMMENT,
        {
            "participant": event.participant,
            "number": fact.stream_seq,
            "item": event.item,
            "encounter": event.encounter,
            "form": event.form,
            "repeat": event.repeat,
            "text": event.text,
            "by": fact.actor,
            "at": fact.at,
        },
    )


def _queries(event: Event) -> Table:
    return CLOSED_QUERY if event.SPACE is Space.CLOSED else QUERY


def _settle(rows: Rows, table: Table, participant: str, queries: tuple[str, ...], fact: Fact) -> None:
    for query in queries:
        _change(rows, table, (participant, query), fact, status="closed")


def _change(rows: Rows, table: Table, key: Key, fact: Fact, **changes: Cell) -> None:
    row = rows.get(table, key)
    if row is not None:
        rows.put(table, {**row, **changes, "changed_at": fact.at})


VIEWS = (
    View(
        "queries",
        (QUERY, COMMENT),
        {
            FormSaved: _checked,
            ChecksRepeated: _checked,
            FormVoided: _gone,
            QueryOpened: _opened,
            QueryAnswered: _answered,
            QueryClosed: _closed,
            QueryReopened: _reopened,
            ItemCommented: _commented,
        },
    ),
    View(
        "closed_queries",
        (CLOSED_QUERY, CLOSED_COMMENT),
        {
            ClosedFormSaved: _checked,
            ClosedFormVoided: _gone,
            ClosedQueryOpened: _opened,
            ClosedQueryAnswered: _answered,
            ClosedQueryClosed: _closed,
            ClosedQueryReopened: _reopened,
            ClosedItemCommented: _commented,
        },
        Space.CLOSED,
    ),
)
