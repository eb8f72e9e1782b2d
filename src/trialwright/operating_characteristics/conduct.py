"""How the trial goes in a setting: months until the last randomised and the last visit, products and slots.

People come to each site at its rate (independent Poisson processes), so to all sites together at the sum of the
rates. Taking away the share ``screen_failure`` leaves a Poisson process of those who are randomised: the n-th of them
comes after a sum of n exponential times. A product that fails is tried again as often as the study allows; each
attempt takes a place in the laboratory for the days of manufacture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trialwright.operating_characteristics.estimates import Flags
from trialwright.operating_characteristics.settings import Setting
from trialwright.operating_characteristics.streams import BLOCK, Streams
from trialwright.operating_characteristics.tallies import tally_numbers
from trialwright.operating_characteristics.timing import DAYS_A_MONTH, timing
from trialwright.protocol.custody import Custody
from trialwright.protocol.folder import Study
from trialwright.statistics.arrays import Array


@dataclass(frozen=True)
class Conduct:
    """What decides how long the trial takes and how often product lacks.

    Attributes:
        participants: n.
        per_month: people randomised a month, all sites together; 0 where no accrual is declared.
        follow_up: months from the first encounter of a participant to the last.
        collections: months from the first encounter to each collection of a participant; none without custody.
        failure: probability that one attempt to make a product fails.
        attempts: how often it is tried for one slot.
        places: how many products the laboratory can make at the same time; None where the study does not say.
        months: how long one attempt takes a place.
    """

    participants: int
    per_month: float
    follow_up: float
    collections: tuple[float, ...]
    failure: float
    attempts: int = 1
    places: int | None = None
    months: float = 0.0

    @property
    def slot_failure(self) -> float:
        """Probability that every attempt for a slot fails."""
        return self.failure**self.attempts


def conduct(study: Study, setting: Setting) -> Conduct:
    """The conduct of the study in a setting."""
    when, custody = timing(study), study.custody
    rates = sum(float(entry.per_month) for entry in study.simulation.accrual)
    return Conduct(
        participants=setting.participants,
        per_month=setting.accrual * rates * (1.0 - float(study.simulation.screen_failure)),
        follow_up=when.last,
        collections=() if custody is None else tuple(when.months[slot.collection] for slot in custody.slots),
        failure=setting.manufacture_failure,
        attempts=1 if custody is None else attempts(custody),
        places=study.simulation.manufacture_places,
        months=0.0 if custody is None else custody.manufacture_days / DAYS_A_MONTH,
    )


def attempts(custody: Custody) -> int:
    """How often a product is tried for one slot."""
    return 1 + custody.failed_manufacture.repeat_collections


def slot_failure(custody: Custody, failure: float) -> float:
    """Probability that every attempt for a slot fails."""
    return failure ** attempts(custody)


def tally_conduct(world: Conduct, streams: Streams, trials: int) -> dict[str, float]:
    """Sums over the first ``trials`` trials of a block."""
    found: dict[str, float] = {"trials": float(trials)}
    arrivals: Array | None = None
    if world.per_month > 0:
        arrivals = np.cumsum(-np.log(streams.uniforms("accrual", world.participants)), axis=0) / world.per_month
        waiting = arrivals[-1, :trials]
        found |= tally_numbers("accrual", waiting) | tally_numbers("duration", waiting + world.follow_up)
    if not world.collections:
        return found
    # One number a slot, the same that calls its administration off: below failure^m where m attempts fail.
    draws = streams.uniforms("not given", len(world.collections) * world.participants)
    draws = draws.reshape(world.participants, len(world.collections), BLOCK)
    if world.failure > 0:
        failed = sum((draws < world.failure**m).astype(np.float64) for m in range(1, world.attempts + 1))
        lost = draws < world.slot_failure
        found |= tally_numbers("failed_products", np.asarray(failed).sum(axis=(0, 1))[:trials])
        found |= tally_numbers("cancelled_slots", lost.sum(axis=(0, 1)).astype(np.float64)[:trials])
        without = lost.any(axis=1).sum(axis=0).astype(np.float64)[:trials]
        found |= tally_numbers("without", without)
        found["some_without"] = float((without > 0).sum())
    if arrivals is not None and world.places is not None:
        found["too_few_places"] = float(_crowded(world, arrivals, draws)[:trials].sum())
    return found


def _crowded(world: Conduct, arrivals: Array, draws: Array) -> Flags:
    """Whether more products are wanted at once than the laboratory has places for, in each trial."""
    assert world.places is not None, "asked for only where places are declared"
    begins = []
    for slot, collection in enumerate(world.collections):
        for attempt in range(world.attempts):
            # A further attempt begins when the one before has failed, after its whole time.
            made = draws[:, slot] < world.failure**attempt
            begins.append(np.where(made, arrivals + collection + attempt * world.months, np.inf))
    ordered = np.sort(np.concatenate(begins), axis=0)
    if len(ordered) <= world.places:
        return np.zeros(ordered.shape[1], dtype=np.bool_)
    # A place is free for a further attempt at the moment the one before has failed: rounding must not take it.
    later, earlier = ordered[world.places :], ordered[: -world.places]
    with np.errstate(invalid="ignore"):  # ∞ − ∞: products that are never made
        return np.asarray((later - earlier < world.months * (1 - 1e-9)).any(axis=0))
