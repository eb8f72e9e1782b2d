"""A store that came back behind what others hold: it can be read, and nothing is added until the loss is accepted.

The hold stands in the database itself, so that every process that opens it keeps it, whatever its settings. It
guards against an oversight, not against the database's owner; against the owner there are checkpoints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.tables import Column, Row, Table
from trialwright.ledger import Store
from trialwright.stores.database import Database
from trialwright.stores.sql_rows import CATALOGUE

HOLD = Table(
    "restored_behind",
    key=(Column("ledger_id"),),
    columns=(Column("has", "integer"), Column("covered", "integer"), Column("since")),
)
ACCEPTED = Table(
    "loss_accepted",
    key=(Column("ledger_id"), Column("accepted_at")),
    columns=(
        Column("has", "integer"),
        Column("covered", "integer"),
        Column("person"),
        Column("reason"),
        Column("signature"),
    ),
)


@dataclass(frozen=True)
class Loss:
    """What a ledger lacks.

    Attributes:
        ledger_id: of the ledger.
        has: entries that came back.
        covered: entries that a checkpoint held outside covers.
    """

    ledger_id: str
    has: int
    covered: int


def is_held(database: Database) -> bool:
    """Whether a loss waits to be accepted."""
    known = database.rows(f"SELECT 1 FROM {database.projections}{CATALOGUE} WHERE name = ?", (HOLD.name,))
    return bool(known and database.rows(f"SELECT 1 FROM {database.projections}{HOLD.name} LIMIT 1"))


def hold(store: Store, losses: Sequence[Loss], now: datetime) -> None:
    """Make a store read-only until these losses are accepted, those of the study's other space among them."""
    own = store.ledger_ids()
    with store.ledger(own[0]).transaction() as transaction:
        transaction.rows.ensure((HOLD,))
        for loss in losses:
            transaction.rows.put(HOLD, {**_row(loss), "since": _instant(now)})


def losses_of(store: Store) -> tuple[Loss, ...]:
    """The losses that wait to be accepted; empty for a store that may be written."""
    own = store.ledger_ids()
    if not own:
        return ()
    with store.ledger(own[0]).transaction() as transaction:
        transaction.rows.ensure((HOLD,))
        rows = list(transaction.rows.where(HOLD))
    return tuple(Loss(str(row["ledger_id"]), int(row["has"] or 0), int(row["covered"] or 0)) for row in rows)


def accept_loss(
    stores: Mapping[str, Store], *, person: str, reason: str, now: datetime, signature: str = ""
) -> tuple[Loss, ...]:
    """Let stores be written again, in somebody's name; who accepted which loss is kept beside the record.

    Args:
        stores: all spaces of the study, by whatever name.
        person: who accepts.
        reason: what is known of the loss and what is done about it.
        signature: over :func:`statement`, where a key was used; else the caller has made sure of the person.

    Raises:
        InvalidValue: nothing waits to be accepted, or no reason.
    """
    found = {name: losses_of(store) for name, store in stores.items()}
    if not any(found.values()):
        raise InvalidValue("no loss waits to be accepted", remedy="nothing is to be done; the store can be written")
    if not reason.strip():
        raise InvalidValue("nothing says why the loss is accepted", remedy="say what is known and what is done")
    about: Row = {"person": person, "reason": reason, "signature": signature, "accepted_at": _instant(now)}
    for name, losses in found.items():
        store = stores[name]
        if not losses:
            continue
        with store.ledger(store.ledger_ids()[0]).transaction() as transaction:
            transaction.rows.ensure((HOLD, ACCEPTED))
            for loss in losses:
                transaction.rows.put(ACCEPTED, {**_row(loss), **about})
                transaction.rows.delete(HOLD, (loss.ledger_id,))
    return tuple(dict.fromkeys(loss for losses in found.values() for loss in losses))


def statement(losses: Sequence[Loss], *, person: str, reason: str, now: datetime) -> str:
    """What somebody signs who accepts a loss."""
    lines = [f"{loss.ledger_id}: {loss.has} of {loss.covered} entries came back" for loss in losses]
    return "\n".join(["trialwright loss 1", *lines, f"accepted by {person} at {_instant(now)}", reason, ""])


def _row(loss: Loss) -> Row:
    return {"ledger_id": loss.ledger_id, "has": loss.has, "covered": loss.covered}


def _instant(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="microseconds")
