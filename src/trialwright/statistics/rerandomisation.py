"""Tests that replay the allocation: how unusual is the difference among the lists that might have been drawn?

Sources: Fisher, The Design of Experiments, 1935, chapter 2; Rosenberger and Lachin, Randomization in Clinical Trials,
2nd ed. 2016, chapter 6; Kempthorne and Doerfler, Biometrika 1969;56:231–248 (interval by inversion).

The hypothesis is that nobody's outcome depends on the arm. Outcomes and order of entry stay as they were, and the
procedure that allocated draws anew. The statistic is |r|, the partial correlation of outcome and arm given
covariates, which orders lists as the |t| of the arm in an analysis of covariance does. With Monte-Carlo draws the
list that was used counts as one of them, p = (1 + #{|r_b| ≥ |r|}) / (B + 1), so that the test holds its level at
any B.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from trialwright.statistics.arrays import Array, ArrayLike, vector
from trialwright.statistics.errors import CannotEstimate, EmptyCell
from trialwright.statistics.linear_model import ancova

Replay = Callable[[int], Sequence[object]]
"""Number of a draw → the labels that the allocation procedure would give, in order of entry; always the same ones."""

_SLACK = 1e-9  # statistics nearer than this are equal: the same list in another order of addition


@dataclass(frozen=True, eq=False)
class Rerandomised:
    """A re-randomisation test.

    Attributes:
        value: adjusted difference of the arms, that of interest minus the other.
        p_value: two-sided.
        monte_carlo_error: standard error of ``p_value`` from the number of draws; 0 where all lists were counted.
        lists: how many were drawn or counted.
        distinct: how many of them differ.
    """

    value: float
    p_value: float
    monte_carlo_error: float
    lists: int
    distinct: int
    _test: _Test

    def confidence_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Differences δ that the test of "the arm adds δ to every outcome" does not reject at 1 − level.

        Raises:
            CannotEstimate: a level outside 0 … 1, or lists too few to reject anything at that level.
        """
        if not 0.0 < level < 1.0:
            raise CannotEstimate(f"a confidence level of {level}", remedy="give a level between 0 and 1")
        return self._test.limit(self.value, -1.0, 1 - level), self._test.limit(self.value, 1.0, 1 - level)


def rerandomisation_test(
    outcome: ArrayLike,
    allocation: Sequence[object],
    replay: Replay,
    *,
    arm: object,
    covariates: Sequence[ArrayLike] = (),
    draws: int = 9_999,
) -> Rerandomised:
    """The test on lists that the procedure draws anew.

    Args:
        outcome: shape (n,): in the order of entry.
        allocation: length n: the labels that were used; exactly two different ones.
        replay: the procedure that was used, with a draw's number in place of its secret.
        arm: the label of interest.
        covariates: each of shape (n,).
        draws: how many lists, at least 99.

    Raises:
        CannotEstimate: shapes that differ, other than two labels, a replay that gives other lengths or labels.
        EmptyCell: a replay whose lists hardly ever have both arms.
    """
    if draws < 99:
        raise CannotEstimate(f"{draws} draws", remedy="give at least 99")
    used = _indicator(allocation, arm, labels := _labels(allocation, arm))
    lists = np.stack([_indicator(replay(number), arm, labels, used.size) for number in range(draws)])
    test = _Test(vector(outcome, name="outcome"), used, lists, np.ones(draws), covariates, include=True)
    p_value = test.p_value(0.0)
    error = float(np.sqrt(p_value * (1 - p_value) / draws))
    return Rerandomised(test.value, p_value, error, draws, len({row.tobytes() for row in lists}), test)


