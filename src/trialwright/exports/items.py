"""Every item value as it stands, one row a value, with labels from the build that is in force at the site."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from trialwright.build import Build, ItemValue, number_of
from trialwright.exports.identifying import identifies
from trialwright.foundation.missing import MissingReason
from trialwright.foundation.tables import Cell, Row, Rows
from trialwright.protocol.forms import Item
from trialwright.trial.capture.views import ITEM, VISIT
from trialwright.trial.enrolment.views import DISPOSITION
from trialwright.trial.setup.views import SITE

ITEM_COLUMNS: Mapping[str, str] = {
    "participant": "Participant",
    "site": "Site",
    "encounter": "Visit",
    "encounter_label": "Visit, label",
    "visit_date": "Date of the visit",
    "form": "Form",
    "form_label": "Form, label",
    "repeat": "Number of a repeated form",
    "item": "Item",
    "label": "Item, label",
    "value": "Value as entered",
    "value_label": "Value, label of its code",
    "unit": "Unit as entered (UCUM)",
    "standard_value": "Value in the standard unit",
    "standard_unit": "Standard unit (UCUM)",
    "outcome": "Outcome instead of a value",
    "missing": "Why there is no value",
    "derived": "Computed, not entered (1)",
    "verified": "Verified against source (1)",
    "changes": "Number of changes after the first entry",
    "source": "Where the value was seen first: paper, device, ehr, direct",
}
"""Column → label."""


def labelled_items(rows: Rows, builds: Mapping[str, Build], language: str) -> Iterator[Row]:
    """One row for each value, in the order of participant, visit, form and item; what identifies stays away.

    Args:
        rows: of the open space.
        builds: builds by id.
        language: of the labels; a label that is missing in it comes in the study's first language.
    """
    build_of_site = {str(site["site"]): builds[str(site["build"])] for site in rows.where(SITE)}
    site_of = {row["participant"]: row["site"] for row in rows.where(DISPOSITION)}
    dates = {(row["participant"], row["encounter"]): row["date"] for row in rows.where(VISIT)}
    for row in rows.where(ITEM):
        site = site_of.get(row["participant"])
        build = build_of_site[str(site)]
        if identifies(builds, str(row["form"]), str(row["item"])):
            row = {**row, "value": None, "unit": None, "outcome": None, "missing": None}
        yield {
            **row,
            "source": row["source"] or (_declared_source(build, row) if row["value"] is not None else None),
            "site": site,
            "visit_date": dates.get((row["participant"], row["encounter"])),
            **_labels(build, row, language),
            **_standard(build, row),
        }


def _declared_source(build: Build, row: Row) -> str | None:
    item = _item(build, row)
    return item.origin if item else None


def _labels(build: Build, row: Row, language: str) -> Row:
    form, item = build.study.forms.get(str(row["form"])), _item(build, row)
    encounter = build.study.encounters.get(str(row["encounter"]))
    return {
        "encounter_label": _text(encounter.label, language) if encounter else row["encounter"],
        "form_label": _text(form.title, language) if form else None,
        "label": _text(item.label, language) if item else None,
        "value_label": _code_label(build, item, row["value"], language) if item else None,
    }


def _code_label(build: Build, item: Item, value: Cell, language: str) -> str | None:
    codelist = build.study.terminology.get(item.codelist or "")
    if codelist is None:
        return None
    return next((_text(code.label, language) for code in codelist.codes if code.code == value), None)


def _standard(build: Build, row: Row) -> Row:
    item = _item(build, row)
    if item is None or item.type != "quantity" or row["value"] is None:
        return {"standard_value": row["value"] if item and item.type in ("integer", "decimal", "scale") else None}
    field = build.forms[str(row["form"])].items[item.id].field
    missing = MissingReason(str(row["missing"])) if row["missing"] else None
    number = number_of(field, ItemValue(text=str(row["value"]), unit=str(row["unit"]), missing=missing))
    same = row["unit"] == item.units[0]
    return {
        "standard_value": row["value"] if same or number is None else _decimal(number),
        "standard_unit": item.units[0],
    }


def _decimal(number: Fraction) -> str:
    """Six places: more than any instrument here measures, and never an exponent."""
    text = f"{float(number):.6f}"
    return text.rstrip("0").rstrip(".")


def _item(build: Build, row: Row) -> Item | None:
    form = build.forms.get(str(row["form"]))
    compiled = form.items.get(str(row["item"]).partition(".")[0]) if form else None
    return compiled.item if compiled else None


def _text(text: Mapping[str, str], language: str) -> str:
    return text.get(language) or next(iter(text.values()))
