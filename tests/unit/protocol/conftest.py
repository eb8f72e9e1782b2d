"""A small working study that each test may spoil: the one that `trialwright new` copies."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import trialwright.protocol
from trialwright.protocol import Finding, StudyFolderError, load_study

TEMPLATE = Path(trialwright.protocol.__file__).parent / "template"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the template, in a folder named like its study."""
    target = tmp_path / "study"
    shutil.copytree(TEMPLATE, target)
    return target


@pytest.fixture
def replace(folder: Path) -> Callable[[str, str, str], None]:
    """Replace one piece of text in one file; the piece must be there."""

    def put(file: str, old: str, new: str) -> None:
        path = folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return put


@pytest.fixture
def problems(folder: Path) -> Callable[[], tuple[Finding, ...]]:
    """What reading the folder finds."""

    def found() -> tuple[Finding, ...]:
        with pytest.raises(StudyFolderError) as caught:
            load_study(folder)
        return caught.value.findings

    return found
