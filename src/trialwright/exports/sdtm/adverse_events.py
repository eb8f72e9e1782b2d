"""AE: adverse events as reported, with the details that forms add."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from trialwright.exports.sdtm.drafts import Draft, Supplement
from trialwright.exports.sdtm.guide import Guide, Kind
from trialwright.exports.sdtm.instances import Instance, of_domains, supplement
from trialwright.exports.sdtm.reading import Reading
from trialwright.exports.sdtm.submission import submitted
from trialwright.foundation.tables import Row
from trialwright.trial.safety.dictionary import body_system_number
from trialwright.trial.safety.events import RELATIONS
from trialwright.trial.safety.views import ADVERSE_EVENT, ASSESSMENT

_SERIOUSNESS = {
    "AESCONG": "congenital_anomaly",
    "AESDISAB": "disability",
    "AESDTH": "death",
    "AESHOSP": "hospitalisation",
    "AESLIFE": "life_threatening",
    "AESMIE": "medically_important",
}
_OUTCOME = {
    "recovered": "RECOVERED/RESOLVED",
    "recovered_with_sequelae": "RECOVERED/RESOLVED WITH SEQUELAE",
    "recovering": "RECOVERING/RESOLVING",
    "not_recovered": "NOT RECOVERED/NOT RESOLVED",
    "fatal": "FATAL",
    "unknown": "UNKNOWN",
}
_ACTION = {"injection_postponed": "DRUG INTERRUPTED", "injection_cancelled": "DRUG WITHDRAWN"}
_OTHER_ACTION = {"medication": "MEDICATION", "hospital": "HOSPITALISATION", "other": "OTHER"}


def adverse_events(reading: Reading, found: tuple[Instance, ...], guide: Guide) -> Iterator[Draft]:
    """AE, one record an event."""
    assessed: dict[tuple[str, str], list[Row]] = {}
    for row in reading.rows(ASSESSMENT):
        assessed.setdefault((str(row["participant"]), str(row["adverse_event"])), []).append(row)
    reported = [
        _event(reading, row, assessed.get((str(row["participant"]), str(row["adverse_event"])), ()), guide)
        for row in reading.rows(ADVERSE_EVENT)
    ]
    alone = [_detail(reading, instance, reported, guide) for instance in of_domains(found, frozenset({"AE"}))]
    yield from reported
    yield from (draft for draft in alone if draft is not None)


def _event(reading: Reading, row: Row, assessed: Iterable[Row], guide: Guide) -> Draft:
    draft = Draft("AE", str(row["participant"]), {"DOMAIN": "AE"})
    draft.put("AESPID", str(row["adverse_event"]).upper().replace("_", "-"))
    draft.put("AETERM", str(row["term"]).upper())
    _coding(draft, row, guide)
    draft.put("AESER", "Y" if row["serious"] else "N")
    if row["serious"]:
        criteria = str(row["seriousness"] or "").split()
        for variable, criterion in _SERIOUSNESS.items():
            draft.put(variable, "Y" if criterion in criteria else "N")
    action = str(row["action"] or "none")
    draft.put("AEACN", _ACTION.get(action, "DOSE NOT CHANGED"))
    draft.put("AEACNOTH", _OTHER_ACTION.get(action))
    draft.put("AEREL", _overall(assessed))
    draft.put("AEOUT", _OUTCOME[str(row["outcome"])])
    draft.put("AECONTRT", "Y" if action == "medication" else None)
    draft.put("AETOXGR", str(row["worst_grade"] or row["grade"]))
    draft.put("AESTDTC", row["onset"])
    draft.put("AEENDTC", row["ended"])
    draft.supplements.extend(_by_agent(reading, assessed))
    if row["special_interest"]:
        special = str(row["special_interest"]).replace("_", " ")
        draft.supplements.append(Supplement("AESI", "Adverse Event of Special Interest", special, "Assigned"))
    return draft


def _coding(draft: Draft, row: Row, guide: Guide) -> None:
    if row["coded_term"] is None:
        guide.note(Kind.ADVERSE_EVENT_UNCODED, f"{row['participant']} {row['adverse_event']}", str(row["term"]))
        draft.put("AEDECOD", "UNCODED")
        return
    body_system = str(row["body_system"])
    draft.put("AEDECOD", str(row["coded_term"]).upper())
    draft.put("AEPTCD", _number(str(row["code"] or "")))
    draft.put("AEBODSYS", body_system.upper())
    draft.put("AESOC", body_system.upper())
    number = body_system_number(body_system)
    draft.put("AEBDSYCD", number)
    draft.put("AESOCCD", number)


def _number(code: str) -> int | None:
    """A dictionary code as a number; codes of the synthetic dictionary begin with a letter."""
    digits = code.lstrip("T")
    return int(digits) if digits.isascii() and digits.isdigit() else None


def _overall(assessed: Iterable[Row]) -> str | None:
    """The closest relation that the investigator sees to anything of the study."""
    relations = [str(row["causality"]) for row in assessed if row["assessor"] == "investigator" and row["causality"]]
    return max(relations, key=RELATIONS.index).upper() if relations else None


def _by_agent(reading: Reading, assessed: Iterable[Row]) -> Iterator[Supplement]:
    labels = {agent.id: reading.text(agent.label) for agent in reading.study.safety.agents}
    for row in assessed:
        if row["causality"] is None:
            continue
        agent, sponsor = str(row["agent"]), row["assessor"] == "sponsor"
        name = f"{'SREL' if sponsor else 'REL'}{agent.upper().replace('_', '')}"[:8]
        judge = "Sponsor: Relation to" if sponsor else "Relation to"
        label = f"{judge} {labels.get(agent, agent)}"[:40].strip()
        evaluator = "SPONSOR" if sponsor else "INVESTIGATOR"
        yield Supplement(name, label, str(row["causality"]).upper(), "Collected", None, evaluator)


def _detail(reading: Reading, instance: Instance, reported: list[Draft], guide: Guide) -> Draft | None:
    """Details join the one event of the participant that began on their start date; else they stand alone."""
    values = {value.target.variable: value for value in instance.values if value.target}
    start = values.get("AESTDTC")
    onset = start.value if start else None
    of_person = [draft for draft in reported if draft.participant == instance.participant]
    matches = [draft for draft in of_person if onset is not None and draft.values.get("AESTDTC") == onset]
    if len(matches) == 1:
        _join(reading, matches[0], instance)
        return None
    guide.note(Kind.ADVERSE_EVENT_UNMATCHED, f"{instance.participant} {onset or 'no start'}", instance.encounter)
    draft = Draft("AE", instance.participant, {"DOMAIN": "AE"})
    for variable, value in values.items():
        draft.put(variable, submitted(reading, value))
    draft.values.setdefault("AETERM", "NOT STATED")
    for value, name, label in instance.supplements:
        supplement(reading, draft, value, name, label)
    return draft


def _join(reading: Reading, draft: Draft, instance: Instance) -> None:
    """What the report says stays; what only the form says is added, what differs goes to SUPPAE."""
    names: Mapping[str, str] = {"AETERM": "AEDETAIL"}
    for value in instance.values:
        assert value.target is not None, "instances hold mapped values"
        variable, text = value.target.variable, submitted(reading, value)
        if variable not in draft.values:
            draft.put(variable, text)
        elif text is not None and draft.values[variable] != text:
            label = reading.text(value.item.label)[:40].strip()
            supplement(reading, draft, value, names.get(variable, f"F{variable}"[:8]), label)
    for value, name, label in instance.supplements:
        supplement(reading, draft, value, name, label)
