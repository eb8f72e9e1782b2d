"""Who has acted for a participant, and in which role: the ground of role conflicts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from trialwright.trial.event import Event, Fact
from trialwright.trial.state import Slice


@dataclass
class Hands(Slice):
    """Folds every open fact of the participant; closed acts cross with their actor."""

    STREAM: ClassVar[str] = "participant/{}"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = None
    roles: dict[str, set[str]] = field(default_factory=dict)

    def apply(self, fact: Fact) -> None:
        self.roles.setdefault(fact.actor, set()).add(fact.role)

    def roles_of(self, person: str) -> set[str]:
        """Roles in which the person acted for this participant."""
        return self.roles.get(person, set())
