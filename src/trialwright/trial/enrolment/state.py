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
    assessed_build: str = ""
    """The build whose criteria were assessed."""
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
                self.assessed, self.assessed_build, self.signed_off_on = e, fact.build, ""
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
    """A site's participant numbers, and who was screened again as whom."""

    STREAM: ClassVar[str] = "site/{}"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (ParticipantNumberTaken,)
    last: int = 0
    earlier: dict[str, str] = field(default_factory=dict)
    """Code → the code of the screening before."""

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case ParticipantNumberTaken() as e:
                self.last = e.number
                if e.rescreen_of is not None:
                    self.earlier[e.participant] = e.rescreen_of

    def rescreened_as(self, participant: str) -> str | None:
        """The code under which this screen failure was screened again."""
        return next((code for code, before in self.earlier.items() if before == participant), None)

    def screenings_before(self, participant: str) -> int:
        """How many screenings the person behind this code had before it."""
        count = 0
        while participant in self.earlier:
            participant, count = self.earlier[participant], count + 1
        return count


SLICES: tuple[type[Slice], ...] = (Enrolment, Numbering)
