"""Encryption of what participants write outside the record, under a key derived from the installation's secret."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from trialwright.foundation.operating_system import SystemEntropy

_NONCE = 12


def seal(text: str, about: str) -> bytes:
    """The text, readable by this installation only and bound to what it is about."""
    nonce = SystemEntropy().bytes(_NONCE, purpose="participant's text", stream=about, position=0)
    return nonce + AESGCM(_key()).encrypt(nonce, text.encode(), about.encode())


def unseal(sealed: bytes, about: str) -> str | None:
    """The text; None where it cannot be opened any more, because the installation's secret was changed."""
    sealed = bytes(sealed)
    try:
        return AESGCM(_key()).decrypt(sealed[:_NONCE], sealed[_NONCE:], about.encode()).decode()
    except InvalidTag:
        return None


def _key() -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"trialwright participants").derive(settings.SECRET_KEY.encode())
