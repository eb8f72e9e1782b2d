"""Allocation lists for simulated trials: made by the study's own method, from numbers that are addressed.

Never the live list's seed or generator: these lists are made from the seed of the simulation.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from trialwright.operating_characteristics.groups import Groups
from trialwright.protocol.folder import Study
from trialwright.randomisation import Design, declare
from trialwright.randomisation.designs import Sampler

LISTS = 1024
"""Lists that simulated trials draw from."""


class AddressedDraws:
    """A :class:`~trialwright.randomisation.Draws` whose numbers follow from a seed and a name."""

    def __init__(self, seed: int, name: str) -> None:
        digest = hashlib.sha256(f"{seed}\x1f{name}".encode()).digest()
        self._generator = np.random.Philox(key=int.from_bytes(digest[:16], "little"))
        self._ready: Iterator[int] = iter(())

    def below(self, n: int) -> int:
        """An integer uniform on 0 … n − 1, by rejection."""
        if n <= 1:
            return 0
        bits = (n - 1).bit_length()
        while True:
            number = 0
            for _ in range(-(-bits // 64)):
                number = number << 64 | self._word()
            number &= (1 << bits) - 1
            if number < n:
                return number

    def fraction(self) -> float:
        """A multiple of 2^-53, uniform on [0, 1)."""
        return (self._word() >> 11) * 2.0**-53

    def _word(self) -> int:
        word = next(self._ready, None)
        if word is None:
            self._ready = iter(self._generator.random_raw(4096).tolist())
            word = next(self._ready)
        return word


def declared_design(study: Study) -> Design:
    """The randomisation design of the study, with parameters that its folder may not hold taken as usual.

    Block sizes are the first candidate of ``simulation.yaml``, else 2 and 4 times the sum of the ratio; the tolerance
    of big stick and maximal procedure is 3; Efron's probability 2/3.
    """
    units, method = dict(study.randomisation.ratio), study.randomisation.method
    whole = sum(units.values())
    candidates = study.simulation.block_size_candidates
    sizes = tuple(candidates[0]) if candidates else (2 * whole, 4 * whole)
    match method:
        case "minimisation":  # has no list; blocks keep the arms about as even (a note says so)
            return declare("random_permuted_blocks", units, sizes=(2 * whole, 4 * whole))
        case "efron":
            return declare("biased_coin", units, probability="2/3")
        case "permuted_blocks":
            return declare(method, units, size=sizes[0])
        case "random_permuted_blocks":
            different = tuple(dict.fromkeys(sizes))
            return declare(method, units, sizes=different if len(different) > 1 else (different[0], 2 * different[0]))
        case "big_stick" | "maximal_procedure":
            return declare(method, units, tolerance=3)
        case "wei_urn":
            return declare(method, units, initial=1, added=1)
        case "block_urn":
            return declare(method, units, balanced_sets=2)
        case _:
            return declare(method, units)


def strata_shares(study: Study) -> tuple[float, ...]:
    """Share of the participants in each stratum that has a list of its own: sites by their accrual, levels alike.

    One share where there is one list. A minimisation has none; the blocks that stand in for it are one list, too.
    """
    randomisation = study.randomisation
    if randomisation.method == "minimisation":
        return (1.0,)
    sites = [1.0]
    if randomisation.by_site:
        rates = {entry.site: float(entry.per_month) for entry in study.simulation.accrual}
        sites = [rates.get(site, 0.0) for site in study.sites] if rates else [1.0] * len(study.sites)
    levels = math.prod(len(stratum.levels) for stratum in randomisation.strata)
    return tuple(site / (sum(sites) * levels) for site in sites for _ in range(levels))


@lru_cache(maxsize=64)
def allocation_lists(
    design: Design, participants: int, seed: int, lists: int = LISTS, shares: tuple[float, ...] = (1.0,)
) -> Groups:
    """``lists`` lists as group numbers in the order of the design's units, shape (lists, participants).

    Args:
        design: the method.
        participants: in the order in which they come.
        seed: of the simulation.
        lists: how many.
        shares: of the strata; each stratum is allocated from a list of its own.
    """
    draws = AddressedDraws(seed, f"allocation lists {participants}")
    made = np.empty((lists, participants), dtype=np.int8)
    limits, whole = np.cumsum(shares)[:-1], sum(design.ratio)
    samplers: dict[int, Sampler] = {}  # they remember the weights that they have met

    def drawn(length: int) -> list[int]:
        if length not in samplers:
            samplers[length] = Sampler(design.walk(length))
        return list(samplers[length].sample(length, draws))

    for row in made:
        if limits.size == 0:
            row[:] = drawn(participants)
            continue
        stratum = np.searchsorted(limits, [draws.fraction() for _ in range(participants)], side="right")
        for each in np.unique(stratum):
            places = np.flatnonzero(stratum == each)
            # Some methods need a whole number of ratios: the list is longer then, and is not used up.
            length = -(-places.size // whole) * whole
            row[places] = drawn(length)[: places.size]
    return made
