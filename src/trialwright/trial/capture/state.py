"""The case book of one participant: visits, forms and values as they stand, and the rows expressions read."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import ClassVar

from trialwright.build import Build, ItemReference, ItemValue, value_of
from trialwright.expressions import Missing, Value
from trialwright.foundation.missing import MissingReason
from trialwright.trial.capture.events import (
    CaseBookSigned,
    ClosedFormMarkedNotDone,
    ClosedFormSaved,
    ClosedFormSigned,
    ClosedFormVoided,
    ClosedItemsVerified,
    EncounterHeld,
    EncounterMissed,
    Entered,
    FormMarkedNotDone,
    FormSaved,
    FormSigned,
    FormVoided,
    ItemsVerified,
)
from trialwright.trial.event import Event, Fact, Space
from trialwright.trial.state import Slice

LOG = "log"
"""Stands for an encounter where a form is a running log."""

FormKey = tuple[str, str, int]
"""(encounter, form, repeat)."""

Values = Mapping[str, ItemValue]
"""Item → what stands there; rows of a repeating group are ``item``, ``item.2``, ``item.3`` …"""


AS_DECLARED: Mapping[str, str] = MappingProxyType({})
"""Every value comes from where its item says; shared by nearly all forms."""


@dataclass(slots=True)
class FormRecord:
    """One form as it stands."""

    values: dict[str, ItemValue] = field(default_factory=dict)
    computed: frozenset[str] = frozenset()
    """Items whose value nobody entered: derived, not applicable by their condition, or asked again."""
    saves: int = 0
    """The version: counts every save, mark and void."""
    status: str = "empty"
    """empty, saved, not_done, intentionally_blank or voided."""
    complete: bool = False
    signed: bool = False
    """False again as soon as a value changes."""
    verified: frozenset[str] = frozenset()
    """Items verified against source and unchanged since."""
    sources: Mapping[str, str] = field(default_factory=lambda: AS_DECLARED)
    """Item → where its value was seen first, where that is not what the item declares."""
    order: int = 0
    """Position of the last save in the participant's stream."""

    @property
    def submitted(self) -> bool:
        """Saved before, so that a change needs a reason."""
        return self.saves > 0


