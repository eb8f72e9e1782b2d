"""Item values of an ODM file, one by one, so that a file of any size is read in little memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trialwright.exports.odm.model import OdmValue
from trialwright.exports.odm.parsing import child, children, elements, free, local, text_of


def read_odm_values(path: Path) -> Iterator[OdmValue]:
    """Every item value in the order of the file; a unit stands with its value in both versions.

    A form that was removed or not done as a whole comes as one value without item.

    Raises:
        OdmUnreadable: no ODM file.
    """
    version = ""
    units: dict[str, str] = {}
    names: dict[str, str] = {}
    for event, name, element in elements(path):
        if event == "start":
            if name == "ClinicalData":
                version = str(element.get("MetaDataVersionOID"))
            continue
        if name == "ItemRef" and element.get("UnitsItemOID"):
            units[element.get("UnitsItemOID")] = element.get("ItemOID")
        elif name == "MeasurementUnit":
            names[element.get("OID")] = element.get("Name")
        elif name == "SubjectData":
            yield from _Subject(element, version, units, names).values()
        if name in ("SubjectData", "MetaDataVersion"):
            free(element)


class _Subject:
    def __init__(self, element: Any, version: str, units: dict[str, str], names: dict[str, str]) -> None:
        self._element = element
        self._version = version
        self._unit_items = units
        self._unit_names = names

    def values(self) -> Iterator[OdmValue]:
        for event in children(self._element, "StudyEventData"):
            for form in (*children(event, "FormData"), *children(event, "ItemGroupData")):
                place = (
                    event.get("StudyEventOID"),
                    event.get("StudyEventRepeatKey"),
                    form.get("FormOID") or form.get("ItemGroupOID"),
                    form.get("FormRepeatKey") or form.get("ItemGroupRepeatKey"),
                )
                flags = _flags(form)
                if flags or form.get("TransactionType") == "Remove":
                    yield self._value(place, ("", None, ""), form, flags)
                for group in children(form, "ItemGroupData"):
                    yield from self._group(place, group)

    def _group(self, place: tuple[Any, ...], group: Any) -> Iterator[OdmValue]:
        items = list(children(group, "ItemData"))
        units = {
            self._unit_items[one.get("ItemOID")]: _content(one)
            for one in items
            if one.get("ItemOID") in self._unit_items
        }
        for one in items:
            if one.get("ItemOID") not in self._unit_items:
                at = (group.get("ItemGroupOID"), group.get("ItemGroupRepeatKey"), one.get("ItemOID"))
                yield self._value(place, at, one, _flags(one), units.get(one.get("ItemOID")))

    def _value(
        self,
        place: tuple[Any, ...],
        at: tuple[Any, ...],
        element: Any,
        flags: dict[str, str],
        unit: str | None = None,
    ) -> OdmValue:
        audit = child(element, "AuditRecord")
        event, event_key, form, form_key = place
        group, group_key, item = at
        return OdmValue(
            version=self._version,
            participant=self._element.get("SubjectKey"),
            event=event,
            event_key=event_key,
            form=form,
            form_key=form_key,
            group=group,
            group_key=group_key,
            item=item,
            value=_content(element) if local(element) == "ItemData" else None,
            unit=unit or self._unit(element),
            flags=flags,
            transaction=element.get("TransactionType"),
            user=_reference(audit, "UserRef", "UserOID"),
            location=_reference(audit, "LocationRef", "LocationOID"),
            at=None if audit is None else text_of(audit, "DateTimeStamp"),
            reason=None if audit is None else text_of(audit, "ReasonForChange"),
        )

    def _unit(self, element: Any) -> str | None:
        oid = _reference(element, "MeasurementUnitRef", "MeasurementUnitOID")
        return None if oid is None else self._unit_names.get(oid, oid)


def _content(element: Any) -> str | None:
    if element.get("IsNull") == "Yes":
        return None
    written: str | None = element.get("Value")
    return written if written is not None else text_of(element, "Value")


def _flags(element: Any) -> dict[str, str]:
    values = (value for note in children(element, "Annotation") for value in note.iterfind(".//{*}FlagValue"))
    return {value.get("CodeListOID"): value.text or "" for value in values}


def _reference(element: Any, name: str, attribute: str) -> str | None:
    found = None if element is None else child(element, name)
    return None if found is None else found.get(attribute)
