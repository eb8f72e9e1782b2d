"""Names of items and values, as people read them, and where a form is opened."""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse

from trialwright.build import Build
from trialwright.foundation.tables import Row
from trialwright_web.shell.desk import Desk
from trialwright_web.shell.record_words import MISSING, TRUTHS
from trialwright_web.shell.templatetags.shell import in_language, unit_words
from trialwright_web.shell.typed import shown_day


def item_words(build: Build, form: str, item: str) -> str:
    """The item's label; rows of a repeating group are numbered."""
    name, _, row = item.partition(".")
    compiled = build.forms.get(form)
    found = compiled.items.get(name) if compiled else None
    label = in_language(found.item.label) if found else name
    return f"{label} ({row})" if row else label


def value_words(build: Build, row: Row) -> str:
    """What stands in an item: a code in words, a number with its unit, an outcome, or why it is missing."""
    compiled = build.forms.get(str(row["form"]))
    found = compiled.items.get(str(row["item"]).partition(".")[0]) if compiled else None
    if row["value"] is None:
        outcomes = found.item.outcomes if found else ()
        outcome = next((one for one in outcomes if one.code == row["outcome"]), None)
        missing = str(row["missing"] or "–")
        return in_language(outcome.label) if outcome else str(MISSING.get(missing, missing))
    value = str(row["value"])
    codelist = build.study.terminology.get(found.item.codelist or "") if found else None
    if codelist:
        value = next((in_language(code.label) for code in codelist.codes if code.code == value), value)
    elif found and found.item.type == "boolean":
        value = str(TRUTHS.get(value, value))
    elif found and found.item.type in ("date", "partial_date"):
        value = shown_day(value)
    return f"{value} {unit_words(row['unit'])}" if row["unit"] else value


def form_address(desk: Desk, participant: str, encounter: str, form: str, repeat: int) -> str:
    """Where the form is opened in this process; empty where it is not."""
    try:
        return reverse("capture:form", args=(desk.study, participant, encounter, form, repeat))
    except NoReverseMatch:
        return ""
