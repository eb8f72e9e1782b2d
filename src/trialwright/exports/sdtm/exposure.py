"""EX: what each participant received, in the words of the arm."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from trialwright.build import ItemValue, number_of
from trialwright.exports.sdtm import standard
from trialwright.exports.sdtm.administrations import Administration
from trialwright.exports.sdtm.design import Design
from trialwright.exports.sdtm.drafts import Draft
from trialwright.exports.sdtm.guide import Guide, Kind
from trialwright.exports.sdtm.people import Person
from trialwright.exports.sdtm.reading import Reading
from trialwright.exports.sdtm.submission import cell, decimal, numeric
from trialwright.exports.terminology import submission_unit
from trialwright.protocol.study import Arm


def exposure(reading: Reading, design: Design, people: tuple[Person, ...], guide: Guide) -> Iterator[Draft]:
    """EX, one record an administration."""
    for person in people:
        for one in person.administrations:
            arm = _arm(reading, design, person, one)
            if arm is None:
                continue
            if not arm.exposure:
                guide.note(Kind.NO_ARM_TREATMENT, arm.id)
            yield _record(reading, design, arm, one)


def _arm(reading: Reading, design: Design, person: Person, one: Administration) -> Arm | None:
    """The arm whose treatment this was: by content where the closed space tells it, else by the allocation."""
    custody = reading.study.custody
    if custody is not None and one.content is not None:
        given = [arm for arm, content in custody.given_in.items() if content == one.content]
        if len(given) == 1:
            return design.arms[given[0]]
    if person.unit is None:
        return None
    arm = design.arms_of(person.unit).get(reading.encounters[one.encounter].epoch)
    return design.arms[arm] if arm else None


def _record(reading: Reading, design: Design, arm: Arm, one: Administration) -> Draft:
    draft = Draft("EX", one.participant, {"DOMAIN": "EX"}, encounter=one.encounter)
    draft.put("EXLNKID", one.encounter.upper())
    draft.put("EXTRT", reading.text(arm.label).upper())
    for name, fixed in arm.exposure.items():
        known = standard.domain("EX").find(name)
        draft.put(name, cell(fixed, number=known is not None and known.number))
    draft.put("EXTRT", f"{design.prefix}{draft.values['EXTRT']}")
    _dose(reading, draft, arm, one)
    draft.put("EXSTDTC", one.date, one.source)
    draft.put("EXENDTC", one.date)
    return draft


def _dose(reading: Reading, draft: Draft, arm: Arm, one: Administration) -> None:
    """The dose given; where the closed space is not shown, the dose that the arm would mean."""
    custody = reading.study.custody
    if custody is None or custody.given_in.get(arm.id) != "product":
        return
    dose = one.dose if one.content is not None else _planned_dose(reading, one)
    if dose is not None:
        draft.put("EXDOSE", numeric(dose))
        draft.put("EXDOSU", submission_unit(custody.dose.unit))


def _planned_dose(reading: Reading, one: Administration) -> str | None:
    custody = reading.study.custody
    assert custody is not None, "asked by its caller"
    form, _, item = custody.dose.weight.partition(".")
    for value in reading.collected_at(one.participant, one.encounter):
        if value.form.id == form and value.item.id == item and value.value is not None:
            weight = number_of(value.compiled.field, ItemValue(text=value.value, unit=value.unit))
            if weight is not None:
                return decimal(min(weight * Fraction(custody.dose.per_kg), Fraction(custody.dose.maximum)))
    return None
