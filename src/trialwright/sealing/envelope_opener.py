#!/usr/bin/env python3
"""Open a Trialwright emergency envelope:  python3 envelope_opener.py ENVELOPE

One file, standard library only, Python 3.8 and later, no network: copy it to the memory stick with the envelopes.
The format stands in docs/explanation/sealing.md. AES-256-GCM is written out below, straight from FIPS 197 and NIST
SP 800-38D; it is slow and not constant in time, which does not matter for seventeen blocks on one's own computer.
"""

from __future__ import annotations

import base64
import getpass
import hashlib
import hmac
import json
import sys
from pathlib import Path

FORMAT = "trialwright emergency envelope 1"


class EnvelopeProblem(Exception):
    """What to tell the person who holds the envelope."""


def open_envelope(envelope: bytes, password: str) -> tuple[str, str]:
    """Participant and content of an envelope given as bytes."""
    try:
        body = json.loads(envelope.decode("ascii"))
        ledger, participant, work = body["ledger"], body["participant"], body["work"]
        salt, nonce, sealed = (
            base64.b64decode(body[name], validate=True) for name in ("salt", "nonce", "ciphertext")
        )
        bound = joined(FORMAT, ledger, participant)
        whole = body["format"] == FORMAT and len(nonce) == 12 and len(sealed) == 272
        whole = whole and type(work) is int and 10 <= work <= 20
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        whole = False
    if not whole:
        raise EnvelopeProblem("This is not an emergency envelope. Choose the participant's envelope file.")
    key = hashlib.scrypt(password.encode("utf-8"), salt=salt, n=2**work, r=8, p=1, maxmem=2 ** (work + 11), dklen=32)
    content = decrypt(key, nonce, sealed[:-16], sealed[-16:], bound)
    if content is None:
        raise EnvelopeProblem("The password does not open this envelope, or the envelope was altered. Try again.")
    length = int.from_bytes(content[:2], "big")
    return participant, content[2 : 2 + length].decode("utf-8")


def joined(*parts: str) -> bytes:
    """Each part as UTF-8 after its length in four bytes."""
    encoded = [part.encode("utf-8") for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def decrypt(key: bytes, nonce: bytes, ciphertext: bytes, tag: bytes, bound: bytes) -> bytes | None:
    """AES-256-GCM with a nonce of 96 bits; None when the tag is wrong."""
    round_keys = expand_key(key)
    h = int.from_bytes(encrypt_block(round_keys, bytes(16)), "big")
    lengths = (8 * len(bound)).to_bytes(8, "big") + (8 * len(ciphertext)).to_bytes(8, "big")
    digest = 0
    for data in (bound, ciphertext, lengths):
        for i in range(0, len(data), 16):
            digest = multiply(digest ^ int.from_bytes(data[i : i + 16].ljust(16, b"\0"), "big"), h)
    mask = encrypt_block(round_keys, nonce + b"\0\0\0\1")
    if not hmac.compare_digest(xor(digest.to_bytes(16, "big"), mask), tag):
        return None
    stream = b"".join(
        encrypt_block(round_keys, nonce + (i + 2).to_bytes(4, "big")) for i in range((len(ciphertext) + 15) // 16)
    )
    return xor(ciphertext, stream)


def multiply(x: int, y: int) -> int:
    """In GF(2^128) with the bit order of GCM."""
    product = 0
    for i in range(127, -1, -1):
        if x >> i & 1:
            product ^= y
        y = y >> 1 ^ (0xE1 << 120 if y & 1 else 0)
    return product


def xor(a: bytes, b: bytes) -> bytes:
    return bytes(p ^ q for p, q in zip(a, b))  # noqa: B905 - zip(strict=) came with Python 3.10


def double(a: int) -> int:
    """Times x in GF(2^8)."""
    return (a << 1 ^ 0x11B) & 0xFF if a & 0x80 else a << 1


def make_sbox() -> list[int]:
    """Inverse in GF(2^8), then the affine map of FIPS 197."""
    sbox, p, q = [0x63] * 256, 1, 1
    while True:
        p ^= double(p)  # p runs through the powers of 3, q through their inverses
        q ^= q << 1
        q ^= q << 2
        q ^= q << 4
        q &= 0xFF
        q ^= 0x09 if q & 0x80 else 0
        rotated = [(q << r | q >> (8 - r)) & 0xFF for r in range(5)]
        sbox[p] = rotated[0] ^ rotated[1] ^ rotated[2] ^ rotated[3] ^ rotated[4] ^ 0x63
        if p == 1:
            return sbox


SBOX = make_sbox()


def expand_key(key: bytes) -> list[bytes]:
    """The fifteen round keys of AES-256."""
    words, constant = [key[i : i + 4] for i in range(0, 32, 4)], 1
    for i in range(8, 60):
        word = words[-1]
        if i % 8 == 0:
            word = bytes(SBOX[b] for b in word[1:] + word[:1])
            word, constant = bytes([word[0] ^ constant]) + word[1:], double(constant)
        elif i % 8 == 4:
            word = bytes(SBOX[b] for b in word)
        words.append(xor(words[i - 8], word))
    return [b"".join(words[i : i + 4]) for i in range(0, 60, 4)]


def encrypt_block(round_keys: list[bytes], block: bytes) -> bytes:
    state = xor(block, round_keys[0])
    for number, round_key in enumerate(round_keys[1:], 1):
        state = bytes(SBOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16))  # SubBytes and ShiftRows
        if number < 14:
            state = b"".join(mix(state[i : i + 4]) for i in range(0, 16, 4))
        state = xor(state, round_key)
    return state


def mix(column: bytes) -> bytes:
    """MixColumns: 2·a ^ 3·b ^ c ^ d for each byte."""
    whole = column[0] ^ column[1] ^ column[2] ^ column[3]
    return bytes(column[i] ^ whole ^ double(column[i] ^ column[(i + 1) % 4]) for i in range(4))


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("Give one envelope file: python3 envelope_opener.py ENVELOPE\n")
        return 2
    try:
        envelope = Path(arguments[0]).read_bytes()
        participant, content = open_envelope(envelope, getpass.getpass("Password of the envelope: "))
    except (EnvelopeProblem, OSError) as problem:
        sys.stderr.write(str(problem) + "\n")
        return 1
    print("Participant " + participant + ": " + content)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
