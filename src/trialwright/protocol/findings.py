"""What is found in a study folder: where, which rule, what is wrong, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from trialwright.foundation.errors import TrialwrightError


class Severity(Enum):
    """An error stops a build; a warning asks for a reason; a note only informs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing found at one place.

    Attributes:
        file: path inside the study folder, with forward slashes.
        line, column: from 1.
        rule: the rule's code, for ``trialwright explain``.
        message: what is wrong and what was given.
        remedy: what to do.
    """

    file: str
    line: int
    column: int
    rule: str
    message: str
    remedy: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        word = "" if self.severity is Severity.ERROR else f"{self.severity.value}: "
        return f"{self.file}:{self.line}:{self.column} {self.rule} {word}{self.message} → {self.remedy}"

    def as_dict(self) -> dict[str, object]:
        """The finding as plain data, for ``--json`` and editors."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "rule": self.rule,
            "severity": self.severity.value,
            "message": self.message,
            "remedy": self.remedy,
        }


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings by file, place and rule, the same on every machine."""
    return tuple(sorted(findings, key=lambda f: (f.file, f.line, f.column, f.rule, f.message)))


class FindingsError(TrialwrightError):
    """A study folder is not accepted; carries every finding, not only the first."""

    code = "study.findings"

    def __init__(self, message: str, findings: Sequence[Finding], *, remedy: str) -> None:
        super().__init__(message, remedy=remedy, findings=len(findings))
        self.findings = in_order(findings)

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(str(finding) for finding in self.findings)])

    def as_dict(self) -> dict[str, object]:
        return {**super().as_dict(), "findings": [finding.as_dict() for finding in self.findings]}


class StudyFolderError(FindingsError):
    """The folder could not be read as a study."""

    code = "study.folder"


def did_you_mean(given: object, known: Iterable[str]) -> str:
    """``did you mean 'arms'? `` or nothing; never a guess far from what was given."""
    close = difflib.get_close_matches(str(given)[:80].lower(), sorted(set(known)), n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else ""
