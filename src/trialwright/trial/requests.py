"""What each request asked for, so that an id used again for something else is refused, never answered.

A retry gets the first result. Without this note a form sent a second time under its old id, with a corrected value
in it, would be answered as saved; and somebody else's id would fetch somebody else's receipt. The note lies beside
the ledger, in the space of the command: its digest may stand for content that depends on the arm.
"""

from __future__ import annotations

import re
from hashlib import sha256

from trialwright.foundation.errors import Refusal
from trialwright.foundation.tables import Column, Rows, Table
from trialwright.stores.errors import ProjectionOutdated
from trialwright.trial.command import Actor, Command

ASKED = Table("request_asked", key=(Column("request_id"),), columns=(Column("digest"),))


class RequestUnreadable(Refusal):
    """A name, an id or a reason that no store could look for or nobody could read."""

    code = "trial.request_unreadable"


class RequestReused(Refusal):
    """The request id already stands for another act, or for somebody else's."""

    code = "trial.request_reused"


LONGEST_NAME, LONGEST_REASON = 200, 4000
_UNREADABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def check_readable(command: Command, by: Actor, request_id: str, reason: str | None) -> None:
    """Let a request in only if stores can look for what it names, and people can read why.

    Raises:
        RequestUnreadable: no request id or person, a control character or half a character, or far too much of it.
    """
    names = {
        "request id": request_id,
        "person": by.person,
        "organisation": by.organisation,
        "site of the person": by.site,
        "participant": getattr(command, "participant", None),
        "site": getattr(command, "site", None),
    }
    for what, text in names.items():
        if text is not None and (len(text) > LONGEST_NAME or _UNREADABLE.search(text)):
            raise RequestUnreadable(
                f"the {what} is {text[:40]!a}", remedy=f"use up to {LONGEST_NAME} printable characters", what=what
            )
    if not request_id or not by.person:
        raise RequestUnreadable("a request has no id, or nobody makes it", remedy="name both")
    if reason is not None and (len(reason) > LONGEST_REASON or _UNREADABLE.search(reason)):
        raise RequestUnreadable(
            f"the reason begins {reason[:40]!a}", remedy=f"say why in up to {LONGEST_REASON:,} printable characters"
        )


def digest_of(command: Command, by: Actor, observed_at: str | None, reason: str | None) -> str:
    """SHA-256 (hex) over everything the caller says, but for the signature, which a retry may give anew."""
    return sha256(repr((command, by, observed_at, reason)).encode("utf-8", "backslashreplace")).hexdigest()


def note(rows: Rows, request_id: str, digest: str) -> None:
    """Write down what the request asks for, in the transaction that carries it out."""
    rows.put(ASKED, {"request_id": request_id, "digest": digest})


def check(rows: Rows, request_id: str, digest: str) -> None:
    """Let a retry pass.

    Raises:
        RequestReused: under this id something else was asked for.
    """
    try:
        noted = rows.get(ASKED, (request_id,))
    except ProjectionOutdated:
        noted = None
    # Where there is no note in this space, the request was carried out for another kind of command.
    if noted is None or noted["digest"] != digest:
        raise RequestReused(
            f"the request {request_id[:60]!r} was something else",
            remedy="look at what was recorded; give every act a request id of its own",
            request_id=request_id[:60],
        )
