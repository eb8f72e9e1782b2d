"""What the engine says when data cannot answer a question."""

from __future__ import annotations

from trialwright.foundation.errors import TrialwrightError


class CannotEstimate(TrialwrightError):
    """The data or the design do not determine what was asked for."""

    code = "statistics.cannot_estimate"


class DependentColumns(CannotEstimate):
    """Terms of the design determine each other (rank deficiency), so their coefficients cannot be told apart."""

    code = "statistics.dependent_columns"


class EmptyCell(CannotEstimate):
    """A combination of levels, an arm or a stratum that the question needs has nobody in it."""

    code = "statistics.empty_cell"


class NotConverged(CannotEstimate):
    """The iterations found no optimum: the likelihood has none, or it lies at the edge of what is allowed."""

    code = "statistics.not_converged"
