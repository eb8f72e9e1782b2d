"""Keeping, finding and clearing drafts. They are encrypted under a key derived from the installation's secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import connections, router
from django.utils import timezone

from trialwright.foundation.operating_system import SystemEntropy
from trialwright_web.store.models import Draft

_CLEAR = f"DELETE FROM {Draft._meta.db_table} WHERE account_id = %s AND place = %s"


@dataclass(frozen=True)
class KeptDraft:
    """A draft as it was kept."""

    fields: Mapping[str, Any]
    version: int
    saved_at: datetime


def keep_draft(account: int, place: str, version: int, fields: Mapping[str, Any], under: bytes = b"") -> datetime:
    """Keep what was typed; replaces the person's earlier draft of this place. Answers when.

    Args:
        under: a key that is needed to read it besides the installation's secret; see ``shell.forgettable``.
    """
    now = timezone.now()
    sealed = _seal(json.dumps(fields, ensure_ascii=False).encode(), _key(under), account, place)
    Draft.objects.update_or_create(
        account_id=account, place=place, defaults={"version": version, "sealed": sealed, "saved_at": now}
    )
    return now


def find_draft(account: int, place: str, under: bytes = b"") -> KeptDraft | None:
    """The person's draft of a place, or None; one that cannot be opened any more counts as none.

    Args:
        under: as it was kept; what was kept without opens, too.
    """
    draft = Draft.objects.filter(account_id=account, place=place).first()
    if draft is None:
        return None
    for key in dict.fromkeys((under, b"")):
        with suppress(InvalidTag):
            text = _unseal(bytes(draft.sealed), _key(key), account, place)
            return KeptDraft(json.loads(text), draft.version, draft.saved_at)
    return None  # the installation's secret was changed, or the other key destroyed


def clear_draft(account: int, place: str) -> None:
    """Forget the draft, after a save or when the person says so."""
    # With every save. Asked in the ordinary way, Django writes the statement anew and opens a transaction around it.
    with connections[router.db_for_write(Draft)].cursor() as cursor:
        cursor.execute(_CLEAR, (account, place))


def purge_drafts(before: datetime) -> int:
    """Forget drafts that nobody touched since. Returns how many."""
    return Draft.objects.filter(saved_at__lt=before).delete()[0]


def forget_drafts(beginning: str) -> int:
    """Forget everybody's drafts of every place that begins so. Returns how many."""
    return Draft.objects.filter(place__startswith=beginning).delete()[0]


def _key(under: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=under or None, info=b"trialwright drafts").derive(settings.SECRET_KEY.encode())


def _about(account: int, place: str) -> bytes:
    return f"{account}\x00{place}".encode()


def _seal(text: bytes, key: bytes, account: int, place: str) -> bytes:
    nonce = SystemEntropy().bytes(12, purpose="draft", stream=place, position=0)
    return nonce + AESGCM(key).encrypt(nonce, text, _about(account, place))


def _unseal(sealed: bytes, key: bytes, account: int, place: str) -> bytes:
    return AESGCM(key).decrypt(sealed[:12], sealed[12:], _about(account, place))
