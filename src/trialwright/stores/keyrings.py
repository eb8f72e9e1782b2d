"""Keyrings: data keys in a file or database of their own, which no backup of the record takes along.

A store brings the keyring of its space: ``PATH.db`` has ``PATH.db.keys.db`` beside it, the PostgreSQL database NAME
the database NAME_keys. What a destroyed key sealed is gone from every copy of the record, old backups included,
as long as they hold no key.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trialwright.foundation.errors import RecordError
from trialwright.stores.errors import KeyIsDestroyed, KeyMissing, StoreSettingsTooWeak, StoreUnavailable

Name = tuple[str, str, int]
"""Holder, class of data, number."""

BUSY_SECONDS = 30.0
_TABLE = """CREATE TABLE IF NOT EXISTS data_key (
    holder TEXT NOT NULL, data_class TEXT NOT NULL, number INTEGER NOT NULL, content BLOB,
    PRIMARY KEY (holder, data_class, number)) WITHOUT ROWID"""


# DELETE and not WAL: a log would keep what was destroyed. EXTRA syncs the folder as well: a key lost in a power cut
# takes with it every text that it sealed.
_SETTINGS: dict[str, tuple[str, str | int]] = {
    "journal_mode": ("DELETE", "delete"),
    "synchronous": ("EXTRA", 3),
    "secure_delete": ("ON", 1),
    "fullfsync": ("ON", 1),
}


class MemoryKeyring:
    """Keys of a space in memory; gone with it."""

    def __init__(self) -> None:
        self._keys: dict[Name, bytes | None] = {}

    def find(self, holder: str, data_class: str, number: int) -> bytes | None:
        name = (holder, data_class, number)
        if name not in self._keys:
            raise absent(name)
        return self._keys[name]

    def keep(self, holder: str, data_class: str, number: int, fresh: bytes) -> bytes:
        name = (holder, data_class, number)
        found = self._keys.setdefault(name, fresh)
        if found is None:
            raise gone(name)
        return found

    def destroy(self, holder: str, below: int) -> int:
        names = [name for name, key in self._keys.items() if name[0] == holder and name[2] < below and key]
        self._keys.update(dict.fromkeys(names))
        return len(names)

    def refresh(self) -> None:
        """Nobody else holds it."""

    def entries(self) -> Iterator[tuple[str, str, int, bytes | None]]:
        return ((*name, key) for name, key in sorted(self._keys.items()))

    def close(self) -> None:
        """It lives as long as the object."""


class SqliteKeyring:
    """Keys in a SQLite file, opened when first asked; readable by its owner only.

    Deleted content is overwritten, and no log beside the file outlives a change.

    Args:
        path: the file; made with the first key.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opened: sqlite3.Connection | None = None
        self._known: dict[Name, bytes] = {}
        self._version = -1

    def find(self, holder: str, data_class: str, number: int) -> bytes | None:
        name = (holder, data_class, number)
        self.refresh()
        known = self._known.get(name)
        if known is not None:
            return known
        if self._opened is None and not self.path.exists():
            raise absent(name)
        return self._read(name)

    def keep(self, holder: str, data_class: str, number: int, fresh: bytes) -> bytes:
        name = (holder, data_class, number)
        self.refresh()
        known = self._known.get(name)
        if known is None:
            with _named_errors():
                self._connection.execute("INSERT OR IGNORE INTO data_key VALUES (?, ?, ?, ?)", (*name, fresh))
            known = self._read(name)
        if known is None:
            raise gone(name)
        return known

    def destroy(self, holder: str, below: int) -> int:
        if self._opened is None and not self.path.exists():
            return 0
        self._known.clear()
        with _named_errors():
            count = self._connection.execute(
                "UPDATE data_key SET content = NULL WHERE holder = ? AND number < ? AND content IS NOT NULL",
                (holder, below),
            ).rowcount
            if count:
                self._connection.execute("VACUUM")
        return count

    def refresh(self) -> None:
        if self._opened is not None:
            # Tells whether another connection has changed the file; of our own changes we know.
            with _named_errors():
                (version,) = self._opened.execute("PRAGMA data_version").fetchone()
            if version != self._version:
                self._version = version
                self._known.clear()

    def entries(self) -> Iterator[tuple[str, str, int, bytes | None]]:
        if self._opened is None and not self.path.exists():
            return iter(())
        with _named_errors():
            found = self._connection.execute("SELECT * FROM data_key ORDER BY holder, data_class, number").fetchall()
        return iter(found)

    def close(self) -> None:
        self._known.clear()
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _read(self, name: Name) -> bytes | None:
        with _named_errors():
            found = self._connection.execute(
                "SELECT content FROM data_key WHERE holder = ? AND data_class = ? AND number = ?", name
            ).fetchone()
        if found is None:
            raise absent(name)
        if found[0] is not None:
            self._known[name] = found[0]
        content: bytes | None = found[0]
        return content

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            with _named_errors():
                self.path.touch(mode=0o600)
                connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
                _set_up(connection)
                connection.execute(_TABLE)
            self._opened = connection
        return self._opened


def _set_up(connection: sqlite3.Connection) -> None:
    for setting, (wanted, answer) in _SETTINGS.items():
        connection.execute(f"PRAGMA {setting} = {wanted}")
        (found,) = connection.execute(f"PRAGMA {setting}").fetchone()
        if found != answer:
            connection.close()
            raise StoreSettingsTooWeak(
                f"SQLite keeps {setting} = {found} for the keyring, it needs {wanted}",
                remedy="put the keyring in a file on a local disk",
                setting=setting,
            )


def absent(name: Name) -> KeyMissing:
    """The error that says which key is missing."""
    return KeyMissing(
        f"there is no key of {name[0]} ({name[1]}, number {name[2]})",
        remedy="put the keyring of this record beside it, or fetch the keys from the escrow",
        holder=name[0],
    )


def gone(name: Name) -> KeyIsDestroyed:
    """The error that says which key was destroyed."""
    return KeyIsDestroyed(
        f"the key of {name[0]} ({name[1]}, number {name[2]}) was destroyed", remedy="carry out the act again"
    )


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise _unavailable(error) from error


def _unavailable(error: Exception) -> RecordError:
    return StoreUnavailable(f"the keyring: {error}", remedy="check the file, its folder and the room on the disk")
