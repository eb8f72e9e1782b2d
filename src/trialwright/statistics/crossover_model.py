"""The 2×2 crossover as a mixed model: everybody counts, also who has one period only.

Source: Jones and Kenward, Design and Analysis of Cross-Over Trials, 3rd ed. 2014, sections 2.3 and 5.3; Kenward and
Roger, Biostatistics 2010;11:3–12.

Model: y_ijk = μ + γ_i + π_j + τ_d(i,j) + covariates + e_ijk, sequence i, period j, treatment d, and the two e of
participant k with covariance Σ. In this design the sequence effect is the carry-over in another guise: the difference
of the carry-over of the two treatments is twice γ of the sequence that starts with the one minus γ of the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trialwright.statistics.errors import CannotEstimate, EmptyCell
from trialwright.statistics.estimate import Estimate
from trialwright.statistics.fits import Fit
from trialwright.statistics.formulas import Factor, Formula, Level, has_column, numbers, variable
from trialwright.statistics.linear_model import LinearModel
from trialwright.statistics.modelling import Repeated, linear, repeated_measures


@dataclass(frozen=True, eq=False)
class Crossover:
    """A fitted crossover.

    Attributes:
        fit: the mixed model of both periods; ``fit.model`` has Σ̂ and how the fit ended.
        first: the analysis of period 1 alone.
    """

    fit: Fit[Repeated]
    first: Fit[LinearModel]
    _columns: tuple[str, str, str]
    _starts_with: Mapping[Level, Level]  # treatment → sequence

    def treatment(self, one: Level, other: Level) -> Estimate:
        """``one`` − ``other``, adjusted for period, for sequence if that is in the model, and for covariates.

        Raises:
            CannotEstimate: not the treatments of the trial.
        """
        return self.fit.difference(self._columns[0], one, other)

    def period(self) -> Estimate:
        """Period 1 − period 2."""
        first, second = self.fit.levels(self._columns[1])
        return self.fit.difference(self._columns[1], first, second)

    def carry_over(self, one: Level, other: Level) -> Estimate:
        """Carry-over of ``one`` − carry-over of ``other``, between participants. Reported, never acted on.

        Choosing the analysis by it inflates the type-I error (Freeman, Stat Med 1989;8:1421–1432).

        Raises:
            CannotEstimate: not the treatments of the trial, or a model without the sequence term.
        """
        self.fit.difference(self._columns[0], one, other)
        sequences = self._starts_with[one], self._starts_with[other]
        half = self.fit.difference(self._columns[2], *sequences)
        return Estimate(2.0 * half.value, 2.0 * half.standard_error, half.df)

    def first_period(self, one: Level, other: Level) -> Estimate:
        """``one`` − ``other`` from period 1 alone: unbiased whatever carries over.

        Raises:
            CannotEstimate: not the treatments of the trial.
        """
        return self.first.difference(self._columns[0], one, other)


def crossover(
    data: Mapping[str, Any],
    *,
    outcome: str,
    subject: str,
    treatment: str,
    period: str,
    sequence: str,
    sequence_term: bool = True,
    covariates: Sequence[str] = (),
    covariance: str = "cs",
    method: str = "kenward-roger",
) -> Crossover:
    """A 2×2 crossover from a table of data, one row for each participant and period.

    Args:
        data: a data frame, or columns by name. Rows without outcome are left out and counted.
        outcome, subject, treatment, period, sequence: columns.
        sequence_term: whether γ is in the model. Without it the model uses differences between participants for the
            treatment, and carry-over biases it more; in small trials its error is above the nominal one.
        covariates: columns added to the model (a baseline).
        covariance: of the two periods: ``cs`` (one variance) or ``us``.
        method: as for :func:`mmrm`.

    Raises:
        CannotEstimate: a design that is not 2×2, unusable columns, or data that do not determine the model.
        EmptyCell: a sequence or period that nobody has.
        DependentColumns, NotConverged: as :func:`mmrm`.
    """
    y = numbers(data, outcome)
    rows = np.flatnonzero(~np.isnan(y))
    arms, periods, sequences = (_two(data, name, rows) for name in (treatment, period, sequence))
    starts = _starts(arms, periods, sequences)
    terms = (
        (),
        (treatment,),
        (period,),
        *([(sequence,)] if sequence_term else []),
        *((name,) for name in covariates),
    )
    fit = repeated_measures(
        Formula(outcome, terms),
        data,
        subject=subject,
        visit=period,
        covariance=covariance,
        method=method,
        factors=(treatment, sequence),
    )
    first_rows = rows[periods.codes == 0]
    alone = {name: np.asarray(has_column(data, name))[first_rows] for name in (outcome, treatment, *covariates)}
    first = linear(Formula(outcome, ((), (treatment,), *((name,) for name in covariates))), alone, (treatment,))
    return Crossover(fit, first, (treatment, period, sequence), starts)


def _two(data: Mapping[str, Any], name: str, rows: np.typing.NDArray[np.intp]) -> Factor:
    found = variable(data, name, rows, as_factor=True)
    if not isinstance(found, Factor) or len(found.levels) != 2:
        raise EmptyCell(f"{name!r} does not have two levels", remedy="a 2×2 crossover needs two of each")
    return found


def _starts(arms: Factor, periods: Factor, sequences: Factor) -> dict[Level, Level]:
    """Which sequence starts with which treatment; every row must agree."""
    counts = np.zeros((2, 2, 2))
    np.add.at(counts, (sequences.codes, periods.codes, arms.codes), 1.0)
    if not counts.sum(axis=2).all():
        raise EmptyCell("a sequence has nobody in one of the periods", remedy="the treatment cannot be told from it")
    given = counts.argmax(axis=2)
    if (
        (np.minimum(counts[:, :, 0], counts[:, :, 1]) > 0).any()
        or (given.sum(axis=0) != 1).any()
        or (given.sum(axis=1) != 1).any()
    ):
        raise CannotEstimate(
            "treatments do not follow from sequence and period as in a 2×2 crossover",
            remedy="give the treatment of each period as the sequence says",
        )
    return {arms.levels[given[n, 0]]: sequences.levels[n] for n in (0, 1)}
