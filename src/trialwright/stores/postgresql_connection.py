"""What a connection to PostgreSQL tells: what went wrong, by our names, and whether the server has ended it."""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from trialwright.foundation.errors import RecordError
from trialwright.ledger import LedgerDamaged
from trialwright.stores.errors import AppendOnly, ProjectionOutdated, StoreFull, StoreLocked, StoreUnavailable


def is_ended(connection: psycopg.pq.abc.PGconn) -> bool:
    """Whether the server has ended an idle connection: something waits to be read though nothing was asked."""
    if connection.status != psycopg.pq.ConnStatus.OK:
        return True
    waiting = select.poll()
    waiting.register(connection.socket, select.POLLIN)
    return bool(waiting.poll(0))


@contextmanager
def named_errors() -> Iterator[None]:
    """Raise what goes wrong within by our names."""
    try:
        yield
    except psycopg.Error as error:
        raise _named(error) from error


def _named(error: psycopg.Error) -> RecordError:
    """The store error that a PostgreSQL error means, by SQLSTATE (PostgreSQL documentation, appendix A)."""
    text, state = one_line(error), error.sqlstate or ""
    if state == "TW001":
        return AppendOnly(f"the database refused: {text}", remedy="record a correction as a new entry")
    if state == "TW002":
        return LedgerDamaged(
            text, remedy="verify the ledger against a checkpoint held outside, restore what is missing"
        )
    if state == "55P03" or isinstance(error, errors.DeadlockDetected):
        return StoreLocked("another writer holds the ledger", remedy="try again; keep transactions short")
    if state.startswith("53"):
        return StoreFull(
            f"the server is out of disk, memory or connections: {text}",
            remedy="make room and carry out the act again",
        )
    if state == "42501":
        return StoreUnavailable(
            f"the account may not do this: {text}",
            remedy="to make a store use an account that may create databases and roles; to use one, join NAME_app",
        )
    if state in ("42P01", "42703"):
        return ProjectionOutdated(f"a projection is not as it was: {text}", remedy="rebuild the views")
    return StoreUnavailable(
        f"PostgreSQL: {text}", remedy="check the server and its log, then carry out the act again"
    )


def one_line(error: psycopg.Error) -> str:
    """What the driver says, without the rest."""
    return str(error).strip().split("\n")[0]
