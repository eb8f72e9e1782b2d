"""A copy of a keyring for the day when it is lost: its data keys, sealed to a key that somebody else keeps.

The copy is made without the keeper, and opens for nobody but the keeper. It says in the clear of which ledger's
keyring it is, which copy, when it was made and how many keys it holds; of those destroyed before, their names alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from trialwright.foundation.ports import Entropy
from trialwright.sealing.encoding import from_text, joined, to_text
from trialwright.sealing.errors import InvalidKey, SealBroken, WrongKey
from trialwright.sealing.hybrid import Chance, open_sealed, seal_to
from trialwright.sealing.keys import KeyPurpose, PrivateKey, PublicKey

_FORMAT = "trialwright escrowed keyring 1"

NamedKey = tuple[str, str, int, bytes | None]
"""Holder, class, number, key; None: it was destroyed."""


@dataclass(frozen=True)
class KeyringCopy:
    """What a copy says of itself.

    Attributes:
        ledger: of the space whose keyring it is.
        copy: its own name, which no other copy has.
        keeper: fingerprint of the key that opens it.
        made_at: ISO, UTC.
        keys: how many it holds.
    """

    ledger: str
    copy: str
    keeper: str
    made_at: str
    keys: int


def escrow_keyring(
    entries: Iterable[NamedKey], keeper: PublicKey, entropy: Entropy, *, ledger: str, copy: str, made_at: str
) -> bytes:
    """The keys, sealed to the keeper's ESCROW key; JSON.

    Raises:
        WrongKey: the keeper's key has another purpose.
    """
    if keeper.purpose is not KeyPurpose.ESCROW:
        raise WrongKey(
            f"a keyring was to be escrowed to a {keeper.purpose.value} key", remedy="give the keeper's escrow key"
        )
    keys = [[holder, kind, number, None if key is None else to_text(key)] for holder, kind, number, key in entries]
    about = KeyringCopy(ledger, copy, keeper.fingerprint, made_at, sum(one[3] is not None for one in keys))
    chance = Chance.of(entropy, stream=f"keyring escrow/{ledger}/{copy}", position=0)
    sealed = seal_to(keeper, json.dumps(keys).encode(), context=_bound(about), chance=chance)
    return (json.dumps({"format": _FORMAT, **vars(about), "sealed": to_text(sealed)}, indent=2) + "\n").encode(
        "ascii"
    )


def read_keyring_copy(content: bytes) -> KeyringCopy:
    """What a file made by :func:`escrow_keyring` says of itself; nothing of it is proven before it is opened.

    Raises:
        InvalidKey: not such a file.
    """
    return _read(content)[0]


def recover_keyring(content: bytes, keeper: PrivateKey) -> tuple[NamedKey, ...]:
    """The keys in a file made by :func:`escrow_keyring`.

    Raises:
        InvalidKey: not such a file.
        WrongKey: sealed to another keeper.
        SealBroken: altered.
    """
    about, sealed = _read(content)
    keys = json.loads(open_sealed(keeper, sealed, context=_bound(about)))
    return tuple(
        (holder, kind, number, None if key is None else from_text(key)) for holder, kind, number, key in keys
    )


def _read(content: bytes) -> tuple[KeyringCopy, bytes]:
    try:
        body = json.loads(content.decode("ascii"))
        about = KeyringCopy(
            str(body["ledger"]), str(body["copy"]), str(body["keeper"]), str(body["made_at"]), int(body["keys"])
        )
        sealed, readable = from_text(body["sealed"]), body["format"] == _FORMAT
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, SealBroken):
        readable = False
    if not readable:
        raise InvalidKey("the file holds no escrowed keyring", remedy="choose the file that escrow-keyring wrote")
    return about, sealed


def _bound(about: KeyringCopy) -> bytes:
    return joined(_FORMAT, about.ledger, about.copy, about.keeper, about.made_at, str(about.keys))
