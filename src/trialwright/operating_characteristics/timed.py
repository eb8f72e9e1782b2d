"""Endpoints that are the time to an event; two parallel arms."""

from __future__ import annotations

import math

from trialwright.operating_characteristics.counted import Parallel
from trialwright.operating_characteristics.errors import CannotSimulate
from trialwright.operating_characteristics.settings import Setting
from trialwright.operating_characteristics.survival import LogRank, SurvivalWorld
from trialwright.operating_characteristics.timing import timing
from trialwright.protocol.analysis import Endpoint
from trialwright.protocol.folder import Study


def timed(study: Study, setting: Setting, endpoint: Endpoint, arms: Parallel) -> tuple[SurvivalWorld, LogRank, float]:
    """World, analysis and true logarithm of the hazard ratio; followed from randomisation to the last encounter.

    Raises:
        CannotSimulate: the study says nothing about how the event comes, or follows nobody.
    """
    declared = next((each for each in study.simulation.event_times if each.endpoint == endpoint.id), None)
    if declared is None:
        raise CannotSimulate(
            f"nothing says how often the event of {endpoint.id} comes", remedy="declare it in event_times"
        )
    when = timing(study)
    follow_up = when.months[endpoint.at[-1]] - when.randomised
    if follow_up <= 0:
        raise CannotSimulate(
            f"{endpoint.id} is followed to {endpoint.at[-1]}, which is not after randomisation",
            remedy="name a later encounter",
        )
    comparator, interest = (
        math.prod(_ratios(study, setting, endpoint, arm)) for arm in (arms.comparator, arms.interest)
    )
    world = SurvivalWorld(
        lists=arms.lists,
        rate=float(declared.per_month) * comparator,
        hazard_ratio=interest / comparator,
        accrual_months=0.0,
        follow_up_months=follow_up,
        dropout_rate=-math.log1p(-min(setting.dropout_per_year, 1 - 1e-9)) / 12.0,
        endpoint=endpoint.id,
    )
    return world, LogRank(), math.log(interest / comparator)


def _ratios(study: Study, setting: Setting, endpoint: Endpoint, arm: str) -> list[float]:
    """What multiplies the rate; a multiple of the effect is a power of the ratio."""
    scenario = next(each for each in study.simulation.scenarios if each.id == setting.scenario)
    found = [each for each in scenario.hazard_ratios if each.endpoint == endpoint.id and each.arm == arm]
    return [float(each.ratio) ** setting.effect for each in found]
