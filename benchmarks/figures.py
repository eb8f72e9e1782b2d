"""How figures are taken and shown: by the clock and by the processor, beside their targets.

Processor time says what a busy machine hides by the clock. Even that grows while neighbours share caches and cores,
so beside every figure stands a yardstick: the processor time of one plain loop, taken before and after it. Ratios are
of figures of one run.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Taken:
    """Seconds by the clock and of the processor."""

    clock: float
    processor: float


@dataclass(frozen=True)
class Figure:
    """One line of a table.

    Args:
        what: what was measured.
        clock, processor: the figure by each; None where it has only one side.
        unit: of the figure.
        target: what it must reach (at most, where ``less`` is better), or None.
        less: whether less is better.
    """

    what: str
    clock: float | None
    processor: float | None
    unit: str
    target: float | None = None
    less: bool = False

    @classmethod
    def rate(
        cls, what: str, count: int, taken: Taken, unit: str, target: float | None = None, threads: int = 1
    ) -> Figure:
        """So many in the time taken; by the processor as if it had no other work on each of the threads."""
        return cls(what, count / taken.clock, count * threads / taken.processor, unit, target)

    @property
    def verdict(self) -> str:
        """Whether the target is met by the clock, or only by the processor, or not."""
        if self.target is None:
            return ""
        if self._reaches(self.clock):
            return "met"
        return "met by processor" if self._reaches(self.processor) else "MISSED"

    def _reaches(self, figure: float | None) -> bool:
        if figure is None or self.target is None:
            return False
        return figure <= self.target if self.less else figure >= self.target


def best(act: Callable[[], object], times: int = 3) -> Taken:
    """The shortest of several runs, on each side."""
    clocks, processors = [], []
    for _ in range(times):
        gc.collect()
        clock, processor = time.perf_counter(), time.process_time()
        act()
        clocks.append(time.perf_counter() - clock)
        processors.append(time.process_time() - processor)
    return Taken(min(clocks), min(processors))


def yardstick() -> float:
    """Milliseconds of processor time that a plain loop takes: how fast this machine is just now."""
    return 1000 * best(lambda: {n % 1000: f"{n}x" for n in range(300_000)}).processor


def show(title: str, figures: Iterable[Figure]) -> None:
    """Measure and print, line by line."""
    print(f"\n{title}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    print(f"{'':<58}{'by the clock':>14}{'by processor':>14}  {'unit':<16}{'target':>12}{'yardstick':>12}  result")
    before = yardstick()
    for figure in figures:
        after = yardstick()
        beside = f"{(before + after) / 2:.0f} ms"
        before = after
        target = "" if figure.target is None else f"{'<' if figure.less else '≥'} {_number(figure.target)}"
        print(
            f"{figure.what:<58}{_number(figure.clock):>14}{_number(figure.processor):>14}  {figure.unit:<16}"
            f"{target:>12}{beside:>12}  {figure.verdict}".rstrip(),
            flush=True,
        )


def _number(figure: float | None) -> str:
    if figure is None:
        return ""
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:,.2f}"
