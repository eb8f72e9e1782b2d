"""Crashes: a trial whose process, or whose database server, is killed without warning.

    python tests/campaigns/attack_crash.py [kills on SQLite] [kills on PostgreSQL] [--only PART] [--seed N]

A whole rehearsal is taken down once as a script of commands, with their times and request ids. Then a process carries
the script out on real databases, two spaces; each answered command is told to another process through a pipe, which
is the log outside. The process is killed (SIGKILL) at named failpoints or at random, and the next one resumes at the
first command whose answer nobody heard. In the end both ledgers must have the roots of the uninterrupted trial, and
every text that was sealed must open.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partialmethod
from pathlib import Path
from typing import Any

import psycopg
from postgres_to_kill import Server

from trialwright.build import Build
from trialwright.build.compile import compiled
from trialwright.foundation.errors import TrialwrightError
from trialwright.foundation.ports import DerivedEntropy, Keyring, SettableClock
from trialwright.ledger import SigningKey, verify_ledger
from trialwright.protocol import load_study
from trialwright.rehearsal import Wishes, amendment, rehearse
from trialwright.sealing import InProcessDispensing, KeyOpener, KeyPurpose, generate_key
from trialwright.stores import KeyMissing, MemoryStore, StoreUnavailable, open_store
from trialwright.stores.database import Database
from trialwright.stores.grouping import GroupingDatabase
from trialwright.stores.keyrings import MemoryKeyring
from trialwright.stores.sql import SqlStore
from trialwright.trial.allocation.gateway import SealedAllocations
from trialwright.trial.checkpointing import Checkpointer
from trialwright.trial.dispatch import Trial
from trialwright.trial.event import Space
from trialwright.trial.record import Recorder
from trialwright.trial.rooms import EVENTS
from trialwright.trial.sealed_text import ERASED, SealedTexts

STUDY = Path(__file__).parents[2] / "studies" / "smart-ms"
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
SEED = 1
AGAIN = 2
WITHOUT_SERVER = 3

_METHODS = ("begin", "lock_head", "rows", "run", "put", "write", "write_checkpoint", "commit")
_KEYS = ("keep",)
_STEPS = ("opening", "dispatch", "crossing", "hand-out", "acknowledgement")
_PLACES = (*(f"{method} ({space.value})" for method in (*_METHODS, *_KEYS) for space in Space), *_STEPS)
FAILPOINTS = (*(f"{side} {place}" for side in ("before", "after") for place in _PLACES), "between the commits")
"""47 places at which the process can be made to die."""


# --- the script ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Script:
    """A whole trial as commands, and the roots at which it ends.

    Attributes:
        acts: (when, keyword arguments of ``dispatch``) in order; refused ones too.
        refused: numbers of the acts that were refused.
        later: the build of the amendment in the middle; made once, not in each process that dies.
    """

    build: Build
    later: Build
    acts: tuple[tuple[datetime, dict[str, Any]], ...]
    refused: frozenset[int]
    roots: tuple[str, str]


def script(participants: int = 2) -> Script:
    """Rehearse once in memory and take everything down."""
    build = compiled(load_study(STUDY).study)
    acts: list[tuple[datetime, dict[str, Any]]] = []
    refused: list[int] = []
    real, made = Trial.dispatch, Trial.__init__

    def noted(trial: Trial, command: Any, **how: Any) -> Any:
        acts.append((trial.clock.now(), {"command": command, **how}))
        try:
            return real(trial, command, **how)
        except TrialwrightError:
            refused.append(len(acts) - 1)
            raise

    Trial.dispatch = noted  # type: ignore[method-assign]
    Trial.__init__ = partialmethod(made, seal_texts=True)  # type: ignore[method-assign, assignment]
    try:
        done = rehearse(build, MemoryStore(), MemoryStore(), Wishes(participants=participants, seed=SEED))
    finally:
        Trial.dispatch, Trial.__init__ = real, made  # type: ignore[method-assign]
    later = amendment.amended(build)
    return Script(build, later, tuple(acts), frozenset(refused), (done.root, done.closed_root))


# --- dying ---------------------------------------------------------------------------------------------------------


class Fate:
    """Kills this process at the n-th passing of a failpoint; no failpoint: never."""

    def __init__(self, point: str = "", passing: int = 1) -> None:
        self.point, self.left = point, passing
        self.crossing = False

    def passes(self, point: str) -> None:
        if point == self.point:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def around(self, name: str) -> Iterator[None]:
        self.passes(f"before {name}")
        yield
        self.passes(f"after {name}")


class MortalDatabase:
    """A database at whose every method the process can die."""

    def __init__(self, database: Database, space: Space, fate: Fate) -> None:
        self._database, self._space, self._fate = database, space, fate

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._database, name)
        if name not in _METHODS:
            return found

        def mortal(*values: Any) -> Any:
            with self._fate.around(f"{name} ({self._space.value})"):
                answer = found(*values)
                if self._fate.crossing and name == "commit" and self._space is Space.CLOSED:
                    self._fate.passes("between the commits")
                return answer

        return mortal


class MortalKeyring:
    """A keyring at whose making of a key the process can die."""

    def __init__(self, keyring: Keyring, space: Space, fate: Fate) -> None:
        self._keyring, self._space, self._fate = keyring, space, fate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._keyring, name)

    def keep(self, *values: Any) -> bytes:
        with self._fate.around(f"keep ({self._space.value})"):
            return self._keyring.keep(*values)


# --- carrying out --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Weakness:
    """A deliberately weakened build.

    Args:
        acts_per_commit: answers before the commit.
        forgets_requests: a retry is a new request.
        forgets_keys: keys of sealed texts are not on the disk.
    """

    acts_per_commit: int = 1
    forgets_requests: bool = False
    forgets_keys: bool = False


def carry_out(
    plan: Script,
    addresses: dict[Space, str],
    first: int,
    fate: Fate,
    acknowledge: Callable[[int], None],
    weak: Weakness,
) -> None:
    """Carry the script out from an act on; runs in the process that dies."""
    with fate.around("opening"):
        stores = {space: _opened(address, space, fate, weak) for space, address in addresses.items()}
    entropy, clock = DerivedEntropy(SEED), SettableClock(plan.acts[first][0])
    builds = {build.id: build for build in (plan.build, plan.later)}
    trial = Trial(
        plan.build.study.identity.id,
        open_store=stores[Space.OPEN],
        closed_store=stores[Space.CLOSED],
        builds=builds,
        clock=clock,
        entropy=entropy,
        mode="rehearsal",
        seal_texts=True,
    )
    key = generate_key(KeyPurpose.DISPENSING, entropy, ledger=trial.study)
    trial.allocations = SealedAllocations(trial.state, trial.builds, InProcessDispensing(KeyOpener(key)))
    signer = SigningKey("crash", bytes(32))

    def hand_out(space: Space, note: str) -> None:
        with fate.around("hand-out"):
            pass

    trial.checkpoint = Checkpointer(trial.stores, trial.ledgers, signer, clock, hand_out)
    crossing = trial._cross_again

    def crossed(fact: Any) -> None:
        with fate.around("crossing"):
            crossing(fact)

    trial._cross_again = crossed  # type: ignore[method-assign]
    append_both = trial._append_both

    def both(closed_entries: Any, open_entries: Any, *rest: Any) -> Any:
        fate.crossing = bool(closed_entries and open_entries)
        try:
            return append_both(closed_entries, open_entries, *rest)
        finally:
            fate.crossing = False

    trial._append_both = both  # type: ignore[method-assign]
    for number in range(first, len(plan.acts)):
        when, how = plan.acts[number]
        clock.set(when)
        if weak.forgets_requests:
            how = {**how, "request_id": f"{how['request_id']}-{first}"}
        with fate.around("dispatch"):
            try:
                trial.dispatch(**how)
            except StoreUnavailable:
                raise  # the server died; the next process tries again
            except TrialwrightError:
                if number not in plan.refused and not weak.forgets_requests:
                    raise
        with fate.around("acknowledgement"):
            acknowledge(number)
    for store in stores.values():
        store.close()


def _opened(address: str, space: Space, fate: Fate, weak: Weakness) -> SqlStore:
    real = open_store(address)
    assert isinstance(real, SqlStore)
    database: Any = MortalDatabase(real._database, space, fate)
    if weak.acts_per_commit > 1:
        database = GroupingDatabase(database, weak.acts_per_commit)
    keyring: Any = MemoryKeyring() if weak.forgets_keys else MortalKeyring(real.keyring, space, fate)
    return SqlStore(database, keyring)


# --- killing -------------------------------------------------------------------------------------------------------


@dataclass
class Life:
    """One process under test, watched from outside."""

    process: int
    pipe: int
    heard: int

    def hear(self) -> None:
        """Everything it has acknowledged until it died."""
        left = b""
        while block := os.read(self.pipe, 65536):
            left += block
        os.close(self.pipe)
        lines = left.decode().split("\n")[:-1]
        if lines:
            self.heard = int(lines[-1]) + 1


def live(plan: Script, addresses: dict[Space, str], first: int, fate: Fate, weak: Weakness) -> Life:
    """Start a process that carries the script out."""
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        return Life(process, reading, first)
    status = 1
    try:
        os.close(reading)
        carry_out(plan, addresses, first, fate, lambda n: _tell(writing, n), weak)
        status = 0
    except StoreUnavailable as error:
        print(error, file=sys.stderr)
        status = WITHOUT_SERVER
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    finally:
        os._exit(status)


def _tell(pipe: int, number: int) -> None:
    os.write(pipe, f"{number}\n".encode())


def fault_of(plan: Script, addresses: dict[Space, str], heard: int) -> str | None:
    """What is wrong with the record in the middle: an acknowledged act absent, a fault in a ledger."""
    with open_store(addresses[Space.OPEN]) as opened, open_store(addresses[Space.CLOSED]) as closed:
        ledgers = [opened.ledger(f"{plan.build.study.identity.id}/open")]
        ledgers.append(closed.ledger(f"{plan.build.study.identity.id}/closed"))
        if heard and (heard - 1) not in plan.refused:
            request = plan.acts[heard - 1][1]["request_id"]
            if not any(ledger.find_request(request) for ledger in ledgers):
                return "lost"
    return None


def end_fault(plan: Script, addresses: dict[Space, str]) -> str | None:
    """What is wrong with the record in the end."""
    for space, wanted in zip((Space.OPEN, Space.CLOSED), plan.roots, strict=True):
        with open_store(addresses[space]) as store:
            ledger = store.ledger(f"{plan.build.study.identity.id}/{space.value}")
            if verify_ledger(ledger, outside={}, keys=[]).fault is not None:
                return f"{space.value} ledger is damaged"
            if ledger.root().hex() != wanted:
                return f"{space.value} ledger ends at another root"
            texts = SealedTexts({ledger.ledger_id: store.keyring}, {}, DerivedEntropy(SEED))
            recorder = Recorder(EVENTS, DerivedEntropy(SEED), texts)
            try:
                told = [str(recorder.read(entry)) for entry in ledger.read()]
            except KeyMissing:
                return f"a text of the {space.value} ledger opens no more"
            if any(ERASED in text for text in told):
                return f"a text of the {space.value} ledger is erased"
    return None


Blow = Callable[[Life], None]


def after(seconds: float, strike: Callable[[Life], None]) -> Blow:
    """A blow so long after the start."""

    def blow(life: Life) -> None:
        time.sleep(seconds)
        strike(life)

    return blow


def kill(life: Life) -> None:
    """kill -9 of the process under test."""
    with suppress(ProcessLookupError):
        os.kill(life.process, signal.SIGKILL)


def nothing(life: Life) -> None:
    """Let it live, or die of its own fate."""


def run(
    plan: Script,
    new_addresses: Callable[[], dict[Space, str]],
    blows: Sequence[tuple[Fate, Blow]],
    weak: Weakness | None = None,
    mend: Callable[[], None] | None = None,
) -> Counter[str]:
    """Strike so often, resume each time; faults by name, besides "kills", "at <failpoint>" and "trials"."""
    weak = weak or Weakness()
    server_dies, mend = mend is not None, mend or (lambda: None)
    found: Counter[str] = Counter()
    addresses, heard = new_addresses(), 0
    waiting = [*blows, (Fate(), nothing)]
    while waiting:
        fate, blow = waiting.pop(0)
        life = live(plan, addresses, heard, fate, weak)
        blow(life)
        mend()
        life.hear()
        _, status = os.waitpid(life.process, 0)
        mend()
        heard = life.heard
        if os.WIFSIGNALED(status) or (server_dies and os.WEXITSTATUS(status) == WITHOUT_SERVER):
            found["kills"] += 1
            if fate.point:
                found[f"at {fate.point}"] += 1
            fault = fault_of(plan, addresses, heard)
        elif os.WEXITSTATUS(status):
            fault = "could not resume"
        else:
            found["trials"] += 1
            fault = end_fault(plan, addresses)
            addresses, heard = new_addresses(), 0
            if fate.point:
                # Not passed on what was left of this trial; it is on a whole one.
                waiting.insert(0, (Fate(fate.point), blow))
                found[f"again {fate.point}"] += 1
                if found[f"again {fate.point}"] > AGAIN:
                    waiting.pop(0)
            elif blow is not nothing:
                waiting.insert(0, (fate, blow))  # it came too late: as many are killed as were asked for
        if fault:
            found[f"FAULT {fault}"] += 1
            addresses, heard = new_addresses(), 0
    return found


def at_failpoints(seed: int) -> list[tuple[Fate, Blow]]:
    """Every failpoint once, at a random passing, in random order."""
    chance = random.Random(seed)
    points = list(FAILPOINTS)
    chance.shuffle(points)
    # A crossing is completed only where one was interrupted: between the two commits of one act.
    between = [(Fate("between the commits"), nothing)]
    planned: list[tuple[Fate, Blow]] = []
    for point in points:
        rare = any(word in point for word in ("crossing", "opening", "run (", "between"))
        if "crossing" in point:
            planned += between
        planned.append((Fate(point, 1 if rare else chance.randint(1, 3)), nothing))
    return planned


def at_random(
    kills: int, seed: int, longest: float, strike: Callable[[Life], None] = kill
) -> list[tuple[Fate, Blow]]:
    """So many blows, each at a random moment of a process's life."""
    chance = random.Random(seed)
    return [(Fate(), after(chance.uniform(0, longest), strike)) for _ in range(kills)]


