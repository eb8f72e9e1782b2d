"""Models of the plan, run: one result for each, and one for what could not be estimated, with its reason."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas

from trialwright.analysis.errors import PlanCannotRun
from trialwright.analysis.minimising import ASSUMED as MINIMISED
from trialwright.analysis.minimising import minimised, usual_minimisation
from trialwright.analysis.plan import AnalysisPlan, Comparison, PlanItem
from trialwright.analysis.replaying import ASSUMED, replay_of, usual_design
from trialwright.foundation.errors import TrialwrightError
from trialwright.statistics import (
    Estimate,
    count_regression,
    cox,
    crossover,
    fixed_sequence,
    least_squares,
    log_rank,
    mantel_haenszel,
    mmrm,
    rerandomisation_test,
)

COVARIANCES = {"ante1": "ad"}
"""Name in the plan → name in the statistics, where they differ."""

METHODS = {"kenward_roger": "kenward-roger", "satterthwaite": "satterthwaite"}
DRAWS = 9_999


@dataclass(frozen=True)
class Remark:
    """What a reader must know beside a number: a sentence with places for numbers, so that it can be translated.

    Attributes:
        sentence: English, with ``{name}`` places.
        given: name → number or text.
    """

    sentence: str
    given: Mapping[str, float | int | str] = field(default_factory=dict)

    def __str__(self) -> str:
        """In English."""
        shown = {name: f"{value:.3g}" if isinstance(value, float) else value for name, value in self.given.items()}
        return self.sentence.format(**shown)


@dataclass(frozen=True)
class ArmSummary:
    """Observed values of one arm; ``events`` counts participants where the endpoint is an event or its time."""

    arm: str
    label: str
    participants: int
    values: int
    mean: float | None
    sd: float | None
    events: int | None = None


@dataclass(frozen=True)
class Result:
    """What one model of the plan says.

    Attributes:
        item: id of the model in the plan.
        estimand, role, method, endpoint: as planned.
        comparison: the one arm against the other.
        scale: ``difference``, ``rate_ratio``, ``hazard_ratio`` or ``odds_ratio``.
        value, low, high: estimate and its interval on that scale; None where there is none.
        standard_error, df: of the difference, or of the logarithm of a ratio.
        p_value: two-sided, unadjusted.
        level: of the interval.
        participants, values: analysed.
        arms: observed values.
        notes: carry-over, assumptions, departures from the plan.
        failed: why there is no result, in words; None where there is one.
    """

    item: str
    estimand: str
    role: str
    method: str
    endpoint: str
    comparison: Comparison
    scale: str
    level: float
    value: float | None = None
    low: float | None = None
    high: float | None = None
    standard_error: float | None = None
    df: float | None = None
    p_value: float | None = None
    participants: int = 0
    values: int = 0
    arms: tuple[ArmSummary, ...] = ()
    notes: tuple[Remark, ...] = ()
    failed: str | None = None
    formula: str = ""


@dataclass(frozen=True)
class Tested:
    """One step of the declared order of tests: confirmatory only while all before it were significant."""

    estimand: str
    item: str
    p_value: float | None
    adjusted: float | None
    significant: bool
    tested: bool


def run_plan(
    plan: AnalysisPlan, progress: Callable[[str], None] = lambda item: None
) -> tuple[Result, ...]:  # fmt: skip
    """Every model of the plan, in its order. What cannot be estimated is a result that says why.

    Args:
        plan: over the analysis data sets.
        progress: called with the id of each model before it is run.
    """
    found = []
    for item in plan.items:
        progress(item.model.id)
        found.append(_run(plan, item))
    return tuple(found)


def run_order(plan: AnalysisPlan, results: tuple[Result, ...]) -> tuple[Tested, ...]:
    """The hypotheses in the declared order, each at the full alpha until the first that is not significant."""
    alpha = float(plan.study.analysis.alpha)
    mains = {result.estimand: result for result in results if result.role == "main"}
    ordered = [mains[name] for name in plan.study.analysis.multiplicity if name in mains]
    known: dict[str, float] = {}
    for result in ordered:
        if result.p_value is None:
            break
        known[result.estimand] = result.p_value
    decisions = {decision.name: decision for decision in fixed_sequence(known, alpha)} if known else {}
    steps, still = [], True
    for result in ordered:
        decision = decisions.get(result.estimand)
        significant = decision is not None and decision.rejected
        adjusted = decision.adjusted if decision is not None else None
        steps.append(Tested(result.estimand, result.item, result.p_value, adjusted, significant, still))
        still = still and significant
    return tuple(steps)


def _run(plan: AnalysisPlan, item: PlanItem) -> Result:
    blank = Result(
        item=item.model.id,
        estimand=item.estimand.id,
        role=item.model.role,
        method=item.model.method,
        endpoint=item.endpoint.id,
        comparison=plan.comparison,
        scale=_SCALES.get(item.model.method, "difference"),
        level=1 - float(plan.study.analysis.alpha) * (1 if plan.study.analysis.sided == 2 else 2),
    )
    try:
        rows = plan.rows(item)
        blank = replace(
            blank,
            participants=int(rows["USUBJID"].nunique()),
            values=len(rows),
            arms=tuple(_summaries(rows, item, plan.comparison)),
        )
        return _FITS[item.model.method](_Task(plan, item, rows, blank))
    except TrialwrightError as error:
        return replace(blank, failed=str(error))


def _summaries(rows: pandas.DataFrame, item: PlanItem, comparison: Comparison) -> list[ArmSummary]:
    found = []
    for arm, label in ((comparison.one, comparison.one_label), (comparison.other, comparison.other_label)):
        of_arm = rows[rows["TRTP"] == arm]
        values = of_arm[item.outcome]
        mean = float(values.mean()) if len(values) else None
        sd = float(values.std(ddof=1)) if len(values) > 1 else None
        people, events = int(of_arm["USUBJID"].nunique()), _events(of_arm, item)
        found.append(ArmSummary(arm, label, people, len(values), mean, sd, events))
    return found


def _events(rows: pandas.DataFrame, item: PlanItem) -> int | None:
    if item.parameter.survival:
        return int((rows["CNSR"] == 0).sum())
    return int((rows[item.outcome] > 0).sum()) if item.endpoint.measure == "binary" else None


@dataclass(frozen=True)
class _Task:
    """One model with its rows, and the result so far."""

    plan: AnalysisPlan
    item: PlanItem
    rows: pandas.DataFrame
    blank: Result
    notes: list[Remark] = field(default_factory=list)

    @property
    def one(self) -> str:
        return self.blank.comparison.one

    @property
    def other(self) -> str:
        return self.blank.comparison.other

    @property
    def terms(self) -> tuple[str, ...]:
        return self.item.model.terms or ("arm",)

    def columns(self, *left_out: str) -> list[str]:
        """Columns of the plan's terms, interactions as they stand, without some words."""
        return [
            ":".join(self.plan.column(word) for word in term.split(":"))
            for term in self.terms
            if term not in left_out
        ]

    def one_row_each(self) -> pandas.DataFrame:
        """The rows where the method takes one a participant.

        Raises:
            PlanCannotRun: somebody has several.
        """
        if self.rows["USUBJID"].duplicated().any():
            raise PlanCannotRun(
                f"{self.item.model.id}: {self.item.model.method} takes one value a participant, some have several",
                remedy="name one visit in the endpoint, or use mmrm",
                model=self.item.model.id,
            )
        return self.rows

    def result(
        self, estimate: Estimate, *, ratio: bool = False, p_value: float | None = None, formula: str = ""
    ) -> Result:
        """The result that an estimate makes."""
        if ratio:
            value, low, high = estimate.ratio(self.blank.level)
        else:
            value = estimate.value
            low, high = estimate.confidence_interval(self.blank.level)
        return replace(
            self.blank,
            value=value,
            low=low,
            high=high,
            standard_error=estimate.standard_error,
            df=None if math.isinf(estimate.df) else estimate.df,
            p_value=estimate.p_value if p_value is None else p_value,
            notes=tuple(self.notes),
            formula=formula,
        )


