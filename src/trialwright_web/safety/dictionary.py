"""Dictionaries to code with: the synthetic one, or the installation's own licensed copy of MedDRA."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from trialwright.foundation.errors import InvalidValue
from trialwright.trial.safety.dictionary import SYNTHETIC, SYNTHETIC_VERSION

FOUND = 20
"""Terms that a search shows."""


class DictionaryUnreadable(InvalidValue):
    """The folder of the dictionary lacks a file, or a file is not what its name says."""

    code = "safety.dictionary_unreadable"


class Term(NamedTuple):
    """A term to code with."""

    code: str
    term: str
    body_system: str


@dataclass(frozen=True)
class Dictionary:
    """All terms by what people write, in lower case.

    Args:
        version: as recorded with each coding.
        terms: text in lower case → term; several texts may mean the same.
    """

    version: str
    terms: Mapping[str, Term]

    def search(self, text: str) -> list[Term]:
        """Terms that hold every word of the text, those that begin with it first; at most :data:`FOUND`."""
        words = text.casefold().split()
        if not words:
            return []
        whole = " ".join(words)
        found = (known for known in self.terms if all(word in known for word in words))
        ranked = sorted(found, key=lambda known: (known != whole, not known.startswith(whole), len(known), known))
        return list(dict.fromkeys(self.terms[known] for known in ranked))[:FOUND]

    def by_code(self, code: str) -> Term | None:
        """The term with a code."""
        return next((term for term in self.terms.values() if term.code == code), None)


def synthetic() -> Dictionary:
    """The dictionary of demonstrations."""
    return Dictionary(SYNTHETIC_VERSION, {name: Term(*coded) for name, coded in SYNTHETIC.items()})


@lru_cache(maxsize=1)
def meddra(folder: Path) -> Dictionary:
    """The user's own copy, from the files as its maintainers distribute them.

    Args:
        folder: holds ``mdhier.asc``, ``llt.asc`` and ``meddra_release.asc``. Lowest level terms are what is searched;
            coded is their preferred term with its primary system organ class.

    Raises:
        DictionaryUnreadable: a file is missing or has other columns.
    """
    try:
        version = next(_lines(folder / "meddra_release.asc"))[0]
        # mdhier.asc: pt_code, hlt, hlgt, soc, pt_name, hlt_name, hlgt_name, soc_name, abbreviation, -, -, primary
        preferred = {row[0]: Term(row[0], row[4], row[7]) for row in _lines(folder / "mdhier.asc") if row[11] == "Y"}
        # llt.asc: llt_code, llt_name, pt_code, …, currency (10th column)
        terms = {
            row[1].casefold(): preferred[row[2]]
            for row in _lines(folder / "llt.asc")
            if row[9] != "N" and row[2] in preferred
        }
    except (OSError, UnicodeDecodeError, IndexError, StopIteration) as error:
        raise DictionaryUnreadable(
            f"the dictionary in {folder} cannot be read: {error}",
            remedy="the folder holds mdhier.asc, llt.asc and meddra_release.asc of your own copy",
        ) from error
    return Dictionary(version, terms)


def _lines(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8-sig") as lines:
        yield from _split(lines)


def _split(lines: Iterable[str]) -> Iterator[list[str]]:
    return (line.rstrip("\n").split("$") for line in lines if line.strip())
