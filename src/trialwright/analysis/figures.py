"""Figures of results: individual crossover lines, profiles of means, forest, survival curves with numbers at risk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas

from trialwright.analysis.content import ReportFigure
from trialwright.analysis.drawing import COLOURS, INK, MARKERS, ONE, QUIET, Drawing
from trialwright.analysis.errors import PlanCannotRun
from trialwright.analysis.estimates import Result
from trialwright.analysis.frames import where
from trialwright.analysis.material import Material
from trialwright.analysis.plan import PlanItem
from trialwright.statistics import Estimate, kaplan_meier

LEVEL = 0.95


def crossover_lines(material: Material, item: PlanItem, id_: str, title: str) -> ReportFigure:
    """Left one line a participant, from one treatment to the other; right means with intervals, by sequence.

    Args:
        material: of the report; not pooled.
        item: model over both periods.
        id_, title: of the figure.

    Raises:
        PlanCannotRun: no such rows.
    """
    plan, words = material.plan, material.words
    rows = plan.rows(item)
    comparison = plan.comparison
    pairs = rows.pivot_table(index=["USUBJID", "TRTSEQP"], columns="TRTP", values=item.outcome, aggfunc="first")
    with Drawing(7.2, 4.5, material.mark, columns=2) as drawing:
        lines, means = drawing.panels
        arms = [comparison.other, comparison.one]
        complete = pairs.reindex(columns=arms).dropna()
        for place, group in enumerate(material.groups.of_people):
            colour, marker = COLOURS[place % 4], MARKERS[place % 4]
            of_group = complete[complete.index.get_level_values("TRTSEQP") == group.id]
            label = f"{group.label} (n = {len(of_group)})"
            for number, (_, pair) in enumerate(of_group.iterrows()):
                lines.plot(
                    [0, 1], [pair[arm] for arm in arms], color=colour, marker=marker, markersize=3.5, linewidth=1,
                    alpha=0.75, label=label if number == 0 else None,
                )  # fmt: skip
        whole = complete.mean()
        if len(complete):
            lines.plot(
                [0, 1],
                [whole[arm] for arm in arms],
                color=INK,
                linewidth=2.6,
                zorder=5,
                label=words("Mean (SD)").partition(" (")[0],
            )
        lines.axhline(0, color=QUIET, linewidth=0.7, linestyle=":")
        lines.set_xticks([0, 1], [_wrapped(comparison.other_label), _wrapped(comparison.one_label)])
        lines.set_xlim(-0.25, 1.25)
        lines.set_ylabel(_axis(material, item))
        lines.set_title(words("Each participant"))
        lines.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.19))
        _profiles(material, item, means, rows)
        means.set_title(words("Mean with {level} % interval", level=95))
        alt = _alt_of_pairs(material, title, complete, arms)
        return ReportFigure(id_, title, drawing.svg(), alt, (words("One line a participant."),))


def _alt_of_pairs(material: Material, title: str, complete: pandas.DataFrame, arms: Sequence[str]) -> str:
    words, comparison = material.words, material.plan.comparison
    labels = {comparison.one: comparison.one_label, comparison.other: comparison.other_label}
    means = "; ".join(
        f"{labels[arm]} {words.spread(float(complete[arm].mean()), float(complete[arm].std(ddof=1)))}"
        for arm in arms
        if len(complete) > 1
    )
    return f"{title}. {words('One line a participant.')} {words('mean (SD)')}: {means}; n = {len(complete)}."


def profiles(material: Material, item: PlanItem, id_: str, title: str) -> ReportFigure:
    """Means with intervals at each visit, by sequence or arm; all together in an open report.

    Raises:
        PlanCannotRun: no such rows.
    """
    with Drawing(6.4, 3.6, material.mark) as drawing:
        alt = _profiles(material, item, drawing.panels[0], material.plan.rows(item))
        words = material.words
        note = words("Mean with {level} % interval", level=95) + "."
        return ReportFigure(id_, title, drawing.svg(), f"{title}. {note} {alt}", (note,))


def _profiles(material: Material, item: PlanItem, panel: Any, rows: pandas.DataFrame) -> str:
    """Draw the means of the values as they are, from baseline on; in words what they are."""
    plan, words = material.plan, material.words
    values = where(plan.frames["ADEFF"], PARAMCD=item.parameter.code)
    values = values[values["USUBJID"].isin(rows["USUBJID"])]
    shown = values[values["AVISITN"].isin(rows["AVISITN"]) & (values.get(plan.words.flag(item.estimand)) == "Y")]
    if "ABLFL" in values:
        shown = pandas.concat([values[values["ABLFL"] == "Y"], shown])
    places = {number: place for place, number in enumerate(sorted(shown["AVISITN"].unique()))}
    names = shown.drop_duplicates("AVISITN").set_index("AVISITN")["AVISIT"]
    column = "TRTSEQP" if plan.study.identity.sequences else "TRTP"
    of_person = shown.groupby("USUBJID")[column].transform(
        lambda found: found.dropna().iloc[0] if found.notna().any() else None
    )
    told = []
    groups = material.groups.of_people
    for place, group in enumerate(groups):
        own = shown if group.id is None else shown[of_person == group.id]
        means = [(at, _mean(own.loc[own["AVISITN"] == number, "AVAL"])) for number, at in places.items()]
        known = [(at, *found) for at, found in means if found is not None]
        shift = 0.06 * (place - (len(groups) - 1) / 2)
        panel.errorbar(
            [at + shift for at, *_ in known], [m for _, m, _ in known], yerr=[half for *_, half in known],
            color=COLOURS[place % 4], marker=MARKERS[place % 4], markersize=5, capsize=3, linewidth=1.6,
            label=group.label,
        )  # fmt: skip
        told.append(f"{group.label}: " + ", ".join(words.number(m, 2) for _, m, _ in known))
    panel.set_xticks(list(places.values()), [_wrapped(str(names[number]), 12) for number in places])
    panel.set_xlim(-0.4, len(places) - 0.6)
    panel.set_ylabel(_wrapped(item.parameter.label, 38))
    if len(groups) > 1:
        panel.legend(fontsize=7.5, loc="upper center", bbox_to_anchor=(0.5, -0.16))
    return "; ".join(told) + "."


def _mean(values: pandas.Series) -> tuple[float, float] | None:
    """(mean, half-width of its 95 % interval); the interval is empty for one value."""
    n = len(values)
    if not n:
        return None
    if n == 1 or float(values.std(ddof=1)) == 0:
        return float(values.mean()), 0.0
    estimate = Estimate(float(values.mean()), float(values.std(ddof=1)) / math.sqrt(n), n - 1)
    return estimate.value, estimate.confidence_interval(LEVEL)[1] - estimate.value


def forest(material: Material, results: Sequence[Result], id_: str, title: str) -> ReportFigure:
    """Main results of several estimands under each other; differences in standard deviations, ratios as they are.

    Raises:
        PlanCannotRun: none of them has a result.
    """
    words, comparison = material.words, material.plan.comparison
    shown = [(result, scaled) for result in results if (scaled := _scaled(result)) is not None]
    if not shown:
        raise PlanCannotRun(f"{id_}: nothing could be estimated", remedy="look at the reasons in the tables")
    with Drawing(7.2, 1.3 + 0.42 * len(shown), material.mark) as drawing:
        panel = drawing.panels[0]
        ratios = all(result.scale != "difference" for result, _ in shown)
        for place, (result, (value, low, high)) in enumerate(shown):
            main = result.estimand == material.plan.study.analysis.estimands[0].id
            panel.plot([low, high], [place, place], color=ONE, linewidth=2.2 if main else 1.5)
            panel.plot([value], [place], marker="s", color=ONE, markersize=8 if main else 6)
            panel.text(1.02, place, _in_words(material, result), va="center", fontsize=8,
                       transform=panel.get_yaxis_transform())  # fmt: skip
        panel.axvline(1 if ratios else 0, color=INK, linewidth=0.8)
        if ratios:
            panel.set_xscale("log")
        text = material.plan.words.text
        endpoints = {item.endpoint.id: item.endpoint for item in material.plan.items}
        labels = [_wrapped(text(endpoints[result.endpoint].label), 40) for result, _ in shown]
        panel.set_yticks(range(len(shown)), labels)
        panel.set_ylim(len(shown) - 0.4, -0.6)
        what = words("Difference in standard deviations") if not ratios else ""
        panel.set_xlabel(f"{what} ({comparison.one_label} − {comparison.other_label})" if what else "")
        told = "; ".join(
            f"{text(endpoints[result.endpoint].label)} {_in_words(material, result)}" for result, _ in shown
        )
        note = words("Standard deviations are of the observed values, pooled within arms.")
        return ReportFigure(id_, title, drawing.svg(), f"{title}. {told}.", () if ratios else (note,))


def _in_words(material: Material, result: Result) -> str:
    return material.words.estimate(result.scale, result.value, result.low, result.high)


def _scaled(result: Result) -> tuple[float, float, float] | None:
    if result.value is None or result.low is None or result.high is None:
        return None
    if result.scale != "difference":
        return result.value, result.low, result.high
    known = [(arm.sd, arm.values) for arm in result.arms if arm.sd and arm.values > 1]
    if not known:
        return None
    sd = math.sqrt(sum(sd**2 * (n - 1) for sd, n in known) / sum(n - 1 for _, n in known))
    return result.value / sd, result.low / sd, result.high / sd


def survival_curves(material: Material, item: PlanItem, id_: str, title: str) -> ReportFigure:
    """Kaplan-Meier curves with pointwise intervals, numbers at risk below.

    Raises:
        PlanCannotRun: no such rows.
    """
    words = material.words
    rows = material.plan.rows(item)
    groups = [group for group in material.groups.of_treatments if len(group.of(rows, "TRTP"))]
    with Drawing(6.6, 3.6 + 0.2 * len(groups), material.mark) as drawing:
        panel = drawing.panels[0]
        ticks = _ticks(float(rows["AVAL"].max()))
        told = []
        for place, group in enumerate(groups):
            own = group.of(rows, "TRTP")
            time = own["AVAL"].to_numpy(dtype=float)
            found = kaplan_meier(time, 1 - own["CNSR"].to_numpy(dtype=float))
            low, high = found.interval(LEVEL)
            times, curve = np.r_[0.0, found.times], np.r_[1.0, found.survival]
            colour = COLOURS[place % 4]
            panel.step(times, curve, where="post", color=colour, linewidth=1.8, label=group.label)
            bounds = [np.nan_to_num(np.r_[1.0, side], nan=1.0) for side in (low, high)]
            panel.fill_between(times, *bounds, step="post", color=colour, alpha=0.12, linewidth=0)
            risk = [int((time >= at).sum()) for at in ticks]
            for at, number in zip(ticks, risk, strict=True):
                panel.text(
                    at, -0.3 - 0.09 * place, str(number), color=colour, ha="center", fontsize=8,
                    transform=panel.get_xaxis_transform(),
                )  # fmt: skip
            last = words.number(float(found.survival[-1]), 2)
            told.append(f"{group.label}: {last}; {words('At risk')} {', '.join(map(str, risk))}")
        panel.text(
            0,
            -0.22,
            words("At risk"),
            transform=panel.get_xaxis_transform(),
            fontsize=8,
            fontweight="bold",
            ha="left",
        )
        panel.set_xticks(ticks)
        panel.set_ylim(0, 1.02)
        panel.set_xlabel(words("Days since the first treatment"))
        panel.set_ylabel(words("Without the event"))
        if len(groups) > 1:
            panel.legend(loc="lower left")
        return ReportFigure(id_, title, drawing.svg(), f"{title}. {words('Without the event')}: {'; '.join(told)}.")


def _ticks(highest: float) -> list[float]:
    step = next((step for step in (7, 14, 28, 56, 84, 168, 336, 672) if highest / step <= 8), highest / 8)
    return [step * place for place in range(int(highest // step) + 1)]


def _axis(material: Material, item: PlanItem) -> str:
    words = material.words
    what = {
        "change_from_baseline": words("Change from baseline"),
        "percent_change": words("Percent change from baseline"),
    }
    measured = what.get(item.endpoint.measure)
    return _wrapped(f"{item.parameter.label}: {measured}" if measured else item.parameter.label, 38)


def _wrapped(text: str, width: int = 18) -> str:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) + 1 > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)
