"""Figures of the statistics, schedule and instruments engines; single process, best of several runs.

python benchmarks/mixed_models.py
"""

from __future__ import annotations

import time
from datetime import date, timedelta

import numpy as np

from trialwright.instruments import edss
from trialwright.instruments.progression import EDSS, Visit, confirmed_changes
from trialwright.schedule import Offset, PlannedEncounter, Unit, expectations
from trialwright.statistics import (
    MixedModel,
    TwoByTwo,
    lan_demets_obrien_fleming,
    spending_boundaries,
)


def best(act, times: int = 25) -> float:
    """Shortest of several runs, in seconds."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        act()
        taken.append(time.perf_counter() - started)
    return min(taken)


def show(name: str, figure: float, unit: str) -> None:
    print(f"{name:<66} {figure:>12,.2f} {unit}")


def repeated(people: int):
    """A trial of four visits with gaps: arm × visit, one baseline covariate."""
    rng = np.random.default_rng(1)
    sigma = 4 * 0.6 ** np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    y = rng.multivariate_normal(np.zeros(4), sigma, people).ravel()
    person, visit = np.repeat(np.arange(people), 4), np.tile(np.arange(4), people)
    arm = (person % 2).astype(float)
    visits = np.column_stack([visit == k for k in (1, 2, 3)]).astype(float)
    x = np.column_stack([np.ones(y.size), rng.normal(size=people)[person], arm, visits, arm[:, None] * visits])
    seen = rng.random(y.size) > 0.2
    return y[seen], x[seen], person[seen], visit[seen]


def mixed_models() -> None:
    figures = {}
    for people in (200, 2_000, 20_000):
        data = repeated(people)

        def analyse(data=data):
            fitted = MixedModel(*data)
            for last in range(4):  # the difference of the arms at each visit
                fitted.contrast([0, 0, 1, 0, 0, 0, *(float(last == k) for k in (1, 2, 3))])

        figures[people] = best(analyse)
        show(f"mixed model, unstructured, Kenward-Roger, {people:,} × 4", figures[people] * 1e3, "ms")
    show("  of that, 20,000 participants against 200", figures[20_000] / figures[200], "times")


def small_things() -> None:
    rng = np.random.default_rng(2)
    ab, ba = rng.normal(size=(9, 2)), rng.normal(size=(9, 2))
    show("crossover in closed form, 9 + 9", best(lambda: TwoByTwo(ab, ba).treatment().p_value, 99) * 1e6, "µs")
    times = (0.2, 0.4, 0.6, 0.8, 1.0)
    looks = best(lambda: spending_boundaries(times, lan_demets_obrien_fleming()))
    show("group-sequential boundaries, 5 looks", looks * 1e3, "ms")


def engines() -> None:
    start = date(2025, 1, 1)
    plan = [
        PlannedEncounter(
            id=f"v{n}", anchor="start", offset=Offset(n, Unit.MONTHS), window_before_days=7, window_after_days=7
        )
        for n in range(15)
    ]
    happened = {f"v{n}": start + timedelta(days=30 * n) for n in range(8)}

    def schedule():
        for _ in range(1000):
            expectations(plan, {"start": start}, happened, on=start + timedelta(days=250))

    show("schedule of one participant, 15 encounters", best(schedule, 5) * 1e3, "µs")
    systems = dict.fromkeys(
        ("visual", "brainstem", "pyramidal", "cerebellar", "sensory", "bowel_bladder", "cerebral"), 2
    )

    def rate():
        for _ in range(1000):
            edss.score(**systems, ambulation=1)

    show("EDSS from seven systems and ambulation", best(rate, 5) * 1e3, "µs")
    visits = [Visit(start + timedelta(days=84 * n), 4 + n // 4) for n in range(12)]

    def progress():
        for _ in range(1000):
            confirmed_changes(visits, EDSS, [])

    show("confirmed worsening over 12 visits", best(progress, 5) * 1e3, "µs")


if __name__ == "__main__":
    mixed_models()
    small_things()
    engines()
