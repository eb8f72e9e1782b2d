"""What a rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trialwright.protocol.findings import Severity
from trialwright.protocol.positions import KeyPath

if TYPE_CHECKING:
    from trialwright.build.rules.context import StudyContext


@dataclass(frozen=True)
class Problem:
    """One breach of a rule, at a path of a file.

    Attributes:
        file, path: where it is written; a path to something not written is shown at its nearest parent.
        message: what is wrong and what was given.
        remedy: what to do.
        offset: character inside a one-line text, from 0.
    """

    file: str
    path: KeyPath
    message: str
    remedy: str
    offset: int | None = None


@dataclass(frozen=True)
class Rule:
    """A rule with the page that explains it.

    Attributes:
        code: ``TW`` and three digits, never reused.
        title: what must be so, in one line.
        why: what goes wrong otherwise.
        bad, good: the smallest example of each, as it stands in a study folder.
        severity: an error stops the build.
        check: finds the breaches; None for rules that reading the folder applies by itself.
    """

    code: str
    title: str
    why: str
    bad: str
    good: str
    severity: Severity = Severity.ERROR
    check: Callable[[StudyContext], Iterable[Problem]] | None = None


def rule(
    code: str, title: str, *, why: str, bad: str, good: str, severity: Severity = Severity.ERROR
) -> Callable[[Callable[[StudyContext], Iterable[Problem]]], Rule]:
    """Turn a function that finds breaches into a :class:`Rule`. Nothing is registered: rules are listed by hand."""

    def made(check: Callable[[StudyContext], Iterable[Problem]]) -> Rule:
        return Rule(code, title, why, bad, good, severity, check)

    return made


def page(shown: Rule) -> str:
    """The rule's page in Markdown."""
    return "\n".join(
        [
            f"# {shown.code} {shown.title}",
            "",
            f"*{shown.severity.value}*",
            "",
            shown.why,
            "",
            "Not so:",
            "",
            "```yaml",
            shown.bad.strip("\n"),
            "```",
            "",
            "But so:",
            "",
            "```yaml",
            shown.good.strip("\n"),
            "```",
            "",
        ]
    )
