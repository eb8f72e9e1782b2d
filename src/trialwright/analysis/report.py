"""The report: every output of the plan, the order of tests, every model, and where the numbers come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from trialwright.analysis.content import Content, LeftOut, ReportTable
from trialwright.analysis.estimates import Result, Tested, run_order, run_plan
from trialwright.analysis.listings import notes_listing
from trialwright.analysis.material import Kind, Material
from trialwright.analysis.outputs import content_of
from trialwright.analysis.results_table import order_table, results_table

TITLES: Mapping[Kind, str] = {
    Kind.BLINDED: "Statistical report",
    Kind.FINAL: "Statistical report",
    Kind.OPEN_TO_COMMITTEE: "Open report to the committee",
    Kind.CLOSED_TO_COMMITTEE: "Closed report to the committee",
}
NUMBERED: Mapping[str, str] = {"table": "Table {n}", "figure": "Figure {n}", "listing": "Listing {n}"}


@dataclass(frozen=True)
class Piece:
    """One numbered part of the report.

    Attributes:
        number: ``Table 3``, in the report's language.
        content: what it shows.
        models: ids of the plan's models whose numbers it holds.
        planned: whether the plan asks for it; else it is the report's own.
    """

    number: str
    content: Content
    models: tuple[str, ...]
    planned: bool


@dataclass(frozen=True)
class Report:
    """Everything that is written, however it is written.

    Attributes:
        material: what it is made from.
        results: of every model of the plan; none in an open report.
        order: of the tests; none in an open report.
        pieces: in the order of the plan, then the report's own.
    """

    material: Material
    results: tuple[Result, ...]
    order: tuple[Tested, ...]
    pieces: tuple[Piece, ...]

    @property
    def title(self) -> str:
        """What it is."""
        return self.material.words(TITLES[self.material.kind])

    @property
    def language(self) -> str:
        """In which it speaks."""
        return self.material.words.language

    def headline(self) -> str:
        """The main result in one sentence; empty in an open report."""
        primary = self.material.plan.study.analysis.estimands[0].id
        main = next((each for each in self.results if each.estimand == primary and each.role == "main"), None)
        return self._sentence(main) if main is not None else ""

    def _sentence(self, main: Result) -> str:
        words, comparison = self.material.words, main.comparison
        label = self.material.plan.words.text(self.material.plan.estimands[main.estimand].label)
        if main.failed is not None:
            return words("{label}: not estimated. {why}", label=label, why=main.failed)
        shown, bounds = words.estimate(main.scale, main.value, main.low, main.high).split(" (", 1)
        low, high = bounds.removesuffix(")").split(f" {words('to')} ")
        return words(
            "{label}: {value} ({level} % CI {low} to {high}; p = {p}), {one} against {other}, {n} participants.",
            label=label,
            value=shown,
            level=words.number(100 * main.level, 0),
            low=low,
            high=high,
            p=words.p(main.p_value),
            one=comparison.one_label,
            other=comparison.other_label,
            n=main.participants,
        )


def report_of(material: Material, progress: Callable[[str], None] = lambda item: None) -> Report:
    """Run the plan, and fill everything that it asks to see.

    Args:
        material: the data sets, and who reads the report.
        progress: called with the id of each model and output before it is made.

    Raises:
        PlanCannotRun: the plan cannot be read at all; what merely cannot be estimated is told in the report.
    """
    plan, words = material.plan, material.words
    results: tuple[Result, ...] = () if material.groups.pooled else run_plan(plan, progress)
    order = run_order(plan, results) if results else ()
    counts = dict.fromkeys(NUMBERED, 0)
    pieces: list[Piece] = []

    def add(content: Content, *, planned: bool) -> None:
        counts[content.kind] += 1
        number = words(NUMBERED[content.kind], n=counts[content.kind])
        pieces.append(Piece(number, content, tuple(dict.fromkeys(_models(content, material))), planned))

    for output in plan.study.analysis.outputs:
        progress(output.id)
        add(content_of(material, output, results), planned=True)
    if order:
        add(order_table(material, order), planned=False)
    for content in _own(material, results):
        add(content, planned=False)
    return Report(material, results, order, tuple(pieces))


def _own(material: Material, results: Sequence[Result]) -> Iterator[ReportTable]:
    if results:
        title = material.words("Every model of the plan")
        yield results_table(material, results, material.plan.estimands, "every_model", title)
    if material.adam.notes:
        yield notes_listing(material)


def _models(content: Content, material: Material) -> Iterator[str]:
    if isinstance(content, ReportTable):
        for line in content.lines:
            yield from line.items
        return
    if isinstance(content, LeftOut):
        return
    output = next((each for each in material.plan.study.analysis.outputs if each.id == content.id), None)
    for item in material.plan.items:
        if output is not None and item.estimand.id in output.shows and item.model.role == "main":
            yield item.model.id
