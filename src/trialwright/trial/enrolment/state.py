"""Where a participant stands between first contact and enrolment; and a site's numbering."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from trialwright.trial.enrolment.events import (
    CriteriaAssessed,
    EligibilitySignedOff,
    ParticipantNumberTaken,
    ParticipantScreened,
    ParticipationEnded,
    ScreeningFailed,
)
from trialwright.trial.event import Event, Fact
from trialwright.trial.state import Slice


@dataclass
class Enrolment(Slice):
    """One participant."""

    STREAM: ClassVar[str] = "participant/{}"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (
        ParticipantScreened, CriteriaAssessed, EligibilitySignedOff, ScreeningFailed, ParticipationEnded,
    )  # fmt: skip
    site: str = ""
    screened_on: str = ""
    rescreen_of: str | None = None
    assessed: CriteriaAssessed | None = None
    signed_off_on: str = ""
    failed: bool = False
    ended_on: str = ""
    ended_how: str = ""

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case ParticipantScreened() as e:
                self.site, self.screened_on, self.rescreen_of = e.site, e.date, e.rescreen_of
            case CriteriaAssessed() as e:
                # A new assessment undoes an older sign-off: what was signed is no longer what is known.
                self.assessed, self.signed_off_on = e, ""
            case EligibilitySignedOff(date=date):
                self.signed_off_on = date
            case ScreeningFailed():
                self.failed = True
            case ParticipationEnded() as e:
                self.ended_on, self.ended_how = e.date, e.how

    @property
    def exists(self) -> bool:
        """Whether this participant code was ever given out."""
        return bool(self.site)


@dataclass
class Numbering(Slice):
    """A site's participant numbers."""

    STREAM: ClassVar[str] = "site/{}"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (ParticipantNumberTaken,)
    last: int = 0
    rescreened: dict[str, int] = field(default_factory=dict)

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case ParticipantNumberTaken(number=number):
                self.last = number


SLICES: tuple[type[Slice], ...] = (
    Enrolment,
    Numbering,
)
