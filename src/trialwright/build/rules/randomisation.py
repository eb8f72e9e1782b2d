"""Rules about ``randomisation.yaml``."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import prod

from trialwright.build.formulas import CompiledExpression
from trialwright.build.possibilities import rows
from trialwright.build.rules.context import StudyContext
from trialwright.build.rules.names import unknown
from trialwright.build.rules.rule import Problem, rule
from trialwright.protocol.findings import Severity
from trialwright.protocol.randomisation import Stratum
from trialwright.randomisation import (
    BiasedCoin,
    BigStick,
    InvalidDesign,
    MaximalProcedure,
    Method,
    PermutedBlocks,
    WeiUrn,
)

_FILE = "randomisation.yaml"
_SITE = "site"


@rule(
    "TW090",
    "What is randomised is declared, completely",
    why="An arm or sequence without a share is never allocated; one that does not exist cannot be given.",
    bad="unit: sequence\nratio: {cells_first: 1}",
    good="unit: sequence\nratio: {cells_first: 1, saline_first: 1}",
)
def units_declared(context: StudyContext) -> Iterator[Problem]:
    """Keys of ``ratio`` against arms or sequences; shares from 1."""
    identity, randomisation = context.study.identity, context.study.randomisation
    declared = [u.id for u in (identity.arms if randomisation.unit == "arm" else identity.sequences)]
    for name, share in randomisation.ratio.items():
        if name not in declared:
            yield unknown(_FILE, ("ratio", name), randomisation.unit, name, declared)
        if share < 1:
            yield Problem(_FILE, ("ratio", name), f"the share of {name} is {share}", "give a whole number from 1")
    lacking = [name for name in declared if name not in randomisation.ratio]
    if lacking:
        yield Problem(_FILE, ("ratio",), f"nobody is randomised to {', '.join(lacking)}", "give each a share")


@rule(
    "TW091",
    "A crossover randomises sequences, a parallel study arms",
    why="Randomising arms in a crossover would decide one period and leave the others open.",
    bad="# study.yaml: design: crossover\nunit: arm",
    good="# study.yaml: design: crossover\nunit: sequence",
)
def unit_fits_design(context: StudyContext) -> Iterator[Problem]:
    """``unit`` against ``design``."""
    design, given = context.study.identity.design, context.study.randomisation.unit
    wanted = "sequence" if design == "crossover" else "arm"
    if given != wanted:
        yield Problem(_FILE, ("unit",), f"a {design} study randomises {given}s", f"write unit: {wanted}")


_REPRESENTATIVES: dict[str, Method] = {
    "big_stick": BigStick(3),
    "maximal_procedure": MaximalProcedure(3),
    "efron": BiasedCoin(Fraction(2, 3)),
    "wei_urn": WeiUrn(1, 1),
}


@rule(
    "TW092",
    "The method can serve the ratio",
    why="Some methods balance two equal arms only; a block must hold every arm in its share.",
    bad="method: big_stick\nratio: {active: 2, control: 1}",
    good="method: permuted_blocks\nratio: {active: 2, control: 1}",
)
def method_serves_ratio(context: StudyContext) -> Iterator[Problem]:
    """The engine's own check; block sizes that ``simulation.yaml`` lists are tried, too."""
    randomisation = context.study.randomisation
    ratio = tuple(randomisation.ratio.values())
    if any(share < 1 for share in ratio):
        return  # TW090 says so
    method = _REPRESENTATIVES.get(randomisation.method)
    if method is not None:
        try:
            method.check_ratio(ratio)
        except InvalidDesign as error:
            yield Problem(_FILE, ("method",), error.message, error.remedy)
    if randomisation.method not in ("permuted_blocks", "random_permuted_blocks"):
        return
    for n, sizes in enumerate(context.study.simulation.block_size_candidates):
        for k, size in enumerate(sizes):
            try:
                PermutedBlocks(size).check_ratio(ratio)
            except InvalidDesign as error:
                yield Problem("simulation.yaml", ("block_size_candidates", n, k), error.message, error.remedy)


