"""What the audit trail says, in the reader's language: what happened, about what, which field, which value.

The record itself stays as it is, in English and with ids; where its own names matter they stand beside the words.
What people wrote stays theirs, and a name that nobody wrote words for is shown as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from trialwright.build import Build
from trialwright.protocol.forms import Item
from trialwright.trial.capture.state import LOG
from trialwright.trial.safety.views import ADVERSE_EVENT
from trialwright.trial.trail import AuditRow
from trialwright_web.shell.desk import Desk
from trialwright_web.shell.record_fields import FIELDS
from trialwright_web.shell.record_happenings import HAPPENINGS
from trialwright_web.shell.safety_words import OUTCOMES, SERIOUSNESS, several
from trialwright_web.shell.templatetags.shell import in_language, role_name, unit_words
from trialwright_web.shell.typed import shown_day
from trialwright_web.shell.words import Words

MISSING: Mapping[str, Words] = {
    "not_asked": _("not asked"),
    "not_done": _("not done"),
    "not_applicable": _("not applicable"),
    "unknown": _("unknown"),
    "asked_unknown": _("asked, not known"),
    "refused": _("refused"),
    "pending": _("pending"),
    "intentionally_blank": _("intentionally left blank"),
    "erased": _("erased"),
}
"""Why there is no value."""
SOURCES: Mapping[str, Words] = {
    "direct": _("entered directly"),
    "paper": _("paper"),
    "device": _("device"),
    "ehr": _("health record"),
    "derived": _("computed"),
}
STATUS: Mapping[str, Words] = {
    "empty": _("not started"),
    "saved": _("saved"),
    "not_done": _("not done"),
    "intentionally_blank": _("intentionally left blank"),
    "voided": _("voided"),
}
"""How a form stands."""
TRUTHS: Mapping[str, Words] = {"true": _("yes"), "false": _("no"), "yes": _("yes"), "no": _("no")}
SOURCE = " source"
"""Ends the name of a field that says where a value was seen first."""


@dataclass(frozen=True)
class Change:
    """One value of a fact: what it is called, before and after.

    Args:
        name: in words.
        field: as the record names it; empty where the words are the same.
    """

    name: str
    field: str
    old: str | None
    new: str | None


def happening_words(what: str) -> str:
    """What happened; ``what`` as the trail has it: ``form saved``."""
    return str(HAPPENINGS.get(what, what))


def change(build: Build, row: AuditRow) -> Change:
    """The value of a row of the trail.

    Args:
        build: in force when it was written; says what items are called.
    """
    name = field_words(build, row)
    return Change(
        name=name,
        field=row.field if row.field.casefold() != name.casefold() else "",
        old=_value_words(build, row, row.old),
        new=_value_words(build, row, row.new),
    )


def field_words(build: Build, row: AuditRow) -> str:
    """What the field of a row is called; an item as the study calls it."""
    item = _item(build, row)
    if item is not None:
        _name, _dot, number = row.field.removesuffix(SOURCE).partition(".")
        label = " ".join(filter(None, (in_language(item.label), number)))
        return f"{label}: " + str(_("source")) if row.field.endswith(SOURCE) else label
    first, dot, rest = row.field.partition(".")
    if first in FIELDS:
        return f"{FIELDS[first]}{': ' if dot else ''}{rest}"
    kind, _space, rest = row.field.partition(" ")
    if kind == "query" and rest.count(".") >= 3:
        encounter, form, *_numbered = rest.split(".")
        return f"{FIELDS[kind]}: {visit_words(build, encounter)} · {form_words(build, form)}"
    return f"{FIELDS[kind]} {rest}" if rest and kind in FIELDS else row.field


def _item(build: Build, row: AuditRow) -> Item | None:
    """The item of a form that a row is about."""
    form = build.forms.get(_parts(row.about).get("form", ""))
    name = row.field.removesuffix(SOURCE).partition(".")[0]
    return form.items[name].item if form is not None and name in form.items else None


def _value_words(build: Build, row: AuditRow, value: str | None) -> str | None:
    if value is None:
        return None
    item = _item(build, row)
    if item is not None and not row.field.endswith(SOURCE):
        return _entered_words(build, item, value)
    if row.field.endswith(SOURCE):
        return str(SOURCES.get(value, value))
    words = {"status": STATUS, "how": STATUS, "outcome": OUTCOMES}.get(row.field)
    if words is not None:
        return str(words.get(value, value))
    if row.field == "seriousness":
        return several(value, SERIOUSNESS)
    if row.field.startswith("query ") and value == "settled":
        return str(_("settled"))
    return str(TRUTHS.get(value, value))


def _entered_words(build: Build, item: Item, value: str) -> str:
    """A value of a form: the labels of codes, outcomes and reasons; everything else as it was entered."""
    if value.startswith("missing: "):
        return str(MISSING.get(value.removeprefix("missing: "), value))
    codes = build.study.terminology.get(item.codelist or "")
    labels = {code.code: code.label for code in codes.codes} if codes else {}
    labels |= {outcome.code: outcome.label for outcome in item.outcomes}
    if value in labels:
        return in_language(labels[value])
    if item.type == "quantity":
        number, _space, unit = value.partition(" ")
        return f"{number} {unit_words(unit)}".strip()
    if item.type in ("date", "partial_date"):
        return shown_day(value)
    return str(TRUTHS.get(value, value)) if item.type == "boolean" else value


def about_parts(build: Build, about: str, terms: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What a fact is about: kind and words of every part, with the study's names for visits and forms.

    Args:
        about: as the trail has it: ``participant NO-01-002, encounter week_1``.
        terms: adverse event → its term.
    """
    parts = _parts(about)
    for kind, name in parts.items():
        # A query is told by the visit and the form that it is on.
        if (kind, name) == ("repeat", "1") or (kind == "query" and "form" in parts):
            continue
        yield kind, _part_words(build, kind, name, terms)


