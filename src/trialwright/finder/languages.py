"""A text in the language a reader asked for, or visibly in another where nobody has written it yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_NEIGHBOURS = {"nn": ("nb",), "nb": ("nn",)}
"""Languages whose readers understand another one better than English."""


@dataclass(frozen=True, slots=True)
class Said:
    """A wording and the language it is in.

    Attributes:
        text: as written.
        language: ISO 639 code of the wording, for the page's ``lang``.
        fell_back: it is not in the language asked for, and the page says so.
    """

    text: str
    language: str
    fell_back: bool = False

    def __str__(self) -> str:
        return self.text


def languages_to_try(asked: str, reference: str) -> tuple[str, ...]:
    """The languages to look for, best first.

    Args:
        asked: by the reader.
        reference: the study's first language, which every text has.
    """
    return tuple(dict.fromkeys((asked, *_NEIGHBOURS.get(asked, ()), reference)))


def say(texts: Mapping[str, str], asked: str, reference: str) -> Said:
    """The wording to show, of a text per language.

    Args:
        texts: language → wording, never empty.
        asked: by the reader.
        reference: the study's first language.
    """
    language = chosen(texts, asked, reference)
    return Said(texts[language], language, language != asked)


def chosen(languages: Iterable[str], asked: str, reference: str) -> str:
    """Of the languages there are, the one to show; the first where none of those to try is there."""
    there = list(languages)
    return next((language for language in languages_to_try(asked, reference) if language in there), there[0])
