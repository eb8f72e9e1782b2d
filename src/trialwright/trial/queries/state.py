"""Open questions of one participant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from trialwright.trial.capture.events import (
    ChecksRepeated,
    ClosedFormSaved,
    ClosedFormVoided,
    FormSaved,
    FormVoided,
    RaisedQuery,
)
from trialwright.trial.event import Event, Fact, Space
from trialwright.trial.queries.events import (
    ClosedQueryAnswered,
    ClosedQueryClosed,
    ClosedQueryOpened,
    ClosedQueryReopened,
    QueryAnswered,
    QueryClosed,
    QueryOpened,
    QueryReopened,
)
from trialwright.trial.state import Slice


@dataclass
class Query:
    """One question."""

    encounter: str
    form: str
    repeat: int
    item: str
    by_check: str | None
    """The check that asks; None when a person does."""
    message: str = ""
    """What the check asked."""
    status: str = "open"
    """open, answered, confirmed (a check's question answered with the value unchanged), closed."""
    accepted: bool = False
    """A person closed it: what a check asks is accepted as long as what it read stands."""
    taken_over: bool = False
    """A person asked again what the check had asked: theirs until they settle it, whatever the check finds."""

    @property
    def is_automatic(self) -> bool:
        """Whether a check asks, and settles it by itself."""
        return self.by_check is not None and not self.taken_over

    def asks_again(self, message: str, changed: bool) -> bool:
        """Whether the check raises it anew.

        Args:
            message: what the check asks now.
            changed: something that it read has changed.
        """
        if self.taken_over and self.status != "closed":
            return False
        if self.status == "open":
            return message != self.message
        return changed or (self.status == "closed" and not self.accepted)


@dataclass
class Queries(Slice):
    """One participant."""

    STREAM: ClassVar[str] = "participant/{}"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (
        FormSaved, ChecksRepeated, FormVoided, QueryOpened, QueryAnswered, QueryClosed, QueryReopened,
    )  # fmt: skip
    queries: dict[str, Query] = field(default_factory=dict)
    opened_by_people: int = 0

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case FormSaved() | ChecksRepeated() as e:
                for raised in e.raised:
                    self._raise((e.encounter, e.form, e.repeat), raised)
                self._settle(e.resolved)
            case FormVoided(resolved=resolved):
                self._settle(resolved)
            case QueryOpened() as e:
                self.queries[e.query] = Query(e.encounter, e.form, e.repeat, e.item, None)
                self.opened_by_people += 1
            case QueryAnswered() as e:
                query = self.queries[e.query]
                query.status = "confirmed" if e.confirms and query.is_automatic else "answered"
            case QueryClosed(query=name):
                self.queries[name].status, self.queries[name].accepted = "closed", True
            case QueryReopened(query=name):
                self.queries[name].status, self.queries[name].taken_over = "open", True

    def unsettled(self) -> list[str]:
        """Queries that wait for the site or for whoever asked."""
        return [name for name, query in self.queries.items() if query.status in ("open", "answered")]

    def of_form(self, encounter: str, form: str, repeat: int) -> dict[str, Query]:
        """Queries on one form."""
        where = (encounter, form, repeat)
        return {name: q for name, q in self.queries.items() if (q.encounter, q.form, q.repeat) == where}

    def _raise(self, where: tuple[str, str, int], raised: RaisedQuery) -> None:
        encounter, form, repeat = where
        query = Query(encounter, form, repeat, raised.item, raised.check, raised.message)
        self.queries[raised.query] = query

    def _settle(self, names: tuple[str, ...]) -> None:
        for name in names:
            self.queries[name].status, self.queries[name].accepted = "closed", False


@dataclass
class ClosedQueries(Queries):
    """Questions about forms of the closed space."""

    SPACE: ClassVar[Space] = Space.CLOSED
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (
        ClosedFormSaved, ClosedFormVoided, ClosedQueryOpened, ClosedQueryAnswered, ClosedQueryClosed,
        ClosedQueryReopened,
    )  # fmt: skip


SLICES: tuple[type[Slice], ...] = (Queries, ClosedQueries)