def _ancova(task: _Task) -> Result:
    formula = f"{task.item.outcome} ~ {' + '.join(task.columns())}"
    rows = task.one_row_each()
    fit = least_squares(formula, _dense(rows), factors=_factors(task))
    return task.result(fit.difference("TRTP", task.one, task.other), formula=formula)


def _crossover(task: _Task) -> Result:
    with_sequence = "sequence" in task.terms
    covariates = [task.plan.column(t) for t in task.terms if t not in ("arm", "period", "sequence")]
    fit = crossover(
        _dense(task.rows),
        outcome=task.item.outcome,
        subject="USUBJID",
        treatment="TRTP",
        period="APERIOD",
        sequence="TRTSEQP",
        sequence_term=with_sequence,
        covariates=covariates,
        covariance=task.item.model.covariance or "cs",
        method=METHODS.get(task.item.model.degrees_of_freedom or "", "kenward-roger"),
    )
    if with_sequence:
        carried = fit.carry_over(task.one, task.other)
        low, high = carried.confidence_interval(task.blank.level)
        task.notes.append(
            Remark(
                "Carry-over {value} ({low} to {high}); reported, never acted on.",
                {"value": carried.value, "low": low, "high": high},
            )
        )
    first = fit.first_period(task.one, task.other)
    low, high = first.confidence_interval(task.blank.level)
    task.notes.append(
        Remark("First period alone {value} ({low} to {high}).", {"value": first.value, "low": low, "high": high})
    )
    terms = " + ".join(["TRTP", "APERIOD", *(["TRTSEQP"] if with_sequence else []), *covariates])
    return task.result(fit.treatment(task.one, task.other), formula=f"{task.item.outcome} ~ {terms}")


