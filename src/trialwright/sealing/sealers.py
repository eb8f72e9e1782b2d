"""Who seals, who opens, and the ideal sealer of the two-worlds proof.

A study seals through :class:`Sealer` and opens through :class:`Opener`, so that a proof about everything *around*
the seals can run with seals that hold nothing, and the real seals are tested apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from trialwright.foundation.ports import Entropy
from trialwright.sealing.commitment import Row, commitment_root
from trialwright.sealing.encoding import from_text, joined, padded, to_text, unpadded
from trialwright.sealing.errors import InvalidList, SealBroken, SealingError, WrongKey
from trialwright.sealing.hybrid import OVERHEAD, Chance, open_sealed, seal_to
from trialwright.sealing.keys import KeyPurpose, PrivateKey, PublicKey
from trialwright.sealing.places import Kind, Place


@dataclass(frozen=True)
class Sealed:
    """Something sealed for a place, once for each recipient.

    Attributes:
        place: where it belongs.
        tokens: purpose of the recipient's key → sealed bytes, all of one length within a kind.
    """

    place: Place
    tokens: Mapping[KeyPurpose, bytes]

    def __post_init__(self) -> None:
        object.__setattr__(self, "tokens", MappingProxyType(dict(self.tokens)))

    def as_json(self) -> dict[str, Any]:
        """Plain data for events and messages: text and integers only."""
        return {
            "ledger": self.place.ledger,
            "kind": self.place.kind.value,
            "stratum": self.place.stratum,
            "position": self.place.position,
            "tokens": {purpose.value: to_text(token) for purpose, token in self.tokens.items()},
        }

    @classmethod
    def from_json(cls, data: object) -> Sealed:
        """The inverse of :meth:`as_json`.

        Raises:
            SealBroken: anything else.
        """
        try:
            fields: Any = data
            ledger, stratum = fields["ledger"], fields["stratum"]
            if not isinstance(ledger, str) or not isinstance(stratum, str):
                raise TypeError
            place = Place(ledger, Kind(fields["kind"]), stratum, fields["position"])
            tokens = {KeyPurpose(name): from_text(token) for name, token in fields["tokens"].items()}
        except (KeyError, TypeError, ValueError, AttributeError, SealingError):
            raise SealBroken(
                "these are not sealed bytes with their place",
                remedy="give the row as it stands in the event: ledger, kind, stratum, position, tokens",
            ) from None
        return cls(place, tokens)


class Sealer(Protocol):
    """Seals for a study's recipients, and commits to rows before they are used."""

    @property
    def recipients(self) -> Mapping[KeyPurpose, str]:
        """Purpose → fingerprint of every recipient."""
        ...

    def seal(self, place: Place, content: bytes) -> Sealed:
        """``content`` (at most the kind's width less 2 bytes) sealed for ``place``; once for each place.

        Raises:
            ContentTooLong: more bytes than that.
        """
        ...

    def commit(self, rows: Sequence[Row]) -> bytes:
        """32 bytes that stand for the rows in their order."""
        ...


class Opener(Protocol):
    """Opens what was sealed to one recipient."""

    def open(self, sealed: Sealed) -> bytes:
        """The content.

        Raises:
            WrongKey: not sealed to this recipient.
            SealBroken: altered or moved.
        """
        ...


class RealSealer:
    """Seals with cryptography to each recipient.

    Args:
        recipients: public keys, each of another purpose.
        entropy: for ephemeral keys and nonces.

    Raises:
        InvalidList: no recipient, or two of one purpose.
    """

    def __init__(self, recipients: Iterable[PublicKey], entropy: Entropy) -> None:
        self._keys = tuple(recipients)
        self._entropy = entropy
        _check_recipients([key.purpose for key in self._keys])

    @property
    def recipients(self) -> Mapping[KeyPurpose, str]:
        return {key.purpose: key.fingerprint for key in self._keys}

    def seal(self, place: Place, content: bytes) -> Sealed:
        filled = padded(content, place.kind.width)
        return Sealed(place, {key.purpose: self._token(key, place, filled) for key in self._keys})

    def commit(self, rows: Sequence[Row]) -> bytes:
        return commitment_root(rows)

    def _token(self, key: PublicKey, place: Place, filled: bytes) -> bytes:
        stream = f"{place.stream}/{key.purpose.value}"
        chance = Chance.of(self._entropy, stream=stream, position=place.position)
        return seal_to(key, filled, context=place.context, chance=chance)


