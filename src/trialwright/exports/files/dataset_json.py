"""Dataset-JSON 1.1 (CDISC, 2024): one JSON document for a data set, or one line for each row (NDJSON) for large ones.

Rows are written as they come, so memory does not grow with the data set. Missing text is the empty string and
missing numbers are null, as the specification says; read back, both are missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from trialwright.exports.datasets import Dataset, Package, Record, Variable
from trialwright.exports.files.writing import group_oid, item_oid, study_oid, version_oid
from trialwright.foundation.errors import TrialwrightError

VERSION = "1.1.0"
SYSTEM = "Trialwright"
_AT_ONCE = 2000


class DatasetJsonUnreadable(TrialwrightError):
    """A file that is not Dataset-JSON 1.1, or contradicts itself."""

    code = "exports.dataset_json_unreadable"


@dataclass(frozen=True)
class ReadDataset:
    """A data set as a file holds it.

    Attributes:
        head: everything but the rows.
        names: of the columns.
        rows: cells; None is missing.
    """

    head: Mapping[str, Any]
    names: tuple[str, ...]
    rows: tuple[Record, ...]


def write_dataset_json(dataset: Dataset, package: Package, target: Path) -> int:
    """Write one data set as JSON; returns the number of rows."""
    head = json.dumps(_head(dataset, package), ensure_ascii=False, separators=(",", ":"))
    with target.open("wb") as file:
        file.write(f'{head[:-1]},"rows":['.encode())
        count = _write_rows(dataset, file, separator=b",\n")
        file.write(b"]}\n")
    return count


def write_ndjson(dataset: Dataset, package: Package, target: Path) -> int:
    """Write one data set as NDJSON, the metadata in the first line; returns the number of rows."""
    with target.open("wb") as file:
        head = json.dumps(_head(dataset, package), ensure_ascii=False, separators=(",", ":"))
        file.write(head.encode() + b"\n")
        count = _write_rows(dataset, file, separator=b"\n")
        if count:
            file.write(b"\n")
    return count


def read_dataset_json(source: Path) -> ReadDataset:
    """Read a file of either kind (``.ndjson`` is line by line).

    Raises:
        DatasetJsonUnreadable: not such a file, or rows that do not fit the columns.
    """
    try:
        if source.suffix == ".ndjson":
            with source.open(encoding="utf-8") as file:
                head = json.loads(next(file))
                rows = [json.loads(line) for line in file]
        else:
            head = json.loads(source.read_bytes())
            rows = head.pop("rows", [])
        names = tuple(column["name"] for column in head["columns"])
        known = int(head["records"])
    except (OSError, StopIteration, ValueError, KeyError, TypeError) as error:
        raise DatasetJsonUnreadable(
            f"{source.name} is not Dataset-JSON: {error}", remedy="give a file that follows Dataset-JSON 1.1"
        ) from error
    if known != len(rows) or any(len(row) != len(names) for row in rows):
        raise DatasetJsonUnreadable(
            f"{source.name} says {known} records of {len(names)} columns and holds others",
            remedy="the file was cut or altered; write it again",
        )
    return ReadDataset(head, names, tuple(tuple(None if cell == "" else cell for cell in row) for row in rows))


def _head(dataset: Dataset, package: Package) -> dict[str, Any]:
    columns = [_column(dataset, variable) for variable in dataset.variables]
    return {
        "datasetJSONCreationDateTime": package.created,
        "datasetJSONVersion": VERSION,
        "fileOID": f"{study_oid(package)}.{dataset.name}.{package.created}",
        "dbLastModifiedDateTime": package.created,
        "originator": SYSTEM,
        "sourceSystem": {"name": SYSTEM, "version": package.source.get("software") or "unknown"},
        "studyOID": study_oid(package),
        "metaDataVersionOID": version_oid(package),
        "metaDataRef": "define.xml",
        "itemGroupOID": group_oid(dataset),
        "records": len(dataset.rows),
        "name": dataset.name,
        "label": dataset.label,
        "columns": columns,
    }


def _column(dataset: Dataset, variable: Variable) -> dict[str, Any]:
    column: dict[str, Any] = {
        "itemOID": item_oid(dataset, variable.name),
        "name": variable.name,
        "label": variable.label,
        # Dates of SDTM are texts that may be partial; ADaM's are numbers of days.
        "dataType": variable.type if variable.is_number else "string",
    }
    if variable.length:
        column["length"] = variable.length
    if variable.display:
        column["displayFormat"] = variable.display
    if variable.key is not None:
        column["keySequence"] = dataset.keys.index(variable.name) + 1
    return column


def _write_rows(dataset: Dataset, file: IO[bytes], separator: bytes) -> int:
    import orjson

    # Where text is missing the empty string stands, so only columns of text are looked at.
    texts = tuple(place for place, variable in enumerate(dataset.variables) if not variable.is_number)
    count = 0
    for rows in _portions(iter(dataset.rows)):
        lines = [orjson.dumps(_filled(row, texts)) for row in rows]
        file.write((separator if count else b"") + separator.join(lines))
        count += len(lines)
    return count


def _filled(row: Record, texts: tuple[int, ...]) -> Record | list[Any]:
    if None not in row:
        return row
    cells = list(row)
    for place in texts:
        if cells[place] is None:
            cells[place] = ""
    return cells


def _portions(rows: Iterator[Record]) -> Iterator[list[Record]]:
    while portion := list(islice(rows, _AT_ONCE)):
        yield portion
