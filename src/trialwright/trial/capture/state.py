"""The case book of one participant: visits, forms and values as they stand, and the rows expressions read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

from trialwright.build import Build, ItemReference, ItemValue, value_of
from trialwright.expressions import Missing, Value
from trialwright.foundation.missing import MissingReason
from trialwright.trial.capture.events import (
    CaseBookSigned,
    EncounterHeld,
    EncounterMissed,
    Entered,
    FormMarkedNotDone,
    FormSaved,
    FormSigned,
    FormVoided,
    ItemsVerified,
)
from trialwright.trial.event import Event, Fact
from trialwright.trial.state import Slice

LOG = "log"
"""Stands for an encounter where a form is a running log."""

FormKey = tuple[str, str, int]
"""(encounter, form, repeat)."""


@dataclass
class FormRecord:
    """One form as it stands."""

    values: dict[str, ItemValue] = field(default_factory=dict)
    saves: int = 0
    """The version: counts every save, mark and void."""
    status: str = "empty"
    """empty, saved, not_done, intentionally_blank or voided."""
    complete: bool = False
    signed: bool = False
    """False again as soon as a value changes."""
    signed_once: bool = False
    verified: set[str] = field(default_factory=set)
    """Items verified against source and unchanged since."""
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
    missed: set[str] = field(default_factory=set)
    forms: dict[FormKey, FormRecord] = field(default_factory=dict)
    signed: bool = False
    """The whole case book, and nothing changed since."""

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case EncounterHeld(encounter=encounter, date=day):
                self.held[encounter] = day
                self.missed.discard(encounter)
                self.signed = False
            case EncounterMissed(encounter=encounter):
                self.missed.add(encounter)
            case FormSaved() as e:
                self._save(e, fact)
            case FormMarkedNotDone() as e:
                self._empty(self.record((e.encounter, e.form, e.repeat)), e.how, fact)
            case FormVoided() as e:
                self._empty(self.record((e.encounter, e.form, e.repeat)), "voided", fact)
            case ItemsVerified() as e:
                self.record((e.encounter, e.form, e.repeat)).verified.update(e.items)
            case FormSigned() as e:
                record = self.record((e.encounter, e.form, e.repeat))
                record.signed = record.signed_once = True
            case CaseBookSigned():
                self.signed = True

    def record(self, key: FormKey) -> FormRecord:
        """The form's record; an empty one if nothing was saved yet."""
        found = self.forms.get(key)
        if found is None:
            found = self.forms[key] = FormRecord()
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

    def row(
        self,
        build: Build,
        references: Iterable[ItemReference],
        here: str | None,
        current: tuple[FormKey, dict[str, ItemValue]] | None = None,
    ) -> dict[str, Value]:
        """Values for an expression, by reference key.

        A plain ``form.item`` means the form at the encounter ``here``; where that form is not collected there, the
        latest one. References to facts and measurements are left out: they are not in the case book.

        Args:
            build: says how stored values are read.
            references: what the expression needs.
            here: the encounter from which it is asked; None outside visits.
            current: a form being saved, with its values as they will stand.
        """
        row: dict[str, Value] = {}
        for reference in references:
            if reference.form is None or reference.form not in build.forms:
                continue
            compiled = build.forms[reference.form].items[reference.item]
            record = self._resolve(build, reference, here, current)
            row[reference.key] = value_of(compiled.field, (record or {}).get(reference.item))
        return row

    def _resolve(
        self,
        build: Build,
        reference: ItemReference,
        here: str | None,
        current: tuple[FormKey, dict[str, ItemValue]] | None,
    ) -> dict[str, ItemValue] | None:
        form = reference.form or ""
        if reference.encounter is not None:
            return self._values(build, (reference.encounter, form, 1), current)
        if not reference.latest:
            if current is not None and current[0][1] == form:
                return current[1]
            encounter = build.study.encounters.get(here or "")
            if here is not None and ((here, form, 1) in self.forms or (encounter and form in encounter.forms)):
                return self._values(build, (here, form, 1), current)
        return self._latest(reference, here, current)

    def _values(
        self, build: Build, key: FormKey, current: tuple[FormKey, dict[str, ItemValue]] | None
    ) -> dict[str, ItemValue] | None:
        if current is not None and current[0] == key:
            return current[1]
        record = self.forms.get(key)
        if record is None or record.status == "voided":
            return None
        if record.status in ("not_done", "intentionally_blank"):
            missing = ItemValue(missing=MissingReason(record.status))
            return dict.fromkeys(build.forms[key[1]].items, missing)
        return record.values

    def _latest(
        self, reference: ItemReference, here: str | None, current: tuple[FormKey, dict[str, ItemValue]] | None
    ) -> dict[str, ItemValue] | None:
        today = self.held.get(here or "")
        best: tuple[str, int] | None = None
        found: dict[str, ItemValue] | None = None
        for key, record in self.forms.items():
            values = current[1] if current is not None and current[0] == key else record.values
            if key[1] != reference.form or record.status != "saved" or reference.item not in values:
                continue
            day = self.held.get(key[0], "")
            too_late = bool(today and day > today)
            if too_late or not _within(day, today, reference.within) or values[reference.item].missing is not None:
                continue
            rank = (day, record.order)
            if best is None or rank > best:
                best, found = rank, values
        return found

    def _save(self, event: FormSaved, fact: Fact) -> None:
        record = self.record((event.encounter, event.form, event.repeat))
        for name, entered in (*event.items.items(), *event.derived.items()):
            record.values[name] = stored(entered)
            record.verified.discard(name)
        if event.items or event.derived:
            record.signed = self.signed = False
        record.saves += 1
        record.status, record.complete, record.order = "saved", event.complete, fact.stream_seq

    def _empty(self, record: FormRecord, status: str, fact: Fact) -> None:
        record.values.clear()
        record.verified.clear()
        record.saves += 1
        record.status, record.complete, record.order = status, True, fact.stream_seq
        record.signed = self.signed = False


def stored(entered: Entered) -> ItemValue:
    """What the record says as the build's value."""
    return ItemValue(
        text=entered.text,
        unit=entered.unit,
        outcome=entered.outcome,
        missing=MissingReason(entered.missing) if entered.missing else None,
    )


def entered(value: ItemValue) -> Entered:
    """The build's value as the record says it."""
    return Entered(
        text=value.text,
        unit=value.unit,
        outcome=value.outcome,
        missing=value.missing.value if value.missing else None,
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


SLICES: tuple[type[Slice], ...] = (CaseBook,)
