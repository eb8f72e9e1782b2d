"""What was given to whom: forms of exposure, and the custody of a product where there is one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trialwright.exports.datasets import Source
from trialwright.exports.sdtm.guide import Guide, Kind
from trialwright.exports.sdtm.reading import Collected, Reading
from trialwright.trial.custody.views import PRODUCT, SLOT


@dataclass(frozen=True)
class Administration:
    """One administration of study treatment.

    Attributes:
        date: local date, ISO 8601.
        encounter: at which it was given.
        slot: of ``custody.yaml``, or None.
        content: ``product`` or ``comparator`` as the closed space recorded it; None where that is not shown.
        dose: as recorded in the closed space, in the unit of the custody's dose.
        source: the form it was collected on.
    """

    participant: str
    date: str
    encounter: str
    slot: str | None = None
    label: str | None = None
    content: str | None = None
    dose: str | None = None
    source: Source | None = None


def administrations_of(reading: Reading, guide: Guide) -> dict[str, tuple[Administration, ...]]:
    """Participant → what was given to them, by date.

    Where there is a custody, its record says what was given, and a form adds where it was collected; else the forms
    say it. The guide hears of forms that the custody does not know, or knows of another day.
    """
    forms = {(one.participant, one.encounter): one for one in _on_forms(reading)}
    if reading.study.custody is None:
        found = list(forms.values())
    else:
        found = [
            _joined(one, forms.pop((one.participant, one.encounter), None), guide) for one in _from_slots(reading)
        ]
        for form in forms.values():
            what = f"the form says {form.date}, the custody holds no injection"
            guide.note(Kind.EXPOSURE_DIFFERS, f"{form.participant} {form.encounter}", what)
    by_participant: dict[str, list[Administration]] = {}
    for one in sorted(found, key=lambda one: (one.participant, one.date)):
        by_participant.setdefault(one.participant, []).append(one)
    return {name: tuple(given) for name, given in by_participant.items()}


def _on_forms(reading: Reading) -> list[Administration]:
    """From forms that map a start date to EC, unless they say that nothing was given."""
    values: dict[tuple[str, str, str, int], list[Collected]] = {}
    for value in reading.collected:
        if value.target is not None and value.target.domain == "EC" and not value.target.supplemental:
            values.setdefault(value.instance, []).append(value)
    found = []
    for (participant, encounter, _, _), of_form in values.items():
        by_variable = {value.target.variable: value for value in of_form if value.target}
        start, occurred = by_variable.get("ECSTDTC"), by_variable.get("ECOCCUR")
        if start is None or start.value is None or (occurred is not None and occurred.value == "false"):
            continue
        source = Source(start.form.id, start.item.id)
        found.append(Administration(participant, start.value, encounter, source=source))
    return found


def _from_slots(reading: Reading) -> list[Administration]:
    custody = reading.study.custody
    if custody is None:
        return []
    encounter_of = {slot.id: slot.administration for slot in custody.slots}
    products = {(row["participant"], row["slot"]): row for row in reading.closed_of(PRODUCT) if row["given_at"]}
    found = []
    for row in reading.rows(SLOT):
        if row["injected_on"] is None or row["slot"] not in encounter_of:
            continue
        product = products.get((row["participant"], row["slot"]))
        found.append(
            Administration(
                participant=str(row["participant"]),
                date=str(row["injected_on"]),
                encounter=encounter_of[str(row["slot"])],
                slot=str(row["slot"]),
                label=str(row["label"]) if row["label"] else None,
                content=str(product["content"]) if product else None,
                dose=str(product["dose"]) if product and product["dose"] else None,
            )
        )
    return found


def _joined(slot: Administration, form: Administration | None, guide: Guide) -> Administration:
    if form is None:
        return slot
    if form.date != slot.date:
        what = f"the form says {form.date}, the custody {slot.date}"
        guide.note(Kind.EXPOSURE_DIFFERS, f"{slot.participant} {slot.encounter}", what)
        return slot
    return replace(slot, source=form.source)
