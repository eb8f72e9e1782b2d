"""Rules about ``simulation.yaml``."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from trialwright.build.rules.context import StudyContext
from trialwright.build.rules.names import unknown
from trialwright.build.rules.rule import Problem, rule
from trialwright.protocol.findings import Severity
from trialwright.protocol.positions import KeyPath

_FILE = "simulation.yaml"
_SHARES = (
    "screen_failure",
    "dropout_per_year",
    "missed_visit",
    "late_visit",
    "typing_error",
    "manufacture_failure",
)


@rule(
    "TW160",
    "There is a world without an effect; in a crossover also one with carry-over",
    why="Only the null shows the type-I error. In a crossover, carry-over of a third of a within-person SD raises it "
    "to 8 to 10 %, and nobody sees it without trying.",
    bad="scenarios: [{id: hoped, kind: optimistic, …}]",
    good='scenarios: [{id: "null", kind: "null", …}, {id: lasting, kind: carry_over, carry_over: "0.3", …}]',
)
def scenarios_needed(context: StudyContext) -> Iterator[Problem]:
    """Kinds of scenarios against the design."""
    kinds = {scenario.kind for scenario in context.study.simulation.scenarios}
    if "null" not in kinds:
        yield Problem(_FILE, ("scenarios",), "no scenario has kind null", "add a scenario without effects")
    if context.study.identity.design == "crossover" and "carry_over" not in kinds:
        yield Problem(_FILE, ("scenarios",), "a crossover without a carry_over scenario", "add kind: carry_over")


@rule(
    "TW161",
    "A null scenario has no effect, a carry-over scenario has carry-over",
    why="A null with an effect measures power and calls it type-I error.",
    bad='- {id: "null", kind: "null", effects: [{…}]}',
    good='- {id: "null", kind: "null", effects: []}',
)
def scenarios_honest(context: StudyContext) -> Iterator[Problem]:
    """``effects`` and ``carry_over`` against ``kind``."""
    for n, scenario in enumerate(context.study.simulation.scenarios):
        if scenario.kind == "null" and any(Fraction(effect.change) != 0 for effect in scenario.effects):
            yield Problem(_FILE, ("scenarios", n, "effects"), f"{scenario.id} is null but has effects", "remove them")
        if scenario.kind == "carry_over" and (Fraction(scenario.carry_over) == 0 or not scenario.effects):
            message = f"{scenario.id} carries nothing over"
            yield Problem(_FILE, ("scenarios", n), message, "give carry_over and the effects it is a share of")


@rule(
    "TW162",
    "Effects are of arms and items that exist",
    why="An effect on an item that nobody measures changes nothing, and the simulation looks like a failed trial.",
    bad="effects: [{item: mri.brain_volum, arm: cells, change: 9}]",
    good="effects: [{item: mri.brain_volume, arm: cells, change: 9}]",
)
def effects_known(context: StudyContext) -> Iterator[Problem]:
    """``item`` and ``arm`` of effects."""
    arms = [arm.id for arm in context.study.identity.arms]
    for n, scenario in enumerate(context.study.simulation.scenarios):
        for k, effect in enumerate(scenario.effects):
            path = ("scenarios", n, "effects", k)
            if effect.item not in context.study.items:
                yield unknown(_FILE, (*path, "item"), "item", effect.item, context.study.items)
            if effect.arm not in arms:
                yield unknown(_FILE, (*path, "arm"), "arm", effect.arm, arms)


@rule(
    "TW163",
    "Generators are of items that exist and are entered",
    why="A generator of nothing is a misspelt item that stays empty; a computed item is computed, not drawn.",
    bad="- {item: vital_signs.wieght, distribution: normal, …}",
    good="- {item: vital_signs.weight, distribution: normal, …}",
)
def generators_known(context: StudyContext) -> Iterator[Problem]:
    """``item``, ``of`` and ``correlate`` of generators."""
    items = context.study.items
    for n, generator in enumerate(context.study.simulation.generators):
        path: KeyPath = ("generators", n)
        named: list[tuple[KeyPath, str]] = [((*path, "item"), generator.item)]
        if generator.of is not None:
            named.append(((*path, "of"), generator.of))
        named += [((*path, "correlate", other), other) for other in generator.correlate]
        for where, item in named:
            if item not in items:
                yield unknown(_FILE, where, "item", item, items)
        if generator.item in items and items[generator.item].derive is not None:
            yield Problem(
                _FILE, (*path, "item"), f"{generator.item} is computed", "generate what it is computed from"
            )


@rule(
    "TW164",
    "Probabilities lie between 0 and 1",
    why="A drop-out of 11 instead of 0.11 ends every simulated trial on its first day.",
    bad='dropout_per_year: "11"',
    good='dropout_per_year: "0.11"',
)
def probabilities_possible(context: StudyContext) -> Iterator[Problem]:
    """Shares, rates of events (single probabilities), missingness, carry-over."""
    for path, text in _probabilities(context):
        if not 0 <= Fraction(text) <= 1:
            yield Problem(_FILE, path, f"the probability {text} is not between 0 and 1", "write it as a share")
    for key, says in _ENDLESS.items():
        if Fraction(getattr(context.study.simulation, key)) == 1:
            yield Problem(_FILE, (key,), f"{key} is 1: {says}", "write a share below 1")


_ENDLESS = {"screen_failure": "nobody could ever be randomised", "missed_visit": "nobody would ever be seen"}


def _probabilities(context: StudyContext) -> Iterator[tuple[KeyPath, str]]:
    simulation = context.study.simulation
    for key in _SHARES:
        yield (key,), getattr(simulation, key)
    for n, scenario in enumerate(simulation.scenarios):
        yield ("scenarios", n, "carry_over"), scenario.carry_over
    for n, rate in enumerate(simulation.adverse_events):
        if rate.per != "participant_year":  # a rate per year may exceed 1
            yield ("adverse_events", n, "probability"), rate.probability
        for grade, share in rate.grades.items():
            yield ("adverse_events", n, "grades", grade), share
    for n, generator in enumerate(simulation.generators):
        path: KeyPath = ("generators", n)
        if generator.missing is not None:
            yield (*path, "missing"), generator.missing
        if generator.distribution == "yes" and generator.mean is not None:
            yield (*path, "mean"), generator.mean
        for key in ("choices", "outcomes"):
            for choice, share in getattr(generator, key).items():
                yield (*path, key, choice), share


@rule(
    "TW165",
    "Shares of all choices add up to 1",
    why="What is left over of 1 is drawn as nothing, and the first choices are drawn too often.",
    bad='choices: {SPMS: "0.6", PPMS: "0.5"}',
    good='choices: {SPMS: "0.6", PPMS: "0.4"}',
)
def shares_add_up(context: StudyContext) -> Iterator[Problem]:
    """``choices`` of generators and ``grades`` of events."""
    for n, generator in enumerate(context.study.simulation.generators):
        if generator.choices and _sum(generator.choices) != 1:
            message = f"the choices of {generator.item} add up to {_shown(_sum(generator.choices))}"
            yield Problem(_FILE, ("generators", n, "choices"), message, "let them add up to 1")
    for n, rate in enumerate(context.study.simulation.adverse_events):
        if _sum(rate.grades) != 1:
            message = f"the grades of {rate.term} add up to {_shown(_sum(rate.grades))}"
            yield Problem(_FILE, ("adverse_events", n, "grades"), message, "let them add up to 1")


@rule(
    "TW166",
    "Choices are codes of the item's list",
    why="A simulated code that staff cannot choose is refused by the form, and the rehearsal stops.",
    bad='- {item: ms_history.course, distribution: choice, choices: {SPSM: "1"}}',
    good='- {item: ms_history.course, distribution: choice, choices: {SPMS: "1"}}',
)
def choices_listed(context: StudyContext) -> Iterator[Problem]:
    """``choices`` of code items; ``outcomes`` against the item's."""
    study = context.study
    for n, generator in enumerate(study.simulation.generators):
        item = study.items.get(generator.item)
        if item is None:
            continue
        codes = study.terminology.get(item.codelist or "")
        if codes is not None and generator.distribution == "choice":
            known = [code.code for code in codes.codes]
            for choice in generator.choices:
                if choice not in known:
                    yield unknown(_FILE, ("generators", n, "choices", choice), "code", choice, known)
        outcomes = [outcome.code for outcome in item.outcomes]
        for outcome in generator.outcomes:
            if outcome not in outcomes:
                yield unknown(_FILE, ("generators", n, "outcomes", outcome), "outcome", outcome, outcomes)


