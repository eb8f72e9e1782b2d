"""Checkpoints: signed heads of the ledgers, made in time and handed to people who do not own the database.

A chain of hashes proves little to an inspector as long as whoever owns the database could have made it anew. The
note that a site keeps in its own folder cannot be made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from trialwright.foundation.ports import Clock
from trialwright.ledger import SigningKey, sign_checkpoint
from trialwright.ledger.port import Ledger, Store
from trialwright.trial.event import Space

INTERVAL = timedelta(seconds=60)
"""A checkpoint is due so long after the last one, when there are new events."""


class Checkpointer:
    """Signs the head of a ledger, keeps the note in the store and hands it out.

    Args:
        stores, ledgers: of the spaces this process holds.
        key: signs; its name is the origin's signer.
        clock: says when the next one is due.
        hand_out: called with the space and the note; gives it to sites, sponsor's quality unit, ethics mailbox.
        at_most_every: where so many acts ask for a checkpoint that one for all of them is enough; a rehearsal's
            days pass in milliseconds.
    """

    def __init__(
        self,
        stores: Mapping[Space, Store],
        ledgers: Mapping[Space, Ledger],
        key: SigningKey,
        clock: Clock,
        hand_out: Callable[[Space, str], None],
        at_most_every: timedelta = timedelta(0),
    ) -> None:
        self._stores = stores
        self._ledgers = ledgers
        self._key = key
        self._clock = clock
        self._hand_out = hand_out
        self._at_most_every = at_most_every
        self._last: dict[Space, tuple[datetime, int]] = {}

    def __call__(self, space: Space) -> None:
        """After a signature, lock or randomisation: now."""
        if self._is_due(space, self._at_most_every):
            self.sign(space)

    def periodic(self) -> int:
        """Sign what is due; called by a timer. Returns how many checkpoints were made."""
        return sum(self.sign(space) for space in self._ledgers if self._is_due(space, INTERVAL))

    def _is_due(self, space: Space, every: timedelta) -> bool:
        if space not in self._last:
            return True
        since = self._clock.now() - self._last[space][0]
        # A clock that was put back tells nothing about how long ago the last one was.
        return since >= every or since < timedelta(0)

    def sign(self, space: Space) -> bool:
        """Sign the head if there is anything new. Returns whether there was."""
        ledger = self._ledgers[space]
        head = ledger.head()
        last = self._last.get(space)
        if head.size == 0 or (last is not None and last[1] == head.size):
            return False
        note = sign_checkpoint(ledger.ledger_id, head.size, head.root, self._key)
        self._stores[space].save_checkpoint(ledger.ledger_id, note)
        self._hand_out(space, note)
        self._last[space] = (self._clock.now(), head.size)
        return True
