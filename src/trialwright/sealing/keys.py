"""Key pairs with one purpose each, their fingerprints, their files and their custodians' shares.

Keys that open are X25519. A signing key is Ed25519, and its 32 secret bytes are the seed of RFC 8032; it lies in the
same kind of file and is shared among custodians in the same way, and nothing can be sealed to it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from trialwright.foundation.ports import Entropy
from trialwright.sealing.encoding import joined
from trialwright.sealing.errors import InvalidKey, InvalidShares
from trialwright.sealing.protected import DEFAULT_WORK, protect, unprotect
from trialwright.sealing.shamir import Share, combine, split

_TEXT = re.compile(r"([a-z]{1,20})\+([0-9a-f-]{39})\+([A-Za-z0-9+/=]{1,60})")


class KeyPurpose(Enum):
    """What a key may open. The purpose is bound into every seal, so one key never serves as another.

    DISPENSING is held by the dispensing service; UNBLINDING offline, in shares; IDENTITY by a site; ESCROW by
    whoever keeps copies of other keys for the day when they are lost. SIGNING opens nothing: it signs checkpoints.
    """

    DISPENSING = "dispensing"
    UNBLINDING = "unblinding"
    IDENTITY = "identity"
    ESCROW = "escrow"
    SIGNING = "signing"


@dataclass(frozen=True)
class PublicKey:
    """The part that seals; of a signing key, the part that verifies.

    Args:
        purpose: what the key may open.
        raw: the 32 bytes of RFC 7748; of RFC 8032 for a signing key.

    Raises:
        InvalidKey: not 32 bytes.
    """

    purpose: KeyPurpose
    raw: bytes

    def __post_init__(self) -> None:
        _check_length(self.raw)

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 over the purpose and the key."""
        return hashlib.sha256(joined("trialwright key 1", self.purpose.value, self.raw)).digest()

    @property
    def fingerprint(self) -> str:
        """The first 128 bits of the digest, to be read aloud: ``3f2a-…``, eight groups of four."""
        text = self.digest[:16].hex()
        return "-".join(text[i : i + 4] for i in range(0, 32, 4))

    @cached_property
    def x25519(self) -> X25519PublicKey:
        """The key as the cryptographic library holds it.

        Raises:
            InvalidKey: a signing key.
        """
        _check_opens(self.purpose)
        return X25519PublicKey.from_public_bytes(self.raw)

    def __str__(self) -> str:
        """The key as text, to be handed over and put on record: ``purpose+fingerprint+key``."""
        return f"{self.purpose.value}+{self.fingerprint}+{base64.b64encode(self.raw).decode()}"

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """Read a key from its text.

        Raises:
            InvalidKey: another text, or a fingerprint that does not belong.
        """
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise _no_key("its text is not purpose+fingerprint+key")
        try:
            raw = base64.b64decode(match[3], validate=True)
        except binascii.Error:
            raw = b""
        key = cls(_purpose(match[1]), raw)
        if str(key) != text.strip():
            raise _no_key(f"the fingerprint {match[2]} is another key's")
        return key


@dataclass(frozen=True)
class PrivateKey:
    """The part that opens. Its bytes never appear in its representation.

    Raises:
        InvalidKey: not 32 bytes.
    """

    purpose: KeyPurpose
    raw: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _check_length(self.raw)

    @cached_property
    def public(self) -> PublicKey:
        """The part that seals, or verifies."""
        if self.purpose is KeyPurpose.SIGNING:
            signs = Ed25519PrivateKey.from_private_bytes(self.raw)
            return PublicKey(self.purpose, signs.public_key().public_bytes_raw())
        return PublicKey(self.purpose, self.x25519.public_key().public_bytes_raw())

    @cached_property
    def x25519(self) -> X25519PrivateKey:
        """The key as the cryptographic library holds it.

        Raises:
            InvalidKey: a signing key.
        """
        _check_opens(self.purpose)
        return X25519PrivateKey.from_private_bytes(self.raw)


@dataclass(frozen=True)
class KeyShare:
    """A custodian's share of a private key.

    Attributes:
        purpose: of the key.
        fingerprint: of the key, so that shares of different keys are told apart.
        needed: how many shares rebuild it.
        share: the share itself.
    """

    purpose: KeyPurpose
    fingerprint: str
    needed: int
    share: Share


def generate_key(purpose: KeyPurpose, entropy: Entropy, *, ledger: str) -> PrivateKey:
    """A new key pair for one study's ledger."""
    return PrivateKey(purpose, entropy.bytes(32, purpose=f"{purpose.value} key", stream=ledger, position=0))


