"""A form as the page draws it: groups, rows, fields, with what is typed, computed, asked and found. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from trialwright.build import Build, CompiledForm, CompiledItem, ItemValue, number_of
from trialwright.expressions import Missing, Value, shown_unit
from trialwright.foundation.dates import PartialDate
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.quantities import Quantity
from trialwright.protocol.forms import ItemGroup
from trialwright.trial.capture.commands import SOURCES as SOURCE_CODES
from trialwright.trial.capture.saving import NOT_APPLICABLE, Outcome, Saving, split_row
from trialwright.trial.capture.state import CaseBook, FormKey, FormRecord
from trialwright_web.capture.form_entry import Typed, changes, read, recorded, shown_text
from trialwright_web.capture.form_words import finding_text, why_text
from trialwright_web.shell.record_words import MISSING, SOURCES
from trialwright_web.shell.templatetags.shell import in_language

MOST_BUTTONS = 7
"""A code list with more codes is a list to open, not a row of buttons."""

LONGEST_SCALE = 11
"""Steps of a scale that are shown as buttons; a longer one is typed."""


@dataclass(frozen=True)
class Choice:
    """One answer of a list: its code, its label, the digit that picks it, and whether it is the one chosen."""

    code: str
    label: str
    digit: str = ""
    is_chosen: bool = False


@dataclass(frozen=True)
class FieldModel:
    """One field.

    ``widget`` is line, area, date, buttons, list or computed. ``state`` is asked, unasked (its condition does not
    hold) or computed.
    """

    name: str
    label: str
    help: str
    kind: str
    widget: str
    typed: Typed
    state: str
    required: bool
    critical: bool
    choices: tuple[Choice, ...]
    units: tuple[Choice, ...]
    unit: str
    whys: tuple[Choice, ...]
    sources: tuple[Choice, ...]
    declared_source: str
    computed: str
    standard: str
    is_verified: bool
    findings: tuple[str, ...]
    error: InvalidValue | None
    queries: int
    comments: int

    @property
    def id(self) -> str:
        """Of the element that takes the entry."""
        return f"f.{self.name}"

    @property
    def value_text(self) -> str:
        """What stands in the field, to be read: value with unit, label of a choice, or why there is none."""
        return self.text_of(self.typed)

    def text_of(self, typed: Typed) -> str:
        """Any content of the field, to be read."""
        if self.state == "computed":
            return self.computed
        if typed.why:
            return next((why.label for why in self.whys if why.code == typed.why), typed.why)
        if not typed.text:
            return ""
        label = next((choice.label for choice in self.choices if choice.code == typed.text), typed.text)
        unit = next((unit.label for unit in self.units if unit.code == typed.unit), self.unit)
        return f"{label} {unit}".strip()


@dataclass(frozen=True)
class GroupModel:
    """A group of fields; a table where it repeats."""

    id: str
    title: str
    repeats: bool
    rows: tuple[tuple[FieldModel, ...], ...]

    @property
    def fields(self) -> tuple[FieldModel, ...]:
        """All fields, row by row."""
        return tuple(field for row in self.rows for field in row)


@dataclass(frozen=True)
class FormModel:
    """The whole form."""

    groups: tuple[GroupModel, ...]
    outcome: Outcome

    @property
    def fields(self) -> Iterator[FieldModel]:
        """All fields in order."""
        return (field for group in self.groups for field in group.fields)


@dataclass(frozen=True)
class Circumstances:
    """What is known about the fields besides their content; all by field name.

    Args:
        errors: what was wrong with the last try to save.
        queries: open queries.
        comments: remarks.
    """

    errors: Mapping[str, InvalidValue] = field(default_factory=dict)
    queries: Mapping[str, int] = field(default_factory=dict)
    comments: Mapping[str, int] = field(default_factory=dict)


def rows_of(form: CompiledForm, names: Sequence[str], wanted: Mapping[str, int]) -> dict[str, int]:
    """Repeating group → rows to show: at least one, all in which something stands, more where asked for."""
    rows = {item.group: 1 for item in form.items.values() if item.repeats}
    for name in names:
        item, row = split_row(name)
        group = form.items[item].group if item in form.items else ""
        if group in rows:
            rows[group] = max(rows[group], row)
    # One empty row after all others is offered, never more: a page has to be drawn.
    return {group: min(999, count + 1, max(count, wanted.get(group, 1))) for group, count in rows.items()}


def outcome_of(build: Build, book: CaseBook, key: FormKey, typed: Mapping[str, Typed], today: date) -> Outcome:
    """What the form amounts to as typed; what cannot be read counts as recorded."""
    record, form = book.peek(key), build.forms[key[1]]
    entered, _wrong = changes(form, recorded(form, record), typed, today)
    live: dict[str, ItemValue] = dict(record.values)
    live |= {name: read(form.items[split_row(name)[0]], said) for name, said in entered.items()}
    return Saving(build, book, key, live, entered=entered).outcome()


def form_model(
    build: Build,
    book: CaseBook,
    key: FormKey,
    typed: Mapping[str, Typed],
    *,
    rows: Mapping[str, int],
    today: date,
    around: Circumstances | None = None,
) -> FormModel:
    """The form with what is typed in it.

    Args:
        build: in force.
        book: the case book.
        key: the form.
        typed: the fields as the page shows them.
        rows: repeating group → rows.
        today: local date.
        around: what else is known.
    """
    form = build.forms[key[1]]
    maker = _Maker(build, form, book.peek(key), typed, around or Circumstances())
    maker.outcome = outcome_of(build, book, key, typed, today)
    groups = tuple(maker.group(group, rows.get(group.id, 1) if group.repeats else 1) for group in form.form.groups)
    return FormModel(groups, maker.outcome)


class _Maker:
    outcome: Outcome

    def __init__(
        self, build: Build, form: CompiledForm, record: FormRecord, typed: Mapping[str, Typed], around: Circumstances
    ) -> None:
        self._build = build
        self._form = form
        self._record = record
        self._typed = typed
        self._around = around

    def group(self, group: ItemGroup, rows: int) -> GroupModel:
        return GroupModel(
            id=group.id,
            title=in_language(group.title),
            repeats=group.repeats,
            rows=tuple(
                tuple(self._field(item.id if row == 1 else f"{item.id}.{row}") for item in group.items)
                for row in range(1, rows + 1)
            ),
        )

    def _field(self, name: str) -> FieldModel:
        compiled = self._form.items[split_row(name)[0]]
        item = compiled.item
        typed = self._typed.get(name, Typed())
        widget, choices = self._widget(compiled, typed)
        return FieldModel(
            name=name,
            label=in_language(item.label),
            help=in_language(item.help),
            kind=item.type,
            widget=widget,
            typed=typed,
            state=self._state(compiled, name),
            required=item.required and compiled.derive is None,
            critical=item.critical,
            choices=choices,
            units=_units(compiled, typed),
            unit=shown_unit(item.units[0]) if item.units else "",
            whys=_whys(compiled, typed),
            sources=_sources(compiled, typed),
            declared_source=str(SOURCES[item.origin]),
            computed=self._computed(compiled, name),
            standard=_standard(compiled, self.outcome.values.get(name)),
            is_verified=name in self._record.verified,
            findings=tuple(finding_text(self._form, f) for f in self.outcome.findings if f.item == name),
            error=self._around.errors.get(name),
            queries=self._around.queries.get(name, 0),
            comments=self._around.comments.get(name, 0),
        )

    def _state(self, compiled: CompiledItem, name: str) -> str:
        if compiled.derive is not None:
            return "computed"
        value = self.outcome.values.get(name)
        is_blank = self._typed.get(name, Typed()).is_blank
        return "unasked" if compiled.when is not None and value == NOT_APPLICABLE and is_blank else "asked"

    def _computed(self, compiled: CompiledItem, name: str) -> str:
        value = self.outcome.values.get(name) if compiled.derive is not None else None
        return "" if value is None else shown_computed(self._build, compiled, value)

    def _widget(self, compiled: CompiledItem, typed: Typed) -> tuple[str, tuple[Choice, ...]]:
        item = compiled.item
        codes = codes_of(self._build, compiled)
        if compiled.derive is not None:
            return "computed", ()
        if not codes:
            lines = {"text": "area", "date": "date", "partial_date": "date"}
            return lines.get(item.type, "line"), ()
        digits = _digits([code for code, _label in codes])
        choices = tuple(
            Choice(code, label, digit, typed.text == code) for (code, label), digit in zip(codes, digits, strict=True)
        )
        is_few = len(codes) <= (LONGEST_SCALE if item.type == "scale" else MOST_BUTTONS)
        return ("buttons" if is_few else "list"), choices


def shown_computed(build: Build, compiled: CompiledItem, value: ItemValue) -> str:
    """A computed value as people read it; in brackets why there is none."""
    if value.missing is not None:
        return "" if value.missing.value == "not_asked" else f"({MISSING[value.missing.value]})"
    text = value.text or ""
    label = next((label for code, label in codes_of(build, compiled) if code == text), None)
    unit = shown_unit(compiled.item.units[0]) if compiled.item.units else ""
    return label or f"{shown_text(compiled.item.type, text)} {unit}".strip()


def codes_of(build: Build, compiled: CompiledItem) -> list[tuple[str, str]]:
    """Codes with their labels, of items that are answered by choosing; none for all others."""
    item = compiled.item
    if item.type == "boolean":
        return [("true", _("Yes")), ("false", _("No"))]
    if item.type == "code":
        known = build.study.terminology[item.codelist or ""].codes
        return [(code.code, in_language(code.label)) for code in known]
    if item.type == "scale":
        bounds = item.possible or item.range
        low, high = (int(Fraction(bounds.low or 0)), int(Fraction(bounds.high or 10))) if bounds else (0, 10)
        if high - low < LONGEST_SCALE:
            return [(str(step), str(step)) for step in range(low, high + 1)]
    return []


def _digits(codes: Sequence[str]) -> list[str]:
    """The key that picks each code: the code itself where all are numbers, else its place in the list."""
    if all(code.isdecimal() for code in codes):
        return list(codes)
    return [str(place) if len(codes) <= 9 else "" for place in range(1, len(codes) + 1)]


def _units(compiled: CompiledItem, typed: Typed) -> tuple[Choice, ...]:
    units = compiled.item.units
    if len(units) < 2:
        return ()
    chosen = typed.unit or units[0]
    return tuple(Choice(unit, shown_unit(unit), is_chosen=unit == chosen) for unit in units)


def _whys(compiled: CompiledItem, typed: Typed) -> tuple[Choice, ...]:
    item = compiled.item
    codes = [f"outcome.{o.code}" for o in item.outcomes] + [f"missing.{r.value}" for r in item.missing]
    if typed.why and typed.why not in codes:
        codes.append(typed.why)  # chosen under an earlier build, or for the whole form
    return tuple(Choice(code, why_text(item, code), is_chosen=code == typed.why) for code in codes)


def _sources(compiled: CompiledItem, typed: Typed) -> tuple[Choice, ...]:
    declared = compiled.item.origin
    codes = ("", *(code for code in SOURCE_CODES if code != declared))
    return tuple(Choice(code, str(SOURCES[code or declared]), is_chosen=code == typed.source) for code in codes)


def _standard(compiled: CompiledItem, value: ItemValue | None) -> str:
    """The value in the item's own unit, where another one was used."""
    item = compiled.item
    if value is None or value.text is None or not item.units or value.unit in (None, item.units[0]):
        return ""
    number = number_of(compiled.field, value)
    return "" if number is None else f"{_decimal(number)} {shown_unit(item.units[0])}".strip()


