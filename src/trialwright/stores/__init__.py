"""Adapters of the ledger's port: memory, SQLite and PostgreSQL, under one contract."""

from trialwright.stores.errors import (
    AppendOnly,
    CellInvalid,
    NotAStore,
    ProjectionMissing,
    ProjectionOutdated,
    RowsReadOnly,
    StoreFull,
    StoreLocked,
    StoreMissing,
    StoreSettingsTooWeak,
    StoreTooNew,
    StoreUnavailable,
    StoreUrlInvalid,
)
from trialwright.stores.group_store import GroupStore
from trialwright.stores.memory import MemoryStore
from trialwright.stores.opening import open_group_store, open_store

__all__ = [
    "AppendOnly",
    "CellInvalid",
    "GroupStore",
    "MemoryStore",
    "NotAStore",
    "ProjectionMissing",
    "ProjectionOutdated",
    "RowsReadOnly",
    "StoreFull",
    "StoreLocked",
    "StoreMissing",
    "StoreSettingsTooWeak",
    "StoreTooNew",
    "StoreUnavailable",
    "StoreUrlInvalid",
    "open_group_store",
    "open_store",
]
