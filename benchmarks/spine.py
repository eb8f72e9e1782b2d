"""Speed and memory of a whole rehearsal: ``python benchmarks/spine.py [--participants 200 | 2000]``.

Without options: SMART-MS with 18 participants by the command, in memory and in SQLite; then what it wrote is
verified and replayed. With ``--participants`` a second, larger rehearsal follows, and its time per participant is
given as a ratio to the small one of the same run. 2,000 participants take about an hour.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from figures import Figure, Taken, best, show

from trialwright.build import Build, compile_study
from trialwright.foundation.ports import DerivedEntropy, SettableClock
from trialwright.ledger import VerifierKey, verify_ledger
from trialwright.ledger.port import Ledger, Store
from trialwright.protocol import load_study
from trialwright.rehearsal import START, Wishes, rehearse
from trialwright.stores import open_store
from trialwright.trial.dispatch import Trial
from trialwright.trial.event import Space
from trialwright.trial.record import Recorder
from trialwright.trial.rooms import EVENTS, SLICES
from trialwright.trial.state import StreamCache

STUDY = Path(__file__).resolve().parents[1] / "studies" / "smart-ms"
SEED = 1
SMALL = 18
ACTS_PER_COMMIT = 256


@dataclass(frozen=True)
class Run:
    """What a rehearsal in a process of its own took.

    Args:
        whole: the process from start to end, for the time by the clock and of the processor.
        megabytes: its largest resident memory.
        said: what it printed.
    """

    whole: Taken
    megabytes: float
    said: dict[str, float]


def figures(participants: int | None) -> Iterator[Figure]:
    """Every figure, as it is taken."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield from _commands(folder)
        small = _child(SMALL, folder / "small")
        yield from _rehearsal(SMALL, small)
        yield from _record(folder / "small", times=3)
        if participants is not None:
            large = _child(participants, folder / "large")
            yield from _rehearsal(participants, large)
            ratio = [_each(large, side, participants) / _each(small, side, SMALL) for side in ("clock", "processor")]
            yield Figure(f"time per participant, {participants:,} to {SMALL}", *ratio, "×", 1.5, less=True)
            by_event = [large.said[s] / large.said["events"] * small.said["events"] / small.said[s] for s in _SIDES]
            yield Figure(f"time per event, {participants:,} to {SMALL}", *by_event, "×")
            yield from _record(folder / "large", times=1)


_SIDES = ("clock", "processor")


def _commands(folder: Path) -> Iterator[Figure]:
    """The command as people give it, with its start and the reading of the study; not the first time ever."""
    _process(["-m", "trialwright.cli", "check", str(STUDY), "--json"], folder)
    for kind, address in (("memory", "memory:"), ("SQLite", f"sqlite:///{folder}/command.db")):
        command = ["-m", "trialwright.cli", "rehearse", str(STUDY), "--participants", str(SMALL)]
        run = _process([*command, "--seed", str(SEED), "--store", address, "--json"], folder)
        what = f"trialwright rehearse, {SMALL} participants, {kind}"
        yield Figure(what, run.whole.clock, run.whole.processor, "s", 10, less=True)


def _rehearsal(participants: int, run: Run) -> Iterator[Figure]:
    said = run.said
    what = f"rehearsal of {participants:,}, SQLite"
    yield Figure(f"{what}, {said['events']:,.0f} events", said["clock"], said["processor"], "s")
    each = [_each(run, side, participants) for side in _SIDES]
    yield Figure(f"{what}, each", *(1000 * seconds for seconds in each), "ms/participant")
    yield Figure(f"{what}, resident memory", run.megabytes, None, "MB", 500, less=True)


def _each(run: Run, side: str, participants: int) -> float:
    return run.said[side] / participants


def _child(participants: int, folder: Path) -> Run:
    folder.mkdir()
    return _process([__file__, "--into", str(folder), "--participants", str(participants)], folder.parent)


def _process(arguments: list[str], folder: Path) -> Run:
    # Modules are compiled once, as in any installation; a machine may be set up to compile them at every start.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, env=environment)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}")
    whole = Taken(time.perf_counter() - started, used.ru_utime + used.ru_stime)
    return Run(whole, used.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2), json.loads(said))


def _rehearse_into(folder: Path, participants: int) -> None:
    """What the child does; says what the rehearsal alone took."""
    build = compile_study(load_study(STUDY))
    opened, closed = _stores(folder)
    with opened, closed:
        clock, processor = time.perf_counter(), time.process_time()
        done = rehearse(build, opened, closed, Wishes(participants=participants, seed=SEED))
        taken = Taken(time.perf_counter() - clock, time.process_time() - processor)
    events = done.events + done.closed_events
    (folder / "key").write_text(done.checkpoint_key)
    print(json.dumps({"clock": taken.clock, "processor": taken.processor, "events": events}))


def _record(folder: Path, times: int) -> Iterator[Figure]:
    """Verifying and replaying what a rehearsal wrote."""
    opened, closed = _stores(folder)
    with opened, closed:
        build = compile_study(load_study(STUDY))
        trial = _trial(build, opened, closed)
        count = sum(ledger.size() for ledger in trial.ledgers.values())
        at = f"{count:,} events"
        key = VerifierKey.parse((folder / "key").read_text())
        yield Figure.rate(f"verified, {at}", count, best(lambda: _verify(trial, key), times), "events/s", 20_000)
        yield Figure.rate(f"replayed into slices, {at}", count, best(lambda: _fold(trial), times), "events/s", 20_000)
        yield Figure.rate(
            f"replayed into SQLite views, {at}", count, best(lambda: _rebuild(trial), times), "events/s", 8_000
        )


def _stores(folder: Path) -> tuple[Store, Store]:
    opened, closed = (
        open_store(f"sqlite:///{folder}/{name}.db", acts_per_commit=ACTS_PER_COMMIT) for name in ("open", "closed")
    )
    return opened, closed


def _trial(build: Build, opened: Store, closed: Store) -> Trial:
    return Trial(
        build.study.identity.id,
        open_store=opened,
        closed_store=closed,
        builds={build.id: build},
        clock=SettableClock(START),
        entropy=DerivedEntropy(SEED),
        mode="rehearsal",
    )


def _verify(trial: Trial, key: VerifierKey) -> None:
    for space, ledger in trial.ledgers.items():
        kept = {"store": trial.stores[space].checkpoints(ledger.ledger_id)[-1]}
        report = verify_ledger(ledger, outside=kept, keys=[key])
        assert report.fault is None and report.covered == ledger.size(), report


def _fold(trial: Trial) -> None:
    recorder = Recorder(EVENTS, trial.entropy)
    ledgers: dict[Space, Ledger] = trial.ledgers
    cache = StreamCache(ledgers, SLICES, recorder)
    for space, ledger in ledgers.items():
        cache.follow(space)
        read = sum(cache.folded(space, stream).version for stream in ledger.streams())
        assert read == ledger.size()


def _rebuild(trial: Trial) -> None:
    for space, ledger in trial.ledgers.items():
        assert trial.rebuild_views(space) == ledger.size()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--participants", type=int, help="a larger rehearsal besides, 200 for a quick look")
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.into is not None:
        _rehearse_into(options.into, options.participants)
    else:
        show("Spine", figures(options.participants))


if __name__ == "__main__":
    main()
