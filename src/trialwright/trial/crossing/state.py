"""The newest crossing, so that an interrupted one is completed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trialwright.trial.crossing.events import FactsCrossed
from trialwright.trial.event import Event, Fact, Space
from trialwright.trial.state import Slice


@dataclass
class Crossings(Slice):
    """Only the newest can be incomplete: both ledgers stay locked until both have committed."""

    STREAM: ClassVar[str] = "crossing"
    SPACE: ClassVar[Space] = Space.CLOSED
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (FactsCrossed,)
    newest: Fact | None = None

    def apply(self, fact: Fact) -> None:
        self.newest = fact


SLICES: tuple[type[Slice], ...] = (Crossings,)
