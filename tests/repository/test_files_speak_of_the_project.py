"""The repository can be cloned anywhere: no file names a place on somebody's machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACES = re.compile(rb"(?<![\w./$}>-])/(?:work|root|home/\w+|Users/\w+)/")


def tracked():
    """Files that git knows; all files where there is no git."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
        return [ROOT / name for name in listed.decode().split("\0") if name]
    hidden = {".venv", ".git", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}
    return [path for path in ROOT.rglob("*") if path.is_file() and not hidden & set(path.relative_to(ROOT).parts)]


def places_in(content):
    return [match.group().decode() for match in PLACES.finditer(content)]


def test_no_file_names_a_place_on_somebodys_machine():
    found = {
        str(path.relative_to(ROOT)): places
        for path in tracked()
        if path.is_file() and path != Path(__file__) and (places := places_in(path.read_bytes()))
    }
    assert found == {}


@pytest.mark.parametrize("text", ["see /work/notes", "open('/root/x')", "cd /home/somebody/x", '"/Users/me/x"'])
def test_a_place_is_found(text):
    assert places_in(text.encode())


@pytest.mark.parametrize(
    "text", ["https://example.org/work/x", "src/work/x", "../root/x", "$HOME/root/", "a/home/b/"]
)
def test_what_is_no_place_is_left_alone(text):
    assert not places_in(text.encode())
