"""Outcomes measured repeatedly, normal on some scale: the world they come from, and the data of many trials.

y_ia = shape(μ_a + (L z_i)_a + Σ_p g_ip δ_{s(i)pa}), with LL' the covariance between visits, δ what the treatment of
period p adds at visit a in group s, and g_ip = 1 unless the treatment of period p could not be given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from trialwright.operating_characteristics.errors import CannotSimulate
from trialwright.operating_characteristics.estimates import Flags
from trialwright.operating_characteristics.groups import Groups, check_lists, draw_groups
from trialwright.operating_characteristics.streams import BLOCK, Streams
from trialwright.statistics.arrays import Array


@dataclass(frozen=True, eq=False)
class RepeatedWorld:
    """A world with one repeated outcome.

    Args:
        means: μ, shape (q,): without any treatment, on the latent scale.
        covariance: shape (q, q), positive definite, on the latent scale.
        shifts: δ, shape (groups, periods, q), added on the outcome's own scale.
        lists: shape (m, n): allocation lists of group numbers from 0; each trial draws one of them.
        not_given: shape (groups, periods): probability that the treatment of the period could not be given.
        dropout: shape (q,): probability to leave before that visit for a participant who had not left.
        missed: probability that a visit is missed by itself; visits of ``always`` are not.
        always: visits that are neither missed nor preceded by drop-out, such as baseline.
        misrated, misrated_by: probability that a value is recorded that much too high or, equally often, too low.
        scale: ``normal``, or ``lognormal``: the exponential of the latent value.
        item: names the numbers of this outcome, so that two endpoints of one item have the same values.
        visits: names of the visits, q of them; two worlds share the values of visits that both begin with.
        low, high, step: values are clipped, then rounded to multiples of ``step`` where it is above 0.

    Raises:
        CannotSimulate: shapes that do not fit, probabilities outside 0–1, a covariance that is not positive definite.
    """

    means: Array
    covariance: Array
    shifts: Array
    lists: Groups
    not_given: Array | None = None
    dropout: Array | None = None
    missed: float = 0.0
    always: tuple[int, ...] = ()
    misrated: float = 0.0
    misrated_by: float = 0.0
    scale: Literal["normal", "lognormal"] = "normal"
    low: float = -np.inf
    high: float = np.inf
    step: float = 0.0
    item: str = ""
    visits: tuple[str, ...] = ()
    _root: Array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        q = self.means.size
        groups, periods, visits = self.shifts.shape
        if self.covariance.shape != (q, q) or visits != q:
            raise CannotSimulate(
                f"means {self.means.shape}, covariance {self.covariance.shape}, shifts {self.shifts.shape}: no fit",
                remedy="give one mean and one row of the covariance a visit",
            )
        check_lists(self.lists, groups)
        try:
            root = np.linalg.cholesky(self.covariance)
        except np.linalg.LinAlgError as error:
            raise CannotSimulate(
                "the covariance between visits is not positive definite",
                remedy="give standard deviations above zero and correlations that can hold together",
            ) from error
        object.__setattr__(self, "_root", root)
        if self.not_given is not None and self.not_given.shape != (groups, periods):
            raise CannotSimulate(
                "not_given does not fit the shifts", remedy="give one probability a group and period"
            )
        shares = [self.missed, self.misrated]
        for part in (self.not_given, self.dropout):
            shares += [] if part is None else part.ravel().tolist()
        if not all(0.0 <= share <= 1.0 for share in shares):
            raise CannotSimulate("a probability is not between 0 and 1", remedy="write probabilities as shares")

    def name(self, visit: int) -> str:
        """Of a visit."""
        return self.visits[visit] if self.visits else str(visit)

    @property
    def participants(self) -> int:
        """n."""
        return int(self.lists.shape[1])

    def simulate(self, streams: Streams) -> RepeatedData:
        """The data of one block of trials."""
        return simulate_repeated(self, streams)

    def with_lists(self, lists: Groups) -> RepeatedWorld:
        """The same world with other lists, perhaps of another length."""
        return replace(self, lists=lists)


@dataclass(frozen=True, eq=False)
class RepeatedData:
    """The data of one block of trials.

    Attributes:
        y: shape (n, q, BLOCK); missing values are still there.
        observed: shape (n, q, BLOCK), or None where nothing is missing.
        group: shape (n, BLOCK), or (n, 1) where all trials share one list.
        compiled: analyse them with the compiled engine where it is present.
    """

    y: Array
    observed: Flags | None
    group: Groups
    compiled: bool = True

    def head(self, count: int) -> RepeatedData:
        """The first participants."""
        seen = None if self.observed is None else self.observed[:count]
        return RepeatedData(self.y[:count], seen, self.group[:count], self.compiled)

    def again(self, trial: int, values: Sequence[Sequence[float | None]]) -> RepeatedData:
        """One trial alone, with other values."""
        seen = np.array([[value is not None for value in row] for row in values])
        y = np.array([[np.nan if value is None else value for value in row] for row in values])
        return RepeatedData(np.where(seen, y, 0.0)[..., None], seen[..., None], self.one(trial)[2][:, None])

    def rows(self, trial: int) -> list[tuple[int, tuple[float | None, ...]]]:
        """Group and values of every participant of one trial."""
        y, seen, group = self.one(trial)
        return [
            (int(g), tuple(float(v) if s else None for v, s in zip(values, there, strict=True)))
            for g, values, there in zip(group, y, seen, strict=True)
        ]

    def one(self, trial: int) -> tuple[Array, Flags, Groups]:
        """Values (n, q), which of them were observed, and the groups (n,) of one trial of the block."""
        everything = np.ones(self.y.shape[:2], dtype=np.bool_)
        seen = everything if self.observed is None else self.observed[:, :, trial]
        return self.y[:, :, trial], seen, self.group[:, trial if self.group.shape[1] > 1 else 0]


def simulate_repeated(world: RepeatedWorld, streams: Streams) -> RepeatedData:
    """The data of one block of trials. Participants of a shorter list are the first ones of a longer list."""
    n, q = world.participants, world.means.size
    z = [streams.normals(f"outcome {world.item} {world.name(a)}", n) for a in range(q)]
    y = np.empty((q, n, BLOCK)).swapaxes(0, 1)  # the values of a visit lie together
    for a in range(q):
        np.multiply(z[a], world._root[a, a], out=y[:, a])
        for b in range(a):
            if world._root[a, b] != 0.0:
                y[:, a] += world._root[a, b] * z[b]
        if world.means[a] != 0.0:
            y[:, a] += world.means[a]
    if world.scale == "lognormal":
        np.exp(y, out=y)
    group = draw_groups(world.lists, streams)
    _treat(world, streams, group, y)
    _record(world, streams, y)
    return RepeatedData(y, _observed(world, streams), group, streams.compiled)


def _treat(world: RepeatedWorld, streams: Streams, group: Groups, y: Array) -> None:
    groups, periods, q = world.shifts.shape
    failed = None
    if world.not_given is not None and world.not_given.any():
        draws = streams.uniforms("not given", periods * y.shape[0]).reshape(-1, periods, BLOCK)
        failed = draws < np.moveaxis(world.not_given[group], -1, 1)
    for s in range(groups):
        member = group == s
        for p in range(periods):
            if not world.shifts[s, p].any():
                continue
            given = member if failed is None else member & ~failed[:, p]
            for a in range(q):
                if world.shifts[s, p, a] != 0.0:
                    y[:, a] += world.shifts[s, p, a] * given


def _record(world: RepeatedWorld, streams: Streams, y: Array) -> None:
    """From what is so to what is written down."""
    if world.misrated > 0.0 and world.misrated_by > 0.0:
        for a in range(y.shape[1]):
            draws = streams.uniforms(f"misrating {world.item} {world.name(a)}", y.shape[0])
            y[:, a] += world.misrated_by * (draws < world.misrated / 2)
            y[:, a] -= world.misrated_by * (draws > 1 - world.misrated / 2)
    if np.isfinite(world.low) or np.isfinite(world.high):
        np.clip(y, world.low, world.high, out=y)
    if world.step > 0.0:
        np.rint(y / world.step, out=y)
        y *= world.step


def _observed(world: RepeatedWorld, streams: Streams) -> Flags | None:
    n, q = world.participants, world.means.size
    leaves = world.dropout is not None and bool(world.dropout.any())
    if not leaves and world.missed == 0.0:
        return None
    seen = np.ones((n, q, BLOCK), dtype=np.bool_)
    if leaves:
        assert world.dropout is not None
        # One number a participant: it falls below the share that has left by a visit. So a higher drop-out loses
        # the same participants and more.
        luck = streams.uniforms("drop-out", n)
        left = 1.0 - np.cumprod(1.0 - world.dropout)
        for a in range(q):
            seen[:, a] &= luck >= left[a]
    if world.missed > 0.0:
        for a in range(q):  # of the visit, not of the item: whoever does not come lacks everything
            seen[:, a] &= streams.uniforms(f"missed visit {world.name(a)}", n) >= world.missed
    for a in world.always:
        seen[:, a] = True
    return seen
