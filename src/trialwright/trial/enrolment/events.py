"""Facts between first contact and eligibility."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trialwright.trial.event import Event


@dataclass(frozen=True, kw_only=True)
class ParticipantNumberTaken(Event):
    """The site's next number was given out; keeps numbers gap-free when two people screen at once."""

    TYPE: ClassVar[str] = "enrolment.number_taken"
    STREAM: ClassVar[str] = "site/{site}"
    site: str
    participant: str
    number: int
    rescreen_of: str | None = None


@dataclass(frozen=True, kw_only=True)
class ParticipantScreened(Event):
    """Somebody entered screening under a new participant code. Identity is not in the record."""

    TYPE: ClassVar[str] = "enrolment.participant_screened"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    site: str
    date: str
    rescreen_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionVerdict:
    """One criterion's verdict."""

    criterion: str
    verdict: str
    """yes, no or unknown: whether the participant fits it (an exclusion fits when its statement does not hold)."""
    by: str
    """machine or doctor."""
    why: str
    """The expression with the facts it saw, or the doctor's comment."""


@dataclass(frozen=True, kw_only=True)
class CriteriaAssessed(Event):
    """All criteria with their verdicts at one moment, from the data on record and the investigator's judgement."""

    TYPE: ClassVar[str] = "enrolment.criteria_assessed"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    verdicts: tuple[CriterionVerdict, ...]
    facts: dict[str, str]
    """Fact → value used; a missing fact is not in here."""
    stated: dict[str, str]
    """Facts that no form holds, as the investigator stated them."""
    eligible: str
    """yes, no or unknown."""


@dataclass(frozen=True, kw_only=True)
class EligibilitySignedOff(Event):
    """The investigator signed: the participant fits."""

    TYPE: ClassVar[str] = "enrolment.eligibility_signed_off"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    date: str
    shown: str


@dataclass(frozen=True, kw_only=True)
class ScreeningFailed(Event):
    """Screening ended without enrolment, for these criteria or another reason."""

    TYPE: ClassVar[str] = "enrolment.screening_failed"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    criteria: tuple[str, ...]
    date: str


@dataclass(frozen=True, kw_only=True)
class ParticipationEnded(Event):
    """Completed, discontinued, lost to follow-up or died; data already collected stay. A later one corrects."""

    TYPE: ClassVar[str] = "enrolment.participation_ended"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    date: str
    how: str
    """completed, withdrawn, discontinued, lost_to_follow_up, died."""


EVENTS: tuple[type[Event], ...] = (
    ParticipantNumberTaken, ParticipantScreened, CriteriaAssessed, EligibilitySignedOff, ScreeningFailed,
    ParticipationEnded,
)  # fmt: skip
