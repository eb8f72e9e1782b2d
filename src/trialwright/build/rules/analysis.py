"""Rules about ``analysis.yaml``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from trialwright.build.rules.context import StudyContext
from trialwright.build.rules.names import unknown
from trialwright.build.rules.rule import Problem, rule
from trialwright.protocol.analysis import Endpoint
from trialwright.protocol.findings import Severity
from trialwright.protocol.positions import KeyPath

_FILE = "analysis.yaml"
_CHANGES = ("change_from_baseline", "percent_change")


@rule(
    "TW140",
    "Names in the analysis plan are declared",
    why="An estimand over an unknown population or endpoint cannot be estimated, and nobody notices before lock.",
    bad="estimands: [{endpoint: ep_month6, …}]   # endpoints has ep_month_6",
    good="estimands: [{endpoint: ep_month_6, …}]",
)
def names_declared(context: StudyContext) -> Iterator[Problem]:
    """Populations, endpoints, estimands, models, encounters."""
    plan = context.study.analysis
    populations, endpoints = [p.id for p in plan.populations], [e.id for e in plan.endpoints]
    estimands = [e.id for e in plan.estimands]
    for n, estimand in enumerate(plan.estimands):
        yield from _known(("estimands", n, "population"), "population", [estimand.population], populations)
        yield from _known(("estimands", n, "endpoint"), "endpoint", [estimand.endpoint], endpoints)
    for n, model in enumerate(plan.models):
        yield from _known(("models", n, "estimand"), "estimand", [model.estimand], estimands)
    yield from _known(("multiplicity",), "estimand", plan.multiplicity, estimands, listed=True)
    for n, endpoint in enumerate(plan.endpoints):
        yield from _known(("endpoints", n, "at"), "encounter", endpoint.at, context.study.encounters, listed=True)
        if endpoint.baseline is not None:
            path = ("endpoints", n, "baseline")
            yield from _known(path, "encounter", [endpoint.baseline], context.study.encounters)


def _known(
    path: KeyPath, kind: str, given: Iterable[str], known: Iterable[str], *, listed: bool = False
) -> Iterator[Problem]:
    declared = list(known)
    for n, name in enumerate(given):
        if name not in declared:
            yield unknown(_FILE, (*path, n) if listed else path, kind, name, declared)


@rule(
    "TW141",
    "An endpoint is an item that exists and can be counted",
    why="The mean of a text, or of an item that no form has, is nothing.",
    bad="- {id: walk, item: walk.remarks, measure: value, …}",
    good="- {id: walk, item: walk.mean_time, measure: value, …}",
)
def endpoints_exist(context: StudyContext) -> Iterator[Problem]:
    """``item`` of each endpoint, and its type."""
    for n, endpoint in enumerate(context.study.analysis.endpoints):
        item = context.study.items.get(endpoint.item)
        path = ("endpoints", n, "item")
        if item is None:
            yield unknown(_FILE, path, "item", endpoint.item, context.study.items)
        elif endpoint.measure in ("value", *_CHANGES) and item.type not in (
            "integer",
            "decimal",
            "quantity",
            "scale",
        ):
            message = f"{endpoint.id}: {endpoint.item} is of type {item.type}, which has no {endpoint.measure}"
            yield Problem(_FILE, path, message, "name a number, or measure a count, a time or yes/no")


@rule(
    "TW142",
    "An endpoint's item is collected when the endpoint is assessed",
    why="The primary endpoint of a whole trial has been lost because a form was not listed at one visit.",
    bad="# analysis.yaml: {item: edss.rater_score, at: [month_6], …}\n- {id: month_6, forms: [vital_signs]}",
    good="- {id: month_6, forms: [vital_signs, edss]}",
)
def endpoints_collected(context: StudyContext) -> Iterator[Problem]:
    """The item's form at each ``at`` and at the baseline."""
    for n, endpoint in enumerate(context.study.analysis.endpoints):
        form = endpoint.item.split(".")[0]
        if endpoint.item not in context.study.items:
            continue
        if endpoint.measure == "time_to_event" and form in context.study.schedule.log_forms:
            continue  # written down when it happens; the encounters say how long people are followed
        named: list[tuple[KeyPath, str]] = [(("endpoints", n, "at", k), at) for k, at in enumerate(endpoint.at)]
        if endpoint.baseline is not None:
            named.append((("endpoints", n, "baseline"), endpoint.baseline))
        for path, encounter in named:
            declared = context.study.encounters.get(encounter)
            if declared is not None and form not in declared.forms:
                message = f"{endpoint.id}: {form} is not filled at {encounter}"
                yield Problem(_FILE, path, message, f"add {form} to {encounter}, or assess it elsewhere")


