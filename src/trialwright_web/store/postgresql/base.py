"""Django's own backend, but for one thing: whether a kept connection still stands is read off its socket."""

from __future__ import annotations

from django.db.backends.postgresql import base

from trialwright.stores.postgresql import is_ended


class DatabaseWrapper(base.DatabaseWrapper):
    """See the module; Django finds it by the name of the package (its ENGINE)."""

    def is_usable(self) -> bool:
        """Whether the connection stands, as far as this machine knows.

        Django asks the server with each request, which costs as much as any other question.
        """
        return self.connection is not None and not is_ended(self.connection.pgconn)
