"""Object identifiers: readable, the same in every version of ODM and for every export of a study."""

from __future__ import annotations

import re

from trialwright.exports.odm.model import LOG, UNSCHEDULED
from trialwright.exports.sdtm.reading import LOG as LOG_ENCOUNTER

_UNSCHEDULED = re.compile(r"unscheduled_([1-9][0-9]*)\Z", re.ASCII)


def study(name: str) -> str:
    """Of a study."""
    return f"ST.{name}"


def version(build: str) -> str:
    """Of the metadata of a build."""
    return f"MDV.{build}"


def event(name: str) -> str:
    """Of an encounter."""
    return f"SE.{name}"


def form(name: str) -> str:
    """Of a form."""
    return f"F.{name}"


def group(of_form: str, name: str) -> str:
    """Of an item group."""
    return f"IG.{of_form}.{name}"


def item(of_form: str, name: str) -> str:
    """Of an item."""
    return f"I.{of_form}.{name}"


def unit_item(of_form: str, name: str) -> str:
    """Of the item that holds another's unit (ODM 2.0)."""
    return f"{item(of_form, name)}.unit"


def units(of_form: str, name: str) -> str:
    """Of the code list of an item's units (ODM 2.0)."""
    return f"CL._units.{of_form}.{name}"


def codelist(name: str) -> str:
    """Of a code list."""
    return f"CL.{name}"


def outcomes(of_form: str, name: str) -> str:
    """Of the code list of an item's outcomes."""
    return f"CL._outcome.{of_form}.{name}"


def belongs_to_item(oid: str) -> bool:
    """Whether a code list is the outcomes or units of one item, and none of the study's own."""
    return oid.startswith(("CL._outcome.", "CL._units."))


def unit(ucum: str) -> str:
    """Of a unit (ODM 1.3.2)."""
    return f"MU.{ucum}"


def condition(*of: str) -> str:
    """Of the condition of an item or an encounter."""
    return f"CO.{'.'.join(of)}"


def method(of_form: str, name: str) -> str:
    """Of a derivation."""
    return f"MT.{of_form}.{name}"


def location(site: str | None) -> str:
    """Of a site; None is where people without a site work."""
    return f"LOC.{site}" if site else "LOC._central"


def event_of(encounter: str) -> tuple[str, str | None]:
    """Event and repeat key of an encounter as the record names it."""
    found = _UNSCHEDULED.match(encounter)
    if found:
        return UNSCHEDULED, found.group(1)
    return (LOG if encounter == LOG_ENCOUNTER else encounter), None
