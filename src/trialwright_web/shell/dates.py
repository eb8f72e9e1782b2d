"""Dates as people write them in the reader's language."""

from __future__ import annotations

from datetime import date

from django.utils.formats import date_format
from django.utils.translation import get_language


def written(day: date, *, weekday: bool = False) -> str:
    """A day with its month as a word: ``15 February 2028``, ``15. februar 2028``.

    Args:
        day: a date, or an instant of which the day is meant.
        weekday: whether the day of the week stands before it.
    """
    # Norwegian ordinals have a full stop; English days of a month have none.
    form = "j F Y" if get_language() == "en" else "j. F Y"
    return date_format(day, f"l {form}" if weekday else form)
