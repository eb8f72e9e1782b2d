"""How the trial goes in a setting: months until the last randomised and the last visit, and products that fail.

People come to each site at its rate (independent Poisson processes), so to all sites together at the sum of the
rates. Taking away the share ``screen_failure`` leaves a Poisson process of those who are randomised: the n-th of them
comes after a sum of n exponential times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trialwright.operating_characteristics.settings import Setting
from trialwright.operating_characteristics.streams import BLOCK, Streams
from trialwright.operating_characteristics.tallies import tally_numbers
from trialwright.operating_characteristics.timing import timing
from trialwright.protocol.folder import Study


@dataclass(frozen=True)
class Conduct:
    """What decides how long the trial takes and how often product lacks.

    Attributes:
        participants: n.
        per_month: people randomised a month, all sites together; 0 where no accrual is declared.
        follow_up: months from the first encounter of a participant to the last.
        products: products made for each participant; 0 without custody.
        failure: probability that one of them fails.
    """

    participants: int
    per_month: float
    follow_up: float
    products: int
    failure: float


def conduct(study: Study, setting: Setting) -> Conduct:
    """The conduct of the study in a setting."""
    rates = sum(float(entry.per_month) for entry in study.simulation.accrual)
    return Conduct(
        participants=setting.participants,
        per_month=setting.accrual * rates * (1.0 - float(study.simulation.screen_failure)),
        follow_up=timing(study).last,
        products=len(study.custody.slots) if study.custody is not None else 0,
        failure=setting.manufacture_failure,
    )


def tally_conduct(world: Conduct, streams: Streams, trials: int) -> dict[str, float]:
    """Sums over the first ``trials`` trials of a block."""
    found: dict[str, float] = {"trials": float(trials)}
    if world.per_month > 0:
        waiting = -np.log(streams.uniforms("accrual", world.participants)).sum(axis=0)[:trials] / world.per_month
        found |= tally_numbers("accrual", waiting) | tally_numbers("duration", waiting + world.follow_up)
    if world.products and world.failure > 0:
        draws = streams.uniforms("not given", world.products * world.participants)
        lacking = (draws < world.failure).reshape(world.participants, world.products, BLOCK)[..., :trials]
        found |= tally_numbers("failed_products", lacking.sum(axis=(0, 1)).astype(np.float64))
        without = lacking.any(axis=1).sum(axis=0).astype(np.float64)
        found |= tally_numbers("without", without)
        found["some_without"] = float((without > 0).sum())
    return found
