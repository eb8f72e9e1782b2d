"""The allocation procedure of a study, drawn anew: for tests that ask how unusual a difference is among its lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trialwright.analysis.errors import PlanCannotRun
from trialwright.analysis.numbered import NumberedDraws
from trialwright.protocol import Study
from trialwright.randomisation import Design, declare, generate

ASSUMED = "Block sizes and tolerances are the usual ones; the sealed specification was not given."


def usual_design(study: Study) -> Design:
    """The study's method with parameters that its folder may not hold taken as usual.

    Raises:
        PlanCannotRun: minimisation, which has no list; :mod:`trialwright.analysis.minimising` replays it.
    """
    randomisation = study.randomisation
    units, whole = dict(randomisation.ratio), sum(randomisation.ratio.values())
    candidates = study.simulation.block_size_candidates
    sizes = tuple(candidates[0]) if candidates else (2 * whole, 4 * whole)
    match randomisation.method:
        case "minimisation":
            raise PlanCannotRun(
                "a minimisation cannot be replayed from a list",
                remedy="replay it from the participants' factors",
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
