"""Identifiers: short, readable, safe in file names, URLs and JSON keys."""

from __future__ import annotations

import re

from trialwright.foundation.errors import InvalidValue

_SLUG = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*\Z")
_STUDY = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*\Z")


def slug(text: str) -> str:
    """A name inside a study (form, item, encounter, code list): ``[a-z][a-z0-9_]*``, at most 60 characters.

    Raises:
        InvalidValue: anything else; item names become JSON keys and SQL column names, so nothing else may pass.
    """
    if len(text) > 60 or not _SLUG.match(text):
        raise InvalidValue(
            f"{text[:80]!r} is not a name",
            remedy="use lower-case letters, digits and single underscores, starting with a letter (60 at most)",
            given=text[:80],
        )
    return text


def study_id(text: str) -> str:
    """A study's name: like :func:`slug` but with hyphens (``smart-ms``); it names folders and URLs.

    Raises:
        InvalidValue: anything else.
    """
    if len(text) > 40 or not _STUDY.match(text):
        raise InvalidValue(
            f"{text[:80]!r} is not a study name",
            remedy="use lower-case letters, digits and hyphens, starting with a letter, at most 40 characters",
            given=text[:80],
        )
    return text
