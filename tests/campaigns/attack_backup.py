"""Backups: taken while four people write, then edited, cut, mixed and restored behind what others hold.

    python tests/campaigns/attack_backup.py [rounds]

Writers carry out acts on two spaces; some stand in the open one only, others in both, the closed half first. Every
answered act is told to a list outside. A backup must hold every act that was answered before it began, in the order
of the record, and nothing that the record does not hold; of acts on both spaces no half but the newest may be alone.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from trialwright.foundation.errors import TrialwrightError
from trialwright.ledger import NewEntry, SigningKey, Store, canonical, sign_checkpoint
from trialwright.stores import (
    BackupUnusable,
    Part,
    RestoredBehind,
    accept_loss,
    back_up,
    losses_of,
    open_store,
    restore,
)
from trialwright.stores.backup import MANIFEST, heads_of
from trialwright.trial.crossing.agreement import of_one_moment
from trialwright.trial.crossing.events import FactsCrossed

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
STUDY, WRITERS = "demo", 4
SPACES = ("open", "closed")
LEDGERS = {space: f"{STUDY}/{space}" for space in SPACES}
KEY = SigningKey("site.example", bytes(32))
NOW = datetime(2026, 3, 1, tzinfo=UTC)


# --- writing -------------------------------------------------------------------------------------------------------


def parts(folder: Path) -> tuple[Part, ...]:
    """Both spaces of the study, the databases lying in a folder."""
    return tuple(Part(f"{STUDY}.{s}", f"sqlite:///{folder}/{s}.db", LEDGERS[s], STUDY) for s in SPACES)


def entry(stream: str, kind: str, request: str, at: str, place: int) -> NewEntry:
    """One entry at the end of its stream."""
    said = {"stream": stream, "stream_seq": place, "type": kind, "request_id": request, "at": at, "data": {}}
    return NewEntry(stream, place, kind, request, canonical(said))


@dataclass
class Writing:
    """Four writers on two stores.

    Attributes:
        answered: requests of acts in the order of their answers, with whether they stand in both spaces.
    """

    folder: Path
    answered: list[tuple[str, bool]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _failed: list[BaseException] = field(default_factory=list)

    def __enter__(self) -> Writing:
        for part in parts(self.folder):
            open_store(part.address).close()
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(WRITERS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self._failed:
            raise self._failed[0]

    def wait(self, acts: int) -> None:
        """Until so many acts were answered."""
        end = time.monotonic() + 120
        while len(self.answered) < acts and not self._failed and time.monotonic() < end:
            time.sleep(0.002)

    def _run(self, number: int) -> None:
        chance = random.Random(number)
        try:
            with ExitStack() as stack:
                stores = [stack.enter_context(open_store(part.address)) for part in parts(self.folder)]
                act = 0
                while not self._stop.is_set():
                    both = chance.random() < 0.4
                    request = f"{number}-{act}"
                    write(stores, number, request, both=both)
                    self.answered.append((request, both))
                    act += 1
                    time.sleep(chance.random() / 200)  # people pause, and a lock is free now and then
        except BaseException as error:
            self._failed.append(error)


def write(stores: list[Store], number: int, request: str, *, both: bool) -> None:
    """One act, as the one door for writes carries it out."""
    opened, closed = (store.ledger(LEDGERS[space]) for space, store in zip(SPACES, stores, strict=True))
    at = (NOW + timedelta(milliseconds=time.monotonic_ns() // 1_000_000 % 10**9)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    with opened.transaction() as first:
        first.append([entry(f"p/{number}", "form.saved", request, at, opened.stream_version(f"p/{number}") + 1)])
        if both:
            with closed.transaction() as second:
                place = closed.stream_version(FactsCrossed.STREAM) + 1
                second.append([entry(FactsCrossed.STREAM, FactsCrossed.TYPE, request, at, place)])


def note(ledger_id: str, size: int, root: bytes) -> str:
    """A checkpoint that a site holds."""
    return sign_checkpoint(ledger_id, size, root, KEY)


# --- judging -------------------------------------------------------------------------------------------------------


@dataclass
class Judged:
    """One restored backup beside the record it came from."""

    faults: list[str]
    sizes: dict[str, int]


def judged(folder: Path, source: Path, answered: list[tuple[str, bool]]) -> Judged:
    """What is wrong with restored databases.

    Args:
        folder: where they lie.
        source: where the record lies, which nobody writes any more.
        answered: the acts that were answered before the backup began.
    """
    found, sizes = [], {}
    have: dict[str, set[str]] = {}
    recorded: dict[str, set[str]] = {}
    for now, then in zip(parts(folder), parts(source), strict=True):
        with open_store(now.address, create=False) as store, open_store(then.address, create=False) as record:
            entries, ledger = list(store.ledger(now.ledger).read()), record.ledger(now.ledger)
            have[now.name] = {one.request_id for one in entries}
            recorded[now.name] = {one.request_id for one in ledger.read()}
            sizes[now.ledger] = len(entries)
            if len(entries) > ledger.size() or store.ledger(now.ledger).head().root != ledger.root(len(entries)):
                found.append(f"{now.ledger} is no prefix of the record")
    opened, closed = have[f"{STUDY}.open"], have[f"{STUDY}.closed"]
    for request, both in answered:
        if request not in opened or (both and request not in closed):
            found.append(f"the answered act {request} is not there")
            break
    if closed - opened:
        found.append("an act stands in the closed space alone")
    if opened & recorded[f"{STUDY}.closed"] - closed:
        found.append("an act stands in the open space alone")
    return Judged(found, sizes)


# --- one round -----------------------------------------------------------------------------------------------------


@dataclass
class Taken:
    """A backup, and what was answered before it began."""

    folder: Path
    answered: list[tuple[str, bool]]


def take(writing: Writing, target: Path) -> Taken:
    """Back up while people write."""
    before = list(writing.answered)
    back_up(parts(writing.folder), target, NOW)
    return Taken(target, before)


def put_back(backup: Path, target: Path, outside: dict[str, str] | None = None, **how: Any) -> Any:
    """Restore, held against checkpoints."""
    target.mkdir()
    return restore(backup, parts(target), NOW, outside=outside or {}, keys=[KEY.verifier], agree=of_one_moment, **how)


def checkpoints(source: Path, sizes: dict[str, int]) -> dict[str, str]:
    """What a site holds of the record at these sizes."""
    notes = {}
    for part in parts(source):
        with open_store(part.address, create=False) as store:
            ledger = store.ledger(part.ledger)
            size = min(sizes.get(part.ledger, ledger.size()), ledger.size())
            if size:
                notes[f"site {part.ledger}"] = note(part.ledger, size, ledger.root(size))
    return notes


def faults_of(taken: Taken, source: Path, home: Path, chance: random.Random) -> list[str]:
    """Restore a backup, whole, behind a checkpoint, and at an earlier moment; what is wrong."""
    try:
        put_back(taken.folder, home / "whole")
        found = judged(home / "whole", source, taken.answered)
        faults = list(found.faults)
        if faults:
            return faults
        earlier = {ledger: chance.randint(1, max(1, size)) for ledger, size in found.sizes.items()}
        proven = put_back(taken.folder, home / "proven", checkpoints(source, earlier))
        if proven.losses or proven.unproven or any(r.covered != earlier[r.ledger_id] for r in proven.reports):
            faults.append("a restore that is not behind does not say that it is proven")
        faults += _behind(taken, source, home / "behind", found.sizes)
        last = chance.randint(1, found.sizes[LEDGERS["open"]])
        put_back(taken.folder, home / "earlier", until=last)
        cut = judged(home / "earlier", source, [])
        faults += cut.faults
        if cut.sizes[LEDGERS["open"]] != last:
            faults.append(f"until {last} brought back {cut.sizes}")
    except TrialwrightError as error:
        return [f"{error.code}: {error.message}"]
    return faults


def _behind(taken: Taken, source: Path, target: Path, sizes: dict[str, int]) -> list[str]:
    """Restored behind what a site holds, nothing is written until the loss is accepted."""
    found = put_back(taken.folder, target, checkpoints(source, {}))
    with ExitStack() as stack:
        stores = [stack.enter_context(open_store(part.address, create=False)) for part in parts(target)]
        lost = {loss.ledger_id for loss in found.losses}
        with open_store(parts(source)[0].address, create=False) as record:
            behind = sizes[LEDGERS["open"]] < record.ledger(LEDGERS["open"]).size()
        if behind != (LEDGERS["open"] in lost):
            return ["a loss was not said"]
        if not found.losses:
            return []
        faults = []
        for both in (False, True):
            try:
                write(stores, 9, f"after-{both}", both=both)
                faults.append("a store that is behind was written")
            except RestoredBehind:
                pass
        if faults:
            return faults
        accept_loss(dict(zip(SPACES, stores, strict=True)), person="somebody", reason="tried", now=NOW)
        if any(losses_of(store) for store in stores):
            faults.append("an accepted loss still waits")
        write(stores, 9, "after", both=True)
    return faults


# --- attacks on a backup -------------------------------------------------------------------------------------------

Attack = Callable[[Path, Path, random.Random], None]
"""Changes a copy of the newer backup; the older one is at hand."""


def _file(folder: Path, chance: random.Random) -> Path:
    return folder / f"{STUDY}.{chance.choice(SPACES)}.sqlite"


def _edited(folder: Path, older: Path, chance: random.Random) -> None:
    path = _file(folder, chance)
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def _truncated(folder: Path, older: Path, chance: random.Random) -> None:
    path = _file(folder, chance)
    path.write_bytes(path.read_bytes()[: chance.randrange(path.stat().st_size)])


def _removed(folder: Path, older: Path, chance: random.Random) -> None:
    _file(folder, chance).unlink()


def _added(folder: Path, older: Path, chance: random.Random) -> None:
    (folder / f"{STUDY}.open.sqlite-wal").write_bytes(b"a log that SQLite would replay")


def _unfinished(folder: Path, older: Path, chance: random.Random) -> None:
    (folder / MANIFEST).unlink()


def _mixed(folder: Path, older: Path, chance: random.Random) -> None:
    path = _file(folder, chance)
    shutil.copy(older / path.name, path)


def _mixed_and_hashed(folder: Path, older: Path, chance: random.Random) -> None:
    _mixed(folder, older, chance)
    _rehash(folder)


def _open_half_older_all_forged(folder: Path, older: Path, chance: random.Random) -> None:
    """Open space from before, closed one from now, and a manifest that says so."""
    shutil.copy(older / f"{STUDY}.open.sqlite", folder / f"{STUDY}.open.sqlite")
    _rehash(folder, heads=True)


def _rewritten_all_forged(folder: Path, older: Path, chance: random.Random) -> None:
    """An entry changed, all hashes and the manifest computed anew: only a checkpoint can tell."""
    path = folder / f"{STUDY}.open.sqlite"
    rewritten = path.with_name("rewritten.db")
    with _opened_copy(path) as store, open_store(f"sqlite:///{rewritten}") as target:
        entries = list(store.ledger(LEDGERS["open"]).read())
        middle = chance.randrange(len(entries))
        with target.ledger(LEDGERS["open"]).transaction() as transaction:
            for number, one in enumerate(entries):
                body = one.body.replace(b'"data":{}', b'"data":{"changed":true}') if number == middle else one.body
                transaction.append([NewEntry(one.stream, one.stream_seq, one.type, one.request_id, body)])
    rewritten.replace(path)
    for log in ("-wal", "-shm"):
        rewritten.with_name(rewritten.name + log).unlink(missing_ok=True)
    _rehash(folder, heads=True)


ATTACKS: dict[str, Attack] = {
    name.strip("_").replace("_", " "): attack
    for name, attack in list(globals().items())
    if attack in (
        _edited, _truncated, _removed, _added, _unfinished, _mixed, _mixed_and_hashed, _open_half_older_all_forged,
        _rewritten_all_forged,
    )
}  # fmt: skip


def _rehash(folder: Path, *, heads: bool = False) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    for name in manifest["files"]:
        manifest["files"][name] = sha256((folder / name).read_bytes()).hexdigest()
    if heads:
        for space in SPACES:
            with _opened_copy(folder / f"{STUDY}.{space}.sqlite") as store:
                manifest["heads"][f"{STUDY}.{space}"] = heads_of(store)
    (folder / MANIFEST).write_text(json.dumps(manifest))


@contextmanager
def _opened_copy(path: Path) -> Iterator[Store]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as place:
        shutil.copy(path, Path(place) / "copy.db")
        with open_store(f"sqlite:///{place}/copy.db", create=False) as store:
            yield store


def passes(name: str, newer: Path, older: Path, source: Path, home: Path, chance: random.Random) -> bool:
    """Whether a restore takes an attacked backup for good; a site holds a checkpoint of the newer one."""
    folder = home / "attacked"
    shutil.copytree(newer, folder)
    ATTACKS[name](folder, older, chance)
    heads = json.loads((newer / MANIFEST).read_text())["heads"]
    sizes = {ledger: head["size"] for of in heads.values() for ledger, head in of.items()}
    try:
        put_back(folder, home / "target", checkpoints(source, sizes))
    except BackupUnusable:
        return any((home / "target").iterdir())  # refused, and nothing may lie there
    return True


# --- the campaign --------------------------------------------------------------------------------------------------


def campaign(rounds: int, seed: int = 1, acts: int = 40) -> tuple[Counter[str], Counter[str]]:
    """Rounds of two backups each, every restore and every attack on them; what was counted, and what was found."""
    counted: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for number in range(rounds):
        chance = random.Random(f"{seed}-{number}")
        with tempfile.TemporaryDirectory(dir=MEMORY) as place:
            home = Path(place)
            source = home / "record"
            source.mkdir()
            with Writing(source) as writing:
                writing.wait(chance.randint(4, acts))
                first = take(writing, home / "first")
                writing.wait(len(writing.answered) + chance.randint(8, acts))
                second = take(writing, home / "second")
                writing.wait(len(writing.answered) + chance.randint(2, 10))
            counted["answered acts"] += len(writing.answered)
            for name, taken in (("first", first), ("second", second)):
                (home / f"{name}.restored").mkdir()
                counted["backups restored 4 times"] += 1
                found.update(faults_of(taken, source, home / f"{name}.restored", chance))
            for name in ATTACKS:
                (home / name).mkdir()
                counted[name] += 1
                if passes(name, second.folder, first.folder, source, home / name, chance):
                    found[f"not refused: {name}"] += 1
    return counted, found


def main() -> int:
    """Rounds as asked; exit code 1 where anything was found."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    began = time.monotonic()
    counted, found = campaign(rounds)
    for what, count in counted.items():
        print(f"{what}: {count:,}")
    print(f"faults: {dict(found) or 0}; {rounds} rounds, {time.monotonic() - began:.0f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
