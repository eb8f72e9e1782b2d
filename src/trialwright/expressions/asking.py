"""Which question to ask next: the one that can decide most for the least, kind questions before burdensome ones.

For each undecided criterion and each unanswered question, the least total cost of answers, that question among
them, which could settle the criterion is found from the shape of the criterion: a conjunction is refuted by its
cheapest part and proved by all, a disjunction the other way about. A question's worth is the sum of the inverses of
these costs over the criteria. What was refused, is pending or cannot be known is not asked again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from trialwright.expressions._evaluation import Evaluated, evaluate
from trialwright.expressions._meaning import Every, Input, Negation, Some
from trialwright.expressions.python import Compiled
from trialwright.expressions.syntax import Reference
from trialwright.expressions.values import Row
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.missing import MissingReason

_WORTH_ASKING = {MissingReason.NOT_ASKED, MissingReason.NOT_DONE, MissingReason.UNKNOWN}
_NEVER = math.inf


class _Price(NamedTuple):
    """The least cost of the answers that could make a condition yes, and no."""

    yes: float
    no: float


class _Prices(NamedTuple):
    """For a condition as a whole, and when one given question must be among those asked."""

    least: _Price
    with_question: dict[str, _Price]


def ask_next(criteria: Sequence[Compiled], row: Row, costs: Mapping[str, float] | None = None) -> Reference | None:
    """The reference to ask for next, or None when nothing needs to be or can be asked.

    Nothing needs to be asked when all criteria are decided, or one of them is *no*: all must be fulfilled.

    Args:
        criteria: conditions that must all be yes (state an exclusion as its negation).
        row: what is known so far, see :func:`admit`.
        costs: for a reference key, the cost of asking: a simple question 1 (as for keys not given), a blood sample
            perhaps 10, a lumbar puncture 100.

    Raises:
        InvalidValue: a cost that is not more than zero.
    """
    _refuse_free_questions(costs or {})
    worth: dict[str, float] = {}
    asked: dict[str, Reference] = {}
    for compiled in criteria:
        verdict = compiled.decide(row.cells)
        if verdict is False:
            return None
        if verdict is None:
            evaluated = evaluate(compiled.meaning, row)
            asked.update(_questions(evaluated, asked))
            for key, price in _prices(evaluated, costs or {}).with_question.items():
                worth[key] = worth.get(key, 0.0) + 1 / min(price)
    if not worth:
        return None
    # max keeps the first of equals: the order in which the criteria are written.
    best = max(worth, key=lambda key: worth[key])
    return asked[best] if worth[best] > 0 else None


def _refuse_free_questions(costs: Mapping[str, float]) -> None:
    for key, cost in costs.items():
        if not cost > 0:
            raise InvalidValue(
                f"the cost of asking for {key} is {cost}", remedy="give a number above zero", reference=key
            )


def _questions(evaluated: Evaluated, known: Mapping[str, Reference]) -> dict[str, Reference]:
    found: dict[str, Reference] = {}
    if isinstance(evaluated.node, Input) and evaluated.value is None and evaluated.node.key not in known:
        found[evaluated.node.key] = evaluated.node.reference
    for part in evaluated.below:
        found.update(_questions(part, known))
    return found


def _prices(evaluated: Evaluated, costs: Mapping[str, float]) -> _Prices:
    if evaluated.value is not None:
        return _Prices(_Price(0.0, _NEVER) if evaluated.value else _Price(_NEVER, 0.0), {})
    match evaluated.node:
        case Negation():
            inner = _prices(evaluated.below[0], costs)
            swapped = {key: _swap(price) for key, price in inner.with_question.items()}
            return _Prices(_swap(inner.least), swapped)
        case Some():
            return _disjunction([_prices(part, costs) for part in evaluated.below])
        case Every():
            # A conjunction is the negation of the disjunction of negations.
            inner = _disjunction([_swapped(_prices(part, costs)) for part in evaluated.below])
            return _swapped(inner)
        case _:
            return _leaf(evaluated, costs)


def _disjunction(below: Sequence[_Prices]) -> _Prices:
    """One yes is enough, a no takes them all."""
    all_no = sum(part.least.no for part in below)
    with_question: dict[str, _Price] = {}
    for position, part in enumerate(below):
        others = sum(other.least.no for place, other in enumerate(below) if place != position)
        for key, price in part.with_question.items():
            before = with_question.get(key, _Price(_NEVER, _NEVER))
            with_question[key] = _Price(min(before.yes, price.yes), min(before.no, price.no + others))
    return _Prices(_Price(min(part.least.yes for part in below), all_no), with_question)


def _leaf(evaluated: Evaluated, costs: Mapping[str, float]) -> _Prices:
    """A comparison or the like: decided once all its unknown values are there, either way."""
    reasons = {reason.about: reason.why for reason in evaluated.reasons}
    if not all(why in _WORTH_ASKING for why in reasons.values()):
        return _Prices(_Price(_NEVER, _NEVER), {})
    total = sum(costs.get(key, 1.0) for key in reasons)
    price = _Price(total, total)
    return _Prices(price, dict.fromkeys(reasons, price))


def _swap(price: _Price) -> _Price:
    return _Price(price.no, price.yes)


def _swapped(prices: _Prices) -> _Prices:
    return _Prices(_swap(prices.least), {key: _swap(price) for key, price in prices.with_question.items()})
