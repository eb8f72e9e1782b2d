"""The dry run: each result of a file against the record. Says what would be saved, and what does not fit and why."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.http import Http404
from django.utils.translation import gettext as _

from trialwright.build import (
    Build,
    CompiledItem,
    ItemValue,
    missing_value,
    outcome_value,
    parse_item_value,
    size_of,
)
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.missing import MissingReason
from trialwright.trial.capture.commands import ImportItems, SaveClosedForm, SaveForm
from trialwright.trial.capture.events import Entered
from trialwright_web.capture.form_place import FormPlace, find_visit
from trialwright_web.capture.import_mapping import ImportMapping, ItemMapping
from trialwright_web.capture.import_reading import Result
from trialwright_web.shell.desk import Desk
from trialwright_web.shell.record_words import MISSING, TRUTHS
from trialwright_web.shell.refusals import told
from trialwright_web.shell.templatetags.shell import in_language, unit_words
from trialwright_web.shell.typed import shown_day, typed_day


@dataclass(frozen=True)
class Change:
    """One item.

    Args:
        state: ``new``, ``change``, ``same`` or ``problem``.
        old, new: as read by people.
        note: what to look at: an unusual value, or what is wrong.
    """

    line: int
    item: str
    words: str
    state: str
    old: str
    new: str
    note: str
    value: ItemValue | None = None


@dataclass(frozen=True)
class FormPlan:
    """What the file says about one form of one visit of one participant.

    Args:
        encounter: of the study; as the file names it where it does not fit.
        problem: why nothing of it can be saved; empty where it can.
        notes: what to look at.
    """

    participant: str
    encounter: str
    form: str
    repeat: int
    lines: tuple[int, ...]
    problem: str
    notes: tuple[str, ...]
    changes: tuple[Change, ...]
    place: FormPlace | None = field(default=None, repr=False)

    @property
    def state(self) -> str:
        """``problem``, ``change`` (something recorded differs), ``new``, or ``same`` (nothing to do)."""
        if self.problem:
            return "problem"
        states = {change.state for change in self.changes}
        return next((state for state in ("change", "new", "problem") if state in states), "same")

    @property
    def saves(self) -> tuple[Change, ...]:
        """What would be saved."""
        return tuple(one for one in self.changes if not self.problem and one.state in ("new", "change"))

    def command(self, mapping: ImportMapping) -> SaveForm:
        """The command that saves it."""
        assert self.place is not None
        kind = ImportItems if self.place.may_import else SaveClosedForm if self.place.is_closed else SaveForm
        return kind(
            participant=self.participant,
            encounter=self.encounter,
            form=self.form,
            repeat=self.repeat,
            items={one.item: _entered(self.place, one, mapping) for one in self.saves},
            read_version=self.place.record.saves,
        )


@dataclass(frozen=True)
class Plan:
    """The whole dry run."""

    forms: tuple[FormPlan, ...]

    @property
    def to_save(self) -> tuple[FormPlan, ...]:
        return tuple(one for one in self.forms if one.saves)

    @property
    def problems(self) -> int:
        """Forms that cannot be saved, and values that are left out."""
        wrong = sum(bool(one.problem) for one in self.forms)
        return wrong + sum(change.state == "problem" for one in self.forms for change in one.changes)

    @property
    def values(self) -> int:
        """Values that would be saved."""
        return sum(len(one.saves) for one in self.forms)

    @property
    def changes(self) -> int:
        """Values on record that would become others."""
        return sum(change.state == "change" for one in self.forms for change in one.saves)

    @property
    def same(self) -> int:
        """Values that the record has already."""
        return sum(change.state == "same" for one in self.forms for change in one.changes)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of everything that would be saved, onto which version."""
        told = [
            [one.participant, one.encounter, one.form, one.repeat, one.place.record.saves if one.place else 0]
            + [[change.item, change.new] for change in one.saves]
            for one in self.to_save
        ]
        return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()


def make_plan(desk: Desk, mapping: ImportMapping, results: Sequence[Result]) -> Plan:
    """Hold results against the record."""
    items = {item.key: item for item in mapping.items}
    grouped: dict[tuple[str, str, str, str], list[Result]] = {}
    for one in results:
        form = one.item.partition(".")[0]
        grouped.setdefault((one.participant, one.encounter, form, one.repeat), []).append(one)
    return Plan(tuple(_form(desk, mapping, items, key, found) for key, found in grouped.items()))


def _form(
    desk: Desk,
    mapping: ImportMapping,
    items: dict[str, ItemMapping],
    key: tuple[str, str, str, str],
    results: list[Result],
) -> FormPlan:
    participant, named, form, repeat_text = key
    encounter = mapping.encounters.get(named, named)
    repeat = int(repeat_text) if repeat_text.isdecimal() and 0 < int(repeat_text) < 1000 else 0
    lines = tuple(dict.fromkeys(one.line for one in results))
    place, problem = _place(desk, mapping, participant, named, form, repeat)
    if place is None or problem:
        return FormPlan(participant, encounter, form, repeat, lines, problem, (), (), None)
    changes = tuple(_changes(place, mapping, items, results))
    return FormPlan(
        participant, encounter, form, repeat, lines, "", tuple(_notes(desk, place, results)), changes, place
    )


