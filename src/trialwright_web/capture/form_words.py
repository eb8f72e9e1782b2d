"""Words that every page of forms uses, in the reader's language."""

from __future__ import annotations

from typing import Any

from trialwright.build import CompiledForm
from trialwright.trial.capture.saving import Finding
from trialwright_web.shell.query_words import asked_text
from trialwright_web.shell.record_words import MISSING
from trialwright_web.shell.templatetags.shell import in_language

SHORTHAND = {
    "-nd": "missing.not_done",
    "-na": "missing.not_applicable",
    "-uk": "missing.unknown",
    "-ask": "missing.asked_unknown",
    "-ref": "missing.refused",
    "-pe": "missing.pending",
}
"""Typed into a field instead of a value, in the browser."""


def finding_text(form: CompiledForm, finding: Finding) -> str:
    """What a check asks, in the reader's language."""
    return asked_text(form, finding.check, finding.item) or finding.message


def why_text(item: Any, why: str) -> str:
    """The label of ``missing.<reason>`` or ``outcome.<code>``."""
    kind, _sep, code = why.partition(".")
    if kind == "missing":
        return str(MISSING.get(code, code))
    return next((in_language(outcome.label) for outcome in item.outcomes if outcome.code == code), code)
