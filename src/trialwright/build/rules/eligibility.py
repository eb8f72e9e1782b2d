"""Rules about ``eligibility.yaml``."""

from __future__ import annotations

from collections.abc import Iterator

from trialwright.build.formulas import CompiledExpression
from trialwright.build.possibilities import implies_no, rows, truths
from trialwright.build.rules.context import StudyContext
from trialwright.build.rules.names import unknown
from trialwright.build.rules.rule import Problem, rule
from trialwright.build.sites import Site
from trialwright.protocol.eligibility import Criterion
from trialwright.protocol.findings import Severity

_FILE = "eligibility.yaml"


def _conditions(context: StudyContext, kind: str) -> Iterator[tuple[int, Criterion, Site, CompiledExpression]]:
    for n, criterion in enumerate(context.study.eligibility.criteria):
        site = context.site("criterion", criterion.id)
        if criterion.kind == kind and site is not None and site.compiled is not None and site.answers_yes_or_no:
            yield n, criterion, site, site.compiled


@rule(
    "TW030",
    "An exclusion excludes somebody whom no inclusion has refused",
    why="An exclusion that only restates an inclusion must be kept in step with it for ever, and sooner or later the "
    "two disagree. Meaning decides, not words: it restates when everybody it excludes already fails the inclusion.",
    bad="- {id: adult, kind: inclusion, expression: 18 <= age <= 55, …}\n"
    "- {id: not_adult, kind: exclusion, expression: age < 18 or age > 55, …}",
    good="- {id: adult, kind: inclusion, expression: 18 <= age <= 55, …}",
)
def exclusion_restates(context: StudyContext) -> Iterator[Problem]:
    """Implication over all rows that the two conditions can tell apart."""
    for _, exclusion, site, excludes in _conditions(context, "exclusion"):
        facts = {reference.key for reference in excludes.references}
        for _, inclusion, _, includes in _conditions(context, "inclusion"):
            if facts & {reference.key for reference in includes.references} and implies_no(excludes, includes):
                message = f"{exclusion.id} excludes only those who fail the inclusion {inclusion.id}"
                yield Problem(_FILE, site.path[:-1], message, "remove it; the inclusion says it already")
                break


@rule(
    "TW031",
    "Somebody can fit every criterion",
    why="A study whose criteria contradict each other recruits nobody, and each site finds out by itself.",
    bad="- {id: adult, kind: inclusion, expression: age >= 18, …}\n"
    "- {id: grown, kind: exclusion, expression: age > 15, …}",
    good="- {id: adult, kind: inclusion, expression: age >= 18, …}\n"
    "- {id: old, kind: exclusion, expression: age > 75, …}",
)
def somebody_fits(context: StudyContext) -> Iterator[Problem]:
    """Pairs of criteria that share a fact."""
    fitting = [(n, c, e, True) for n, c, _, e in _conditions(context, "inclusion")]
    fitting += [(n, c, e, False) for n, c, _, e in _conditions(context, "exclusion")]
    for k, (n, criterion, first, wanted) in enumerate(fitting):
        for m, other, second, other_wanted in fitting[:k]:
            shared = {r.key for r in first.references} & {r.key for r in second.references}
            found = rows(first, second) if shared else None
            if found is None or _one_sided(first, wanted) or _one_sided(second, other_wanted):
                continue
            if not any(
                first.compiled.decide(r) is wanted and second.compiled.decide(r) is other_wanted for r in found
            ):
                message = f"nobody can fit both {other.id} and {criterion.id}"
                yield Problem(_FILE, ("criteria", max(n, m)), message, "change one of them")


def _one_sided(condition: CompiledExpression, wanted: bool) -> bool:
    """Nobody can fit it even alone: TW032 says so."""
    answers = truths(condition)
    return answers is not None and wanted not in answers


@rule(
    "TW032",
    "A criterion can be met and can be failed",
    why="A criterion that nobody can meet ends recruitment; one that nobody can fail decides nothing.",
    bad="- {id: adult, kind: inclusion, expression: age >= 18 or age < 18, …}",
    good="- {id: adult, kind: inclusion, expression: age >= 18, …}",
)
def criterion_decides(context: StudyContext) -> Iterator[Problem]:
    """Answers over all rows."""
    for kind in ("inclusion", "exclusion"):
        for _, criterion, site, condition in _conditions(context, kind):
            answers = truths(condition, missing=False)
            if answers is None:
                continue
            if True not in answers:
                yield Problem(_FILE, site.path, f"{criterion.id} never holds", "correct the expression")
            elif False not in answers:
                yield Problem(_FILE, site.path, f"{criterion.id} always holds", "correct the expression")


