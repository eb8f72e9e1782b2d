"""Facts about consent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trialwright.trial.event import Event


@dataclass(frozen=True, kw_only=True)
class ConsentSignedByParticipant(Event):
    """The participant signed this version; the interviewer's signature is still to come."""

    TYPE: ClassVar[str] = "consent.signed_by_participant"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    version: str
    language: str
    text: str
    """SHA-256 (hex) of the text that was shown."""
    method: str
    """electronic or paper."""
    teach_back: dict[str, str]
    """Question → answer chosen; teaches, never bars."""
    flags: tuple[str, ...] = ()
    """``other_version``: a paper of a version that is not the one approved for the site."""


@dataclass(frozen=True, kw_only=True)
class ConsentGiven(Event):
    """The delegated interviewer signed too: consent is in force."""

    TYPE: ClassVar[str] = "consent.given"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    version: str
    language: str
    text: str
    interviewer: str
    identity_check: str
    """How identity was checked: known_to_interviewer, photo_document, electronic_id."""
    build_version: str


@dataclass(frozen=True, kw_only=True)
class ConsentRefused(Event):
    """Asked, and declined."""

    TYPE: ClassVar[str] = "consent.refused"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str


@dataclass(frozen=True, kw_only=True)
class ConsentWithdrawn(Event):
    """The participant withdrew, for these scopes; as easy as joining, no reason needed."""

    TYPE: ClassVar[str] = "consent.withdrawn"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    scopes: tuple[str, ...]
    """treatment, visits, data_use, samples."""
    date: str


EVENTS: tuple[type[Event], ...] = (ConsentSignedByParticipant, ConsentGiven, ConsentRefused, ConsentWithdrawn)
