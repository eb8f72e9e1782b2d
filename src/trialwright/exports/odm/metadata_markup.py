"""The study element: every version of the metadata."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trialwright.build.values import LONGEST_TEXT
from trialwright.exports.odm import oids
from trialwright.exports.odm.markup import CONTEXT, Markup, yes_no
from trialwright.exports.odm.model import (
    OdmCode,
    OdmCodeList,
    OdmEvent,
    OdmForm,
    OdmGroup,
    OdmItem,
    OdmLimit,
    OdmMetadata,
    OdmStudy,
)

DATA_TYPES = {
    "integer": "integer", "scale": "integer", "decimal": "float", "quantity": "float", "boolean": "boolean",
    "date": "date", "partial_date": "partialDate", "time": "time", "text": "text", "code": "text",
}  # fmt: skip
"""Type of an item → data type of ODM."""
NUMBER_LENGTH = 46
"""Characters of the longest number an item holds: sign, 30 digits, point, and decimals beside them."""
_EVERYTHING = "SEG.schedule"
_LIMITS = {
    (False, "GE"): "The value is below the expected range.",
    (False, "LE"): "The value is above the expected range.",
    (True, "GE"): "The value is impossibly low.",
    (True, "LE"): "The value is impossibly high.",
}


def study_element(markup: Markup, study: OdmStudy) -> Any:
    """The element with all metadata."""
    return _Metadata(markup).study(study)


class _Metadata:
    def __init__(self, markup: Markup) -> None:
        self._markup = markup
        self._add = markup.add
        self._two = markup.two

    def study(self, study: OdmStudy) -> Any:
        if self._two:
            root = self._markup.make(
                "Study", OID=oids.study(study.id), StudyName=study.id, ProtocolName=study.protocol
            )
            self._markup.words(root, "Description", {"en": study.title})
        else:
            root = self._markup.make("Study", OID=oids.study(study.id))
            about = self._add(root, "GlobalVariables")
            self._add(about, "StudyName", text=study.id)
            self._add(about, "StudyDescription", text=study.title)
            self._add(about, "ProtocolName", text=study.protocol)
            self._units(root, study)
        for version in study.versions:
            self._version(root, version)
        return root

    def _units(self, root: Any, study: OdmStudy) -> None:
        found = {unit for version in study.versions for _, _, item in items_of(version) for unit in item.units}
        if not found:
            return
        parent = self._add(root, "BasicDefinitions")
        for ucum in sorted(found):
            unit = self._add(parent, "MeasurementUnit", OID=oids.unit(ucum), Name=ucum)
            self._markup.words(unit, "Symbol", {"en": ucum})

    def _version(self, root: Any, version: OdmMetadata) -> None:
        element = self._add(root, "MetaDataVersion", OID=oids.version(version.build), Name=version.name)
        protocol = self._add(element, "Protocol")
        if self._two:
            self._add(protocol, "StudyEventGroupRef", StudyEventGroupOID=_EVERYTHING, Mandatory="Yes")
            schedule = self._add(element, "StudyEventGroupDef", OID=_EVERYTHING, Name="Schedule")
        else:
            schedule = protocol
        for number, event in enumerate(version.events, start=1):
            self._event_reference(schedule, event, number)
        for event in version.events:
            self._event(element, event)
        self._forms(element, version)
        for form, _, item in items_of(version):
            self._item(element, form, item)
            if self._two and item.units:
                self._unit_item(element, form, item)
        self._codelists(element, version)
        self._conditions(element, version)
        for form, _, item in items_of(version):
            self._method(element, form, item)

    # --- events and forms -----------------------------------------------------------------------------------

    def _event_reference(self, parent: Any, event: OdmEvent, number: int) -> None:
        self._add(
            parent, "StudyEventRef", StudyEventOID=oids.event(event.id), OrderNumber=number,
            Mandatory=yes_no(event.kind == "Scheduled" and event.when is None),
            CollectionExceptionConditionOID=oids.condition(event.id) if event.when else None,
        )  # fmt: skip

    def _event(self, parent: Any, event: OdmEvent) -> None:
        element = self._add(
            parent, "StudyEventDef", OID=oids.event(event.id), Name=event.id, Repeating=yes_no(event.repeats),
            Type=event.kind,
        )  # fmt: skip
        self._markup.words(element, "Description", event.label)
        for number, form in enumerate(event.forms, start=1):
            if self._two:
                self._group_reference(element, oids.form(form), number)
            else:
                self._add(element, "FormRef", FormOID=oids.form(form), OrderNumber=number, Mandatory="No")

    def _forms(self, parent: Any, version: OdmMetadata) -> None:
        for form in version.forms.values():
            self._form(parent, form)
            if self._two:
                self._groups(parent, form)
        if not self._two:
            for form in version.forms.values():
                self._groups(parent, form)

    def _form(self, parent: Any, form: OdmForm) -> None:
        name, about = "FormDef", {}
        repeating = yes_no(form.repeats)
        if self._two:
            name, about, repeating = "ItemGroupDef", {"Type": "Form"}, self._repeating(form.repeats)
        element = self._add(parent, name, OID=oids.form(form.id), Name=form.id, Repeating=repeating, **about)
        self._markup.words(element, "Description", form.title)
        for number, group in enumerate(form.groups, start=1):
            self._group_reference(element, oids.group(form.id, group.id), number)
        self._markup.alias(element, f"{CONTEXT} kind", form.kind)

    def _group_reference(self, parent: Any, oid: str, number: int) -> None:
        self._add(parent, "ItemGroupRef", ItemGroupOID=oid, OrderNumber=number, Mandatory="No")

    def _groups(self, parent: Any, form: OdmForm) -> None:
        for group in form.groups:
            self._group(parent, form, group)

    def _group(self, parent: Any, form: OdmForm, group: OdmGroup) -> None:
        element = self._add(
            parent, "ItemGroupDef", OID=oids.group(form.id, group.id), Name=group.id,
            Repeating=self._repeating(group.repeats), Type="Section" if self._two else None,
        )  # fmt: skip
        self._markup.words(element, "Description", group.title)
        number = 0
        for item in group.items:
            number += 1
            has_unit = self._two and bool(item.units)
            self._add(
                element, "ItemRef", ItemOID=oids.item(form.id, item.id), OrderNumber=number,
                Mandatory=yes_no(item.required),
                MethodOID=oids.method(form.id, item.id) if item.derivation else None,
                CollectionExceptionConditionOID=oids.condition(form.id, item.id) if item.when else None,
                UnitsItemOID=oids.unit_item(form.id, item.id) if has_unit else None,
            )  # fmt: skip
            if has_unit:
                number += 1
                self._add(
                    element, "ItemRef", ItemOID=oids.unit_item(form.id, item.id), OrderNumber=number, Mandatory="No"
                )

    def _repeating(self, repeats: bool) -> str:
        return ("Dynamic" if repeats else "No") if self._two else yes_no(repeats)

    # --- items ----------------------------------------------------------------------------------------------

    def _item(self, parent: Any, form: OdmForm, item: OdmItem) -> None:
        type_ = DATA_TYPES[item.type]
        element = self._add(
            parent, "ItemDef", OID=oids.item(form.id, item.id), Name=item.id, DataType=type_, Length=_length(item),
            SignificantDigits=item.decimals if type_ == "float" and not self._two else None,
        )  # fmt: skip
        if not self._two:
            self._markup.words(element, "Description", item.help)
        self._markup.words(element, "Question", item.label)
        if self._two:
            self._markup.words(element, "CRFCompletionInstructions", item.help)
        else:
            for ucum in item.units:
                self._add(element, "MeasurementUnitRef", MeasurementUnitOID=oids.unit(ucum))
        for limit in item.limits:
            self._limit(element, item, limit)
        for check in item.checks:
            range_check = self._add(element, "RangeCheck", SoftHard="Soft")
            self._markup.expression(range_check, f"{CONTEXT} check {check.id}", check.expression)
            self._markup.words(range_check, "ErrorMessage", check.message)
        if item.codelist:
            self._add(element, "CodeListRef", CodeListOID=oids.codelist(item.codelist))
        self._aliases(element, form, item)

    def _aliases(self, element: Any, form: OdmForm, item: OdmItem) -> None:
        alias = self._markup.alias
        alias(element, "SDTM", item.sdtm)
        alias(element, f"{CONTEXT} type", item.type)
        alias(element, f"{CONTEXT} origin", item.origin)
        alias(element, f"{CONTEXT} outcomes", oids.outcomes(form.id, item.id) if item.outcomes else None)
        if self._two and item.decimals is not None:
            alias(element, f"{CONTEXT} decimals", str(item.decimals))

    def _unit_item(self, parent: Any, form: OdmForm, item: OdmItem) -> None:
        element = self._add(
            parent, "ItemDef", OID=oids.unit_item(form.id, item.id), Name=f"{item.id}.unit", DataType="text",
            Length=max(map(len, item.units)),
        )  # fmt: skip
        self._add(element, "CodeListRef", CodeListOID=oids.units(form.id, item.id))

    def _limit(self, parent: Any, item: OdmItem, limit: OdmLimit) -> None:
        element = self._add(
            parent, "RangeCheck", Comparator=limit.comparator, SoftHard="Hard" if limit.impossible else "Soft"
        )
        self._add(element, "CheckValue", text=limit.value)
        if item.units and not self._two:
            self._add(element, "MeasurementUnitRef", MeasurementUnitOID=oids.unit(item.units[0]))
        self._markup.words(element, "ErrorMessage", {"en": _LIMITS[limit.impossible, limit.comparator]})

    # --- code lists, conditions, methods --------------------------------------------------------------------

    def _codelists(self, parent: Any, version: OdmMetadata) -> None:
        for codelist in version.codelists.values():
            self._codelist(parent, oids.codelist(codelist.id), codelist)
        for form, _, item in items_of(version):
            if item.outcomes:
                found = OdmCodeList(f"Outcomes of {form.id}.{item.id}", {}, item.outcomes)
                self._codelist(parent, oids.outcomes(form.id, item.id), found)
            if item.units and self._two:
                codes = tuple(OdmCode(ucum, {"en": ucum}) for ucum in item.units)
                found = OdmCodeList(f"Units of {form.id}.{item.id}", {}, codes)
                self._codelist(parent, oids.units(form.id, item.id), found)

    def _codelist(self, parent: Any, oid: str, codelist: OdmCodeList) -> None:
        element = self._add(parent, "CodeList", OID=oid, Name=codelist.id, DataType="text")
        self._markup.words(element, "Description", codelist.label)
        for number, code in enumerate(codelist.codes, start=1):
            term = self._add(element, "CodeListItem", CodedValue=code.value, OrderNumber=number)
            self._markup.words(term, "Decode", code.label)
            self._markup.alias(term, "SDTM", code.standard)
        self._markup.alias(element, "nci:ExtCodeID", codelist.standard)

    def _conditions(self, parent: Any, version: OdmMetadata) -> None:
        for event in version.events:
            self._condition(parent, oids.condition(event.id), event.when)
        for form, _, item in items_of(version):
            self._condition(parent, oids.condition(form.id, item.id), item.when)

    def _condition(self, parent: Any, oid: str, when: str | None) -> None:
        """ODM says when something is *not* collected, a study when it is."""
        if when is None:
            return
        element = self._add(parent, "ConditionDef", OID=oid, Name=oid)
        self._markup.words(element, "Description", {"en": f"Not collected unless: {when}"})
        if self._two:
            self._add(element, "MethodSignature")
        self._markup.expression(element, CONTEXT, f"not ({when})")

    def _method(self, parent: Any, form: OdmForm, item: OdmItem) -> None:
        if item.derivation is None:
            return
        oid = oids.method(form.id, item.id)
        element = self._add(parent, "MethodDef", OID=oid, Name=f"{form.id}.{item.id}", Type="Computation")
        self._markup.words(element, "Description", {"en": item.derivation.text})
        if self._two:
            self._add(element, "MethodSignature")
        self._markup.expression(element, f"{CONTEXT} {item.derivation.by}", item.derivation.text)


def items_of(version: OdmMetadata) -> Iterator[tuple[OdmForm, OdmGroup, OdmItem]]:
    """Every item with its form and group."""
    for form in version.forms.values():
        for group in form.groups:
            for item in group.items:
                yield form, group, item


def _length(item: OdmItem) -> int | None:
    type_ = DATA_TYPES[item.type]
    if item.type == "code":
        return 40
    return {"text": LONGEST_TEXT, "float": NUMBER_LENGTH, "integer": NUMBER_LENGTH}.get(type_)
