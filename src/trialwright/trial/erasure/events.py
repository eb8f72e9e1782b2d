"""Facts about keys that were destroyed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trialwright.trial.event import Event


@dataclass(frozen=True, kw_only=True)
class ErasureProposed(Event):
    """The first of two people wants the participant's keys destroyed; the envelope has the reason."""

    TYPE: ClassVar[str] = "erasure.proposed"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    ground: str
    """never_enrolled, typed_by_mistake or retention_expired."""


@dataclass(frozen=True, kw_only=True)
class ParticipantKeysDestroyed(Event):
    """The second person agreed. What earlier entries hold sealed opens for nobody from here on."""

    TYPE: ClassVar[str] = "erasure.participant_keys_destroyed"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    ground: str
    first: str
    """Who proposed it."""
    below: int
    """Keys of smaller numbers are destroyed; what is sealed later has this number."""


EVENTS: tuple[type[Event], ...] = (ErasureProposed, ParticipantKeysDestroyed)
