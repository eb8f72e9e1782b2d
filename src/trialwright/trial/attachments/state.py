"""The files of one participant, as far as the record knows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from trialwright.trial.attachments.events import FileAttached, FileWithdrawn
from trialwright.trial.event import Event, Fact
from trialwright.trial.state import Slice


@dataclass
class Attachments(Slice):
    """One participant."""

    STREAM: ClassVar[str] = "participant/{}"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (FileAttached, FileWithdrawn)
    digests: set[str] = field(default_factory=set)
    """Of files attached and not withdrawn."""

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case FileAttached(digest=digest):
                self.digests.add(digest)
            case FileWithdrawn(digest=digest):
                self.digests.discard(digest)


SLICES: tuple[type[Slice], ...] = (Attachments,)
