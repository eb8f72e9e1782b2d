"""An estimate with its standard error and degrees of freedom, and what follows from the three."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from trialwright.statistics.errors import CannotEstimate


@dataclass(frozen=True, slots=True)
class Estimate:
    """One estimated contrast.

    Attributes:
        value: in the unit of the outcome.
        standard_error: of ``value``, same unit, above zero.
        df: degrees of freedom of the t distribution; may be fractional; infinite for a normal reference.
    """

    value: float
    standard_error: float
    df: float

    @property
    def t(self) -> float:
        """``value / standard_error``."""
        return self.value / self.standard_error

    @property
    def p_value(self) -> float:
        """Two-sided p-value of the hypothesis that the contrast is zero."""
        return 2.0 * float(special.stdtr(self.df, -abs(self.t)))

    def confidence_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Two-sided interval of the given level (0 < level < 1).

        Raises:
            CannotEstimate: a level outside that range.
        """
        if not 0.0 < level < 1.0:
            raise CannotEstimate(f"a confidence level of {level}", remedy="give a level between 0 and 1")
        half = float(special.stdtrit(self.df, 0.5 + level / 2.0)) * self.standard_error
        return self.value - half, self.value + half

    def ratio(self, level: float = 0.95) -> tuple[float, float, float]:
        """(e^value, and its two-sided interval), for an estimate on the scale of logarithms.

        Raises:
            CannotEstimate: a level outside its range.
        """
        low, high = self.confidence_interval(level)
        return float(np.exp(self.value)), float(np.exp(low)), float(np.exp(high))


@dataclass(frozen=True, slots=True)
class JointTest:
    """F test of several contrasts at once.

    Attributes:
        f: the F statistic (already scaled, where a method scales it).
        df_numerator, df_denominator: its degrees of freedom; the latter infinite for a χ² reference.
    """

    f: float
    df_numerator: int
    df_denominator: float

    @property
    def p_value(self) -> float:
        """Probability of a larger F when all contrasts are zero."""
        if np.isinf(self.df_denominator):
            return float(special.chdtrc(self.df_numerator, self.df_numerator * self.f))
        return float(special.fdtrc(self.df_numerator, self.df_denominator, self.f))


@dataclass(frozen=True, slots=True)
class Convergence:
    """How the search for the most likely parameters ended.

    Attributes:
        steps: how many were taken.
        decrement: g'H⁻¹g at the end, with g the gradient and H the second derivatives of −2 × log-likelihood: twice
            the squared distance from the optimum in standard errors.
        smallest_eigenvalue: of H scaled to a unit diagonal; near zero, the data hardly determine some combination
            of parameters.
    """

    steps: int
    decrement: float
    smallest_eigenvalue: float
