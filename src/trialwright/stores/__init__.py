"""Adapters of the ledger's port: memory, SQLite and PostgreSQL, under one contract."""

from trialwright.stores.backup import Backup, Part, back_up, read_backup
from trialwright.stores.errors import (
    AppendOnly,
    BackupUnusable,
    CellInvalid,
    KeyIsDestroyed,
    KeyMissing,
    NotAStore,
    ProjectionMissing,
    ProjectionOutdated,
    RestoredBehind,
    RowsReadOnly,
    StoreFull,
    StoreLocked,
    StoreMissing,
    StoreSettingsTooWeak,
    StoreTooNew,
    StoreUnavailable,
    StoreUrlInvalid,
    ToolFailed,
    ViewsLeftOut,
)
from trialwright.stores.group_store import GroupStore
from trialwright.stores.holds import Loss, accept_loss, losses_of, statement
from trialwright.stores.memory import MemoryStore
from trialwright.stores.opening import open_group_store, open_store
from trialwright.stores.restoring import Restored, Until, restore

__all__ = [
    "AppendOnly",
    "Backup",
    "BackupUnusable",
    "CellInvalid",
    "GroupStore",
    "KeyIsDestroyed",
    "KeyMissing",
    "Loss",
    "MemoryStore",
    "NotAStore",
    "Part",
    "ProjectionMissing",
    "ProjectionOutdated",
    "Restored",
    "RestoredBehind",
    "RowsReadOnly",
    "StoreFull",
    "StoreLocked",
    "StoreMissing",
    "StoreSettingsTooWeak",
    "StoreTooNew",
    "StoreUnavailable",
    "StoreUrlInvalid",
    "ToolFailed",
    "Until",
    "ViewsLeftOut",
    "accept_loss",
    "back_up",
    "losses_of",
    "open_group_store",
    "open_store",
    "read_backup",
    "restore",
    "statement",
]