def split_key(key: PrivateKey, *, shares: int, needed: int, entropy: Entropy) -> tuple[KeyShare, ...]:
    """The private key in ``shares`` shares, any ``needed`` of which rebuild it; destroy the whole afterwards.

    Raises:
        InvalidShares: not 2 ≤ needed ≤ shares ≤ 255.
    """
    fingerprint = key.public.fingerprint
    parts = split(key.raw, shares=shares, needed=needed, entropy=entropy, stream=fingerprint)
    return tuple(KeyShare(key.purpose, fingerprint, needed, part) for part in parts)


def combine_key(shares: Sequence[KeyShare]) -> PrivateKey:
    """The private key from at least ``needed`` shares, checked against its fingerprint.

    Raises:
        InvalidShares: none, too few, of different keys, doubled or altered.
    """
    described = {(s.purpose, s.fingerprint, s.needed) for s in shares}
    if len(described) != 1:
        raise InvalidShares(
            f"{len(shares)} shares of {len(described)} keys were given",
            remedy="bring shares of one key together, with the same fingerprint",
            shares=len(shares),
        )
    ((purpose, fingerprint, needed),) = described
    if len(shares) < needed:
        raise InvalidShares(
            f"{len(shares)} of the {needed} shares needed were given",
            remedy=f"bring {needed - len(shares)} more custodians",
            shares=len(shares),
            needed=needed,
        )
    raw = combine([s.share for s in shares])
    if len(raw) != 32 or (key := PrivateKey(purpose, raw)).public.fingerprint != fingerprint:
        raise InvalidShares(
            f"the shares do not rebuild the key {fingerprint}",
            remedy="one share is altered or mistyped; try with another custodian's",
            fingerprint=fingerprint,
        )
    return key


def write_key(key: PrivateKey, password: str, entropy: Entropy, *, work: int = DEFAULT_WORK) -> bytes:
    """A key file: JSON, encrypted under the password (see :func:`protect`).

    Raises:
        WeakPassword: fewer than 12 characters.
    """
    about: dict[str, str | int] = {"purpose": key.purpose.value, "fingerprint": key.public.fingerprint}
    return protect(key.raw, password, kind="private key", about=about, entropy=entropy, work=work)


def read_key(data: bytes, password: str) -> PrivateKey:
    """The key in a file written by :func:`write_key`.

    Raises:
        InvalidKey: not such a file.
        WrongPassword: wrong password or altered file.
    """
    about, raw = unprotect(data, password, kind="private key")
    return PrivateKey(_purpose(about.get("purpose")), raw)


def write_share(share: KeyShare, password: str, entropy: Entropy, *, work: int = DEFAULT_WORK) -> bytes:
    """A custodian's share file: JSON, encrypted under the custodian's own password.

    Raises:
        WeakPassword: fewer than 12 characters.
    """
    about: dict[str, str | int] = {
        "purpose": share.purpose.value,
        "fingerprint": share.fingerprint,
        "needed": share.needed,
        "index": share.share.index,
    }
    return protect(share.share.value, password, kind="key share", about=about, entropy=entropy, work=work)


def read_share(data: bytes, password: str) -> KeyShare:
    """The share in a file written by :func:`write_share`.

    Raises:
        InvalidKey: not such a file.
        WrongPassword: wrong password or altered file.
    """
    about, value = unprotect(data, password, kind="key share")
    fingerprint, needed, index = about.get("fingerprint"), about.get("needed"), about.get("index")
    if not isinstance(fingerprint, str) or not isinstance(needed, int) or not isinstance(index, int):
        raise _no_key("its header is incomplete")
    return KeyShare(_purpose(about.get("purpose")), fingerprint, needed, Share(index, value))


def _purpose(value: object) -> KeyPurpose:
    for purpose in KeyPurpose:
        if purpose.value == value:
            return purpose
    raise _no_key(f"its purpose is {value!r}")


def _check_opens(purpose: KeyPurpose) -> None:
    if purpose is KeyPurpose.SIGNING:
        raise InvalidKey("a signing key opens nothing", remedy="use a key of the purpose that is wanted")


def _check_length(raw: bytes) -> None:
    if len(raw) != 32:
        raise _no_key(f"it has {len(raw)} bytes")


def _no_key(why: str) -> InvalidKey:
    return InvalidKey(
        f"this is not a key: {why}", remedy="use the key file as it was written, 32 bytes of X25519 key"
    )
