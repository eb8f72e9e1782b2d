"""The smallest number of participants with a target power over scenarios, with simulation error under control.

Power grows with n but for the steps of allocation lists, so the search doubles n until the target is reached and then
halves the interval. Every comparison with the target is decided only when the simulated power lies at least 2.6
Monte-Carlo standard errors (99 %) from it; trials are doubled until then or until the most that was allowed, and what
is still undecided then is said to be so. All n meet the same participants, so neighbouring n differ by less than
their errors suggest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import sqrt

from trialwright.operating_characteristics.errors import CannotSimulate
from trialwright.operating_characteristics.running import Plan, Workers, prepared, run
from trialwright.operating_characteristics.settings import Setting
from trialwright.operating_characteristics.streams import BLOCK
from trialwright.protocol.simulation import MOST_PARTICIPANTS

_FAR = 2.6


@dataclass(frozen=True)
class Tried:
    """One number of participants: the lowest power over the scenarios, its error, and whether that decides."""

    participants: int
    power: float
    error: float
    trials: int
    enough: bool
    decided: bool

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {
            "participants": self.participants,
            "power": (self.power, self.error),
            "trials": self.trials,
            "enough": self.enough,
            "decided": self.decided,
        }


@dataclass(frozen=True)
class Size:
    """The answer of a search.

    Attributes:
        participants: the smallest even number found with the target power; None where the most allowed is not enough.
        tried: everything that was simulated, in order of n.
    """

    participants: int | None
    tried: tuple[Tried, ...]

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {"participants": self.participants, "tried": [each.as_dict() for each in self.tried]}

    def sentence(self, target: float) -> str:
        """The answer in plain words."""
        if self.participants is None:
            most = self.tried[-1]
            return f"Even {most.participants} participants reach only {100 * most.power:.1f} % power."
        found = next(each for each in self.tried if each.participants == self.participants)
        close = "" if all(each.decided for each in self.tried) else ", as far as the simulation can tell them apart"
        return (
            f"{self.participants} participants are the fewest with {100 * target:g} % power"
            f" ({100 * found.power:.1f} ± {196 * found.error:.1f} %){close}."
        )


def sample_size(
    plan: Plan,
    model: str,
    target: float,
    workers: Workers,
    *,
    most_trials: int = 200_000,
    progress: Callable[[Tried], None] = lambda tried: None,
) -> Size:
    """Search for the smallest even number of participants.

    Args:
        plan: its settings with an effect are those that must all reach the target; their own n does not matter.
        model: id in ``analysis.yaml``.
        target: power, between alpha and 1.
        workers: who computes.
        most_trials: of one n and setting.
        progress: told of every n that was simulated.

    Raises:
        CannotSimulate: a target that is no power, no effect anywhere, or a model that cannot be simulated.
    """
    if not 0.05 < target < 1:
        raise CannotSimulate(f"a target power of {target:g}", remedy="give a power above 0.05 and below 1")
    # The fewest participants are tried, which are too few for looks; the power is that of the whole trial.
    asked = tuple(replace(setting, models=(model,), looks=False) for setting in plan.settings)
    # Where there is nothing to find, no number of participants finds it.
    effective = tuple(s for s in asked if prepared(plan.canonical, s, plan.seed)[0][0].truth != 0)
    if not effective:
        raise CannotSimulate(f"no scenario has an effect on {model}", remedy="name one that has")
    tried: dict[int, Tried] = {}

    def enough(pairs: int) -> bool:
        if pairs not in tried:
            tried[pairs] = _try(plan, effective, model, 2 * pairs, target, workers, most_trials)
            progress(tried[pairs])
        return tried[pairs].enough

    low, high = 2, 4  # pairs of participants; a t-test needs a few
    while not enough(high):
        if high >= MOST_PARTICIPANTS // 2:
            return Size(None, _ordered(tried))
        low, high = high, min(2 * high, MOST_PARTICIPANTS // 2)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return Size(2 * high, _ordered(tried))


def _try(
    plan: Plan,
    settings: tuple[Setting, ...],
    model: str,
    participants: int,
    target: float,
    workers: Workers,
    most: int,
) -> Tried:
    moved = tuple(replace(setting, participants=participants) for setting in settings)
    trials = BLOCK
    while True:
        results = run(Plan(plan.canonical, moved, (trials,) * len(moved), plan.seed, plan.compiled), workers)
        power = min(sums[model]["significant"] / sums[model]["trials"] for sums in results)
        # The error at the target: a simulated power of 1 has no error of its own.
        error = sqrt(max(power * (1 - power), target * (1 - target)) / trials)
        decided = abs(power - target) >= _FAR * error
        if decided or trials * 2 > most:
            return Tried(participants, power, sqrt(power * (1 - power) / trials), trials, power >= target, decided)
        trials *= 2


def _ordered(tried: dict[int, Tried]) -> tuple[Tried, ...]:
    return tuple(tried[pairs] for pairs in sorted(tried))
