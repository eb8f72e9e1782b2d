"""Words that every page of forms uses, in the reader's language."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from trialwright.build import CompiledForm
from trialwright.trial.capture.saving import Finding
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

SIZES = {
    "unusual": _("Unusual: confirm or correct."),
    "impossible": _("Not possible: correct."),
    "condition": _("A value is given where none is asked for."),
}


def finding_text(form: CompiledForm, finding: Finding) -> str:
    """What a check asks, in the reader's language."""
    return asked_text(form, finding.check, finding.item) or finding.message


def asked_text(form: CompiledForm, check: str, item: str) -> str:
    """What a check's query asks, in the reader's language; empty for a check that the form no longer has."""
    for kind, size in (("range_", "unusual"), ("possible_", "impossible"), ("condition_", "condition")):
        if check == f"{kind}{item}":
            return str(SIZES[size])
    return check_text(form, check)


def check_text(form: CompiledForm, check: str) -> str:
    """The message of a check; ``check.2`` is the check in the second row."""
    wanted = check.partition(".")[0]
    return next((in_language(c.check.message) for c in form.checks if c.check.id == wanted), "")


def why_text(item: Any, why: str) -> str:
    """The label of ``missing.<reason>`` or ``outcome.<code>``."""
    kind, _sep, code = why.partition(".")
    if kind == "missing":
        return str(MISSING.get(code, code))
    return next((in_language(outcome.label) for outcome in item.outcomes if outcome.code == code), code)
