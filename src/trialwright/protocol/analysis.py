"""``analysis.yaml``: estimands, endpoints, models, sensitivity analyses, tables and figures."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trialwright.protocol.declared import DecimalText, Declared, Expression, Name, Text


class Population(Declared):
    id: Name
    label: Text
    definition: Text
    condition: Expression | None = None


class Endpoint(Declared):
    """A variable at a time, from an item or a derivation."""

    id: Name
    label: Text
    item: str
    """``form.item``."""
    measure: Literal["value", "change_from_baseline", "percent_change", "time_to_event", "count", "binary"]
    baseline: Name | None = None
    """Encounter."""
    at: tuple[Name, ...] = Field(min_length=1)
    """Encounters."""
    better: Literal["lower", "higher", "neither"]


class IntercurrentEvent(Declared):
    """What may happen after randomisation and bears on the endpoint, and what the estimand makes of it.

    treatment_policy: values count whatever happened. hypothetical, while_on_treatment: values after the day it began
    do not count. composite: the event is part of the endpoint, which counts, asks or times it. principal_stratum: the
    population holds only those to whom it would not happen.
    """

    id: Name
    label: Text
    strategy: Literal["treatment_policy", "hypothetical", "composite", "while_on_treatment", "principal_stratum"]
    begins: str | None = None
    """``form.item`` with the date on which it began."""

    @property
    def leaves_out(self) -> bool:
        """Whether values after it do not count."""
        return self.strategy in ("hypothetical", "while_on_treatment")


class Estimand(Declared):
    """ICH E9(R1): population, endpoint, intercurrent events, summary."""

    id: Name
    label: Text
    kind: Literal["primary", "secondary", "exploratory"]
    population: Name
    endpoint: Name
    intercurrent: tuple[IntercurrentEvent, ...] = ()
    summary: Literal["mean_difference", "hazard_ratio", "rate_ratio", "odds_ratio", "risk_difference"]


class Model(Declared):
    id: Name
    estimand: Name
    role: Literal["main", "sensitivity", "supplementary"]
    method: Literal["ancova", "crossover", "mmrm", "logrank", "cox", "negative_binomial", "cmh", "exact"]
    terms: tuple[str, ...] = ()
    covariance: Literal["us", "cs", "csh", "ar1", "arh1", "toep", "toeph", "ante1"] | None = None
    degrees_of_freedom: Literal["residual", "satterthwaite", "kenward_roger"] | None = None
    periods: Literal["both", "first_only"] = "both"


class Output(Declared):
    id: Name
    kind: Literal["table", "listing", "figure"]
    title: Text
    shows: tuple[str, ...]


class Analysis(Declared):
    """The whole of ``analysis.yaml``."""

    alpha: DecimalText
    sided: Literal[1, 2] = 2
    populations: tuple[Population, ...] = Field(min_length=1)
    endpoints: tuple[Endpoint, ...] = Field(min_length=1)
    estimands: tuple[Estimand, ...] = Field(min_length=1)
    models: tuple[Model, ...] = Field(min_length=1)
    multiplicity: tuple[Name, ...] = ()
    """Estimands in the order of testing; each is tested only if all before it were significant."""
    outputs: tuple[Output, ...] = ()
