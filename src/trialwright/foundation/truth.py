"""Kleene's strong three-valued logic: a missing value is never a yes and never a no.

Source: S. C. Kleene, Introduction to Metamathematics (1952), section 64.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class Truth(Enum):
    """YES, NO or UNKNOWN. Has no ``bool()``: asking an unknown for a yes or no is the mistake it exists to stop."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        raise TypeError("a Truth is three-valued: compare with `is Truth.YES`")

    def __and__(self, other: Truth) -> Truth:
        if self is Truth.NO or other is Truth.NO:
            return Truth.NO
        if self is Truth.YES and other is Truth.YES:
            return Truth.YES
        return Truth.UNKNOWN

    def __or__(self, other: Truth) -> Truth:
        if self is Truth.YES or other is Truth.YES:
            return Truth.YES
        if self is Truth.NO and other is Truth.NO:
            return Truth.NO
        return Truth.UNKNOWN

    def __invert__(self) -> Truth:
        if self is Truth.UNKNOWN:
            return self
        return Truth.NO if self is Truth.YES else Truth.YES

    @classmethod
    def of(cls, value: bool | None) -> Truth:
        """``True``/``False``/``None`` as a truth value."""
        if value is None:
            return cls.UNKNOWN
        return cls.YES if value else cls.NO

    def as_bool(self) -> bool | None:
        """The inverse of :meth:`of`."""
        return None if self is Truth.UNKNOWN else self is Truth.YES


def all_of(values: Iterable[Truth]) -> Truth:
    """Conjunction; YES for nothing at all."""
    result = Truth.YES
    for value in values:
        result = result & value
    return result


def any_of(values: Iterable[Truth]) -> Truth:
    """Disjunction; NO for nothing at all."""
    result = Truth.NO
    for value in values:
        result = result | value
    return result
