"""ODM read back: the metadata as one model whichever version it came in, the values one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Any

from trialwright.exports.odm import oids
from trialwright.exports.odm.errors import OdmUnreadable
from trialwright.exports.odm.markup import CONTEXT
from trialwright.exports.odm.metadata_markup import DATA_TYPES
from trialwright.exports.odm.model import (
    OdmCheck,
    OdmCode,
    OdmCodeList,
    OdmDerivation,
    OdmEvent,
    OdmForm,
    OdmGroup,
    OdmItem,
    OdmLimit,
    OdmMetadata,
    OdmStudy,
    Words,
)
from trialwright.exports.odm.parsing import child, children, elements, free, local, text_of

_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_TYPE_OF = {data_type: type_ for type_, data_type in reversed(DATA_TYPES.items())}
"""ODM's data type → type of an item, for files that do not say it themselves."""


def read_odm(path: Path) -> OdmStudy:
    """The study with all versions of its metadata.

    Args:
        path: an ODM file, 1.3 or 2.0, of ours or of another system. What an item's type is called is read from our
            alias where there is one, else from the data type.

    Raises:
        OdmUnreadable: no ODM, without a study, or a reference inside the metadata that leads nowhere.
    """
    study: dict[str, str] = {}
    versions: list[OdmMetadata] = []
    units: dict[str, str] = {}
    with closing(elements(path)) as read:
        for event, name, element in read:
            if event == "start":
                continue
            if name == "MeasurementUnit":
                units[element.get("OID")] = element.get("Name")
            elif name == "GlobalVariables":
                study = {
                    "name": text_of(element, "StudyName") or "",
                    "title": text_of(element, "StudyDescription") or "",
                    "protocol": text_of(element, "ProtocolName") or "",
                }
            elif name == "MetaDataVersion":
                versions.append(_read(path, element, units))
                study = study or _study_of(element.getparent())
                free(element)
            elif name == "Study":
                break
    if not versions:
        raise OdmUnreadable(f"{path} holds no metadata", remedy="give a file with a study in it")
    return OdmStudy(study.get("name", ""), study.get("title", ""), study.get("protocol", ""), tuple(versions))


def _read(path: Path, element: Any, units: dict[str, str]) -> OdmMetadata:
    try:
        return _Version(path, element, units).read()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise OdmUnreadable(
            f"{path}: the metadata {element.get('OID')!r} lack an attribute that ODM requires, or hold a wrong one",
            remedy="check the file against the schema of ODM",
        ) from error


def _study_of(element: Any) -> dict[str, str]:
    """Version 2.0 says in attributes what 1.3 says in elements."""
    return {
        "name": element.get("StudyName", ""),
        "title": next(iter(_words(child(element, "Description")).values()), ""),
        "protocol": element.get("ProtocolName", ""),
    }


