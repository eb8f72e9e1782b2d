"""The allocation procedure of a study, drawn anew: for tests that ask how unusual a difference is among its lists."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from itertools import count

from trialwright.analysis.errors import PlanCannotRun
from trialwright.protocol import Study
from trialwright.randomisation import Design, declare, generate

ASSUMED = "Block sizes and tolerances are the usual ones; the sealed specification was not given."


class NumberedDraws:
    """A stream of uniform numbers that follows from a name: the same list for the same draw on any machine."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._blocks = (hashlib.sha256(f"{name}/{n}".encode()).digest() for n in count())

    def below(self, n: int) -> int:
        """An integer uniform on 0 … n − 1, by rejection."""
        if n <= 1:
            return 0
        room = 1 << 256
        while True:
            number = int.from_bytes(next(self._blocks), "big")
            if number < room - room % n:
                return number % n

    def fraction(self) -> float:
        """A multiple of 2^-53, uniform on [0, 1)."""
        return (int.from_bytes(next(self._blocks), "big") >> 203) * 2.0**-53


def usual_design(study: Study) -> Design:
    """The study's method with parameters that its folder may not hold taken as usual.

    Raises:
        PlanCannotRun: minimisation, whose draws depend on the participants and not on a list.
    """
    randomisation = study.randomisation
    units, whole = dict(randomisation.ratio), sum(randomisation.ratio.values())
    candidates = study.simulation.block_size_candidates
    sizes = tuple(candidates[0]) if candidates else (2 * whole, 4 * whole)
    match randomisation.method:
        case "minimisation":
            raise PlanCannotRun(
                "a minimisation cannot be replayed from a list",
                remedy="give the sealed draws after unblinding, or plan another test",
            )
        case "efron":
            return declare("biased_coin", units, probability="2/3")
        case "permuted_blocks":
            return declare("permuted_blocks", units, size=sizes[0])
        case "random_permuted_blocks":
            different = tuple(dict.fromkeys(sizes))
            return declare(
                "random_permuted_blocks", units, sizes=different if len(different) > 1 else (sizes[0], 2 * sizes[0])
            )
        case "big_stick" | "maximal_procedure":
            return declare(randomisation.method, units, tolerance=3)
        case "wei_urn":
            return declare("wei_urn", units, initial=1, added=1)
        case "block_urn":
            return declare("block_urn", units, balanced_sets=2)
        case _:
            return declare(randomisation.method, units)


def replay_of(
    design: Design, strata: Sequence[str], arm_of: Callable[[str], str]
) -> Callable[[int], tuple[str, ...]]:
    """Number of a draw → the arms that the procedure would give.

    Args:
        design: the method.
        strata: of the participants in order of entry; each stratum has a list of its own.
        arm_of: allocated unit (arm or sequence) → the arm that is compared.
    """
    lengths = {stratum: strata.count(stratum) for stratum in dict.fromkeys(strata)}
    whole = sum(design.ratio)

    def replay(number: int) -> tuple[str, ...]:
        lists = {}
        for stratum, length in lengths.items():
            # Some methods need a whole number of ratios: the list is longer then, and is not used up.
            drawn = generate(design, -(-length // whole) * whole, NumberedDraws(f"replay/{stratum}/{number}"))
            lists[stratum] = iter(drawn)
        return tuple(arm_of(next(lists[stratum])) for stratum in strata)

    return replay
