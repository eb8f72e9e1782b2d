"""Tables of results: each model of the estimands shown, with what was observed, the difference and its interval."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pandas

from trialwright.analysis.content import Line, ReportTable
from trialwright.analysis.errors import PlanCannotRun
from trialwright.analysis.estimates import ArmSummary, Result, Tested
from trialwright.analysis.frames import where
from trialwright.analysis.material import Material
from trialwright.analysis.plan import PlanItem
from trialwright.analysis.words import METHODS

RATIOS = ("rate_ratio", "hazard_ratio", "odds_ratio")


def results_table(
    material: Material, results: Sequence[Result], estimands: Iterable[str], id_: str, title: str
) -> ReportTable:
    """Every model of some estimands, the main one first; remarks and reasons below.

    Args:
        material: of the report.
        results: of every model of the plan.
        estimands: ids, in the order of the table.
        id_, title: of the table.
    """
    words, plan = material.words, material.plan
    lines: list[Line] = []
    notes: list[str] = []
    wanted = list(estimands)
    for estimand in wanted:
        lines.append(Line(plan.words.text(plan.estimands[estimand].label)))
        for result in (each for each in results if each.estimand == estimand):
            marks = "".join(_noted(notes, text) for text in _remarks(material, result))
            lines.append(_line(material, result, marks))
        if len(wanted) == 1:
            lines += _observed(material, [item for item in plan.items if item.estimand.id == estimand])
    comparison = plan.comparison
    level = next((result.level for result in results), 0.95)
    of_times = any(result.scale == "hazard_ratio" for result in results if result.estimand in wanted)
    head = "{label}, events / participants" if of_times else "{label}, mean (SD)"
    notes.append(
        words(
            "Differences and ratios are {one} against {other}.",
            one=comparison.one_label,
            other=comparison.other_label,
        )
    )
    columns = (
        words("Endpoint and model"),
        words("n"),
        words(head, label=comparison.one_label),
        words(head, label=comparison.other_label),
        words("Difference or ratio ({level} % CI)", level=words.number(100 * level, 0)),
        words("p"),
    )
    return ReportTable(id_, "table", title, columns, tuple(lines), tuple(notes))


def pooled_table(material: Material, estimands: Iterable[str], id_: str, title: str) -> ReportTable:
    """What was observed in all participants together, by visit: for an open report, which compares nothing."""
    words, plan = material.words, material.plan
    lines = []
    for estimand in estimands:
        item = next(item for item in plan.items if item.estimand.id == estimand)
        lines.append(Line(plan.words.text(item.endpoint.label)))
        lines += _by_visit(material, item)
    columns = (words("Endpoint and model"), words("n"), words("Mean (SD)"))
    return ReportTable(id_, "table", title, columns, tuple(lines))


def _by_visit(material: Material, item: PlanItem) -> Iterator[Line]:
    words = material.words
    try:
        rows = material.plan.rows(item)
    except PlanCannotRun as error:
        yield Line(words("not estimated"), ("0", error.message), level=1, items=(item.model.id,))
        return
    if item.parameter.survival:
        events = int((rows["CNSR"] == 0).sum())
        yield Line(words("All"), (str(len(rows)), words.share(events, len(rows))), level=1, items=(item.model.id,))
        return
    for visit, found in rows.groupby("AVISITN", sort=True):
        label = str(found["AVISIT"].iloc[0]) if "AVISIT" in found else str(visit)
        values = found[item.outcome]
        sd = float(values.std(ddof=1)) if len(values) > 1 else None
        yield Line(
            label, (str(found["USUBJID"].nunique()), words.spread(float(values.mean()), sd)), 1, (item.model.id,)
        )


def order_table(material: Material, steps: Sequence[Tested]) -> ReportTable:
    """The hypotheses in the order in which the plan tests them."""
    words, plan = material.words, material.plan
    lines = []
    for number, step in enumerate(steps, start=1):
        if not step.tested:
            decision = "not tested: an earlier step was not significant"
        else:
            decision = "significant" if step.significant else "not significant"
        label = plan.words.text(plan.estimands[step.estimand].label)
        adjusted = words.p(step.adjusted) if step.tested else "–"
        cells = (label, words.p(step.p_value), adjusted, words(decision))
        lines.append(Line(str(number), cells, items=(step.item,)))
    level = plan.study.analysis.alpha
    alpha = words.number(float(level), len(level.partition(".")[2]))
    note = words("Each hypothesis is tested at the two-sided level {alpha}, only if all before it were significant.",
                 alpha=alpha)  # fmt: skip
    columns = (words("Step"), words("Estimand"), words("p"), words("Adjusted p"), words("Decision"))
    return ReportTable(
        "order_of_tests", "table", words("Order of tests"), columns, tuple(lines), (note,), frozenset({0, 1, 4})
    )


def _line(material: Material, result: Result, marks: str) -> Line:
    words = material.words
    method = words(METHODS[result.method])
    model = next(item.model for item in material.plan.items if item.model.id == result.item)
    if model.periods == "first_only" and material.plan.words.periods:
        method = f"{method}, {words('first period only')}"
    label = f"{method} ({words(result.role)}){marks}"
    arms = [_arm(material, arm) for arm in result.arms] or ["–", "–"]
    shown = (
        words("not estimated")
        if result.failed is not None
        else words.estimate(result.scale, result.value, result.low, result.high)
    )
    return Line(label, (str(result.participants), *arms, shown, words.p(result.p_value)), 1, (result.item,))


def _arm(material: Material, arm: ArmSummary) -> str:
    if arm.events is not None:
        return f"{arm.events} / {arm.participants}"
    return material.words.spread(arm.mean, arm.sd) if arm.mean is not None else "–"


def _remarks(material: Material, result: Result) -> Iterator[str]:
    for remark in result.notes:
        yield material.words.remark(remark)
    if result.failed is not None:
        yield f"{result.item}: {result.failed}"


def _noted(notes: list[str], text: str) -> str:
    """A mark for a note, which is written once."""
    if text not in notes:
        notes.append(text)
    return f" [{notes.index(text) + 1}]"


def _observed(material: Material, items: Sequence[PlanItem]) -> Iterator[Line]:
    """Means by sequence and period, where a crossover's main model is shown."""
    plan, words = material.plan, material.words
    main = next((item for item in items if item.model.role == "main"), None)
    if main is None or main.model.method != "crossover":
        return
    try:
        rows = plan.rows(main)
    except PlanCannotRun:
        return
    for sequence in plan.study.identity.sequences:
        for period in plan.study.identity.periods:
            arm = sequence.arms[period.id]
            cell = where(rows, TRTSEQP=sequence.id, APERIOD=plan.words.periods[period.id])
            shown = ["–", "–"]
            if arm in (plan.comparison.one, plan.comparison.other):
                shown[0 if arm == plan.comparison.one else 1] = _mean_sd(material, cell[main.outcome])
            label = words(
                "Observed, {sequence}, {period}",
                sequence=plan.words.text(sequence.label),
                period=plan.words.text(period.label),
            )
            yield Line(label, (str(cell["USUBJID"].nunique()), *shown, "", ""), 1, (main.model.id,))


def _mean_sd(material: Material, values: pandas.Series) -> str:
    if not len(values):
        return "–"
    return material.words.spread(float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else None)
