"""Who and what is forgotten, as the open ledger says; read without any key."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from trialwright.ledger.port import Ledger
from trialwright.trial.attachments.events import FileAttached, FileWithdrawn
from trialwright.trial.erasure.commands import TYPED_BY_MISTAKE
from trialwright.trial.erasure.events import ParticipantKeysDestroyed

_TYPES = (ParticipantKeysDestroyed.TYPE, FileAttached.TYPE, FileWithdrawn.TYPE)


@dataclass
class ForgottenOnRecord:
    """What the record says.

    Attributes:
        below: participant → number below which the keys of their texts are destroyed.
        wholly: participants about whom more than texts goes: never enrolled, or retention expired.
    """

    below: dict[str, int] = field(default_factory=dict)
    wholly: set[str] = field(default_factory=set)
    _attached: dict[str, set[str]] = field(default_factory=dict)
    """Hash of a file → who ever had it."""
    _standing: dict[str, set[str]] = field(default_factory=dict)
    """Hash of a file → on whose forms it stands."""

    @classmethod
    def of(cls, ledger: Ledger) -> ForgottenOnRecord:
        """Read the open ledger of a study."""
        found = cls()
        for entry in ledger.read():
            if entry.type in _TYPES:
                found._apply(entry.type, json.loads(entry.body)["data"])
        return found

    def files(self) -> set[str]:
        """Hashes of forgotten files: somebody who is forgotten had them, and nobody else's form names them."""
        return {
            digest
            for digest, had in self._attached.items()
            if had & self.below.keys() and not self._standing[digest] - self.wholly
        }

    def _apply(self, kind: str, said: dict[str, Any]) -> None:
        participant = said["participant"]
        if kind == ParticipantKeysDestroyed.TYPE:
            self.below[participant] = said["below"]
            if said["ground"] != TYPED_BY_MISTAKE:
                self.wholly.add(participant)
        elif kind == FileAttached.TYPE:
            self._attached.setdefault(said["digest"], set()).add(participant)
            self._standing.setdefault(said["digest"], set()).add(participant)
        else:
            self._standing.setdefault(said["digest"], set()).discard(participant)
