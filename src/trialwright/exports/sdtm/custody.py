"""Custody of a product made from a participant's own cells: BE, BS and RELSPEC.

A collection is one specimen (REFID is its label); the product made from it is another, its child (label and ``.P``).
Collections are open facts. Everything that the laboratory records is in the closed space.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trialwright.exports.sdtm.drafts import Draft
from trialwright.exports.sdtm.guide import Guide, Kind
from trialwright.exports.sdtm.reading import Reading
from trialwright.exports.sdtm.submission import cell
from trialwright.exports.terminology import submission_unit, test_name
from trialwright.protocol.custody import Measurement
from trialwright.protocol.mapping import Mapping
from trialwright.trial.custody.views import MEASUREMENT, STEP

_DECODES = {
    "product_received": "RECEIVING",
    "manufacture_step_recorded": "CULTURING",
    "product_stored": "STORING",
    "product_destroyed": "DESTROYING",
}
_ELSEWHERE = ("measurements_recorded", "late_result_recorded", "product_administered")
"""Steps that are records of BS and EX."""
_BS_TESTS = ("C124300",)


@dataclass(frozen=True)
class Collection:
    """A collection as recorded in the open space."""

    participant: str
    label: str
    slot: str
    date: str
    volume_ml: str


def biospecimen_events(reading: Reading, collections: tuple[Collection, ...], guide: Guide) -> Iterator[Draft]:
    """BE: the collection, and each step of the laboratory where the closed space is shown."""
    if reading.study.custody is None:
        return
    encounter_of = {slot.id: slot.collection for slot in reading.study.custody.slots}
    for one in collections:
        draft = Draft("BE", one.participant, {"DOMAIN": "BE"}, encounter=encounter_of.get(one.slot))
        draft.put("BEREFID", one.label)
        draft.put("BETERM", "COLLECTION")
        draft.put("BEDECOD", "COLLECTING")
        draft.put("BEDTC", one.date)
        draft.put("BESTDTC", one.date)
        yield draft
    for row in reading.closed_of(STEP):
        what = str(row["what"])
        if what in _ELSEWHERE:
            continue
        draft = Draft("BE", str(row["participant"]), {"DOMAIN": "BE"})
        draft.put("BEREFID", str(row["label"]) if what == "product_received" else product_of(str(row["label"])))
        draft.put("BESPID", str(row["step"]))
        draft.put("BETERM", _term(what, str(row["details"] or "")))
        draft.put("BEDECOD", _DECODES.get(what))
        draft.put("BEPARTY", str(row["organisation"]).upper())
        draft.put("BEDTC", str(row["local"])[:19])
        draft.put("BESTDTC", str(row["local"])[:19])
        yield draft
    if reading.closed is None:
        guide.note(Kind.CLOSED_SPACE_LEFT_OUT, "BE, BS, RELSPEC", "collections only")


def product_of(label: str) -> str:
    """REFID of the product made from a collection."""
    return f"{label}.P"


def _term(what: str, details: str) -> str:
    words = what.replace("_", " ").upper()
    return f"{words}: {details}"[:200] if details else words


def biospecimen_findings(
    reading: Reading, collections: tuple[Collection, ...], on_forms: set[str]
) -> Iterator[Draft]:
    """BS: volumes that no form holds, and what the laboratory measured.

    Args:
        on_forms: labels of collections whose volume is on a form.
    """
    custody = reading.study.custody
    if custody is None:
        return
    encounter_of = {slot.id: slot.collection for slot in custody.slots}
    for one in collections:
        if one.label in on_forms:
            continue
        draft = Draft("BS", one.participant, {"DOMAIN": "BS"}, encounter=encounter_of.get(one.slot))
        _result(draft, one.volume_ml, "mL")
        draft.put("BSTESTCD", "VOLUME")
        draft.put("BSTEST", "Volume")
        draft.put("BSCAT", "COLLECTION")
        draft.put("BSREFID", one.label)
        draft.put("BSSPEC", custody.specimen)
        draft.put("BSDTC", one.date)
        yield draft
    declared = {measurement.id: measurement for measurement in custody.measurements}
    for row in reading.closed_of(MEASUREMENT):
        yield _measured(reading, declared.get(str(row["measurement"])), row)


def _measured(reading: Reading, measurement: Measurement | None, row: dict[str, str | int | None]) -> Draft:
    mapping = (measurement.sdtm if measurement else None) or Mapping()
    test = mapping.test or str(row["measurement"]).upper().replace("_", "")[:8]
    draft = Draft("BS", str(row["participant"]), {"DOMAIN": "BS"})
    draft.put("BSTESTCD", test)
    label = reading.text(measurement.label)[:40].strip() if measurement else test
    draft.put("BSTEST", mapping.name or test_name(_BS_TESTS, test) or label)
    draft.put("BSCAT", "RELEASE TESTING")
    draft.put("BSREFID", product_of(str(row["label"])))
    draft.put("BSSPEC", reading.study.custody.product_specimen if reading.study.custody else None)
    number = measurement is None or measurement.type in ("integer", "decimal", "quantity")
    value = str(row["value"])
    if measurement is not None and measurement.type == "code":
        value = _code(reading, measurement, value)
    _result(draft, value, str(row["unit"]) if row["unit"] else None, number=number)
    draft.put("BSDTC", str(row["recorded_at"])[:10])
    for name, fixed in mapping.fixed.items():
        draft.put(name, fixed)
    return draft


def _result(draft: Draft, text: str, ucum: str | None, *, number: bool = True) -> None:
    unit = submission_unit(ucum) if ucum else None
    draft.put("BSORRES", text)
    draft.put("BSORRESU", unit)
    plain = text.rstrip("0").rstrip(".") if number and "." in text else text
    draft.put("BSSTRESC", plain)
    if number:
        draft.put("BSSTRESN", cell(plain, number=True))
        draft.put("BSSTRESU", unit)


def _code(reading: Reading, measurement: Measurement, value: str) -> str:
    codelist = reading.study.terminology.get(measurement.codelist or "")
    codes = codelist.codes if codelist else ()
    return next((code.cdisc or reading.text(code.label) for code in codes if code.code == value), value)


def related_specimens(reading: Reading, events: list[Draft]) -> Iterator[Draft]:
    """RELSPEC: each collection, and below it the product that the laboratory made from it."""
    custody = reading.study.custody
    if custody is None:
        return
    labels = dict.fromkeys((draft.participant, str(draft.values["BEREFID"])) for draft in events)
    for participant, label in sorted(labels, key=lambda pair: (str(pair[0]), pair[1])):
        is_product = label.endswith(".P")
        draft = Draft("RELSPEC", participant, {"REFID": label})
        draft.put("SPEC", custody.product_specimen if is_product else custody.specimen)
        draft.put("PARENT", label.removesuffix(".P") if is_product else None)
        draft.put("LEVEL", 2 if is_product else 1)
        yield draft
