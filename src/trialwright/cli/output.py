"""How commands speak: plain lines for people, one JSON object for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Annotated

import typer

from trialwright.foundation.errors import TrialwrightError
from trialwright.protocol.findings import Finding, FindingsError, Severity

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
"""The option that every command has."""

NEGATIVE = 1
"""Exit code of an answer that is no."""


def print_json(data: object) -> None:
    """One JSON object on standard output."""
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False, sort_keys=False) + "\n")


def print_lines(lines: Iterable[str]) -> None:
    """Lines on standard output."""
    for line in lines:
        sys.stdout.write(line + "\n")


def print_findings(findings: Iterable[Finding]) -> None:
    """One line for each finding."""
    print_lines(str(finding) for finding in findings)


def print_error(error: TrialwrightError, *, as_json: bool) -> None:
    """An error's message and remedy; as JSON on standard output, else as lines on standard error."""
    if as_json:
        print_json(error.as_dict())
        return
    if isinstance(error, FindingsError):
        print_findings(error.findings)
    sys.stderr.write(f"error: {error.message}\n  → {error.remedy}\n")


def counts(findings: Iterable[Finding]) -> dict[str, int]:
    """Severity → number of findings."""
    found = list(findings)
    return {f"{severity.value}s": sum(f.severity is severity for f in found) for severity in Severity}
