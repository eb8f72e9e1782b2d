"""Counts of something in each participant: yes or no, or 0, 1, 2 …; two groups.

Yes or no: difference of shares with the pooled standard error, whose square of z is Pearson's chi-square. Counts:
negative binomial model with one mean a group and a common dispersion α (variance μ + αμ²) by maximum likelihood; the
means are the observed ones whatever α is, so only the profile score of α must be solved, and the logarithm of the
rate ratio has variance Σ_g (1 / (n_g μ_g) + α / n_g). Source: Lawless, Can J Stat 1987;15:209–225.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from trialwright.operating_characteristics.errors import CannotSimulate
from trialwright.operating_characteristics.estimates import Estimates
from trialwright.operating_characteristics.groups import Groups, check_lists, draw_groups
from trialwright.operating_characteristics.streams import Streams
from trialwright.statistics import CannotEstimate, Estimate
from trialwright.statistics.arrays import Array

_ALPHA_MOST = 1e4


@dataclass(frozen=True, eq=False)
class CountWorld:
    """Each participant has a number 0, 1, 2 … .

    Args:
        lists: shape (m, n): allocation lists of groups 0 and 1.
        probabilities: shape (2, K): probability of 0 … K − 1 in each group.
        missing: probability that the number is not known.
        item: names the numbers of this outcome.

    Raises:
        CannotSimulate: probabilities that are none.
    """

    lists: Groups
    probabilities: Array
    missing: float = 0.0
    item: str = ""

    def __post_init__(self) -> None:
        check_lists(self.lists, 2)
        shape = self.probabilities.shape
        good = len(shape) == 2 and shape[0] == 2 and shape[1] >= 2 and bool((self.probabilities >= 0).all())
        if not good or not np.allclose(self.probabilities.sum(axis=1), 1.0, atol=1e-9) or not 0 <= self.missing <= 1:
            raise CannotSimulate("these are no probabilities", remedy="give two rows that each add up to 1")

    def simulate(self, streams: Streams) -> CountData:
        """The data of one block of trials."""
        n = self.lists.shape[1]
        group = draw_groups(self.lists, streams)
        draws = streams.uniforms(f"outcome {self.item}", n)
        count = np.zeros(draws.shape)
        for limits in np.cumsum(self.probabilities, axis=1)[:, :-1].T:
            count += draws >= limits[group]
        seen = np.ones(draws.shape, dtype=np.bool_)
        if self.missing > 0:
            seen = streams.uniforms("drop-out", n) >= self.missing
        return CountData(count, seen, group)


@dataclass(frozen=True, eq=False)
class CountData:
    """``count`` and ``seen`` of shape (n, BLOCK), ``group`` (n, BLOCK) or (n, 1)."""

    count: Array
    seen: npt.NDArray[np.bool_]
    group: Groups

    def head(self, count: int) -> CountData:
        """The first participants."""
        return CountData(self.count[:count], self.seen[:count], self.group[:count])

    def again(self, trial: int, values: Sequence[Sequence[float | None]]) -> CountData:
        """One trial alone, with other values."""
        seen = np.array([[row[0] is not None] for row in values])
        group = self.group[:, trial if self.group.shape[1] > 1 else 0]
        return CountData(np.array([[row[0] or 0.0] for row in values]), seen, group[:, None])

    def rows(self, trial: int) -> list[tuple[int, tuple[float | None, ...]]]:
        """Group and (count,) of every participant of one trial."""
        groups = self.group[:, trial if self.group.shape[1] > 1 else 0]
        return [
            (int(g), (float(y) if s else None,))
            for g, y, s in zip(groups, self.count[:, trial], self.seen[:, trial], strict=True)
        ]

    def known(self, trial: int) -> tuple[list[float], list[float]]:
        """The known counts of groups 0 and 1."""
        rows = self.rows(trial)
        zero, one = ([y for g, (y,) in rows if g == group and y is not None] for group in (0, 1))
        return zero, one


@dataclass(frozen=True)
class CompareShares:
    """Share of participants with a number above 0: group 1 − group 0."""

    def analyse(self, data: CountData) -> Estimates:
        """The difference in every trial of the block."""
        (n_0, n_1), (x_0, x_1) = _sums(data, data.count > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            pooled = (x_0 + x_1) / (n_0 + n_1)
            variance = pooled * (1 - pooled) * (1 / n_0 + 1 / n_1)
            return Estimates.of(x_1 / n_1 - x_0 / n_0, variance, np.inf)

    def reference(self, data: CountData, trial: int) -> Estimate:
        """The same for one trial, from Pearson's chi-square of the four cells.

        Raises:
            CannotEstimate: an empty group, or everybody alike.
        """
        zero, one = data.known(trial)
        table = [[sum(y > 0 for y in group), sum(y == 0 for y in group)] for group in (zero, one)]
        rows, columns = [sum(row) for row in table], [sum(column) for column in zip(*table, strict=True)]
        if not all(rows) or not all(columns):
            raise CannotEstimate("everybody is alike", remedy="plan more participants")
        expected = [[r * c / sum(rows) for c in columns] for r in rows]
        square = sum((table[i][j] - expected[i][j]) ** 2 / expected[i][j] for i in (0, 1) for j in (0, 1))
        difference = table[1][0] / rows[1] - table[0][0] / rows[0]
        if square == 0:
            p = columns[0] / sum(rows)
            return Estimate(0.0, math.sqrt(p * (1 - p) * (1 / rows[0] + 1 / rows[1])), np.inf)
        return Estimate(difference, abs(difference) / math.sqrt(square), np.inf)


@dataclass(frozen=True)
class CompareRates:
    """Logarithm of the rate ratio, group 1 / group 0, by the negative binomial model."""

    def analyse(self, data: CountData) -> Estimates:
        """The estimate in every trial of the block."""
        (n_0, n_1), (x_0, x_1) = _sums(data, data.count)
        with np.errstate(divide="ignore", invalid="ignore"):
            m_0, m_1 = x_0 / n_0, x_1 / n_1
            # How many counts are above j, for j = 0, 1, …: Σ_i Σ_{j < y_i} f(j) = Σ_j N_j f(j).
            above = [((data.count > j) & data.seen).sum(axis=0) for j in range(int(data.count.max()))]
            alpha = _dispersion(np.array(above, dtype=np.float64), ((n_0, m_0), (n_1, m_1)))
            variance = 1 / x_0 + 1 / x_1 + alpha * (1 / n_0 + 1 / n_1)
            return Estimates.of(np.log(m_1 / m_0), variance, np.inf)

    def reference(self, data: CountData, trial: int) -> Estimate:
        """The same for one trial: all three parameters by a general maximiser of the likelihood.

        Raises:
            CannotEstimate: a group without any event.
        """
        zero, one = (np.array(group) for group in data.known(trial))
        if not zero.any() or not one.any():
            raise CannotEstimate("a group without events has no rate", remedy="plan a longer follow-up")

        def loss(parameters: Array) -> float:
            size = math.exp(-parameters[2])  # 1 / α
            total = 0.0
            for y, log_mean in ((zero, parameters[0]), (one, parameters[1])):
                mean = math.exp(log_mean)
                total += float(
                    (
                        special.gammaln(y + size)
                        - special.gammaln(size)
                        - special.gammaln(y + 1)
                        + size * math.log(size / (size + mean))
                        + y * math.log(mean / (size + mean))
                    ).sum()
                )
            return -total

        found = np.array([math.log(zero.mean()), math.log(one.mean()), 0.0])
        bounds = [(-20.0, 20.0), (-20.0, 20.0), (-14.0, math.log(_ALPHA_MOST))]
        options = {"xatol": 1e-10, "fatol": 1e-13, "maxiter": 20000, "maxfev": 20000}
        for _ in range(3):  # begun anew: where α is near 0 the simplex shrinks before it has arrived
            found = optimize.minimize(loss, found, method="Nelder-Mead", bounds=bounds, options=options).x
        alpha = math.exp(found[2])
        means = np.exp(found[:2])
        variance = (1 / (zero.size * means[0]) + alpha / zero.size) + (1 / (one.size * means[1]) + alpha / one.size)
        return Estimate(float(found[1] - found[0]), math.sqrt(variance), np.inf)


def negative_binomial(mean: float, dispersion: float, kind: Literal["variance", "alpha"] = "alpha") -> Array:
    """Probabilities of 0, 1, 2 … with this mean and α (or this variance), the last holding the tail of 1e-12.

    Raises:
        CannotSimulate: a mean that is not above 0, or a variance below the mean.
    """
    alpha = dispersion if kind == "alpha" else (dispersion - mean) / mean**2
    if not (mean > 0 and alpha >= -1e-12 and mean < 1e4):
        raise CannotSimulate(
            f"no negative binomial distribution has mean {mean:g} and dispersion {dispersion:g}",
            remedy="give a mean above 0 and a variance that is not below it",
        )
    y = np.arange(int(20 + mean + 40 * math.sqrt(mean + max(alpha, 0) * mean**2)))
    if alpha < 1e-9:
        log_p = y * math.log(mean) - mean - special.gammaln(y + 1)
    else:
        size = 1 / alpha
        log_p = special.gammaln(y + size) - special.gammaln(size) - special.gammaln(y + 1)
        log_p = log_p + size * math.log(size / (size + mean)) + y * math.log(mean / (size + mean))
    p = np.exp(log_p)
    kept = int(np.searchsorted(np.cumsum(p), 1 - 1e-12)) + 1
    p = p[: max(kept, 2)]
    p[-1] += 1.0 - p.sum()
    return np.asarray(p)


def _sums(data: CountData, values: npt.NDArray[np.generic]) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """(people, sum of values) in groups 0 and 1."""
    people: list[Array] = []
    sums: list[Array] = []
    for group in (0, 1):
        member = (data.group == group) & data.seen
        people.append(member.sum(axis=0).astype(np.float64))
        sums.append((np.asarray(values, dtype=np.float64) * member).sum(axis=0))
    return (people[0], people[1]), (sums[0], sums[1])


def _dispersion(above: Array, groups: tuple[tuple[Array, Array], ...]) -> Array:
    """α̂ ≥ 0: where the profile score falls through 0, by bisection on log α; 0 where it begins below."""
    j = np.arange(above.shape[0])[:, None]

    def score(alpha: Array) -> Array:
        total = (above * j / (1 + alpha * j)).sum(axis=0)
        for n, mean in groups:
            total = total + n * (np.log1p(alpha * mean) / alpha**2 - mean / alpha)
        return np.asarray(total)

    # At α → 0 the score is ½ Σ_i {y_i (y_i − 1) − μ²}.
    beginning = (above * j).sum(axis=0) - sum(n * mean**2 / 2 for n, mean in groups)
    low, high = np.full(beginning.shape, -14.0), np.full(beginning.shape, math.log(_ALPHA_MOST))
    for _ in range(60):
        middle = (low + high) / 2
        rising = score(np.exp(middle)) > 0
        low, high = np.where(rising, middle, low), np.where(rising, high, middle)
    return np.where(beginning > 0, np.exp((low + high) / 2), 0.0)
