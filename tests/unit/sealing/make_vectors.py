"""Writes docs/explanation/sealing-vectors.json from the written description alone.

It shares no line with the package: standard library for draws, list and commitment, and the cryptography library's
primitives put together by hand for the seal. Run it as ``python tests/unit/sealing/make_vectors.py``.
"""

import hashlib
import hmac
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TARGET = Path(__file__).parents[3] / "docs" / "explanation" / "sealing-vectors.json"
SEED = bytes(range(32))


def stream(seed, purpose, length):
    data, i = b"", 0
    while len(data) < length:
        message = b"trialwright draws 1\0" + purpose.encode() + b"\0" + i.to_bytes(8, "big")
        data += hmac.new(seed, message, hashlib.sha256).digest()
        i += 1
    return data[:length]


class Reader:
    def __init__(self, seed, purpose):
        self.data, self.at = stream(seed, purpose, 200_000), 0

    def take(self, count):
        self.at += count
        return int.from_bytes(self.data[self.at - count : self.at], "big")

    def below(self, n):
        if n == 1:
            return 0
        bits = len(bin(n - 1)) - 2
        while True:
            number = self.take(-(-bits // 8)) % 2**bits
            if number < n:
                return number

    def number(self):
        return self.take(7) // 8


def block_list(seed, purpose, blocks):
    """Permuted blocks of four, 1:1, by weights: remaining A, remaining B; the first that exceeds the number."""
    reader, labels = Reader(seed, purpose), []
    for _ in range(blocks):
        left = {"A": 2, "B": 2}
        for _ in range(4):
            label = "A" if reader.below(left["A"] + left["B"]) < left["A"] else "B"
            left[label] -= 1
            labels.append(label)
    return labels


def lengths(*parts):
    return b"".join(len(p).to_bytes(4, "big") + p for p in parts)


def context(ledger, kind, stratum, position):
    return lengths(ledger.encode(), kind.encode(), stratum.encode(), str(position).encode())


def leaf(row):
    place = context(row["ledger"], row["kind"], row["stratum"], row["position"])
    data = lengths(b"trialwright row 1", place, row["value"].encode(), bytes.fromhex(row["salt"]))
    return hashlib.sha256(b"\0" + data).digest()


def merkle(leaves):
    """RFC 9162 by levels: pair neighbours, an odd last one goes up alone."""
    while len(leaves) > 1:
        pairs = [leaves[i : i + 2] for i in range(0, len(leaves), 2)]
        leaves = [hashlib.sha256(b"\1" + p[0] + p[1]).digest() if len(p) == 2 else p[0] for p in pairs]
    return leaves[0]


def hkdf(secret, salt, info):
    """RFC 5869 for one block."""
    return hmac.new(hmac.new(salt, secret, hashlib.sha256).digest(), info + b"\1", hashlib.sha256).digest()


def seal(private, purpose, chance, content, bound):
    ephemeral, nonce = chance
    recipient = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    point = X25519PrivateKey.from_private_bytes(ephemeral).public_key().public_bytes_raw()
    shared = X25519PrivateKey.from_private_bytes(ephemeral).exchange(X25519PublicKey.from_public_bytes(recipient))
    key = hkdf(shared, point + recipient, lengths(b"trialwright seal 1", purpose))
    name = hashlib.sha256(lengths(b"trialwright key 1", purpose, recipient)).digest()[:8]
    return b"\1" + name + point + nonce + AESGCM(key).encrypt(nonce, content, lengths(purpose, bound))


def vectors():
    reader, numbers = Reader(SEED, "list/site=oslo"), Reader(SEED, "minimisation")
    sizes = [1, 2, 3, 4, 6, 10, 255, 256, 257, 1000, 2**64 + 13]
    labels = block_list(SEED, "list/site=oslo", 3)
    rows = [
        {
            "ledger": "smart-ms",
            "kind": "allocation",
            "stratum": "site=oslo",
            "position": i,
            "value": label,
            "salt": hashlib.sha256(b"salt" + bytes([i])).digest()[:16].hex(),
        }
        for i, label in enumerate(labels[:7])
    ]
    first = bytes.fromhex(rows[0]["salt"]) + rows[0]["value"].encode()
    content = len(first).to_bytes(2, "big") + first + bytes(94 - len(first))
    private, ephemeral, nonce = b"\x11" * 32, b"\x22" * 32, b"\x33" * 12
    place = context("smart-ms", "allocation", "site=oslo", 0)
    return {
        "draws": {
            "seed": SEED.hex(),
            "purpose": "list/site=oslo",
            "first_64_bytes": stream(SEED, "list/site=oslo", 64).hex(),
            "below": [[str(n), str(reader.below(n))] for n in sizes * 3],
            "minimisation_numbers": [numbers.number() for _ in range(5)],
        },
        "permuted_blocks_of_4": {"seed": SEED.hex(), "purpose": "list/site=oslo", "labels": labels},
        "commitment": {
            "rows": rows,
            "root_of_first": [merkle([leaf(r) for r in rows[:size]]).hex() for size in range(1, 8)],
        },
        "seal": {
            "purpose": "dispensing",
            "private_key": private.hex(),
            "ephemeral_key": ephemeral.hex(),
            "nonce": nonce.hex(),
            "row": rows[0],
            "sealed": seal(private, b"dispensing", (ephemeral, nonce), content, place).hex(),
        },
    }


if __name__ == "__main__":
    TARGET.write_text(json.dumps(vectors(), indent=1) + "\n", "utf-8")
