"""Facts about queries raised by people, and what became of any query. Checks raise theirs in ``FormSaved``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trialwright.trial.event import Event, Space


@dataclass(frozen=True, kw_only=True)
class QueryOpened(Event):
    """Somebody asks about an item."""

    TYPE: ClassVar[str] = "queries.opened"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    query: str
    encounter: str
    form: str
    repeat: int
    item: str
    text: str


@dataclass(frozen=True, kw_only=True)
class ClosedQueryOpened(QueryOpened):
    """Somebody asks about an item of a form of the closed space."""

    TYPE: ClassVar[str] = "queries.closed_query_opened"
    SPACE: ClassVar[Space] = Space.CLOSED


@dataclass(frozen=True, kw_only=True)
class QueryAnswered(Event):
    """The site answered; with the value unchanged the answer is the reason why it is right."""

    TYPE: ClassVar[str] = "queries.answered"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    query: str
    text: str
    confirms: bool
    """The value stands as it is."""


@dataclass(frozen=True, kw_only=True)
class ClosedQueryAnswered(QueryAnswered):
    """A query on a form of the closed space was answered, also one of its checks."""

    TYPE: ClassVar[str] = "queries.closed_query_answered"
    SPACE: ClassVar[Space] = Space.CLOSED


@dataclass(frozen=True, kw_only=True)
class QueryClosed(Event):
    """Settled."""

    TYPE: ClassVar[str] = "queries.closed"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    query: str


@dataclass(frozen=True, kw_only=True)
class ClosedQueryClosed(QueryClosed):
    """A query on a form of the closed space is settled."""

    TYPE: ClassVar[str] = "queries.closed_query_closed"
    SPACE: ClassVar[Space] = Space.CLOSED


@dataclass(frozen=True, kw_only=True)
class QueryReopened(Event):
    """Not settled after all."""

    TYPE: ClassVar[str] = "queries.reopened"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    query: str
    text: str


@dataclass(frozen=True, kw_only=True)
class ClosedQueryReopened(QueryReopened):
    """A query on a form of the closed space is not settled after all."""

    TYPE: ClassVar[str] = "queries.closed_query_reopened"
    SPACE: ClassVar[Space] = Space.CLOSED


@dataclass(frozen=True, kw_only=True)
class ItemCommented(Event):
    """A remark on a field that asks nothing."""

    TYPE: ClassVar[str] = "queries.item_commented"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    encounter: str
    form: str
    repeat: int
    item: str
    text: str


@dataclass(frozen=True, kw_only=True)
class ClosedItemCommented(ItemCommented):
    """A remark on a field of a form of the closed space."""

    TYPE: ClassVar[str] = "queries.closed_item_commented"
    SPACE: ClassVar[Space] = Space.CLOSED


EVENTS: tuple[type[Event], ...] = (
    QueryOpened, ClosedQueryOpened, QueryAnswered, ClosedQueryAnswered, QueryClosed, ClosedQueryClosed, QueryReopened,
    ClosedQueryReopened, ItemCommented, ClosedItemCommented,
)  # fmt: skip
