"""Are all values of a package terms of their code lists?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from trialwright.exports.datasets import CodeList, Condition, Dataset, Package, Value
from trialwright.exports.terminology.lists import published_list


@dataclass(frozen=True)
class TermFinding:
    """One value that its code list does not allow.

    Attributes:
        dataset, variable: where.
        value: what stands there.
        codelist: id of the list in the package.
        kind: ``not_in_list``; ``misspelt`` where the list has it in another case; ``list_missing``.
        rows: how many rows hold it.
    """

    dataset: str
    variable: str
    value: str
    codelist: str
    kind: Literal["not_in_list", "misspelt", "list_missing"]
    rows: int


def check_terms(package: Package) -> tuple[TermFinding, ...]:
    """Every value of every variable, and of every value level, that is not a term of the list named for it.

    A term counts as allowed where CDISC publishes it in the list, or where the package declares it as an
    extension of a list that may be extended. An extension of a closed list is a finding.
    """
    return tuple(finding for dataset in package.datasets for finding in _of_dataset(package, dataset))


def _of_dataset(package: Package, dataset: Dataset) -> Iterator[TermFinding]:
    for place, variable in enumerate(dataset.variables):
        if variable.codelist is not None:
            counted = _count(row[place] for row in dataset.rows)
            yield from _findings(package, dataset.name, variable.name, variable.codelist, counted)
        for level in variable.values:
            if level.codelist is not None:
                rows = [row for row in dataset.rows if _meets(dataset, row, level.where)]
                counted = _count(row[place] for row in rows)
                yield from _findings(package, dataset.name, variable.name, level.codelist, counted)


def _meets(dataset: Dataset, row: tuple[Value, ...], where: tuple[Condition, ...]) -> bool:
    names = dataset.names
    for condition in where:
        held = str(row[names.index(condition.variable)]) in condition.values
        if held == (condition.comparator in ("NE", "NOTIN")):
            return False
    return True


def _count(cells: Iterator[Value]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for cell in cells:
        if cell is not None:
            counted[str(cell)] = counted.get(str(cell), 0) + 1
    return counted


def _findings(
    package: Package, dataset: str, variable: str, list_id: str, counted: dict[str, int]
) -> Iterator[TermFinding]:
    lists = {found.id: found for found in package.codelists}
    if list_id not in lists:
        if list_id not in {dictionary.id for dictionary in package.dictionaries}:
            yield TermFinding(dataset, variable, "", list_id, "list_missing", 0)
        return
    allowed = _allowed(lists[list_id])
    folded = {term.upper() for term in allowed}
    for value, rows in sorted(counted.items()):
        if value not in allowed:
            kind: Literal["not_in_list", "misspelt"] = "misspelt" if value.upper() in folded else "not_in_list"
            yield TermFinding(dataset, variable, value, list_id, kind, rows)


def _allowed(codelist: CodeList) -> set[str]:
    published = published_list(codelist.code) if codelist.code is not None else None
    if published is None:
        return {term.value for term in codelist.terms}
    own = {term.value for term in codelist.terms if term.extended} if published.extensible else set()
    return own | set(published.terms)