@rule(
    "TW143",
    "A change has a baseline that comes before it, and before treatment",
    why="A change from nothing cannot be computed; a baseline after treatment hides the effect.",
    bad="- {measure: change_from_baseline, baseline: month_6, at: [month_3], …}",
    good="- {measure: change_from_baseline, baseline: baseline, at: [month_3], …}",
)
def baseline_first(context: StudyContext) -> Iterator[Problem]:
    """Order of baseline, first administration and assessments."""
    order = context.encounter_index
    given = [
        n
        for n, encounter in enumerate(context.study.schedule.encounters)
        if any(act.act == "administration" for act in encounter.acts)
    ]
    for n, endpoint in enumerate(context.study.analysis.endpoints):
        if endpoint.measure in _CHANGES and endpoint.baseline is None:
            yield Problem(_FILE, ("endpoints", n), f"{endpoint.id} changes from nothing", "add baseline")
            continue
        if endpoint.baseline not in order:
            continue
        base, path = order[endpoint.baseline], ("endpoints", n, "baseline")
        if _assessed_before(endpoint, order, base):
            message = f"{endpoint.id}: {endpoint.baseline} does not come before every assessment"
            yield Problem(_FILE, path, message, "name an earlier encounter")
        elif given and base > given[0]:
            message = f"{endpoint.id}: {endpoint.baseline} comes after the first administration"
            yield Problem(_FILE, path, message, "name an encounter before treatment")


def _assessed_before(endpoint: Endpoint, order: dict[str, int], base: int) -> bool:
    return any(order[at] <= base for at in endpoint.at if at in order)


@rule(
    "TW144",
    "There is one primary question, or an order of testing",
    why="Without a primary estimand nothing can be concluded; with several and no order, chance gets several tries.",
    bad="estimands: [{id: a, kind: primary, …}, {id: b, kind: primary, …}]\nmultiplicity: []",
    good="estimands: [{id: a, kind: primary, …}, {id: b, kind: primary, …}]\nmultiplicity: [a, b]",
)
def one_primary(context: StudyContext) -> Iterator[Problem]:
    """Primary estimands against ``multiplicity``."""
    plan = context.study.analysis
    primary = [estimand.id for estimand in plan.estimands if estimand.kind == "primary"]
    if not primary:
        yield Problem(_FILE, ("estimands",), "no estimand is primary", "write kind: primary for one")
    elif len(primary) > 1 and not set(primary) <= set(plan.multiplicity):
        message = f"{len(primary)} primary estimands without an order of testing"
        yield Problem(_FILE, ("multiplicity",), message, "list them under multiplicity")


@rule(
    "TW145",
    "The primary estimand has one main model",
    why="Whoever may choose the model after seeing the data chooses the result.",
    bad="models: [{estimand: primary, role: sensitivity, …}]",
    good="models: [{estimand: primary, role: main, …}, {estimand: primary, role: sensitivity, …}]",
)
def one_main_model(context: StudyContext) -> Iterator[Problem]:
    """Main models of primary estimands."""
    plan = context.study.analysis
    for n, estimand in enumerate(plan.estimands):
        main = [model.id for model in plan.models if model.estimand == estimand.id and model.role == "main"]
        if len(main) > 1 or (estimand.kind == "primary" and not main):
            found = f"main models {', '.join(main)}" if main else "no main model"
            yield Problem(_FILE, ("estimands", n), f"{estimand.id} has {found}", "declare exactly one role: main")


