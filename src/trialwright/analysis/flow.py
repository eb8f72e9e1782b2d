"""The flow of participants.

Source: CONSORT 2010 (Schulz and others, BMJ 2010;340:c332) and its extension to crossover trials (2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas

from trialwright.analysis.content import ReportFigure
from trialwright.analysis.drawing import INK, QUIET, Drawing
from trialwright.analysis.frames import where
from trialwright.analysis.material import Material


@dataclass(frozen=True)
class Branch:
    """What became of one group: label, and steps with their numbers, in order."""

    label: str
    steps: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Flow:
    """Everybody, until they part; then the branches."""

    assessed: int
    randomised: int
    branches: tuple[Branch, ...]


def flow_of(material: Material) -> Flow:
    """The numbers."""
    people = material.plan.frames["ADSL"]
    randomised = people[people["RANDDT"].notna()] if "RANDDT" in people else people.iloc[0:0]
    branches = tuple(
        Branch(group.label, _steps(material, part)) for group, part in material.groups.people(randomised)
    )
    return Flow(len(material.reading.participants), len(randomised), branches)


def _steps(material: Material, part: pandas.DataFrame) -> tuple[tuple[str, int], ...]:
    words = material.words
    given = [material.doses.get(usubjid, ()) for usubjid in part["USUBJID"]]
    treated = [
        (words("Treated in period {n}", n=n), sum(any(dose.period == n for dose in doses) for doses in given))
        for n in material.plan.words.periods.values()
    ] or [(words("Treated"), sum(bool(doses) for doses in given))]
    status = part["EOSSTT"] if "EOSSTT" in part else pandas.Series(dtype=object)
    main = material.plan.items[0]
    flagged = where(part, **{main.population: "Y"})
    return (
        (words("Randomised"), len(part)),
        *treated,
        (words("Left the study"), int((status == "DISCONTINUED").sum())),
        (words("Completed"), int((status == "COMPLETED").sum())),
        *_still(words("Still in the study"), int((status == "ONGOING").sum())),
        (material.plan.words.text(_label(material, main.estimand.population)), len(flagged)),
    )


def _still(label: str, number: int) -> tuple[tuple[str, int], ...]:
    return ((label, number),) if number else ()


def _label(material: Material, population: str) -> dict[str, str]:
    return next(dict(each.label) for each in material.plan.study.analysis.populations if each.id == population)


def flow_figure(material: Material, id_: str, title: str) -> ReportFigure:
    """The flow as a figure, its numbers also in words."""
    flow, words = flow_of(material), material.words
    rows = max(len(branch.steps) for branch in flow.branches)
    with Drawing(7.2, 2.1 + 0.62 * rows, material.mark) as drawing:
        panel = drawing.panels[0]
        panel.set_axis_off()
        panel.set_xlim(0, 10)
        panel.set_ylim(-rows - 2.9, 0.6)
        _box(panel, 5, 0, [f"{words('Assessed for eligibility')}: {flow.assessed}"])
        _box(panel, 8.2, -1, [f"{words('Not randomised')}: {flow.assessed - flow.randomised}"])
        _box(panel, 5, -2, [f"{words('Randomised')}: {flow.randomised}"])
        _arrow(panel, (5, -0.3), (5, -1.7))
        _arrow(panel, (5, -1), (7.1, -1))
        places = [10 * (2 * place + 1) / (2 * len(flow.branches)) for place in range(len(flow.branches))]
        for place, branch in zip(places, flow.branches, strict=True):
            _arrow(panel, (5, -2.3), (place, -2.85))
            for step, (label, number) in enumerate(branch.steps):
                text = [branch.label, f"n = {number}"] if step == 0 else [f"{label}: {number}"]
                _box(panel, place, -3.1 - step, text)
                if step:
                    _arrow(panel, (place, -3.1 - step + 0.68), (place, -3.1 - step + 0.3))
        return ReportFigure(id_, title, drawing.svg(), _told(flow, title, material))


def _told(flow: Flow, title: str, material: Material) -> str:
    words = material.words
    parts = [f"{words('Assessed for eligibility')}: {flow.assessed}", f"{words('Randomised')}: {flow.randomised}"]
    parts += [f"{b.label}: " + ", ".join(f"{label} {n}" for label, n in b.steps) for b in flow.branches]
    return f"{title}. " + "; ".join(parts) + "."


def _box(panel: Any, x: float, y: float, lines: Sequence[str]) -> None:
    box = {"boxstyle": "round,pad=0.4", "facecolor": "#f4f7fa", "edgecolor": QUIET, "linewidth": 0.9}
    panel.text(x, y, "\n".join(lines), ha="center", va="center", fontsize=8.5, color=INK, linespacing=1.25, bbox=box)


def _arrow(panel: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    panel.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "-|>", "color": QUIET, "linewidth": 1})
