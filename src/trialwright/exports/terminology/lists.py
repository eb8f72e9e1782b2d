"""The code lists, read from ``codelists.json`` once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

PACKAGE_DATE = "2024-03-29"
"""Date of the terminology package that the lists were taken from."""


@dataclass(frozen=True)
class PublishedList:
    """A code list as CDISC publishes it, or the part of it that is kept here.

    Attributes:
        code: NCI code of the list (``C66731``).
        name: of the list.
        extensible: a study may add terms; lists that are not extensible are here completely.
        terms: submission value → name.
        codes: submission value → NCI code, where it is kept.
        names: for lists of test codes: the list that holds the tests' names.
    """

    code: str
    name: str
    extensible: bool
    terms: Mapping[str, str]
    codes: Mapping[str, str]
    names: str | None


def published_list(code: str) -> PublishedList | None:
    """The list with this NCI code, or None where it is not kept here."""
    return _lists().get(code)


def test_name(lists: tuple[str, ...], test: str) -> str | None:
    """CDISC's name of a test code, looked for in the lists and in those of the published scales."""
    for code in (*lists, *_SCALES):
        found = published_list(code)
        if found is not None and found.names is not None and test in found.terms:
            return found.terms[test]
    return None


_SCALES = ("C112439", "C112443", "C115392", "C115396", "C115398")


@cache
def _lists() -> Mapping[str, PublishedList]:
    text = files(__package__).joinpath("codelists.json").read_text(encoding="utf-8")
    document = json.loads(text)
    assert document["package"] == PACKAGE_DATE, "the lists and their date belong together"
    return MappingProxyType({code: _list(code, written) for code, written in document["lists"].items()})


def _list(code: str, written: dict[str, object]) -> PublishedList:
    terms = written["terms"]
    assert isinstance(terms, list)
    return PublishedList(
        code=code,
        name=str(written["name"]),
        extensible=bool(written["extensible"]),
        terms=MappingProxyType({term[0]: term[1] for term in terms}),
        codes=MappingProxyType({term[0]: term[2] for term in terms if len(term) > 2}),
        names=str(written["names"]) if "names" in written else None,
    )
