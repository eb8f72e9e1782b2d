"""Shares, tables, multiplicity and re-randomisation against published numbers and R (``r/numbers.csv``)."""

import csv
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats

from trialwright.statistics import (
    cochran_mantel_haenszel,
    exact_rerandomisation_test,
    fisher_exact,
    holm,
    mantel_haenszel,
    proportion,
    rerandomisation_test,
    risk_difference,
)


def of_r(name):
    with (Path(__file__).parent / "r" / "numbers.csv").open(encoding="utf-8", newline="") as lines:
        return {row["name"]: float(row["value"]) for row in csv.DictReader(lines) if row["name"].startswith(name)}


# --- Newcombe, Stat Med 1998;17:857–872, table I, method 3 (score), and 873–890, table II, method 10

SHARES = {(81, 263): (0.2553, 0.3662), (15, 148): (0.0624, 0.1605), (0, 20): (0, 0.1611), (1, 29): (0.0061, 0.1718)}
DIFFERENCES = {
    (56, 70, 48, 80): (0.0524, 0.3339),
    (9, 10, 3, 10): (0.1705, 0.8090),
    (6, 7, 2, 7): (0.0582, 0.8062),
    (5, 56, 0, 29): (-0.0381, 0.1926),
    (0, 10, 0, 20): (-0.1611, 0.2775),
    (0, 10, 0, 10): (-0.2775, 0.2775),
    (10, 10, 0, 20): (0.6791, 1.0000),
    (10, 10, 0, 10): (0.6075, 1.0000),
}


@pytest.mark.parametrize("counts", SHARES)
def test_the_interval_of_a_share_is_newcombes(counts):
    found = proportion(*counts)
    assert (found.low, found.high) == pytest.approx(SHARES[counts], abs=5.1e-5)


@pytest.mark.parametrize("counts", DIFFERENCES)
def test_the_interval_of_a_difference_is_newcombes(counts):
    found = risk_difference(*counts)
    assert (found.low, found.high) == pytest.approx(DIFFERENCES[counts], abs=5.1e-5)


# --- tables

# Admissions to Berkeley by department (Bickel et al., Science 1975;187:398–404): men and women, admitted or not.
BERKELEY = [
    [[512, 313], [89, 19]],
    [[353, 207], [17, 8]],
    [[120, 205], [202, 391]],
    [[138, 279], [131, 244]],
    [[53, 138], [94, 299]],
    [[22, 351], [24, 317]],
]


def test_mantel_haenszel_agrees_with_r():
    r = of_r("cmh.berkeley")
    found = mantel_haenszel(BERKELEY)
    assert found.statistic == pytest.approx(r["cmh.berkeley.FALSE"], rel=1e-12)
    assert mantel_haenszel(BERKELEY, correction=True).statistic == pytest.approx(r["cmh.berkeley.TRUE"], rel=1e-12)
    difference = found.risk_difference  # of metafor, with the variance of Sato, Greenland and Robins
    theirs = [r["cmh.berkeley.risk.1"], r["cmh.berkeley.risk.2"]]
    assert [difference.value, difference.standard_error] == pytest.approx(theirs, rel=1e-9)
    odds, low, high = found.log_odds_ratio.ratio()
    assert odds == pytest.approx(r["cmh.berkeley.odds"], rel=1e-12)
    assert (low, high) == pytest.approx((r["cmh.berkeley.interval.1"], r["cmh.berkeley.interval.2"]), rel=1e-9)


# Job satisfaction by income and sex: Agresti, Categorical Data Analysis, 2nd ed. 2002, table 2.8, and table 7.12 for
# the output of SAS PROC FREQ with income scores 3, 10, 20, 35 and satisfaction scores 1, 3, 4, 5.
SATISFACTION = {
    "women": [[1, 3, 11, 2], [2, 3, 17, 3], [0, 1, 8, 5], [0, 2, 4, 2]],
    "men": [[1, 1, 2, 1], [0, 3, 5, 1], [0, 0, 7, 3], [0, 1, 9, 6]],
}


