"""Every expression of a study with the file and path it is written at, parsed and typed once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from trialwright.build.formulas import CompiledExpression, compile_expression
from trialwright.build.scopes import fact_scope, form_scope, item_scope, measurement_scope
from trialwright.expressions import BooleanType, ExpressionError, Type, parse, problems
from trialwright.protocol.folder import Study
from trialwright.protocol.forms import Form, Item
from trialwright.protocol.positions import KeyPath

Purpose = Literal[
    "fact",
    "criterion",
    "encounter",
    "item_when",
    "item_derive",
    "check",
    "stratum",
    "release",
    "gate",
    "population",
    "generator",
]


@dataclass(frozen=True)
class Site:
    """One expression where it stands.

    Attributes:
        file, path: where it is written.
        text: the expression.
        purpose: what it is for; decides the names it may use and whether it must be a condition.
        owner: ids that lead to it, for example ``("edss", "score")`` for an item.
        form: the form whose items may be named shortly.
        compiled: the typed expression, or None when ``errors`` say what is wrong.
    """

    file: str
    path: KeyPath
    text: str
    purpose: Purpose
    owner: tuple[str, ...]
    form: str | None = None
    compiled: CompiledExpression | None = None
    errors: tuple[ExpressionError, ...] = ()

    @property
    def is_condition(self) -> bool:
        """Whether it must answer yes, no or unknown."""
        return self.purpose not in ("fact", "item_derive")

    @property
    def answers_yes_or_no(self) -> bool:
        """Whether its type is boolean."""
        return self.compiled is not None and isinstance(self.compiled.type, BooleanType)


def expression_sites(study: Study, scopes: Scopes | None = None) -> tuple[Site, ...]:
    """All expressions, compiled where they can be."""
    scopes = scopes or Scopes(study)
    return tuple(_compiled(site, scopes.of(site)) for site in _written(study))


class Scopes:
    """The names that each expression may use."""

    def __init__(self, study: Study) -> None:
        self._items = item_scope(study)
        self._facts = fact_scope(study)
        self._measurements = measurement_scope(study)
        self._forms = {form.id: form_scope(study, form, self._items) for form in study.forms.values()}

    def of(self, site: Site) -> Mapping[str, Type]:
        """Names and types for one expression, by its purpose."""
        if site.purpose in ("criterion", "stratum"):
            return self._facts
        if site.purpose == "release":
            return self._measurements
        if site.purpose in ("encounter", "population"):
            return {**self._items, **self._facts}
        return self._forms[site.form] if site.form else self._items


def _compiled(site: Site, scope: Mapping[str, Type]) -> Site:
    try:
        return replace(site, compiled=compile_expression(site.text, scope, form=site.form, where=site.file))
    except ExpressionError as error:
        return replace(site, errors=_all_errors(site, scope) or (error,))


def _all_errors(site: Site, scope: Mapping[str, Type]) -> tuple[ExpressionError, ...]:
    try:
        return problems(parse(site.text, site.file), scope)
    except ExpressionError:  # it could not even be read: there is only that
        return ()


def _written(study: Study) -> Iterator[Site]:
    yield from _eligibility(study)
    for n, encounter in enumerate(study.schedule.encounters):
        if encounter.when is not None:
            yield Site("schedule.yaml", ("encounters", n, "when"), encounter.when, "encounter", (encounter.id,))
    for form in study.forms.values():
        yield from _form(form)
    for n, stratum in enumerate(study.randomisation.strata):
        for level, text in stratum.level.items():
            yield Site("randomisation.yaml", ("strata", n, "level", level), text, "stratum", (stratum.id, level))
    yield from _custody(study)
    for n, population in enumerate(study.analysis.populations):
        if population.condition is not None:
            path = ("populations", n, "condition")
            yield Site("analysis.yaml", path, population.condition, "population", (population.id,))
    for n, generator in enumerate(study.simulation.generators):
        if generator.where is not None:
            path = ("generators", n, "where")
            yield Site("simulation.yaml", path, generator.where, "generator", (generator.item, str(n)))


def _eligibility(study: Study) -> Iterator[Site]:
    for n, fact in enumerate(study.eligibility.facts):
        if fact.from_items is not None:
            yield Site("eligibility.yaml", ("facts", n, "from"), fact.from_items, "fact", (fact.id,))
    for n, criterion in enumerate(study.eligibility.criteria):
        if criterion.expression is not None:
            path = ("criteria", n, "expression")
            yield Site("eligibility.yaml", path, criterion.expression, "criterion", (criterion.id,))


def _form(form: Form) -> Iterator[Site]:
    file = f"forms/{form.id}.yaml"
    for path, item in items_with_paths(form):
        owner = (form.id, item.id)
        if item.when is not None:
            yield Site(file, (*path, "when"), item.when, "item_when", owner, form.id)
        if item.derive is not None and item.derive.expression is not None:
            yield Site(file, (*path, "derive", "expression"), item.derive.expression, "item_derive", owner, form.id)
    for n, check in enumerate(form.checks):
        yield Site(file, ("checks", n, "expression"), check.expression, "check", (form.id, check.id), form.id)


def _custody(study: Study) -> Iterator[Site]:
    if study.custody is None:
        return
    for n, release in enumerate(study.custody.release):
        yield Site("custody.yaml", ("release", n, "expression"), release.expression, "release", (release.id,))
    for n, gate in enumerate(study.custody.gates):
        yield Site("custody.yaml", ("gates", n, "expression"), gate.expression, "gate", (gate.id,))


def items_with_paths(form: Form) -> Iterator[tuple[KeyPath, Item]]:
    """Each item of a form with its path in the form's file."""
    for g, group in enumerate(form.groups):
        for n, item in enumerate(group.items):
            yield ("groups", g, "items", n), item
