"""A copy of a private key for the day when it is lost: sealed to a key that somebody else keeps.

The copy is made without the keeper, and opens for nobody but the keeper. It says in the clear whose key it holds.
"""

from __future__ import annotations

import json

from trialwright.foundation.ports import Entropy
from trialwright.sealing.encoding import from_text, joined, to_text
from trialwright.sealing.errors import InvalidKey, SealBroken, WrongKey
from trialwright.sealing.hybrid import Chance, open_sealed, seal_to
from trialwright.sealing.keys import KeyPurpose, PrivateKey, PublicKey

_FORMAT = "trialwright escrowed key 1"


def escrow_key(key: PrivateKey, keeper: PublicKey, entropy: Entropy) -> bytes:
    """A key, sealed to the keeper's ESCROW key; JSON.

    Raises:
        WrongKey: the keeper's key has another purpose.
    """
    if keeper.purpose is not KeyPurpose.ESCROW or key.purpose is KeyPurpose.ESCROW:
        raise WrongKey(
            f"a {key.purpose.value} key was to be escrowed to a {keeper.purpose.value} key",
            remedy="escrow to the keeper's escrow key; its own copies are shares of custodians",
        )
    purpose, fingerprint = key.purpose.value, key.public.fingerprint
    chance = Chance.of(entropy, stream=f"escrow/{fingerprint}/{keeper.fingerprint}", position=0)
    sealed = seal_to(keeper, key.raw, context=_bound(purpose, fingerprint), chance=chance)
    body = {"format": _FORMAT, "purpose": purpose, "fingerprint": fingerprint, "keeper": keeper.fingerprint}
    return (json.dumps({**body, "sealed": to_text(sealed)}, indent=2) + "\n").encode("ascii")


def recover_key(escrowed: bytes, keeper: PrivateKey) -> PrivateKey:
    """The key in a file made by :func:`escrow_key`.

    Raises:
        InvalidKey: not such a file.
        WrongKey: sealed to another keeper.
        SealBroken: altered.
    """
    try:
        body = json.loads(escrowed.decode("ascii"))
        purpose, fingerprint, sealed = (
            KeyPurpose(body["purpose"]),
            str(body["fingerprint"]),
            from_text(body["sealed"]),
        )
        readable = body["format"] == _FORMAT
    except (ValueError, KeyError, TypeError, RecursionError, SealBroken):
        readable = False
    if not readable:
        raise InvalidKey("the file does not hold an escrowed key", remedy="choose the file that escrow wrote")
    key = PrivateKey(purpose, open_sealed(keeper, sealed, context=_bound(purpose.value, fingerprint)))
    if key.public.fingerprint != fingerprint:
        raise SealBroken(
            f"the file does not hold the key {fingerprint}", remedy="use another copy; this one was made wrongly"
        )
    return key


def _bound(purpose: str, fingerprint: str) -> bytes:
    return joined(_FORMAT, purpose, fingerprint)
