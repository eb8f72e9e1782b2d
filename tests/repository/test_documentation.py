"""The documentation holds together: links lead somewhere, tests that are named exist, pages can be found."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from typer.main import get_command

from trialwright.build import check_study
from trialwright.cli import app
from trialwright.protocol import Severity, load_study

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
STUDY_OF_THE_EVIDENCE = DOCS / "evidence" / "vitamin-d"
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(page for page in DOCS.rglob("*.md") if STUDY_OF_THE_EVIDENCE not in page.parents),
        *(ROOT / "studies").glob("*.md"),
        ROOT / "changelog.d/README.md",
    ]
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
TEST = re.compile(r"(tests/[\w/]+\.py)::(\w+)")
FENCE = re.compile(r"^```.*?^```$", re.M | re.S)


def _documents() -> ModuleType:
    spec = importlib.util.spec_from_file_location("documents", Path(__file__).with_name("documents.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["documents"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


documents = _documents()


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def _links(page: Path) -> list[str]:
    return [link for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))) if "://" not in link]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_every_anchor_to_a_heading(page: Path) -> None:
    for link in _links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {link}"
        if anchor:
            text = FENCE.sub("", target.read_text(encoding="utf-8"))
            headings = {_anchor(found) for found in re.findall(r"^#+ (.*)$", text, re.M)}
            assert anchor in headings, f"{page.name} links to {link}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        todo += [
            (page.parent / link.partition("#")[0]).resolve() for link in _links(page) if not link.startswith("#")
        ]
    assert not {str(page.relative_to(ROOT)) for page in PAGES if page not in reached}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    for path, name in TEST.findall(page.read_text(encoding="utf-8")):
        assert (ROOT / path).exists(), f"{page.name} names {path}"
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), f"{page.name} names {path}::{name}"


def test_the_threat_model_names_a_test_for_each_invariant() -> None:
    rows = re.findall(r"^\| [A-Z]\d+ \|.*$", (DOCS / "explanation/threat-model.md").read_text(encoding="utf-8"), re.M)
    assert len(rows) >= 30
    assert not [row for row in rows if not TEST.search(row)]


def test_the_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = get_command(app).commands  # type: ignore[attr-defined]  # a group, because there are several
    assert not {name for name in commands if f"trialwright {name} " not in readme}


def test_every_decision_stands_in_the_index_under_its_number() -> None:
    index = (DOCS / "adr/README.md").read_text(encoding="utf-8")
    for path in DOCS.glob("adr/[0-9]*.md"):
        assert f"[{int(path.name[:4])}]({path.name})" in index
    numbers = [path.name[:4] for path in DOCS.glob("adr/[0-9]*.md")]
    assert len(numbers) == len(set(numbers))


def test_the_study_of_the_evidence_still_passes_every_rule() -> None:
    found = check_study(load_study(STUDY_OF_THE_EVIDENCE))
    assert [finding for finding in found if finding.severity is not Severity.NOTE] == []  # notes are advice


def test_pictures_have_a_title_and_a_description() -> None:
    for picture in DOCS.glob("pictures/*.svg"):
        text = picture.read_text(encoding="utf-8")
        assert '<title id="t">' in text
        assert '<desc id="d">' in text
        assert "prefers-color-scheme: dark" in text


# --- the runner of the pages itself: it must be able to fail -------------------------------------------------


@pytest.mark.parametrize(
    ("page", "wrong"),
    [
        ("```console\n$ echo one\ntwo\n```\n", "printed"),
        ("```console\n$ echo one\none\ntwo\n```\n", "printed"),
        ("```console\n$ printf 'one\\ntwo\\n'\none\n```\n", "printed"),
        ("```console\n$ exit 1\n```\n", "exit code 1, not 0"),
        ("<!-- exit code 1 -->\n```console\n$ true\n```\n", "exit code 0, not 1"),
        ("<!-- exit code 1 -->\n```console\n$ false\n$ false\n```\n", "exit code 1, not 0"),
        ("```text file=a.txt\nx\n```\n```diff\n--- a.txt\n-y\n+z\n```\n", "0 times"),
        ("```text file=a.txt\nx\nx\n```\n```diff\n--- a.txt\n-x\n+z\n```\n", "2 times"),
    ],
)
def test_a_page_that_says_what_is_not_so_is_found(tmp_path: Path, page: str, wrong: str) -> None:
    with pytest.raises(documents.PageWrong, match=wrong):
        documents.run(page, tmp_path)


@pytest.mark.parametrize(
    "page",
    [
        "```console\n$ echo one\none\n```\n",
        "```console\n$ printf 'one\\ntwo\\nthree\\n'\none\n…\n```\n",
        "```console\n$ printf 'one\\ntwo\\nthree\\n'\n…\nth…e\n```\n",
        "```console\n$ echo a \\\n    b\na b\n$ echo c\nc\n```\n",
        "<!-- exit code 1 -->\n```console\n$ echo one; false\none\n```\n",
        "```text file=a/b\nx\ny\n```\n```diff\n--- a/b\n x\n-y\n+z\n```\n```console\n$ cat a/b\nx\nz\n```",
        "```sh\nfalse\n```\n",
    ],
)
def test_a_page_that_says_what_is_so_passes(tmp_path: Path, page: str) -> None:
    documents.run(page, tmp_path)
