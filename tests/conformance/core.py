"""CDISC CORE on an exported package, and what ``docs/conformance.md`` says about its findings.

The list of that page is the only one: a finding is excused when its rule stands there, for that data set, and only as
far as the judgement here confirms what the page claims. Alone, for a folder of Dataset-JSON files::

    python tests/conformance/core.py FOLDER
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trialwright.exports.sdtm import standard

REPOSITORY = Path(__file__).parents[2]
TOOL = REPOSITORY.parent / "shared" / "tools" / "core" / "core-check"
PAGE = REPOSITORY / "docs" / "conformance.md"
NOT_CHECKED = 77

Finding = Mapping[str, Any]
Rows = list[dict[str, Any]]
Package = Mapping[str, Rows]


class NothingChecked(Exception):
    """The tool or the Python that it needs is not here."""


def run(folder: Path) -> dict[str, Finding]:
    """Findings of all rules on the Dataset-JSON files of a folder, by rule.

    Raises:
        NothingChecked: no tool, or no Python 3.12.
    """
    if not TOOL.exists():
        raise NothingChecked(f"{TOOL} is not there")
    files = sorted(str(path) for path in folder.glob("*.json"))
    with tempfile.TemporaryDirectory() as made:
        out = Path(made) / "findings.json"
        command = ["bash", str(TOOL), "sdtmig", "3-4", str(out), *files]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == NOT_CHECKED:
            raise NothingChecked(done.stderr.strip())
        assert done.returncode == 0, done.stderr[-2000:]
        found: dict[str, Finding] = json.loads(out.read_text(encoding="utf-8"))
    return found


def read(folder: Path) -> Package:
    """The data sets of a folder, as rows by name."""
    found: dict[str, Rows] = {}
    for path in folder.glob("*.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        names = [column["name"] for column in document["columns"]]
        found[document["name"]] = [dict(zip(names, row, strict=True)) for row in document["rows"]]
    return found


def excused() -> dict[str, frozenset[str]]:
    """Rule → data sets it is excused for; ``*`` is all."""
    rows = re.findall(r"^\| (CORE-[0-9]{6}) \| ([^|]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {rule: frozenset(part.strip(" `") for part in where.split(",")) for rule, where in rows}


def unexcused(findings: Mapping[str, Finding], package: Package) -> list[str]:
    """The findings that the page does not excuse, or excuses wrongly; empty is conformant."""
    allowed = excused()
    wrong = []
    for rule, finding in findings.items():
        datasets = {str(error.get("dataset")) for error in finding.get("errors", [])} or {"None"}
        if rule not in allowed:
            wrong.append(f"{rule}: {finding.get('message', finding.get('engine_error'))}")
        elif "*" not in allowed[rule] and not datasets <= allowed[rule] | {"None"}:
            wrong.append(f"{rule} in {', '.join(sorted(datasets - allowed[rule]))}, which the page does not excuse")
        elif rule in JUDGES:
            wrong += [f"{rule}: {what}" for what in JUDGES[rule](package)]
    return wrong


def _columns_missing(core: str) -> Callable[[Package], list[str]]:
    def judge(package: Package) -> list[str]:
        return [
            f"{name} lacks {variable.name}"
            for name, rows in package.items()
            for variable in standard.domain(name).variables
            if variable.core == core and rows and variable.name not in rows[0]
        ]

    return judge


def _out_of_order(package: Package) -> list[str]:
    wrong = []
    for name, rows in package.items():
        listed = [variable.name for variable in standard.domain(name).variables]
        known = [variable for variable in rows[0] if variable in listed]
        if known != sorted(known, key=listed.index):
            wrong.append(f"{name} is not in the order of the guide")
    return wrong


def _without_epoch(package: Package) -> list[str]:
    """An epoch may be missing only where the start lies before consent, or is not a full date."""
    consent = {row["USUBJID"]: row["RFICDTC"] for row in package["DM"]}
    wrong = []
    for name, rows in package.items():
        start = f"{name}STDTC"
        for row in rows:
            if row.get("EPOCH") or "EPOCH" not in row or name in ("TA", "SE"):
                continue
            when = str(row.get(start) or "")
            if not when or (len(when) >= 10 and when >= str(consent[row["USUBJID"]])):
                wrong.append(f"{name} {row['USUBJID']} {when}")
    return wrong


def _baselines_on_one_side(package: Package) -> list[str]:
    """More than one baseline of a test only where location or side tell them apart."""
    wrong = []
    for name in ("NV", "OE"):
        seen = set()
        for row in package.get(name, []):
            if row.get(f"{name}LOBXFL") != "Y":
                continue
            parts = ("TESTCD", "CAT", "SCAT", "METHOD", "LOC", "LAT")
            key = (row["USUBJID"], *(row.get(f"{name}{part}") for part in parts))
            if key in seen:
                wrong.append(f"two baselines: {key}")
            seen.add(key)
    return wrong


JUDGES: Mapping[str, Callable[[Package], list[str]]] = {
    "CORE-000355": _columns_missing("Req"),
    "CORE-000334": _columns_missing("Exp"),
    "CORE-000852": _out_of_order,
    "CORE-000701": _without_epoch,
    "CORE-000915": _baselines_on_one_side,
}
"""Rule → what must be true where it is excused."""


def main(folder: str) -> int:
    """Print what is not excused; 0 when nothing is."""
    try:
        found = run(Path(folder))
    except NothingChecked as error:
        sys.stderr.write(f"SKIPPED LOUDLY: {error}\n")
        return NOT_CHECKED
    wrong = unexcused(found, read(Path(folder)))
    sys.stdout.write("\n".join([*wrong, f"{len(found)} rules with findings, {len(wrong)} not excused"]) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
