"""What one entry of a ledger is, and how entries are hashed together."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import NamedTuple

from trialwright.ledger.errors import EntryMalformed

MAX_BODY = 4 * 1024 * 1024

_decode = json.JSONDecoder(parse_float=int, parse_constant=int).raw_decode
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}\Z")
_LEDGER_ID = re.compile(r"[a-z0-9][a-z0-9._/-]{0,119}\Z")


class NewEntry(NamedTuple):
    """An entry to append.

    Args:
        stream: whose history it belongs to (``participant/P-001``), letters, digits and ``._:/@+-``.
        stream_seq: its place there, 1-based, without gaps.
        type: the event's type name; the ledger only compares it.
        request_id: the command that caused it; all entries of one command share it.
        body: canonical JSON bytes (:func:`~trialwright.ledger.canonical`), repeating the four fields above.
    """

    stream: str
    stream_seq: int
    type: str
    request_id: str
    body: bytes


class Entry(NamedTuple):
    """An entry as recorded.

    Args:
        seq: its place in the ledger, 1-based, gap-free; implied by the position, not in the hashed bytes.
        leaf: the leaf hash, 32 bytes.
        chain: the chain value up to and including this entry, 32 bytes.
    """

    seq: int
    stream: str
    stream_seq: int
    type: str
    request_id: str
    body: bytes
    leaf: bytes
    chain: bytes


def checked_ledger_id(ledger_id: str) -> str:
    """The id, if it is one: lower-case letters, digits, ``._/-``, at most 120 characters (``smart-ms/open``).

    Raises:
        EntryMalformed: anything else; ids are the origin line of checkpoints and part of every key.
    """
    if not isinstance(ledger_id, str) or not _LEDGER_ID.match(ledger_id):
        raise EntryMalformed(
            f"{str(ledger_id)[:80]!a} is not a ledger id",
            remedy="use lower-case letters, digits and . _ / -, at most 120 characters",
        )
    return ledger_id


def chain_start(ledger_id: str) -> bytes:
    """``chain_0``: SHA-256 of 0x03 and the ledger's id, so a chain cannot pass for that of another ledger."""
    return sha256(b"\x03" + ledger_id.encode()).digest()


def leaf_hash(body: bytes) -> bytes:
    """SHA-256 of 0x00 and the body: the leaf of RFC 9162, section 2.1.1."""
    return sha256(b"\x00" + body).digest()


def chain_hash(previous: bytes, leaf: bytes) -> bytes:
    """SHA-256 of 0x02, the previous chain value and the leaf; names the first altered entry."""
    return sha256(b"\x02" + previous + leaf).digest()


def check_entry(entry: NewEntry) -> None:
    """Refuse an entry that could never be verified, while refusing still costs nothing.

    Raises:
        EntryMalformed: a name outside the allowed characters, a body that is empty, too big or not one line of
            JSON, or a body whose stream, stream_seq, type or request_id differs from the entry's.
    """
    for field, value in (("stream", entry.stream), ("type", entry.type), ("request_id", entry.request_id)):
        if not isinstance(value, str) or not _NAME.match(value):
            raise EntryMalformed(
                f"the {field} {str(value)[:80]!a} is not allowed",
                remedy="use letters, digits and . _ : / @ + -, a letter or digit first, at most 200 characters",
                field=field,
            )
    body = entry.body
    if type(body) is not bytes or not 2 <= len(body) <= MAX_BODY:
        raise EntryMalformed(
            f"the body of {entry.type} is not between 2 bytes and 4 MiB",
            remedy="keep large files as attachments; the entry holds their hash",
            type=entry.type,
        )
    # Stricter than verify.py, which refuses only what can be read in two ways: here a mistake costs nothing yet.
    try:
        text = body.decode()
        document, end = _decode(text)
        same = end == len(text) and type(document) is dict and _encode(document) == text
    except (ValueError, RecursionError):
        same = False
    if not same:
        raise EntryMalformed(
            f"the body of {entry.type} is not a canonical JSON object without floats",
            remedy="make it with canonical()",
            type=entry.type,
        )
    for field in ("stream", "stream_seq", "type", "request_id"):
        said, given = document.get(field), getattr(entry, field)
        if said != given or type(said) is not type(given):
            raise EntryMalformed(
                f"the body says {field} = {said!a}, the entry {given!a}",
                remedy="build body and entry from the same envelope",
                field=field,
            )
