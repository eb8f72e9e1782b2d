"""The answers as one page (HTML) for the sample-size section of a protocol."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from itertools import combinations

from trialwright.operating_characteristics.answers import Answer, Number, Report
from trialwright.operating_characteristics.figures import COLOURS, Point, curves, heat_map
from trialwright.operating_characteristics.randomisation_methods import Assessed
from trialwright.operating_characteristics.settings import Setting

_AXES = {
    "participants": "participants",
    "effect": "effect, as a multiple of the scenario's",
    "spread": "standard deviations, as a multiple",
    "dropout_per_year": "drop-out a year",
    "missed_visit": "share of visits missed",
    "carry_over": "carry-over, as a share of the effect",
    "manufacture_failure": "share of manufactures that fail",
    "misrated": "share of values misrated",
    "accrual": "accrual, as a multiple",
}
_STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}
h1{line-height:1.2}h2{margin-top:2.5rem}.wide{overflow-x:auto}
table{border-collapse:collapse;margin:1rem 0;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{border-bottom:1px solid #ccc;padding:.3rem .6rem;text-align:right;vertical-align:top}
td{white-space:nowrap}td.text{white-space:normal}
thead th{border-bottom:2px solid #555}.text{text-align:left}
caption{text-align:left;font-weight:600;padding:.3rem 0}
figure{margin:1.5rem 0}figcaption{font-size:.9rem;color:#444}svg{max-width:100%;height:auto}
summary{cursor:pointer;font-weight:600;margin:1rem 0}.key{border-left:4px solid #0b5fa5;padding:.2rem 1rem}
@media print{details>*{display:block}body{margin:0;max-width:none}figure,tr{break-inside:avoid}}"""


def as_html(found: Report, methods: Sequence[Assessed] = ()) -> str:
    """One page that stands alone: no scripts, nothing from elsewhere.

    Args:
        found: the answers.
        methods: randomisation methods side by side, where they were assessed.
    """
    title = f"What {found.study} can and cannot show"
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{_safe(title)}</title>",
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>{_safe(title)}</h1>",
        f"<p>Simulated trials from the study folder, seed {found.seed}, two-sided tests at {100 * found.alpha:g} %. "
        "The number behind ± is 1.96 Monte-Carlo standard errors: how far the simulation itself may be off. A trial "
        "that could not be analysed counts as one that showed nothing.</p>",
        *_short(found),
        *_figures(found.answers, found.alpha),
        *_looks(found),
        *_conduct(found),
        *_methods(methods),
        *_numbers(found),
        *_left_out(found),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _short(found: Report) -> Iterator[str]:
    """What belongs into the protocol: the primary analysis in each scenario as it stands."""
    chosen = [each for each in found.answers if each.primary] or list(found.answers)
    chosen = [each for each in chosen if not each.setting.differs] or chosen
    yield '<h2>In short</h2><div class="key">'
    for setting in dict.fromkeys(each.setting for each in chosen):
        said = " ".join(_safe(each.sentence()) for each in chosen if each.setting == setting)
        yield f"<p><b>{_safe(setting.id)}.</b> {said}</p>"
    yield "</div>"


def _numbers(found: Report) -> Iterator[str]:
    yield "<h2>All numbers</h2>"
    for setting in dict.fromkeys(each.setting for each in found.answers):
        members = [each for each in found.answers if each.setting == setting]
        yield f"<details><summary>{_safe(setting.id)}</summary>"
        yield "<ul>" + "".join(f"<li>{_safe(each.sentence())}</li>" for each in members) + "</ul>"
        yield from _table(
            ("model", "trials", "truth", "significant %", "bias", "coverage %", "half-width", "no estimate %"),
            [
                (
                    _safe(each.model),
                    f"{each.trials:,}",
                    f"{each.truth:.4g}".replace("-", "−"),
                    _number(each.significant, 100),
                    _number(each.bias),
                    _number(each.coverage, 100),
                    _number(each.half_width),
                    _number(each.not_estimated, 100),
                )
                for each in members
            ],
        )
        yield "</details>"


def _looks(found: Report) -> Iterator[str]:
    if not found.looks:
        return
    yield "<h2>Looks at accumulating data</h2><ul>"
    yield from (f"<li><b>{_safe(each.setting.id)}.</b> {_safe(each.sentence())}</li>" for each in found.looks)
    yield "</ul>"
    rows = [
        (
            _safe(each.setting.id),
            _safe(each.looks),
            str(people),
            f"{bound:.3f}",
            _number(stopped, 100),
        )
        for each in found.looks
        for people, bound, stopped in zip(each.participants, each.bounds, each.stopped, strict=True)
    ]
    yield from _table(("setting", "looks", "participants", "|Z| at least", "stopped here %"), rows, texts=2)


def _conduct(found: Report) -> Iterator[str]:
    told = [each for each in found.conduct if each.duration_months or each.without or each.too_few_places]
    if not told:
        return
    yield "<h2>Time, product and slots</h2>"
    heads = (
        "setting", "last randomised, months", "last visit, months", "manufactures that fail", "slots cancelled",
        "participants without", "anybody without, %", "laboratory full at some time, %",
    )  # fmt: skip
    rows = []
    for each in told:
        numbers = (
            each.accrual_months,
            each.duration_months,
            each.failed_products,
            each.cancelled_slots,
            each.without,
        )
        shares = (each.some_without, each.too_few_places)
        rows.append(
            (
                _safe(each.setting.id),
                *(_number(value) for value in numbers),
                *(_number(share, 100) for share in shares),
            )
        )
    rows = _once(rows)
    empty = {k for k in range(len(heads)) if not any(row[k] for row in rows)}
    yield from _table(
        [head for k, head in enumerate(heads) if k not in empty],
        [[cell for k, cell in enumerate(row) if k not in empty] for row in rows],
    )


