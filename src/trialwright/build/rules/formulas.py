"""Rules about expressions, wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator

from trialwright.build.rules.context import StudyContext
from trialwright.build.rules.rule import Problem, rule
from trialwright.build.sites import Site
from trialwright.expressions import (
    BooleanType,
    CodeType,
    ExpressionError,
    SyntaxProblem,
    TooLarge,
    TypeProblem,
    UnitProblem,
    UnknownName,
    check,
    parse,
)
from trialwright.expressions.syntax import Comparison, Membership, Name, Quoted, walk
from trialwright.protocol.findings import did_you_mean


def _errors(context: StudyContext, *kinds: type[ExpressionError]) -> Iterator[tuple[Site, ExpressionError]]:
    for site in context.sites:
        for error in site.errors:
            if isinstance(error, kinds):
                yield site, error


def _problem(site: Site, error: ExpressionError) -> Problem:
    return Problem(site.file, site.path, error.message, error.remedy, error.column - 1)


@rule(
    "TW020",
    "An expression can be read",
    why="An expression that is not in the language has no meaning on any screen, in any export or analysis.",
    bad="expression: age => 18",
    good="expression: age >= 18",
)
def readable(context: StudyContext) -> Iterator[Problem]:
    """Syntax and size."""
    for site, error in _errors(context, SyntaxProblem, TooLarge):
        yield _problem(site, error)


@rule(
    "TW021",
    "An expression names what the study declares",
    why="A name that nothing declares would be missing for ever, so the expression could never decide.",
    bad="expression: agee >= 18",
    good="expression: age >= 18",
)
def names_known(context: StudyContext) -> Iterator[Problem]:
    """Names of items, facts and measurements."""
    for site, error in _errors(context, UnknownName):
        yield _problem(site, error)


@rule(
    "TW022",
    "Values that are compared are of one kind",
    why="A date compared with a number, or a text that is ordered, answers differently in every system.",
    bad="expression: birth_date >= 18",
    good="expression: years_between(birth_date, visit_date) >= 18",
)
def kinds_agree(context: StudyContext) -> Iterator[Problem]:
    """Types, except codes that a list lacks (TW024)."""
    lacking = {(site.file, site.path) for site, _, _, _ in _codes_lacking(context)}
    for site, error in _errors(context, TypeProblem):
        if (site.file, site.path) not in lacking:
            yield _problem(site, error)


@rule(
    "TW023",
    "Units are known and measure the same",
    why="A weight compared with a length, or a number without its unit, is how doses go wrong by a factor of 1,000.",
    bad="expression: weight > 5 'cm'",
    good="expression: weight > 5 'kg'",
)
def units_agree(context: StudyContext) -> Iterator[Problem]:
    """Units in expressions."""
    for site, error in _errors(context, UnitProblem):
        yield _problem(site, error)


@rule(
    "TW024",
    "A code in an expression is in its code list",
    why="A comparison with a code that nobody can choose never holds, and nothing tells so.",
    bad='expression: ms_type in ("SPMS", "PPSM")',
    good='expression: ms_type in ("SPMS", "PPMS")',
)
def codes_listed(context: StudyContext) -> Iterator[Problem]:
    """Literals beside code items."""
    for site, literal, codelist, codes in _codes_lacking(context):
        remedy = did_you_mean(literal.text, codes) or f"{codelist} has {', '.join(codes[:12])}"
        message = f"the code {literal.text!r} is not in the list {codelist}"
        yield Problem(site.file, site.path, message, remedy, literal.column - 1)


@rule(
    "TW025",
    "A condition answers yes or no",
    why="A criterion, check, gate or condition that gives a number or a text decides nothing.",
    bad="when: weight",
    good="when: weight is not missing",
)
def conditions_decide(context: StudyContext) -> Iterator[Problem]:
    """Type of the whole expression."""
    for site in context.sites:
        if site.is_condition and site.compiled is not None and not isinstance(site.compiled.type, BooleanType):
            yield Problem(site.file, site.path, "the expression is not a condition", "compare it with something")


def _codes_lacking(context: StudyContext) -> Iterator[tuple[Site, Quoted, str, tuple[str, ...]]]:
    """Literals compared with a code item whose list lacks them; lists that do not exist are TW051's."""
    for site in context.sites:
        if not any(isinstance(error, TypeProblem) for error in site.errors):
            continue
        scope = context.scopes.of(site)
        for node in walk(parse(site.text).root):
            if isinstance(node, Comparison):
                operands = node.operands
            elif isinstance(node, Membership):
                operands = (node.value, *node.options)
            else:
                continue
            types = [scope.get(n.reference.item) for n in operands if isinstance(n, Name)]
            code = next((t for t in types if isinstance(t, CodeType)), None)
            if code is None:
                continue
            for literal in operands:
                if isinstance(literal, Quoted) and literal.text not in code.values:
                    yield site, literal, code.codelist, code.values


@rule(
    "TW026",
    "A computed value fits what is declared",
    why="A text computed into a number, or kilograms into centimetres, is a wrong value in every export.",
    bad="- {id: bmi, type: boolean, derive: {expression: weight / (height * height)}}",
    good="- {id: bmi, type: quantity, units: [kg/m2], derive: {expression: weight / (height * height)}}",
)
def computed_fits(context: StudyContext) -> Iterator[Problem]:
    """Derived items and facts taken from forms."""
    for site in context.sites_for("fact", "item_derive"):
        wanted = context.declared_type(site)
        if site.compiled is None or wanted is None:
            continue
        try:
            check(site.compiled.compiled.expression, context.scopes.of(site), wanted)
        except ExpressionError as error:
            yield Problem(site.file, site.path, error.message, "change the declared type or unit, or the expression")
