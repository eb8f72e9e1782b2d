"""The validation pack: runs the tests that ``docs/validation/requirements.yaml`` names, and writes ``report.md``.

    python tests/campaigns/validation.py          # make validation
    python tests/campaigns/validation.py --rows   # after a change of the requirements: nothing runs, and it says so
    python tests/campaigns/validation.py --results FILE …  # of ``pytest --junitxml=FILE``; later files count

All of them run anew and the report is written whole, in some twenty minutes on two processors that nobody else uses:
most of them are real servers and browsers. Exit code 1 where a test failed, or where a requirement has neither a test
that ran nor somebody who sees to it.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "validation"
REQUIREMENTS, REPORT = FOLDER / "requirements.yaml", FOLDER / "report.md"


@dataclass(frozen=True)
class Requirement:
    """One demand of a regulation.

    Attributes:
        if_not: the hazard.
        tests: ``file`` or ``file::test``; parametrised cases count each.
        by: who sees to what no test can show.
    """

    id: str
    source: str
    risk: str
    text: str
    if_not: str
    tests: tuple[str, ...]
    by: str = ""


@dataclass
class Result:
    """How often what a name stands for passed, failed, was skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, case: ElementTree.Element) -> None:
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            self.failed += 1
        elif "skipped" in kinds:
            self.skipped += 1
        else:
            self.passed += 1

    def __str__(self) -> str:
        if not self.passed + self.failed:
            return "**NOT RUN**"
        told = f"**{self.failed} FAILED**, {self.passed} passed" if self.failed else f"{self.passed} passed"
        return told + (f", {self.skipped} not tried here" if self.skipped else "")


def requirements() -> list[Requirement]:
    """As the file says."""
    rows: list[dict[str, Any]] = yaml.safe_load(REQUIREMENTS.read_text(encoding="utf-8"))
    return [Requirement(**{**row, "tests": tuple(row["tests"])}) for row in rows]


def run(names: Sequence[str]) -> Mapping[str, Result]:
    """Run the tests; name → result."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "results.xml"
        command = [
            *(sys.executable, "-m", "pytest", "-q", "--numprocesses=2", "-p", "no:cacheprovider"),
            *(f"--junitxml={report}", *names),
        ]
        subprocess.run(command, cwd=ROOT, check=False, env={**os.environ, "CI": "1"})
        return results(names, read(report))


def read(report: Path) -> list[ElementTree.Element]:
    """The test cases of a JUnit file; none where there is no file."""
    return list(ElementTree.parse(report).getroot().iter("testcase")) if report.exists() else []


def results(names: Sequence[str], cases: Sequence[ElementTree.Element]) -> dict[str, Result]:
    """What the test cases of a JUnit file say about each name."""
    told = {name: Result() for name in names}
    for case in cases:
        file = (case.get("classname") or "").replace(".", "/") + ".py"
        test = (case.get("name") or "").partition("[")[0]
        for name in (file, f"{file}::{test}"):
            if name in told:
                told[name].add(case)
    return told


def latest(runs: Iterable[Sequence[ElementTree.Element]]) -> list[ElementTree.Element]:
    """Each test case as it was last run."""
    return list({(case.get("classname"), case.get("name")): case for run in runs for case in run}.values())


def open_points(rows: Sequence[Requirement], told: Mapping[str, Result]) -> list[str]:
    """Requirements that are not shown to be met."""
    found = []
    for row in rows:
        outcome = [told.get(name, Result()) for name in row.tests]
        if any(one.failed or not one.passed for one in outcome) or not (row.tests or row.by):
            found.append(row.id)
    return found


def page(rows: Sequence[Requirement], told: Mapping[str, Result], about: str) -> str:
    """The report, to be read by people."""
    missing = open_points(rows, told)
    lines = [
        "# Validation report",
        "",
        about,
        "",
        f"{len(rows)} requirements, not shown to be met: {', '.join(missing) or 'none'}. What no test can show is"
        " named as somebody's task. Made by `make validation` from requirements.yaml; do not edit.",
        "",
        "| | source | requirement | risk: what if not | shown by | result |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        tests = "<br>".join(f"`{name}`" for name in row.tests) or "—"
        outcome = "<br>".join(str(told.get(name, Result())) for name in row.tests) or "not by a test"
        task = f"<br>Task of {row.by}." if row.by else ""
        lines.append(
            f"| {row.id} | {row.source} | {row.text}{task} | {row.risk}: {row.if_not} | {tests} | {outcome} |"
        )
    return "\n".join(lines) + "\n"


def revision() -> str:
    """The commit of the sources, and whether they were changed since."""
    commit = _git("rev-parse", "--short=12", "HEAD") or "unknown"
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", "src", "tests", "studies")
    return f"`{commit}`" + (" with changes that are not committed" if changed else "")


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip()


def main() -> int:
    """Run, write, answer the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", action="store_true", help="write the requirements alone")
    parser.add_argument(
        "--results", type=Path, nargs="+", help="JUnit files: of a run of all tests, and of what was run again since"
    )
    options = parser.parse_args()
    rows, began = requirements(), datetime.now(UTC)
    names = sorted({name for row in rows for name in row.tests})
    if options.results:
        told = results(names, latest(map(read, options.results)))
    else:
        told = {} if options.rows else run(names)
    took = f", in {(datetime.now(UTC) - began).seconds // 60} minutes"
    about = (
        f"Trialwright {version('trialwright')}, revision {revision()}, Python {platform.python_version()} on"
        f" {platform.system()}, {began:%Y-%m-%d %H:%M} UTC"
        f"{f', from {len(options.results)} runs, the last of each test' if options.results else took}."
    )
    if not told:
        about += " **Nothing was run**: these are the requirements alone."
    REPORT.write_text(page(rows, told, about), encoding="utf-8")
    missing = open_points(rows, told)
    print(f"{REPORT.relative_to(ROOT)}: {len(rows)} requirements, not shown to be met: {missing or 'none'}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
