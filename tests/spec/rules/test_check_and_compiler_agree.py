"""Whatever the loader accepts, the checker answers; whatever the checker passes, the compiler compiles.

A random value somewhere in SMART-MS is removed, or exchanged for another value of the study. The long form is
``python tests/spec/rules/test_check_and_compiler_agree.py 2000``.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

sys.path.insert(0, str(Path(__file__).parent))

from edits import edited_files

from trialwright.build import check_study
from trialwright.build.changes import changes
from trialwright.build.compile import Build, compiled
from trialwright.protocol import LoadedStudy, Severity, canonical_files, canonical_source, load_study

TRIES = 40


class Dice:
    """Numbers that are the same on every machine."""

    def __init__(self, seed: int) -> None:
        self._state = hashlib.sha256(str(seed).encode()).digest()

    def below(self, n: int) -> int:
        self._state = hashlib.sha256(self._state).digest()
        return int.from_bytes(self._state[:8], "big") % n

    def pick(self, choices: list[Any]) -> Any:
        return choices[self.below(len(choices))]


def leaves(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every value with its path, containers included, the top excluded."""
    members = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in members:
        yield (*path, key), value
        yield from leaves(value, (*path, key))


def spoilt(files: dict[str, Any], dice: Dice) -> tuple[str, Any]:
    """A file and its content with one value removed or exchanged."""
    name = dice.pick(sorted(files))
    data = json.loads(json.dumps(files[name]))
    path, old = dice.pick(list(leaves(data)))
    owner = data
    for step in path[:-1]:
        owner = owner[step]
    other = json.loads(json.dumps(files[dice.pick(sorted(files))]))
    pool = [value for _, value in leaves(other) if type(value) is type(old)]
    if dice.below(4) == 0 or not pool:
        del owner[path[-1]]
    else:
        owner[path[-1]] = dice.pick(pool)
    return name, data


def outcome(loaded: LoadedStudy, files: dict[str, Any], seed: int) -> str:
    """What became of one spoilt study: refused, found, or built again to the same id."""
    name, data = spoilt(files, Dice(seed))
    try:
        other = edited_files(loaded, {name: data})
    except ValidationError:
        return "refused by the loader"
    findings = check_study(other)
    list(changes(loaded.study, other.study))
    if any(finding.severity is Severity.ERROR for finding in findings):
        return "found by a rule"
    build = compiled(other.study)
    assert Build.from_canonical(build.canonical).id == build.id
    same = canonical_source(other.study) == canonical_source(loaded.study)
    return "the same study" if same else "another sound study"


@pytest.fixture(scope="module")
def files(smart_ms: LoadedStudy) -> dict[str, Any]:
    return {name: json.loads(content) for name, content in canonical_files(smart_ms.study).items()}


@pytest.mark.parametrize("block", range(4))
def test_a_spoilt_study_is_refused_found_or_built(block: int, smart_ms: LoadedStudy, files: dict[str, Any]) -> None:
    size = TRIES // 4
    seen = Counter(outcome(smart_ms, files, seed) for seed in range(block * size, (block + 1) * size))
    assert seen["refused by the loader"]
    assert seen["found by a rule"] + seen["another sound study"]


if __name__ == "__main__":
    study = load_study(Path(__file__).parents[3] / "studies" / "smart-ms")
    written = {name: json.loads(content) for name, content in canonical_files(study.study).items()}
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else TRIES
    for what, count in sorted(Counter(outcome(study, written, seed) for seed in range(tries)).items()):
        sys.stdout.write(f"{count:6} {what}\n")
