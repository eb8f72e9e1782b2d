"""Simulated trials a second on one core, data and analysis, beside naive loops in the same run.

    python benchmarks/simulate.py [--grid] [--statsmodels PYTHON]

Each figure is the best of several blocks, by process time, so that a busy machine changes little. Loops in R are
measured where ``Rscript`` and the package are present, statsmodels' where this interpreter, or the one that is named,
has it; else they are left out. ``--grid`` adds 100 settings × 10,000 trials of the flagship
study with drop-out and Kenward-Roger on two processes: wall-clock time and memory.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil

from trialwright.build import compile_study
from trialwright.operating_characteristics import BLOCK, Plan, Streams, run, settings, workers
from trialwright.operating_characteristics.compiled import HAVE_NUMBA
from trialwright.operating_characteristics.groups import alternating
from trialwright.operating_characteristics.mixed import Repeated, crossover_design, visits_design
from trialwright.operating_characteristics.repeated import RepeatedWorld
from trialwright.operating_characteristics.survival import LogRank, SurvivalWorld
from trialwright.operating_characteristics.two_means import CompareMeans, CompletePairs
from trialwright.protocol import load_study

_R = {
    "2×2 crossover, complete": """
set.seed(1); n <- 400; t0 <- sum(proc.time()[1:2])
for (i in 1:n) { s <- rep(c(0,1), 9); y1 <- rnorm(18); y2 <- rnorm(18); summary(lm(I(y1 - y2) ~ s)) }
cat(n / (sum(proc.time()[1:2]) - t0))""",
    "log-rank, n = 400": """
suppressMessages(library(survival)); set.seed(1); n <- 300; t0 <- sum(proc.time()[1:2]); g <- rep(c(0,1), 200)
for (i in 1:n) { e <- rexp(400, .08); u <- runif(400, 12, 18); survdiff(Surv(pmin(e, u), e <= u) ~ g) }
cat(n / (sum(proc.time()[1:2]) - t0))""",
    "parallel ANCOVA, 9 + 9": """
set.seed(1); n <- 400; t0 <- sum(proc.time()[1:2])
for (i in 1:n) { g <- rep(c(0,1), 9); x <- rnorm(18); y <- x + rnorm(18); summary(lm(y ~ g + x)) }
cat(n / (sum(proc.time()[1:2]) - t0))""",
    "2×2 crossover, drop-out, REML, Kenward-Roger": """
suppressMessages(library(lmerTest)); set.seed(1); n <- 20; t0 <- sum(proc.time()[1:2])
for (i in 1:n) { d <- data.frame(id=rep(1:18, each=2), p=rep(0:1, 18), s=rep(c(0,1), each=2, length.out=36))
d$t <- as.numeric(d$p == d$s); d$y <- rnorm(36) + rep(rnorm(18), each=2); d <- d[-c(4, 12), ]
summary(lmer(y ~ p + t + s + (1 | id), d), ddf="Kenward-Roger") }
cat(n / (sum(proc.time()[1:2]) - t0))""",
}

_STATSMODELS = {
    "2×2 crossover, complete": """
import time, numpy as np, statsmodels.api as sm
r = np.random.default_rng(1); x = sm.add_constant(np.tile([0., 1.], 9)); n = 400; t = time.process_time()
for _ in range(n):
    fit = sm.OLS(r.normal(size=18) - r.normal(size=18), x).fit(); fit.pvalues
print(n / (time.process_time() - t))""",
    "parallel ANCOVA, 9 + 9": """
import time, numpy as np, statsmodels.api as sm
r = np.random.default_rng(1); g = np.tile([0., 1.], 9); n = 400; t = time.process_time()
for _ in range(n):
    b = r.normal(size=18); x = np.column_stack([np.ones(18), g, b])
    fit = sm.OLS(b + r.normal(size=18), x).fit(); fit.pvalues
print(n / (time.process_time() - t))""",
    "2×2 crossover, drop-out, REML, Kenward-Roger": """
import time, warnings, numpy as np, statsmodels.api as sm
warnings.simplefilter("ignore")
r = np.random.default_rng(1); n = 20; who = np.repeat(np.arange(18), 2); p = np.tile([0., 1.], 18)
s = np.repeat(np.tile([0., 1.], 9), 2); keep = np.delete(np.arange(36), [3, 11]); t = time.process_time()
x = np.column_stack([np.ones(36), p, (p == s).astype(float), s])[keep]
for _ in range(n):  # REML; it has neither Satterthwaite nor Kenward-Roger
    y = (r.normal(size=36) + np.repeat(r.normal(size=18), 2))[keep]
    sm.MixedLM(y, x, groups=who[keep]).fit(reml=True)
print(n / (time.process_time() - t))""",
    "log-rank, n = 400": """
import time, numpy as np, statsmodels.api as sm
r = np.random.default_rng(1); g = np.tile([0, 1], 200); n = 100; t = time.process_time()
for _ in range(n):
    e = r.exponential(1 / .08, 400); u = r.uniform(12, 18, 400)
    sm.duration.survdiff(np.minimum(e, u), (e <= u).astype(int), g)
