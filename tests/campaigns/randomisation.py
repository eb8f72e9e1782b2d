"""The long proof of the randomisation methods: 10,000 seeds a design, and the predictability table on 40,000 lists.

    python tests/campaigns/randomisation.py

Lists come from the pinned expansion that a study uses, one seed each, and are compared with the exact probabilities.
Each line gives z = (X² - df) / √(2·df) of a chi-squared test, or a difference in standard errors; with about sixty
of them |z| beyond 5 is no accident. Exit status 1 when there is one.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections import Counter
from functools import partial
from math import sqrt

from trialwright.randomisation import (
    Tally,
    declare,
    declare_minimisation,
    exact,
    generate,
    list_probabilities,
    minimise,
    score,
)
from trialwright.sealing import ExpandedDraws

SEEDS, LISTS, BEYOND = 10_000, 40_000, 5.0
EQUAL, TWO_TO_ONE, THREE = {"A": 1, "B": 1}, {"A": 2, "B": 1}, {"A": 1, "B": 1, "C": 1}
FOUR = {"A": 3, "B": 2, "C": 1, "D": 1}

SMALL = [
    ("complete", EQUAL, 6, {}),
    ("complete", FOUR, 3, {}),
    ("random_allocation_rule", EQUAL, 8, {}),
    ("random_allocation_rule", TWO_TO_ONE, 6, {}),
    ("permuted_blocks", EQUAL, 8, {"size": 4}),
    ("permuted_blocks", TWO_TO_ONE, 6, {"size": 3}),
    ("permuted_blocks", THREE, 4, {"size": 6}),
    ("permuted_blocks", FOUR, 3, {"size": 7}),
    ("random_permuted_blocks", EQUAL, 7, {"sizes": [2, 4, 6]}),
    ("random_permuted_blocks", TWO_TO_ONE, 6, {"sizes": [3, 6]}),
    ("big_stick", EQUAL, 7, {"tolerance": 2}),
    ("maximal_procedure", EQUAL, 7, {"tolerance": 2}),
    ("maximal_procedure", EQUAL, 8, {"tolerance": 3, "balanced_end": True}),
    ("biased_coin", EQUAL, 6, {"probability": "2/3"}),
    ("wei_urn", EQUAL, 6, {"initial": 0, "added": 1}),
    ("wei_urn", THREE, 4, {"initial": 1, "added": 2}),
    ("block_urn", EQUAL, 6, {"balanced_sets": 2}),
    ("block_urn", TWO_TO_ONE, 6, {"balanced_sets": 2}),
    ("block_urn", THREE, 4, {"balanced_sets": 2}),
]
TABLE = [
    ("permuted_blocks", {"size": 2}, 75.0),
    ("permuted_blocks", {"size": 4}, 69.5),
    ("random_permuted_blocks", {"sizes": [2, 4, 6]}, 69.6),
    ("random_allocation_rule", {}, 62.2),
    ("maximal_procedure", {"tolerance": 3}, 60.9),
    ("big_stick", {"tolerance": 3}, 57.1),
    ("complete", {}, 50.1),
]


def draws_of(campaign, number):
    return ExpandedDraws(hashlib.sha256(f"{campaign} {number}".encode()).digest(), "campaign")


def chi_squared(found, expected, total):
    """z of the statistic; infinite when something impossible was found."""
    if not set(found) <= set(expected):
        return float("inf")
    degrees = len(expected) - 1
    statistic = sum((found[x] - total * float(p)) ** 2 / (total * float(p)) for x, p in expected.items())
    return (statistic - degrees) / sqrt(2 * degrees)


def small_lists():
    for method, units, n, parameters in SMALL:
        design = declare(method, units, **parameters)
        expected = list_probabilities(design, n)
        found = Counter(generate(design, n, draws_of(f"{method} {units} {n}", i)) for i in range(SEEDS))
        z = chi_squared(found, expected, SEEDS)
        yield f"{method} {':'.join(map(str, units.values()))} n={n}, {len(expected)} lists", z


def positions():
    """At every position of a list of 60, each unit has its exact probability."""
    for method, parameters in [("random_permuted_blocks", {"sizes": [2, 4, 6]}), ("block_urn", {"balanced_sets": 3})]:
        design = declare(method, EQUAL, **parameters)
        lists = [generate(design, 60, draws_of(f"positions {method}", i)) for i in range(SEEDS)]
        worst = max(
            (abs(sum(one[k] == "A" for one in lists) - SEEDS / 2) / sqrt(SEEDS / 4) for k in range(60)), default=0
        )
        yield f"{method} 1:1, largest of 60 positions", worst


def table():
    for method, parameters, percent in TABLE:
        design = declare(method, EQUAL, **parameters)
        index = design.units.index
        lists = [
            [index(u) for u in generate(design, 18, draws_of(f"table {method} {parameters}", i))]
            for i in range(LISTS)
        ]
        found, figures = score(lists, design.ratio), exact(design, 18)
        if found.predictability_se:
            z = (found.predictability - float(figures.predictability)) / found.predictability_se
        else:
            z = 0.0 if found.predictability == figures.predictability else float("inf")
        print(
            f"  {method} {parameters or ''}: "
            f"{100 * found.predictability:.2f} % ± {100 * found.predictability_se:.2f}, "
            f"exact {100 * float(figures.predictability):.2f} %, "
            f"table {percent} %; "
            f"mean imbalance {found.mean_imbalance:.3f}, exact {float(figures.mean_imbalance):.3f}"
        )
        yield f"predictability {method} {parameters or ''}", z


def minimisation():
    factors = {"country": ["de", "fr", "it"], "sex": ["f", "m"], "age": ["young", "old"]}
    for units in (EQUAL, TWO_TO_ONE, THREE, FOUR):
        for measure in ("range", "variance", "standard_deviation", "marginal_total"):
            design = declare_minimisation(units, factors, probability="4/5", measure=measure)
            profile = draws_of("profiles", 0)
            history = [
                (
                    {f: levels[profile.below(len(levels))] for f, levels in factors.items()},
                    list(units)[profile.below(len(units))],
                )
                for _ in range(15)
            ]
            tally = Tally(design)
            for person, label in history:
                tally.add(person, label)
            person = {"country": "fr", "sex": "m", "age": "old"}
            step = partial(minimise, design, tally, person)
            found = Counter(step(draws_of(f"minimise {units} {measure}", i)).label for i in range(SEEDS))
            expected = dict(zip(design.units, step(draws_of("", 0)).probabilities, strict=True))
            yield (
                f"minimisation {':'.join(map(str, units.values()))} by {measure}",
                chi_squared(found, expected, SEEDS),
            )


def ratio_is_kept():
    """Unequal minimisation over whole trials of 120 keeps the ratio at every place (Han et al. 2009)."""
    design = declare_minimisation(TWO_TO_ONE, {"sex": ["f", "m"], "age": ["young", "old"]}, probability="9/10")
    trials, share = 600, []
    for i in range(trials):
        draws, tally, first = draws_of("ratio", i), Tally(design), 0
        for _ in range(120):
            person = {"sex": "fm"[draws.below(2)], "age": ("young", "old")[draws.below(2)]}
            label = minimise(design, tally, person, draws).label
            tally.add(person, label)
            first += label == "A"
        share.append(first / 120)
    mean = sum(share) / trials
    error = sqrt(sum((s - mean) ** 2 for s in share) / (trials - 1) / trials)
    yield (
        f"minimisation 2:1 over {trials} trials of 120, share of A {mean:.4f} for 0.6667",
        (mean - 2 / 3) / max(error, 5e-4),
    )


def main():
    started, worst = time.perf_counter(), 0.0
    for part in (small_lists, positions, table, minimisation, ratio_is_kept):
        print(f"{part.__name__.replace('_', ' ')}:", flush=True)
        for name, z in part():
            worst = max(worst, abs(z))
            print(f"  z = {z:6.2f}  {name}{'   <-- BEYOND' if abs(z) > BEYOND else ''}", flush=True)
    print(f"largest |z| = {worst:.2f}; {time.perf_counter() - started:.0f} s")
    return int(worst > BEYOND)


if __name__ == "__main__":
    sys.exit(main())