def _decimal(number: Fraction) -> str:
    return f"{float(number):.6g}"


# --- what the browser computes with ---------------------------------------------------------------------------


def outside_values(build: Build, book: CaseBook, key: FormKey) -> dict[str, dict[str, Any]]:
    """What the form's expressions read beyond this page: reference key → value, or why there is none."""
    form = build.forms[key[1]]
    wanted = {}
    for expression in _expressions(form):
        for reference in expression.references:
            is_plain = reference.encounter is None and not reference.latest
            if not (reference.form == key[1] and is_plain):
                wanted[reference.key] = reference
    row = book.row(build, wanted.values(), key[0], own=key)
    return {name: _plain(build, wanted[name], row.get(name)) for name in wanted}


def _expressions(form: CompiledForm) -> Iterator[Any]:
    for item in form.items.values():
        yield from (one for one in (item.when, item.derive) if one is not None)
    yield from (check.condition for check in form.checks)


def _plain(build: Build, reference: Any, value: Value) -> dict[str, Any]:
    if value is None or isinstance(value, Missing):
        return {"value": None, "why": value.reason.value if isinstance(value, Missing) else "not_asked"}
    if isinstance(value, Quantity):
        units = build.forms[reference.form].items[reference.item].item.units
        return {"value": float(value.to(units[0] if units else "1"))}
    if isinstance(value, bool | str):
        return {"value": value}
    if isinstance(value, PartialDate | date):
        return {"value": str(value)}
    return {"value": float(value)}
