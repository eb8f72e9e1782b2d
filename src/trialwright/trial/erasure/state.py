"""How often a participant's keys were destroyed, and what was proposed since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trialwright.trial.erasure.events import ErasureProposed, ParticipantKeysDestroyed
from trialwright.trial.event import Event, Fact
from trialwright.trial.state import Slice


@dataclass
class Forgetting(Slice):
    """One participant."""

    STREAM: ClassVar[str] = "participant/{}"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (ErasureProposed, ParticipantKeysDestroyed)
    number: int = 0
    """Of the keys that seal what is written now."""
    proposed_by: str = ""
    proposed_ground: str = ""

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case ErasureProposed(ground=ground):
                self.proposed_by, self.proposed_ground = fact.actor, ground
            case ParticipantKeysDestroyed(below=below):
                self.number, self.proposed_by, self.proposed_ground = below, "", ""


SLICES: tuple[type[Slice], ...] = (Forgetting,)
