"""Facts about attached files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trialwright.trial.event import Event


@dataclass(frozen=True, kw_only=True)
class FileAttached(Event):
    """A file was attached to a form. Its bytes lie outside the record, under their hash."""

    TYPE: ClassVar[str] = "attachments.file_attached"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    encounter: str
    form: str
    repeat: int
    digest: str
    """SHA-256 (hex) of the bytes."""
    size: int
    """Of the bytes."""
    media_type: str
    text: str
    """What it is, in the words of whoever attached it."""


@dataclass(frozen=True, kw_only=True)
class FileWithdrawn(Event):
    """A file was attached by mistake and is not shown any more; the envelope has the reason."""

    TYPE: ClassVar[str] = "attachments.file_withdrawn"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    digest: str


EVENTS: tuple[type[Event], ...] = (FileAttached, FileWithdrawn)
