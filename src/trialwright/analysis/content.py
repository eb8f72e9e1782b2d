"""What a report consists of, before anybody says how it looks: tables, listings, figures, and what is left out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One row.

    Attributes:
        label: its head.
        cells: texts of the other columns; none for a heading.
        level: how far it is indented, from 0.
        items: ids of the plan's models whose numbers it holds.
    """

    label: str
    cells: tuple[str, ...] = ()
    level: int = 0
    items: tuple[str, ...] = ()

    @property
    def is_heading(self) -> bool:
        """Whether it stands above others and has no cells."""
        return not self.cells


@dataclass(frozen=True)
class ReportTable:
    """A table or a listing.

    Attributes:
        id: of the plan's output, or of the report's own tables.
        kind: ``table`` or ``listing``.
        title: in the report's language.
        columns: heads, the first of the labels.
        lines: rows.
        notes: below it.
        words: columns (from 0, the first is the label) that hold words and not numbers.
    """

    id: str
    kind: str
    title: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()
    words: frozenset[int] = frozenset({0})


@dataclass(frozen=True)
class ReportFigure:
    """A figure.

    Attributes:
        id, title: as of a table.
        svg: a whole SVG document.
        alt: what it shows, with its numbers, for those who do not see it.
        notes: below it.
    """

    id: str
    title: str
    svg: str
    alt: str
    notes: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Always ``figure``."""
        return "figure"


@dataclass(frozen=True)
class LeftOut:
    """An output of the plan that this report does not show, and why."""

    id: str
    kind: str
    title: str
    why: str


Content = ReportTable | ReportFigure | LeftOut
