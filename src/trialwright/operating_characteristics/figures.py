"""Figures as SVG, drawn here: power curves, heat maps, and the data of one trial.

Lines need no plotting library, and a page with them needs nothing from elsewhere.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Scale = Callable[[float], float]
"""From a value to a place in the picture."""

COLOURS = ("#0b5fa5", "#b3541e", "#2e7d32", "#6a3d9a", "#8d6e00", "#444444")
"""Of lines; more than these are not told apart in one figure."""
_DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 2", "12 4")
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 560, 24, 264


@dataclass(frozen=True)
class Point:
    """A share at a value, and the Monte-Carlo standard error of the share."""

    at: float
    share: float
    error: float


def curves(title: str, axis: str, lines: Mapping[str, Sequence[Point]], marks: Sequence[float] = ()) -> str:
    """Shares by a number; one line each with bars of 1.96 standard errors.

    Args:
        title: read aloud in place of the figure, and its caption.
        axis: what the number is.
        lines: label → points, at most as many as there are colours.
        marks: shares that are marked by a dashed line.
    """
    points = [point for line in lines.values() for point in line]
    values = sorted({point.at for point in points})
    low, high = values[0], values[-1]
    top = 1.0 if max(point.share for point in points) > 0.3 else 0.3

    def x(value: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * ((value - low) / (high - low) if high > low else 0.5)

    def y(share: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * min(max(share, 0.0), top) / top

    parts = [*_across(top, y), *(_mark(y(mark), mark) for mark in marks if mark <= top)]
    parts += [f'<text x="{x(v):.1f}" y="{_BOTTOM + 20}" text-anchor="middle">{_number(v)}</text>' for v in values]
    parts.append(_axis_names(axis, "% of trials"))
    for place, (label, line) in enumerate(lines.items()):
        colour, dash = COLOURS[place % len(COLOURS)], _DASHES[place % len(_DASHES)]
        ordered = sorted(line, key=lambda point: point.at)
        drawn = " ".join(f"{x(point.at):.1f},{y(point.share):.1f}" for point in ordered)
        parts.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}" points="{drawn}"/>'
        )
        for point in ordered:
            a, b = y(point.share - 1.96 * point.error), y(point.share + 1.96 * point.error)
            parts.append(f'<line x1="{x(point.at):.1f}" x2="{x(point.at):.1f}" y1="{a:.1f}" y2="{b:.1f}" stroke="{colour}"/>')  # noqa: E501  # fmt: skip
            parts.append(f'<circle cx="{x(point.at):.1f}" cy="{y(point.share):.1f}" r="3" fill="{colour}"/>')
        height = _TOP + 12 + 20 * place
        parts.append(
            f'<line x1="{_RIGHT + 14}" x2="{_RIGHT + 38}" y1="{height - 4}" y2="{height - 4}" stroke="{colour}" '
            f'stroke-width="2" stroke-dasharray="{dash}"/>'
        )
        parts.append(f'<text x="{_RIGHT + 44}" y="{height}">{html.escape(label)}</text>')
    return figure(title, 840, _BOTTOM + 48, parts)


def heat_map(title: str, across: str, down: str, shares: Mapping[tuple[float, float], float]) -> str:
    """Shares by two numbers.

    Args:
        title: read aloud in place of the figure, and its caption.
        across, down: what the numbers are.
        shares: (across, down) → share.
    """
    columns, rows = sorted({c for c, _ in shares}), sorted({r for _, r in shares})
    left, top, wide, high = 130, 52, 76, 36
    parts = [
        f'<text x="{left + wide * (c + 0.5):.0f}" y="{top - 8}" text-anchor="middle">{_number(v)}</text>'
        for c, v in enumerate(columns)
    ]
    parts += [
        f'<text x="{left - 8}" y="{top + high * (r + 0.5) + 5:.0f}" text-anchor="end">{_number(v)}</text>'
        for r, v in enumerate(rows)
    ]
    parts.append(f'<text x="{left + wide * len(columns) / 2:.0f}" y="20" text-anchor="middle">{html.escape(across)}</text>')  # noqa: E501  # fmt: skip
    middle = top + high * len(rows) / 2
    parts.append(
        f'<text x="24" y="{middle:.0f}" text-anchor="middle" transform="rotate(-90 24 {middle:.0f})">'
        f"{html.escape(down)}</text>"
    )
    for (column, row), share in shares.items():
        x, y = left + wide * columns.index(column), top + high * rows.index(row)
        # Full colour at 100 %; figures turn white where the ground is dark enough for a contrast of 4.5 : 1.
        parts.append(
            f'<rect x="{x}" y="{y}" width="{wide}" height="{high}" fill="#0b5fa5" fill-opacity="{share:.3f}" '
            f'stroke="#fff"/><text x="{x + wide / 2:.0f}" y="{y + high / 2 + 5:.0f}" text-anchor="middle" '
            f'fill="{"#fff" if share > 0.72 else "#111"}">{100 * share:.1f}</text>'
        )
    width = max(left + wide * len(columns) + 20, 420)
    return figure(title, width, top + high * len(rows) + 16, parts)


def courses(title: str, visits: Sequence[str], groups: Mapping[str, Sequence[Sequence[float | None]]]) -> str:
    """The values of every participant over the visits, a panel for each group, its mean drawn thick.

    Args:
        title: read aloud in place of the figure, and its caption.
        visits: labels.
        groups: label → participants → a value for each visit, None where it is missing.
    """
    known = [v for people in groups.values() for values in people for v in values if v is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    low, high = (low, high) if high > low else (low - 1, high + 1)
    # Wide enough for the names of the visits below it, at 8 units a letter.
    panel = max(300, 8 * len(visits) * (max(map(len, visits), default=0) + 2))
    gap, top, bottom = 40, 40, 260

    def y(value: float) -> float:
        return bottom - (bottom - top) * (value - low) / (high - low)

    parts = []
    for value in _ticks(low, high):
        parts.append(f'<text x="52" y="{y(value) + 4:.1f}" text-anchor="end">{_number(value)}</text>')
    for place, (label, people) in enumerate(groups.items()):
        left = 64 + place * (panel + gap)
        xs = [left + panel * (k + 0.5) / len(visits) for k in range(len(visits))]
        colour = COLOURS[place % len(COLOURS)]
        parts += [
            f'<line x1="{left}" x2="{left + panel}" y1="{y(v):.1f}" y2="{y(v):.1f}" stroke="#ddd"/>'
            for v in _ticks(low, high)
        ]
        parts.append(f'<text x="{left}" y="24" font-weight="600">{html.escape(label)}, n = {len(people)}</text>')
        parts += [
            f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{html.escape(visit)}</text>'
            for x, visit in zip(xs, visits, strict=True)
        ]
        for values in people:
            parts += _course(xs, values, y, colour, 1, 0.5)
        means = [_mean([values[k] for values in people]) for k in range(len(visits))]
        parts += _course(xs, means, y, colour, 4, 1.0)
    width = 64 + len(groups) * (panel + gap)
    return figure(title, width, bottom + 36, parts)


def event_curves(title: str, groups: Mapping[str, Sequence[tuple[float, bool]]]) -> str:
    """Kaplan-Meier curves; | marks who was not followed further.

    Args:
        title: read aloud in place of the figure, and its caption.
        groups: label → (time, whether the event happened then).
    """
    longest = max((time for people in groups.values() for time, _ in people), default=1.0) or 1.0

    def x(time: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * time / longest

    def y(share: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * share

    parts = list(_across(1.0, y))
    parts += [
        f'<text x="{x(t):.1f}" y="{_BOTTOM + 20}" text-anchor="middle">{_number(t)}</text>'
        for t in _ticks(0, longest)
    ]
    parts.append(_axis_names("months", "% without the event"))
    for place, (label, people) in enumerate(groups.items()):
        colour = COLOURS[place % len(COLOURS)]
        share, drawn, ticks = 1.0, [f"{x(0):.1f},{y(1):.1f}"], []
        ordered = sorted(people)
        for number, (time, happened) in enumerate(ordered):
            if happened:
                drawn.append(f"{x(time):.1f},{y(share):.1f}")
                share *= 1 - 1 / (len(ordered) - number)
                drawn.append(f"{x(time):.1f},{y(share):.1f}")
            else:
                ticks.append((x(time), y(share)))
        if ordered:
            drawn.append(f"{x(ordered[-1][0]):.1f},{y(share):.1f}")
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{" ".join(drawn)}"/>')
        parts += [
            f'<line x1="{a:.1f}" x2="{a:.1f}" y1="{b - 4:.1f}" y2="{b + 4:.1f}" stroke="{colour}"/>' for a, b in ticks
        ]
        text = f"{html.escape(label)}, n = {len(people)}"
        parts.append(f'<text x="{_RIGHT + 14}" y="{_TOP + 12 + 20 * place}" fill="{colour}">{text}</text>')
    return figure(title, 840, _BOTTOM + 48, parts)


def figure(title: str, width: float, height: float, parts: Sequence[str]) -> str:
    """One picture that stands alone, with its title."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{html.escape(title)}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" font-size="13" '
        f'font-family="system-ui,sans-serif"><title>{html.escape(title)}</title>{"".join(parts)}</svg>'
    )


