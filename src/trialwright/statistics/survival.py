"""Time to an event: Kaplan-Meier, log-rank test.

Sources: Kaplan and Meier, J Am Stat Assoc 1958;53:457–481; Greenwood's variance; Brookmeyer and Crowley, Biometrics
1982;38:29–41 (quantiles); Mantel, Cancer Chemother Rep 1966;50:163–170 (log-rank, stratified).

Letters: at the distinct times t_j of events, d_j events among n_j at risk; Ŝ(t) = Π_{t_j ≤ t} (1 − d_j / n_j), with
Var log Ŝ(t) = Σ_{t_j ≤ t} d_j / (n_j (n_j − d_j)). Somebody censored at t_j is at risk at t_j.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from trialwright.statistics.arrays import Array, ArrayLike, vector
from trialwright.statistics.errors import CannotEstimate, EmptyCell

Bounds = Literal["plain", "log", "log-log"]


@dataclass(frozen=True, eq=False)
class Survival:
    """A Kaplan-Meier curve.

    Attributes:
        times: distinct times of events or censoring, ascending, shape (m,).
        at_risk: just before each time.
        events: at each time.
        survival: Ŝ just after each time.
        log_variance: Greenwood's Var log Ŝ; infinite where Ŝ is 0.
    """

    times: Array
    at_risk: Array
    events: Array
    survival: Array
    log_variance: Array

    @property
    def standard_error(self) -> Array:
        """Of Ŝ; NaN where Ŝ is 0."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.survival * np.sqrt(self.log_variance))

    def interval(self, level: float = 0.95, bounds: Bounds = "log-log") -> tuple[Array, Array]:
        """Pointwise interval of Ŝ: on its own scale, of log Ŝ, or of log(−log Ŝ), cut to 0 … 1.

        NaN where Ŝ is 0, and for log-log also where it is 1, since the variance says nothing there.

        Raises:
            CannotEstimate: a level outside 0 … 1, or other bounds.
        """
        if not 0.0 < level < 1.0:
            raise CannotEstimate(f"a confidence level of {level}", remedy="give a level between 0 and 1")
        z, s, e = float(special.ndtri(0.5 + level / 2.0)), self.survival, np.sqrt(self.log_variance)
        with np.errstate(invalid="ignore", divide="ignore"):
            if bounds == "plain":
                low, high = s - z * s * e, s + z * s * e
            elif bounds == "log":
                low, high = s * np.exp(-z * e), s * np.exp(z * e)
            elif bounds == "log-log":
                half = z * e / np.abs(np.log(s))
                low, high = s ** np.exp(half), s ** np.exp(-half)
                low, high = np.where(s == 1, np.nan, low), np.where(s == 1, np.nan, high)
            else:
                raise CannotEstimate(f"unknown bounds {bounds!r}", remedy="use plain, log or log-log")
        unknown = s == 0
        low, high = (np.where(unknown, np.nan, np.clip(side, 0.0, 1.0)) for side in (low, high))
        return low, high

    def at(self, time: float) -> float:
        """Ŝ(time).

        Raises:
            CannotEstimate: after the last time, with somebody still free of the event: nothing is known there.
        """
        place = int(np.searchsorted(self.times, time, side="right"))
        if time > self.times[-1] and self.survival[-1] > 0:
            raise CannotEstimate(f"nobody was followed up to {time}", remedy="ask for an earlier time")
        return 1.0 if place == 0 else float(self.survival[place - 1])

    def quantile(
        self, share: float = 0.5, level: float = 0.95, bounds: Bounds = "log-log"
    ) -> tuple[float, float, float]:
        """(time by which ``share`` had the event, and its interval); infinite where the curve does not come so far.

        Where Ŝ equals 1 − share over an interval of times, its middle.

        Raises:
            CannotEstimate: share or level outside 0 … 1.
        """
        if not 0.0 < share < 1.0:
            raise CannotEstimate(f"a share of {share}", remedy="give a share between 0 and 1")
        low, high = self.interval(level, bounds)
        keep = self.events > 0
        times, rest = self.times[keep], 1.0 - share
        low = np.where(np.isnan(low), self.survival, low)
        high = np.where(np.isnan(high), 1.0, high)  # no upper bound is known where Ŝ is 0
        return (
            _reaches(times, self.survival[keep], rest),
            _reaches(times, low[keep], rest),
            _reaches(times, high[keep], rest),
        )


def _reaches(times: Array, curve: Array, rest: float) -> float:
    slack = 1e-12
    below = np.flatnonzero(curve <= rest + slack)
    if not below.size:
        return float("inf")
    first = int(below[0])
    if abs(curve[first] - rest) <= slack and first + 1 < times.size:
        later = np.flatnonzero(curve < rest - slack)
        if later.size:
            return float((times[first] + times[later[0]]) / 2.0)
    return float(times[first])


