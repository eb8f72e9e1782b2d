"""Sealing bytes to one public key: ephemeral X25519, HKDF-SHA256, AES-256-GCM.

    sealed = 0x01 ‖ key id (8) ‖ ephemeral public key (32) ‖ nonce (12) ‖ ciphertext and tag (content + 16)
    key    = HKDF-SHA256(ikm = X25519(ephemeral, recipient), salt = ephemeral public ‖ recipient public,
                         info = "trialwright seal 1" ‖ purpose of the key)
    AAD    = purpose of the key ‖ context, each after its length

Sources: RFC 7748, RFC 5869, NIST SP 800-38D. The key id is the start of the public key's digest; it makes a
wrong key a plain answer instead of a broken seal.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from trialwright.foundation.ports import Entropy
from trialwright.sealing.encoding import joined
from trialwright.sealing.errors import SealBroken, WrongKey
from trialwright.sealing.keys import KeyPurpose, PrivateKey, PublicKey

_VERSION = b"\x01"
_ID, _POINT, _NONCE, _TAG = 8, 32, 12, 16
OVERHEAD = len(_VERSION) + _ID + _POINT + _NONCE + _TAG


@dataclass(frozen=True)
class Chance:
    """The random bytes of one seal; never used for a second one."""

    ephemeral: bytes = field(repr=False)
    nonce: bytes

    @classmethod
    def of(cls, entropy: Entropy, *, stream: str, position: int) -> Chance:
        """Drawn for one address."""
        return cls(
            entropy.bytes(32, purpose="ephemeral key", stream=stream, position=position),
            entropy.bytes(_NONCE, purpose="nonce", stream=stream, position=position),
        )


def seal_to(recipient: PublicKey, content: bytes, *, context: bytes, chance: Chance) -> bytes:
    """``content`` readable by the holder of the private key only, ``len(content) + OVERHEAD`` bytes.

    Args:
        recipient: whom to seal to.
        content: already padded; its length shows.
        context: what the content is bound to; the same bytes are needed to open.
        chance: fresh random bytes.
    """
    ephemeral = X25519PrivateKey.from_private_bytes(chance.ephemeral)
    point = ephemeral.public_key().public_bytes_raw()
    key = _derived(ephemeral.exchange(recipient.x25519), point, recipient)
    ciphertext = AESGCM(key).encrypt(chance.nonce, content, _bound(recipient.purpose, context))
    return _VERSION + recipient.digest[:_ID] + point + chance.nonce + ciphertext


def open_sealed(key: PrivateKey, sealed: bytes, *, context: bytes) -> bytes:
    """What :func:`seal_to` sealed.

    Raises:
        WrongKey: sealed to another key.
        SealBroken: altered, cut, of an unknown version, or another context.
    """
    if len(sealed) < OVERHEAD or sealed[:1] != _VERSION:
        raise _broken("it is cut short or of an unknown version")
    name, point, nonce, ciphertext = _parts(sealed)
    if name != key.public.digest[:_ID]:
        raise WrongKey(
            f"this was not sealed to the {key.purpose.value} key {key.public.fingerprint}",
            remedy="use the key whose fingerprint the study's opening event names",
            fingerprint=key.public.fingerprint,
        )
    try:
        shared = key.x25519.exchange(X25519PublicKey.from_public_bytes(point))
        return AESGCM(_derived(shared, point, key.public)).decrypt(nonce, ciphertext, _bound(key.purpose, context))
    except (InvalidTag, ValueError):  # ValueError: a point of low order, which no seal holds
        raise _broken("its bytes or its place were altered") from None


def _parts(sealed: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    start = len(_VERSION)
    point, nonce, ciphertext = start + _ID, start + _ID + _POINT, start + _ID + _POINT + _NONCE
    return sealed[start:point], sealed[point:nonce], sealed[nonce:ciphertext], sealed[ciphertext:]


def _derived(shared: bytes, point: bytes, recipient: PublicKey) -> bytes:
    info = joined("trialwright seal 1", recipient.purpose.value)
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=point + recipient.raw, info=info).derive(shared)


def _bound(purpose: KeyPurpose, context: bytes) -> bytes:
    return joined(purpose.value, context)


def _broken(why: str) -> SealBroken:
    return SealBroken(
        f"the seal does not open: {why}",
        remedy="stop, compare with the site's checkpoint, and fetch the sealed bytes from a verified export",
    )
