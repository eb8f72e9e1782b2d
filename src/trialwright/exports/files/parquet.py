"""Parquet with the metadata in the columns: label, type, code list, origin."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from trialwright.exports.datasets import Dataset, Package, Record, Variable

_AT_ONCE = 50_000


def write_parquet(dataset: Dataset, package: Package, target: Path) -> int:
    """Write one data set; returns the number of rows. Rows are written as they come."""
    import pyarrow as arrow
    from pyarrow import parquet

    fields = [_field(arrow, variable) for variable in dataset.variables]
    about = {"label": dataset.label, "study": package.study, "created": package.created, **package.source}
    if package.watermark:
        about["watermark"] = package.watermark
    schema = arrow.schema(fields, metadata={key: str(value) for key, value in about.items()})
    count = 0
    with parquet.ParquetWriter(target, schema, compression="zstd") as writer:
        for rows in _portions(iter(dataset.rows)):
            columns = zip(*rows, strict=True)
            arrays = [arrow.array(column, type=field.type) for column, field in zip(columns, fields, strict=True)]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))
            count += len(rows)
    return count


def _field(arrow: Any, variable: Variable) -> Any:
    kind = {"integer": arrow.int64(), "float": arrow.float64()}.get(variable.type, arrow.string())
    about = {"label": variable.label, "type": variable.type}
    about |= {"codelist": variable.codelist} if variable.codelist else {}
    about |= {"display": variable.display} if variable.display else {}
    return arrow.field(variable.name, kind, metadata=about)


def _portions(rows: Iterator[Record]) -> Iterator[list[Record]]:
    while portion := list(islice(rows, _AT_ONCE)):
        yield portion
