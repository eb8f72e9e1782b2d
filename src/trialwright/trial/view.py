"""Views are folds into tables. They read facts, never decide, and never depend on *now*."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from trialwright.foundation.tables import Rows, Table
from trialwright.trial.event import Event, Fact, Space

Project = Callable[[Any, Fact, Rows], None]
"""``(event, fact, rows) -> None``: write what this fact changes."""


@dataclass(frozen=True)
class View:
    """One or more tables folded from the facts of one space.

    Args:
        name: as screens and the command line call it.
        tables: the tables it writes; no other view writes them.
        on: event type → function that projects it.
        space: whose facts it reads, and where its tables live.
    """

    name: str
    tables: tuple[Table, ...]
    on: Mapping[type[Event], Project]
    space: Space = Space.OPEN


class Projector:
    """Runs the views of one space over facts."""

    def __init__(self, views: Iterable[View], spaces: frozenset[Space]) -> None:
        self.views = tuple(view for view in views if view.space in spaces)
        self.tables = tuple(table for view in self.views for table in view.tables)
        self._on: dict[type[Event], list[Project]] = {}
        for view in self.views:
            for kind, project in view.on.items():
                self._on.setdefault(kind, []).append(project)

    def project(self, facts: Iterable[Fact], rows: Rows) -> None:
        """Write what the facts change."""
        for fact in facts:
            for project in self._on.get(type(fact.event), ()):
                project(fact.event, fact, rows)