def _once(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Settings with the same numbers in one row."""
    names: dict[tuple[str, ...], list[str]] = {}
    for name, *numbers in rows:
        names.setdefault(tuple(numbers), []).append(name)
    return [
        (name if not more else f"{name} and {len(more)} more", *numbers) for numbers, (name, *more) in names.items()
    ]


def _methods(methods: Sequence[Assessed]) -> Iterator[str]:
    if not methods:
        return
    yield "<h2>Randomisation methods side by side</h2>"
    yield (
        "<p>Guessed: share of allocations that a guess of the rarer arm gets right; 50 % is chance. Imbalance: mean "
        "difference in numbers at the end. Size: of the re-randomisation test, with a drift over time and no effect. "
        "The study's own method stands first.</p>"
    )
    yield from _table(
        ("method", "guessed %", "imbalance", "size of the test %"),
        [
            (
                ("<b>" + _safe(each.method) + "</b>") if each.declared else _safe(each.method),
                _number(each.predictability, 100),
                _number(each.imbalance),
                _number(each.size, 100),
            )
            for each in methods
        ],
    )


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


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> Iterator[str]:
    """The first ``texts`` columns are words."""

    def cell(kind: str, place: int, content: str) -> str:
        words = ' class="text"' if place < texts else ""
        return f"<{kind}{words}>{content}</{kind}>"

    yield '<div class="wide"><table><thead><tr>'
    yield "".join(cell("th", k, _safe(head)) for k, head in enumerate(heads)) + "</tr></thead><tbody>"
    yield from ("<tr>" + "".join(cell("td", k, content) for k, content in enumerate(row)) + "</tr>" for row in rows)
    yield "</tbody></table></div>"


def _number(value: Number | None, times: float = 1.0) -> str:
    if value is None:
        return ""
    off = 1.96 * times * value[1]
    # As many decimals as the simulation error leaves meaning, at most three.
    decimals = 3 if off == 0 else min(max(0, 1 - _magnitude(off)), 3)
    shown = f"{times * value[0]:.{decimals}f} ± {off:.{decimals}f}" if off else f"{times * value[0]:.{decimals}f}"
    return shown.replace("-", "−")


def _magnitude(number: float) -> int:
    return int(f"{number:e}".partition("e")[2])


def _safe(text: str) -> str:
    return html.escape(text)


def _figures(answers: Sequence[Answer], alpha: float) -> Iterator[str]:
    """For each scenario: heat maps where two numbers vary together, curves where one does."""
    drawn = list(_drawn(answers, alpha))
    if drawn:
        yield "<h2>Figures</h2>"
        yield from (f"<figure>{picture}<figcaption>{_safe(label)}</figcaption></figure>" for label, picture in drawn)


def _drawn(answers: Sequence[Answer], alpha: float) -> Iterator[tuple[str, str]]:
    for scenario in dict.fromkeys(each.setting.scenario for each in answers):
        members = [each for each in answers if each.setting.scenario == scenario]
        covered: set[tuple[Setting, str]] = set()
        for across, down in combinations(_AXES, 2):
            for family in _families(members, (across, down)):
                shares = {(_at(each, across), _at(each, down)): each.significant[0] for each in family}
                columns, rows = {c for c, _ in shares}, {r for _, r in shares}
                if len(columns) < 2 or len(rows) < 2 or len(shares) < len(columns) * len(rows):
                    continue
                covered |= {(each.setting, each.model) for each in family}
                label = f"{scenario}, {family[0].model}: % of trials with p below {alpha:g}"
                yield label, heat_map(label, _AXES[across], _AXES[down], shares)
        for axis in _AXES:
            lines: dict[tuple[object, ...], list[Answer]] = {}
            for family in _families(members, (axis,)):
                seen = {(each.setting, each.model) for each in family}
                if len({_at(each, axis) for each in family}) >= 2 and not seen <= covered:
                    lines.setdefault(tuple(_at(each, axis) for each in family), []).extend(family)
            for together in lines.values():
                yield from _curves(scenario, axis, together, alpha)


def _curves(scenario: str, axis: str, family: Sequence[Answer], alpha: float) -> Iterator[tuple[str, str]]:
    models = list(dict.fromkeys(each.model for each in family))
    for first in range(0, len(models), len(COLOURS)):
        some = models[first : first + len(COLOURS)]
        lines = {
            model: [Point(_at(each, axis), *each.significant) for each in family if each.model == model]
            for model in some
        }
        marks = (alpha,) if all(each.truth == 0 for each in family) else (0.8, alpha)
        label = f"{scenario}: % of trials with p below {alpha:g}, by {_AXES[axis]}"
        yield label, curves(label, _AXES[axis], lines, marks)


def _families(members: Sequence[Answer], axes: Sequence[str]) -> Iterator[list[Answer]]:
    """Answers of one model whose settings differ in these numbers only."""
    found: dict[tuple[object, ...], list[Answer]] = {}
    for each in members:
        rest = tuple(getattr(each.setting, axis) for axis in (*_AXES, "covariance") if axis not in axes)
        found.setdefault((each.model, *rest), []).append(each)
    yield from found.values()


def _at(answer: Answer, axis: str) -> float:
    return float(getattr(answer.setting, axis))
