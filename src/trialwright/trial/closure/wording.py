"""Texts, names, hashes and dates as several decisions of closure read them."""

from __future__ import annotations

import re
from datetime import date, timedelta

from trialwright.trial.closure.refusals import (
    ReasonMissing,
    TextMissing,
)
from trialwright.trial.command import Context

_NAME = re.compile(r"[a-z][a-z0-9]*(?:[_.-][a-z0-9]+)*\Z")
_HASH = re.compile(r"[0-9a-f]{64}\Z")


def words(text: str) -> str:
    """A text of 1 to 4,000 characters.

    Raises:
        TextMissing: empty or longer.
    """
    if not text.strip() or len(text) > 4000:
        raise TextMissing("the text is empty or longer than 4,000 characters", remedy="write a few sentences")
    return text


def name(text: str) -> str:
    """A short name: lower-case letters, digits, ``_ . -``.

    Raises:
        TextMissing: anything else.
    """
    if len(text) > 60 or not _NAME.match(text):
        raise TextMissing(
            f"{text[:60]!r} is not a name", remedy="use lower-case letters, digits and underscores", given=text[:60]
        )
    return text


def sha256_hex(text: str) -> str:
    """A SHA-256 as 64 hexadecimal digits.

    Raises:
        TextMissing: anything else.
    """
    if not _HASH.match(text):
        raise TextMissing(f"{text[:64]!r} is not a SHA-256 in hex", remedy="give 64 hexadecimal digits")
    return text


def in_days(day: str, days: int) -> str:
    """The ISO date so many days later."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def in_years(day: str, years: int) -> str:
    """The same day so many years later; 29 February becomes 1 March, so that nothing is kept too short."""
    start = date.fromisoformat(day)
    try:
        return start.replace(year=start.year + years).isoformat()
    except ValueError:
        return date(start.year + years, 3, 1).isoformat()


def need_reason(context: Context, what: str) -> None:
    """The envelope must say why.

    Raises:
        ReasonMissing: it does not.
    """
    if not (context.reason or "").strip():
        raise ReasonMissing(f"{what} needs a reason", remedy="say why in a few words")
