"""Figures of the randomisation and sealing engines, as rates and as ratios taken in one run.

python benchmarks/randomisation.py
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from trialwright.foundation.operating_system import SystemEntropy
from trialwright.randomisation import Tally, declare, declare_minimisation, exact, generate, minimise
from trialwright.sealing import (
    DispensingProcess,
    ExpandedDraws,
    KeyOpener,
    KeyPurpose,
    RealSealer,
    generate_key,
    open_list,
    seal_list,
    verify_commitment,
    write_key,
)

EQUAL = {"A": 1, "B": 1}
PASSWORD = "a password for a benchmark"


def seconds(act):
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def show(name, figure, unit):
    print(f"{name:<62} {figure:>12,.1f} {unit}")


def quartiles(values):
    """In microseconds; written out because a file beside this one is called statistics."""
    ordered = sorted(values)
    return [1e6 * ordered[len(ordered) * k // 4] for k in (1, 2, 3)]


def lists():
    draws = ExpandedDraws(bytes(32), "benchmark")
    baseline = seconds(lambda: [draws.below(2) for _ in range(100_000)])
    show("draws of one bit from the pinned expansion", 100_000 / baseline, "/s")
    for method, parameters in [
        ("complete", {}),
        ("random_permuted_blocks", {"sizes": [2, 4, 6]}),
        ("big_stick", {"tolerance": 3}),
        ("maximal_procedure", {"tolerance": 3}),
        ("block_urn", {"balanced_sets": 2}),
    ]:
        design = declare(method, EQUAL, **parameters)
        took = seconds(lambda design=design: generate(design, 2000, draws))
        show(f"list of 2,000 by {method}", 2000 / took, "rows/s")
        show("   time of a row over the time of a bare draw", (took / 2000) / (baseline / 100_000), "x")
    took = seconds(lambda: exact(declare("random_permuted_blocks", EQUAL, sizes=[2, 4, 6]), 18))
    show("exact predictability at n = 18, blocks of 2, 4 and 6", 1000 * took, "ms")


def minimised():
    factors = {"country": ["de", "fr", "it", "pl", "es"], "sex": ["f", "m"], "age": ["young", "old"]}
    design = declare_minimisation(EQUAL, factors, probability="4/5")
    draws, tally = ExpandedDraws(bytes(32), "benchmark"), Tally(design)

    def run(count):
        for _ in range(count):
            person = {name: levels[draws.below(len(levels))] for name, levels in factors.items()}
            tally.add(person, minimise(design, tally, person, draws).label)

    first, later = seconds(lambda: run(500)), seconds(lambda: run(500))
    show("minimised allocations, three factors, running tally", 500 / first, "/s")
    show("   participants 501-1,000 over participants 1-500", later / first, "x")


def seals(folder):
    entropy = SystemEntropy()
    keys = [generate_key(p, entropy, ledger="b") for p in (KeyPurpose.DISPENSING, KeyPurpose.UNBLINDING)]
    sealer = RealSealer([key.public for key in keys], entropy)
    labels = ["A", "a long label of a sequence, cells first and placebo later"] * 500
    made = []
    took = seconds(lambda: made.append(seal_list({"": labels}, ledger="b", sealer=sealer, entropy=entropy)))
    show("rows sealed to two keys", 1000 / took, "/s")
    opened = []
    took = seconds(lambda: opened.extend(open_list(made[0], KeyOpener(keys[1]))))
    show("rows opened", 1000 / took, "/s")
    show("rows checked against the commitment", 1000 / seconds(lambda: verify_commitment(opened, made[0].root)), "/s")
    path = folder / "dispensing.key"
    path.write_bytes(write_key(keys[0], PASSWORD, entropy))
    started = time.perf_counter()
    with DispensingProcess(path, PASSWORD) as service:
        show("dispensing service ready after", 1000 * (time.perf_counter() - started), "ms")
        times = {0: [], 1: []}
        for turn in range(4000):
            row = made[0].rows[turn % 1000]
            times[turn % 2].append(seconds(lambda row=row: service.dispense(row)))
    medians = [quartiles(times[label])[1] for label in (0, 1)]
    low, _, high = quartiles(times[0])
    spread = high - low
    show("dispensing over the pipe, median", medians[0], "µs")
    show("   a label of 56 letters against one of 1, medians", 100 * (medians[1] / medians[0] - 1), "%")
    show("   quartile distance of one label, for comparison", 100 * spread / medians[0], "%")


if __name__ == "__main__":
    lists()
    minimised()
    with tempfile.TemporaryDirectory() as folder:
        seals(Path(folder))
