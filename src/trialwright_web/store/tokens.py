"""Tokens of the API: one account at one desk, shown once, kept as a digest, revocable.

A token has 256 random bits, so a plain hash keeps it as well as a slow one would, and finding it costs one look-up.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

from trialwright.foundation.operating_system import SystemEntropy
from trialwright_web.store.models import ApiToken

PREFIX = "tw_"
LONGEST = timedelta(days=366)


def make_token(account: int, study: str, place: str, name: str, lasts: timedelta, now: datetime) -> str:
    """A new token; this is the only time it can be read."""
    token = PREFIX + SystemEntropy().bytes(32, purpose="api token", stream=study, position=0).hex()
    ApiToken.objects.create(
        account_id=account,
        study=study,
        place=place,
        name=name[:80],
        digest=_digest(token),
        made_at=now,
        expires_at=now + min(lasts, LONGEST),
    )
    return token


def find_token(token: str, now: datetime) -> ApiToken | None:
    """The token in force with its account, or None."""
    if not token.startswith(PREFIX) or len(token) > 100:
        return None
    in_force = ApiToken.objects.select_related("account").filter(revoked_at=None, expires_at__gt=now)
    return in_force.filter(digest=_digest(token), account__is_active=True).first()


def tokens_of(account: int, study: str, place: str) -> list[ApiToken]:
    """The tokens a person made at a desk, the newest first."""
    return list(ApiToken.objects.filter(account_id=account, study=study, place=place).order_by("-id"))


def revoke_token(account: int, number: int, now: datetime) -> bool:
    """Make one of the person's own tokens worthless. Returns whether there was one."""
    return bool(ApiToken.objects.filter(pk=number, account_id=account, revoked_at=None).update(revoked_at=now))


def revoke_tokens_of(account: int, now: datetime) -> int:
    """Make every token of a person worthless, at all desks. Returns how many there were."""
    return ApiToken.objects.filter(account_id=account, revoked_at=None).update(revoked_at=now)


def _digest(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()
