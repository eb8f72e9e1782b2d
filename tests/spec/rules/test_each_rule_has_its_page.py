"""The pages of the rules say what the code says.

After changing a rule: ``python tests/spec/rules/test_each_rule_has_its_page.py`` writes ``docs/reference/rules``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from trialwright.build import ALL_RULES
from trialwright.build.rules import Rule, page

PAGES = Path(__file__).parents[3] / "docs" / "reference" / "rules"


def index() -> str:
    """The list of all rules."""
    lines = ["# Rules", "", "What `trialwright check` finds; `trialwright explain TW030` shows a page.", ""]
    lines += ["| rule | severity | what must be so |", "|---|---|---|"]
    lines += [f"| [{rule.code}]({rule.code}.md) | {rule.severity.value} | {rule.title} |" for rule in ALL_RULES]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.code)
def test_the_page_of_a_rule_is_as_the_code_says_it(rule: Rule) -> None:
    assert (PAGES / f"{rule.code}.md").read_text(encoding="utf-8") == page(rule)


def test_no_page_is_of_a_rule_that_is_gone() -> None:
    assert {path.stem for path in PAGES.glob("TW*.md")} == {rule.code for rule in ALL_RULES}


def test_the_list_of_rules_is_complete() -> None:
    assert (PAGES / "README.md").read_text(encoding="utf-8") == index()


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.code)
def test_a_page_says_why_and_shows_both_examples(rule: Rule) -> None:
    assert len(rule.why.split()) >= 6
    assert rule.bad.strip()
    assert rule.good.strip()
    assert rule.bad != rule.good


if __name__ == "__main__":
    PAGES.mkdir(parents=True, exist_ok=True)
    for old in PAGES.glob("TW*.md"):
        old.unlink()
    for each in ALL_RULES:
        (PAGES / f"{each.code}.md").write_text(page(each), encoding="utf-8")
    (PAGES / "README.md").write_text(index(), encoding="utf-8")
