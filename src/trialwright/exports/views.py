"""The tables of every view of a space, as they stand."""

from __future__ import annotations

from collections.abc import Iterator

from trialwright.exports.tabular import Columns
from trialwright.foundation.tables import Row, Rows
from trialwright.trial.event import Space
from trialwright.trial.views import VIEWS


def view_rows(rows: Rows, space: Space) -> Iterator[tuple[str, Columns, Iterator[Row]]]:
    """Table name, columns and rows of each table of the space; items have an export of their own."""
    for view in VIEWS:
        if view.space is not space:
            continue
        for table in view.tables:
            if table.name != "item":
                yield table.name, {name: name.replace("_", " ") for name in table.names}, rows.where(table)
