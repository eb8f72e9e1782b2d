"""Whether every reference of an ODM file leads to something that it defines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trialwright.exports.odm.parsing import elements, free

_OF_VERSION = {
    "StudyEventOID": ("StudyEventDef",),
    "StudyEventGroupOID": ("StudyEventGroupDef",),
    "FormOID": ("FormDef",),
    "ItemGroupOID": ("ItemGroupDef",),
    "ItemOID": ("ItemDef",),
    "UnitsItemOID": ("ItemDef",),
    "CodeListOID": ("CodeList",),
    "CollectionExceptionConditionOID": ("ConditionDef",),
    "MethodOID": ("MethodDef",),
}
"""Attribute → what it refers to, inside one version of the metadata."""
_OF_FILE = {
    "StudyOID": ("Study",),
    "MetaDataVersionOID": ("MetaDataVersion",),
    "MeasurementUnitOID": ("MeasurementUnit",),
    "UserOID": ("User",),
    "LocationOID": ("Location",),
    "OrganizationOID": ("Organization",),
    "SignatureOID": ("SignatureDef",),
}
_SCOPES = frozenset({"MetaDataVersion", "ClinicalData"})
_FREED = frozenset({"SubjectData", "MetaDataVersion"})


def dangling_references(path: Path) -> tuple[str, ...]:
    """References that lead nowhere, as ``Element@Attribute=OID``; each once, in the order of the file.

    References of metadata and data are looked for in the version of the metadata they belong to.

    Raises:
        OdmUnreadable: no ODM file.
    """
    defined: set[tuple[str, str, str]] = set()
    used: dict[tuple[str, str, str], str] = {}
    scope = ""
    for event, name, element in elements(path):
        if event == "end":
            if name in _SCOPES:
                scope = ""
            if name in _FREED:
                free(element)
            continue
        if name in _SCOPES:
            scope = str(element.get("OID") or element.get("MetaDataVersionOID"))
        if name == "MetaDataVersion":
            defined.add(("", name, scope))
        elif element.get("OID") is not None:
            defined.add((scope if _in_version(name) else "", name, element.get("OID")))
        _use(used, scope, name, element)
    return tuple(dict.fromkeys(what for key, what in used.items() if key not in defined))


def _in_version(name: str) -> bool:
    return any(name in kinds for kinds in _OF_VERSION.values())


def _use(used: dict[tuple[str, str, str], str], scope: str, name: str, element: Any) -> None:
    for attribute, value in element.attrib.items():
        if attribute in _OF_VERSION:
            used.setdefault((scope, _OF_VERSION[attribute][0], value), f"{name}@{attribute}={value}")
        elif attribute in _OF_FILE:
            used.setdefault(("", _OF_FILE[attribute][0], value), f"{name}@{attribute}={value}")
