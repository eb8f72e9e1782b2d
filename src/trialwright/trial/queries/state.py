"""Open questions of one participant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from trialwright.trial.capture.events import FormMarkedNotDone, FormSaved, FormVoided
from trialwright.trial.event import Event, Fact
from trialwright.trial.queries.events import QueryAnswered, QueryClosed, QueryOpened, QueryReopened
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
    status: str = "open"
    """open, answered, confirmed (a check's question answered with the value unchanged), closed."""


@dataclass
class Queries(Slice):
    """One participant."""

    STREAM: ClassVar[str] = "participant/{}"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (
        FormSaved, FormMarkedNotDone, FormVoided, QueryOpened, QueryAnswered, QueryClosed, QueryReopened,
    )  # fmt: skip
    queries: dict[str, Query] = field(default_factory=dict)
    opened_by_people: int = 0

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case FormSaved() as e:
                for raised in e.raised:
                    self.queries[raised.query] = Query(e.encounter, e.form, e.repeat, raised.item, raised.check)
                self._settle(e.resolved)
            case FormMarkedNotDone(resolved=resolved) | FormVoided(resolved=resolved):
                self._settle(resolved)
            case QueryOpened() as e:
                self.queries[e.query] = Query(e.encounter, e.form, e.repeat, e.item, None)
                self.opened_by_people += 1
            case QueryAnswered() as e:
                query = self.queries[e.query]
                query.status = "confirmed" if e.confirms and query.by_check else "answered"
            case QueryClosed(query=name):
                self.queries[name].status = "closed"
            case QueryReopened(query=name):
                self.queries[name].status = "open"

    def unsettled(self) -> list[str]:
        """Queries that wait for the site or for whoever asked."""
        return [name for name, query in self.queries.items() if query.status in ("open", "answered")]

    def of_form(self, encounter: str, form: str, repeat: int) -> dict[str, Query]:
        """Queries on one form."""
        where = (encounter, form, repeat)
        return {name: q for name, q in self.queries.items() if (q.encounter, q.form, q.repeat) == where}

    def _settle(self, names: tuple[str, ...]) -> None:
        for name in names:
            self.queries[name].status = "closed"


SLICES: tuple[type[Slice], ...] = (Queries,)
