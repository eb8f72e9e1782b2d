"""The security log: refused attempts, append-only, beside the trial's record.

The trial's record holds what happened; what was tried and refused stands here, in a ledger of its own, without
any of the command's content.
"""

from __future__ import annotations

from datetime import datetime

from trialwright.foundation.errors import Refusal
from trialwright.ledger import NewEntry, canonical
from trialwright.ledger.port import Ledger
from trialwright.trial.command import Actor, Command
from trialwright.trial.record import utc_text

STREAM = "refusals"
TYPE = "security.command_refused"


def log_refusal(
    ledger: Ledger, now: datetime, command: Command, *, by: Actor, request_id: str, refusal: Refusal
) -> None:
    """Write down who tried what about whom, and which refusal stopped it."""
    with ledger.transaction() as transaction:
        number = transaction.head.size + 1
        # A retry of a refused request is a new attempt, so the number makes the id unique.
        attempt = f"{request_id}.{number}"
        body = {
            "v": 1,
            "stream": STREAM,
            "stream_seq": number,
            "type": TYPE,
            "at": utc_text(now),
            "actor": by.person,
            "role": by.role.value,
            "site": by.site,
            "command": type(command).__name__,
            "about": getattr(command, "participant", None),
            "refusal": refusal.code,
            "request_id": attempt,
        }
        transaction.append(
            (NewEntry(stream=STREAM, stream_seq=number, type=TYPE, request_id=attempt, body=canonical(body)),)
        )
