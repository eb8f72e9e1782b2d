"""Special-purpose domains: DM, SE, SV and CO."""

from __future__ import annotations

from collections.abc import Iterator

from trialwright.exports.datasets import Source
from trialwright.exports.sdtm.design import Design
from trialwright.exports.sdtm.drafts import Draft
from trialwright.exports.sdtm.guide import Guide, Kind
from trialwright.exports.sdtm.people import Person
from trialwright.exports.sdtm.reading import Collected, Reading, Visit
from trialwright.exports.sdtm.submission import submitted
from trialwright.exports.sdtm.visits import VisitWords
from trialwright.exports.terminology import country
from trialwright.foundation.dates import PartialDate, years_between
from trialwright.foundation.errors import InvalidValue
from trialwright.trial.queries.views import COMMENT
from trialwright.trial.safety.views import ADVERSE_EVENT


def demographics(reading: Reading, design: Design, people: tuple[Person, ...], guide: Guide) -> Iterator[Draft]:
    """DM, one record a participant."""
    mapped: dict[str, list[Collected]] = {}
    for value in reading.collected:
        if value.target is not None and value.target.domain == "DM" and not value.target.supplemental:
            mapped.setdefault(value.participant, []).append(value)
    deaths = {str(row["participant"]): row for row in reading.rows(ADVERSE_EVENT) if row["outcome"] == "fatal"}
    countries = {site.id: country(site.country) for site in reading.study.identity.sites}
    for person in people:
        draft = Draft("DM", person.participant, {"DOMAIN": "DM", "SUBJID": person.participant})
        draft.put("SITEID", person.site)
        draft.put("COUNTRY", countries[person.site])
        _reference_dates(draft, person)
        for value in mapped.get(person.participant, ()):
            assert value.target is not None, "only mapped values are here"
            draft.put(value.target.variable, submitted(reading, value), Source(value.form.id, value.item.id))
        _age(draft, person, guide)
        _arm(draft, person, design)
        death = deaths.get(person.participant)
        if person.status == "died" or death is not None:
            draft.put("DTHFL", "Y")
            draft.put("DTHDTC", death["ended"] if death is not None else person.ended)
        if person.first_dose is None:
            guide.note(
                Kind.NO_REFERENCE_DATE, person.participant, f"{person.status.replace('_', ' ')}; never treated"
            )
        yield draft


def _reference_dates(draft: Draft, person: Person) -> None:
    draft.put("RFSTDTC", person.first_dose)
    draft.put("RFENDTC", person.ended if person.first_dose else None)
    draft.put("RFXSTDTC", person.first_dose)
    draft.put("RFXENDTC", person.last_dose)
    draft.put("RFICDTC", person.consented)
    draft.put("RFPENDTC", person.last_contact)


def _age(draft: Draft, person: Person, guide: Guide) -> None:
    """Completed years at informed consent; empty where a partial date of birth leaves two answers."""
    birth, consented = draft.values.get("BRTHDTC"), person.consented
    if birth is None or consented is None:
        return
    try:
        years = years_between(PartialDate.parse(str(birth)), PartialDate.parse(consented))
    except InvalidValue:
        return
    if years.low == years.high:
        draft.put("AGE", years.low)
        draft.put("AGEU", "YEARS")
        draft.derived |= {"AGE", "AGEU"}
    else:
        what = f"born {birth}, consent {consented}: {years.low} or {years.high} years"
        guide.note(Kind.DATE_PARTIAL, f"DM.AGE of {person.participant}", what)


def _arm(draft: Draft, person: Person, design: Design) -> None:
    if person.unit is None:
        failed = person.status in ("screen_failure", "consent_refused")
        draft.put("ARMNRS", "SCREEN FAILURE" if failed else "NOT ASSIGNED")
        return
    draft.put("ARMCD", design.code(person.unit))
    draft.put("ARM", design.labels[person.unit])
    actual = _actual(person, design)
    if actual is not None:
        draft.put("ACTARMCD", design.code(actual))
        draft.put("ACTARM", design.labels[actual])
    elif person.administrations:
        draft.put("ARMNRS", "UNPLANNED TREATMENT")
        draft.put("ACTARMUD", "Received another treatment than allocated; see EX")
    else:
        draft.put("ARMNRS", "ASSIGNED, NOT TREATED")


def _actual(person: Person, design: Design) -> str | None:
    """The arm or sequence that was followed: the allocated one, unless what was given contradicts it."""
    if not person.administrations:
        return None
    units = [person.unit, *(unit for unit in design.labels if unit != person.unit)]
    return next((unit for unit in units if unit is not None and design.agrees(unit, person.administrations)), None)


def elements(people: tuple[Person, ...]) -> Iterator[Draft]:
    """SE, one record an element that a participant was in."""
    for person in people:
        for passed in person.elements:
            draft = Draft("SE", person.participant, {"DOMAIN": "SE"})
            if passed.treated:
                draft.put("ETCD", passed.element.code)
                draft.put("ELEMENT", passed.element.label)
                draft.put("TAETORD", passed.element.order)
            else:
                draft.put("ETCD", "UNPLAN")
                draft.put("SEUPDES", "The treatment of this element was not given")
            draft.put("EPOCH", passed.element.term)
            draft.put("SESTDTC", passed.start)
            draft.put("SEENDTC", passed.end)
            yield draft


def visits(reading: Reading, people: tuple[Person, ...], words: VisitWords) -> Iterator[Draft]:
    """SV, one record a visit: held, missed, or unscheduled."""
    for person in people:
        for visit in reading.visits_of(person.participant):
            draft = Draft("SV", person.participant, {"DOMAIN": "SV"}, encounter=visit.encounter)
            draft.put("SVSTDTC", visit.date if visit.held else None)
            draft.put("SVENDTC", visit.date if visit.held else None)
            if visit.planned is not None:
                draft.put("SVPRESP", "Y")
                draft.put("SVOCCUR", "Y" if visit.held else "N")
                draft.put("SVCNTMOD", _mode(visit) if visit.held else None)
                draft.put("SVREASOC", None if visit.held else "VISIT DID NOT TAKE PLACE")
            else:
                draft.put("SVUPDES", "Unscheduled visit")
            yield draft


def _mode(visit: Visit) -> str:
    assert visit.planned is not None, "planned by its caller"
    return "TELEPHONE CALL" if visit.planned.remote else "IN PERSON"


def comments(reading: Reading) -> Iterator[Draft]:
    """CO, one record a comment of staff on an item."""
    for row in reading.rows(COMMENT):
        draft = Draft("CO", str(row["participant"]), {"DOMAIN": "CO"})
        where = ".".join(str(row[part]) for part in ("form", "item") if row[part])
        draft.put("COREF", f"{where} at {row['encounter']}" if where else None)
        draft.put("COVAL", str(row["text"]))
        draft.put("COEVAL", "INVESTIGATOR")
        draft.put("CODTC", str(row["at"])[:10])
        yield draft


def _words(name: str) -> str:
    return name.replace("_", " ")