@rule(
    "TW146",
    "A crossover reports the first period alone as well",
    why="If something of the first treatment lasts into the second period, only the first period is unbiased.",
    bad="models: [{method: crossover, periods: both, …}]",
    good="models: [{method: crossover, periods: both, …}, {method: ancova, periods: first_only, …}]",
)
def first_period_reported(context: StudyContext) -> Iterator[Problem]:
    """A model with ``periods: first_only``."""
    if context.study.identity.design != "crossover":
        return
    if not any(model.periods == "first_only" for model in context.study.analysis.models):
        yield Problem(_FILE, ("models",), "no model uses the first period only", "add one with periods: first_only")


@rule(
    "TW147",
    "Small studies do not trust large-sample degrees of freedom",
    why="At 18 participants an unstructured mixed model without Kenward-Roger rejects a true null in 6.5 to 6.9 % at "
    "nominal 5 %.",
    bad="planned_participants: 18\nmodels: [{method: mmrm, covariance: us, degrees_of_freedom: residual, …}]",
    good="models: [{method: mmrm, covariance: us, degrees_of_freedom: kenward_roger, …}]",
    severity=Severity.WARNING,
)
def small_samples_respected(context: StudyContext) -> Iterator[Problem]:
    """Mixed models with fewer than 50 participants."""
    if context.study.identity.planned_participants >= 50:
        return
    for n, model in enumerate(context.study.analysis.models):
        if model.method == "mmrm" and model.degrees_of_freedom != "kenward_roger":
            message = f"{model.id}: a mixed model without Kenward-Roger in a small study"
            yield Problem(_FILE, ("models", n), message, "write degrees_of_freedom: kenward_roger")


@rule(
    "TW148",
    "The level of significance is small",
    why="An alpha of 5 instead of 0.05 makes every result significant.",
    bad="alpha: 5",
    good='alpha: "0.05"',
)
def alpha_small(context: StudyContext) -> Iterator[Problem]:
    """Above 0, at most 0.2."""
    alpha = context.study.analysis.alpha
    if not 0 < Fraction(alpha) <= Fraction("0.2"):
        yield Problem(_FILE, ("alpha",), f"alpha is {alpha}", "write it as a share, for example 0.05")


_METHODS = {
    "mean_difference": ("ancova", "crossover", "mmrm", "exact"),
    "hazard_ratio": ("logrank", "cox"),
    "rate_ratio": ("negative_binomial", "exact"),
    "odds_ratio": ("cmh", "exact"),
    "risk_difference": ("cmh", "exact"),
}
_SUMMARIES = {
    "time_to_event": ("hazard_ratio",),
    "count": ("rate_ratio", "mean_difference"),
    "binary": ("odds_ratio", "risk_difference"),
}


@rule(
    "TW149",
    "Measure, summary and method fit together",
    why="A Cox model of a change, or a mean difference of yes and no, answers no question.",
    bad="endpoints: [{id: e, measure: time_to_event, …}]\nestimands: [{endpoint: e, summary: mean_difference, …}]",
    good="estimands: [{endpoint: e, summary: hazard_ratio, …}]\nmodels: [{method: cox, …}]",
)
def method_fits(context: StudyContext) -> Iterator[Problem]:
    """Endpoint → summary → method."""
    plan = context.study.analysis
    endpoints = {endpoint.id: endpoint for endpoint in plan.endpoints}
    estimands = {estimand.id: estimand for estimand in plan.estimands}
    for n, estimand in enumerate(plan.estimands):
        endpoint = endpoints.get(estimand.endpoint)
        allowed = _SUMMARIES.get(endpoint.measure, ("mean_difference",)) if endpoint else (estimand.summary,)
        if endpoint is not None and estimand.summary not in allowed:
            message = f"{estimand.id}: {estimand.summary} of {endpoint.measure}"
            yield Problem(_FILE, ("estimands", n, "summary"), message, f"write {' or '.join(allowed)}")
    for n, model in enumerate(plan.models):
        answered = estimands.get(model.estimand)
        if answered is not None and model.method not in _METHODS[answered.summary]:
            message = f"{model.id}: {model.method} does not give {answered.summary}"
            yield Problem(_FILE, ("models", n, "method"), message, f"use {', '.join(_METHODS[answered.summary])}")


