"""Endpoints that are counted: yes or no, and numbers of events; two parallel arms."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from trialwright.operating_characteristics.errors import CannotSimulate
from trialwright.operating_characteristics.groups import Groups
from trialwright.operating_characteristics.settings import Setting
from trialwright.operating_characteristics.tables import CompareRates, CompareShares, CountWorld, negative_binomial
from trialwright.operating_characteristics.timing import timing
from trialwright.protocol.analysis import Endpoint
from trialwright.protocol.folder import Study
from trialwright.protocol.simulation import Generator


@dataclass(frozen=True, eq=False)
class Parallel:
    """Two parallel arms and their lists, 0 the comparator."""

    comparator: str
    interest: str
    lists: Groups


def counted(
    study: Study, setting: Setting, endpoint: Endpoint, arms: Parallel
) -> tuple[CountWorld, CompareShares | CompareRates, float]:
    """World, analysis and true contrast of a counted endpoint at its last visit.

    An effect changes the mean number, or the probability. Counts are taken as negative binomial with the mean and the
    variance of the generator; under an effect the dispersion stays.

    Raises:
        CannotSimulate: a generator of another kind, or an effect that leaves no mean or probability.
    """
    generator = _generator(study, endpoint.item)
    scenario = next(each for each in study.simulation.scenarios if each.id == setting.scenario)
    changes = [
        setting.effect * sum(float(e.change) for e in scenario.effects if e.item == endpoint.item and e.arm == arm)
        for arm in (arms.comparator, arms.interest)
    ]
    missing = _missing(study, setting, endpoint)
    if endpoint.measure == "binary":
        shares = [float(generator.mean or 0) + change for change in changes]
        if generator.distribution != "yes" or not all(0 < share < 1 for share in shares):
            raise CannotSimulate(
                f"{endpoint.item} is not a yes with probabilities between 0 and 1", remedy="use distribution: yes"
            )
        rows = np.array([[1 - share, share] for share in shares])
        return CountWorld(arms.lists, rows, missing, endpoint.item), CompareShares(), shares[1] - shares[0]
    mean, variance = _moments(generator)
    means = [mean + change for change in changes]
    if min(means) <= 0 or mean <= 0:
        raise CannotSimulate(
            f"{endpoint.item} has the means {means}", remedy="give effects that leave a mean above 0"
        )
    alpha = max((variance - mean) / mean**2, 0.0)
    parts = [negative_binomial(each, alpha) for each in means]
    longest = max(part.size for part in parts)
    probabilities = np.stack([np.pad(part, (0, longest - part.size)) for part in parts])
    return (
        CountWorld(arms.lists, probabilities, missing, endpoint.item),
        CompareRates(),
        math.log(means[1] / means[0]),
    )


def _generator(study: Study, key: str) -> Generator:
    found = [each for each in study.simulation.generators if each.item == key and each.where is None]
    if len(found) != 1:
        raise CannotSimulate(f"{key} has {len(found)} plain generators", remedy="give one without a condition")
    return found[0]


def _moments(generator: Generator) -> tuple[float, float]:
    """(mean, variance) of one person's number."""
    if generator.distribution != "choice" or not all(text.isdecimal() for text in generator.choices):
        raise CannotSimulate(
            f"{generator.item} is not drawn from numbers", remedy="use distribution: choice with numbers 0, 1, 2 …"
        )
    shares = {int(text): float(share) for text, share in generator.choices.items()}
    mean = sum(number * share for number, share in shares.items())
    return mean, sum((number - mean) ** 2 * share for number, share in shares.items())


def _missing(study: Study, setting: Setting, endpoint: Endpoint) -> float:
    when = timing(study)
    years = max(when.months[endpoint.at[-1]] - when.randomised, 0.0) / 12.0
    stays = math.pow(1.0 - setting.dropout_per_year, years)
    return 1.0 - stays * (1.0 - setting.missed_visit)
