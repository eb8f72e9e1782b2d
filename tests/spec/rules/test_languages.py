"""Languages that only some texts have."""

from __future__ import annotations

from edits import DELETE, Edit, edited

from trialwright.build import check_study


def test_a_further_language_may_be_lacking_anywhere_and_stand_anywhere(smart_ms, smart_ms_findings):
    lacking = edited(smart_ms, Edit("study.yaml", "title.nn", DELETE), Edit("public/nn.md", "", DELETE))
    assert check_study(lacking) == smart_ms_findings


def test_a_language_that_nobody_declared_is_found(smart_ms, smart_ms_findings):
    found = set(check_study(edited(smart_ms, Edit("study.yaml", "further_languages", DELETE))))
    assert {finding.rule for finding in found - set(smart_ms_findings)} == {"TW002"}
