"""Days that people claim: read strictly, and never later than today."""

from __future__ import annotations

from datetime import date

from trialwright.foundation.dates import local_date
from trialwright.foundation.errors import InvalidValue
from trialwright.trial.command import Context, NotYet


def iso_day(text: str, *, of: str) -> str:
    """The ISO date, if it is one.

    Args:
        text: ``YYYY-MM-DD``.
        of: what it is the day of, for the message.

    Raises:
        InvalidValue: not a full date.
    """
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise InvalidValue(
            f"the day of {of} is {text[:40]!r}", remedy="write the day as 2025-06-14", given=text[:40]
        ) from None


def past_day(text: str, context: Context, *, of: str) -> str:
    """The ISO date, if it is one and not after today at the site.

    Args:
        text: ``YYYY-MM-DD``.
        context: says what day it is.
        of: what happened then, for the message.

    Raises:
        InvalidValue: not a full date.
        NotYet: later than today.
    """
    day = iso_day(text, of=of)
    if day > context.today:
        raise NotYet(f"the day of {of}, {day}, has not come yet", remedy="correct the date", given=day)
    return day


def day_of_act(context: Context) -> str:
    """The local date at the site on which the act is said to have happened.

    Raises:
        NotYet: the claimed time lies ahead.
        InvalidValue: the claimed time is not an instant with its offset.
    """
    return local_date(context.happened, context.zone).isoformat()
