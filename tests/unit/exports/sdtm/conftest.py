"""A rehearsed SMART-MS to export, and rows that lie about one thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from trialwright.build import Build
from trialwright.build.compile import compiled
from trialwright.exports.sdtm import Collection, SdtmExport, Snapshot, sdtm_of_store, sdtm_package
from trialwright.foundation.tables import Cell, Key, Row, Rows, Table
from trialwright.protocol import load_study
from trialwright.rehearsal import Wishes, rehearse
from trialwright.stores import MemoryStore
from trialwright.trial.setup.builds import builds_on_record

REPOSITORY = Path(__file__).parents[4]
SNAPSHOT = Snapshot("smart-ms/open", 1, "00", "2030-01-01T00:00:00Z", "test")

Change = Callable[[Row], Row | None]


class Altered:
    """Rows in which one table's rows are changed as they are read; a change to None removes the row."""

    def __init__(self, rows: Rows, table: str, change: Change) -> None:
        self._rows, self._table, self._change = rows, table, change

    def where(self, table: Table, **equals: Cell) -> Iterator[Row]:
        for row in self._rows.where(table, **equals):
            changed = self._change(dict(row)) if table.name == self._table else row
            if changed is not None:
                yield changed

    def get(self, table: Table, key: Key) -> Row | None:
        raise AssertionError("an export reads whole tables")

    def put(self, table: Table, row: Mapping[str, Cell]) -> None:
        raise AssertionError("an export writes nothing")

    def delete(self, table: Table, key: Key) -> None:
        raise AssertionError("an export writes nothing")

    def clear(self, tables: Iterable[Table]) -> None:
        raise AssertionError("an export writes nothing")


@dataclass(frozen=True)
class Record:
    """A finished trial in memory."""

    study: str
    open: MemoryStore
    closed: MemoryStore

    @property
    def builds(self) -> dict[str, Build]:
        return builds_on_record(self.open.ledger(f"{self.study}/open"))

    def export(self, *, blinded: bool = False) -> SdtmExport:
        return sdtm_of_store(self.study, self.open, None if blinded else self.closed)

    def while_sealed(self) -> SdtmExport:
        """The export with a closed space in which no allocation was disclosed yet."""
        sealed = Altered(self.closed.rows, "disclosed_allocation", lambda row: None)
        return sdtm_package(self.open.rows, self.builds, SNAPSHOT, closed_rows=sealed)

    def altered(
        self, table: str = "", change: Change = lambda row: row, builds: dict[str, Build] | None = None
    ) -> SdtmExport:
        """The export where the open rows, or the builds, are not what was recorded."""
        collections: tuple[Collection, ...] = ()
        rows = Altered(self.open.rows, table, change)
        return sdtm_package(
            rows, builds or self.builds, SNAPSHOT, closed_rows=self.closed.rows, collections=collections
        )


@cache
def rehearsed(name: str, participants: int) -> Record:
    build = compiled(load_study(REPOSITORY / "studies" / name).study)
    open_store, closed_store = MemoryStore(), MemoryStore()
    rehearse(build, open_store, closed_store, Wishes(participants=participants, seed=1))
    return Record(name, open_store, closed_store)


@pytest.fixture(scope="session")
def smart_ms() -> Record:
    return rehearsed("smart-ms", 4)


@pytest.fixture(scope="session")
def ocrelizumab() -> Record:
    return rehearsed("ocrelizumab-sc", 4)


@pytest.fixture(scope="session")
def exported(smart_ms: Record) -> SdtmExport:
    return smart_ms.export()