@rule(
    "TW167",
    "Distributions have the parameters they need",
    why="A normal value without a mean, or with a negative spread, cannot be drawn.",
    bad='- {item: vital_signs.weight, distribution: normal, mean: "75", sd_within: "-1"}',
    good='- {item: vital_signs.weight, distribution: normal, mean: "75", sd_between: "12", sd_within: "1"}',
)
def parameters_given(context: StudyContext) -> Iterator[Problem]:
    """Parameters by distribution, signs and order."""
    needed = {
        "normal": ("mean",),
        "lognormal": ("mean",),
        "yes": ("mean",),
        "uniform": ("low", "high"),
        "choice": ("choices",),
        "follow": ("of",),
    }
    for n, generator in enumerate(context.study.simulation.generators):
        path: KeyPath = ("generators", n)
        lacking = [key for key in needed.get(generator.distribution, ()) if not getattr(generator, key)]
        if lacking:
            message = f"{generator.item} ({generator.distribution}) has no {', '.join(lacking)}"
            yield Problem(_FILE, path, message, "add it")
        for key in ("sd_between", "sd_within", "step"):
            text = getattr(generator, key)
            if text is not None and Fraction(text) < 0:
                yield Problem(_FILE, (*path, key), f"{generator.item}: {key} is negative", "write it without minus")
        low, high = generator.low, generator.high
        if low is not None and high is not None and Fraction(low) > Fraction(high):
            yield Problem(_FILE, (*path, "low"), f"{generator.item}: low is above high", "exchange them")
        for other, text in generator.correlate.items():
            if not -1 <= Fraction(text) <= 1:
                message = f"a correlation of {text} with {other}"
                yield Problem(_FILE, (*path, "correlate", other), message, "write it between -1 and 1")


