"""What a form save costs beside a bare disk sync: ``python benchmarks/durable.py [saves]``.

A form of 30 items and 20 checks, saved in the library on SQLite: decided, appended, projected, committed. Beside it,
in the same run and folder, how often the disk makes 4 KiB durable (``fdatasync``); then 64 clients through the
grouped writer, who screen participants. Syncs are counted by the file system of the power-cut campaign, which SQLite
writes through.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from figures import Figure, Taken, show

import web
from trialwright.build import Build
from trialwright.build.compile import compiled
from trialwright.foundation.operating_system import SystemClock
from trialwright.foundation.ports import DerivedEntropy
from trialwright.ledger.port import Store
from trialwright.protocol import load_study
from trialwright.protocol.roles import Role
from trialwright.rehearsal import START, Wishes, rehearse
from trialwright.stores import GroupStore, MemoryStore, open_group_store, open_store
from trialwright.trial.capture.commands import SaveForm
from trialwright.trial.capture.events import Entered, FormSaved
from trialwright.trial.command import Actor
from trialwright.trial.dispatch import Trial
from trialwright.trial.enrolment.commands import ScreenParticipant
from trialwright.trial.event import Space
from trialwright.trial.grouped_writer import GroupedWriter

sys.path.append(str(Path(__file__).parent.parent / "tests" / "campaigns"))
from attack_power import LoggingDisk, open_on

SAVES = 200
CLIENTS = 64
SHARE, TIMES = 0.35, 5.0
SYNCS = 1.1
"""One a command; every fiftieth save or so SQLite moves its log into the database and syncs both."""


class Place:
    """A trial under way in a file, and somebody who fills in its long form."""

    def __init__(self, folder: Path) -> None:
        self.address = f"sqlite:///{folder}/open.db"
        self.build: Build = compiled(load_study(web.study_folder(folder)).study)
        with open_store(self.address) as store:
            done = rehearse(
                self.build, store, MemoryStore(), Wishes(2, 1, amendment=False, until=START.replace(month=6, day=15))
            )
            nurse = next(
                fact
                for fact in done.trial.facts(Space.OPEN)
                if isinstance(fact.event, FormSaved) and fact.role == Role.STUDY_NURSE.value
            )
            self.builds = dict(done.trial.builds)
        self.participant = nurse.stream.removeprefix("participant/")
        self.by = Actor(nurse.actor, Role.STUDY_NURSE, nurse.organisation, nurse.site)
        self._made = 0

    def trial(self, store: Store) -> Trial:
        """The trial, as a process that holds the open space runs it."""
        return Trial(
            self.build.study.identity.id,
            open_store=store,
            closed_store=None,
            builds=self.builds,
            clock=SystemClock(),
            entropy=DerivedEntropy("durable"),
            mode="rehearsal",
        )

    def saves(self, count: int) -> list[dict[str, object]]:
        """So many saves of new forms, as arguments of ``dispatch``."""
        numbers = range(self._made + 1, self._made + count + 1)
        self._made += count
        items = {f"item_{n}": Entered(text=f"{n}.5") for n in range(1, web.ITEMS + 1)}
        return [
            {
                "command": SaveForm(
                    participant=self.participant, encounter="log", form="load", items=items, read_version=0, repeat=n
                ),
                "by": self.by,
                "request_id": f"durable-{n}",
            }
            for n in numbers
        ]


def taken(act: Callable[[], object]) -> Taken:
    clock, processor = time.perf_counter(), time.process_time()
    act()
    return Taken(time.perf_counter() - clock, time.process_time() - processor)


def synced(folder: Path, times: int) -> None:
    """Make a page durable so often."""
    file = os.open(folder / "raw", os.O_CREAT | os.O_RDWR)
    try:
        for n in range(times):
            os.pwrite(file, os.urandom(4096), 4096 * (n % 256))
            os.fdatasync(file)
    finally:
        os.close(file)


def figures(count: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        place = Place(folder)
        raw_before = taken(lambda: synced(folder, count))
        with open_store(place.address, create=False) as store:
            trial = place.trial(store)
            for save in place.saves(5):
                trial.dispatch(**save)  # type: ignore[arg-type]
            work = place.saves(count)
            alone = taken(lambda: [trial.dispatch(**save) for save in work])  # type: ignore[arg-type]
        raw_after = taken(lambda: synced(folder, count))
        raw = Taken((raw_before.clock + raw_after.clock) / 2, 1)
        yield Figure("4 KiB made durable (fdatasync)", count / raw.clock, None, "syncs/s")
        yield Figure("form saved one by one", count / alone.clock, count / alone.processor, "saves/s")
        yield Figure("form saved, processor", None, 1000 * alone.processor / count, "ms")
        yield Figure("its share of the raw rate", raw.clock / alone.clock, None, "", SHARE)
        yield Figure("disk syncs of a form saved", _syncs(place, count), None, "syncs/save", SYNCS, less=True)
        yield from _grouped(place, count)


def _syncs(place: Place, count: int) -> float:
    """Syncs of all files for each save, the moving of the log into the database included."""
    disk = LoggingDisk()
    with open_on(disk, Path(place.address.removeprefix("sqlite:///"))) as store:
        trial = place.trial(store)
        for save in place.saves(5):
            trial.dispatch(**save)  # type: ignore[arg-type]
        before = disk.seen["sync"]
        for save in place.saves(count):
            trial.dispatch(**save)  # type: ignore[arg-type]
        return (disk.seen["sync"] - before) / count


def _grouped(place: Place, count: int) -> Iterator[Figure]:
    """Participants screened: what 64 people can do at once without waiting for each other's form numbers."""

    def start() -> tuple[Trial, GroupStore]:
        store = open_group_store(place.address)
        return place.trial(store), store

    def screening(number: int) -> dict[str, Any]:
        return {"command": ScreenParticipant(site="01"), "by": place.by, "request_id": f"screen-{number}"}

    with open_store(place.address, create=False) as store:
        trial = place.trial(store)
        trial.dispatch(**screening(0))
        alone = taken(lambda: [trial.dispatch(**screening(n)) for n in range(1, count + 1)])
    yield Figure("participant screened one by one", count / alone.clock, count / alone.processor, "acts/s")
    writer = GroupedWriter(start)
    writer.dispatch(**screening(-1))
    with ThreadPoolExecutor(CLIENTS) as clients:
        numbers = range(count + 1, 5 * count + 1)
        together = taken(lambda: list(clients.map(lambda n: writer.dispatch(**screening(n)), numbers)))
    mean = (writer.acts - 1) / (writer.commits - 1)
    writer.close()
    yield Figure.rate(f"participant screened by {CLIENTS} clients, grouped", 4 * count, together, "acts/s")
    yield Figure("mean group", mean, None, "acts/commit")
    yield Figure("grouped to one by one", 4 * alone.clock / together.clock, None, "×", TIMES)


if __name__ == "__main__":
    show("Durable saves", figures(int(sys.argv[1]) if len(sys.argv) > 1 else SAVES))
