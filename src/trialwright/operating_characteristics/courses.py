"""What the simulation file says about one variable: how its values arise, as far as that is normal on some scale.

An item is drawn itself, or follows another item linearly, or is a sum that an instrument makes of items. A sum or a
line of normal variables is normal; anything else (scores by tables, means of skewed times) is not, and is left to the
rehearsal, which fills every form.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from trialwright.operating_characteristics.errors import CannotSimulate
from trialwright.protocol.folder import Study
from trialwright.protocol.simulation import Generator, Scenario

_SUMS = ("evoked_potentials.z_sum",)
"""Instruments that add up their inputs."""


@dataclass(frozen=True)
class Course:
    """A variable over time.

    Attributes:
        mean: without treatment, at the first administration; of the logarithm where ``scale`` is lognormal.
        between: trait → loading; traits are independent standard normal.
        within: standard deviation of the error of one visit.
        trend: change of the mean a month.
        weights: item → weight with which effects on that item change the variable.
        low, high, step: bounds and rounding of a variable that is an item by itself.
    """

    mean: float
    between: dict[str, float]
    within: float
    trend: float
    weights: dict[str, float]
    scale: Literal["normal", "lognormal"] = "normal"
    low: float = -math.inf
    high: float = math.inf
    step: float = 0.0

    @property
    def sd_between(self) -> float:
        """Standard deviation between people."""
        return math.sqrt(sum(loading**2 for loading in self.between.values()))

    def effect(self, scenario: Scenario, arm: str, months: float) -> float:
        """What the arm changes, once it was given for so many months."""
        return sum(
            self.weights[effect.item] * float(effect.change)
            for effect in scenario.effects
            if effect.arm == arm and effect.item in self.weights and months >= float(effect.after_months)
        )


def course(study: Study, key: str) -> Course:
    """The course of ``form.item``.

    Raises:
        CannotSimulate: no generator, or not normal on any scale.
    """
    item = study.items.get(key)
    if item is None:
        raise CannotSimulate(f"{key} is no item", remedy="name form.item")
    if item.derive is not None:
        if item.derive.instrument not in _SUMS:
            made = item.derive.instrument or "an expression"
            raise CannotSimulate(
                f"{key} is computed by {made}", remedy="use `trialwright rehearse` for this endpoint"
            )
        form = key.partition(".")[0]
        return _total(
            [course(study, name if "." in name else f"{form}.{name}") for name in item.derive.inputs.values()]
        )
    generator = _generator(study, key)
    if generator.distribution == "follow":
        return _line(study, generator)
    if generator.distribution not in ("normal", "lognormal"):
        raise CannotSimulate(
            f"{key} is drawn from the distribution {generator.distribution}",
            remedy="use `trialwright rehearse` for this endpoint",
        )
    return _drawn(study, generator)


def _generator(study: Study, key: str) -> Generator:
    found = [generator for generator in study.simulation.generators if generator.item == key]
    if len(found) != 1 or found[0].where is not None:
        raise CannotSimulate(
            f"{key} has {len(found)} generators or a conditional one",
            remedy="give one generator without a condition, or use `trialwright rehearse` for this endpoint",
        )
    return found[0]


def _drawn(study: Study, generator: Generator) -> Course:
    mean, between, within = (float(x or 0) for x in (generator.mean, generator.sd_between, generator.sd_within))
    loadings = _loadings(study, generator.item)
    if generator.distribution == "lognormal":
        # As in the rehearsal: σ² = ln(1 + SD²/mean²), μ = ln mean − σ²/2; sd_within is a coefficient of variation.
        if mean <= 0:
            raise CannotSimulate(f"{generator.item} is lognormal with mean {mean:g}", remedy="give a mean above 0")
        variance = math.log(1 + (between / mean) ** 2)
        mean, between, within = math.log(mean) - variance / 2, math.sqrt(variance), math.sqrt(math.log(1 + within**2))
    return Course(
        mean=mean,
        between={trait: between * loading for trait, loading in loadings.items()},
        within=within,
        trend=float(generator.trend_per_month or 0),
        weights={generator.item: 1.0},
        scale="lognormal" if generator.distribution == "lognormal" else "normal",
        low=float(generator.low) if generator.low is not None else -math.inf,
        high=float(generator.high) if generator.high is not None else math.inf,
        step=float(generator.step or 0),
    )


def _loadings(study: Study, key: str, below: tuple[str, ...] = ()) -> dict[str, float]:
    """The person effect of an item as a sum of independent traits, variance 1."""
    if key in below:
        raise CannotSimulate(f"the correlations of {key} run in a circle", remedy="declare each correlation once")
    correlate: dict[str, float] = {}
    for generator in study.simulation.generators:
        if generator.item == key:
            correlate |= {other: float(r) for other, r in generator.correlate.items()}
    left = 1.0 - sum(r * r for r in correlate.values())
    if left < 0:
        raise CannotSimulate(
            f"the correlations of {key} cannot hold together: their squares add up to {1 - left:g}",
            remedy="lower them until the squares add up to at most 1",
        )
    loadings = {key: math.sqrt(left)}
    for other, r in correlate.items():
        for trait, loading in _loadings(study, other, (*below, key)).items():
            loadings[trait] = loadings.get(trait, 0.0) + r * loading
    return loadings


def _total(parts: list[Course]) -> Course:
    if any(part.scale != "normal" for part in parts):
        raise CannotSimulate(
            "a sum of skewed variables is not normal", remedy="use `trialwright rehearse` for this endpoint"
        )
    between: dict[str, float] = {}
    weights: dict[str, float] = {}
    for part in parts:
        for trait, loading in part.between.items():
            between[trait] = between.get(trait, 0.0) + loading
        for item, weight in part.weights.items():
            weights[item] = weights.get(item, 0.0) + weight
    return Course(
        mean=sum(part.mean for part in parts),
        between=between,
        within=math.sqrt(sum(part.within**2 for part in parts)),
        trend=sum(part.trend for part in parts),
        weights=weights,
    )


def _line(study: Study, generator: Generator) -> Course:
    if generator.choices or generator.of is None:
        raise CannotSimulate(
            f"{generator.item} follows by steps, not on a line", remedy="use `trialwright rehearse` for this endpoint"
        )
    followed, slope = course(study, generator.of), float(generator.slope)
    if followed.scale != "normal":
        raise CannotSimulate(
            f"{generator.item} follows a skewed variable", remedy="use `trialwright rehearse` for this endpoint"
        )
    return Course(
        mean=float(generator.mean or 0) + slope * followed.mean,
        between={trait: slope * loading for trait, loading in followed.between.items()},
        within=math.hypot(slope * followed.within, float(generator.sd_within or 0)),
        trend=slope * followed.trend,
        weights={generator.item: 1.0} | {item: slope * weight for item, weight in followed.weights.items()},
        low=float(generator.low) if generator.low is not None else -math.inf,
        high=float(generator.high) if generator.high is not None else math.inf,
        step=float(generator.step or 0),
    )


def parts(study: Study, key: str, value: float | None) -> dict[str, float | None]:
    """The entered items behind a value: the item itself, or the items that an instrument adds up to it.

    Items of a sum are what they are expected to be, given the sum, each as precise as it is entered; the last takes
    what is left. All are missing where the value is.
    """
    item = study.items[key]
    if item.derive is None:
        return {key: value}
    form = key.partition(".")[0]
    names = [name if "." in name else f"{form}.{name}" for name in item.derive.inputs.values()]
    if value is None:
        return dict.fromkeys(names)
    each = [course(study, name) for name in names]
    own = [part.sd_between**2 + part.within**2 for part in each]
    surplus = value - sum(part.mean for part in each)
    found: dict[str, float | None] = {}
    left = value
    for name, part, variance in zip(names, each, own, strict=True):
        share = round(part.mean + surplus * variance / sum(own), study.items[name].decimals or 0)
        found[name] = share
        left -= share
    found[names[-1]] = (found[names[-1]] or 0.0) + left
    return found
