"""The clinical data: subjects, events, forms, groups and items, with audit records and signatures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from trialwright.exports.odm import oids
from trialwright.exports.odm.markup import Markup
from trialwright.exports.odm.metadata_markup import items_of
from trialwright.exports.odm.model import MISSING, SOURCE, Act, Audit, Entry, OdmMetadata, OdmStudy, Place
from trialwright.foundation.errors import RecordError

SIGNATURE = "SD.form"
NOT_SHOWN = "The value identifies a person and is not shown."
_WHOLE = frozenset({"not_done", "intentionally_blank"})

Users = Mapping[tuple[str, str, str], str]
"""Actor, role and organisation → OID."""


class Declared:
    """Where each item of each version stands, for looking up."""

    def __init__(self, study: OdmStudy) -> None:
        self._groups = {version.build: _groups(version) for version in study.versions}
        self._repeating = {
            version.build: frozenset(form.id for form in version.forms.values() if form.repeats)
            for version in study.versions
        }

    def has(self, build: str, form: str, item: str) -> bool:
        """Whether a build declares an item."""
        return (form, item) in self._groups.get(build, {})

    def group(self, build: str, form: str, item: str) -> tuple[str, bool]:
        """Group of an item, and whether it repeats.

        Raises:
            RecordError: the build declares no such item.
        """
        found = self._groups.get(build, {}).get((form, item))
        if found is None:
            raise RecordError(
                f"the record holds a value of {form}.{item}, which build {build[:12]} does not declare",
                remedy="verify the ledger",
            )
        return found

    def repeats(self, build: str, form: str) -> bool:
        """Whether a form may be filled several times at one encounter."""
        return form in self._repeating[build]


def _groups(version: OdmMetadata) -> dict[tuple[str, str], tuple[str, bool]]:
    return {(form.id, item.id): (group.id, group.repeats) for form, group, item in items_of(version)}


class Transactions:
    """Which elements a transactional file holds already, so that a change is told from a first entry."""

    def __init__(self) -> None:
        self._there: dict[Place, set[tuple[str, int]]] = {}
        self._above: set[tuple[str, ...]] = set()

    def above(self, *path: str) -> str:
        """Of an element that only holds others."""
        if path in self._above:
            return "Context"
        self._above.add(path)
        return "Insert"

    def form(self, place: Place) -> str:
        """Of a form."""
        if place in self._there:
            return "Context"
        self._there[place] = set()
        return "Insert"

    def item(self, place: Place, entry: Entry) -> str:
        """Of an item."""
        there = self._there[place]
        key = (entry.item, entry.row)
        if key in there:
            return "Update"
        there.add(key)
        return "Insert"

    def group(self, place: Place, group: str, key: str) -> str:
        """Of an item group."""
        return self.above(*_names(place), group, key)

    def remove(self, place: Place) -> bool:
        """Forget a form; whether there was one."""
        there = self._there.pop(place, None) is not None
        names = _names(place)
        self._above = {path for path in self._above if path[: len(names)] != names} if there else self._above
        return there


def _names(place: Place) -> tuple[str, ...]:
    return place.participant, place.encounter, place.form, str(place.repeat)


class DataWriter:
    """Makes the elements of one file.

    Args:
        markup: of the version.
        declared: groups of the items.
        sites: participant → site.
        users: OIDs of the people.
        transactions: of a transactional file; None for a snapshot.
    """

    def __init__(
        self,
        markup: Markup,
        declared: Declared,
        sites: Mapping[str, str],
        users: Users,
        transactions: Transactions | None = None,
    ) -> None:
        self._markup = markup
        self._add = markup.add
        self._two = markup.two
        self._declared = declared
        self._sites = sites
        self._users = users
        self._transactions = transactions

    def subject(self, participant: str, acts: Iterable[Act]) -> Any:
        """One participant with the acts given, which stand together by encounter."""
        known = self._transactions.above(participant) if self._transactions else None
        element = self._markup.make("SubjectData", SubjectKey=participant, TransactionType=known)
        found = list(acts)
        audit = found[0].audit if found and known == "Insert" else None
        self._first(element, audit)
        if participant in self._sites:
            self._add(element, "SiteRef", LocationOID=oids.location(self._sites[participant]))
        for encounter, together in groupby(found, key=lambda act: act.place.encounter):
            self._event(element, participant, encounter, list(together))
        self._last(element, audit)
        return element

    def _event(self, parent: Any, participant: str, encounter: str, acts: list[Act]) -> None:
        event, key = oids.event_of(encounter)
        known = self._transactions.above(participant, encounter) if self._transactions else None
        element = self._add(
            parent, "StudyEventData", StudyEventOID=oids.event(event), StudyEventRepeatKey=key, TransactionType=known
        )
        audit = acts[0].audit if known == "Insert" else None
        self._first(element, audit)
        for act in acts:
            self._form(element, act)
        self._last(element, audit)

    def _form(self, parent: Any, act: Act) -> None:
        place, known = act.place, self._form_transaction(act)
        key = str(place.repeat) if self._declared.repeats(act.build, place.form) else None
        if self._two:
            element = self._add(
                parent, "ItemGroupData", ItemGroupOID=oids.form(place.form), ItemGroupRepeatKey=key,
                TransactionType=known,
            )  # fmt: skip
        else:
            element = self._add(
                parent, "FormData", FormOID=oids.form(place.form), FormRepeatKey=key, TransactionType=known
            )
        audit = act.audit if known in ("Insert", "Remove") else None
        signed = act.audit if act.happening == "signed" else None
        self._first(element, audit, signed)
        if act.happening in _WHOLE and not self._two:
            self._whole(element, act)
        self._groups(element, act)
        self._last(element, audit, signed)
        if act.happening in _WHOLE and self._two:
            self._whole(element, act)

    def _form_transaction(self, act: Act) -> str | None:
        if self._transactions is None:
            return None
        if act.happening == "removed":
            self._transactions.remove(act.place)
            return "Remove"
        return self._transactions.form(act.place)

    def _whole(self, element: Any, act: Act) -> None:
        """A form that was not done, as a whole."""
        annotation = self._add(element, "Annotation", SeqNum=1)
        self._flag(annotation, oids.codelist(MISSING), act.happening)

    def _groups(self, parent: Any, act: Act) -> None:
        placed = [(*self._declared.group(act.build, act.place.form, e.item), e) for e in act.entries]
        by_group: dict[tuple[str, str | None], list[Entry]] = {}
        for group, repeats, entry in placed:
            by_group.setdefault((group, str(entry.row) if repeats else None), []).append(entry)
        for (group, key), entries in by_group.items():
            known = self._transactions.group(act.place, group, key or "") if self._transactions else None
            element = self._add(
                parent, "ItemGroupData", ItemGroupOID=oids.group(act.place.form, group), ItemGroupRepeatKey=key,
                TransactionType=known,
            )  # fmt: skip
            audit = act.audit if known == "Insert" else None
            self._first(element, audit)
            for entry in entries:
                self._item(element, act, entry)
            self._last(element, audit)

    # --- items ----------------------------------------------------------------------------------------------

    def _item(self, parent: Any, act: Act, entry: Entry) -> None:
        form = act.place.form
        known = self._transactions.item(act.place, entry) if self._transactions else None
        self._datum(parent, oids.item(form, entry.item), entry.value, act.audit, known, entry)
        if self._two and entry.unit is not None:
            self._datum(parent, oids.unit_item(form, entry.item), entry.unit, act.audit, known)

    def _datum(
        self, parent: Any, oid: str, value: str | None, audit: Audit | None, known: str | None,
        entry: Entry | None = None,
    ) -> None:  # fmt: skip
        element = self._add(
            parent, "ItemData", ItemOID=oid, TransactionType=known, IsNull="Yes" if value is None else None,
            Value=None if self._two else value,
        )  # fmt: skip
        if self._two and value is not None:
            self._add(element, "Value", text=value)
        self._first(element, audit)
        if entry is not None and entry.unit is not None and not self._two:
            self._add(element, "MeasurementUnitRef", MeasurementUnitOID=oids.unit(entry.unit))
        self._last(element, audit)
        if entry is not None:
            self._remarks(element, entry, oid)

    def _remarks(self, element: Any, entry: Entry, oid: str) -> None:
        nothing = entry.value is None and entry.missing is None and entry.outcome is None
        if not (nothing or entry.missing or entry.outcome or entry.source):
            return
        annotation = self._add(element, "Annotation", SeqNum=1)
        if nothing:
            if self._two:
                self._markup.words(annotation, "Comment", {"en": NOT_SHOWN})
            else:
                self._add(annotation, "Comment", text=NOT_SHOWN)
        if entry.outcome:
            form, _, name = oid.removeprefix("I.").partition(".")
            self._flag(annotation, oids.outcomes(form, name), entry.outcome)
        if entry.missing:
            self._flag(annotation, oids.codelist(MISSING), entry.missing)
        if entry.source:
            self._flag(annotation, oids.codelist(SOURCE), entry.source)

    def _flag(self, annotation: Any, codelist: str, value: str) -> None:
        self._add(self._add(annotation, "Flag"), "FlagValue", text=value, CodeListOID=codelist)

    # --- audit and signature --------------------------------------------------------------------------------

    def _first(self, element: Any, audit: Audit | None, signed: Audit | None = None) -> None:
        """Audit record and signature, where they stand before the contents: in 1.3.2."""
        if not self._two:
            self._proof(element, audit, signed)

    def _last(self, element: Any, audit: Audit | None, signed: Audit | None = None) -> None:
        """Audit record and signature, where they stand behind the contents: in 2.0."""
        if self._two:
            self._proof(element, audit, signed)

    def _proof(self, element: Any, audit: Audit | None, signed: Audit | None) -> None:
        if audit is not None:
            self._audit(element, audit)
        if signed is not None:
            self._signature(element, signed)

    def _audit(self, parent: Any, audit: Audit) -> None:
        element = self._add(parent, "AuditRecord")
        self._who(element, audit)
        self._add(element, "DateTimeStamp", text=audit.at)
        if audit.reason:
            self._add(element, "ReasonForChange", text=audit.reason)
        self._add(element, "SourceID", text=audit.source)

    def _signature(self, parent: Any, audit: Audit) -> None:
        element = self._add(parent, "Signature")
        self._who(element, audit)
        self._add(element, "SignatureRef", SignatureOID=SIGNATURE)
        self._add(element, "DateTimeStamp", text=audit.at)

    def _who(self, element: Any, audit: Audit) -> None:
        self._add(element, "UserRef", UserOID=self._users[audit.user])
        self._add(element, "LocationRef", LocationOID=oids.location(audit.site))
