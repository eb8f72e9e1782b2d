"""Words that would tell a blinded reader the arm."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trialwright.build import Build


def revealing_word(build: Build, text: str) -> str | None:
    """The first word or phrase in a text that names an arm or a sequence, or None; a safety net, not a proof."""
    return next((word for word in _words(build) if re.search(rf"\b{re.escape(word)}", text, re.IGNORECASE)), None)


def _words(build: Build) -> Iterator[str]:
    identity = build.study.identity
    for arm in identity.arms:
        yield from (arm.id, *arm.revealing_words, *arm.label.values())
    yield from (sequence.id for sequence in identity.sequences)
