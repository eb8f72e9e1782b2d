"""Columns of the analysis data sets: name, label, type and where each comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from trialwright.exports.datasets import Dataset, DataType, Origin, Value, Variable
from trialwright.exports.sdtm.people import full_date

DAY_ZERO = date(1960, 1, 1)
"""Dates are counted from here, as the programs that read XPT do."""

Cells = Mapping[str, Value]


def copied(name: str, label: str, source: str, *, kind: DataType = "text", key: int | None = None) -> Variable:
    """A variable that another data set holds as it is."""
    return Variable(name, label, kind, origin=Origin("Predecessor", predecessor=source), key=key)


def derived(name: str, label: str, method: str, *, kind: DataType = "text", key: int | None = None) -> Variable:
    """A variable that is worked out; ``method`` is the id of its description."""
    return Variable(name, label, kind, origin=Origin("Derived", "Sponsor"), method=method, key=key)


def assigned(name: str, label: str, *, kind: DataType = "text", key: int | None = None) -> Variable:
    """A variable that the plan or the mapping gives."""
    return Variable(name, label, kind, origin=Origin("Assigned", "Sponsor"), key=key)


def day_number(text: object) -> int | None:
    """A full ISO date as a number of days; None for a partial or absent one, nothing is imputed."""
    day = full_date(str(text)) if text else None
    return (day - DAY_ZERO).days if day is not None else None


def assembled(
    name: str, label: str, class_: str, structure: str, variables: Iterable[Variable], rows: Iterable[Cells],
    *, subclass: str | None = None, repeating: bool = True,
) -> Dataset:  # fmt: skip
    """The data set with its rows in key order, lengths measured, columns that nobody uses left out."""
    declared, cells = list(variables), list(rows)
    keys = [v.name for v in sorted((v for v in declared if v.key is not None), key=lambda v: v.key or 0)]
    cells.sort(key=lambda row: [_ordered(row.get(key)) for key in keys])
    used = [v for v in declared if v.key is not None or any(row.get(v.name) is not None for row in cells)]
    sized = tuple(_sized(variable, cells) for variable in used)
    made = [tuple(row.get(variable.name) for variable in sized) for row in cells]
    return Dataset(name, label, class_, structure, sized, made, subclass=subclass, repeating=repeating)


def _ordered(cell: Value) -> tuple[int, float, str]:
    if cell is None:
        return 0, 0.0, ""
    return (1, 0.0, cell) if isinstance(cell, str) else (1, float(cell), "")


def _sized(variable: Variable, rows: list[Cells]) -> Variable:
    found = [row[variable.name] for row in rows if row.get(variable.name) is not None]
    mandatory = bool(rows) and len(found) == len(rows)
    if variable.is_number:
        digits = max((_decimals(cell) for cell in found), default=0)
        length = max((len(str(cell)) for cell in found), default=1)
        display = "DATE9." if variable.name.endswith("DT") else None
        return _with(variable, length, mandatory, digits if variable.type == "float" else None, display)
    return _with(variable, max((len(str(cell).encode()) for cell in found), default=1), mandatory, None, None)


def _with(variable: Variable, length: int, mandatory: bool, digits: int | None, display: str | None) -> Variable:
    return Variable(
        variable.name, variable.label, variable.type, length, variable.origin, variable.role, variable.key,
        variable.codelist, variable.method, mandatory, digits, display, variable.values, variable.comment,
    )  # fmt: skip


def _decimals(cell: Value) -> int:
    return len(repr(cell).partition(".")[2]) if isinstance(cell, float) and "e" not in repr(cell) else 0
