"""From an output of the plan to a table, listing or figure; what cannot be shown says why."""

from __future__ import annotations

from collections.abc import Sequence

from trialwright.analysis.baseline_table import baseline_table
from trialwright.analysis.content import Content, LeftOut
from trialwright.analysis.errors import PlanCannotRun
from trialwright.analysis.estimates import Result
from trialwright.analysis.events_table import events_table
from trialwright.analysis.figures import crossover_lines, forest, profiles, survival_curves
from trialwright.analysis.flow import flow_figure
from trialwright.analysis.listings import (
    answers_table,
    custody_listing,
    is_asked_during_treatment,
    item_listing,
    serious_events,
)
from trialwright.analysis.material import Material
from trialwright.analysis.plan import PlanItem
from trialwright.analysis.results_table import pooled_table, results_table
from trialwright.foundation.errors import TrialwrightError
from trialwright.protocol.analysis import Output

WORDS = ("disposition", "adverse_events", "serious_adverse_events", "custody")
"""What ``shows`` may name beside estimands and items."""


def content_of(material: Material, output: Output, results: Sequence[Result]) -> Content:
    """The output, filled.

    Args:
        material: of the report.
        output: of the plan.
        results: of every model; none in an open report.
    """
    title = material.plan.words.text(output.title)
    try:
        return _made(material, output, title, results)
    except TrialwrightError as error:
        return LeftOut(output.id, output.kind, title, error.message)


def _made(material: Material, output: Output, title: str, results: Sequence[Result]) -> Content:
    shows = output.shows
    estimands = [name for name in shows if name in material.plan.estimands]
    match output.kind, shows[:1]:
        case "figure", ("disposition",):
            return flow_figure(material, output.id, title)
        case "table", ("adverse_events",):
            return events_table(material, output.id, title)
        case "listing" | "table", ("serious_adverse_events",):
            return serious_events(material, output.id, title)
        case "listing" | "table", ("custody",):
            return custody_listing(material, output.id, title)
    if estimands and output.kind == "figure":
        return _figure(material, output.id, title, estimands, results)
    if estimands:
        if material.groups.pooled:
            return pooled_table(material, estimands, output.id, title)
        return results_table(material, results, estimands, output.id, title)
    if output.kind == "listing":
        return item_listing(material, shows, output.id, title)
    if output.kind == "table" and shows:
        made = answers_table if is_asked_during_treatment(material, shows) else baseline_table
        return made(material, shows, output.id, title)
    return LeftOut(output.id, output.kind, title, material.words("It shows nothing that can be drawn."))


def _figure(material: Material, id_: str, title: str, estimands: Sequence[str], results: Sequence[Result]) -> Content:
    """One endpoint: its course, or its curve. Several: a forest."""
    items = [item for item in material.plan.items if item.estimand.id in estimands and item.model.role == "main"]
    if not items:
        raise PlanCannotRun(f"{id_} shows estimands without a main model", remedy="give each one in analysis.yaml")
    widest = max(items, key=lambda item: len(item.endpoint.at))
    if len({item.parameter.code for item in items}) > 1:
        if material.groups.pooled:
            why = "A comparison of arms; an open report shows all participants together."
            return LeftOut(id_, "figure", title, material.words(why))
        mains = [result for item in items for result in results if result.item == item.model.id]
        return forest(material, mains, id_, title)
    if widest.parameter.survival:
        return survival_curves(material, widest, id_, title)
    if _is_crossover(material, widest):
        return crossover_lines(material, widest, id_, title)
    return profiles(material, widest, id_, title)


def _is_crossover(material: Material, item: PlanItem) -> bool:
    both = {material.plan.words.period_of(visit) for visit in item.endpoint.at}
    return len(both - {None}) > 1 and not material.groups.pooled
