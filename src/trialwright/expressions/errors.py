"""What can be wrong with an expression; every error names the column and the way out."""

from __future__ import annotations

from trialwright.foundation.errors import TrialwrightError


class ExpressionError(TrialwrightError):
    """An expression that cannot be used.

    Args:
        message: what was wrong.
        remedy: what to write instead.
        column: where in the expression's text, counted in characters from 1.
        where: what the caller said about the place, for example ``eligibility.yaml:12``.
    """

    code = "expression.error"

    def __init__(self, message: str, *, remedy: str, column: int, where: str = "", **given: object) -> None:
        super().__init__(message, remedy=remedy, column=column, where=where, **given)
        self.column = column
        self.where = where

    def __str__(self) -> str:
        place = f"{self.where}, column {self.column}" if self.where else f"column {self.column}"
        return f"{place}: {self.message} → {self.remedy}"


class SyntaxProblem(ExpressionError):
    """The text is not in the language."""

    code = "expression.syntax"


class UnknownName(ExpressionError):
    """A name that the scope does not have."""

    code = "expression.name"


class TypeProblem(ExpressionError):
    """Values of kinds that do not go together, such as a text and a number."""

    code = "expression.type"


class UnitProblem(ExpressionError):
    """Units that are unknown, missing, or measure different things."""

    code = "expression.unit"


class TooLarge(ExpressionError):
    """An expression too long, too deep, or whose numbers could leave the range that every target computes alike."""

    code = "expression.size"
