"""Each rule is broken by its own mutation of SMART-MS, and by that mutation alone."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from edits import edited
from mutations import MUTATIONS, Mutation

from trialwright.build import ALL_RULES, check_study
from trialwright.build.rules import RULES
from trialwright.protocol import Finding, LoadedStudy, Severity


def test_smart_ms_has_no_errors(smart_ms_findings: tuple[Finding, ...]) -> None:
    assert [str(f) for f in smart_ms_findings if f.severity is Severity.ERROR] == []


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.rule)
def test_a_mutation_breaks_its_rule_and_no_other(
    mutation: Mutation, smart_ms: LoadedStudy, smart_ms_findings: tuple[Finding, ...]
) -> None:
    found = check_study(edited(smart_ms, *mutation.edits))

    before = {(f.file, f.rule, f.message) for f in smart_ms_findings}
    new = [f for f in found if (f.file, f.rule, f.message) not in before]
    assert {f.rule for f in new} == {mutation.rule}, "\n".join(map(str, new))
    for finding in new:
        assert finding.message
        assert finding.remedy


def test_every_rule_has_exactly_one_mutation() -> None:
    assert Counter(m.rule for m in MUTATIONS) == Counter(rule.code for rule in RULES)


def test_there_are_more_than_forty_rules_about_meaning() -> None:
    assert len(RULES) >= 45


def test_codes_are_unique_and_in_order() -> None:
    codes = [rule.code for rule in ALL_RULES]
    assert codes == sorted(set(codes))
    assert all(re.fullmatch(r"TW[0-9]{3}", code) for code in codes)
