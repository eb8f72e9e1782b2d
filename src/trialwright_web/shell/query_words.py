"""What a query asks, in the reader's language: a check's own words, or what somebody wrote."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from trialwright.build import Build, CompiledForm
from trialwright.foundation.tables import Row
from trialwright_web.shell.templatetags.shell import in_language

SIZES = {
    "unusual": _("Unusual: confirm or correct."),
    "impossible": _("Not possible: correct."),
    "condition": _("A value is given where none is asked for."),
}


def query_words(build: Build, row: Row) -> str:
    """What a query asks. The record keeps a check's message in the study's first language.

    Args:
        build: in force at the participant's site.
        row: of the views of queries, open or closed.
    """
    form = build.forms.get(str(row["form"]))
    asked = asked_text(form, str(row["by_check"]), str(row["item"])) if form and is_automatic(row) else ""
    return asked or str(row["text"])


def is_automatic(row: Row) -> bool:
    """Whether a check asks; not where somebody asked again what a check had asked."""
    return row["by_check"] is not None and row["opened_by"] == "check"


def asked_text(form: CompiledForm, check: str, item: str) -> str:
    """What a check's query asks, in the reader's language; empty for a check that the form no longer has."""
    for kind, size in (("range_", "unusual"), ("possible_", "impossible"), ("condition_", "condition")):
        if check == f"{kind}{item}":
            return str(SIZES[size])
    wanted = check.partition(".")[0]  # `check.2` is the check in the second row
    return next((in_language(c.check.message) for c in form.checks if c.check.id == wanted), "")
