"""A store whose owner says when its acts become durable."""

from __future__ import annotations

from typing import Self

from trialwright.foundation.ports import Keyring
from trialwright.stores.database import Database
from trialwright.stores.grouping import GroupingDatabase
from trialwright.stores.sql import SqlStore


class GroupStore(SqlStore):
    """A SQL store that commits only when told to; for the one writer that answers nobody before.

    Args:
        database: an open connection, used by nobody else.
        keyring: as in :class:`SqlStore`.
    """

    def __init__(self, database: Database, keyring: Keyring | None = None) -> None:
        self._group = GroupingDatabase(database, None)
        super().__init__(self._group, keyring)

    @classmethod
    def of(cls, store: SqlStore) -> Self:
        """Take over the connection of a store that was just opened."""
        return cls(store._database, store.keyring)

    def commit_group(self) -> None:
        """Make every act since the last commit durable.

        Raises:
            StoreFull, StoreUnavailable, …: nothing of the group is known to be durable; abandon it.
        """
        self._group.commit_group()

    def abandon_group(self) -> None:
        """Undo every act since the last commit."""
        self._group.abandon_group()
