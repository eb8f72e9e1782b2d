"""The page of a rule, for ``trialwright explain``."""

from __future__ import annotations

from trialwright.build.rules import RULES, Rule
from trialwright.build.rules.reading import READING_RULES
from trialwright.foundation.errors import InvalidValue
from trialwright.protocol.findings import did_you_mean

ALL_RULES: tuple[Rule, ...] = (*RULES, *READING_RULES)
"""Every rule with a page: those of a study's meaning, and those of its files."""


def explain_rule(code: str) -> Rule:
    """The rule with a code, in upper or lower case.

    Raises:
        InvalidValue: there is no such rule.
    """
    known = {rule.code: rule for rule in ALL_RULES}
    if code.upper() not in known:
        near = did_you_mean(code, [c.lower() for c in known])
        raise InvalidValue(
            f"there is no rule {code[:20]!r}",
            remedy=near.upper().replace("DID YOU MEAN", "did you mean")
            or f"rules run from {min(known)} to {max(known)}",
            rule=code[:20],
        )
    return known[code.upper()]
