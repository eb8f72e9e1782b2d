"""What can be wrong with what a reader gives."""

from __future__ import annotations

from trialwright.foundation.errors import InvalidValue


class AnswerNotUnderstood(InvalidValue):
    """An answer of the pre-screener that is none: not a number, not one of the choices, an unknown question."""

    code = "finder.answer_not_understood"


class SearchNotUnderstood(InvalidValue):
    """A search for what no trial can be: an age that is no age, a status or phase that does not exist."""

    code = "finder.search_not_understood"
