"""What long campaigns share: outcomes kept on a file, to go on where one was stopped, and a progress bar."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Outcome:
    """What came of some runs."""

    told: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        self.told += other.told
        self.wrong += other.wrong


class Kept:
    """Outcomes on a file, one block a line, so that a campaign goes on where it was stopped.

    Args:
        path: the file; ``None``: in memory only. A last line that was cut off is played again.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.outcome = Outcome()
        self.blocks: set[int] = set()
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = [line for line in _text(path).splitlines(keepends=True) if line.endswith("\n")]
        path.write_text("".join(whole), encoding="utf-8")
        for line in whole:
            said = json.loads(line)
            self._take(said["block"], Outcome(Counter(said["told"]), said["wrong"]))

    def add(self, number: int, outcome: Outcome) -> None:
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"block": number, "told": outcome.told, "wrong": outcome.wrong}) + "\n")
        self._take(number, outcome)

    def _take(self, number: int, outcome: Outcome) -> None:
        self.blocks.add(number)
        self.outcome.add(outcome)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


class Progress:
    """A bar with interim counts on standard error; on no terminal, twenty lines in all.

    Args:
        of: how many steps there are.
        unit: what one run is called.
        each: runs a step.
    """

    def __init__(self, of: int, unit: str, each: int) -> None:
        self._of, self._unit, self._each = of, unit, each
        self._began, self._done = time.perf_counter(), 0

    def step(self, wrong: int) -> None:
        """One step more; ``wrong`` is told beside it."""
        self._done += 1
        done, of, seconds = self._done, self._of, time.perf_counter() - self._began
        bar, rest, runs = "█" * (30 * done // of), seconds / done * (of - done) / 60, done * self._each
        words = f"{bar:<30} {runs:,} {self._unit}, {runs / seconds:.1f}/s, {rest:.0f} min left, {wrong} wrong"
        if sys.stderr.isatty():
            print(f"\r{words}", end="" if done < of else "\n", file=sys.stderr, flush=True)
        elif done % max(of // 20, 1) == 0:
            print(words, file=sys.stderr, flush=True)
