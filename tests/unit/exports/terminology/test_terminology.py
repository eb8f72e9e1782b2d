"""The terminology kept here, and the check against it."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import trialwright.exports.terminology as terms
from trialwright.exports.datasets import CodeList, Condition, Dataset, Package, Standard, Term, ValueLevel, Variable
from trialwright.exports.terminology import (
    ALPHA_3,
    PACKAGE_DATE,
    check_terms,
    country,
    published_list,
    submission_unit,
)
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.units import unit

REPOSITORY = Path(__file__).parents[4]
PACKAGE = REPOSITORY.parent / "shared" / "tools" / "core" / "data" / f"sdtmct-{PACKAGE_DATE}.json.xz"
LISTS = ("C66731", "C66742", "C66768", "C65047", "C66741", "C99079", "C71620", "C66727", "C112443")


def _package(values, codelist, levels=()):
    variable = Variable("SEX", "Sex", length=1, codelist=codelist.id, values=levels)
    key = Variable("USUBJID", "Unique Subject Identifier", length=8)
    rows = [(f"P{n}", value) for n, value in enumerate(values)]
    dataset = Dataset("DM", "Demographics", "SPECIAL PURPOSE", "One record per subject", (key, variable), rows)
    return Package(
        "S", "S", "S", "Tabulation", (Standard("S", "SDTMIG", "IG", "3.4"),), (dataset,), (codelist,), (), ""
    )


SEX = CodeList("CL.SEX", "Sex", (Term("F", "Female"), Term("M", "Male")), code="C66731", standard="CT")


def test_an_unknown_sex_is_found():
    (finding,) = check_terms(_package(["F", "M", "Z", "Z"], SEX))
    assert (finding.variable, finding.value, finding.kind, finding.rows) == ("SEX", "Z", "not_in_list", 2)


def test_a_term_in_the_wrong_case_is_called_misspelt():
    (finding,) = check_terms(_package(["f"], SEX))
    assert finding.kind == "misspelt"


def test_a_published_term_that_the_package_did_not_list_is_allowed():
    assert check_terms(_package(["U", None], SEX)) == ()


def test_a_closed_list_cannot_be_extended():
    extended = CodeList("CL.SEX", "Sex", (Term("Z", "Z", extended=True),), code="C66731", standard="CT")
    assert [finding.value for finding in check_terms(_package(["Z"], extended))] == ["Z"]


def test_an_extensible_list_can_be_extended_by_declaring_the_term():
    tests = CodeList("CL.T", "Test", (Term("MYTEST", "Mine", extended=True),), code="C65047", standard="CT")
    assert check_terms(_package(["MYTEST", "ALT"], tests)) == ()
    assert [finding.value for finding in check_terms(_package(["OTHER"], tests))] == ["OTHER"]


def test_a_list_of_the_study_allows_its_own_terms_only():
    own = CodeList("CL.OWN", "Own", (Term("A", "A"),))
    assert [finding.value for finding in check_terms(_package(["A", "B"], own))] == ["B"]


def test_a_list_that_the_package_does_not_hold_is_a_finding():
    package = _package(["F"], SEX)
    bare = Package(**{**vars(package), "codelists": ()})
    assert [finding.kind for finding in check_terms(bare)] == ["list_missing"]


def test_value_levels_are_checked_where_their_condition_holds():
    own = CodeList("CL.OWN", "Own", (Term("F", "F"), Term("M", "M")))
    level = ValueLevel((Condition("USUBJID", ("P1",)),), "Second", "text", codelist="CL.OWN")
    package = _package(["U", "U"], SEX, (level,))
    package = Package(**{**vars(package), "codelists": (SEX, own)})
    assert [(finding.value, finding.rows) for finding in check_terms(package)] == [("U", 1)]


@given(st.lists(st.sampled_from(["F", "M", "U", "INTERSEX", "Z", "X", "f", None]), max_size=30))
def test_exactly_the_values_outside_the_list_are_found(values):
    wrong = {value for value in values if value is not None and value not in ("F", "M", "U", "INTERSEX")}
    findings = check_terms(_package(values, SEX))
    assert {finding.value for finding in findings} == wrong
    assert sum(finding.rows for finding in findings) == sum(value in wrong for value in values)


@pytest.mark.parametrize("code", LISTS)
def test_terms_are_those_of_the_published_package(code):
    if not PACKAGE.exists():
        pytest.skip(f"SKIPPED LOUDLY: no {PACKAGE.name} beside the repository; terms were not compared")
    import json

    with lzma.open(PACKAGE, "rt", encoding="utf-8") as file:
        published = json.load(file)[code]
    kept = published_list(code)
    assert kept is not None
    assert kept.extensible == published["extensible"]
    assert set(kept.terms) <= set(published["allowed_terms"])


def test_lists_that_cannot_be_extended_are_complete():
    assert set(published_list("C66742").terms) == {"N", "NA", "U", "Y"}
    assert set(published_list("C66731").terms) == {"F", "INTERSEX", "M", "U"}
    assert published_list("C0") is None


def test_names_of_tests_come_from_their_lists_and_from_published_scales():
    assert terms.test_name(("C65047",), "CREAT") == "Creatinine"
    assert terms.test_name((), "EDSS0101") == "EDSS01-Expanded Disability Score"
    assert terms.test_name(("C65047",), "NOSUCH") is None


def test_countries_have_three_letters():
    assert country("NO") == "NOR" and country("DE") == "DEU" and country("BE") == "BEL"
    assert all(len(long) == 3 and long.isupper() for long in ALPHA_3.values())
    assert len(set(ALPHA_3.values())) == len(ALPHA_3)
    with pytest.raises(InvalidValue):
        country("XX")


def test_units_that_differ_are_translated_and_others_kept():
    assert submission_unit("mm[Hg]") == "mmHg"
    assert submission_unit("10*9/L") == "10^9/L"
    assert submission_unit("g/L") == "g/L"
    unit("10*6{cells}")  # what is translated is a UCUM code
    assert submission_unit("10*6{cells}") == "10^6 Therapeutic Cells"