@pytest.mark.parametrize(
    ("alternative", "statistic", "df"),
    [("association", 10.2001, 9), ("mean_scores", 9.0342, 3), ("correlation", 6.1563, 1)],
)
def test_larger_tables_agree_with_sas(alternative, statistic, df):
    rows = [
        (income, satisfied, sex)
        for sex, counts in SATISFACTION.items()
        for income, line in zip((3, 10, 20, 35), counts, strict=True)
        for satisfied, count in zip((1, 3, 4, 5), line, strict=True)
        for _ in range(count)
    ]
    income, satisfied, sex = zip(*rows, strict=True)
    found = cochran_mantel_haenszel(income, satisfied, sex, alternative=alternative)
    assert (round(found.statistic, 4), found.df) == (statistic, df)


@pytest.mark.parametrize(("name", "counts"), [("tea", [[3, 1], [1, 3]]), ("twins", [[2, 15], [10, 3]])])
def test_fishers_exact_test_agrees_with_r(name, counts):
    """R's odds ratio and interval come from a search with a tolerance of 1e-4, ours solve the defining equations."""
    r, found = of_r(f"fisher.{name}."), fisher_exact(counts)
    assert found.p_value == pytest.approx(r[f"fisher.{name}.1"], rel=1e-12)
    theirs = [r[f"fisher.{name}.{n}"] for n in (2, 3, 4)]
    assert [found.value, found.low, found.high] == pytest.approx(theirs, rel=1e-2)
    (a, b), (c, d) = counts
    law = stats.nchypergeom_fisher
    margins = (a + b + c + d, a + b, a + c)
    assert law.mean(*margins, found.value) == pytest.approx(a, rel=1e-6)
    assert law.sf(a - 1, *margins, found.low) == pytest.approx(0.025, rel=1e-6)
    assert law.cdf(a, *margins, found.high) == pytest.approx(0.025, rel=1e-6)


def test_holm_agrees_with_r():
    r = of_r("holm.")
    found = holm(dict(zip("abcde", (0.01, 0.04, 0.03, 0.005, 0.2), strict=True)))
    assert [decision.adjusted for decision in found] == pytest.approx(
        [r[f"holm.{n}"] for n in range(1, 6)], rel=1e-12
    )


# --- Fisher, The Design of Experiments, 1935, section 21: Darwin's maize, 15 pairs, 1 of each crossed

CROSSED = [23.5, 12, 21, 22, 19.125, 21.5, 22.125, 20.375, 18.25, 21.625, 23.25, 21, 22.125, 23, 12]
SELFED = [17.375, 20.375, 20, 20, 18.375, 18.625, 18.625, 15.25, 16.5, 18, 16.25, 18, 12.75, 15.5, 18]


def darwin():
    height = [value for pair in zip(CROSSED, SELFED, strict=True) for value in pair]
    return height, ["crossed", "selfed"] * 15


def test_replaying_the_draw_within_pairs_gives_fishers_count():
    """Of 32,768 ways to assign the two of each pair, 1,726 give a difference as large, in either direction."""
    height, used = darwin()
    pairs = [("crossed", "selfed"), ("selfed", "crossed")]
    ways = ([label for pair in way for label in pair] for way in product(pairs, repeat=15))
    found = exact_rerandomisation_test(height, used, ((way, 2.0**-15) for way in ways), arm="crossed")
    assert found.p_value == pytest.approx(1726 / 32768, abs=1e-12)
    assert found.value == pytest.approx(np.mean(CROSSED) - np.mean(SELFED), abs=1e-12)
    assert found.lists == found.distinct == 32768


def test_drawn_lists_come_near_the_count():
    height, used = darwin()

    def replay(number):
        flips = np.random.Generator(np.random.Philox(key=[7, number])).random(15) < 0.5
        return [label for flip in flips for label in (("crossed", "selfed") if flip else ("selfed", "crossed"))]

    found = rerandomisation_test(height, used, replay, arm="crossed", draws=4_000)
    assert found.p_value == pytest.approx(1726 / 32768, abs=4 * found.monte_carlo_error)
    assert found.monte_carlo_error == pytest.approx(np.sqrt(found.p_value * (1 - found.p_value) / 4_000))


def test_the_normal_quantile_behind_the_intervals_is_the_usual_one():
    assert special.ndtri(0.975) == pytest.approx(1.959963984540054, abs=1e-15)
