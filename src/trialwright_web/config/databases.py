"""From an address to a Django database."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from trialwright_web.config.environment import SettingInvalid

# IMMEDIATE: Django's default opens a transaction for reading and fails when it comes to write beside another writer.
_SQLITE = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
}


def database(address: str) -> dict[str, Any]:
    """Django's description of the database at ``sqlite:///PATH`` or ``postgresql://USER:PASSWORD@HOST:PORT/NAME``.

    Options of libpq follow a question mark: ``?sslmode=verify-full``, or ``?host=/run/postgresql`` for a socket.

    Raises:
        SettingInvalid: another kind of address.
    """
    parts = urlsplit(address)
    if parts.scheme == "sqlite" and len(parts.path) > 1:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": unquote(parts.path[1:]), "OPTIONS": dict(_SQLITE)}
    if parts.scheme in ("postgresql", "postgres") and len(parts.path) > 1:
        options = dict(parse_qsl(parts.query))
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path[1:]),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": options.pop("host", parts.hostname or ""),
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": None,
            "OPTIONS": options,
        }
    raise SettingInvalid(
        f"{address.rpartition('@')[2][:80]!r} is not the address of a database → sqlite:///PATH or postgresql://…/NAME"
    )
