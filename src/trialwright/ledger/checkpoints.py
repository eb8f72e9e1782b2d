"""Checkpoints: a ledger's size and root, signed, to be held outside by those who need not trust us.

The text is a C2SP signed note (c2sp.org/signed-note) with a C2SP checkpoint body (c2sp.org/tlog-checkpoint),
so any transparency-log tool can read it::

    smart-ms/open
    1874
    qAVK8mVXmTnGVMU2lB4CwYwfzCIyFcKMDOpCkI+PBRg=

    — sponsor.example/smart-ms Az3grl…

Origin, number of entries, root in base64; an empty line; one line a signature: key name, then base64 of the
key's 4-byte hash and the Ed25519 signature over everything above the empty line.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from trialwright.ledger.errors import CheckpointMalformed, CheckpointUntrusted

_ED25519 = b"\x01"
_KEY_NAME = re.compile(r"[^\s+]{1,200}\Z")
_SIZE = re.compile(r"(?:0|[1-9][0-9]{0,15})\Z")
_SIGNATURE = re.compile(r"— ([^\s+]+) (\S+)\Z")
_REMEDY = "give the whole text of the checkpoint, unchanged, with its last line break"


@dataclass(frozen=True)
class VerifierKey:
    """The public half of a checkpoint key.

    Args:
        name: who signs, without spaces and ``+`` (``sponsor.example/smart-ms``).
        public: 32 bytes.
    """

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not _KEY_NAME.match(self.name) or len(self.public) != 32:
            raise CheckpointMalformed(
                f"{self.name[:80]!a} with {len(self.public)} bytes is not a checkpoint key",
                remedy="give a name without spaces and +, and 32 bytes",
            )

    @property
    def hash(self) -> bytes:
        """The 4 bytes that tell keys of one name apart."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        """The key as text, to be printed, mailed and pinned: ``name+hash+key``."""
        return f"{self.name}+{self.hash.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read a key from its text.

        Raises:
            CheckpointMalformed: not ``name+hash+key``, another algorithm, or a hash that does not belong.
        """
        name, _, rest = text.strip().partition("+")
        tag, _, encoded = rest.partition("+")
        raw = _unbase64(encoded)
        if len(raw) != 33 or raw[:1] != _ED25519 or not _KEY_NAME.match(name):
            raise CheckpointMalformed(
                f"{text.strip()[:120]!a} is not a checkpoint key",
                remedy="give the line name+hash+key as it was published",
            )
        key = cls(name, raw[1:])
        if key.hash.hex() != tag:
            raise CheckpointMalformed(
                f"the hash {tag[:16]!a} does not belong to the key of {name}",
                remedy="compare the key with its published text, a character may have changed",
            )
        return key


class SigningKey:
    """A checkpoint key.

    Args:
        name: as in :class:`VerifierKey`.
        seed: 32 secret bytes (from the Entropy port).
    """

    def __init__(self, name: str, seed: bytes) -> None:
        if len(seed) != 32:
            raise CheckpointMalformed(f"a signing key of {len(seed)} bytes was given", remedy="give 32 secret bytes")
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = VerifierKey(name, self._private.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """A signature line over ``text`` (which ends with a line break)."""
        signature = self._private.sign(text.encode())
        return f"— {self.verifier.name} {base64.b64encode(self.verifier.hash + signature).decode()}\n"


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint says; believed only after :func:`verify_checkpoint`.

    Args:
        origin: the ledger's id.
        size: entries covered.
        root: Merkle root of these entries, 32 bytes.
        text: the signed text.
        signatures: (key name, 4-byte key hash, signature) in the order of their lines.
    """

    origin: str
    size: int
    root: bytes
    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]


def sign_checkpoint(origin: str, size: int, root: bytes, *signers: SigningKey) -> str:
    """The checkpoint as text.

    Args:
        origin: the ledger's id, one line.
        size: number of entries.
        root: 32 bytes, ``ledger.root(size)``.
        signers: one or more keys; a witness adds its line with :meth:`SigningKey.sign` over ``Checkpoint.text``.

    Raises:
        CheckpointMalformed: an origin with spaces or line breaks, a root of another length, no signer.
    """
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    if not origin or any(c.isspace() for c in origin) or len(root) != 32 or size < 0 or not signers:
        raise CheckpointMalformed(
            "a checkpoint needs an origin without spaces, a size, 32 bytes of root and a signer",
            remedy="pass the ledger's id, its size and its root",
        )
    return text + "\n" + "".join(key.sign(text) for key in signers)


def parse_checkpoint(note: str) -> Checkpoint:
    """Read a checkpoint without believing it.

    Lines between root and empty line are extensions: covered by the signatures, otherwise ignored.

    Raises:
        CheckpointMalformed: not a C2SP checkpoint.
    """
    text, separator, tail = note.rpartition("\n\n")
    text += "\n"
    lines = text.split("\n")
    if not separator or not tail.endswith("\n") or len(lines) < 4 or not all(lines[:-1]):
        raise CheckpointMalformed("the text is not a checkpoint", remedy=_REMEDY)
    root = _unbase64(lines[2])
    if not _SIZE.match(lines[1]) or len(root) != 32:
        raise CheckpointMalformed("the checkpoint has no size or no root of 32 bytes", remedy=_REMEDY)
    signatures = tuple(_signature(line) for line in tail[:-1].split("\n"))
    return Checkpoint(lines[0], int(lines[1]), root, text, signatures)


def verify_checkpoint(note: str, keys: Iterable[VerifierKey], *, origin: str | None = None) -> Checkpoint:
    """Read a checkpoint and believe it: at least one signature is by a trusted key, and none by one is false.

    Args:
        note: the checkpoint's text.
        keys: keys trusted by whoever asks.
        origin: the ledger it must speak of, if known.

    Raises:
        CheckpointMalformed: not a checkpoint.
        CheckpointUntrusted: another origin, no signature by a trusted key, or a false one.
    """
    checkpoint = parse_checkpoint(note)
    if origin is not None and checkpoint.origin != origin:
        raise CheckpointUntrusted(
            f"the checkpoint is of {checkpoint.origin}, not of {origin}",
            remedy="use a checkpoint of this ledger",
        )
    known = {(key.name, key.hash): key for key in keys}
    good = 0
    for name, tag, signature in checkpoint.signatures:
        key = known.get((name, tag))
        if key is None:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(signature, checkpoint.text.encode())
        except InvalidSignature:
            raise CheckpointUntrusted(
                f"the signature by {name} is false", remedy="ask the holder for the checkpoint again"
            ) from None
        good += 1
    if not good:
        raise CheckpointUntrusted(
            "no signature on the checkpoint is by a trusted key",
            remedy="give the key that signed it, if you trust it",
        )
    return checkpoint


def _signature(line: str) -> tuple[str, bytes, bytes]:
    match = _SIGNATURE.match(line)
    raw = _unbase64(match[2]) if match else b""
    if match is None or len(raw) < 5:
        raise CheckpointMalformed(f"{line[:80]!a} is not a signature line", remedy=_REMEDY)
    return match[1], raw[:4], raw[4:]


def _unbase64(text: str) -> bytes:
    """The bytes, or nothing at all if the text is not base64 in its one canonical spelling."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return raw if base64.b64encode(raw).decode() == text else b""
