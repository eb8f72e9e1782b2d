"""Rules about grids, looks and event times of ``simulation.yaml``, and correlations that must hold together."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from trialwright.build.rules.context import StudyContext
from trialwright.build.rules.names import unknown
from trialwright.build.rules.rule import Problem, rule
from trialwright.protocol.folder import Study
from trialwright.protocol.positions import KeyPath
from trialwright.protocol.simulation import Grid

_FILE = "simulation.yaml"
_SHARES = ("dropout_per_year", "missed_visit", "carry_over", "manufacture_failure")
_MULTIPLES = ("spread", "accrual")


@rule(
    "TW170",
    "Settings of a grid can occur",
    why="A setting that cannot occur is found when the simulation has run for an hour, or not at all.",
    bad='grids: [{dropout_per_year: ["0.1", "1.1"]}]',
    good='grids: [{dropout_per_year: ["0.1", "0.2"]}]',
)
def grids_possible(context: StudyContext) -> Iterator[Problem]:
    """Shares between 0 and 1, multiples above 0, scenarios and models that exist."""
    study = context.study
    scenarios = [scenario.id for scenario in study.simulation.scenarios]
    models = [model.id for model in study.analysis.models]
    for n, grid in enumerate(study.simulation.grids):
        path: KeyPath = ("grids", n)
        for key, known in (("scenarios", scenarios), ("models", models)):
            for k, name in enumerate(getattr(grid, key)):
                if name not in known:
                    yield unknown(_FILE, (*path, key, k), key[:-1], name, known)
        yield from _numbers(grid, path)


def _numbers(grid: Grid, path: KeyPath) -> Iterator[Problem]:
    shares: list[tuple[KeyPath, str]] = [
        ((*path, key, k), text) for key in _SHARES for k, text in enumerate(getattr(grid, key))
    ]
    shares += [((*path, "misrating", k, "share"), each.share) for k, each in enumerate(grid.misrating)]
    for place, text in shares:
        if not 0 <= Fraction(text) <= 1:
            yield Problem(_FILE, place, f"the share {text} is not between 0 and 1", "write it as a share")
    for key in _MULTIPLES:
        for k, text in enumerate(getattr(grid, key)):
            if Fraction(text) <= 0:
                yield Problem(_FILE, (*path, key, k), f"{key} is multiplied by {text}", "give a multiple above 0")
    for k, each in enumerate(grid.misrating):
        if Fraction(each.by) < 0:
            yield Problem(_FILE, (*path, "misrating", k, "by"), f"misrated by {each.by}", "write it without minus")


@rule(
    "TW171",
    "Correlations of an item can hold together",
    why="Correlations whose matrix is not positive definite belong to no population, so nothing can be drawn.",
    bad='correlate: {a.x: "0.9", a.y: "0.9"}  # a.x and a.y are independent of each other',
    good='correlate: {a.x: "0.6", a.y: "0.6"}',
)
def correlations_possible(context: StudyContext) -> Iterator[Problem]:
    """The items of one ``correlate`` are independent of each other: the squares add up to at most 1."""
    for n, generator in enumerate(context.study.simulation.generators):
        squares = sum((Fraction(r) ** 2 for r in generator.correlate.values()), Fraction(0))
        # A single correlation beyond ±1 is TW167's.
        if len(generator.correlate) > 1 and squares > 1:
            message = f"the squared correlations of {generator.item} add up to {float(squares):g}"
            yield Problem(_FILE, ("generators", n, "correlate"), message, "lower them until the squares add up to 1")


@rule(
    "TW172",
    "Looks and times to events can be simulated",
    why="Looks that do not end at all participants spend error that nobody uses; an event at rate 0 never comes, and "
    "the power of its test is the power of nothing.",
    bad='looks: [{id: interim, model: main, fractions: ["0.5"], boundaries: pocock}]',
    good='looks: [{id: interim, model: main, fractions: ["0.5", "1"], boundaries: pocock}]',
)
def looks_and_events_possible(context: StudyContext) -> Iterator[Problem]:
    """Models, endpoints and arms that exist; fractions that increase to 1; rates and ratios above 0."""
    study = context.study
    yield from _looks(study)
    timed = [endpoint.id for endpoint in study.analysis.endpoints if endpoint.measure == "time_to_event"]
    for n, event in enumerate(study.simulation.event_times):
        path: KeyPath = ("event_times", n)
        if event.endpoint not in timed:
            yield unknown(_FILE, (*path, "endpoint"), "time to an event", event.endpoint, timed)
        if Fraction(event.per_month) <= 0:
            message = f"{event.endpoint} comes {event.per_month} times a month"
            yield Problem(_FILE, (*path, "per_month"), message, "give a rate above 0")
    arms = [arm.id for arm in study.identity.arms]
    for n, scenario in enumerate(study.simulation.scenarios):
        for k, each in enumerate(scenario.hazard_ratios):
            path = ("scenarios", n, "hazard_ratios", k)
            if each.endpoint not in timed:
                yield unknown(_FILE, (*path, "endpoint"), "time to an event", each.endpoint, timed)
            if each.arm not in arms:
                yield unknown(_FILE, (*path, "arm"), "arm", each.arm, arms)
            if Fraction(each.ratio) <= 0:
                message = f"a hazard ratio of {each.ratio}"
                yield Problem(_FILE, (*path, "ratio"), message, "give a ratio above 0; 1 is no effect")
            elif scenario.kind == "null" and Fraction(each.ratio) != 1:
                yield Problem(_FILE, path, f"{scenario.id} is null but has a hazard ratio", "remove it")


def _looks(study: Study) -> Iterator[Problem]:
    models = [model.id for model in study.analysis.models]
    for n, looks in enumerate(study.simulation.looks):
        path: KeyPath = ("looks", n)
        if looks.model not in models:
            yield unknown(_FILE, (*path, "model"), "model", looks.model, models)
        shares = [Fraction(text) for text in looks.fractions]
        ordered = all(a < b for a, b in pairwise(shares))
        if shares[0] <= 0 or shares[-1] != 1 or not ordered:
            message = f"{looks.id} looks at {', '.join(looks.fractions)} of the participants"
            yield Problem(_FILE, (*path, "fractions"), message, "give increasing shares above 0; the last is 1")
        equal = all(share * len(shares) == k for k, share in enumerate(shares, start=1))
        if not looks.boundaries.startswith("lan_demets") and ordered and shares[-1] == 1 and not equal:
            message = f"{looks.id}: {looks.boundaries} is for looks at equal distances"
            yield Problem(_FILE, (*path, "boundaries"), message, f"write lan_demets_{looks.boundaries}")
