"""Code lists and test codes against CDISC controlled terminology (SDTM package 2024-03-29), where it lies beside the
repository."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest

from trialwright.protocol import Study

_PACKAGE = Path(__file__).resolve().parents[4] / "shared" / "tools" / "core" / "data" / "sdtmct-2024-03-29.json.xz"

_TEST_CODES = {
    "LB": ("C65047",),
    "VS": ("C66741",),
    "RS": ("C112439", "C112443"),  # EDSS and Kurtzke functional systems
    "FT": ("C115392", "C115396", "C115398"),  # nine-hole peg, symbol digit, 25-foot walk
}
_OWN = {"AMBULAT", "WALKDIST", "WALKAID"}
"""No code exists for the ambulation score nor for distance and aid within EDSS; the lists are extensible."""

Terms = dict[str, set[str]]


@pytest.fixture(scope="module")
def terms() -> Terms:
    if not _PACKAGE.exists():
        pytest.skip(f"CDISC terminology is not there: {_PACKAGE.name}")
    package = json.loads(lzma.decompress(_PACKAGE.read_bytes()))
    return {code: set(entry["allowed_terms"]) for code, entry in package.items() if isinstance(entry, dict)}


def test_codes_of_a_cdisc_list_have_its_submission_values(study: Study, terms: Terms) -> None:
    for codelist in study.terminology.values():
        if codelist.cdisc is not None:
            assert {code.cdisc for code in codelist.codes} <= terms[codelist.cdisc], codelist.id


def test_test_codes_are_those_of_the_terminology(study: Study, terms: Terms) -> None:
    for key, item in study.items.items():
        if item.sdtm is not None and item.sdtm.domain in _TEST_CODES and item.sdtm.test not in _OWN | {None}:
            allowed = set().union(*(terms[codelist] for codelist in _TEST_CODES[item.sdtm.domain]))
            assert item.sdtm.test in allowed, f"{key}: {item.sdtm.test}"