@rule(
    "TW093",
    "Every level of a stratum says who belongs to it",
    why="A participant who belongs to no level cannot be randomised.",
    bad="- {id: age_group, levels: [young, old], level: {young: age < 40}, …}",
    good="- {id: age_group, levels: [young, old], level: {young: age < 40, old: age >= 40}, …}",
)
def levels_defined(context: StudyContext) -> Iterator[Problem]:
    """``levels`` against ``level``; the factor ``site`` needs none."""
    for n, stratum in enumerate(context.study.randomisation.strata):
        for level in stratum.level:
            if level not in stratum.levels:
                yield unknown(_FILE, ("strata", n, "level", level), "level", level, stratum.levels)
        lacking = [level for level in stratum.levels if level not in stratum.level]
        if lacking and stratum.id != _SITE:
            message = f"{stratum.id}: nothing says who belongs to {', '.join(lacking)}"
            yield Problem(_FILE, ("strata", n), message, "give each level an expression over facts")


@rule(
    "TW094",
    "Everybody belongs to a level, and every level has somebody",
    why="A gap between levels stops a randomisation at the worst moment; a level that is empty never fills.",
    bad="level: {young: age < 40, old: age > 40}",
    good="level: {young: age < 40, old: age >= 40}",
)
def levels_cover(context: StudyContext) -> Iterator[Problem]:
    """Over all rows that the levels of a stratum can tell apart, missing values aside."""
    for n, stratum in enumerate(context.study.randomisation.strata):
        conditions = _conditions(context, stratum)
        found = rows(*conditions.values()) if len(conditions) == len(stratum.levels) else None
        if found is None:
            continue
        filled: set[str | None] = set()
        for row in found:
            if None not in row.values():
                filled.add(next((name for name, c in conditions.items() if c.compiled.decide(row) is True), None))
        if None in filled:
            message = f"{stratum.id}: somebody can belong to no level"
            yield Problem(_FILE, ("strata", n, "level"), message, "close the gap between the levels")
        for level in stratum.levels:
            if level not in filled:
                message = f"{stratum.id}: nobody can belong to {level}"
                yield Problem(_FILE, ("strata", n, "level", level), message, "correct or remove the level")


def _conditions(context: StudyContext, stratum: Stratum) -> dict[str, CompiledExpression]:
    found = {}
    for level in stratum.levels:
        site = context.site("stratum", stratum.id, level)
        if site is not None and site.compiled is not None and site.answers_yes_or_no:
            found[level] = site.compiled
    return found


@rule(
    "TW095",
    "Minimisation has factors; weights belong to minimisation",
    why="Minimisation without factors is a coin; a weight in any other method does nothing.",
    bad="method: minimisation\nstrata: []",
    good="method: minimisation\nstrata: [{id: sex, levels: [female, male], weight: 2, …}]",
)
def factors_fit(context: StudyContext) -> Iterator[Problem]:
    """``strata``, ``by_site`` and ``weight`` against ``method``."""
    randomisation = context.study.randomisation
    minimises = randomisation.method == "minimisation"
    if minimises and not randomisation.strata and not randomisation.by_site:
        yield Problem(_FILE, ("method",), "minimisation has no factors", "add strata, or by_site: true")
    for n, stratum in enumerate(randomisation.strata):
        if stratum.weight != 1 and not minimises:
            message = f"{stratum.id} has a weight, but {randomisation.method} uses none"
            yield Problem(_FILE, ("strata", n, "weight"), message, "remove it")


@rule(
    "TW096",
    "There are not more strata than participants can fill",
    why="With more strata than a few participants each, most blocks stay open and the arms end up unequal.",
    bad="planned_participants: 18   # with 4 sites × 2 × 2 × 2 = 32 strata",
    good="planned_participants: 18\nby_site: false",
    severity=Severity.WARNING,
)
def strata_filled(context: StudyContext) -> Iterator[Problem]:
    """Number of strata against planned participants; at least four each."""
    randomisation, identity = context.study.randomisation, context.study.identity
    if randomisation.method == "minimisation":
        return
    count = prod(len(s.levels) for s in randomisation.strata) * (len(identity.sites) if randomisation.by_site else 1)
    if count > 1 and count * 4 > identity.planned_participants:
        message = f"{count} strata for {identity.planned_participants} participants"
        yield Problem(_FILE, ("strata",), message, "drop a factor, or use minimisation")