@rule(
    "TW150",
    "Outputs show what the plan estimates",
    why="A table of something that is not in the plan is either a leftover or an analysis nobody agreed to.",
    bad="outputs: [{id: t1, shows: [primry], …}]",
    good="outputs: [{id: t1, shows: [primary], …}]",
)
def outputs_known(context: StudyContext) -> Iterator[Problem]:
    """``shows`` names estimands, endpoints, models, populations, forms or items, or a standard view."""
    plan, study = context.study.analysis, context.study
    known = {part.id for parts in (plan.estimands, plan.endpoints, plan.models, plan.populations) for part in parts}
    known |= {*study.forms, *study.items, *STANDARD_OUTPUTS}
    for n, output in enumerate(plan.outputs):
        for k, shown in enumerate(output.shows):
            if shown not in known:
                yield unknown(_FILE, ("outputs", n, "shows", k), "thing to show called", shown, sorted(known))


@rule(
    "TW151",
    "What the plan makes of an intercurrent event can be carried out",
    why="A strategy that nobody can carry out is passed over in silence, and the estimate answers another question.",
    bad="intercurrent: [{id: relapse, strategy: hypothetical, …}]",
    good="intercurrent: [{id: relapse, strategy: hypothetical, begins: relapse.start, …}]",
)
def strategies_carried_out(context: StudyContext) -> Iterator[Problem]:
    """``begins`` where values of visits are left out, and a date; a composite is part of its endpoint."""
    plan = context.study.analysis
    measures = {endpoint.id: endpoint.measure for endpoint in plan.endpoints}
    for n, estimand in enumerate(plan.estimands):
        for k, event in enumerate(estimand.intercurrent):
            path: KeyPath = ("estimands", n, "intercurrent", k)
            item = context.study.items.get(event.begins) if event.begins is not None else None
            if event.begins is not None and item is None:
                yield unknown(_FILE, (*path, "begins"), "item", event.begins, context.study.items)
            elif item is not None and item.type not in ("date", "partial_date"):
                message = f"{event.id}: {event.begins} is of type {item.type}, and no date"
                yield Problem(_FILE, (*path, "begins"), message, "name the date on which the event began")
            elif event.leaves_out and item is None:
                message = f"{event.id}: {event.strategy}, and nothing says when it began"
                yield Problem(_FILE, (*path, "strategy"), message, "add `begins:` with the item of its date")
            elif event.leaves_out and measures.get(estimand.endpoint) == "time_to_event":
                message = f"{event.id}: {event.strategy} of a time, which no data set cuts short"
                yield Problem(_FILE, (*path, "strategy"), message, "write treatment_policy or composite")
            if event.strategy == "composite" and measures.get(estimand.endpoint) in ("value", *_CHANGES):
                message = f"{event.id}: composite, and {estimand.endpoint} is a mean that cannot hold an event"
                remedy = "measure a count, a time or yes/no that the event is part of"
                yield Problem(_FILE, (*path, "strategy"), message, remedy)


STANDARD_OUTPUTS = frozenset(
    {"disposition", "demographics", "deviations", "adverse_events", "serious_adverse_events", "custody", "screening"}
)
"""What every study can show, whatever it declares."""
