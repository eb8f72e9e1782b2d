"""What a record holds, as ODM needs it: acts from the ledger, the forms as they stand from the rows."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from trialwright.build import Build
from trialwright.exports.identifying import identifies
from trialwright.exports.odm.model import VISIT, Act, Audit, Entry, Place
from trialwright.exports.sdtm.allocation import allocation_of
from trialwright.exports.sdtm.reading import Reading
from trialwright.foundation.ports import DerivedEntropy
from trialwright.foundation.tables import Row, Rows
from trialwright.ledger.port import Ledger, Store
from trialwright.trial.capture.events import (
    ClosedFormMarkedNotDone,
    ClosedFormSaved,
    ClosedFormSigned,
    ClosedFormVoided,
    EncounterHeld,
    EncounterMissed,
    Entered,
    FormMarkedNotDone,
    FormSaved,
    FormSigned,
    FormVoided,
)
from trialwright.trial.capture.views import CLOSED_FORM, CLOSED_ITEM, FORM, ITEM
from trialwright.trial.capture.views import VISIT as VISIT_TABLE
from trialwright.trial.event import Event, Fact
from trialwright.trial.record import Recorder
from trialwright.trial.sealed_text import SealedTexts
from trialwright.trial.setup.builds import builds_on_record
from trialwright.trial.setup.events import AmendmentActivated, BuildApproved, SiteActivated, StudyCreated
from trialwright.trial.setup.views import SITE

_ACTS: tuple[type[Event], ...] = (
    EncounterHeld, EncounterMissed, FormSaved, ClosedFormSaved, FormMarkedNotDone, ClosedFormMarkedNotDone,
    FormVoided, ClosedFormVoided, FormSigned, ClosedFormSigned,
)  # fmt: skip
_SETUP: tuple[type[Event], ...] = (StudyCreated, BuildApproved, SiteActivated, AmendmentActivated)


@dataclass(frozen=True)
class Effective:
    """From when on a site, or the centre (None), worked with a build."""

    site: str | None
    build: str
    since: str


class Record:
    """A study's record.

    Args:
        study: its id.
        open_store: of the open space.
        closed_store: of the closed space of a study that was finally unblinded.

    Raises:
        InvalidValue: the record holds no approved build.
        StillBlinded: a closed store before the final unblinding.
    """

    def __init__(self, study: str, open_store: Store, closed_store: Store | None = None) -> None:
        self.study = study
        self.ledger = open_store.ledger(f"{study}/open")
        self.builds = builds_on_record(self.ledger)
        self._ledgers = [self.ledger, *([closed_store.ledger(f"{study}/closed")] if closed_store else [])]
        self._rows = open_store.rows
        reading = Reading(open_store.rows, self.builds, closed_store.rows if closed_store else None)
        allocation_of(reading)  # refuses a closed space whose allocation is not disclosed
        self._keyrings = {self.ledger.ledger_id: open_store.keyring}
        if closed_store:
            self._keyrings[f"{study}/closed"] = closed_store.keyring
        one_space = reading.study.identity.blinding.kind == "open"
        self._closed_rows: Rows | None = open_store.rows if one_space else reading.closed
        self.sites = {participant: str(row["site"]) for participant, row in reading.participants.items()}
        self._build_of_site = {str(row["site"]): str(row["build"]) for row in reading.rows(SITE)}

    @property
    def mode(self) -> str:
        """production, test or rehearsal."""
        first = next(fact for fact in self._facts(_SETUP) if isinstance(fact.event, StudyCreated))
        assert isinstance(first.event, StudyCreated)
        return first.event.mode

    def effective(self) -> Iterator[Effective]:
        """Which build was in force where, from which day on."""
        for fact in self._facts(_SETUP):
            match fact.event:
                case BuildApproved(approved_build=build):
                    yield Effective(None, build, fact.local[:10])
                case SiteActivated(site=site, active_build=build) | AmendmentActivated(site=site, active_build=build):
                    yield Effective(site, build, fact.local[:10])

    # --- what happened --------------------------------------------------------------------------------------

    def acts(self) -> Iterator[Act]:
        """Everything that happened to visits and forms, in order of time."""
        filled: set[Place] = set()
        for fact in self._facts(_ACTS):
            for act in self._acts_of(fact):
                if act.happening in ("not_done", "intentionally_blank") and act.place in filled:
                    yield Act(act.build, act.place, "removed", audit=act.audit)
                if act.happening == "removed":
                    filled.discard(act.place)
                elif act.happening != "signed":
                    filled.add(act.place)
                yield act

    def users(self) -> list[tuple[str, str, str]]:
        """Everybody who acted, with role and organisation at the time, in order of their first act."""
        return list(dict.fromkeys((fact.actor, fact.role, fact.organisation) for fact in self._facts(_ACTS)))

    def _facts(self, kinds: tuple[type[Event], ...]) -> Iterator[Fact]:
        entropy = DerivedEntropy("nothing is written")
        recorder = Recorder(kinds, entropy, SealedTexts(self._keyrings, self.builds, entropy))
        wanted = {kind.TYPE for kind in kinds}
        facts = (_facts(ledger, recorder, wanted) for ledger in self._ledgers)
        return heapq.merge(*facts, key=lambda fact: fact.at)

    def _acts_of(self, fact: Fact) -> Iterator[Act]:
        audit = _audit(fact)
        match fact.event:
            case EncounterHeld(participant=participant, encounter=encounter, date=date):
                yield Act(fact.build, _visit(participant, encounter), "entered", _visit_entries("held", date), audit)
            case EncounterMissed(participant=participant, encounter=encounter):
                yield Act(
                    fact.build, _visit(participant, encounter), "entered", _visit_entries("missed", None), audit
                )
            case FormSaved(items=items, derived=derived) as saved:
                entries = [
                    self._entry(saved.form, name, entered) for name, entered in (*items.items(), *derived.items())
                ]
                for build, found in self._by_build(fact.build, saved.form, entries):
                    yield Act(build, _place(saved), "entered", found, audit)
            case FormMarkedNotDone(how=how) as marked:
                happening = "not_done" if how == "not_done" else "intentionally_blank"
                yield Act(fact.build, _place(marked), happening, audit=audit)  # type: ignore[arg-type]  # one of two
            case FormVoided() as voided:
                yield Act(fact.build, _place(voided), "removed", audit=audit)
            case FormSigned() as signed:
                yield Act(fact.build, _place(signed), "signed", audit=audit)

    # --- how it stands --------------------------------------------------------------------------------------

    def standing(self, participant: str) -> list[Act]:
        """The visits and forms of a participant as they stand, by build, then visit and form."""
        in_force = self._build_of_site.get(self.sites[participant], list(self.builds)[-1])
        found = [*self._visits(participant, in_force), *self._not_done(participant, in_force)]
        forms: dict[Place, list[Entry]] = {}
        for row in self._item_rows(participant):
            place = Place(participant, str(row["encounter"]), str(row["form"]), int(row["repeat"] or 1))
            forms.setdefault(place, []).append(self._entry(place.form, str(row["item"]), _entered(row)))
        for place, entries in forms.items():
            found += [
                Act(build, place, "entered", part) for build, part in self._by_build(in_force, place.form, entries)
            ]
        order = list(self.builds)
        return sorted(found, key=lambda act: (order.index(act.build), _order(act.place)))

    def _item_rows(self, participant: str) -> Iterator[Row]:
        yield from self._rows.where(ITEM, participant=participant)
        if self._closed_rows is not None:
            yield from self._closed_rows.where(CLOSED_ITEM, participant=participant)

    def _form_rows(self, participant: str) -> Iterator[Row]:
        yield from self._rows.where(FORM, participant=participant)
        if self._closed_rows is not None:
            yield from self._closed_rows.where(CLOSED_FORM, participant=participant)

    def _visits(self, participant: str, build: str) -> Iterator[Act]:
        for row in self._rows.where(VISIT_TABLE, participant=participant):
            date = str(row["date"]) if row["date"] else None
            entries = _visit_entries(str(row["status"]), date)
            yield Act(build, _visit(participant, str(row["encounter"])), "entered", entries)

    def _not_done(self, participant: str, build: str) -> Iterator[Act]:
        for row in self._form_rows(participant):
            place = Place(participant, str(row["encounter"]), str(row["form"]), int(row["repeat"] or 1))
            if row["status"] == "not_done":
                yield Act(build, place, "not_done")
            elif row["status"] == "intentionally_blank":
                yield Act(build, place, "intentionally_blank")

    # --- items ----------------------------------------------------------------------------------------------

    def _by_build(self, first: str, form: str, entries: Iterable[Entry]) -> Iterator[tuple[str, tuple[Entry, ...]]]:
        """The entries under the build that declares them: ``first`` if it does, else the last that does."""
        found: dict[str, list[Entry]] = {}
        for entry in entries:
            found.setdefault(self._declaring(first, form, entry.item), []).append(entry)
        for build, part in found.items():
            yield build, tuple(part)

    def _declaring(self, first: str, form: str, item: str) -> str:
        for build in (first, *reversed(self.builds)):
            if build in self.builds and _declares(self.builds[build], form, item):
                return build
        return first

    def _entry(self, form: str, name: str, entered: Entered) -> Entry:
        item, _, row = name.partition(".")
        if identifies(self.builds, form, item):
            return Entry(item, int(row or 1))
        return Entry(
            item, int(row or 1), entered.text, entered.unit, entered.outcome, entered.missing, entered.source
        )


def _facts(ledger: Ledger, recorder: Recorder, wanted: set[str]) -> Iterator[Fact]:
    return (recorder.read(entry) for entry in ledger.read() if entry.type in wanted)


def _declares(build: Build, form: str, item: str) -> bool:
    return form in build.forms and item in build.forms[form].items


def _audit(fact: Fact) -> Audit:
    return Audit(
        user=(fact.actor, fact.role, fact.organisation),
        site=fact.site,
        at=fact.at,
        reason=fact.reason,
        source=f"{fact.stream}#{fact.stream_seq}",
    )


def _place(event: FormSaved | FormMarkedNotDone | FormVoided | FormSigned) -> Place:
    return Place(event.participant, event.encounter, event.form, event.repeat)


def _visit(participant: str, encounter: str) -> Place:
    return Place(participant, encounter, VISIT, 1)


def _visit_entries(status: str, date: str | None) -> tuple[Entry, ...]:
    dated = () if date is None else (Entry("date", 1, date),)
    return (*dated, Entry("status", 1, status))


def _entered(row: Row) -> Entered:
    def text(column: str) -> str | None:
        cell = row[column]
        return None if cell is None else str(cell)

    return Entered(
        text=text("value"), unit=text("unit"), outcome=text("outcome"), missing=text("missing"), source=text("source")
    )


def _order(place: Place) -> tuple[str, bool, str, int]:
    """The visit itself comes before what was filled at it."""
    return place.encounter, place.form != VISIT, place.form, place.repeat
