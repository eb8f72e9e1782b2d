"""The closed ledger's note of what is to appear in the open one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from trialwright.ledger import canonical
from trialwright.trial.event import Event, Space


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """One open event, as type and canonical data."""

    type: str
    data: str


@dataclass(frozen=True, kw_only=True)
class FactsCrossed(Event):
    """Open facts that belong to the same act as the closed facts before it; written in the same transaction."""

    TYPE: ClassVar[str] = "crossing.facts_crossed"
    SPACE: ClassVar[Space] = Space.CLOSED
    STREAM: ClassVar[str] = "crossing"
    parts: tuple[Crossing, ...]
    request: str
    reason: str | None = None
    """What the open envelopes say for a reason; absent where it does not cross."""

    @classmethod
    def of(
        cls, events: Iterable[tuple[str, dict[str, Any]]], request_id: str, reason: str | None = None
    ) -> FactsCrossed:
        """Note down open events by type and data."""
        parts = tuple(Crossing(type=kind, data=canonical(data).decode()) for kind, data in events)
        return cls(parts=parts, request=request_id, reason=reason)


def contents(crossing: Crossing) -> dict[str, Any]:
    """The data of the open event."""
    data: dict[str, Any] = json.loads(crossing.data)
    return data


EVENTS: tuple[type[Event], ...] = (FactsCrossed,)
