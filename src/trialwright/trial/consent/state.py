"""Whether consent is in force, for what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from trialwright.trial.consent.events import (
    ConsentGiven,
    ConsentRefused,
    ConsentSignedByParticipant,
    ConsentWithdrawn,
)
from trialwright.trial.event import Event, Fact
from trialwright.trial.state import Slice


@dataclass
class Consent(Slice):
    """One participant's consent."""

    STREAM: ClassVar[str] = "participant/{}"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (
        ConsentSignedByParticipant, ConsentGiven, ConsentRefused, ConsentWithdrawn,
    )  # fmt: skip
    pending: ConsentSignedByParticipant | None = None
    """Signed by the participant, waiting for the interviewer."""
    version: str = ""
    """The version in force; empty before."""
    build: str = ""
    """The build of the site when consent was given; an amendment may ask for a newer one."""
    given_at: str = ""
    refused: bool = False
    withdrawn: dict[str, str] = field(default_factory=dict)
    """Scopes withdrawn since consent was given last, each with the day from which on."""

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case ConsentSignedByParticipant() as e:
                self.pending, self.refused = e, False
            case ConsentGiven(version=version):
                self.pending, self.version, self.given_at, self.build = None, version, fact.at, fact.build
                # Whoever signs anew consents anew.
                self.withdrawn = {}
            case ConsentRefused():
                self.pending, self.refused = None, True
            case ConsentWithdrawn(scopes=scopes, date=day):
                self.pending = None
                for scope in scopes:
                    self.withdrawn.setdefault(scope, day)

    @property
    def in_force(self) -> bool:
        """Given and not withdrawn for visits. Gates ask :func:`require_consent`, which also knows amendments."""
        return bool(self.version) and "visits" not in self.withdrawn

    @property
    def treatment_allowed(self) -> bool:
        """Given and not withdrawn for treatment."""
        return self.in_force and "treatment" not in self.withdrawn


SLICES: tuple[type[Slice], ...] = (Consent,)
