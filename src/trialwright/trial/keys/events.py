"""Facts about keys. None of them holds a secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trialwright.trial.event import Event


@dataclass(frozen=True, kw_only=True)
class KeyPutInForce(Event):
    """From now on this key seals or signs; what was sealed or signed with the one before stays as it is."""

    TYPE: ClassVar[str] = "keys.key_put_in_force"
    STREAM: ClassVar[str] = "keys"
    purpose: str
    """dispensing, unblinding, identity, escrow or signing."""
    public: str
    """``purpose+fingerprint+key``."""
    fingerprint: str
    why: str
    """first, rotation, lost or disclosed."""
    shown: str
    """SHA-256 (hex) of the public key's text, which was signed."""
    replaces: str | None = None
    """Fingerprint of the key before."""
    site: str | None = None
    """Whose identity key it is."""


EVENTS: tuple[type[Event], ...] = (KeyPutInForce,)