@dataclass
class CaseBook(Slice):
    """One participant."""

    STREAM: ClassVar[str] = "participant/{}"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (
        EncounterHeld, EncounterMissed, FormSaved, FormMarkedNotDone, FormVoided, ItemsVerified, FormSigned,
        CaseBookSigned,
    )  # fmt: skip
    held: dict[str, str] = field(default_factory=dict)
    """Encounter → local date."""
    held_under: dict[str, str] = field(default_factory=dict)
    """Encounter → the build in force when it was recorded; says which forms belong to it."""
    missed: set[str] = field(default_factory=set)
    forms: dict[FormKey, FormRecord] = field(default_factory=dict)
    signed: bool = False
    """The whole case book, and nothing changed since."""

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case EncounterHeld(encounter=encounter, date=day):
                self.held[encounter] = day
                self.held_under.setdefault(encounter, fact.build)
                self.missed.discard(encounter)
                self.signed = False
            case EncounterMissed(encounter=encounter):
                self.missed.add(encounter)
                self.signed = False
            case FormSaved() as e:
                self._save(e, fact)
            case FormMarkedNotDone() as e:
                self._empty(self.record((e.encounter, e.form, e.repeat)), e.how, fact)
            case FormVoided() as e:
                self._empty(self.record((e.encounter, e.form, e.repeat)), "voided", fact)
            case ItemsVerified() as e:
                record = self.record((e.encounter, e.form, e.repeat))
                record.verified = _shared(record.verified.union(e.items))
            case FormSigned() as e:
                self.record((e.encounter, e.form, e.repeat)).signed = True
            case CaseBookSigned():
                self.signed = True

    def record(self, key: FormKey) -> FormRecord:
        """The form's record; an empty one if nothing was saved yet."""
        found = self.forms.get(key)
        if found is None:
            encounter, form, repeat = key
            # Each entry brings its own copies of the names that all participants share.
            found = self.forms[sys.intern(encounter), sys.intern(form), repeat] = FormRecord()
        return found

    def peek(self, key: FormKey) -> FormRecord:
        """Like :meth:`record`, without making one; for decisions, which only read."""
        return self.forms.get(key) or FormRecord()

    def value(self, encounter: str, form: str, item: str, repeat: int = 1) -> ItemValue | None:
        """What stands in one field, or None."""
        record = self.forms.get((encounter, form, repeat))
        return record.values.get(item) if record is not None else None

    def live(self) -> Iterator[tuple[FormKey, FormRecord]]:
        """Forms that count: saved, or marked as not done."""
        return ((key, record) for key, record in self.forms.items() if record.status not in ("empty", "voided"))

    def unfilled(self, builds: Mapping[str, Build], now: Build) -> Iterator[FormKey]:
        """Forms that belong to the visits held and are neither filled nor marked as not done.

        Args:
            builds: builds by id; a visit is held against the build in force when it was recorded.
            now: the build in force; a form that it no longer has at the visit cannot be filled any more.
        """
        for encounter, build_id in self.held_under.items():
            planned = builds[build_id].study.encounters.get(encounter) if build_id in builds else None
            still = now.study.encounters.get(encounter)
            if planned is None or still is None:
                continue
            for form in (form for form in planned.forms if form in still.forms):
                is_open = builds[build_id].forms[form].form.space == "open"
                if is_open and self.peek((encounter, form, 1)).status in ("empty", "voided"):
                    yield (encounter, form, 1)

    def row(
        self,
        build: Build,
        references: Iterable[ItemReference],
        here: str | None,
        *,
        own: FormKey | None = None,
        standing: Mapping[FormKey, Values] | None = None,
    ) -> dict[str, Value]:
        """Values for an expression, by reference key.

        A plain ``form.item`` means the form at the encounter ``here``; where that form is not collected there, the
        latest one. References to facts and measurements are left out: they are not in the case book.

        Args:
            build: says how stored values are read.
            references: what the expression needs.
            here: the encounter from which it is asked; None outside visits.
            own: the form whose expression it is: plain references to that form mean this very page.
            standing: values of forms as they will stand, where that differs from the record.
        """
        standing = standing or {}
        row: dict[str, Value] = {}
        for reference in references:
            if reference.form is None or reference.form not in build.forms:
                continue
            compiled = build.forms[reference.form].items[reference.item]
            values = self._resolve(build, reference, here, own, standing)
            row[reference.key] = value_of(compiled.field, (values or {}).get(reference.item))
        return row

    def _resolve(
        self,
        build: Build,
        reference: ItemReference,
        here: str | None,
        own: FormKey | None,
        standing: Mapping[FormKey, Values],
    ) -> Values | None:
        form = reference.form or ""
        if reference.encounter is not None:
            return self._values(build, (reference.encounter, form, 1), standing)
        if not reference.latest:
            if own is not None and own[1] == form:
                return self._values(build, own, standing)
            encounter = build.study.encounters.get(here or "")
            if here is not None and ((here, form, 1) in self.forms or (encounter and form in encounter.forms)):
                return self._values(build, (here, form, 1), standing)
        return self._latest(reference, here, standing)

    def _values(self, build: Build, key: FormKey, standing: Mapping[FormKey, Values]) -> Values | None:
        if key in standing:
            return standing[key]
        record = self.forms.get(key)
        if record is None or record.status == "voided":
            return None
        if record.status in ("not_done", "intentionally_blank"):
            return left_out(build, key[1], record.status)
        return record.values

    def _latest(
        self, reference: ItemReference, here: str | None, standing: Mapping[FormKey, Values]
    ) -> Values | None:
        today = self.held.get(here or "")
        best: tuple[str, int] | None = None
        found: Values | None = None
        for key in (*self.forms, *(key for key in standing if key not in self.forms)):
            record = self.peek(key)
            values = standing.get(key, record.values)
            if key[1] != reference.form or reference.item not in values:
                continue
            day = self.held.get(key[0], "")
            too_late = bool(today and day > today)
            if too_late or not _within(day, today, reference.within) or values[reference.item].missing is not None:
                continue
            rank = (day, sys.maxsize if key in standing else record.order)
            if best is None or rank > best:
                best, found = rank, values
        return found

    def _save(self, event: FormSaved, fact: Fact) -> None:
        record = self.record((event.encounter, event.form, event.repeat))
        for name, entered in (*event.items.items(), *event.derived.items()):
            record.values[sys.intern(name)] = stored(entered)
        record.sources = _sources(record.sources, event)
        record.verified = _shared(record.verified.difference(event.items, event.derived))
        record.computed = _shared(record.computed.difference(event.items).union(event.derived))
        record.signed = self.signed = False
        record.saves += 1
        record.status, record.complete, record.order = "saved", event.complete, fact.stream_seq

    def _empty(self, record: FormRecord, status: str, fact: Fact) -> None:
        record.values.clear()
        record.sources = AS_DECLARED
        record.computed = record.verified = frozenset()
        record.saves += 1
        record.status, record.complete, record.order = status, status != "voided", fact.stream_seq
        record.signed = self.signed = False


