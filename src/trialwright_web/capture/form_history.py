"""How a form came to be what it is: the history of one field, and the form as it stood at an earlier version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trialwright.build import Build, CompiledItem
from trialwright.expressions import shown_unit
from trialwright.trial.audit import audit_trail, facts_of
from trialwright.trial.capture.events import FormMarkedNotDone, FormSaved, FormVoided
from trialwright.trial.capture.state import CaseBook, ClosedCaseBook, FormRecord
from trialwright.trial.event import Fact
from trialwright.trial.trail import AuditRow
from trialwright_web.capture.form_entry import Typed, recorded, shown_text
from trialwright_web.capture.form_model import codes_of
from trialwright_web.capture.form_place import FormPlace
from trialwright_web.shell.record_words import MISSING, SOURCES
from trialwright_web.shell.templatetags.shell import in_language

_FORM_EVENTS = (FormSaved, FormMarkedNotDone, FormVoided)


@dataclass(frozen=True)
class Step:
    """One change of a field: who, when, from what to what, and why."""

    row: AuditRow
    item: CompiledItem
    build: Build

    @property
    def old(self) -> str:
        """What stood there before, as people read it; empty where nothing did."""
        return self._shown(self.row.old)

    @property
    def new(self) -> str:
        """What stands there after."""
        return self._shown(self.row.new)

    def _shown(self, text: str | None) -> str:
        if text is None:
            return ""
        if self.is_source:
            return str(SOURCES.get(text, text))
        return trail_text(self.build, self.item, text)

    @property
    def is_source(self) -> bool:
        """Whether the source changed, not the value."""
        return self.row.field.endswith(" source")

    @property
    def when(self) -> str:
        """Local date and time at the site."""
        return f"{self.row.local[8:10]}.{self.row.local[5:7]}.{self.row.local[:4]} {self.row.local[11:16]}"


def field_history(place: FormPlace, name: str) -> list[Step]:
    """The steps of one field, newest first, as far as the desk may read the trail."""
    encounter, form, repeat = place.key
    about = f"participant {place.participant}, encounter {encounter}, form {form}, repeat {repeat}"
    desk = place.desk
    rows = audit_trail(desk.trial, role=desk.role, site=desk.site, participant=place.participant)
    wanted = (name, f"{name} source")
    item = place.compiled.items[name.partition(".")[0]]
    return [Step(row, item, place.build) for row in rows if row.about == about and row.field in wanted][::-1]


def trail_text(build: Build, item: CompiledItem, text: str) -> str:
    """A value as the trail has it, as people read it: labels of codes and reasons, units as they are written."""
    if text.startswith("missing: "):
        return str(MISSING.get(text.removeprefix("missing: "), text))
    for code, label in codes_of(build, item):
        if code == text:
            return label
    for outcome in item.item.outcomes:
        if outcome.code == text:
            return in_language(outcome.label)
    value, _sep, unit = text.rpartition(" ")
    if value and unit in item.item.units:
        return f"{value} {shown_unit(unit)}".strip()
    return shown_text(item.item.type, text)


def fields_at(place: FormPlace, version: int) -> dict[str, Typed]:
    """The fields as they were recorded when the form had this version."""
    if version >= place.record.saves:
        return recorded(place.compiled, place.record)
    book: CaseBook = ClosedCaseBook() if place.is_closed else CaseBook()
    for fact in _facts(place):
        if book.peek(place.key).saves >= version:
            break
        book.apply(fact)
    record: FormRecord = book.peek(place.key)
    return recorded(place.compiled, record)


def last_saved(place: FormPlace) -> Fact | None:
    """Who changed the form last, and when."""
    return max(_facts(place), key=lambda fact: fact.stream_seq, default=None)


def _facts(place: FormPlace) -> Iterator[Fact]:
    for fact in facts_of(place.desk.trial, place.space, place.participant):
        event = fact.event
        if isinstance(event, _FORM_EVENTS) and (event.encounter, event.form, event.repeat) == place.key:
            yield fact
