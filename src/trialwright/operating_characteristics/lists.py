"""Allocation lists for simulated trials: made by the study's own method, from numbers that are addressed.

Never the live list's seed or generator: these lists are made from the seed of the simulation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from trialwright.operating_characteristics.groups import Groups
from trialwright.protocol.folder import Study
from trialwright.randomisation import Design, declare, generate

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


@lru_cache(maxsize=64)
def allocation_lists(design: Design, participants: int, seed: int, lists: int = LISTS) -> Groups:
    """``lists`` lists as group numbers in the order of the design's units, shape (lists, participants)."""
    draws = AddressedDraws(seed, f"allocation lists {participants}")
    number = {unit: place for place, unit in enumerate(design.units)}
    made = [[number[unit] for unit in generate(design, participants, draws)] for _ in range(lists)]
    return np.array(made, dtype=np.int8)
