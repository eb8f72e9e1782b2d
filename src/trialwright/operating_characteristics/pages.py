"""The answers as a table (CSV) and as one page (HTML) for the sample-size section of a protocol.

The figures are drawn here, as SVG inside the page: lines for a number that varies, a heat map for two.
"""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Iterator, Sequence

from trialwright.operating_characteristics.answers import Answer, Number, Report

_AXES = ("participants", "effect", "spread", "dropout_per_year", "missed_visit", "carry_over", "manufacture_failure")
_COLOURS = ("#0b5fa5", "#b3541e", "#2e7d32", "#6a3d9a", "#8d6e00", "#444444")
_STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}
table{border-collapse:collapse;margin:1rem 0;font-size:.9rem}th,td{border:1px solid #bbb;padding:.25rem .5rem;
text-align:right}th:first-child,td:first-child,th:nth-child(2),td:nth-child(2){text-align:left}
figure{margin:1.5rem 0}svg{max-width:100%;height:auto}"""


def as_csv(found: Report) -> str:
    """One line for each setting and model; empty where there is no number."""
    out = io.StringIO()
    numbers = ("significant", "bias", "coverage", "half_width", "standard_error", "not_estimated")
    heads = [part for name in numbers for part in (name, f"{name}_mcse")]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["setting", "scenario", "participants", "model", "question", "trials", "truth", *heads])
    for each in found.answers:
        cells: list[object] = []
        for name in numbers:
            value: Number | None = getattr(each, name)
            cells += ["", ""] if value is None else [repr(value[0]), repr(value[1])]
        setting = each.setting
        first = (setting.id, setting.scenario, setting.participants, each.model, each.question)
        writer.writerow([*first, each.trials, repr(each.truth), *cells])
    return out.getvalue()


def as_html(found: Report) -> str:
    """One page that stands alone: no scripts, nothing from elsewhere."""
    title = f"What {found.study} can and cannot show"
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{_safe(title)}</title>',
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>{_safe(title)}</h1>",
        f"<p>Simulated trials, seed {found.seed}. The number behind ± is 1.96 Monte-Carlo standard errors: how far "
        "the simulation itself may be off. A trial that could not be analysed counts as one that showed nothing.</p>",
        *_sentences(found),
        *_figures(found.answers),
        *_table(found.answers),
        *_conduct(found),
        *_left_out(found),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _sentences(found: Report) -> Iterator[str]:
    for setting in dict.fromkeys(each.setting for each in found.answers):
        yield f"<h2>{_safe(setting.id)}</h2><ul>"
        yield from (f"<li>{_safe(each.sentence())}</li>" for each in found.answers if each.setting == setting)
        yield "</ul>"


def _table(answers: Sequence[Answer]) -> Iterator[str]:
    heads = (
        "setting",
        "model",
        "trials",
        "truth",
        "significant %",
        "bias",
        "coverage %",
        "half-width",
        "no estimate %",
    )
    yield "<h2>All numbers</h2><table><thead><tr>" + "".join(f"<th>{h}</th>" for h in heads) + "</tr></thead><tbody>"
    for each in answers:
        cells = (
            _safe(each.setting.id),
            _safe(each.model),
            str(each.trials),
            f"{each.truth:g}",
            _number(each.significant, 100),
            _number(each.bias),
            _number(each.coverage, 100),
            _number(each.half_width),
            _number(each.not_estimated, 100),
        )
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    yield "</tbody></table>"


def _conduct(found: Report) -> Iterator[str]:
    told = [each for each in found.conduct if each.duration_months or each.without]
    if not told:
        return
    yield "<h2>Time and product</h2><table><thead><tr><th>setting</th><th>last randomised, months</th>"
    yield "<th>last visit, months</th><th>products that fail</th><th>participants without</th>"
    yield "<th>any without, %</th></tr></thead><tbody>"
    for each in told:
        numbers = (each.accrual_months, each.duration_months, each.failed_products, each.without)
        cells = [_safe(each.setting.id), *(_number(value) for value in numbers), _number(each.some_without, 100)]
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    yield "</tbody></table>"


def _left_out(found: Report) -> Iterator[str]:
    if found.left_out:
        yield "<h2>Not simulated</h2><ul>"
        yield from (f"<li>{_safe(each.model)}: {_safe(each.why)}</li>" for each in found.left_out)
        yield "</ul>"
    notes = {(each.model, note) for each in found.answers for note in each.notes}
    if notes:
        yield "<h2>Simpler than the plan</h2><ul>"
        yield from (f"<li>{_safe(model)}: {_safe(note)}</li>" for model, note in sorted(notes))
        yield "</ul>"


def _number(value: Number | None, times: float = 1.0) -> str:
    return "" if value is None else f"{times * value[0]:.3g} ± {times * 1.96 * value[1]:.2g}"


def _safe(text: str) -> str:
    return html.escape(text)


def _figures(answers: Sequence[Answer]) -> Iterator[str]:
    """For each scenario: lines where one number varies, a heat map for each model where two do."""
    for scenario in dict.fromkeys(each.setting.scenario for each in answers):
        members = [each for each in answers if each.setting.scenario == scenario]
        varying = [axis for axis in _AXES if len({getattr(each.setting, axis) for each in members}) > 1]
        if len(varying) == 1:
            yield _lines(scenario, varying[0], members)
        elif len(varying) == 2:
            for model in dict.fromkeys(each.model for each in members):
                yield _heat_map(scenario, model, varying[0], varying[1], [e for e in members if e.model == model])


def _lines(scenario: str, axis: str, members: Sequence[Answer]) -> str:
    values = sorted({float(getattr(each.setting, axis)) for each in members})
    low, high = values[0], values[-1]

    def x(value: float) -> float:
        return 60 + 520 * (value - low) / (high - low)

    def y(share: float) -> float:
        return 260 - 240 * share

    parts = [f'<line x1="60" y1="{y(s)}" x2="580" y2="{y(s)}" stroke="#ddd"/>' for s in (0, 0.25, 0.5, 0.75, 1)]
    parts += [f'<text x="52" y="{y(s) + 4}" text-anchor="end">{100 * s:g} %</text>' for s in (0, 0.25, 0.5, 0.75, 1)]
    parts += [f'<text x="{x(v):.1f}" y="280" text-anchor="middle">{v:g}</text>' for v in values]
    for place, model in enumerate(dict.fromkeys(each.model for each in members)):
        colour = _COLOURS[place % len(_COLOURS)]
        points = sorted((float(getattr(e.setting, axis)), *e.significant) for e in members if e.model == model)
        parts.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="'
            + " ".join(f"{x(v):.1f},{y(share):.1f}" for v, share, _ in points)
            + '"/>'
        )
        parts += [
            f'<line x1="{x(v):.1f}" x2="{x(v):.1f}" y1="{y(share - 1.96 * e):.1f}" y2="{y(share + 1.96 * e):.1f}" '
            f'stroke="{colour}"/>'
            for v, share, e in points
        ]
        parts.append(f'<text x="590" y="{30 + 18 * place}" fill="{colour}">{_safe(model)}</text>')
    label = f"{scenario}: share of trials with p below alpha, by {axis.replace('_', ' ')}"
    return _figure(label, 820, 300, parts)


def _heat_map(scenario: str, model: str, across: str, down: str, members: Sequence[Answer]) -> str:
    columns = sorted({float(getattr(each.setting, across)) for each in members})
    rows = sorted({float(getattr(each.setting, down)) for each in members})
    parts = [f'<text x="{130 + 70 * c}" y="20" text-anchor="middle">{v:g}</text>' for c, v in enumerate(columns)]
    parts += [f'<text x="85" y="{50 + 34 * r}" text-anchor="end">{v:g}</text>' for r, v in enumerate(rows)]
    for each in members:
        c = columns.index(float(getattr(each.setting, across)))
        r = rows.index(float(getattr(each.setting, down)))
        share = each.significant[0]
        parts.append(
            f'<rect x="{95 + 70 * c}" y="{30 + 34 * r}" width="70" height="34" fill="#0b5fa5" '
            f'fill-opacity="{share:.3f}" stroke="#fff"/>'
            f'<text x="{130 + 70 * c}" y="{52 + 34 * r}" text-anchor="middle" '
            f'fill="{"#fff" if share > 0.5 else "#1a1a1a"}">{100 * share:.1f}</text>'
        )
    axes = f"{across.replace('_', ' ')} across, {down.replace('_', ' ')} down"
    label = f"{scenario}, {model}: % of trials with p below alpha; {axes}"
    return _figure(label, 110 + 70 * len(columns), 50 + 34 * len(rows), parts)


def _figure(label: str, width: int, height: int, parts: Sequence[str]) -> str:
    drawn = "".join(parts)
    return (
        f'<figure><svg role="img" aria-label="{_safe(label)}" viewBox="0 0 {width} {height}" width="{width}" '
        f'font-size="13" font-family="system-ui,sans-serif">{drawn}</svg>'
        f"<figcaption>{_safe(label)}</figcaption></figure>"
    )
