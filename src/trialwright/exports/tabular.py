"""Rows into files: CSV for anybody, Parquet for programs, each with its columns' labels."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from trialwright.foundation.errors import TrialwrightError
from trialwright.foundation.tables import Cell

_NUMBER = re.compile(r"[+-]?[0-9][0-9.,]*\Z")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BATCH = 20_000

Columns = Mapping[str, str]
"""Column → label."""


class FormatUnknown(TrialwrightError):
    """No such file format, or the package that writes it is not installed."""

    code = "exports.format_unknown"


def write_table(rows: Iterable[Mapping[str, Cell]], columns: Columns, target: Path, format_: str) -> int:
    """Write rows to ``target``; returns how many.

    Args:
        rows: in the order of the file.
        columns: which columns, in which order, with what label. CSV carries the labels in a second file
            ``<name>.labels.csv``; Parquet in the columns' metadata.
        target: name of the file, with its suffix.
        format_: ``csv`` or ``parquet``.

    Raises:
        FormatUnknown: another format, or pyarrow is not installed.
    """
    if format_ not in _WRITERS:
        raise FormatUnknown(
            f"{format_!r} is not an export format", remedy=f"use one of {', '.join(FORMATS)}", given=format_
        )
    return _WRITERS[format_](rows, columns, target)


def _write_csv(rows: Iterable[Mapping[str, Cell]], columns: Columns, target: Path) -> int:
    count = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_guarded(row.get(name)) for name in columns])
            count += 1
    with target.with_suffix(".labels.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("column", "label"))
        writer.writerows(columns.items())
    return count


def _guarded(cell: Cell) -> str | int:
    """A cell that a spreadsheet will not run as a formula; numbers stay numbers."""
    if cell is None:
        return ""
    if isinstance(cell, str) and cell.startswith(_FORMULA) and not _NUMBER.match(cell):
        return f"'{cell}"
    return cell


def _write_parquet(rows: Iterable[Mapping[str, Cell]], columns: Columns, target: Path) -> int:
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError:
        raise FormatUnknown(
            "Parquet needs the package pyarrow, which is not installed",
            remedy="pip install 'trialwright[export]', or use --format csv",
            given="parquet",
        ) from None
    source = iter(rows)
    first = list(islice(source, _BATCH))
    whole = {name for name in columns if _is_whole(first, name)}
    schema = arrow.schema(
        [
            arrow.field(name, arrow.int64() if name in whole else arrow.string(), metadata={"label": label})
            for name, label in columns.items()
        ]
    )
    count = 0
    with parquet.ParquetWriter(target, schema, compression="zstd") as writer:
        for batch in _batches(first, source):
            writer.write_table(arrow.table(_arrays(batch, columns, whole), schema=schema))
            count += len(batch)
    return count


def _is_whole(rows: Sequence[Mapping[str, Cell]], name: str) -> bool:
    found = [row.get(name) for row in rows]
    return any(isinstance(cell, int) for cell in found) and not any(isinstance(cell, str) for cell in found)


def _batches(
    first: list[Mapping[str, Cell]], rest: Iterator[Mapping[str, Cell]]
) -> Iterator[list[Mapping[str, Cell]]]:
    batch = first
    while batch:
        yield batch
        batch = list(islice(rest, _BATCH))


def _arrays(batch: Sequence[Mapping[str, Cell]], columns: Columns, whole: set[str]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for name in columns:
        cells = [row.get(name) for row in batch]
        found[name] = cells if name in whole else [None if cell is None else str(cell) for cell in cells]
    return found


_WRITERS: dict[str, Callable[[Iterable[Mapping[str, Cell]], Columns, Path], int]] = {
    "csv": _write_csv,
    "parquet": _write_parquet,
}
FORMATS = tuple(_WRITERS)
"""The formats of :func:`write_table`."""
