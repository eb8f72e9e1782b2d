"""Expanded Disability Status Scale: the step that functional systems and ambulation imply.

Source: J. F. Kurtzke, Neurology 1983;33:1444–1452 (the scale, public domain), with the conversions and the
scoring table in common use (L. Kappos; D'Souza et al., Mult Scler 2017;23:597–603) stated here in own words.

The rater's step is the record. This function is a check beside it: disagreement raises a query, and never
replaces what the rater wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from trialwright.foundation.errors import InvalidValue
from trialwright.instruments.exact import Number, grade

_VISUAL = (0, 1, 2, 2, 3, 3, 4)
_BOWEL_BLADDER = (0, 1, 2, 3, 3, 4, 5)
_HIGHEST = {
    "visual": 6,
    "brainstem": 5,
    "pyramidal": 6,
    "cerebellar": 5,
    "sensory": 6,
    "bowel_bladder": 6,
    "cerebral": 5,
}
# Tenths of an EDSS step by ambulation score, from 3 on: below that the functional systems decide.
_AMBULATION = {
    "neurostatus16": (50, 55, 60, 60, 60, 65, 65, 70, 75, 80, 85, 90, 95, 100),
    "kurtzke12": (50, 55, 60, 65, 70, 75, 80, 85, 90, 95),
}

STEPS = tuple(Decimal(tenths) / 10 for tenths in (0, *range(10, 101, 5)))
"""The legal values: 0, 1.0, 1.5 … 10.0. There is no 0.5."""


def score(
    *,
    visual: Number,
    brainstem: Number,
    pyramidal: Number,
    cerebellar: Number,
    sensory: Number,
    bowel_bladder: Number,
    cerebral: Number,
    ambulation: Number,
    scale: str = "neurostatus16",
) -> Decimal:
    """The EDSS step that follows from seven functional systems and ambulation.

    Args:
        visual, pyramidal, sensory, bowel_bladder: raw grades 0–6, as rated (visual and bowel/bladder are
            converted here, never by the caller).
        brainstem, cerebellar, cerebral: raw grades 0–5.
        ambulation: 0–16 or 0–12, as ``scale`` says.
        scale: ``neurostatus16``, or ``kurtzke12`` where 5 stands for 5–7 of the longer scale and 6 for 8–9.

    Returns:
        One of :data:`STEPS`.

    Raises:
        InvalidValue: a grade out of range or not whole, or an unknown scale.
    """
    raw = {
        "visual": visual,
        "brainstem": brainstem,
        "pyramidal": pyramidal,
        "cerebellar": cerebellar,
        "sensory": sensory,
        "bowel_bladder": bowel_bladder,
        "cerebral": cerebral,
    }
    grades = {name: grade(value, 0, _HIGHEST[name], name=name) for name, value in raw.items()}
    grades["visual"] = _VISUAL[grades["visual"]]
    grades["bowel_bladder"] = _BOWEL_BLADDER[grades["bowel_bladder"]]
    if scale not in _AMBULATION:
        raise InvalidValue(
            f"unknown ambulation scale {scale[:40]!r}",
            remedy="use neurostatus16 or kurtzke12",
            given=scale[:40],
        )
    walks = grade(ambulation, 0, len(_AMBULATION[scale]) + 2, name="ambulation")
    tenths = _AMBULATION[scale][walks - 3] if walks >= 3 else _by_systems(list(grades.values()), walks)
    return Decimal(tenths) / 10


def is_step(value: Number) -> bool:
    """Whether ``value`` is a legal EDSS step."""
    try:
        return Decimal(str(value)) in STEPS
    except ArithmeticError:
        return False


def _by_systems(grades: Sequence[int], ambulation: int) -> int:
    """Tenths of a step for ambulation 0–2, from the converted grades.

    ``highest`` is their maximum, ``count`` how many have it, ``next_`` the second highest value.
    """
    highest = max(grades)
    count = grades.count(highest)
    next_ = max((g for g in grades if g < highest), default=0)
    at_next = grades.count(next_) if count < len(grades) else 0

    if highest >= 5 or (highest == 4 and count >= 2):
        return 50
    if highest == 4:
        if next_ == 3 and at_next >= 3:
            return 50
        return 45 if next_ >= 2 or ambulation == 2 else 40
    if highest == 3 and count >= 6:
        return 50
    if ambulation == 2:
        return 45
    if highest == 3:
        return _highest_three(count, next_, at_next)
    if highest == 2:
        return {1: 20, 2: 25, 3: 30, 4: 30, 5: 35}.get(count, 40)
    if ambulation == 1:
        return 20
    return 0 if highest == 0 else (15 if count >= 2 else 10)


def _highest_three(count: int, next_: int, at_next: int) -> int:
    if count == 5:
        return 45
    if count >= 2:
        return 35 if count == 2 and next_ <= 1 else 40
    if next_ == 2:
        return 40 if at_next >= 3 else 35
    return 30
