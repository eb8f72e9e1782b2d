"""How the trial went for each participant: DS, IE and DV."""

from __future__ import annotations

from collections.abc import Iterator

from trialwright.exports.datasets import Source
from trialwright.exports.sdtm.drafts import Draft, Supplement
from trialwright.exports.sdtm.guide import Guide, Kind
from trialwright.exports.sdtm.instances import Instance, of_domains, supplement
from trialwright.exports.sdtm.people import Person
from trialwright.exports.sdtm.reading import Collected, Reading
from trialwright.exports.sdtm.submission import code_of, submitted
from trialwright.foundation.tables import Row
from trialwright.protocol import Study
from trialwright.protocol.eligibility import Criterion
from trialwright.trial.closure.views import CLOSED_DEVIATION, DEVIATION
from trialwright.trial.enrolment.views import SCREENING_LOG

_ENDINGS = {
    "completed": "COMPLETED",
    "withdrawn": "WITHDRAWAL BY SUBJECT",
    "discontinued": "OTHER",
    "lost_to_follow_up": "LOST TO FOLLOW-UP",
    "died": "DEATH",
    "screen_failure": "SCREEN FAILURE",
    "consent_refused": "SCREENING NOT COMPLETED",
}


def disposition(
    reading: Reading, people: tuple[Person, ...], found: tuple[Instance, ...], guide: Guide
) -> Iterator[Draft]:
    """DS: consent, randomisation, and how participation ended."""
    forms = {instance.participant: instance for instance in of_domains(found, frozenset({"DS"}))}
    for person in people:
        if person.consented:
            yield _milestone(person, "INFORMED CONSENT OBTAINED", person.consented)
        if person.randomised:
            yield _milestone(person, "RANDOMIZED", person.randomised)
        form = forms.get(person.participant)
        if form is not None:
            yield _from_form(reading, person, form, guide)
        elif person.status in _ENDINGS:
            yield _ending(person, _ENDINGS[person.status], person.status.replace("_", " ").upper(), person.ended)
        if person.ended is not None and person.last_contact is not None and person.last_contact > person.ended:
            yield _later_contact(person, person.last_contact)


def _milestone(person: Person, term: str, date: str) -> Draft:
    draft = Draft("DS", person.participant, {"DOMAIN": "DS", "DSTERM": term, "DSDECOD": term})
    draft.put("DSCAT", "PROTOCOL MILESTONE")
    draft.put("DSSTDTC", date)
    return draft


def _ending(person: Person, decode: str, term: str, date: str | None) -> Draft:
    draft = Draft("DS", person.participant, {"DOMAIN": "DS", "DSTERM": term, "DSDECOD": decode})
    draft.put("DSCAT", "DISPOSITION EVENT")
    draft.put("DSSCAT", "STUDY PARTICIPATION")
    draft.put("DSSTDTC", date)
    return draft


def _later_contact(person: Person, date: str) -> Draft:
    """Something was recorded of the participant after participation had ended: safety follow-up."""
    term = "LAST CONTACT FOR SAFETY FOLLOW-UP"
    draft = Draft("DS", person.participant, {"DOMAIN": "DS", "DSTERM": term, "DSDECOD": term})
    draft.put("DSCAT", "OTHER EVENT")
    draft.put("DSSTDTC", date)
    return draft


def _from_form(reading: Reading, person: Person, form: Instance, guide: Guide) -> Draft:
    values = {value.target.variable: value for value in form.values if value.target}
    decode, date, term = values.get("DSDECOD"), values.get("DSSTDTC"), values.get("DSTERM")
    coded = submitted(reading, decode) if decode else None
    dated = date.value if date else None
    words = (term.value if term else None) or _label(reading, decode) or coded or "NOT STATED"
    draft = _ending(person, coded or _ENDINGS.get(person.status, "OTHER"), words.upper(), dated or person.ended)
    for variable, value in values.items():
        if variable in draft.values:
            draft.sources[variable] = Source(value.form.id, value.item.id)
    recorded = _ENDINGS.get(person.status)
    if coded != recorded and person.ended is not None:
        what = f"form: {coded} on {dated}; record: {recorded} on {person.ended}"
        guide.note(Kind.DISPOSITION_DIFFERS, person.participant, what)
    for value, name, label in form.supplements:
        supplement(reading, draft, value, name, label)
    draft.encounter = form.encounter
    return draft


def _label(reading: Reading, value: Collected | None) -> str | None:
    code = code_of(reading, value) if value else None
    return reading.text(code.label) if code else None


def criterion_codes(study: Study) -> dict[str, str]:
    """Criterion → IETESTCD: INCL01 …, EXCL01 … in the order of the file."""
    codes: dict[str, str] = {}
    counted = {"inclusion": 0, "exclusion": 0}
    for criterion in study.eligibility.criteria:
        counted[criterion.kind] += 1
        codes[criterion.id] = f"{criterion.kind[:4].upper()}{counted[criterion.kind]:02d}"
    return codes


def criterion_text(reading: Reading, criterion: Criterion) -> str:
    """IETEST: the criterion in at most 200 characters."""
    return " ".join(reading.text(criterion.text).split())[:200]


def criteria_not_met(reading: Reading) -> Iterator[Draft]:
    """IE: the criteria that a participant did not meet; nothing for those who met all."""
    codes = criterion_codes(reading.study)
    criteria = {criterion.id: criterion for criterion in reading.study.eligibility.criteria}
    encounter = reading.study.eligibility.encounter
    for row in reading.rows(SCREENING_LOG):
        visit = reading.visits.get((str(row["participant"]), encounter))
        for name in _unmet(row):
            if name not in criteria:
                continue
            criterion = criteria[name]
            draft = Draft("IE", str(row["participant"]), {"DOMAIN": "IE"}, encounter=encounter)
            draft.put("IETESTCD", codes[name])
            draft.put("IETEST", criterion_text(reading, criterion))
            draft.put("IECAT", criterion.kind.upper())
            answer = "N" if criterion.kind == "inclusion" else "Y"
            draft.put("IEORRES", answer)
            draft.put("IESTRESC", answer)
            draft.put("IEDTC", visit.date if visit else row["screened_on"])
            yield draft


def _unmet(row: Row) -> list[str]:
    named = f"{row['not_met'] or ''} {row['failed_for'] or ''}".split()
    return list(dict.fromkeys(named))


def deviations(reading: Reading) -> Iterator[Draft]:
    """DV, one record a protocol deviation."""
    for row in (*reading.rows(DEVIATION), *reading.closed_of(CLOSED_DEVIATION)):
        draft = Draft("DV", str(row["participant"]), {"DOMAIN": "DV"})
        draft.put("DVSPID", str(row["deviation"]))
        draft.put("DVTERM", str(row["about"]))
        draft.put("DVDECOD", str(row["kind"]).replace("_", " ").upper())
        if row["important"] is not None:
            draft.put("DVCAT", "MAJOR" if row["important"] else "MINOR")
        draft.put("DVSTDTC", str(row["opened_at"])[:10])
        for name, label, column in (("DVASSESS", "Assessment", "assessment"), ("DVACTION", "Action Taken", "action")):
            if row[column]:
                draft.supplements.append(Supplement(name, label, str(row[column]), "Assigned"))
        yield draft