def terms_of(desk: Desk, participant: str) -> dict[str, str]:
    """Adverse event → its term as reported."""
    return {
        str(row["adverse_event"]): str(row["term"]) for row in desk.rows.where(ADVERSE_EVENT, participant=participant)
    }


def _part_words(build: Build, kind: str, name: str, terms: Mapping[str, str]) -> str:
    match kind:
        case "encounter":
            return visit_words(build, name)
        case "form":
            return form_words(build, name)
        case "adverse_event":
            number = name.removeprefix("ae_")
            return terms.get(name, f"{FIELDS[kind]} {number}" if number.isdecimal() else name)
        case "criterion" if name in build.criteria:
            return in_language(build.criteria[name].criterion.text)
        case "role":
            return role_name(name)
        case "participant":
            return name
        case "clock":
            return next((in_language(one.label) for one in build.study.safety.clocks if one.id == name), name)
        case "agent":
            return next((in_language(one.label) for one in build.study.safety.agents if one.id == name), name)
        case "slot" if build.study.custody is not None:
            return next((in_language(one.label) for one in build.study.custody.slots if one.id == name), name)
    return f"{FIELDS[kind]} {name}" if kind in FIELDS else f"{kind} {name}".strip()


def _parts(about: str) -> dict[str, str]:
    """Kind → name of every part of what a fact is about."""
    found = {}
    for part in about.split(", "):
        kind, _space, name = part.partition(" ")
        found[kind] = name
    return found


def visit_words(build: Build, encounter: str) -> str:
    """A visit's name."""
    planned = build.study.encounters.get(encounter)
    if planned is not None:
        return in_language(planned.label)
    if encounter == LOG:
        return str(_("Log"))
    name, _sep, number = encounter.rpartition("_")
    return str(_("Unscheduled visit")) + f" {number}" if name == "unscheduled" else encounter


def form_words(build: Build, form: str, repeat: int = 1) -> str:
    """A form's title, numbered from the second on."""
    compiled = build.forms.get(form)
    title = in_language(compiled.form.title) if compiled is not None else form
    return title if repeat == 1 else f"{title} {repeat}"