def _mmrm(task: _Task) -> Result:
    visit = "APERIOD" if "period" in task.terms else "AVISITN"
    columns = task.columns()
    formula = f"{task.item.outcome} ~ {' + '.join(columns)}"
    fit = mmrm(
        formula,
        _dense(task.rows),
        subject="USUBJID",
        visit=visit,
        covariance=COVARIANCES.get(task.item.model.covariance or "us", task.item.model.covariance or "us"),
        method=METHODS.get(task.item.model.degrees_of_freedom or "", "kenward-roger"),
        factors=_factors(task),
    )
    at: Mapping[str, float] = {}
    if any(set(column.split(":")) == {"TRTP", visit} for column in columns):
        last = max(task.rows[visit])
        at = {visit: last}
        task.notes.append(Remark("Difference at the last visit that the plan names."))
    return task.result(fit.difference("TRTP", task.one, task.other, at), formula=formula)


def _negative_binomial(task: _Task) -> Result:
    formula = f"{task.item.outcome} ~ {' + '.join(task.columns())}"
    rows = _dense(task.one_row_each())
    try:
        fit = count_regression(formula, rows, factors=_factors(task))
    except TrialwrightError as error:
        if "dispersion" not in str(error):
            raise
        # Said in the result, as every departure from the plan is.
        task.notes.append(Remark("The counts vary no more than Poisson's; Poisson regression instead."))
        fit = count_regression(formula, rows, dispersion=0, factors=_factors(task))
    return task.result(fit.difference("TRTP", task.one, task.other), ratio=True, formula=formula)


def _exact(task: _Task) -> Result:
    entered = task.plan.frames["ADSL"].dropna(subset=["RANDDT"]).sort_values(["RANDDT", "USUBJID"])
    places = {name: place for place, name in enumerate(entered["USUBJID"])}
    rows = task.one_row_each()
    rows = rows[rows["USUBJID"].isin(places)]
    used = [places[name] for name in rows["USUBJID"]]
    procedure = _procedure(task, entered)

    def replay(number: int) -> tuple[str, ...]:
        # Everybody randomised has a place in the procedure, whether or not there is a value to analyse.
        drawn = procedure(number)
        return tuple(drawn[place] for place in used)

    covariates = [rows[task.plan.column(term)].to_numpy(dtype=float) for term in task.terms if term == "baseline"]
    tested = rerandomisation_test(
        rows[task.item.outcome].to_numpy(dtype=float), list(rows["TRTP"]), replay, arm=task.one,
        covariates=covariates, draws=DRAWS,
    )  # fmt: skip
    low, high = tested.confidence_interval(task.blank.level)
    task.notes.append(
        Remark(
            "Monte-Carlo standard error of p {error}, {lists} lists.",
            {"error": tested.monte_carlo_error, "lists": tested.lists},
        )
    )
    return replace(
        task.blank, value=tested.value, low=low, high=high, p_value=tested.p_value, notes=tuple(task.notes),
        formula=f"re-randomisation of {task.item.outcome}",
    )  # fmt: skip


