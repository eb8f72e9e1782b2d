"""``consent/<lang>.md`` and ``public/<lang>.md``: texts with a YAML head."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trialwright.protocol.declared import Declared, Name

_DIGEST = r"^[0-9a-f]{64}$"


class TeachBack(Declared):
    """A question that teaches and never bars."""

    id: Name
    question: str
    answers: dict[Name, str] = Field(min_length=2)
    right: Name
    explanation: str


class ConsentHead(Declared):
    """Head of a consent text."""

    version: str
    title: str
    status: Literal["draft", "reviewed", "approved"]
    reviewed_text: str | None = Field(default=None, pattern=_DIGEST)
    """SHA-256 of the text that was reviewed, as `trialwright check` tells it; for another text the status is void."""
    withdrawal_scopes: tuple[Name, ...]
    """What a participant may withdraw from separately: treatment, visits, data_use, samples."""
    teach_back: tuple[TeachBack, ...] = ()


class PublicHead(Declared):
    """Head of a public text."""

    title: str
    status: Literal["draft", "reviewed", "approved"]
    reviewed_text: str | None = Field(default=None, pattern=_DIGEST)
    """SHA-256 of the text that was reviewed, as `trialwright check` tells it; for another text the status is void."""
    reviewed_questions: str | None = Field(default=None, pattern=_DIGEST)
    """The same of what people read of `eligibility.yaml` in this language (questions, hints, answers, criteria);
    absent: a draft."""
    updated: str
    """ISO date of the last change."""
    update_source: str


class Section(Declared):
    """A ``## heading {#id}`` and the text below it."""

    id: Name
    heading: str
    text: str


class ConsentText(Declared):
    head: ConsentHead
    sections: tuple[Section, ...] = Field(min_length=1)


class PublicText(Declared):
    head: PublicHead
    sections: tuple[Section, ...] = Field(min_length=1)