def _across(top: float, y: Scale) -> Iterator[str]:
    for step in range(5):
        share = top * step / 4
        yield f'<line x1="{_LEFT}" x2="{_RIGHT}" y1="{y(share):.1f}" y2="{y(share):.1f}" stroke="#ddd"/>'
        yield f'<text x="{_LEFT - 8}" y="{y(share) + 4:.1f}" text-anchor="end">{100 * share:g}</text>'


def _mark(height: float, share: float) -> str:
    return (
        f'<line x1="{_LEFT}" x2="{_RIGHT}" y1="{height:.1f}" y2="{height:.1f}" stroke="#555" stroke-dasharray="3 3"/>'
        f'<text x="{_RIGHT - 2}" y="{height - 4:.1f}" text-anchor="end" fill="#555">{100 * share:g} %</text>'
    )


def _axis_names(across: str, up: str) -> str:
    return (
        f'<text x="{(_LEFT + _RIGHT) / 2:.0f}" y="{_BOTTOM + 42}" text-anchor="middle">{html.escape(across)}</text>'
        f'<text x="{_LEFT - 40}" y="14">{html.escape(up)}</text>'
    )


def _course(
    xs: Sequence[float], values: Sequence[float | None], y: Scale, colour: str, width: int, opacity: float
) -> list[str]:
    there = [(x, y(value)) for x, value in zip(xs, values, strict=True) if value is not None]
    drawn = " ".join(f"{a:.1f},{b:.1f}" for a, b in there)
    style = f'stroke="{colour}" stroke-width="{width}" opacity="{opacity}"'
    dots = [
        f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{width + 1}" fill="{colour}" opacity="{opacity}"/>' for a, b in there
    ]
    return [f'<polyline fill="none" {style} points="{drawn}"/>' if len(there) > 1 else "", *dots]


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None


def _ticks(low: float, high: float) -> list[float]:
    """Some round numbers between."""
    step = 10.0 ** math.floor(math.log10((high - low) / 2))
    while (high - low) / step > 6:
        step *= 2 if (high - low) / step <= 12 else 5
    first = math.ceil(low / step)
    return [k * step for k in range(first, math.floor(high / step) + 1)]


def _number(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")
