"""The validation pack names tests that exist, and would say so if one failed or did not run."""

from __future__ import annotations

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
    for source in ("21 CFR 11.10(a)", "21 CFR 11.200", "ICH E6(R3)", "EMA 2023", "Annex 11"):
        assert any(source in row.source for row in rows)
    report = pack.REPORT.read_text(encoding="utf-8")
    assert all(f"| {row.id} | {row.source} |" in report for row in rows)


@pytest.mark.parametrize(("inside", "met"), [("", True), ("<failure/>", False), ("<skipped/>", False)])
def test_a_test_that_failed_or_did_not_run_leaves_its_requirement_open(pack, inside, met):
    row = pack.Requirement("V", "s", "high", "t", "n", ("tests/a/test_b.py::test_c",))
    case = ElementTree.fromstring(f'<testcase classname="tests.a.test_b" name="test_c[1]">{inside}</testcase>')
    told = pack.results(row.tests, [case])
    assert (pack.open_points([row], told) == []) is met
    assert ("FAILED" in pack.page([row], told, "")) is (inside == "<failure/>")
    assert pack.open_points([row], pack.results(row.tests, [])) == ["V"]
