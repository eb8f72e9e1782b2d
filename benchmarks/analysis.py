"""Speed of the analyses of a trial, beside R where it is installed; single process, best of several runs.

OMP_NUM_THREADS=1 python benchmarks/analysis.py

One thread, because a second one is slower on matrices as small as these. R needs the packages nlme and lmerTest. It
fits the same table in the same run, and must give the same estimate; both sides are the best of several runs, each of
three in a row.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from figures import Figure, Taken, best, show

from trialwright.statistics import (
    count_regression,
    cox,
    crossover,
    kaplan_meier,
    least_squares,
    log_rank,
    mean_count_ratio,
    mmrm,
    rerandomisation_test,
)

SEED = 1
TARGET_MS = 5.0  # mixed model of 200 × 4 with adjusted means


def repeated(people: int) -> pd.DataFrame:
    """A trial of four visits, a fifth of the outcomes missing, one baseline covariate."""
    rng = np.random.default_rng(SEED)
    size = np.array([1, 1.1, 1.2, 1.4])
    sigma = 4 * np.outer(size, size) * 0.6 ** np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    y = rng.multivariate_normal(np.zeros(4), sigma, people).ravel()
    person, visit = np.repeat(np.arange(people), 4), np.tile(np.arange(1, 5), people)
    table = pd.DataFrame(
        {
            "person": person,
            "visit": visit,
            "arm": np.where(person % 2, "B", "A"),
            "base": rng.normal(size=people)[person],
            "y": y + 0.5 * (person % 2),
        }
    )
    return table[rng.random(len(table)) > 0.2].reset_index(drop=True)


def whole(table: pd.DataFrame, covariance: str = "us", method: str = "kenward-roger") -> object:
    """Fit, adjusted means of both arms and their difference at every visit: 12 estimates with degrees of freedom."""
    fit = mmrm("y ~ base + arm * visit", table, subject="person", visit="visit", covariance=covariance, method=method)
    for visit in fit.levels("visit"):
        fit.ls_means("arm", {"visit": visit})
        fit.difference("arm", "B", "A", {"visit": visit})
    return fit


def in_a_row(act: Callable[[], object], times: int) -> Taken:
    """One of three in a row, the best of several runs."""

    def three() -> None:
        for _ in range(3):
            act()

    taken = best(three, times)
    return Taken(taken.clock / 3, taken.processor / 3)


def milliseconds(what: str, act: Callable[[], object], target: float | None = None, times: int = 100) -> Figure:
    """The line of the table for one analysis."""
    taken = in_a_row(act, times)
    return Figure(what, taken.clock * 1e3, taken.processor * 1e3, "ms", target, less=True)


def mixed_models() -> Iterator[Figure]:
    small, large = repeated(200), repeated(20_000)
    yield milliseconds("mixed model and adjusted means, us, KR, 200 × 4", lambda: whole(small), TARGET_MS)
    for covariance in ("toeph", "arh1", "cs"):
        yield milliseconds(f"  the same, {covariance}", lambda c=covariance: whole(small, c))
    yield milliseconds("  the same, us, 20,000 × 4", lambda: whole(large), times=3)


def participants(count: int) -> pd.DataFrame:
    """One row a participant: a change, a count, a time to an event."""
    rng = np.random.default_rng(SEED)
    base = rng.normal(size=count)
    return pd.DataFrame(
        {
            "arm": np.where(np.arange(count) % 2, "B", "A"),
            "base": base,
            "y": base + rng.normal(size=count),
            "n": rng.poisson(rng.gamma(1, 2, count)),
            "time": np.ceil(rng.exponential(50, count)),
            "event": (rng.random(count) < 0.7).astype(float),
        }
    )


def recurrent(count: int) -> pd.DataFrame:
    """Three intervals a participant, each ending in an event or not."""
    starts = np.repeat([0.0, 10.0, 25.0], count)
    return pd.DataFrame(
        {
            "id": np.tile(np.arange(count), 3),
            "arm": np.tile(np.where(np.arange(count) % 2, "B", "A"), 3),
            "start": starts,
            "stop": starts + np.repeat([10.0, 15.0, 20.0], count),
            "event": (np.random.default_rng(SEED).random(3 * count) < 0.3).astype(float),
        }
    )


def crossed(count: int) -> pd.DataFrame:
    """A 2×2 crossover."""
    rows = [(n, "AB" if n < count / 2 else "BA", period) for n in range(count) for period in (1, 2)]
    table = pd.DataFrame(rows, columns=["id", "sequence", "period"])
    table["drug"] = [sequence[period - 1] for _, sequence, period in rows]
    return table.assign(y=np.random.default_rng(SEED).normal(size=len(rows)))


def replay(number: int) -> list[str]:
    """Permuted blocks of two."""
    flips = np.random.Generator(np.random.Philox(key=[SEED, number])).random(9) < 0.5
    return [label for flip in flips for label in ("AB" if flip else "BA")]


def others() -> Iterator[Figure]:
    table, pairs, intervals = participants(200), crossed(18), recurrent(200)
    roles = {"outcome": "y", "subject": "id", "treatment": "drug", "period": "period", "sequence": "sequence"}
    spans = {"subject": "id", "start": "start", "stop": "stop", "event": "event"}
    acts = {
        "analysis of covariance, 200": lambda: least_squares("y ~ base + arm", table).ls_means("arm"),
        "crossover, mixed model, KR, 9 + 9": lambda: crossover(pairs, **roles).treatment("A", "B"),
        "Kaplan-Meier with interval, 200": lambda: kaplan_meier(table["time"], table["event"]).interval(),
        "log-rank, 200": lambda: log_rank(table["time"], table["event"], table["arm"]),
        "Cox, Efron, 200": lambda: cox("~ arm + base", table, time="time", event="event"),
        "recurrent events, robust variance, 200 × 3": lambda: mean_count_ratio("~ arm", intervals, **spans),
        "negative binomial, 200": lambda: count_regression("n ~ arm + base", table),
    }
    for what, act in acts.items():
        yield milliseconds(what, act)
    outcome = table["y"][:18]
    yield milliseconds(
        "re-randomisation test, 18, 9,999 lists",
        lambda: rerandomisation_test(outcome, replay(0), replay, arm="A"),
        times=2,
    )


def beside_r() -> None:
    """The same table in R: time, ratio, and how far the estimates are apart."""
    program = shutil.which("Rscript")
    if program is None:
        print("\nR ABSENT: install Rscript with nlme, lme4 and lmerTest to see its figures beside these")
        return
    table = repeated(200)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        table.to_csv(path, index=False)
        script = Path(__file__).with_name("analysis.R")
        ended = subprocess.run([program, str(script), str(path)], capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        print(f"\nR FAILED: {ended.stderr.strip()[-400:]}")
        return
    ways = {"nlme": ("us", "kenward-roger"), "lmerTest": ("cs", "satterthwaite")}
    found = list(csv.reader(ended.stdout.splitlines()))
    print(f"\n{'the same table in R':<44}{'R, ms':>10}{'here, ms':>10}{'ratio':>8}{'estimates differ by':>22}")
    for what, taken, value, error in found:
        covariance, method = ways[what.split()[0]]
        ours = in_a_row(lambda c=covariance, m=method: whole(table, c, m), 30).clock * 1e3
        effect = whole(table, covariance, "satterthwaite").difference("arm", "B", "A", {"visit": 4})
        apart = max(abs(effect.value - float(value)), abs(effect.standard_error - float(error)))
        print(f"{what:<44}{float(taken):>10.1f}{ours:>10.2f}{float(taken) / ours:>8.0f}{apart:>22.1e}")
        if apart > 1e-3:
            raise SystemExit(f"{what} gives another estimate: {value} ± {error}")
    missing = {"nlme", "lmerTest"} - {row[0].split()[0] for row in found}
    for package in sorted(missing):
        print(f"{package} ABSENT in R")


def main() -> None:
    show("Mixed models", mixed_models())
    show("Other analyses", others())
    beside_r()


if __name__ == "__main__":
    main()
