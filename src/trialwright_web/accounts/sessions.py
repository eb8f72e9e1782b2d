"""Who asks: the session and the account of a request, each read anew by one fixed statement.

Every request of somebody signed in asks for both. Django builds the text of a query anew each time it is asked, which
takes longer than all that the database does for it.
"""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.contrib.sessions.models import Session
from django.db import connections, router
from django.utils import timezone

from trialwright_web.accounts.models import Account

_SESSION = f"SELECT session_data FROM {Session._meta.db_table} WHERE session_key = %s AND expire_date > %s"
_READ = ("id", "password", "username")
"""What requests need of an account, in the model's order; Django fetches any other column when it is asked for."""
_ACCOUNT = f"SELECT {', '.join(_READ)} FROM {Account._meta.db_table} WHERE id = %s AND is_active"


class SessionStore(DatabaseSessions):
    """Sessions as Django keeps them in its database; the engine that ``SESSION_ENGINE`` names.

    The name is Django's: sessions are signed with it.
    """

    def load(self) -> dict[str, Any]:
        """What the session holds; empty where there is none or it has expired."""
        using = connections[router.db_for_read(Session)]
        now = using.ops.adapt_datetimefield_value(timezone.now())
        with using.cursor() as cursor:
            cursor.execute(_SESSION, (self.session_key, now))
            found = cursor.fetchone()
        if found is None:
            self._session_key = None  # as Django does, so that nobody chooses the key of a session
            return {}
        held: dict[str, Any] = self.decode(found[0])
        return held


class Backend(AuthenticationBackend):
    """Signs in as allauth does; an account is gone for the next request as soon as it is no longer active."""

    def get_user(self, user_id: int) -> Account | None:
        using = connections[router.db_for_read(Account)]
        with using.cursor() as cursor:
            cursor.execute(_ACCOUNT, (user_id,))
            found = cursor.fetchone()
        return Account.from_db(using.alias, _READ, found) if found else None
