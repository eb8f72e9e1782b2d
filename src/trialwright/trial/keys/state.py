"""The keys in force, as decisions know them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from trialwright.trial.event import Event, Fact
from trialwright.trial.keys.events import KeyPutInForce
from trialwright.trial.state import Slice


@dataclass
class Keys(Slice):
    """By purpose, and for identity keys by site."""

    STREAM: ClassVar[str] = "keys"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (KeyPutInForce,)
    in_force: dict[tuple[str, str], str] = field(default_factory=dict)
    """(purpose, site or empty) → fingerprint."""
    known: set[str] = field(default_factory=set)
    """Fingerprints of every key that ever was in force."""

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case KeyPutInForce() as e:
                self.in_force[e.purpose, e.site or ""] = e.fingerprint
                self.known.add(e.fingerprint)

    def out_of_force(self, recipients: Mapping[str, str]) -> str:
        """The purpose of a recipient that is not the key in force; none where no key of that purpose is on record.

        Args:
            recipients: purpose → fingerprint.
        """
        for purpose, fingerprint in recipients.items():
            if self.in_force.get((purpose, ""), fingerprint) != fingerprint:
                return purpose
        return ""


SLICES: tuple[type[Slice], ...] = (Keys,)
