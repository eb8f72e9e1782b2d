"""A model fitted from a formula: coefficients, adjusted means, differences and tests by the names of columns.

Adjusted means are those of Searle, Speed and Milliken, Am Stat 1980;34:216–221 (SAS LSMEANS, R emmeans): covariates
at their mean over the rows analysed, and every level of the other factors with equal weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, Protocol, TypeVar

import numpy as np

from trialwright.statistics.arrays import Array, ArrayLike
from trialwright.statistics.errors import CannotEstimate
from trialwright.statistics.estimate import Estimate, JointTest
from trialwright.statistics.formulas import At, Covariate, Design, Level


class _Model(Protocol):
    def contrast(self, weights: ArrayLike) -> Estimate: ...

    def joint(self, weights: ArrayLike) -> JointTest: ...


M = TypeVar("M", bound=_Model)


class Fit(Generic[M]):
    """A model fitted from a formula.

    Attributes:
        model: the fitted model, whose coefficients are in the order of ``names``.
        names: of the coefficients: ``Intercept``, ``age``, ``arm[B]``, ``arm[B]:visit[2]``.
        used: rows analysed.
        without_outcome: rows left out because their outcome is missing.
    """

    def __init__(self, model: M, design: Design, *, used: int, without_outcome: int = 0, level: bool = True) -> None:
        self.model, self._design = model, design
        self._level = level  # whether the model has an intercept, so that means exist beside differences
        self.names = design.names if level else design.names[1:]
        self.used, self.without_outcome = used, without_outcome

    @property
    def coefficients(self) -> dict[str, Estimate]:
        """Every coefficient by its name."""
        return {name: self.model.contrast(row) for name, row in zip(self.names, np.eye(len(self.names)), strict=True)}

    def contrast(self, weights: Mapping[str, float]) -> Estimate:
        """Σ weight × coefficient, by names of coefficients.

        Raises:
            CannotEstimate: a name that is not one of ``names``, or no weight but zero.
        """
        unknown = [name for name in weights if name not in self.names]
        if unknown:
            known = ", ".join(self.names)
            raise CannotEstimate(f"no coefficient is called {unknown[0]!r}", remedy=f"they are {known}")
        return self.model.contrast([weights.get(name, 0.0) for name in self.names])

    def mean(self, at: At) -> Estimate:
        """The adjusted mean at these levels and values, by column.

        Raises:
            CannotEstimate: an unknown column or level, or a model without intercept.
        """
        if not self._level:
            raise CannotEstimate("this model has no means", remedy="ask for differences")
        return self.model.contrast(self._row(at))

    def ls_means(self, factor: str, at: At | None = None) -> dict[Level, Estimate]:
        """The adjusted mean of each level of a factor, at values of other columns where given.

        Raises:
            CannotEstimate: as :meth:`mean`; a column that is no factor.
        """
        levels = self._design.factor(factor).levels
        return {level: self.mean({**(at or {}), factor: level}) for level in levels}

    def difference(self, column: str, one: Level, other: Level, at: At | None = None) -> Estimate:
        """Adjusted mean at ``one`` minus that at ``other`` of a column, at values of other columns where given.

        Raises:
            CannotEstimate: an unknown column or level.
        """
        at = dict(at or {})
        return self.model.contrast(self._row({**at, column: one}) - self._row({**at, column: other}))

    def test(self, *columns: str) -> JointTest:
        """Whether these columns have a joint effect (one column: its main effect; two: their interaction; type III).

        Raises:
            CannotEstimate: no term of the formula holds them, or the hypothesis is more than the data can tell.
        """
        if not columns:
            raise CannotEstimate("nothing to test", remedy="name one or more columns of one term")
        return self.model.joint(self._cut(self._design.effects(columns)))

    def levels(self, factor: str) -> tuple[Level, ...]:
        """The levels of a factor in their order."""
        return self._design.factor(factor).levels

    def average(self, covariate: str) -> float:
        """The mean of a covariate over the rows analysed, where the adjusted means stand.

        Raises:
            CannotEstimate: no covariate of the formula.
        """
        found = self._design.variable(covariate)
        if not isinstance(found, Covariate):
            raise CannotEstimate(f"{covariate!r} is a factor", remedy="ask for its levels")
        return found.average

    def _row(self, at: At) -> Array:
        return self._cut(self._design.row(at))

    def _cut(self, rows: Array) -> Array:
        return rows if self._level else np.asarray(rows[..., 1:])
