"""From the study folder to fast trials: for each model of ``analysis.yaml`` a world and an analysis."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from trialwright.operating_characteristics.conduct import slot_failure
from trialwright.operating_characteristics.contracts import Method, World
from trialwright.operating_characteristics.counted import Parallel, counted
from trialwright.operating_characteristics.courses import Course, course
from trialwright.operating_characteristics.errors import CannotSimulate
from trialwright.operating_characteristics.estimates import Estimates
from trialwright.operating_characteristics.groups import Groups
from trialwright.operating_characteristics.lists import allocation_lists, declared_design, strata_shares
from trialwright.operating_characteristics.looks import Looks, bounds_of
from trialwright.operating_characteristics.mixed import (
    DegreesOfFreedom,
    Repeated,
    Structure,
    crossover_design,
    visits_design,
)
from trialwright.operating_characteristics.repeated import RepeatedData, RepeatedWorld
from trialwright.operating_characteristics.settings import Setting
from trialwright.operating_characteristics.timed import timed
from trialwright.operating_characteristics.timing import Timing, timing
from trialwright.operating_characteristics.two_means import CompareMeans
from trialwright.protocol.analysis import Endpoint, Model
from trialwright.protocol.folder import Study
from trialwright.protocol.simulation import Looks as DeclaredLooks
from trialwright.statistics import Estimate
from trialwright.statistics.arrays import Array

_STRUCTURES: dict[str | None, Structure] = {
    "us": "unstructured",
    "cs": "compound_symmetry",
    "toep": "toeplitz",
    None: "unstructured",
}
Measure = Literal["difference", "log_rate_ratio", "log_hazard_ratio"]

_KNOWN_TERMS = {"arm", "baseline", "period", "sequence", "visit"}


@dataclass(frozen=True, eq=False)
class Case:
    """A model of the study in one setting.

    Attributes:
        model: id in ``analysis.yaml``.
        endpoint: id of its endpoint; models with the same endpoint analyse the same data.
        world, analysis: what is simulated, and how it is analysed.
        truth: the treatment effect that the estimand means in this setting.
        notes: where the simulation is simpler than the plan.
        measure: what ``truth`` and the estimates are.
        item: ``form.item`` of the endpoint.
        visits: the encounter of each value of a participant, baseline first; none where the value is a time.
        groups: arm or sequence of groups 0 and 1.
        better: which direction helps participants.
        looks: looks at accumulating data that are tried with this model, by their ids.
    """

    model: str
    endpoint: str
    world: World
    analysis: Method
    truth: float
    notes: tuple[str, ...]
    measure: Measure = "difference"
    item: str = ""
    visits: tuple[str, ...] = ()
    groups: tuple[str, str] = ("0", "1")
    better: Literal["lower", "higher", "neither"] = "neither"
    looks: tuple[tuple[str, Looks], ...] = ()


@dataclass(frozen=True)
class NotSimulated:
    """A model that has no fast form, and why."""

    model: str
    why: str


def cases(study: Study, setting: Setting, seed: int) -> tuple[list[Case], list[NotSimulated]]:
    """Everything of the study's analysis plan that can be simulated in this setting, and what cannot, with reasons.

    Raises:
        CannotSimulate: a model that the setting asks for by name and that cannot be simulated.
    """
    plan = study.analysis
    found: list[Case] = []
    left_out: list[NotSimulated] = []
    for wanted in setting.models:
        if wanted not in {model.id for model in plan.models}:
            raise CannotSimulate(
                f"the analysis has no model {wanted!r}", remedy=f"use one of {', '.join(m.id for m in plan.models)}"
            )
    for model in plan.models:
        if setting.models and model.id not in setting.models:
            continue
        try:
            found.append(_case(study, setting, model, seed))
        except CannotSimulate as error:
            if model.id in setting.models:
                raise
            left_out.append(NotSimulated(model.id, error.message))
    return found, left_out


def _case(study: Study, setting: Setting, model: Model, seed: int) -> Case:
    plain, endpoint = _without_looks(study, setting, model, seed)
    tried = [each for each in study.simulation.looks if setting.looks and each.model == model.id]
    looks = tuple((each.id, _looks(study, setting, plain, each)) for each in tried)
    names = {group: name for name, group in _groups(study)[1].items()}
    visits: tuple[str, ...] = ()
    if endpoint.measure in ("count", "binary"):
        visits = endpoint.at[-1:]
    elif endpoint.measure != "time_to_event":
        visits = (*([endpoint.baseline] if endpoint.baseline else []), *endpoint.at)
    return replace(
        plain,
        item=endpoint.item,
        visits=visits,
        groups=(names[0], names[1]),
        better=endpoint.better,
        looks=looks,
    )


def _looks(study: Study, setting: Setting, case: Case, declared: DeclaredLooks) -> Looks:
    shares = [float(text) for text in declared.fractions]
    participants = tuple(math.ceil(share * setting.participants - 1e-9) for share in shares)
    bounds = bounds_of(declared.boundaries, shares, float(study.analysis.alpha))
    return Looks(case.analysis, participants, bounds)


def _without_looks(study: Study, setting: Setting, model: Model, seed: int) -> tuple[Case, Endpoint]:
    estimand = next(each for each in study.analysis.estimands if each.id == model.estimand)
    endpoint = next(each for each in study.analysis.endpoints if each.id == estimand.endpoint)
    notes = tuple(_notes(study, model))
    if model.method in ("negative_binomial", "cmh") and endpoint.measure in ("count", "binary"):
        world, analysis, truth = counted(study, setting, endpoint, _parallel(study, setting, seed))
        measure: Measure = "log_rate_ratio" if endpoint.measure == "count" else "difference"
        return Case(model.id, endpoint.id, world, analysis, truth, notes, measure), endpoint
    if model.method in ("logrank", "cox") and endpoint.measure == "time_to_event":
        times, test, log_ratio = timed(study, setting, endpoint, _parallel(study, setting, seed))
        if model.method == "cox":
            notes = (*notes, "the log-rank test stands in for the Cox model")
        return Case(model.id, endpoint.id, times, test, log_ratio, notes, "log_hazard_ratio"), endpoint
    if model.method not in ("ancova", "crossover", "mmrm"):
        raise CannotSimulate(
            f"the method {model.method} has no fast form for {endpoint.measure}", remedy="use `trialwright rehearse`"
        )
    if endpoint.measure not in ("value", "change_from_baseline"):
        raise CannotSimulate(f"the measure {endpoint.measure} is not normal", remedy="use `trialwright rehearse`")
    if endpoint.measure == "change_from_baseline" and endpoint.baseline is None:
        raise CannotSimulate(f"{endpoint.id} has no baseline", remedy="name the encounter of the baseline")
    described = course(study, endpoint.item)
    when = timing(study)
    visits = ([endpoint.baseline] if endpoint.baseline else []) + list(endpoint.at)
    repeated, effects = _world(study, setting, endpoint, described, when, visits, seed)
    method, decisive = _analysis(study, model, endpoint)
    return Case(model.id, endpoint.id, repeated, method, effects[decisive], notes), endpoint


def _notes(study: Study, model: Model) -> Iterator[str]:
    """Where the simulation is simpler than the plan."""
    known = _KNOWN_TERMS if model.method in ("ancova", "crossover", "mmrm") else {"arm"}
    yield from (f"term {term} is left out" for term in model.terms if term not in known)
    if study.analysis.sided == 1:
        yield "tests are two-sided"
    if study.randomisation.strata and study.randomisation.method != "minimisation":
        yield "levels of a stratum are equally frequent"
    if study.randomisation.method == "minimisation":
        yield "permuted blocks stand in for minimisation"


def _parallel(study: Study, setting: Setting, seed: int) -> Parallel:
    comparator, interest = _two_arms(study)
    if study.identity.design != "parallel":
        raise CannotSimulate("counts or events in a crossover", remedy="use `trialwright rehearse`")
    return Parallel(comparator, interest, _lists(study, setting.participants, {comparator: 0, interest: 1}, seed))


def _two_arms(study: Study) -> tuple[str, str]:
    """(comparator, arm of interest)."""
    arms = study.identity.arms
    if len(arms) != 2:
        raise CannotSimulate(
            f"{len(arms)} arms", remedy="fast simulation compares two arms; use `trialwright rehearse`"
        )
    one = next((arm for arm in arms if arm.kind == "experimental"), arms[0])
    other = next(arm for arm in arms if arm is not one)
    return other.id, one.id


def _groups(study: Study) -> tuple[tuple[tuple[str, ...], ...], dict[str, int]]:
    """(arms of each group over the periods, allocation label → group).

    In a crossover group 0 begins with the arm of interest; in parallel arms group 1 has it.
    """
    comparator, interest = _two_arms(study)
    identity = study.identity
    if identity.design == "parallel":
        return ((comparator,), (interest,)), {comparator: 0, interest: 1}
    orders = {s.id: tuple(s.arms[period.id] for period in identity.periods) for s in identity.sequences}
    if sorted(orders.values()) != sorted([(interest, comparator), (comparator, interest)]):
        raise CannotSimulate("not a 2×2 crossover", remedy="use `trialwright rehearse` for other crossovers")
    label = {name: int(order[0] != interest) for name, order in orders.items()}
    return ((interest, comparator), (comparator, interest)), label


def _world(
    study: Study, setting: Setting, endpoint: Endpoint, described: Course, when: Timing, visits: list[str], seed: int
) -> tuple[RepeatedWorld, list[float]]:
    """The world, and what the arm of interest adds to the comparator at each visit, if it was given to everybody."""
    given, label = _groups(study)
    baseline = endpoint.baseline is not None
    comparator, interest = _two_arms(study)
    scenario = next(each for each in study.simulation.scenarios if each.id == setting.scenario)
    periods, q = len(when.treatments), len(visits)
    shifts = np.zeros((2, periods, q))
    truths = []
    for a, visit in enumerate(visits):
        running = [p for p in range(periods) if when.since(p, visit) is not None]
        for p in running:
            months = when.since(p, visit)
            assert months is not None, "the treatment of a running period has begun"
            share = 1.0 if p == running[-1] else setting.carry_over
            for s in range(2):
                shifts[s, p, a] = setting.effect * share * described.effect(scenario, given[s][p], months)
        months = when.since(running[-1], visit) if running else None
        truths.append(
            0.0
            if months is None
            else setting.effect
            * (described.effect(scenario, interest, months) - described.effect(scenario, comparator, months))
        )
    not_given = np.zeros((2, periods))
    if study.custody is not None and setting.manufacture_failure > 0:
        # Everybody has a product made in every period; where every attempt fails, the administration is called off.
        for s in range(2):
            for p in range(periods):
                if study.custody.given_in.get(given[s][p]) == "product":
                    not_given[s, p] = slot_failure(study.custody, setting.manufacture_failure)
    months_at = np.array([when.months[visit] for visit in visits])
    begin = when.months[when.treatments[0]]
    mean = described.mean + described.trend * np.maximum(months_at - begin, 0.0)
    world = RepeatedWorld(
        means=mean,
        covariance=_covariance(setting, described, months_at),
        shifts=shifts,
        lists=_lists(study, setting.participants, label, seed),
        not_given=not_given if not_given.any() else None,
        dropout=_dropout(setting, months_at, when, baseline),
        missed=setting.missed_visit,
        always=(0,) if baseline else (),
        misrated=setting.misrated,
        misrated_by=setting.misrated_by,
        scale=described.scale,
        low=described.low,
        high=described.high,
        step=described.step,
        item=endpoint.item,
        visits=tuple(visits),
    )
    return world, truths


def _covariance(setting: Setting, described: Course, months: Array) -> Array:
    between, within = (setting.spread * described.sd_between) ** 2, (setting.spread * described.within) ** 2
    if between + within <= 0:
        raise CannotSimulate("the outcome does not vary", remedy="give sd_between or sd_within above 0")
    together = np.full((months.size, months.size), between) + within * np.eye(months.size)
    if setting.covariance == "autoregressive" and months.size > 1 and between > 0:
        gaps = np.abs(np.subtract.outer(months, months))
        nearest = gaps[gaps > 0].min(initial=1.0)
        together = (between + within) * (between / (between + within)) ** (gaps / nearest)
    return np.asarray(together, dtype=np.float64)


def _dropout(setting: Setting, months: Array, when: Timing, baseline: bool) -> Array:
    before = np.concatenate([[months[0] if baseline else when.randomised], months[:-1]])
    years = np.maximum(months - before, 0.0) / 12.0
    return np.asarray(1.0 - (1.0 - setting.dropout_per_year) ** years)


def _lists(study: Study, participants: int, label: dict[str, int], seed: int) -> Groups:
    design = declared_design(study)
    drawn = allocation_lists(design, participants, seed, shares=strata_shares(study))
    return np.array([label[unit] for unit in design.units], dtype=np.int8)[drawn]


def _analysis(study: Study, model: Model, endpoint: Endpoint) -> tuple[Method, int]:
    """The analysis, and the visit whose difference it estimates."""
    first = int(endpoint.baseline is not None)
    change_from = 0 if endpoint.measure == "change_from_baseline" else None
    adjusted = "baseline" in model.terms
    if adjusted and endpoint.baseline is None:
        raise CannotSimulate(
            f"{model.id} adjusts for a baseline that {endpoint.id} lacks", remedy="name its encounter"
        )
    covariate = 0 if adjusted else None
    visits = tuple(range(first, first + len(endpoint.at)))
    crossover = study.identity.design == "crossover"
    if model.method == "ancova":
        visit = visits[0] if model.periods == "first_only" else visits[-1]
        if crossover and model.periods != "first_only":
            raise CannotSimulate("an ANCOVA over both periods", remedy="use periods: first_only, or a mixed model")
        # In a crossover group 0 has the arm of interest in the first period, else group 1.
        means = CompareMeans(visit, change_from=change_from, covariate=covariate)
        return (_Reversed(means) if crossover else means), visit
    if model.covariance not in _STRUCTURES:
        raise CannotSimulate(f"the covariance {model.covariance} has no fast form", remedy="use us, cs or toep")
    structure = _STRUCTURES[model.covariance]
    method: DegreesOfFreedom = "satterthwaite" if model.degrees_of_freedom == "satterthwaite" else "kenward_roger"
    if crossover:
        if len(visits) != 2:
            raise CannotSimulate("a crossover with more than one outcome a period", remedy="name one a period")
        design, contrast = crossover_design(sequence="sequence" in model.terms, covariate=adjusted)
    else:
        if len(visits) < 2:
            raise CannotSimulate("a mixed model of one visit", remedy="use ancova")
        design, contrast = visits_design(len(visits), covariate=adjusted)
    repeated = Repeated(
        visits,
        design,
        contrast,
        structure,
        method,
        change_from=change_from,
        covariate=covariate,
    )
    return repeated, visits[-1]


@dataclass(frozen=True)
class _Reversed:
    """Group 0 − group 1."""

    means: CompareMeans

    def analyse(self, data: RepeatedData) -> Estimates:
        found = self.means.analyse(data)
        return Estimates(-found.value, found.standard_error, found.df)

    def reference(self, data: RepeatedData, trial: int) -> Estimate:
        found = self.means.reference(data, trial)
        return Estimate(-found.value, found.standard_error, found.df)
