"""Sealed identity and free text: one data key for each participant and class, destroyed to forget.

    sealed = 0x01 ‖ nonce (12) ‖ AES-256-GCM(padded text); AAD = ledger, participant, class, name

Text is padded to a multiple of 64 bytes, so only its rough size shows.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from trialwright.foundation.ports import Entropy
from trialwright.sealing.encoding import joined, padded, unpadded
from trialwright.sealing.errors import ContentTooLong, InvalidKey, KeyDestroyed, SealBroken
from trialwright.sealing.hybrid import Chance, open_sealed, seal_to
from trialwright.sealing.keys import PrivateKey, PublicKey

_VERSION = b"\x01"
_STEP, _MOST = 64, 65_535


@dataclass(frozen=True)
class FieldPlace:
    """What a sealed field is bound to: ledger, participant (random id), class of data, name of the field."""

    ledger: str
    participant: str
    data_class: str
    name: str

    @property
    def context(self) -> bytes:
        """The place as bytes, without ambiguity."""
        return joined("field", self.ledger, self.participant, self.data_class, self.name)


class DataKey:
    """32 bytes that open the fields of one participant and class, until they are destroyed.

    Raises:
        InvalidKey: not 32 bytes.
    """

    def __init__(self, raw: bytes) -> None:
        if len(raw) != 32:
            raise InvalidKey(f"a data key has 32 bytes, not {len(raw)}", remedy="generate or unwrap the key")
        self._raw: bytearray | None = bytearray(raw)

    @classmethod
    def generate(cls, entropy: Entropy, *, ledger: str, participant: str, data_class: str) -> DataKey:
        """A new key."""
        stream = f"{ledger}/{participant}/{data_class}"
        return cls(entropy.bytes(32, purpose="data key", stream=stream, position=0))

    @property
    def destroyed(self) -> bool:
        return self._raw is None

    def destroy(self) -> None:
        """Overwrite and forget the key. Every wrapped and escrowed copy must be deleted as well."""
        if self._raw is not None:
            self._raw[:] = bytes(32)
            self._raw = None

    def raw(self) -> bytes:
        """The key's bytes, to wrap or to use.

        Raises:
            KeyDestroyed: the key is gone.
        """
        if self._raw is None:
            raise KeyDestroyed(
                "the key of this field was destroyed",
                remedy="nothing opens it again; the record shows who destroyed it and why",
            )
        return bytes(self._raw)


def seal_field(key: DataKey, text: str, place: FieldPlace, *, entropy: Entropy, version: int) -> bytes:
    """The text, sealed for its place.

    Args:
        key: of the participant and class.
        text: up to 65,535 bytes of UTF-8.
        place: what the text is bound to.
        entropy: for the nonce.
        version: 0, 1, … for each text sealed at this place; addresses the nonce in a rehearsal.

    Raises:
        ContentTooLong: a longer text.
        KeyDestroyed: the key is gone.
    """
    content = text.encode("utf-8", "surrogatepass")
    if len(content) > _MOST:
        raise ContentTooLong(
            f"a text of {len(content)} bytes was given",
            remedy=f"shorten it to {_MOST} bytes, or attach it as a file",
            length=len(content),
        )
    width = -(-(len(content) + 2) // _STEP) * _STEP
    stream = "/".join((place.ledger, place.participant, place.data_class, place.name))
    nonce = entropy.bytes(12, purpose="field nonce", stream=stream, position=version)
    return _VERSION + nonce + AESGCM(key.raw()).encrypt(nonce, padded(content, width), place.context)


def open_field(key: DataKey, sealed: bytes, place: FieldPlace) -> str:
    """The text.

    Raises:
        KeyDestroyed: the key is gone.
        SealBroken: altered, moved, or sealed with another key.
    """
    raw = key.raw()
    try:
        if sealed[:1] != _VERSION:
            raise ValueError
        content = AESGCM(raw).decrypt(sealed[1:13], sealed[13:], place.context)
    except (InvalidTag, ValueError):
        raise SealBroken(
            f"the field {place.name!r} does not open",
            remedy="it was altered, moved or sealed with another key; compare with a verified export",
        ) from None
    return unpadded(content).decode("utf-8", "surrogatepass")


def wrap_key(key: DataKey, recipient: PublicKey, place: FieldPlace, *, entropy: Entropy) -> bytes:
    """The data key sealed to a site's (or the escrow's) public key; ``place.name`` may name the copy."""
    stream = "/".join((place.ledger, place.participant, place.data_class, place.name, recipient.fingerprint))
    chance = Chance.of(entropy, stream=f"wrap/{stream}", position=0)
    return seal_to(recipient, key.raw(), context=place.context, chance=chance)


def unwrap_key(wrapped: bytes, key: PrivateKey, place: FieldPlace) -> DataKey:
    """The inverse of :func:`wrap_key`.

    Raises:
        WrongKey, SealBroken: see :func:`open_sealed`.
    """
    return DataKey(open_sealed(key, wrapped, context=place.context))
