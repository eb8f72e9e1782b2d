"""The list of the campaign over every template: complete, and a template that nobody looked at fails by its name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "src" / "trialwright_web"
NAMED = re.compile(r"""["']([a-z]+/(?:[a-z]+/)*[a-z_]+\.html)["']""")


@pytest.fixture
def axe(monkeypatch):
    monkeypatch.syspath_prepend(str(REPOSITORY / "tests" / "campaigns"))
    import axe

    return axe


def looks(axe, names, *, languages=("en", "nb", "nn"), widths=(1280, 390)):
    return [
        axe.Look("a page", language, width, "filled", sorted(names), []) for language in languages for width in widths
    ]


def test_every_template_that_code_or_another_template_names_is_on_the_list(axe):
    texts = (path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*") if path.suffix in (".py", ".html"))
    named = {name for text in texts for name in NAMED.findall(text)}
    ours = {name for name in named if not name.startswith(("account/", "mfa/", "allauth/"))}
    assert len(ours) > 100
    assert ours <= axe.templates()


def test_what_is_on_paper_is_there_and_is_drawn_for_a_pdf(axe):
    assert set(axe.ON_PAPER) <= axe.templates()
    for name in axe.ON_PAPER:
        drawn = [path for path in PACKAGE.rglob("*.py") if f'"{name}"' in path.read_text(encoding="utf-8")]
        assert drawn, name
        assert all("weasyprint" in path.read_text(encoding="utf-8").lower() for path in drawn), name


def test_a_template_that_nobody_looked_at_is_named(axe):
    everything = axe.templates()
    assert axe.unseen(looks(axe, everything)) == {}
    assert list(axe.unseen(looks(axe, everything - {"capture/home.html"}))) == ["capture/home.html"]
    half = [
        *looks(axe, everything, languages=("en", "nb")),
        *looks(axe, everything, languages=("nn",), widths=(390,)),
    ]
    assert axe.unseen(half)["capture/home.html"] == ["nn 1280"]


def test_pages_of_the_same_templates_take_turns_and_the_first_is_seen_in_every_language(axe):
    pages = [axe.Page("staff", None, f"/{number}", ("a.html",)) for number in range(4)]
    assert list(axe._firsts(pages)) == [(pages[0], "en"), (pages[0], "nb"), (pages[0], "nn")]
    assert list(axe._by_turns(pages)) == [(pages[1], "nb"), (pages[2], "nn"), (pages[3], "en")]
