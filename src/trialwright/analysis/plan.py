"""The plan, item by item: which rows of which data set, which columns, which method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas

from trialwright.analysis.errors import PlanCannotRun
from trialwright.analysis.frames import among, frames_of, where
from trialwright.exports.adam import AdamExport, PlanWords
from trialwright.exports.adam.words import Parameter
from trialwright.protocol import Study
from trialwright.protocol.analysis import Endpoint, Estimand, Model

OUTCOMES: Mapping[str, str] = {
    "value": "AVAL",
    "change_from_baseline": "CHG",
    "percent_change": "PCHG",
    "count": "AVAL",
    "binary": "AVAL",
    "time_to_event": "AVAL",
}
"""Measure of an endpoint → column that holds it."""

RESERVED: Mapping[str, str] = {
    "arm": "TRTP",
    "baseline": "BASE",
    "period": "APERIOD",
    "sequence": "TRTSEQP",
    "visit": "AVISITN",
    "site": "SITEID",
}
"""Word of the plan → column; other words are randomisation factors."""


@dataclass(frozen=True)
class Comparison:
    """Two arms: results are of the one against the other.

    Attributes:
        one, other: ids of arms, the experimental one first.
        one_label, other_label: in the reader's language.
    """

    one: str
    other: str
    one_label: str
    other_label: str


@dataclass(frozen=True)
class PlanItem:
    """One model of the plan with everything that it needs.

    Attributes:
        model, estimand, endpoint: as declared.
        parameter: in the data sets.
        population: flag in ADSL.
        outcome: column.
    """

    model: Model
    estimand: Estimand
    endpoint: Endpoint
    parameter: Parameter
    population: str
    outcome: str


class AnalysisPlan:
    """A study's plan over its analysis data sets.

    Args:
        study: as last approved.
        adam: its analysis data sets.
    """

    def __init__(self, study: Study, adam: AdamExport) -> None:
        self.study = study
        self.package = adam.package
        self.words: PlanWords = adam.words
        self.frames = frames_of(adam.package)
        self._endpoints = {endpoint.id: endpoint for endpoint in study.analysis.endpoints}
        self.estimands = {estimand.id: estimand for estimand in study.analysis.estimands}

    @cached_property
    def items(self) -> tuple[PlanItem, ...]:
        """Every model in the order of the plan.

        Raises:
            PlanCannotRun: a model names an estimand or endpoint that the plan does not have.
        """
        return tuple(self._items())

    @cached_property
    def comparison(self) -> Comparison:
        """The two arms that are compared.

        Raises:
            PlanCannotRun: not two arms.
        """
        arms = self.study.identity.arms
        if len(arms) != 2:
            raise PlanCannotRun(
                f"the study has {len(arms)} arms",
                remedy="declare two; comparisons of several are not in the plan file",
            )
        ordered = sorted(arms, key=lambda arm: arm.kind.endswith("comparator") or arm.kind == "no_intervention")
        one, other = ordered
        if one.kind == other.kind:  # two of a kind: the later of the file is the new one
            one, other = other, one
        text = self.words.text
        return Comparison(one.id, other.id, text(one.label), text(other.label))

    def rows(self, item: PlanItem) -> pandas.DataFrame:
        """The rows that a model analyses: its population, parameter, visits and periods.

        Raises:
            PlanCannotRun: no such rows.
        """
        if item.parameter.survival:
            found = where(self._frame("ADTTE"), PARAMCD=item.parameter.code)
        else:
            flag = {self.words.flag(item.estimand): "Y"}
            found = where(self._frame("ADEFF"), PARAMCD=item.parameter.code, **flag)
            found = among(found, "AVISITN", [self.words.visit_numbers[name] for name in item.endpoint.at])
            if item.model.periods == "first_only" and self.words.periods:
                found = where(found, APERIOD=1)
        found = found[(found[item.population] == "Y") & found["TRTP"].notna() & found[item.outcome].notna()]
        if found.empty:
            raise PlanCannotRun(
                f"{item.model.id}: no value of {item.endpoint.id} in the population {item.estimand.population}",
                remedy="look at the data sets; the plan or the data are at fault",
                model=item.model.id,
            )
        return found.reset_index(drop=True)

    def column(self, word: str) -> str:
        """The column that a term of the plan stands for.

        Raises:
            PlanCannotRun: neither a word of the plan's language nor a randomisation factor.
        """
        found = RESERVED.get(word) or self.words.strata.get(word)
        if found is None:
            known = ", ".join((*RESERVED, *self.words.strata))
            raise PlanCannotRun(f"the plan's term {word!r} is unknown", remedy=f"use one of {known}", term=word)
        return found

    def _frame(self, name: str) -> pandas.DataFrame:
        if name not in self.frames:
            raise PlanCannotRun(
                f"there is no data set {name}", remedy="make the analysis data sets again", dataset=name
            )
        return self.frames[name]

    def _items(self) -> Iterator[PlanItem]:
        for model in self.study.analysis.models:
            estimand = self.estimands.get(model.estimand)
            endpoint = self._endpoints.get(estimand.endpoint) if estimand is not None else None
            if estimand is None or endpoint is None:
                raise PlanCannotRun(f"{model.id} names no estimand of the plan", remedy="correct analysis.yaml")
            yield PlanItem(
                model=model,
                estimand=estimand,
                endpoint=endpoint,
                parameter=self.words.parameter(endpoint),
                population=self.words.populations[estimand.population],
                outcome=OUTCOMES[endpoint.measure],
            )
