"""``simulation.yaml``: assumptions per endpoint, drop-out, carry-over, accrual, errors; scenarios."""

from __future__ import annotations

from pydantic import Field

from trialwright.protocol.declared import Declared, Name, Text


class Generator(Declared):
    """How virtual participants' values of one item arise.

    value = baseline + person effect + effect of what was given + trend × months + error, then clipped to limits.
    """

    item: str
    """``form.item``."""
    distribution: str = Field(pattern=r"^(normal|lognormal|choice|uniform|yes)$")
    mean: str | None = None
    sd_between: str | None = None
    sd_within: str | None = None
    trend_per_month: str | None = None
    low: str | None = None
    high: str | None = None
    step: str | None = None
    """Rounded to multiples of this."""
    choices: dict[str, str] = Field(default_factory=dict)
    """Value → probability."""
    correlate: dict[str, str] = Field(default_factory=dict)
    """Other ``form.item`` → correlation of the person effects."""
    missing: str | None = None
    """Probability that the item is not done at a visit."""


class Effect(Declared):
    """Change that an arm brings, on the endpoint's scale."""

    item: str
    arm: Name
    change: str
    after_months: str = "0"


class Scenario(Declared):
    """A world in which the study could find itself."""

    id: Name
    label: Text
    kind: str = Field(pattern=r"^(null|expected|optimistic|pessimistic|carry_over|other)$")
    effects: tuple[Effect, ...] = ()
    carry_over: str = "0"
    """Share of the first period's effect that is left in the second."""
    replicates: int = Field(default=10000, ge=1)


class Accrual(Declared):
    site: str
    per_month: str


class AdverseEventRate(Declared):
    term: str
    per: str = Field(pattern=r"^(administration|collection|participant_year)$")
    probability: str
    grades: dict[str, str]
    """Grade → share."""
    agent: Name | None = None


class Simulation(Declared):
    """The whole of ``simulation.yaml``."""

    generators: tuple[Generator, ...] = ()
    scenarios: tuple[Scenario, ...] = Field(min_length=1)
    accrual: tuple[Accrual, ...] = ()
    screen_failure: str = "0.2"
    dropout_per_year: str = "0.1"
    missed_visit: str = "0.02"
    late_visit: str = "0.05"
    typing_error: str = "0.01"
    manufacture_failure: str = "0.0"
    adverse_events: tuple[AdverseEventRate, ...] = ()
    block_size_candidates: tuple[tuple[int, ...], ...] = ()
    """Lists of block sizes the sealed specification may choose from; never which."""