def kaplan_meier(time: ArrayLike, event: ArrayLike) -> Survival:
    """The share still free of the event.

    Args:
        time: shape (n,), ≥ 0: to the event or to the end of follow-up.
        event: shape (n,): 1 where the event happened, 0 where follow-up ended before.

    Raises:
        CannotEstimate: shapes that differ, missing values, negative times, events other than 0 and 1.
    """
    times, events = followed(time, event)
    distinct, place = np.unique(times, return_inverse=True)
    happened: Array = np.bincount(place, weights=events).astype(np.float64)
    leaving = np.bincount(place).astype(np.float64)
    at_risk = times.size - np.r_[0.0, np.cumsum(leaving)[:-1]]
    with np.errstate(divide="ignore"):
        terms = np.where(happened > 0, happened / (at_risk * (at_risk - happened)), 0.0)
    return Survival(distinct, at_risk, happened, np.cumprod(1.0 - happened / at_risk), np.cumsum(terms))


def followed(time: ArrayLike, event: ArrayLike) -> tuple[Array, Array]:
    """Times and events, checked.

    Raises:
        CannotEstimate: see :func:`kaplan_meier`.
    """
    times, events = vector(time, name="time"), vector(event, name="event")
    if times.size != events.size:
        raise CannotEstimate("times and events of different length", remedy="give one event mark for each time")
    if (times < 0).any() or not np.isin(events, (0.0, 1.0)).all():
        raise CannotEstimate(
            "a negative time, or an event other than 0 and 1", remedy="give times from 0, and 1 where it happened"
        )
    return times, events


@dataclass(frozen=True, eq=False)
class ChiSquared:
    """A χ² test.

    Attributes:
        statistic: its value.
        df: degrees of freedom.
    """

    statistic: float
    df: int

    @property
    def p_value(self) -> float:
        """Probability of a larger value under the hypothesis."""
        return float(special.chdtrc(self.df, self.statistic))


@dataclass(frozen=True, eq=False)
class LogRank(ChiSquared):
    """A log-rank test.

    Attributes:
        groups: in ascending order.
        observed, expected: events of each group, and what they would be if the groups did not differ.
        variance: of observed − expected of all groups but the last, (g − 1, g − 1).
    """

    groups: tuple[object, ...]
    observed: Array
    expected: Array
    variance: Array


def log_rank(
    time: ArrayLike,
    event: ArrayLike,
    group: Sequence[object] | ArrayLike,
    strata: Sequence[object] | ArrayLike | None = None,
) -> LogRank:
    """Whether groups differ in the time to the event, compared within strata where given.

    Args:
        time, event: as for :func:`kaplan_meier`.
        group: length n; at least two groups.
        strata: length n.

    Raises:
        CannotEstimate: shapes that differ, missing values, or no event at all.
        EmptyCell: fewer than two groups, or groups that are never at risk together.
    """
    times, events = followed(time, event)
    names, member = labelled(group, times.size, "group")
    _, stratum = labelled(np.zeros(times.size) if strata is None else strata, times.size, "strata")
    if len(names) < 2:
        raise EmptyCell("there is only one group", remedy="give at least two")
    if not events.any():
        raise EmptyCell("nobody had the event", remedy="nothing can be compared")
    parts = [
        _compare(times[stratum == s], events[stratum == s], member[stratum == s], len(names)) for s in set(stratum)
    ]
    expected = np.sum([part[0] for part in parts], axis=0)
    variance = np.sum([part[1] for part in parts], axis=0)[:-1, :-1]
    observed: Array = np.bincount(member, weights=events, minlength=len(names)).astype(np.float64)
    gap = (observed - expected)[:-1]
    if np.linalg.matrix_rank(variance) < gap.size:
        raise EmptyCell("some groups are never at risk together", remedy="compare fewer groups, or without strata")
    statistic = float(gap @ np.linalg.solve(variance, gap))
    return LogRank(statistic, gap.size, names, observed, expected, variance)


def labelled(
    values: Sequence[object] | ArrayLike, n: int, name: str
) -> tuple[tuple[object, ...], npt.NDArray[np.intp]]:
    """Labels in ascending order, and which of them each of n rows has.

    Raises:
        CannotEstimate: another length, a missing label, or labels of kinds that cannot be ordered.
    """
    array = np.asarray(values)
    try:
        found, place = np.unique(array, return_inverse=True)
    except TypeError as error:
        raise CannotEstimate(f"{name} mixes kinds of labels", remedy="give text, or numbers") from error
    if array.shape != (n,) or (found.dtype.kind == "f" and np.isnan(found).any()):
        raise CannotEstimate(
            f"{name} is not one label for each of {n} rows", remedy="give one, none missing", name=name
        )
    return tuple(found.tolist()), place


def _compare(times: Array, events: Array, member: npt.NDArray[np.intp], groups: int) -> tuple[Array, Array]:
    """Expected events (g,) and covariance (g, g) within one stratum: sums of hypergeometric ones."""
    distinct, place = np.unique(times, return_inverse=True)
    leaving = np.zeros((distinct.size, groups))
    np.add.at(leaving, (place, member), 1.0)
    at_risk = np.cumsum(leaving[::-1], axis=0)[::-1]
    died = np.bincount(place, weights=events)
    all_at_risk = at_risk.sum(axis=1)
    share = at_risk / all_at_risk[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.where(all_at_risk > 1, died * (all_at_risk - died) / (all_at_risk - 1), 0.0)
    covariance = np.diag(spread @ share) - (share * spread[:, None]).T @ share
    return died @ share, covariance
