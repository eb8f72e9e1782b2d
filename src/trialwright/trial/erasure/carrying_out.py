"""What follows when two people have destroyed a participant's keys: the keys go, and every copy of their texts.

The fact comes first, the deeds after it; whatever dies in between, doing it again completes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from trialwright.foundation.ports import Keyring
from trialwright.ledger.port import Ledger
from trialwright.trial.dispatch import Trial
from trialwright.trial.erasure.events import ParticipantKeysDestroyed
from trialwright.trial.event import Space
from trialwright.trial.requests import ASKED

_MARK = b'"sealed":[{'
"""In the canonical bytes of every entry that holds something sealed."""


@dataclass(frozen=True)
class Erased:
    """What was done.

    Attributes:
        participants: everybody whose keys were destroyed by now.
        keys: how many keys were destroyed this time.
    """

    participants: tuple[str, ...]
    keys: int


def carry_out_erasures(trial: Trial) -> Erased:
    """Destroy the keys that the record says are destroyed, fold the views again, clean the databases' files.

    To be done in every process's spaces: by one that holds the closed space, too. Harmless when repeated.

    Raises:
        StoreLocked: somebody else uses a database; ask again.
    """
    below = forgotten(trial)
    if not below:
        return Erased((), 0)
    count = 0
    for space, ledger in _ledgers(trial):
        store = trial.stores[space]
        count += sum(
            store.keyring.destroy(f"{ledger.ledger_id}/{participant}", number)
            for participant, number in below.items()
        )
        _forget_requests(ledger, below)
        trial.rebuild_views(space)
        store.scrub()
    return Erased(tuple(sorted(below)), count)


def forgotten(trial: Trial) -> dict[str, int]:
    """Participant → number below which their keys are destroyed."""
    ledger = trial.ledgers[Space.OPEN]
    found: dict[str, int] = {}
    for entry in ledger.read():
        if entry.type == ParticipantKeysDestroyed.TYPE:
            data = json.loads(entry.body)["data"]
            found[data["participant"]] = max(data["below"], found.get(data["participant"], 0))
    return found


def shredded(ledger: Ledger, keyring: Keyring) -> int:
    """How many entries hold something sealed whose key was destroyed. A copy without its keyring counts none."""
    destroyed = {(holder, kind, number) for holder, kind, number, key in keyring.entries() if key is None}
    count = 0
    for entry in ledger.read():
        if _MARK in entry.body:
            sealed = json.loads(entry.body).get("sealed", ())
            names = ((f"{one['ledger']}/{one['holder']}", one["class"], one["key"]) for one in sealed)
            count += any(name in destroyed for name in names)
    return count


def _ledgers(trial: Trial) -> Iterator[tuple[Space, Ledger]]:
    for space, ledger in trial.ledgers.items():
        if space is Space.OPEN or not trial.one_space:
            yield space, ledger


def _forget_requests(ledger: Ledger, participants: dict[str, int]) -> None:
    """Delete what tells apart whether a guessed text was the one: digests of what was asked."""
    with ledger.transaction() as transaction:
        transaction.rows.ensure((ASKED,))
        for participant in participants:
            for request in {entry.request_id for entry in ledger.read_stream(f"participant/{participant}")}:
                transaction.rows.delete(ASKED, (request,))
