"""Bytes that mean one thing only: joined parts, padded content, and text for JSON."""

from __future__ import annotations

import base64
import binascii

from trialwright.sealing.errors import ContentTooLong, InvalidText, SealBroken


def joined(*parts: bytes | str | int) -> bytes:
    """The parts one after another, each after its length in four big-endian bytes.

    Text counts as UTF-8 and an integer as its decimal digits. No two different lists of parts give the same
    bytes, so a boundary cannot be moved.

    Raises:
        InvalidText: see :func:`utf8`.
    """
    encoded = [p if isinstance(p, bytes) else utf8(str(p)) for p in parts]
    return b"".join(len(p).to_bytes(4, "big") + p for p in encoded)


def utf8(text: str) -> bytes:
    """``text`` as UTF-8.

    Raises:
        InvalidText: half of a surrogate pair, which UTF-8 cannot hold.
    """
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidText(f"{ascii(text)[:80]} is not valid Unicode", remedy="type the name or label again") from None


def padded(content: bytes, width: int) -> bytes:
    """``content`` after its length in two bytes, filled with zeros to exactly ``width`` bytes.

    Raises:
        ContentTooLong: more than ``width - 2`` bytes.
    """
    if len(content) > width - 2:
        raise ContentTooLong(
            f"{len(content)} bytes do not fit a seal of {width}",
            remedy=f"shorten the label or record to {width - 2} bytes of UTF-8",
            width=width,
            length=len(content),
        )
    return len(content).to_bytes(2, "big") + content + bytes(width - 2 - len(content))


def unpadded(content: bytes) -> bytes:
    """The inverse of :func:`padded`.

    Raises:
        SealBroken: the bytes were not made by it.
    """
    length = int.from_bytes(content[:2], "big")
    # One comparison of memory: a loop over the filling would take longer for a shorter label.
    if len(content) < 2 + length or content[2 + length :] != bytes(len(content) - 2 - length):
        raise SealBroken(
            "what was sealed is not padded as it should be",
            remedy="ask for the sealed bytes again from a verified export",
        )
    return content[2 : 2 + length]


def to_text(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648, section 4)."""
    return base64.b64encode(data).decode("ascii")


def from_text(text: object) -> bytes:
    """The inverse of :func:`to_text`; only its own spelling is accepted.

    Raises:
        SealBroken: anything else.
    """
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        data = None
    if data is None or to_text(data) != text:
        raise SealBroken(
            "sealed bytes are not base64", remedy="ask for the sealed bytes again from a verified export"
        )
    return data