@dataclass
class ClosedCaseBook(CaseBook):
    """The forms of one participant that only the closed space holds."""

    SPACE: ClassVar[Space] = Space.CLOSED
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (
        ClosedFormSaved, ClosedFormMarkedNotDone, ClosedFormVoided, ClosedItemsVerified, ClosedFormSigned,
    )  # fmt: skip

    def beside(self, book: CaseBook) -> CaseBook:
        """Both together, as whoever holds the closed space reads them."""
        return CaseBook(held=book.held, missed=book.missed, forms={**book.forms, **self.forms})


def left_out(build: Build, form: str, how: str) -> Values:
    """What expressions see of a form that was marked ``not_done`` or ``intentionally_blank``."""
    return dict.fromkeys(build.forms[form].items, ItemValue(missing=MissingReason(how)))


def stored(entered: Entered) -> ItemValue:
    """What the record says as the build's value."""
    return _stored(entered.text, entered.unit, entered.outcome, entered.missing)


@lru_cache(maxsize=32768)
def _stored(text: str | None, unit: str | None, outcome: str | None, missing: str | None) -> ItemValue:
    # Shared: the same few values stand in most fields of most participants.
    return ItemValue(text=text, unit=unit, outcome=outcome, missing=MissingReason(missing) if missing else None)


def _sources(before: Mapping[str, str], event: FormSaved) -> Mapping[str, str]:
    said = {name: entered.source for name, entered in event.items.items() if entered.source is not None}
    kept = {name: source for name, source in before.items() if name not in event.items} if before else {}
    return {**kept, **said} if kept or said else AS_DECLARED


@lru_cache(maxsize=8192)
def _shared(names: frozenset[str]) -> frozenset[str]:
    """An equal set: the same items of the same forms are computed and verified for every participant."""
    return frozenset(map(sys.intern, names))


def entered(value: ItemValue, source: str | None = None) -> Entered:
    """The build's value as the record says it; ``source`` where it is not what the item declares."""
    return Entered(
        text=value.text,
        unit=value.unit,
        outcome=value.outcome,
        missing=value.missing.value if value.missing else None,
        source=source,
    )


def missing_in(row: dict[str, Value]) -> tuple[str, ...]:
    """Reference keys whose value is not there; for messages of gates."""
    return tuple(key for key, value in row.items() if value is None or isinstance(value, Missing))


def _within(day: str, today: str | None, within: int | None) -> bool:
    if within is None:
        return True
    if not day or not today:
        return False
    return (date.fromisoformat(today) - date.fromisoformat(day)).days <= within


SLICES: tuple[type[Slice], ...] = (CaseBook, ClosedCaseBook)
