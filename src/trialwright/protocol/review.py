"""Whether a text is the one that was reviewed: a review status binds to the hash of the text, not to its file."""

from __future__ import annotations

import hashlib
import json
from enum import Enum

from trialwright.protocol.documents import ConsentText, PublicText

_BESIDE_THE_TEXT = {"status", "reviewed_text", "updated", "update_source", "source", "note"}


class Review(Enum):
    """How far a text has come."""

    DRAFT = "draft"
    REVIEWED = "reviewed"
    APPROVED = "approved"
    CHANGED = "changed"
    """Said to be reviewed or approved, but that was another text, or nobody wrote down which."""


def text_digest(text: ConsentText | PublicText) -> str:
    """SHA-256 (hex) of what people read: title, version, sections, questions, scopes; not of remarks about it."""
    head = text.head.model_dump(mode="json", exclude=_BESIDE_THE_TEXT, exclude_none=True)
    sections = [[section.id, section.heading, section.text] for section in text.sections]
    said = json.dumps([head, sections], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()


def review_of(text: ConsentText | PublicText) -> Review:
    """The status that the head claims, as far as the text is still the one it was given to."""
    if text.head.status == "draft":
        return Review.DRAFT
    return Review(text.head.status) if text.head.reviewed_text == text_digest(text) else Review.CHANGED
