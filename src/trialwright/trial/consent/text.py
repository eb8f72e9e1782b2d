"""The consent text that a participant is shown, and the hash that a signature covers."""

from __future__ import annotations

from hashlib import sha256

from trialwright.ledger import canonical
from trialwright.protocol.documents import ConsentText


def text_hash(text: ConsentText) -> str:
    """SHA-256 (hex) over the canonical bytes of everything the text says, its questions and version included."""
    return sha256(canonical(text.model_dump(mode="json", by_alias=True, exclude_none=True))).hexdigest()
