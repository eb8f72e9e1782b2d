"""What a study declares about its list, and the list made from it."""

from __future__ import annotations

import inspect
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import accumulate
from math import gcd

from trialwright.randomisation.draws import Draws
from trialwright.randomisation.errors import InvalidDesign, InvalidListLength
from trialwright.randomisation.methods import METHODS, Method, Ratio
from trialwright.randomisation.walks import Choice, State, Walk

# Longer lists are a slip of the pen; a study that needs them stratifies.
_LONGEST_LIST = 100_000


@dataclass(frozen=True)
class Design:
    """A list method and the units (arms or sequences) that it allocates.

    Args:
        method: one of the methods of this package.
        units: labels in the order of the study file; the order decides what a given stream of draws yields.
        ratio: whole numbers ≥ 1, one a unit; reduced to lowest terms.

    Raises:
        InvalidDesign: fewer than two units, a label twice or empty, a ratio below 1, or a method that cannot
            serve them.
    """

    method: Method
    units: tuple[str, ...]
    ratio: Ratio

    def __post_init__(self) -> None:
        object.__setattr__(self, "ratio", checked_ratio(self.units, self.ratio))
        self.method.check_ratio(self.ratio)

    def walk(self, n: int) -> Walk:
        """The method's walk over lists of ``n`` allocations.

        Raises:
            InvalidListLength: ``n`` is below 1, above 100,000, or not a length the method can make.
        """
        if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= _LONGEST_LIST:
            raise InvalidListLength(
                f"a list of {n} allocations was asked for",
                remedy=f"ask for a whole number from 1 to {_LONGEST_LIST}",
                n=str(n),
            )
        self.method.check_length(self.ratio, n)
        return self.method.walk(self.ratio, n)


def declare(method: str, units: Mapping[str, int], **parameters: object) -> Design:
    """A design from plain values, as they stand in a study file.

    Args:
        method: ``complete``, ``random_allocation_rule``, ``permuted_blocks`` (``size``),
            ``random_permuted_blocks`` (``sizes``), ``big_stick`` (``tolerance``), ``maximal_procedure``
            (``tolerance``, optionally ``balanced_end``), ``biased_coin`` (``probability``),
            ``wei_urn`` (``initial``, ``added``) or ``block_urn`` (``balanced_sets``).
        units: label → ratio, in the order that counts.
        parameters: those named above for the method; lists may stand for tuples.

    Raises:
        InvalidDesign: unknown method, a parameter missing or unknown, or a value the method refuses.
    """
    if method not in METHODS:
        near = get_close_matches(method, METHODS, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InvalidDesign(
            f"{method!r} is not a randomisation method",
            remedy=f"{hint}methods: {', '.join(METHODS)}",
            method=method,
        )
    known = inspect.signature(METHODS[method]).parameters
    needed = {name for name, parameter in known.items() if parameter.default is parameter.empty}
    if not needed <= set(parameters) <= set(known):
        optional = sorted(set(known) - needed)
        raise InvalidDesign(
            f"{method} was given the parameters {sorted(parameters)}",
            remedy=f"give {', '.join(sorted(needed)) or 'none'}"
            + (f"; {', '.join(optional)} may be added" if optional else ""),
            method=method,
        )
    plain = {name: tuple(v) if isinstance(v, list) else v for name, v in parameters.items()}
    return Design(METHODS[method](**plain), tuple(units), tuple(units.values()))


def generate(design: Design, n: int, draws: Draws) -> tuple[str, ...]:
    """A list of ``n`` allocations: the label for each position.

    At each position the choices of the walk are weighed, ``draws.below(total weight)`` is drawn, and the
    first choice whose cumulated weight exceeds the number is taken. Nothing else consumes draws.

    Raises:
        InvalidListLength: see :meth:`Design.walk`.
    """
    return tuple(design.units[unit] for unit in Sampler(design.walk(n)).sample(n, draws))


def generate_stratified(
    design: Design, lengths: Mapping[str, int], draws_for: Callable[[str], Draws]
) -> dict[str, tuple[str, ...]]:
    """One list of the same design in each stratum, independent of the others.

    Args:
        design: used in every stratum.
        lengths: stratum → allocations to prepare; the strata usually come from :func:`strata`.
        draws_for: the stream of a stratum; addressed by name, so a list does not depend on the other strata.

    Raises:
        InvalidDesign: no stratum at all.
        InvalidListLength: see :meth:`Design.walk`.
    """
    if not lengths:
        raise InvalidDesign("no stratum was given", remedy="give at least one stratum with its length")
    return {stratum: generate(design, n, draws_for(stratum)) for stratum, n in lengths.items()}


class Sampler:
    """Draws lists from one walk, keeping each state's cumulated weights for the next visit."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._seen: dict[State, tuple[list[int], tuple[Choice, ...]]] = {}

    def sample(self, n: int, draws: Draws) -> list[int]:
        """Unit indices of one list of ``n``."""
        state, units = self._walk.start, []
        for _ in range(n):
            cumulated, choices = self._seen.get(state) or self._meet(state)
            choice = choices[bisect_right(cumulated, draws.below(cumulated[-1]))]
            units.append(choice.unit)
            state = choice.then
        return units

    def _meet(self, state: State) -> tuple[list[int], tuple[Choice, ...]]:
        choices = self._walk.choices(state)
        met = list(accumulate(choice.weight for choice in choices)), choices
        self._seen[state] = met
        return met


def checked_ratio(units: tuple[str, ...], ratio: Ratio) -> Ratio:
    """The ratio in lowest terms.

    Raises:
        InvalidDesign: see :class:`Design`.
    """
    if len(units) < 2 or len(set(units)) != len(units) or not all(isinstance(u, str) and u for u in units):
        raise InvalidDesign(
            f"the units {list(units)} cannot be randomised between",
            remedy="give two or more different, non-empty labels of arms or sequences",
            units=str(units),
        )
    whole = all(isinstance(w, int) and not isinstance(w, bool) and w >= 1 for w in ratio)
    if len(ratio) != len(units) or not whole:
        raise InvalidDesign(
            f"the ratio {list(ratio)} was given for {len(units)} units",
            remedy="give one whole number, 1 or more, for each unit",
            ratio=str(ratio),
        )
    divisor = gcd(*ratio)
    return tuple(w // divisor for w in ratio)
