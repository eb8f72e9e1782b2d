"""Symbol Digit Modalities Test: number of correct substitutions in 90 seconds.

Source: A. Smith, Symbol Digit Modalities Test, 1982; 110 items. The stimulus sheet is licensed and not here.
"""

from __future__ import annotations

from trialwright.instruments.exact import Number, grade

HIGHEST = 110


def score(correct: Number) -> int:
    """The number of correct answers, 0–110, checked.

    Raises:
        InvalidValue: outside 0–110, or not whole.
    """
    return grade(correct, 0, HIGHEST, name="correct")