print(n / (time.process_time() - t))""",
}


def main() -> None:
    """Print one line for each kernel; the grid first, so that its memory is its own."""
    if "--grid" in sys.argv:
        _grid()
    crossover = RepeatedWorld(
        np.array([0.0, 0.1]), np.full((2, 2), 1.0) + 0.49 * np.eye(2), np.zeros((2, 1, 2)), alternating(18)
    )
    leaving = replace(crossover, dropout=np.array([0.0, 0.1]))
    between = 0.5 ** np.abs(np.subtract.outer(range(4), range(4)))
    visits = RepeatedWorld(
        np.zeros(4), between, np.zeros((2, 1, 4)), alternating(18), dropout=np.array([0.0, 0.05, 0.05, 0.05])
    )
    survival = SurvivalWorld(alternating(400), 0.08, 0.7, 6.0, 12.0)
    mmrm = Repeated((0, 1, 2, 3), *visits_design(4))
    pairs, covariance = crossover_design(sequence=True), "compound_symmetry"
    kernels = [
        ("2×2 crossover, complete", crossover, CompletePairs(0, 1), 60, 1_000_000),
        ("parallel ANCOVA, 9 + 9", crossover, CompareMeans(1, covariate=0), 60, None),
        ("2×2 crossover, drop-out, REML, Kenward-Roger", leaving, Repeated((0, 1), *pairs, covariance), 8, 15_000),
        ("  the same, unstructured", leaving, Repeated((0, 1), *pairs), 8, 15_000),
        ("MMRM 18 × 4, complete, Kenward-Roger", replace(visits, dropout=None), mmrm, 3, 10_000),
        ("MMRM 18 × 4, drop-out, Kenward-Roger", visits, mmrm, 5, 10_000),
        ("log-rank, n = 400", survival, LogRank(), 10, 20_000),
    ]
    place = sys.argv.index("--statsmodels") + 1 if "--statsmodels" in sys.argv else 0
    interpreter = sys.argv[place] if place else sys.executable
    print(f"trials a second on one core; compiled engine {'present' if HAVE_NUMBA else 'absent'}")
    for name, world, analysis, blocks, wanted in kernels:
        figures = [f"{rate:12,.0f}" for rate in (_rate(world, analysis, blocks, c) for c in (True, False))]
        slow = _slow(world, analysis)
        loops = {
            "R": _output(["Rscript", "-e", _R[name]]) if name in _R else None,
            "statsmodels": _output([interpreter, "-c", _STATSMODELS[name]]) if name in _STATSMODELS else None,
        }
        beside = f"  full function {slow:8,.0f}/s"
        beside += "".join(f"  {who} {rate:8,.0f}/s" for who, rate in loops.items() if rate)
        print(f"{name:<48}compiled{figures[0]}  plain{figures[1]}{beside}  wanted {wanted or '–'}")


def _rate(world, analysis, blocks: int, compiled: bool) -> float:
    def block(number: int) -> None:
        analysis.analyse(world.simulate(Streams(1, "bench", number, compiled=compiled)))

    return BLOCK / _best(block, blocks)


def _slow(world, analysis) -> float:
    data = world.simulate(Streams(1, "bench", 0))
    return 1 / _best(lambda trial: analysis.reference(data, trial), 10)


def _best(work: Callable[[int], object], times: int) -> float:
    work(0)
    best = float("inf")
    for number in range(times):
        begin = time.process_time()
        work(number)
        best = min(best, time.process_time() - begin)
    return best


def _output(command: list[str]) -> float | None:
    """The number that a program prints; None where the program or what it needs is absent."""
    if shutil.which(command[0]) is None:
        return None
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return float(done.stdout) if done.returncode == 0 else None


def _grid() -> None:
    build = compile_study(load_study(Path(__file__).parents[1] / "studies" / "smart-ms"))
    (own,) = settings(build.study, scenarios=("hoped",), grids=False)
    points = tuple(
        replace(own, effect=e / 4, dropout_per_year=0.05 + 0.02 * d, models=("crossover_mixed",))
        for e in range(10)
        for d in range(10)
    )
    plan = Plan(build.canonical, points, (10_000,) * 100, seed=1)
    begin = time.perf_counter()
    run(plan, workers("joblib", 2))
    seconds = time.perf_counter() - begin
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    spent = sum(sum(process.cpu_times()[:2]) for process in processes)
    here, *others = (_most_memory(process.pid) for process in processes)
    print(
        f"grid of 100 × 10,000 on 2 processes: {seconds:.0f} s by the clock (wanted 120), "
        f"{spent:.0f} s of both processors; "
        f"this process {here:.0f} MB, the others {', '.join(f'{other:.0f}' for other in others)} MB, "
        f"at most {here + sum(others):.0f} MB together (wanted 1000)"
    )


def _most_memory(pid: int) -> float:
    """The most that a living process ever held, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (found,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(found.split()[1]) / 1024


if __name__ == "__main__":
    main()
