"""Connections to PostgreSQL that the server has ended are dropped before a request uses them."""

from __future__ import annotations

from typing import Any

from django.db import connections

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
