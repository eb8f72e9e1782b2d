"""Running a simulation: units of work, workers, and partial results that resume."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol, TextIO

from trialwright.operating_characteristics.cases import Case, NotSimulated, cases
from trialwright.operating_characteristics.conduct import Conduct, conduct, tally_conduct
from trialwright.operating_characteristics.contracts import Data
from trialwright.operating_characteristics.errors import CannotSimulate
from trialwright.operating_characteristics.looks import tally_looks
from trialwright.operating_characteristics.settings import Setting
from trialwright.operating_characteristics.streams import BLOCK, Streams
from trialwright.operating_characteristics.tallies import add, tally_estimates
from trialwright.protocol.canonical import study_from_canonical
from trialwright.protocol.folder import Study

COMMON = "common"
"""The stream of all worlds: the same virtual participants meet every setting."""
CONDUCT = "conduct"
"""The place of a setting's conduct beside its models."""

Results = dict[str, dict[str, float]]
"""Model, :data:`CONDUCT`, or ``looks`` with their id → sums."""


@dataclass(frozen=True)
class Plan:
    """Everything a worker needs; plain, so that it can be sent anywhere.

    Attributes:
        canonical: canonical source of the study's build.
        settings: points of the grid.
        trials: of each setting.
        seed: of the simulation; never the live list's.
        compiled: use the compiled engine where it is present.
    """

    canonical: bytes
    settings: tuple[Setting, ...]
    trials: tuple[int, ...]
    seed: int
    compiled: bool = True

    def __post_init__(self) -> None:
        if any(not 1 <= count <= 100_000_000 for count in self.trials):
            raise CannotSimulate("a number of trials is not 1 to 100 000 000", remedy="give for example 10000")

    @property
    def digest(self) -> str:
        """Changes with anything that changes a result. The number of trials does not change the single trials."""
        text = "\x1f".join(
            [hashlib.sha256(self.canonical).hexdigest(), str(self.seed), str(self.compiled), str(BLOCK)]
        )
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def units(self) -> list[Unit]:
        """The work, in the order of settings and trials."""
        return [
            Unit(number, block, min(BLOCK, count - block * BLOCK))
            for number, count in enumerate(self.trials)
            for block in range(-(-count // BLOCK))
        ]


@dataclass(frozen=True)
class Unit:
    """One block of trials of one setting; the first ``trials`` of the block count."""

    setting: int
    block: int
    trials: int


class Workers(Protocol):
    """Where units are computed, in any order; closed early, it stops what is under way."""

    def run(self, plan: Plan, units: Sequence[Unit]) -> Generator[tuple[Unit, Results], None, None]: ...


@lru_cache(maxsize=2)
def _study(canonical: bytes) -> Study:
    return study_from_canonical(canonical)


@lru_cache(maxsize=256)
def prepared(canonical: bytes, setting: Setting, seed: int) -> tuple[list[Case], list[NotSimulated], Conduct]:
    """The cases of a setting, made once a process."""
    study = _study(canonical)
    found, left_out = cases(study, setting, seed)
    return found, left_out, conduct(study, setting)


def compute(plan: Plan, unit: Unit) -> Results:
    """The sums of one unit."""
    setting = plan.settings[unit.setting]
    found, _, going = prepared(plan.canonical, setting, plan.seed)
    streams = Streams(plan.seed, COMMON, unit.block, compiled=plan.compiled)
    alpha = float(_study(plan.canonical).analysis.alpha)
    results: Results = {CONDUCT: tally_conduct(going, streams, unit.trials)}
    for case, data in simulated(found, streams):
        estimates = case.analysis.analyse(data)
        results[case.model] = tally_estimates(estimates.first(unit.trials), case.truth, alpha)
        for name, looks in case.looks:
            results[looks_key(name)] = tally_looks(looks, data, unit.trials)
    return results


def looks_key(name: str) -> str:
    """The place of looks in the results; no model has a blank in its id."""
    return f"looks {name}"


def simulated(found: Sequence[Case], streams: Streams) -> Iterator[tuple[Case, Data]]:
    """Every case with its data of one block, which are simulated once for all models of an endpoint."""
    for endpoint in dict.fromkeys(case.endpoint for case in found):
        members = [case for case in found if case.endpoint == endpoint]
        data = members[0].world.simulate(streams)
        for case in members:
            yield case, data


class Here:
    """Workers: this very process."""

    def run(self, plan: Plan, units: Sequence[Unit]) -> Generator[tuple[Unit, Results], None, None]:
        """Compute the units one after the other."""
        for unit in units:
            yield unit, compute(plan, unit)


def run(
    plan: Plan, workers: Workers, *, resume: Path | None = None, progress: Callable[[int], None] = lambda trials: None
) -> list[Results]:
    """Simulate; the sums of every setting, in the order of the plan.

    Args:
        plan: what to simulate.
        workers: who computes; the results do not depend on it.
        resume: a file that keeps what was finished; found there, it is not computed again.
        progress: told the number of trials finished so far.

    Raises:
        CannotSimulate: ``resume`` is no such file, or it is of another study, seed or engine.
    """
    known: dict[Unit, Results] = {}
    units = plan.units()
    with _kept(plan, resume, known) as keep:
        done = sum(known[unit].get(CONDUCT, {}).get("trials", 0) for unit in units if unit in known)
        progress(int(done))
        with closing(workers.run(plan, [unit for unit in units if unit not in known])) as finished:
            for unit, results in finished:
                known[unit] = results
                keep(unit, results)
                done += unit.trials
                progress(int(done))
    by_setting: list[Results] = []
    for number in range(len(plan.settings)):
        blocks = [known[unit] for unit in units if unit.setting == number]
        by_setting.append({name: add(block[name] for block in blocks) for name in blocks[0]})
    return by_setting


@contextmanager
def _kept(plan: Plan, path: Path | None, known: dict[Unit, Results]) -> Iterator[Callable[[Unit, Results], None]]:
    """Read what a file keeps into ``known``; answer how to keep more. One line a unit: a torn line is lost alone."""
    if path is None:
        yield lambda unit, results: None
        return
    places = {f"{setting.id} {setting.models}": number for number, setting in enumerate(plan.settings)}
    names = {number: name for name, number in places.items()}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            found = _line(line, path, plan)
            if found is not None and found[0] in places:
                known[Unit(places[found[0]], found[1], found[2])] = found[3]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        if path.stat().st_size and not path.read_bytes().endswith(b"\n"):
            file.write("\n")

        def keep(unit: Unit, results: Results) -> None:
            _write(file, [plan.digest, names[unit.setting], unit.block, unit.trials, results])

        yield keep


def _write(file: TextIO, line: list[object]) -> None:
    file.write(json.dumps(line) + "\n")
    file.flush()


def _line(line: str, path: Path, plan: Plan) -> tuple[str, int, int, dict[str, dict[str, float]]] | None:
    try:
        digest, setting, block, trials, results = json.loads(line)
    except ValueError:
        return None
    if digest != plan.digest:
        raise CannotSimulate(
            f"{path} keeps results of another study, seed or engine", remedy="name another file, or remove it"
        )
    return str(setting), int(block), int(trials), results