class _Version:
    """Reads one version of the metadata."""

    def __init__(self, path: Path, element: Any, units: dict[str, str]) -> None:
        self._path = path
        self._element = element
        self._measurement_units = units
        self._found = {(local(one), one.get("OID")): one for one in element if isinstance(one.tag, str)}

    def read(self) -> OdmMetadata:
        root = self._element
        forms = tuple(self._form(one) for one in self._form_elements())
        lists = (self._codelist(one) for one in self._of("CodeList") if not oids.belongs_to_item(one.get("OID")))
        return OdmMetadata(
            build=_without(root.get("OID"), "MDV."),
            name=root.get("Name", ""),
            events=tuple(self._events()),
            forms=MappingProxyType({form.id: form for form in forms}),
            codelists=MappingProxyType({codelist.id: codelist for codelist in lists}),
        )

    def _of(self, name: str) -> Iterator[Any]:
        return (element for (kind, _), element in self._found.items() if kind == name)

    def _form_elements(self) -> Iterator[Any]:
        yield from self._of("FormDef")
        yield from (one for one in self._of("ItemGroupDef") if one.get("Type") == "Form")

    def _get(self, name: str, oid: str | None) -> Any:
        found = self._found.get((name, oid))
        if found is None:
            raise OdmUnreadable(
                f"{self._path} refers to {name} {oid!r}, which it does not define", remedy="ask for a whole file"
            )
        return found

    # --- events ---------------------------------------------------------------------------------------------

    def _events(self) -> Iterator[OdmEvent]:
        places = (self._element.iterfind(f".//{{*}}{parent}/{{*}}StudyEventRef") for parent in _SCHEDULES)
        for reference in (one for found in places for one in found):
            element = self._get("StudyEventDef", reference.get("StudyEventOID"))
            forms = [
                *(one.get("FormOID") for one in _ordered(element, "FormRef")),
                *(one.get("ItemGroupOID") for one in _ordered(element, "ItemGroupRef")),
            ]
            yield OdmEvent(
                id=_without(element.get("OID"), "SE."),
                label=_words(child(element, "Description")),
                kind=element.get("Type"),
                repeats=element.get("Repeating") == "Yes",
                when=self._when(reference),
                forms=tuple(_without(form, "F.") for form in forms),
            )

    def _when(self, reference: Any) -> str | None:
        oid = reference.get("CollectionExceptionConditionOID")
        if oid is None:
            return None
        context, text = _formula(self._get("ConditionDef", oid))
        ours = context == CONTEXT and text.startswith("not (") and text.endswith(")")
        return text[len("not (") : -1] if ours else f"not ({text})"

    # --- forms and items ------------------------------------------------------------------------------------

    def _form(self, element: Any) -> OdmForm:
        groups = (
            self._group(self._get("ItemGroupDef", one.get("ItemGroupOID")))
            for one in _ordered(element, "ItemGroupRef")
        )
        return OdmForm(
            id=_without(element.get("OID"), "F."),
            title=_words(child(element, "Description")),
            kind=_aliases(element).get(f"{CONTEXT} kind"),
            repeats=element.get("Repeating") != "No",
            groups=tuple(groups),
        )

    def _group(self, element: Any) -> OdmGroup:
        references = list(_ordered(element, "ItemRef"))
        units = {one.get("UnitsItemOID") for one in references}
        items = (self._item(one) for one in references if one.get("ItemOID") not in units)
        title = _words(child(element, "Description"))
        return OdmGroup(element.get("Name"), title or None, element.get("Repeating") != "No", tuple(items))

    def _item(self, reference: Any) -> OdmItem:
        element = self._get("ItemDef", reference.get("ItemOID"))
        alias = _aliases(element)
        codelist = child(element, "CodeListRef")
        help_ = _words(child(element, "CRFCompletionInstructions")) or _words(child(element, "Description"))
        decimals = element.get("SignificantDigits") or alias.get(f"{CONTEXT} decimals")
        return OdmItem(
            id=element.get("Name"),
            label=_words(child(element, "Question")),
            type=alias.get(f"{CONTEXT} type") or _TYPE_OF.get(element.get("DataType"), "text"),
            help=help_ or None,
            units=self._units(reference, element),
            decimals=int(decimals) if decimals is not None else None,
            codelist=self._codelist(self._get("CodeList", codelist.get("CodeListOID"))).id
            if codelist is not None
            else None,
            limits=tuple(_limits(element)),
            checks=tuple(_checks(element)),
            required=reference.get("Mandatory") == "Yes",
            when=self._when(reference),
            derivation=self._derivation(reference),
            outcomes=self._outcomes(alias.get(f"{CONTEXT} outcomes")),
            origin=alias.get(f"{CONTEXT} origin"),
            sdtm=alias.get("SDTM"),
        )

    def _units(self, reference: Any, element: Any) -> tuple[str, ...]:
        item = reference.get("UnitsItemOID")
        if item is not None:
            listed = child(self._get("ItemDef", item), "CodeListRef")
            if listed is None:
                return ()
            codes = self._codelist(self._get("CodeList", listed.get("CodeListOID"))).codes
            return tuple(code.value for code in codes)
        found = (one.get("MeasurementUnitOID") for one in children(element, "MeasurementUnitRef"))
        return tuple(self._measurement_units.get(oid, oid) for oid in found)

    def _derivation(self, reference: Any) -> OdmDerivation | None:
        oid = reference.get("MethodOID")
        if oid is None:
            return None
        context, text = _formula(self._get("MethodDef", oid))
        return OdmDerivation("instrument" if context == f"{CONTEXT} instrument" else "expression", text)

    def _outcomes(self, oid: str | None) -> tuple[OdmCode, ...]:
        return self._codelist(self._get("CodeList", oid)).codes if oid else ()

    def _codelist(self, element: Any) -> OdmCodeList:
        terms = (*_ordered(element, "CodeListItem"), *_ordered(element, "EnumeratedItem"))
        codes = (
            OdmCode(one.get("CodedValue"), _words(child(one, "Decode")), _aliases(one).get("SDTM")) for one in terms
        )
        return OdmCodeList(
            id=_without(element.get("OID"), "CL."),
            label=_words(child(element, "Description")),
            codes=tuple(codes),
            standard=_aliases(element).get("nci:ExtCodeID"),
        )


_SCHEDULES = ("Protocol", "StudyEventGroupDef")


def _limits(element: Any) -> Iterator[OdmLimit]:
    for check in children(element, "RangeCheck"):
        comparator, value = check.get("Comparator"), text_of(check, "CheckValue")
        if comparator in ("GE", "LE") and value is not None:
            yield OdmLimit(comparator, value, check.get("SoftHard") == "Hard")


def _checks(element: Any) -> Iterator[OdmCheck]:
    for check in children(element, "RangeCheck"):
        if child(check, "FormalExpression") is not None:
            context, text = _formula(check)
            yield OdmCheck(context.removeprefix(f"{CONTEXT} check "), text, _words(child(check, "ErrorMessage")))


def _formula(element: Any) -> tuple[str, str]:
    """Context and text of a formal expression; its description where it has none."""
    found = child(element, "FormalExpression")
    if found is None:
        return "", next(iter(_words(child(element, "Description")).values()), "")
    text = text_of(found, "Code")
    return found.get("Context", ""), text if text is not None else (found.text or "")


def _words(element: Any) -> Words:
    if element is None:
        return {}
    return {one.get(_LANGUAGE, ""): one.text or "" for one in children(element, "TranslatedText")}


def _aliases(element: Any) -> dict[str, str]:
    return {one.get("Context"): one.get("Name") for one in children(element, "Alias")}


def _ordered(element: Any, name: str) -> Iterator[Any]:
    """Children in the order they number themselves, or in that of the file."""
    found = list(children(element, name))
    numbered = sorted(enumerate(found), key=lambda one: (int(one[1].get("OrderNumber") or 0), one[0]))
    return (element for _, element in numbered)


def _without(oid: str, prefix: str) -> str:
    return oid.removeprefix(prefix)