def sqlite_in(folder: Path) -> Callable[[], dict[Space, str]]:
    """Makes the addresses of two new stores."""
    made: Counter[str] = Counter()

    def new() -> dict[Space, str]:
        made["trials"] += 1
        place = folder / str(made["trials"])
        place.mkdir()
        return {space: f"sqlite:///{place}/{space.value}.db" for space in Space}

    return new


def postgresql_on(server: Server) -> Callable[[], dict[Space, str]]:
    """Makes two new databases."""
    made: Counter[str] = Counter()

    def new() -> dict[Space, str]:
        made["trials"] += 1
        addresses = {}
        for space in Space:
            name = f"crash_{made['trials']}_{space.value}"
            with psycopg.connect(server.address("postgres"), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
            addresses[space] = server.address(name)
        return addresses

    return new


def told(what: str, found: Counter[str], seconds: float) -> bool:
    """Print a campaign; whether it found nothing wrong."""
    faults = {name: n for name, n in found.items() if name.startswith("FAULT")}
    points = sum(name.startswith("at ") for name in found)
    print(
        f"{what}: {found['kills']:,} kills, {points} failpoints, {found['trials']} trials to their end, "
        f"{faults or '0 faults'}, {seconds:.0f} s",
        flush=True,
    )
    return not faults


def found_after(plan: Script, new: Callable[[], dict[Space, str]], weak: Weakness, seed: int) -> int:
    """Within how many kills a weakened build is found, in rounds of 20; 0 where 200 did not find it.

    On a machine that is busy few kills meet a process that has answered something.
    """
    for number in range(10):
        found = run(plan, new, at_random(20, seed + 6 + number, 0.6 + number / 4), weak)
        if any(name.startswith("FAULT") for name in found):
            return 20 * (number + 1)
    return 0


def main() -> int:
    """The long form. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("kills", type=int, nargs="?", default=1000, help="at random on SQLite")
    parser.add_argument("on_postgresql", type=int, nargs="?", default=200, help="a quarter of them of the server")
    parser.add_argument("--only", default="", help="parts whose name has this in it")
    parser.add_argument("--seed", type=int, default=0, help="another one gives other kills")
    given = parser.parse_args()
    kills, on_postgresql, other = given.kills, given.on_postgresql, 100 * given.seed
    plan, good = script(), True
    print(f"the script has {len(plan.acts):,} acts, {len(plan.refused)} of them refused", flush=True)
    with tempfile.TemporaryDirectory(dir=MEMORY) as place, Server() as server:
        on_sqlite, on_server = sqlite_in(Path(place)), postgresql_on(server)
        for what, new, blows, mend in (
            ("SQLite, failpoints", on_sqlite, at_failpoints(other + 1), None),
            ("SQLite, at random", on_sqlite, at_random(kills, other + 2, 0.6), None),
            ("PostgreSQL, failpoints", on_server, at_failpoints(other + 3), None),
            ("PostgreSQL, at random", on_server, at_random(on_postgresql - on_postgresql // 4, other + 4, 1.0), None),
            (
                "PostgreSQL, the server at random",
                on_server,
                at_random(on_postgresql // 4, other + 5, 1.0, lambda life: server.kill()),
                server.revive,
            ),
        ):
            if given.only not in what:
                continue
            started = time.perf_counter()
            good &= told(what, run(plan, new, blows, mend=mend), time.perf_counter() - started)
        for what, weak in (
            ("answers before the commit", Weakness(8)),
            ("forgets requests", Weakness(forgets_requests=True)),
            ("forgets keys", Weakness(forgets_keys=True)),
        ):
            caught = found_after(plan, on_sqlite, weak, other)
            print(f"weakened ({what}): {f'found within {caught} kills' if caught else 'NOT FOUND'}", flush=True)
            good &= caught > 0
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