def exact_rerandomisation_test(
    outcome: ArrayLike,
    allocation: Sequence[object],
    lists: Iterable[tuple[Sequence[object], float]],
    *,
    arm: object,
    covariates: Sequence[ArrayLike] = (),
) -> Rerandomised:
    """The test on all lists that the procedure can make, each with its probability.

    Args:
        outcome, allocation, arm, covariates: as for :func:`rerandomisation_test`.
        lists: every list with its probability; the probabilities add to 1.

    Raises:
        CannotEstimate: as there; probabilities that do not add to 1; an allocation that is not among the lists.
    """
    used = _indicator(allocation, arm, labels := _labels(allocation, arm))
    pairs = [(_indicator(row, arm, labels, used.size), float(chance)) for row, chance in lists]
    chances = np.array([chance for _, chance in pairs])
    if not pairs or abs(float(chances.sum()) - 1) > 1e-9 or (chances < 0).any():
        raise CannotEstimate("the probabilities of the lists do not add to 1", remedy="give every list")
    rows = np.stack([row for row, _ in pairs])
    if not chances[(rows == used).all(axis=1)].sum() > 0:
        raise CannotEstimate(
            "the procedure cannot have made the allocation that was used", remedy="give the procedure that was used"
        )
    test = _Test(vector(outcome, name="outcome"), used, rows, chances, covariates, include=False)
    return Rerandomised(test.value, test.p_value(0.0), 0.0, len(pairs), len({row.tobytes() for row in rows}), test)


class _Test:
    """|r| of every list, for outcomes from which δ times the arm that was used is taken away."""

    def __init__(
        self,
        outcome: Array,
        used: Array,
        lists: Array,
        weights: Array,
        covariates: Sequence[ArrayLike],
        *,
        include: bool,
    ) -> None:
        if outcome.size != used.size:
            raise CannotEstimate("outcomes and allocation of different length", remedy="give one label a participant")
        self.value = ancova(outcome, used, covariates)[0].value
        frame = np.column_stack([np.ones(used.size), *[vector(column, name="covariate") for column in covariates]])
        q = np.linalg.qr(frame)[0]
        self._y, self._used = outcome - q @ (q.T @ outcome), used - q @ (q.T @ used)
        rest = lists - (lists @ q) @ q.T
        sizes = np.sqrt((rest**2).sum(axis=1))
        # A list with one arm, or arms that the covariates determine, tells nothing: it counts as no difference.
        empty = sizes <= 1e-8 * np.sqrt(used.size)
        if float(weights[~empty].sum()) < 0.5 * float(weights.sum()):
            raise EmptyCell("most lists cannot compare the arms", remedy="check the procedure and the covariates")
        self._lists = np.where(empty[:, None], 0.0, rest / np.where(empty, 1.0, sizes)[:, None])
        self._weights, self._include = weights, include

    def p_value(self, delta: float) -> float:
        y = self._y - delta * self._used
        size = float(np.sqrt(y @ y))
        if size == 0.0:
            return 1.0
        drawn = np.abs(self._lists @ y) / size
        here = abs(float(self._used @ y)) / (size * float(np.sqrt(self._used @ self._used)))
        extreme = float(self._weights[drawn >= here - _SLACK].sum())
        extra = 1.0 if self._include else 0.0
        return min((extreme + extra) / (float(self._weights.sum()) + extra), 1.0)

    def limit(self, value: float, side: float, alpha: float) -> float:
        """The outermost δ on one side of the estimate that is not rejected, by halving."""
        spread = float(np.sqrt((self._y - value * self._used) @ (self._y - value * self._used)))
        step = spread / float(np.sqrt(self._used @ self._used))
        inside, outside = value, value + side * step
        for _ in range(60):
            if self.p_value(outside) <= alpha:
                break
            inside, outside = outside, value + 2.0 * (outside - value)
        else:
            raise CannotEstimate(
                f"too few different lists to reject anything at {alpha:.3g}", remedy="ask for a lower level"
            )
        for _ in range(60):
            middle = (inside + outside) / 2.0
            inside, outside = (inside, middle) if self.p_value(middle) <= alpha else (middle, outside)
        return (inside + outside) / 2.0


def _labels(allocation: Sequence[object], arm: object) -> frozenset[object]:
    labels = frozenset(allocation)
    if len(labels) != 2 or arm not in labels:
        raise CannotEstimate(
            f"the allocation has {len(labels)} labels, of which {arm!r} is {'' if arm in labels else 'not '}one",
            remedy="compare two arms, and name one of them",
        )
    return labels


def _indicator(row: Sequence[object], arm: object, labels: frozenset[object], length: int | None = None) -> Array:
    if (length is not None and len(row) != length) or not labels.issuperset(row):
        raise CannotEstimate(
            "a list of the procedure has another length or other labels",
            remedy="replay the entry of these participants",
        )
    return np.array([float(label == arm) for label in row])
