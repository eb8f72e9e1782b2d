"""Whether a text is the one that was reviewed: a review status binds to the hash of the text, not to its file.

The questions and criteria of a study stand in ``eligibility.yaml`` in all languages at once; the public text of a
language says which wording of them was reviewed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from enum import Enum

from trialwright.protocol.documents import ConsentText, PublicText
from trialwright.protocol.eligibility import Eligibility
from trialwright.protocol.terminology import CodeList

_BESIDE_THE_TEXT = {"status", "reviewed_text", "reviewed_questions", "updated", "update_source", "source", "note"}


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
    return _digest([head, sections])


def review_of(text: ConsentText | PublicText) -> Review:
    """The status that the head claims, as far as the text is still the one it was given to."""
    if text.head.status == "draft":
        return Review.DRAFT
    return Review(text.head.status) if text.head.reviewed_text == text_digest(text) else Review.CHANGED


def questions_digest(eligibility: Eligibility, terminology: Mapping[str, CodeList], language: str) -> str:
    """SHA-256 (hex) of what people read of the questions and criteria in a language.

    Args:
        eligibility: whose questions, hints and criteria.
        terminology: code list → its codes, the answers that questions offer.
        language: what is not written in it counts as lacking.
    """
    questions = []
    for fact in eligibility.facts:
        if fact.question is not None:
            codes = terminology[fact.codelist].codes if fact.codelist is not None else ()
            answers = [[code.code, code.label.get(language)] for code in codes]
            questions.append([fact.id, fact.question.get(language), (fact.hint or {}).get(language), answers])
    criteria = [
        [criterion.id, criterion.kind, criterion.text.get(language), (criterion.plain or {}).get(language)]
        for criterion in eligibility.criteria
    ]
    return _digest([questions, criteria])


def review_of_questions(text: PublicText, digest: str) -> Review:
    """How far the questions and criteria have come in the language of a public text.

    Args:
        text: the public text of that language.
        digest: of :func:`questions_digest`, of the study as it is.
    """
    if text.head.reviewed_questions is None:
        return Review.DRAFT
    return Review.REVIEWED if text.head.reviewed_questions == digest else Review.CHANGED


def _digest(said: object) -> str:
    written = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(written.encode()).hexdigest()
