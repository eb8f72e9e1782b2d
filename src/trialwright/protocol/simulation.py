"""``simulation.yaml``: assumptions per endpoint, drop-out, carry-over, accrual, errors; scenarios."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trialwright.protocol.declared import DecimalText, Declared, Expression, Name, Text

MOST_PARTICIPANTS = 2_000
"""Of a fast simulated trial."""


class Generator(Declared):
    """How virtual participants' values of one item arise.

    normal: value = mean + person effect (``sd_between``) + effect of what was given + trend × months since the first
    administration + error (``sd_within``), then clipped to ``low`` and ``high`` and rounded to ``step``.
    lognormal: the same on the log scale; ``mean`` and ``sd_between`` are those of the values, ``sd_within`` is the
    coefficient of variation of repeated values of one person.
    choice: one of ``choices``; drawn once a person where ``stable``, else anew at each visit.
    yes: true with probability ``mean``; ``stable`` as for choice.
    uniform: evenly between ``low`` and ``high``.
    date: the day of the encounter minus a normal number of days (``mean``, ``sd_between``), clipped to ``low`` and
    ``high`` days; 0 is the day itself.
    follow: mean + slope × value of ``of`` + error, the error normal (``sd_within``) or one of ``choices``; a date
    follows by that many days; a code or a yes/no is repeated.

    An item may have several generators; the first whose ``where`` holds counts.
    """

    item: str
    """``form.item``."""
    distribution: str = Field(pattern=r"^(normal|lognormal|choice|uniform|yes|date|follow)$")
    mean: DecimalText | None = None
    sd_between: DecimalText | None = None
    sd_within: DecimalText | None = None
    trend_per_month: DecimalText | None = None
    low: DecimalText | None = None
    high: DecimalText | None = None
    step: DecimalText | None = None
    """Rounded to multiples of this."""
    choices: dict[str, DecimalText] = Field(default_factory=dict)
    """Value → probability; for ``follow``: error → probability."""
    where: Expression | None = None
    """Condition over ``form.item`` of the same visit (or the latest values) under which this generator counts."""
    of: str | None = None
    """The ``form.item`` that ``follow`` follows; of the same visit, or the latest before it."""
    slope: DecimalText = "1"
    stable: bool = False
    """A person keeps the first answer (``choice``, ``yes``, ``date``)."""
    outcomes: dict[str, DecimalText] = Field(default_factory=dict)
    """Outcome code of the item → probability at a visit."""
    correlate: dict[str, DecimalText] = Field(default_factory=dict)
    """Other ``form.item`` → correlation of the person effects; several are taken as independent of each other."""
    missing: DecimalText | None = None
    """Probability that the item is not done at a visit."""


class Effect(Declared):
    """Change that an arm brings, on the endpoint's scale."""

    item: str
    arm: Name
    change: DecimalText
    after_months: DecimalText = "0"


class HazardRatio(Declared):
    """What an arm multiplies the rate of an event by."""

    endpoint: Name
    """Endpoint of ``analysis.yaml`` that is a time to an event."""
    arm: Name
    ratio: DecimalText


class Scenario(Declared):
    """A world in which the study could find itself."""

    id: Name
    label: Text
    kind: str = Field(pattern=r"^(null|expected|optimistic|pessimistic|carry_over|other)$")
    effects: tuple[Effect, ...] = ()
    hazard_ratios: tuple[HazardRatio, ...] = ()
    carry_over: DecimalText = "0"
    """Share of the first period's effect that is left in the second."""
    replicates: int = Field(default=10000, ge=1)


class EventTime(Declared):
    """How the time to an event arises: at a constant rate from randomisation to the endpoint's last encounter."""

    endpoint: Name
    """Endpoint of ``analysis.yaml`` that is a time to an event."""
    per_month: DecimalText
    """Events a month, of one participant without any arm's effect."""


class Looks(Declared):
    """Looks at accumulating data that ``trialwright simulate`` tries: the trial stops at the first difference found.

    A look takes place when that share of the participants has the outcome.
    """

    id: Name
    model: Name
    """Model of ``analysis.yaml`` that is fitted at each look."""
    fractions: tuple[DecimalText, ...] = Field(min_length=2)
    """Shares of the participants, increasing to 1."""
    boundaries: Literal["pocock", "obrien_fleming", "lan_demets_pocock", "lan_demets_obrien_fleming"]


class Misrating(Declared):
    """Raters err: a share of all values is recorded too high or, equally often, too low."""

    share: DecimalText
    by: DecimalText
    """How far off, in the unit of the endpoint."""


class Grid(Declared):
    """Settings that every scenario is simulated in: the Cartesian product of what is listed.

    A key that is left out has one value, the study's own. Several grids are simulated one after the other, so a list
    of settings is a list of grids with one value a key.
    """

    scenarios: tuple[Name, ...] = ()
    """All scenarios where it is left out."""
    participants: tuple[Annotated[int, Field(ge=2, le=MOST_PARTICIPANTS)], ...] = ()
    effect: tuple[DecimalText, ...] = ()
    """Multiples of the scenario's effects; powers of its hazard ratios."""
    spread: tuple[DecimalText, ...] = ()
    """Multiples of all standard deviations."""
    covariance: tuple[Literal["compound_symmetry", "autoregressive"], ...] = ()
    """How values of one person hang together: alike at any distance, or less with time."""
    dropout_per_year: tuple[DecimalText, ...] = ()
    missed_visit: tuple[DecimalText, ...] = ()
    carry_over: tuple[DecimalText, ...] = ()
    manufacture_failure: tuple[DecimalText, ...] = ()
    misrating: tuple[Misrating, ...] = ()
    accrual: tuple[DecimalText, ...] = ()
    """Multiples of all sites' rates."""
    models: tuple[Name, ...] = ()
    """Models of ``analysis.yaml``; all of them where it is left out."""


class Accrual(Declared):
    site: str
    per_month: DecimalText


class AdverseEventRate(Declared):
    term: str
    per: str = Field(pattern=r"^(administration|collection|participant_year)$")
    probability: DecimalText
    grades: dict[str, DecimalText]
    """Grade → share."""
    agent: Name | None = None


class Simulation(Declared):
    """The whole of ``simulation.yaml``."""

    generators: tuple[Generator, ...] = ()
    scenarios: tuple[Scenario, ...] = Field(min_length=1)
    grids: tuple[Grid, ...] = ()
    """Settings for ``trialwright simulate``; each scenario as it stands where it is left out."""
    event_times: tuple[EventTime, ...] = ()
    looks: tuple[Looks, ...] = ()
    accrual: tuple[Accrual, ...] = ()
    screen_failure: DecimalText = "0.2"
    dropout_per_year: DecimalText = "0.1"
    missed_visit: DecimalText = "0.02"
    late_visit: DecimalText = "0.05"
    typing_error: DecimalText = "0.01"
    manufacture_failure: DecimalText = "0.0"
    """Of one attempt; ``custody.yaml`` says how often it is repeated."""
    manufacture_places: Annotated[int, Field(ge=1, le=1000)] | None = None
    """How many products the laboratory can make at the same time."""
    adverse_events: tuple[AdverseEventRate, ...] = ()
    block_size_candidates: tuple[tuple[int, ...], ...] = ()
    """Lists of block sizes the sealed specification may choose from; never which."""
