"""The list methods: each says what it accepts and how it walks.

Notation: unit j has ratio w_j, W = Σ w_j; n_j counts its allocations so far, n = Σ n_j; with two units
d = n_1 - n_2.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Protocol

from trialwright.randomisation.errors import InvalidDesign, InvalidListLength
from trialwright.randomisation.walks import Choice, State, Walk

Ratio = tuple[int, ...]

# The maximal procedure keeps a table of n·(2b+1) integers of up to n bits: 50 MB at these limits.
_LONGEST_MAXIMAL_LIST, _LARGEST_MAXIMAL_TABLE = 4096, 100_000
# A fraction as text is short: an exponent could ask for a number with a billion digits.
_EXACT = re.compile(r"[0-9]{1,12}(?:/[0-9]{1,12}|\.[0-9]{1,12})?")


class Method(Protocol):
    """How a list is made. Methods are plain values: two with the same parameters are equal."""

    name: ClassVar[str]

    def check_ratio(self, ratio: Ratio) -> None:
        """Raise :class:`InvalidDesign` when the method cannot serve these ratios."""
        ...

    def check_length(self, ratio: Ratio, n: int) -> None:
        """Raise :class:`InvalidListLength` when no list of ``n`` allocations exists."""
        ...

    def walk(self, ratio: Ratio, n: int) -> Walk:
        """The walk that makes lists of ``n`` allocations."""
        ...


@dataclass(frozen=True)
class Complete:
    """Complete (simple) randomisation: unit j with probability w_j / W, whatever went before."""

    name: ClassVar[str] = "complete"

    def check_ratio(self, ratio: Ratio) -> None:
        """Any ratio will do."""

    def check_length(self, ratio: Ratio, n: int) -> None:
        """Any length will do."""

    def walk(self, ratio: Ratio, n: int) -> Walk:
        always = tuple(Choice(weight, unit, ()) for unit, weight in enumerate(ratio))
        return Walk((), lambda _: always)


@dataclass(frozen=True)
class RandomAllocationRule:
    """Random allocation rule: all orders of a list with exactly the declared ratio are equally likely.

    Source: Rosenberger and Lachin, Randomization in Clinical Trials (2nd ed. 2016), section 3.3.
    """

    name: ClassVar[str] = "random_allocation_rule"

    def check_ratio(self, ratio: Ratio) -> None:
        """Any ratio will do."""

    def check_length(self, ratio: Ratio, n: int) -> None:
        _check_multiple(self.name, ratio, n)

    def walk(self, ratio: Ratio, n: int) -> Walk:
        return Walk(_block(ratio, n), _draw_without_replacement)


@dataclass(frozen=True)
class PermutedBlocks:
    """Permuted blocks of one size; a list that ends inside a block is cut there.

    Args:
        size: allocations in a block, a multiple of W.
    """

    name: ClassVar[str] = "permuted_blocks"
    size: int

    def __post_init__(self) -> None:
        _check_positive(self.name, "size", self.size)

    def check_ratio(self, ratio: Ratio) -> None:
        _check_block_size(self.name, ratio, self.size)

    def check_length(self, ratio: Ratio, n: int) -> None:
        """Any length will do."""

    def walk(self, ratio: Ratio, n: int) -> Walk:
        fresh = _block(ratio, self.size)

        def choices(state: Any) -> tuple[Choice, ...]:
            return _draw_without_replacement(state if any(state) else fresh)

        return Walk(fresh, choices)


@dataclass(frozen=True)
class RandomPermutedBlocks:
    """Permuted blocks whose size is drawn afresh for each block, all sizes equally likely.

    The first place of a block falls to unit j with probability w_j / W whatever the size, so size and first
    allocation are one draw: choices ordered by size, then by unit.

    Args:
        sizes: at least two different sizes, each a multiple of W.
    """

    name: ClassVar[str] = "random_permuted_blocks"
    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        given = self.sizes if isinstance(self.sizes, tuple) else ()
        for size in given:
            _check_positive(self.name, "size", size)
        if len(given) < 2 or len(set(given)) != len(given):
            raise InvalidDesign(
                f"{self.name} was given the block sizes {self.sizes}",
                remedy="give two or more different sizes, or use permuted_blocks for a single one",
                sizes=str(self.sizes),
            )

    def check_ratio(self, ratio: Ratio) -> None:
        for size in self.sizes:
            _check_block_size(self.name, ratio, size)

    def check_length(self, ratio: Ratio, n: int) -> None:
        """Any length will do."""

    def walk(self, ratio: Ratio, n: int) -> Walk:
        opening = tuple(
            Choice(weight, unit, _less(_block(ratio, size), unit))
            for size in self.sizes
            for unit, weight in enumerate(ratio)
        )

        def choices(state: Any) -> tuple[Choice, ...]:
            return _draw_without_replacement(state) if any(state) else opening

        return Walk((0,) * len(ratio), choices)


@dataclass(frozen=True)
class BigStick:
    """Big stick: a fair coin until |d| reaches the tolerance, then the lagging unit for certain.

    Source: Soares and Wu, Communications in Statistics 12 (1983) 2017-2034.

    Args:
        tolerance: the largest imbalance allowed, ≥ 1.
    """

    name: ClassVar[str] = "big_stick"
    tolerance: int

    def __post_init__(self) -> None:
        _check_positive(self.name, "tolerance", self.tolerance)

    def check_ratio(self, ratio: Ratio) -> None:
        _check_two_equal(self.name, ratio)

    def check_length(self, ratio: Ratio, n: int) -> None:
        """Any length will do."""

    def walk(self, ratio: Ratio, n: int) -> Walk:
        def choices(d: Any) -> tuple[Choice, ...]:
            return _two(int(d < self.tolerance), int(d > -self.tolerance), d)

        return Walk(0, choices)


@dataclass(frozen=True)
class MaximalProcedure:
    """Maximal procedure: uniform over all lists with |d| ≤ tolerance throughout.

    The next unit is drawn in proportion to the number of admissible completions, counted exactly.

    Source: Berger, Ivanova and Knoll, Statistics in Medicine 22 (2003) 3017-3028.

    Args:
        tolerance: the largest imbalance allowed, ≥ 1.
        balanced_end: admit only lists that also end with d = 0. More predictable: at n = 18 and tolerance 3
            a convergence guess is right in 64.5 % instead of 60.9 %.
    """

    name: ClassVar[str] = "maximal_procedure"
    tolerance: int
    balanced_end: bool = False

    def __post_init__(self) -> None:
        _check_positive(self.name, "tolerance", self.tolerance)
        if not isinstance(self.balanced_end, bool):
            raise InvalidDesign(
                f"{self.name} was given balanced_end = {self.balanced_end!r}",
                remedy="give balanced_end as true or false",
                balanced_end=str(self.balanced_end),
            )

    def check_ratio(self, ratio: Ratio) -> None:
        _check_two_equal(self.name, ratio)

    def check_length(self, ratio: Ratio, n: int) -> None:
        if self.balanced_end:
            _check_multiple(self.name, ratio, n)
        if n > _LONGEST_MAXIMAL_LIST or n * (2 * min(self.tolerance, n) + 1) > _LARGEST_MAXIMAL_TABLE:
            raise InvalidListLength(
                f"{self.name} was asked for a list of {n} with the tolerance {self.tolerance}",
                remedy=f"ask for at most {_LONGEST_MAXIMAL_LIST}, with a smaller tolerance, or stratify",
                n=n,
                tolerance=self.tolerance,
            )

    def walk(self, ratio: Ratio, n: int) -> Walk:
        completions = self._completions(n)

        def choices(state: Any) -> tuple[Choice, ...]:
            left, d = state
            ways = completions[left - 1]
            return (
                Choice(ways.get(d + 1, 0), 0, (left - 1, d + 1)),
                Choice(ways.get(d - 1, 0), 1, (left - 1, d - 1)),
            )

        return Walk((n, 0), choices)

    def _completions(self, n: int) -> list[dict[int, int]]:
        """``[left][d]``: the number of admissible ways to go on from imbalance ``d`` for ``left`` allocations."""
        reach = min(self.tolerance, n)
        band = range(-reach, reach + 1)
        table = [{d: int(d == 0 or not self.balanced_end) for d in band}]
        for _ in range(n - 1):
            before = table[-1]
            table.append({d: before.get(d + 1, 0) + before.get(d - 1, 0) for d in band})
        return table


@dataclass(frozen=True)
class BiasedCoin:
    """Efron's biased coin: the lagging unit with probability p, a fair coin when d = 0.

    Source: Efron, Biometrika 58 (1971) 403-417.

    Args:
        probability: p, 1/2 ≤ p ≤ 1, exact (a Fraction, or text such as ``"2/3"``).
    """

    name: ClassVar[str] = "biased_coin"
    probability: Fraction

    def __post_init__(self) -> None:
        p = exact_fraction(self.probability, of=f"the probability of {self.name}")
        if not Fraction(1, 2) <= p <= 1:
            raise InvalidDesign(
                f"{self.name} was given the probability {p}",
                remedy="give a probability from 1/2 to 1 for the unit that lags behind (Efron: 2/3)",
                probability=str(p),
            )
        object.__setattr__(self, "probability", p)

    def check_ratio(self, ratio: Ratio) -> None:
        _check_two_equal(self.name, ratio)

    def check_length(self, ratio: Ratio, n: int) -> None:
        """Any length will do."""

    def walk(self, ratio: Ratio, n: int) -> Walk:
        likely = self.probability.numerator
        unlikely = self.probability.denominator - likely

        def choices(d: Any) -> tuple[Choice, ...]:
            if d == 0:
                return _two(1, 1, d)
            return _two(likely, unlikely, d) if d < 0 else _two(unlikely, likely, d)

        return Walk(0, choices)


@dataclass(frozen=True)
class WeiUrn:
    """Wei's urn: ``initial`` balls of each unit; each allocation adds ``added`` balls of every other unit.

    The ball drawn is put back, so unit j has weight initial + added·(n - n_j). With ``initial`` = 0 the first
    allocation is a fair draw.

    Source: Wei, Journal of the American Statistical Association 73 (1978) 559-563.
    """

    name: ClassVar[str] = "wei_urn"
    initial: int
    added: int

    def __post_init__(self) -> None:
        _check_positive(self.name, "added", self.added)
        if isinstance(self.initial, bool) or not isinstance(self.initial, int) or self.initial < 0:
            raise InvalidDesign(
                f"{self.name} was given {self.initial!r} initial balls",
                remedy="give a whole number of balls, 0 or more",
                initial=str(self.initial),
            )

    def check_ratio(self, ratio: Ratio) -> None:
        if len(set(ratio)) > 1:
            raise InvalidDesign(
                f"{self.name} was given the ratio {_shown(ratio)}",
                remedy="use equal ratios, or a method that keeps unequal ones (block_urn, permuted_blocks)",
                ratio=_shown(ratio),
            )

    def check_length(self, ratio: Ratio, n: int) -> None:
        """Any length will do."""

    def walk(self, ratio: Ratio, n: int) -> Walk:
        def choices(counts: Any) -> tuple[Choice, ...]:
            total = sum(counts)
            balls = [self.initial + self.added * (total - count) for count in counts]
            if not any(balls):
                balls = [1] * len(balls)
            return tuple(Choice(ball, unit, _more(counts, unit)) for unit, ball in enumerate(balls))

        return Walk((0,) * len(ratio), choices)


@dataclass(frozen=True)
class BlockUrn:
    """Block urn: an urn of ``balanced_sets``·w_j balls; a complete balanced set drawn out is put back at once.

    Unit j has weight w_j·(λ + k) - n_j with k = min_j ⌊n_j / w_j⌋.

    Source: Zhao and Weng, Contemporary Clinical Trials 32 (2011) 953-961.

    Args:
        balanced_sets: λ ≥ 1, minimal balanced sets in the urn at the start.
    """

    name: ClassVar[str] = "block_urn"
    balanced_sets: int

    def __post_init__(self) -> None:
        _check_positive(self.name, "balanced_sets", self.balanced_sets)

    def check_ratio(self, ratio: Ratio) -> None:
        """Any ratio will do."""

    def check_length(self, ratio: Ratio, n: int) -> None:
        """Any length will do."""

    def walk(self, ratio: Ratio, n: int) -> Walk:
        # The state is n_j - w_j·k, the allocations outside complete sets: bounded, however long the list.
        def after(out: tuple[int, ...], unit: int) -> State:
            drawn = _more(out, unit)
            complete = all(count >= w for count, w in zip(drawn, ratio, strict=True))
            return tuple(c - w for c, w in zip(drawn, ratio, strict=True)) if complete else drawn

        def choices(out: Any) -> tuple[Choice, ...]:
            return tuple(
                Choice(w * self.balanced_sets - out[unit], unit, after(out, unit)) for unit, w in enumerate(ratio)
            )

        return Walk((0,) * len(ratio), choices)


METHODS: dict[str, type[Any]] = {
    method.name: method
    for method in (
        BiasedCoin,
        BigStick,
        BlockUrn,
        Complete,
        MaximalProcedure,
        PermutedBlocks,
        RandomAllocationRule,
        RandomPermutedBlocks,
        WeiUrn,
    )
}


def exact_fraction(value: object, *, of: str) -> Fraction:
    """``value`` (Fraction, int or text such as ``"2/3"`` or ``"0.8"``) as an exact fraction.

    Raises:
        InvalidDesign: anything else; a float is refused because 0.8 is not four fifths in binary.
    """
    if isinstance(value, Fraction | int) and not isinstance(value, bool):
        return Fraction(value)
    if isinstance(value, str) and _EXACT.fullmatch(value):
        with suppress(ZeroDivisionError):
            return Fraction(value)
    raise InvalidDesign(
        f"{repr(value)[:80]} was given as {of}",
        remedy='give an exact number: a fraction or a decimal as text, for example "4/5" or "0.8"',
        given=repr(value)[:80],
    )


def _block(ratio: Ratio, size: int) -> tuple[int, ...]:
    return tuple(w * size // sum(ratio) for w in ratio)


def _draw_without_replacement(remaining: Any) -> tuple[Choice, ...]:
    return tuple(Choice(count, unit, _less(remaining, unit)) for unit, count in enumerate(remaining) if count)


def _two(first: int, second: int, d: int) -> tuple[Choice, ...]:
    return Choice(first, 0, d + 1), Choice(second, 1, d - 1)


def _more(counts: Sequence[int], unit: int) -> tuple[int, ...]:
    return (*counts[:unit], counts[unit] + 1, *counts[unit + 1 :])


def _less(counts: Sequence[int], unit: int) -> tuple[int, ...]:
    return (*counts[:unit], counts[unit] - 1, *counts[unit + 1 :])


def _check_positive(method: str, name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidDesign(
            f"{method} was given {name} = {value!r}",
            remedy=f"give {name} as a whole number, 1 or more",
            method=method,
            parameter=name,
        )


def _check_block_size(method: str, ratio: Ratio, size: int) -> None:
    if size % sum(ratio):
        raise InvalidDesign(
            f"{method} was given blocks of {size} for the ratio {_shown(ratio)}",
            remedy=f"use a block size that is a multiple of {sum(ratio)}",
            size=size,
            ratio=_shown(ratio),
        )


def _check_two_equal(method: str, ratio: Ratio) -> None:
    if len(ratio) != 2 or ratio[0] != ratio[1]:
        raise InvalidDesign(
            f"{method} was given the ratio {_shown(ratio)}",
            remedy="use it for two units 1:1, or choose block_urn or permuted_blocks",
            method=method,
            ratio=_shown(ratio),
        )


def _check_multiple(method: str, ratio: Ratio, n: int) -> None:
    if n % sum(ratio):
        raise InvalidListLength(
            f"{method} cannot divide {n} allocations {_shown(ratio)}",
            remedy=f"ask for a length that is a multiple of {sum(ratio)}",
            n=n,
            ratio=_shown(ratio),
        )


def _shown(ratio: Ratio) -> str:
    return ":".join(map(str, ratio))
