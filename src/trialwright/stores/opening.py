"""From an address to a store."""

from __future__ import annotations

import re
from pathlib import Path

from trialwright.ledger import Store
from trialwright.stores.errors import StoreUrlInvalid
from trialwright.stores.group_store import GroupStore
from trialwright.stores.memory import MemoryStore
from trialwright.stores.sql import SqlStore
from trialwright.stores.sqlite import open_sqlite

_REMEDY = "give sqlite:///PATH.db, postgresql://USER@HOST/NAME or memory:"


def open_store(url: str, *, create: bool = True, password: str | None = None, acts_per_commit: int = 1) -> Store:
    """Open the store at an address.

    Args:
        url: ``sqlite:///PATH.db`` (relative; four slashes for an absolute path),
            ``postgresql://USER@HOST:PORT/NAME`` (any libpq address), or ``memory:`` (a new, empty store).
        create: make the database when it is absent.
        password: for PostgreSQL, so that it need not stand in the address.
        acts_per_commit: 1, except for work that can be done again from its seed or its source: then so many acts
            share one commit, and a crash loses those since the last.

    Raises:
        StoreUrlInvalid: not such an address.
        StoreMissing: nothing there, and ``create`` is false, or the folder is missing.
        NotAStore, StoreTooNew, StoreSettingsTooWeak, StoreLocked, StoreFull, StoreUnavailable: as they say.
    """
    if url == "memory:":
        return MemoryStore()
    scheme, separator, rest = url.partition("://")
    if not separator:
        # Not repeated in full: what has an @ may hold a password.
        raise StoreUrlInvalid(f"{url.rpartition('@')[2][:80]!a} is not the address of a store", remedy=_REMEDY)
    if scheme == "sqlite":
        if not re.match(r"/[^?#\x00]+\Z", rest):
            raise StoreUrlInvalid(
                f"sqlite://{rest[:80]} names no file", remedy="give sqlite:///PATH.db; four slashes for /absolute"
            )
        return open_sqlite(Path(rest[1:]), create=create, acts_per_commit=acts_per_commit)
    if scheme in ("postgresql", "postgres"):
        # The driver is an extra; whoever keeps to files need not have it.
        from trialwright.stores.postgresql import open_postgresql

        return open_postgresql(url, create=create, password=password, acts_per_commit=acts_per_commit)
    raise StoreUrlInvalid(f"{scheme[:40]!a} is not a kind of store", remedy=_REMEDY)


def open_group_store(url: str, *, password: str | None = None) -> GroupStore:
    """Open an existing store for a grouped writer: nothing is durable until it commits the group.

    Args:
        url, password: as :func:`open_store`; not ``memory:``.

    Raises:
        StoreUrlInvalid: not the address of a database. Otherwise as :func:`open_store`.
    """
    store = open_store(url, create=False, password=password)
    if not isinstance(store, SqlStore):
        raise StoreUrlInvalid("a store in memory has no commits to group", remedy="give the address of a database")
    return GroupStore.of(store)
