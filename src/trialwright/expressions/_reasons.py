"""Why a value is unknown, quickly: only the parts that are unknown themselves are looked into.

The same answer as the plain evaluator gives with every value on the way; tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Callable

from trialwright.expressions._closures import closure
from trialwright.expressions._meaning import Arithmetic, Fixed, Input, Meaning, parts
from trialwright.expressions.values import Obstacle, Reason, Row

Why = Callable[[Row], tuple[Reason, ...]]


def reasons_of(meaning: Meaning) -> Why:
    """The function that says why a tree is unknown on a row where it is; built when it is first asked."""
    built: list[Why] = []

    def why(row: Row) -> tuple[Reason, ...]:
        if not built:
            built.append(_of_open_value(meaning) if meaning.spread else _why(meaning))
        return tuple(dict.fromkeys(built[0](row)))

    return why


def _of_open_value(node: Meaning) -> Why:
    """At the top of an expression a value may also be unknown because its spread is still open."""
    decide, missing, open_dates = closure(node), _why(node), _partial_dates(node)
    return lambda row: missing(row) if decide(row.cells) is None else open_dates(row)


def _why(node: Meaning) -> Why:
    if isinstance(node, Input):
        return _of_input(node)
    looked_into = [(closure(part), _why(part)) for part in parts(node) if not isinstance(part, Fixed)]
    # A spread quotient has a literal divisor that is not zero: where it is open, it is for its dates.
    if isinstance(node, Arithmetic) and not node.spread:
        otherwise = _division(node)
    else:
        otherwise = _partial_dates(node)

    def why(row: Row) -> tuple[Reason, ...]:
        found: tuple[Reason, ...] = ()
        for decide, below in looked_into:
            if decide(row.cells) is None:
                found += below(row)
        return found or otherwise(row)

    return why


def _of_input(node: Input) -> Why:
    key, partial = node.key, (Reason(node.key, Obstacle.PARTIAL_DATE),)

    def why(row: Row) -> tuple[Reason, ...]:
        reason = row.reasons.get(key)
        return partial if reason is None else (Reason(key, reason),)

    return why


def _division(node: Arithmetic) -> Why:
    reasons = tuple(Reason(key, Obstacle.DIVISION_BY_ZERO) for key in node.divisors or ("",))
    return lambda _row: reasons


def _partial_dates(node: Meaning) -> Why:
    """The partial dates below, items and literals; nothing is missing where this is asked."""
    below = _spread_leaves(node)

    def why(row: Row) -> tuple[Reason, ...]:
        open_dates = []
        for leaf in below:
            ends = row.cells[leaf.key] if isinstance(leaf, Input) else leaf.value
            if isinstance(ends, tuple) and ends[0] != ends[1]:
                about = leaf.key if isinstance(leaf, Input) else leaf.shown
                open_dates.append(Reason(about, Obstacle.PARTIAL_DATE))
        return tuple(open_dates)

    return why


def _spread_leaves(node: Meaning) -> list[Input | Fixed]:
    if isinstance(node, Input | Fixed):
        return [node] if node.spread else []
    return [leaf for part in parts(node) for leaf in _spread_leaves(part)]