@rule(
    "TW033",
    "A criterion without an expression says that the doctor decides",
    why="A criterion that no machine can judge and that nobody is named for is judged by nobody.",
    bad="- {id: can_consent, kind: inclusion, text: {…}}",
    good="- {id: can_consent, kind: inclusion, text: {…}, decides: doctor}",
)
def somebody_decides(context: StudyContext) -> Iterator[Problem]:
    """``decides`` where there is no expression."""
    for n, criterion in enumerate(context.study.eligibility.criteria):
        if criterion.expression is None and criterion.decides != "doctor":
            message = f"{criterion.id} has no expression and does not say who decides"
            yield Problem(_FILE, ("criteria", n), message, "add decides: doctor, or an expression")


@rule(
    "TW034",
    "A fact is asked for a reason",
    why="A question that decides nothing wastes the time of tired people, and collects data without a purpose.",
    bad="facts: [{id: shoe_size, …}]   # no criterion mentions it",
    good="facts: [{id: age, …}]\ncriteria: [{expression: age >= 18, …}]",
    severity=Severity.WARNING,
)
def facts_used(context: StudyContext) -> Iterator[Problem]:
    """Facts in criteria, strata, encounters and populations."""
    eligibility = context.study.eligibility
    mentioned: set[str] = set()
    for site in context.sites_for("criterion", "stratum", "encounter", "population"):
        if site.compiled is None:
            return  # what does not compile may mention anything
        mentioned |= {reference.item for reference in site.compiled.references if reference.form is None}
    for n, fact in enumerate(eligibility.facts):
        if fact.id not in mentioned:
            yield Problem(_FILE, ("facts", n), f"no criterion uses the fact {fact.id}", "use it or remove it")


@rule(
    "TW035",
    "A fact has the parts that its type needs",
    why="A quantity without its unit, or a code without its list, cannot be compared with anything.",
    bad="- {id: weight, type: quantity}",
    good="- {id: weight, type: quantity, unit: kg}",
)
def facts_complete(context: StudyContext) -> Iterator[Problem]:
    """``unit`` for quantities only, ``codelist`` for codes only."""
    for n, fact in enumerate(context.study.eligibility.facts):
        path = ("facts", n)
        if (fact.type == "quantity") != (fact.unit is not None):
            remedy = "add unit" if fact.unit is None else "remove unit, or write type: quantity"
            yield Problem(_FILE, path, f"{fact.id} is of type {fact.type}, unit {fact.unit or 'none'}", remedy)
        if (fact.type == "code") != (fact.codelist is not None):
            remedy = "add codelist" if fact.codelist is None else "remove codelist, or write type: code"
            yield Problem(
                _FILE, path, f"{fact.id} is of type {fact.type}, codelist {fact.codelist or 'none'}", remedy
            )
        elif fact.codelist is not None and fact.codelist not in context.study.terminology:
            yield unknown(_FILE, (*path, "codelist"), "code list", fact.codelist, context.study.terminology)


@rule(
    "TW036",
    "Eligibility is assessed at an encounter of the schedule",
    why="The facts are taken from the forms of that encounter, and randomisation waits for its assessment.",
    bad="encounter: screning",
    good="encounter: screening   # and in schedule.yaml: acts: [{act: eligibility}]",
)
def assessed_somewhere(context: StudyContext) -> Iterator[Problem]:
    """The encounter exists and has the act."""
    given = context.study.eligibility.encounter
    encounter = context.study.encounters.get(given)
    if encounter is None:
        yield unknown(_FILE, ("encounter",), "encounter", given, context.study.encounters)
    elif not any(act.act == "eligibility" for act in encounter.acts):
        message = f"at {given} eligibility is not assessed"
        yield Problem(_FILE, ("encounter",), message, f"add the act eligibility to {given} in schedule.yaml")


@rule(
    "TW037",
    "The pre-screener can ask something",
    why="If no fact has a question, people cannot find out whether they might join.",
    bad="facts: [{id: age, type: integer}]",
    good="facts: [{id: age, type: integer, question: {en: How old are you?}}]",
    severity=Severity.WARNING,
)
def something_to_ask(context: StudyContext) -> Iterator[Problem]:
    """At least one question."""
    facts = context.study.eligibility.facts
    if not any(fact.question for fact in facts):
        yield Problem(_FILE, ("facts",), "no fact has a question for the pre-screener", "add questions")


@rule(
    "TW038",
    "What the record knows is yes or no and has no other source",
    why="The record holds the signatures of consent. A form that says it a second time can contradict them.",
    bad="- {id: consent_signed, type: boolean, record: consent, from: demographics.consented}",
    good="- {id: consent_signed, type: boolean, record: consent}",
)
def record_alone(context: StudyContext) -> Iterator[Problem]:
    """``record`` without ``from``, of type boolean."""
    for n, fact in enumerate(context.study.eligibility.facts):
        if fact.record is not None and (fact.type != "boolean" or fact.from_items is not None):
            message = f"{fact.id} is known to the record, and is of type {fact.type} or taken from forms as well"
            yield Problem(_FILE, ("facts", n), message, "write type: boolean and remove from, or remove record")