class KeyOpener:
    """Opens with a private key."""

    def __init__(self, key: PrivateKey) -> None:
        self._key = key

    def open(self, sealed: Sealed) -> bytes:
        token = sealed.tokens.get(self._key.purpose)
        if token is None:
            raise _not_for(self._key.purpose)
        return unpadded(open_sealed(self._key, token, context=sealed.place.context))


class IdealSealer:
    """Seals whose bytes depend on ledger, kind, stratum, position and recipient, never on the content.

    The contents stay in a table of this object. Sizes are those of :class:`RealSealer`. For the two-worlds proof
    only: two runs that differ in nothing but the contents give the same sealed bytes and the same commitments.

    Args:
        purposes: the recipients.

    Raises:
        InvalidList: no recipient, or two of one purpose.
    """

    def __init__(self, purposes: Iterable[KeyPurpose] = (KeyPurpose.DISPENSING, KeyPurpose.UNBLINDING)) -> None:
        self._purposes = tuple(purposes)
        self._contents: dict[Place, bytes] = {}
        _check_recipients(self._purposes)

    @property
    def recipients(self) -> Mapping[KeyPurpose, str]:
        return {purpose: f"ideal-{purpose.value}" for purpose in self._purposes}

    def seal(self, place: Place, content: bytes) -> Sealed:
        padded(content, place.kind.width)  # the same refusal as the real one
        if self._contents.setdefault(place, content) != content:
            raise InvalidList(
                f"position {place.position} of stratum {place.stratum!r} was sealed twice",
                remedy="seal each position once; positions are never used again",
                position=place.position,
            )
        return Sealed(place, {purpose: _ideal_token(purpose, place) for purpose in self._purposes})

    def commit(self, rows: Sequence[Row]) -> bytes:
        return hashlib.sha256(joined("ideal commitment", *(row.place.context for row in rows))).digest()

    def opener(self, purpose: KeyPurpose) -> Opener:
        """Opens what this object sealed for ``purpose``."""
        return _IdealOpener(purpose, self._contents)


class _IdealOpener:
    def __init__(self, purpose: KeyPurpose, contents: Mapping[Place, bytes]) -> None:
        self._purpose = purpose
        self._contents = contents

    def open(self, sealed: Sealed) -> bytes:
        token = sealed.tokens.get(self._purpose)
        if token is None:
            raise _not_for(self._purpose)
        if token != _ideal_token(self._purpose, sealed.place) or sealed.place not in self._contents:
            raise SealBroken("this was not sealed here for its place", remedy="open it with the sealer that made it")
        return self._contents[sealed.place]


def _ideal_token(purpose: KeyPurpose, place: Place) -> bytes:
    size = place.kind.width + OVERHEAD
    return hashlib.shake_256(joined("ideal seal", purpose.value, place.context)).digest(size)


def _check_recipients(purposes: Sequence[KeyPurpose]) -> None:
    if not purposes or len(set(purposes)) != len(purposes) or KeyPurpose.SIGNING in purposes:
        raise InvalidList(
            f"the recipients are {[p.value for p in purposes]}",
            remedy="give one key for each purpose, at least one, and none that signs",
        )


def _not_for(purpose: KeyPurpose) -> WrongKey:
    return WrongKey(
        f"this was not sealed to a {purpose.value} key",
        remedy="use the key of a recipient that the row names",
        purpose=purpose.value,
    )