def _place(
    desk: Desk, mapping: ImportMapping, participant: str, named: str, form: str, repeat: int
) -> tuple[FormPlace | None, str]:
    """The form in the case book, or why there is none to save into."""
    if not desk.may_see(participant):
        return None, _("no such participant at your site") if desk.site else _("no such participant")
    if named not in mapping.encounters:
        return None, _("the mapping knows no visit of this name")
    try:
        visit = find_visit(desk, participant, mapping.encounters[named])
    except Http404:
        return None, _("the visit does not exist at the participant's site")
    place = visit.form(form, repeat) if repeat else None
    if place is None:
        return None, _("the form has no place at this visit")
    if not visit.takes_entries:
        return None, _("the visit is not recorded yet")
    if not (place.may_fill or place.may_import):
        return None, _("your role does not fill this form, or data entry has ended")
    if place.record.status in ("not_done", "intentionally_blank"):
        return None, _("the form was left out on purpose; open it by hand")
    return place, ""


def _notes(desk: Desk, place: FormPlace, results: list[Result]) -> Iterator[str]:
    if place.record.signed:
        yield _("the form is signed; the signature falls if something changes")
    held = place.visit.date
    for day in dict.fromkeys(one.day for one in results if one.day):
        try:
            taken = typed_day(day[:10], desk.today)
        except InvalidValue:
            yield _("the date %(day)s cannot be read") % {"day": day[:20]}
            continue
        if held is not None and taken != held:
            yield _("taken on %(taken)s, the visit was on %(held)s") % {
                "taken": shown_day(taken, partial=True), "held": shown_day(held),
            }  # fmt: skip


def _changes(
    place: FormPlace, mapping: ImportMapping, items: dict[str, ItemMapping], results: list[Result]
) -> Iterator[Change]:
    by_item: dict[str, list[Result]] = {}
    for one in results:
        by_item.setdefault(one.item, []).append(one)
    for key, found in by_item.items():
        texts = {(one.text, one.unit) for one in found}
        compiled = place.compiled.items[key.partition(".")[2]]
        if len(texts) > 1:
            where = ", ".join(str(one.line) for one in found)
            yield _problem(compiled, found[0], _("stands there more than once, differently: lines %s") % where)
        else:
            yield _change(place, compiled, items[key], mapping, found[0])


def _problem(compiled: CompiledItem, result: Result, note: str) -> Change:
    words = in_language(compiled.item.label)
    return Change(result.line, compiled.item.id, words, "problem", "", f"{result.text} {result.unit}".strip(), note)


def _change(
    place: FormPlace, compiled: CompiledItem, item: ItemMapping, mapping: ImportMapping, result: Result
) -> Change:
    try:
        value = _value(compiled, item, mapping, result)
    except InvalidValue as error:
        said = told(error)
        return _problem(compiled, result, f"{said.message} → {said.remedy}")
    before = place.record.values.get(compiled.item.id)
    known = before is not None and compiled.item.id not in place.record.computed
    state = "new" if not known else "same" if before == value else "change"
    if state == "change" and place.may_import:
        # The data manager adds what is missing; who entered a value corrects it.
        on_record = _("the record says %(value)s; ask with a query") % {
            "value": _shown(place.build, compiled, before)
        }
        return _problem(compiled, result, on_record)
    size = size_of(compiled.field, value)
    note = {"unusual": _("unusual: a query will ask"), "impossible": _("impossible: a query will ask")}.get(size, "")
    return Change(
        line=result.line,
        item=compiled.item.id,
        words=in_language(compiled.item.label),
        state=state,
        old=_shown(place.build, compiled, before) if known else "",
        new=_shown(place.build, compiled, value),
        note=note,
        value=value,
    )


def _value(compiled: CompiledItem, item: ItemMapping, mapping: ImportMapping, result: Result) -> ItemValue:
    """The value as the record would hold it.

    Raises:
        InvalidValue: it cannot be one.
    """
    text = item.values.get(result.text, result.text)
    kind, _sep, rest = text.partition(":")
    if text is not result.text and kind == "outcome":
        return outcome_value(compiled.field, rest)
    if text is not result.text and kind == "missing":
        if rest not in {reason.value for reason in MissingReason}:
            raise InvalidValue(f"{rest!r} is no missing reason", remedy="correct the mapping")
        return missing_value(compiled.field, MissingReason(rest))
    if compiled.item.type in ("quantity", "decimal") and mapping.decimal == ",":
        text = text.replace(",", ".")
    if compiled.item.type in ("date", "partial_date"):
        text = text[:10]
    unit = None
    if compiled.item.type == "quantity" and result.unit:
        unit = item.units.get(result.unit, result.unit)
    return parse_item_value(compiled.field, text, unit)


def _shown(build: Build, compiled: CompiledItem, value: ItemValue | None) -> str:
    if value is None:
        return ""
    if value.missing is not None:
        return str(MISSING[value.missing.value])
    if value.outcome is not None:
        return next((in_language(one.label) for one in compiled.item.outcomes if one.code == value.outcome), "")
    text = value.text or ""
    codes = build.study.terminology.get(compiled.item.codelist or "")
    if codes is not None:
        text = next((in_language(code.label) for code in codes.codes if code.code == text), text)
    if compiled.item.type in ("date", "partial_date"):
        text = shown_day(text)
    if compiled.item.type == "boolean":
        return str(TRUTHS.get(text, text))
    return f"{text} {unit_words(value.unit)}" if value.unit else text


def _entered(place: FormPlace, change: Change, mapping: ImportMapping) -> Entered:
    value = change.value
    assert value is not None, "only what can be read is saved"
    declared = place.compiled.items[change.item].item.origin
    return Entered(
        text=value.text,
        unit=value.unit,
        outcome=value.outcome,
        missing=value.missing.value if value.missing else None,
        source=mapping.source if mapping.source not in ("", declared) else None,
    )
