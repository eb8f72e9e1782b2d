"""Encryption of what participants write outside the record, under a key derived from the installation's secret."""

from __future__ import annotations

from contextlib import suppress

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from trialwright.foundation.operating_system import SystemEntropy

_NONCE = 12


def seal(text: str, about: str, under: bytes = b"") -> bytes:
    """The text, readable by this installation only and bound to what it is about.

    Args:
        under: a key that is needed besides the installation's secret; see ``shell.forgettable``.
    """
    nonce = SystemEntropy().bytes(_NONCE, purpose="participant's text", stream=about, position=0)
    return nonce + AESGCM(_key(under)).encrypt(nonce, text.encode(), about.encode())


def unseal(sealed: bytes, about: str, under: bytes = b"") -> str | None:
    """The text; None where it cannot be opened any more: the installation's secret changed, or the key destroyed.

    Args:
        under: as it was sealed; what was sealed without opens, too.
    """
    sealed = bytes(sealed)
    for key in dict.fromkeys((under, b"")):
        with suppress(InvalidTag):
            return AESGCM(_key(key)).decrypt(sealed[:_NONCE], sealed[_NONCE:], about.encode()).decode()
    return None


def _key(under: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=under or None, info=b"trialwright participants").derive(
        settings.SECRET_KEY.encode()
    )