@rule(
    "TW168",
    "Accrual is of sites that exist, and every site recruits",
    why="Accrual decides how long the trial lasts; a site without it is open for nothing.",
    bad='accrual: [{site: "09", per_month: "0.3"}]',
    good='accrual: [{site: "01", per_month: "0.3"}]',
)
def accrual_known(context: StudyContext) -> Iterator[Problem]:
    """Sites and rates; nothing where no accrual is declared at all."""
    sites, accrual = context.study.sites, context.study.simulation.accrual
    for n, entry in enumerate(accrual):
        if entry.site not in sites:
            yield unknown(_FILE, ("accrual", n, "site"), "site", entry.site, sites)
        if Fraction(entry.per_month) <= 0:
            path = ("accrual", n, "per_month")
            yield Problem(_FILE, path, f"site {entry.site} recruits {entry.per_month} a month", "give a rate above 0")
    lacking = [site for site in sites if accrual and site not in {entry.site for entry in accrual}]
    if lacking and all(entry.site in sites for entry in accrual):
        yield Problem(_FILE, ("accrual",), f"nobody is recruited at {', '.join(lacking)}", "give each site a rate")


@rule(
    "TW169",
    "Every item that must be entered can be simulated",
    why="A required item without a generator is filled blindly in the rehearsal, so its checks prove nothing.",
    bad="# forms/walk.yaml requires trial_1, simulation.yaml has no generator for walk.trial_1",
    good="- {item: walk.trial_1, distribution: lognormal, …}",
    severity=Severity.WARNING,
)
def items_generated(context: StudyContext) -> Iterator[Problem]:
    """Required numbers, codes and yes/no items; nothing where no generator is declared at all."""
    generators = context.study.simulation.generators
    known = {generator.item for generator in generators}
    drawn = ("integer", "decimal", "quantity", "scale", "code", "boolean")
    for _, _, form, item in context.items():
        key = f"{form.id}.{item.id}"
        if generators and item.required and item.derive is None and item.type in drawn and key not in known:
            yield Problem(_FILE, ("generators",), f"nothing generates {key}", "add a generator")


def _sum(shares: dict[str, str]) -> Fraction:
    return sum(map(Fraction, shares.values()), Fraction(0))


def _shown(number: Fraction) -> str:
    return f"{float(number):g}"
