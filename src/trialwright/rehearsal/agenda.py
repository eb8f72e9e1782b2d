"""What happens next: processes that sleep until a moment of the simulated world.

A process is a generator that yields the instant at which it wants to go on. Order is by instant, then by the
order in which processes were put on the agenda, so a rehearsal never depends on chance of the machine.
"""

from __future__ import annotations

import heapq
from collections.abc import Generator
from datetime import datetime

from trialwright.foundation.ports import SettableClock

Process = Generator[datetime, None, None]
"""Goes on at the instants it yields."""

Deciding = Generator[datetime, None, bool]
"""A process that ends with a yes or a no."""


class Agenda:
    """Runs processes in the order of simulated time.

    Args:
        clock: moved to each instant as it comes.
    """

    def __init__(self, clock: SettableClock) -> None:
        self._clock = clock
        self._waiting: list[tuple[datetime, int, Process]] = []
        self._count = 0

    def start(self, process: Process, at: datetime) -> None:
        """Put a process on the agenda."""
        self._push(at, process)

    def run(self, until: datetime | None = None) -> None:
        """Until nothing waits any more, or nothing before an instant."""
        while self._waiting and (until is None or self._waiting[0][0] < until):
            instant, _, process = heapq.heappop(self._waiting)
            # Acts take simulated minutes, so the clock may already be past the instant; it never runs back.
            self._clock.set(max(instant, self._clock.now()))
            try:
                wanted = next(process)
            except StopIteration:
                continue
            self._push(wanted, process)

    def _push(self, at: datetime, process: Process) -> None:
        self._count += 1
        heapq.heappush(self._waiting, (at, self._count, process))
