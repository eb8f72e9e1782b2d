"""Files of others are what their list says, and nothing is asked of anybody else."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "trialwright_web"
VENDOR = PACKAGE / "shell" / "static" / "vendor"
LISTED = dict(re.findall(r"^\| `([^`]+)` .*`([0-9a-f]{64})` \|$", (VENDOR / "VENDORED.md").read_text(), re.MULTILINE))


def test_every_vendored_file_is_listed_with_its_hash():
    found = {
        path.name: sha256(path.read_bytes()).hexdigest() for path in VENDOR.iterdir() if path.name != "VENDORED.md"
    }
    assert found == LISTED


SENT = sorted(
    path
    for suffix in ("css", "js", "html", "svg")
    for path in PACKAGE.rglob(f"*.{suffix}")
    if "locale" not in path.parts
)


@pytest.mark.parametrize("path", SENT, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_that_a_browser_loads_comes_from_elsewhere(path):
    text = path.read_text(encoding="utf-8")
    loads = (
        r'url\(\s*["\']?(?:https?:)?//', r'@import\s+["\'](?:https?:)?//', r'(?:src|action)=["\'](?:https?:)?//',
        r'<link[^>]+href=["\'](?:https?:)?//', r'from\s+["\']https?://', r'fetch\(\s*["\'`]https?://',
    )  # fmt: skip
    assert [found for pattern in loads for found in re.findall(pattern, text)] == []
