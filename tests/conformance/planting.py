"""Errors to plant into an export, each with the rule of CORE that must find it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Planted:
    """One error.

    Attributes:
        rule: that must find it.
        what: in words.
        dataset: where.
        change: changes the rows in place.
    """

    rule: str
    what: str
    dataset: str
    change: Callable[[Rows], object]


def _set(number: int, **values: Any) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        rows[number].update(values)

    return change


def _twice(rows: Rows) -> None:
    rows.append(dict(rows[0]))


def _same_number(rows: Rows) -> None:
    rows[8].update(USUBJID=rows[7]["USUBJID"], VSSEQ=rows[7]["VSSEQ"])


def _contradict(rows: Rows) -> None:
    rows[0]["IEORRES"] = "Y" if rows[0]["IECAT"] == "INCLUSION" else "N"


PLANTED: tuple[Planted, ...] = (
    Planted("CORE-000351", "a participant twice in DM", "DM", _twice),
    Planted("CORE-000310", "a negative age", "DM", _set(1, AGE=-5)),
    Planted("CORE-000718", "an event that ends before it starts", "AE", _set(0, AEENDTC="2020-01-01")),
    Planted("CORE-000356", "an event without its dictionary term", "AE", _set(2, AEDECOD="")),
    Planted("CORE-000542", "a number that is not the result", "VS", _set(0, VSSTRESN=999)),
    Planted("CORE-000168", "a visit that nobody held", "VS", _set(3, VISITNUM=77)),
    Planted("CORE-000220", "a test code that begins with a digit", "VS", _set(5, VSTESTCD="1SYSBP")),
    Planted("CORE-000201", "a result of nobody", "VS", _set(6, USUBJID="NOBODY")),
    Planted("CORE-000544", "one sequence number for two results", "VS", _same_number),
    Planted("CORE-000173", "an element that the design does not have", "SE", _set(0, ETCD="NOSUCH")),
    Planted("CORE-000025", "two answers to one criterion", "IE", _contradict),
    Planted("CORE-000308", "a negative dose", "EX", _set(0, EXDOSE=-1)),
    Planted("CORE-000303", "one test under two codes", "VS", _set(4, VSTESTCD="SYSBPX")),
    Planted("CORE-000553", "a wrong study day", "AE", _set(1, AEENDY=9999)),
)


def plant(folder: Path, target: Path, planted: Iterable[Planted]) -> None:
    """A copy of a folder of Dataset-JSON files with errors in it."""
    shutil.copytree(folder, target, dirs_exist_ok=True)
    for one in planted:
        path = target / f"{one.dataset.lower()}.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        names = [column["name"] for column in document["columns"]]
        rows = [dict(zip(names, row, strict=True)) for row in document["rows"]]
        one.change(rows)
        document["rows"] = [[row[name] for name in names] for row in rows]
        document["records"] = len(rows)
        path.write_text(json.dumps(document), encoding="utf-8")


def plant_all(folder: Path, target: Path) -> None:
    """All of :data:`PLANTED` in one copy."""
    plant(folder, target, PLANTED)
