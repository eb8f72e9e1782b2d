"""Sums over trials. Each block of trials is summed in one fixed order and blocks are added exactly, so the answer
does not depend on who computed which block, or when."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from trialwright.operating_characteristics.estimates import Estimates
from trialwright.statistics.arrays import Array

Tally = Mapping[str, float]
"""Name → sum over trials."""


def tally_estimates(found: Estimates, truth: float, alpha: float) -> dict[str, float]:
    """Sums of one block: trials, estimated, significant, covered, and powers of value − truth, error, half-width.

    A trial without an estimate counts as a trial that showed nothing.
    """
    usable = ~np.isnan(found.value)
    few = Estimates(found.value[usable], found.standard_error[usable], found.df[usable])
    p, off = few.p_values(), few.value - truth
    half = few.half_widths(alpha)
    significant = p < alpha
    return {
        "trials": float(found.value.size),
        "estimated": float(usable.sum()),
        "significant": float(significant.sum()),
        "significant_higher": float((significant & (few.value > 0)).sum()),
        "covered": float((few.p_values(truth) >= alpha).sum()),
        **_powers("off", off),
        **_powers("half_width", half),
        **_powers("error", few.standard_error),
    }


def tally_numbers(name: str, values: Array) -> dict[str, float]:
    """Sums of one block: count, sum and sum of squares."""
    return {f"{name}_count": float(values.size), **_powers(name, values)}


def _powers(name: str, values: Array) -> dict[str, float]:
    return {f"{name}_1": math.fsum(values.tolist()), f"{name}_2": math.fsum((values * values).tolist())}


def add(tallies: Iterable[Tally]) -> dict[str, float]:
    """The sum of tallies, each sum rounded once."""
    every = list(tallies)
    return {name: math.fsum(tally[name] for tally in every) for name in every[0]} if every else {}


def mean_and_error(total: Tally, name: str, count: str) -> tuple[float, float] | None:
    """(mean, its Monte-Carlo standard error); None below two values."""
    n = total.get(count, 0.0)
    if n < 2:
        return None
    mean = total[f"{name}_1"] / n
    variance = max(total[f"{name}_2"] - n * mean * mean, 0.0) / (n - 1)
    return mean, math.sqrt(variance / n)


def spread_and_error(total: Tally, name: str, count: str) -> tuple[float, float] | None:
    """(standard deviation, its Monte-Carlo standard error for normal values); None below two values."""
    found = mean_and_error(total, name, count)
    if found is None:
        return None
    n = total[count]
    spread = found[1] * math.sqrt(n)
    return spread, spread / math.sqrt(2.0 * (n - 1.0))


def share_and_error(part: float, whole: float) -> tuple[float, float] | None:
    """(share, its Monte-Carlo standard error); None without trials."""
    if whole <= 0:
        return None
    share = part / whole
    return share, math.sqrt(share * (1.0 - share) / whole)
