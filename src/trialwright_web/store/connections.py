"""Connections to PostgreSQL that the server has ended are dropped before a request uses them; whether all answer."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError, connections

from trialwright.stores.postgresql_connection import is_ended


def drop_ended(**_signal: Any) -> None:
    """Close Django's connections that have ended; they are opened anew when needed.

    Receives ``request_started``; workers call it between rounds. Django's own check asks the server with each
    request, which costs as much as any other question; here it is read off the socket.
    """
    for wrapper in connections.all(initialized_only=True):
        kept = wrapper.connection
        if wrapper.vendor == "postgresql" and kept is not None and is_ended(kept.pgconn):
            wrapper.close()


def databases_answer() -> bool:
    """Whether accounts and identities can be asked."""
    try:
        for wrapper in connections.all():
            with wrapper.cursor() as cursor:
                cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    except DatabaseError:
        return False
    return True
