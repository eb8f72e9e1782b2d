"""What can be wrong with a store, by name."""

from __future__ import annotations

from trialwright.foundation.errors import InvalidValue, RecordError, Refusal


class StoreUrlInvalid(InvalidValue):
    """A store address that cannot be understood."""

    code = "store.url_invalid"


class StoreMissing(RecordError):
    """There is no store at this address, and none was to be created."""

    code = "store.missing"


class NotAStore(RecordError):
    """The database exists but was not made by Trialwright."""

    code = "store.not_a_store"


class StoreTooNew(RecordError):
    """The store was written by a newer version; reading it with this one could misread it."""

    code = "store.too_new"


class StoreSettingsTooWeak(RecordError):
    """The database would acknowledge entries that a power cut can lose."""

    code = "store.settings_too_weak"


class StoreLocked(RecordError):
    """Another writer held the database too long."""

    code = "store.locked"


class StoreFull(RecordError):
    """The disk is full; nothing of the transaction was kept."""

    code = "store.full"


class StoreUnavailable(RecordError):
    """The database cannot be reached, or the account may not do this."""

    code = "store.unavailable"


class AppendOnly(RecordError):
    """The database refused to change or remove what is recorded."""

    code = "store.append_only"


class CellInvalid(InvalidValue):
    """A value, column or key that the declared table cannot hold."""

    code = "store.cell_invalid"


class ProjectionMissing(RecordError):
    """A view's table is not in the store yet."""

    code = "store.projection_missing"


class ProjectionOutdated(RecordError):
    """A view's table was made from another declaration."""

    code = "store.projection_outdated"


class RowsReadOnly(RecordError):
    """Projection rows are written inside a transaction only."""

    code = "store.rows_read_only"


class RestoredBehind(Refusal):
    """The store came back from a backup behind a checkpoint held outside, and nobody accepted the loss yet."""

    code = "store.restored_behind"


class ViewsLeftOut(Refusal):
    """The store came back from a backup without its views, and they were not folded again yet."""

    code = "store.views_left_out"


class BackupUnusable(RecordError):
    """The folder is no backup, is damaged or forged, or there is something where it would go."""

    code = "store.backup_unusable"


class ToolFailed(RecordError):
    """PostgreSQL's own program is missing or failed."""

    code = "store.tool_failed"


class KeyMissing(RecordError):
    """The keyring does not have a key that the record names: it is another space's, or an old copy."""

    code = "store.key_missing"


class KeyIsDestroyed(RecordError):
    """Something was to be sealed under a key that was destroyed."""

    code = "store.key_destroyed"
