"""Shares of two arms: difference with Newcombe's interval, Fisher's exact test, Cochran-Mantel-Haenszel.

Sources: Wilson, J Am Stat Assoc 1927;22:209–212; Newcombe, Stat Med 1998;17:857–872 and 873–890 (method 10); Fisher's
conditional odds ratio and its exact interval as in Cornfield, Proc Third Berkeley Symp 1956;4:135–148; Mantel and
Haenszel, J Natl Cancer Inst 1959;22:719–748; Robins, Breslow and Greenland, Biometrics 1986;42:311–323 (variance of
the common odds ratio); Sato, Biometrics 1989;45:1323–1324 (variance of the common risk difference); Landis, Heyman
and Koch, Int Stat Rev 1978;46:237–254 (tables larger than 2 × 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special, stats

from trialwright.statistics.arrays import Array, ArrayLike
from trialwright.statistics.errors import CannotEstimate, EmptyCell
from trialwright.statistics.estimate import Estimate
from trialwright.statistics.survival import ChiSquared, labelled


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate whose interval is not symmetric.

    Attributes:
        value: the estimate; infinite or zero where a cell is empty.
        low, high: of its two-sided interval.
        p_value: of the hypothesis of no difference, two-sided; None where the method gives none.
    """

    value: float
    low: float
    high: float
    p_value: float | None = None


def proportion(events: int, total: int, level: float = 0.95) -> Interval:
    """A share with Wilson's score interval.

    Args:
        events: how many, 0 … total.
        total: of how many, at least 1.
        level: of the interval.

    Raises:
        CannotEstimate: numbers outside their range.
    """
    z = _quantile(level)
    _check_count(events, total)
    share = events / total
    middle = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    low = 0.0 if events == 0 else middle - half
    return Interval(share, float(low), float(1.0 if events == total else middle + half))


def risk_difference(events: int, total: int, other_events: int, other_total: int, level: float = 0.95) -> Interval:
    """Share of one arm minus that of the other, with Newcombe's hybrid score interval; no p-value belongs to it.

    Raises:
        CannotEstimate: numbers outside their range.
    """
    one, other = proportion(events, total, level), proportion(other_events, other_total, level)
    value = one.value - other.value
    low = value - np.hypot(one.value - one.low, other.high - other.value)
    high = value + np.hypot(one.high - one.value, other.value - other.low)
    return Interval(value, float(low), float(high))


def fisher_exact(table: ArrayLike, level: float = 0.95) -> Interval:
    """Fisher's exact test: conditional odds ratio, exact interval, and the two-sided p-value.

    The p-value adds all tables that are no more probable than the one observed.

    Args:
        table: shape (2, 2): arms as rows, with and without the event as columns.
        level: of the interval.

    Raises:
        CannotEstimate: another shape, or no counts.
        EmptyCell: an arm without anybody, or an outcome that nobody or everybody has.
    """
    counts = _counts(table, 2)
    if counts.shape != (2, 2):
        raise CannotEstimate(f"a table of shape {counts.shape}", remedy="give two arms and two outcomes")
    _quantile(level)
    if not (counts.sum(axis=0).all() and counts.sum(axis=1).all()):
        raise EmptyCell("a row or column of the table is empty", remedy="nothing can be compared")
    whole = counts.astype(np.int64)
    found = stats.contingency.odds_ratio(whole, kind="conditional")
    interval = found.confidence_interval(level)
    p_value = float(stats.fisher_exact(whole).pvalue)
    return Interval(float(found.statistic), float(interval.low), float(interval.high), p_value)


@dataclass(frozen=True, eq=False)
class MantelHaenszel(ChiSquared):
    """Two arms and a yes-or-no outcome, over strata.

    Attributes:
        log_odds_ratio: of the first arm against the second, common to the strata; ``ratio()`` gives the odds ratio.
        risk_difference: share of the first arm minus that of the second, common to the strata.
    """

    log_odds_ratio: Estimate
    risk_difference: Estimate


def mantel_haenszel(tables: ArrayLike, *, correction: bool = False) -> MantelHaenszel:
    """Cochran-Mantel-Haenszel test of two arms, with the common odds ratio and risk difference.

    Args:
        tables: shape (strata, 2, 2): arms as rows, with and without the event as columns.
        correction: for continuity, as R's mantelhaen.test does unless told not to.

    Raises:
        CannotEstimate: another shape, or no counts.
        EmptyCell: no stratum that compares, or an odds ratio of zero or infinity.
    """
    counts = _counts(tables, 3)
    if counts.shape[1:] != (2, 2):
        raise CannotEstimate(f"tables of shape {counts.shape}", remedy="give (strata, 2, 2)")
    counts = counts[(counts.sum(axis=2) > 0).all(axis=1)]  # a stratum with one arm only tells nothing of both
    if not counts.size:
        raise EmptyCell("no stratum has both arms", remedy="use fewer strata")
    (a, b), (c, d) = counts[:, 0].T, counts[:, 1].T
    n, arm, other, events = a + b + c + d, a + b, c + d, a + c
    gap = abs(float((a - arm * events / n).sum()))
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = float(np.where(n > 1, arm * other * events * (b + d) / (n**2 * (n - 1)), 0.0).sum())
    if spread == 0:
        raise EmptyCell("nobody or everybody has the event in every stratum", remedy="nothing can be compared")
    corrected = max(gap - 0.5, 0.0) if correction else gap
    return MantelHaenszel(corrected**2 / spread, 1, _log_odds(a, b, c, d, n), _difference(a, b, c, d, n))