def _procedure(task: _Task, entered: pandas.DataFrame) -> Callable[[int], tuple[str, ...]]:
    """Number of a draw → the arms that everybody randomised would get, in order of entry."""
    study, words = task.plan.study, task.plan.words
    sequences = {sequence.id: sequence for sequence in study.identity.sequences}
    first = study.identity.periods[0].id if study.identity.periods else ""

    def arm_of(unit: str) -> str:
        return sequences[unit].arms[first] if unit in sequences else unit

    if study.randomisation.method == "minimisation":
        people = [
            {"site": str(row["SITEID"]), **{factor: str(row.get(name)) for factor, name in words.strata.items()}}
            for _, row in entered.iterrows()
        ]
        task.notes.append(Remark(MINIMISED))
        return minimised(usual_minimisation(study, people), people, arm_of)
    strata = ["/".join(_stratum(row, study.randomisation.by_site, task)) for _, row in entered.iterrows()]
    task.notes.append(Remark(ASSUMED))
    return replay_of(usual_design(study), strata, arm_of)


def _log_rank(task: _Task) -> Result:
    rows = task.one_row_each()
    time, event = rows["AVAL"].to_numpy(dtype=float), 1 - rows["CNSR"].to_numpy(dtype=float)
    tested = log_rank(time, event, list(rows["TRTP"]))
    fit = cox("~ TRTP", _dense(rows.assign(EVENT=event)), time="AVAL", event="EVENT", factors=("TRTP",))
    task.notes.append(Remark("Hazard ratio by Cox's model, p-value of the log-rank test."))
    estimate = fit.difference("TRTP", task.one, task.other)
    return task.result(estimate, ratio=True, p_value=tested.p_value, formula="log-rank AVAL * CNSR by TRTP")


def _cox(task: _Task) -> Result:
    rows = task.one_row_each()
    event = 1 - rows["CNSR"].to_numpy(dtype=float)
    formula = f"~ {' + '.join(task.columns())}"
    fit = cox(formula, _dense(rows.assign(EVENT=event)), time="AVAL", event="EVENT", factors=_factors(task))
    return task.result(fit.difference("TRTP", task.one, task.other), ratio=True, formula=formula)


def _cmh(task: _Task) -> Result:
    rows = task.one_row_each()
    words = [task.plan.column(term) for term in task.terms if term != "arm"]
    groups = [rows] if not words else [group for _, group in rows.groupby(words)]
    tables = [_two_by_two(group, task) for group in groups]
    found = mantel_haenszel(np.array(tables))
    return task.result(found.log_odds_ratio, ratio=True, p_value=found.p_value, formula="Cochran-Mantel-Haenszel")


def _two_by_two(rows: pandas.DataFrame, task: _Task) -> list[list[int]]:
    table = []
    for arm in (task.one, task.other):
        happened = rows.loc[rows["TRTP"] == arm, task.item.outcome] > 0
        table.append([int(happened.sum()), int((~happened).sum())])
    return table


def _stratum(row: pandas.Series, by_site: bool, task: _Task) -> list[str]:
    found = [str(row[name]) for name in task.plan.words.strata.values() if name in row]
    return [str(row["SITEID"]), *found] if by_site else found


def _factors(task: _Task) -> tuple[str, ...]:
    """Columns that hold levels, although some are numbers."""
    levels = {"TRTP", "APERIOD", "TRTSEQP", "AVISITN", "SITEID", *task.plan.words.strata.values()}
    named = {word for column in task.columns() for word in column.split(":")}
    return tuple(sorted(levels & named))


def _dense(rows: pandas.DataFrame) -> pandas.DataFrame:
    return rows.reset_index(drop=True)


_SCALES = {
    "negative_binomial": "rate_ratio",
    "logrank": "hazard_ratio",
    "cox": "hazard_ratio",
    "cmh": "odds_ratio",
}
_FITS: Mapping[str, Callable[[_Task], Result]] = {
    "ancova": _ancova,
    "crossover": _crossover,
    "mmrm": _mmrm,
    "negative_binomial": _negative_binomial,
    "exact": _exact,
    "logrank": _log_rank,
    "cox": _cox,
    "cmh": _cmh,
}
