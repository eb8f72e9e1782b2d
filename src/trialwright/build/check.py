"""All rules over a loaded study."""

from __future__ import annotations

from trialwright.build.compile import Build, compiled
from trialwright.build.errors import CheckFailed
from trialwright.build.rules import RULES, Rule
from trialwright.build.rules.context import StudyContext
from trialwright.build.rules.rule import Problem
from trialwright.protocol.findings import Finding, Severity, in_order
from trialwright.protocol.loader import LoadedStudy


def check_study(loaded: LoadedStudy) -> tuple[Finding, ...]:
    """What every rule finds in a study, by file and place. Errors stop a build; warnings and notes do not."""
    context = StudyContext(loaded.study)
    found = [
        _finding(loaded, rule, problem) for rule in RULES if rule.check is not None for problem in rule.check(context)
    ]
    return in_order(found)


def compile_study(loaded: LoadedStudy) -> Build:
    """Check a study and make its build.

    Raises:
        CheckFailed: the study has errors; carries all findings.
    """
    findings = check_study(loaded)
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    if errors:
        raise CheckFailed(
            f"{loaded.study.identity.id} has {errors} {'error' if errors == 1 else 'errors'}",
            findings,
            remedy="mend each; `trialwright explain RULE` tells more",
        )
    return compiled(loaded.study)


def _finding(loaded: LoadedStudy, rule: Rule, problem: Problem) -> Finding:
    place = loaded.positions.of(problem.file, problem.path, offset=problem.offset)
    return Finding(
        file=problem.file,
        line=place.line,
        column=place.column,
        rule=rule.code,
        message=problem.message,
        remedy=problem.remedy,
        severity=rule.severity,
    )