def _log_odds(a: Array, b: Array, c: Array, d: Array, n: Array) -> Estimate:
    r, s = a * d / n, b * c / n
    if not (r.sum() > 0 and s.sum() > 0):
        raise EmptyCell(
            "the common odds ratio is zero or infinite", remedy="an arm has no event, or only events: join strata"
        )
    p, q = (a + d) / n, (b + c) / n
    variance = (
        (p * r).sum() / (2 * r.sum() ** 2)
        + (p * s + q * r).sum() / (2 * r.sum() * s.sum())
        + (q * s).sum() / (2 * s.sum() ** 2)
    )
    return Estimate(float(np.log(r.sum() / s.sum())), float(np.sqrt(variance)), float("inf"))


def _difference(a: Array, b: Array, c: Array, d: Array, n: Array) -> Estimate:
    arm, other = a + b, c + d
    weight = (arm * other / n).sum()
    value = float(((a * other - c * arm) / n).sum() / weight)
    one = (arm**2 * c - other**2 * a + arm * other * (other - arm) / 2) / n**2
    two = (a * (other - c) + c * (arm - a)) / (2 * n)
    variance = float((value * one.sum() + two.sum()) / weight**2)
    return Estimate(value, float(np.sqrt(variance)), float("inf"))


Alternative = Literal["association", "mean_scores", "correlation"]


def cochran_mantel_haenszel(
    row: Sequence[object] | ArrayLike,
    column: Sequence[object] | ArrayLike,
    strata: Sequence[object] | ArrayLike | None = None,
    *,
    alternative: Alternative = "association",
) -> ChiSquared:
    """Whether two classifications go together within strata, for any number of levels.

    Args:
        row: length n: the arm. For ``correlation`` its levels must be numbers.
        column: length n: the outcome. For ``mean_scores`` and ``correlation`` its levels must be numbers.
        strata: length n.
        alternative: ``association`` looks for any difference, ``mean_scores`` for arms with different mean outcome,
            ``correlation`` for a linear trend of the outcome over the arms.

    Raises:
        CannotEstimate: shapes that differ, missing labels, levels that are not numbers where scores are needed.
        EmptyCell: fewer than two levels, or no stratum in which anything varies.
    """
    n = np.asarray(row).size
    arms, i = labelled(row, n, "row")
    outcomes, j = labelled(column, n, "column")
    layers, k = labelled(np.zeros(n) if strata is None else strata, n, "strata")
    if len(arms) < 2 or len(outcomes) < 2:
        raise EmptyCell("a classification with one level", remedy="give at least two levels of each")
    counts = np.zeros((len(layers), len(arms), len(outcomes)))
    np.add.at(counts, (k, i, j), 1.0)
    left = np.eye(len(arms))[:-1] if alternative != "correlation" else _scores(arms, "row")[None]
    if alternative == "association":
        right = np.eye(len(outcomes))[:-1]
    elif alternative in ("mean_scores", "correlation"):
        right = _scores(outcomes, "column")[None]
    else:
        raise CannotEstimate(f"unknown alternative {alternative!r}", remedy="association, mean_scores or correlation")
    gap, spread = _gap(counts, left, right)
    if np.linalg.matrix_rank(spread) < gap.size:
        raise EmptyCell("some levels never meet within a stratum", remedy="join levels, or use fewer strata")
    return ChiSquared(float(gap @ np.linalg.solve(spread, gap)), gap.size)


def _gap(counts: Array, left: Array, right: Array) -> tuple[Array, Array]:
    """Observed minus expected of left·N·right', summed over strata, and its covariance with all margins fixed."""
    width = left.shape[0] * right.shape[0]
    gap, spread = np.zeros(width), np.zeros((width, width))
    for table in counts:
        n = table.sum()
        if n < 2:
            continue
        rows, columns = table.sum(axis=1), table.sum(axis=0)
        gap += (left @ (table - np.outer(rows, columns) / n) @ right.T).ravel()
        of_rows = left @ (n * np.diag(rows) - np.outer(rows, rows)) @ left.T
        of_columns = right @ (n * np.diag(columns) - np.outer(columns, columns)) @ right.T
        spread += np.kron(of_rows, of_columns) / (n**2 * (n - 1))
    return gap, spread


def _scores(levels: tuple[object, ...], name: str) -> Array:
    try:
        return np.asarray([float(str(level)) for level in levels])
    except ValueError as error:
        raise CannotEstimate(f"the levels of {name} are not numbers", remedy="give scores", name=name) from error


def _counts(values: ArrayLike, dimensions: int) -> Array:
    try:
        counts = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise CannotEstimate("the table is not a rectangle of numbers", remedy="give counts") from error
    if counts.ndim != dimensions or not counts.size or not np.isfinite(counts).all():
        raise CannotEstimate(f"a table of shape {counts.shape}", remedy=f"give {dimensions} dimensions, none missing")
    if (counts < 0).any() or (counts != np.floor(counts)).any():
        raise CannotEstimate("the table holds other things than counts", remedy="give whole numbers from 0")
    return counts


def _check_count(events: int, total: int) -> None:
    if total < 1 or not 0 <= events <= total or events != int(events) or total != int(total):
        raise CannotEstimate(f"{events} of {total}", remedy="give whole numbers, 0 ≤ events ≤ total, total ≥ 1")


def _quantile(level: float) -> float:
    if not 0.0 < level < 1.0:
        raise CannotEstimate(f"a confidence level of {level}", remedy="give a level between 0 and 1")
    return float(special.ndtri(0.5 + level / 2.0))
