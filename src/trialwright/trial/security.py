"""The security log: refused attempts, append-only, beside the trial's record.

The trial's record holds what happened; what was tried and refused stands here, in a ledger of its own, without
any of the command's content.
"""

from __future__ import annotations

import re
from datetime import datetime

from trialwright.foundation.errors import Refusal
from trialwright.ledger import NewEntry, canonical
from trialwright.ledger.port import Ledger
from trialwright.trial.command import Actor, Command
from trialwright.trial.record import utc_text

STREAM = "refusals"
TYPE = "security.command_refused"
LONGEST = 200
_REQUEST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,179}")


def log_refusal(
    ledger: Ledger, now: datetime, command: Command, *, by: Actor, request_id: str, refusal: Refusal
) -> None:
    """Write down who tried what about whom, and which refusal stopped it.

    Whatever the caller sent for names and ids: no text keeps an attempt out of the log.
    """
    with ledger.transaction() as transaction:
        number = transaction.head.size + 1
        # A retry of a refused request is a new attempt, so the number makes the id unique.
        attempt = f"{request_id if _REQUEST.fullmatch(request_id) else 'malformed'}.{number}"
        body = {
            "v": 1,
            "stream": STREAM,
            "stream_seq": number,
            "type": TYPE,
            "at": utc_text(now),
            "actor": _writable(by.person),
            "role": by.role.value,
            "site": _writable(by.site),
            "command": type(command).__name__,
            "about": _writable(getattr(command, "participant", None)),
            "refusal": refusal.code,
            "request_id": attempt,
        }
        transaction.append(
            (NewEntry(stream=STREAM, stream_seq=number, type=TYPE, request_id=attempt, body=canonical(body)),)
        )


def _writable(text: str | None) -> str | None:
    return None if text is None else str(text)[:LONGEST].encode("utf-8", "replace").decode()
