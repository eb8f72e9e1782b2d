"""Small secrets in files, encrypted under a password: scrypt (RFC 7914) and AES-256-GCM.

The file is JSON: what it is, whose, the scrypt numbers, a nonce and the ciphertext. Everything but the
ciphertext is bound as additional data, so a header cannot be exchanged.
"""

from __future__ import annotations

import json
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from trialwright.foundation.ports import Entropy
from trialwright.sealing.encoding import from_text, to_text
from trialwright.sealing.errors import InvalidKey, SealBroken, WeakPassword, WrongPassword

# 2^17 · 8 · 128 bytes = 128 MB and some tenths of a second for each guess.
DEFAULT_WORK = 17
_LEAST_WORK, _MOST_WORK = 10, 20
_SHORTEST_PASSWORD = 12
_FORMAT = "trialwright protected file 1"

About = dict[str, str | int]


def protect(
    secret: bytes, password: str, *, kind: str, about: About, entropy: Entropy, work: int = DEFAULT_WORK
) -> bytes:
    """The secret as a file that only the password opens.

    Args:
        secret: the bytes to protect.
        password: at least 12 characters; taken as UTF-8.
        kind: what the secret is; checked on reading.
        about: text and numbers shown in the clear, bound to the secret.
        entropy: for salt and nonce.
        work: base-2 logarithm of scrypt's N, 10 … 20 (r = 8, p = 1); below 17 only for rehearsals.

    Raises:
        WeakPassword: fewer than 12 characters.
        InvalidKey: ``work`` out of range.
    """
    check_password(password)
    stream = json.dumps([kind, about], sort_keys=True)
    salt = entropy.bytes(16, purpose="password salt", stream=stream, position=0)
    nonce = entropy.bytes(12, purpose="password nonce", stream=stream, position=0)
    header = {"format": _FORMAT, "kind": kind, "about": about, "work": work, "salt": to_text(salt)}
    ciphertext = AESGCM(password_key(password, salt, work)).encrypt(nonce, secret, _bound(header))
    body = {**header, "nonce": to_text(nonce), "ciphertext": to_text(ciphertext)}
    return (json.dumps(body, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


def unprotect(data: bytes, password: str, *, kind: str) -> tuple[dict[str, Any], bytes]:
    """What the file says about itself, and the secret.

    Raises:
        InvalidKey: not such a file, or of another kind.
        WrongPassword: wrong password or altered file.
    """
    try:
        body = json.loads(data.decode("utf-8"))
        header = {name: body[name] for name in ("format", "kind", "about", "work", "salt")}
        salt, nonce, ciphertext = (from_text(body[name]) for name in ("salt", "nonce", "ciphertext"))
        readable = header["format"] == _FORMAT and isinstance(header["about"], dict) and len(nonce) == 12
    except (ValueError, KeyError, TypeError, RecursionError, SealBroken):
        readable = False
    if not readable or header["kind"] != kind:
        raise InvalidKey(
            f"the file does not hold a {kind}", remedy=f"choose the file that was written as {kind}", kind=kind
        )
    try:
        secret = AESGCM(password_key(password, salt, header["work"])).decrypt(nonce, ciphertext, _bound(header))
    except InvalidTag:
        raise WrongPassword(
            f"the password does not open this {kind}, or the file was altered",
            remedy="type the password again; if it still fails, fetch the file from its other copy",
            kind=kind,
        ) from None
    return header["about"], secret


def password_key(password: str, salt: bytes, work: int) -> bytes:
    """32 bytes by scrypt with N = 2^work, r = 8, p = 1.

    Raises:
        InvalidKey: ``work`` outside 10 … 20 (more would let a forged file exhaust the reader's memory).
    """
    if isinstance(work, bool) or not isinstance(work, int) or not _LEAST_WORK <= work <= _MOST_WORK:
        raise InvalidKey(f"the work factor is {work!r}", remedy=f"use {_LEAST_WORK} to {_MOST_WORK}", work=str(work))
    return Scrypt(salt=salt, length=32, n=2**work, r=8, p=1).derive(password.encode("utf-8", "surrogatepass"))


def check_password(password: str) -> None:
    """Raise :class:`WeakPassword` for fewer than 12 characters."""
    if len(password) < _SHORTEST_PASSWORD:
        raise WeakPassword(
            f"the password has {len(password)} characters",
            remedy=f"use {_SHORTEST_PASSWORD} or more, for example five random words",
            length=len(password),
        )


def _bound(header: dict[str, Any]) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")
