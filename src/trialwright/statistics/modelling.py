"""Least squares and the mixed model for repeated measures, from a formula and a table of data."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from trialwright.statistics.arrays import Array, ArrayLike
from trialwright.statistics.covariance import SHORT_NAMES
from trialwright.statistics.errors import CannotEstimate
from trialwright.statistics.estimate import Convergence, Estimate, JointTest
from trialwright.statistics.fits import Fit
from trialwright.statistics.formulas import Design, Factor, Formula, naming, outcome_of, read_formula, variable
from trialwright.statistics.linear_model import LinearModel
from trialwright.statistics.mixed_model import Method, MixedModel, method_of

_WITHOUT_ORDER = frozenset({"unstructured", "compound_symmetry", "heterogeneous_compound_symmetry"})


@dataclass(frozen=True, eq=False)
class Repeated:
    """A mixed model with the method that its formula was asked with.

    Attributes:
        mixed: the fitted :class:`~trialwright.statistics.MixedModel`.
        method: how degrees of freedom and standard errors are made.
        visits: the visits in the order of the rows and columns of ``covariance``.
    """

    mixed: MixedModel
    method: Method
    visits: tuple[Any, ...]

    @property
    def covariance(self) -> Array:
        """Σ̂ of the visits, (q, q)."""
        return self.mixed.covariance

    @property
    def convergence(self) -> Convergence:
        """How the fit ended."""
        return self.mixed.convergence

    @property
    def minus_two_log_likelihood(self) -> float:
        """−2 × restricted log-likelihood, constants as in SAS PROC MIXED."""
        return self.mixed.minus_two_log_likelihood

    def contrast(self, weights: ArrayLike) -> Estimate:
        """Estimate of ``weights @ β``; see :meth:`MixedModel.contrast`."""
        return self.mixed.contrast(weights, self.method)

    def joint(self, weights: ArrayLike) -> JointTest:
        """F test of several contrasts; see :meth:`MixedModel.joint`."""
        return self.mixed.joint(weights, self.method)


def least_squares(formula: str, data: Mapping[str, Any], *, factors: Collection[str] = ()) -> Fit[LinearModel]:
    """A linear model, y = Xβ + e with e ~ N(0, σ²I), from a formula: the analysis of covariance and its relatives.

    Args:
        formula: ``change ~ baseline + arm``; see :mod:`trialwright.statistics.formulas`.
        data: a data frame, or columns by name. Rows without outcome are left out and counted.
        factors: columns of numbers that are levels (a site number).

    Raises:
        CannotEstimate: a formula or column that cannot be used, missing covariates, too few rows.
        EmptyCell: nobody has a combination of levels that a term needs.
        DependentColumns: terms that determine each other.
    """
    return linear(read_formula(formula), data, factors)


def linear(read: Formula, data: Mapping[str, Any], factors: Collection[str] = ()) -> Fit[LinearModel]:
    """:func:`least_squares` for a formula that was read already.

    Raises:
        CannotEstimate, EmptyCell, DependentColumns: as there.
    """
    y, rows = outcome_of(read, data)
    design = Design(read, data, rows, factors)
    with naming(design.names):
        model = LinearModel(y[rows], design.x)
    return Fit(model, design, used=rows.size, without_outcome=y.size - rows.size)


def mmrm(
    formula: str,
    data: Mapping[str, Any],
    *,
    subject: str,
    visit: str,
    covariance: str = "us",
    method: str = "kenward-roger",
    factors: Collection[str] = (),
) -> Fit[Repeated]:
    """Mixed model for repeated measures by restricted maximum likelihood.

    Model: y_i = X_i β + e_i, e_i ~ N(0, Σ_i), with Σ_i the rows and columns of Σ for the visits of participant i.

    Args:
        formula: ``FEV1 ~ RACE + SEX + ARMCD * AVISIT``; see :mod:`trialwright.statistics.formulas`. The column of
            visits is a factor in it even where it holds numbers.
        data: a data frame, or columns by name; one row for each participant and visit. Rows without outcome are
            left out and counted.
        subject: column that tells participants apart.
        visit: column of visits; their order is that of numbers, or of declared categories. Text has no order, so only
            structures that need none take it.
        covariance: of :data:`~trialwright.statistics.STRUCTURES`, or us, cs, csh, ar1, arh1, toep, toeph, ad.
        method: ``kenward-roger``, ``kenward-roger-linear`` or ``satterthwaite``.
        factors: further columns of numbers that are levels.

    Raises:
        CannotEstimate: a formula or column that cannot be used, missing covariates, two outcomes for one visit,
            visits without order, or a covariance that the data do not determine.
        EmptyCell: nobody has a combination of levels that a term needs.
        DependentColumns: terms that determine each other.
        NotConverged: no optimum was found.
    """
    return repeated_measures(
        read_formula(formula),
        data,
        subject=subject,
        visit=visit,
        covariance=covariance,
        method=method,
        factors=factors,
    )


def repeated_measures(
    read: Formula,
    data: Mapping[str, Any],
    *,
    subject: str,
    visit: str,
    covariance: str,
    method: str,
    factors: Collection[str] = (),
) -> Fit[Repeated]:
    """:func:`mmrm` for a formula that was read already.

    Raises:
        CannotEstimate, EmptyCell, DependentColumns, NotConverged: as there.
    """
    y, rows = outcome_of(read, data)
    chosen = method_of(method)
    visits = variable(data, visit, rows, as_factor=True)
    people = variable(data, subject, rows, as_factor=True)
    if not isinstance(visits, Factor) or not isinstance(people, Factor):  # as_factor makes it so
        raise CannotEstimate("visits and participants are levels", remedy="give one value a row")
    if not visits.ordered and SHORT_NAMES.get(covariance, covariance) not in _WITHOUT_ORDER:
        raise CannotEstimate(
            f"the order of the visits in {visit!r} is not known, and {covariance!r} needs it",
            remedy="give numbers, or categories in their order",
        )
    design = Design(read, data, rows, factors, {visit: visits})
    with naming(design.names):
        model = MixedModel(y[rows], design.x, people.codes, visits.codes, covariance)
    fitted = Repeated(model, chosen, visits.levels)
    return Fit(fitted, design, used=rows.size, without_outcome=y.size - rows.size)
