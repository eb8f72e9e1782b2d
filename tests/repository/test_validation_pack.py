"""The validation pack names tests that exist, and would say so if one failed or did not run."""

from __future__ import annotations

import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pack():
    specification = spec_from_file_location("validation_pack", ROOT / "tests" / "campaigns" / "validation.py")
    module = sys.modules["validation_pack"] = module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_every_test_that_a_requirement_names_exists(pack):
    for row in pack.requirements():
        for name in row.tests:
            file, _, test = name.partition("::")
            assert f"def {test}" in (ROOT / file).read_text(encoding="utf-8"), name


def test_every_requirement_has_a_test_or_somebody_and_the_report_has_them_all(pack):
    rows = pack.requirements()
    assert all(row.tests or row.by for row in rows)
    assert len({row.id for row in rows}) == len(rows)
    report = pack.REPORT.read_text(encoding="utf-8")
    assert all(f"| {row.id} | {row.source} |" in report for row in rows)


DOCUMENTS = ("21 CFR", "ICH E6(R3)", "EMA 2023", "Annex 11")


def cited(sources):
    """Document → the clauses that a requirement's sources name; "6.1.1 to 6.1.4" and "11.10(d), (g)" written out."""
    found = {document: set() for document in DOCUMENTS}
    for part in (part.strip() for source in sources for part in source.split(";")):
        document = next((name for name in DOCUMENTS if part.startswith(name)), None)
        last = ""
        for one in part.removeprefix(document).split(",") if document else ():
            first, _, to = one.strip().partition(" to ")
            last = last.partition("(")[0] + first if first.startswith("(") else first
            stem, _, number = last.rpartition(".")
            numbers = range(int(number), int(to.rpartition(".")[2]) + 1) if to else ()
            found[document] |= {last} | {f"{stem}.{n}" for n in numbers}
    return found


ALL = (
    "21 CFR 11.10(a), (b), (c), (d), (e), (f), (g), (h), (i), (j), (k), 11.30, 11.50, 11.70, 11.100(a), (b), (c),"
    " 11.200(a)(1), 11.200(a)(2), 11.200(a)(3), 11.200(b), 11.300(a), (b), (c), (d), (e)",
    "ICH E6(R3) 4.1, 4.2.1 to 4.2.8, 4.3.1 to 4.3.8",
    "EMA 2023, 4.1, 4.5, 4.7 to 4.11, 5.1 to 5.5, 6.1.1 to 6.1.4, 6.2.1 to 6.2.2, 6.3 to 6.12, Annex 1,"
    " A2.1 to A2.10, A3.1 to A3.6, A4.1 to A4.17, A5.1 to A5.3",
    f"Annex 11, {', '.join(map(str, range(1, 18)))}",
)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_clause_is_the_source_of_some_requirement(pack, document):
    named = cited([row.source for row in pack.requirements()])[document]
    asked = sorted(cited(ALL)[document] - {""})
    # A clause is covered by itself, or by what it is divided into: 7 by 7.1, 11.50 by 11.50(a).
    assert [one for one in asked if not any(re.match(rf"{re.escape(one)}(?!\d)", other) for other in named)] == []
    assert len(asked) > 16


def test_clauses_are_read_as_they_are_written():
    found = cited(["21 CFR 11.10(d), (g); EMA 2023, 6.1.1 to 6.1.3; Annex 11, 7.2, 16", "GDPR 17; EMA 2023, Annex 1"])
    assert found == {
        "21 CFR": {"11.10(d)", "11.10(g)"}, "ICH E6(R3)": set(), "Annex 11": {"", "7.2", "16"},
        "EMA 2023": {"", "6.1.1", "6.1.2", "6.1.3", "Annex 1"},
    }  # fmt: skip


@pytest.mark.parametrize(("inside", "met"), [("", True), ("<failure/>", False), ("<skipped/>", False)])
def test_a_test_that_failed_or_did_not_run_leaves_its_requirement_open(pack, inside, met):
    row = pack.Requirement("V", "s", "high", "t", "n", ("tests/a/test_b.py::test_c",))
    case = ElementTree.fromstring(f'<testcase classname="tests.a.test_b" name="test_c[1]">{inside}</testcase>')
    told = pack.results(row.tests, [case])
    assert (pack.open_points([row], told) == []) is met
    assert ("FAILED" in pack.page([row], told, "")) is (inside == "<failure/>")
    assert pack.open_points([row], pack.results(row.tests, [])) == ["V"]


def test_of_several_runs_the_last_of_each_test_counts(pack):
    def case(name, inside=""):
        return ElementTree.fromstring(f'<testcase classname="tests.a.test_b" name="{name}">{inside}</testcase>')

    failed, mended, other = case("test_c[1]", "<failure/>"), case("test_c[1]"), case("test_c[2]", "<failure/>")
    assert pack.latest([[failed, other], [mended]]) == [mended, other]
