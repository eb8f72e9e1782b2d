"""Findings: one record a result. Other items qualify the results of their group; a date those of the whole form."""

from __future__ import annotations

from collections.abc import Iterator

from trialwright.exports.datasets import Source
from trialwright.exports.sdtm import standard
from trialwright.exports.sdtm.drafts import Draft
from trialwright.exports.sdtm.guide import Guide, Kind
from trialwright.exports.sdtm.instances import Instance, of_domains, supplement
from trialwright.exports.sdtm.reading import Collected, Reading
from trialwright.exports.sdtm.submission import NUMBERS, cell, result, submitted
from trialwright.exports.terminology import test_name
from trialwright.protocol.mapping import FINDINGS

_NEED_UNIT = frozenset({"BS", "LB", "PC", "VS"})


def findings(reading: Reading, found: tuple[Instance, ...], guide: Guide) -> Iterator[Draft]:
    """All records of the findings class that come from forms."""
    for instance in of_domains(found, FINDINGS):
        yield from _of_instance(reading, instance, guide)


def _of_instance(reading: Reading, instance: Instance, guide: Guide) -> Iterator[Draft]:
    results = [value for value in instance.values if value.target and value.target.is_result]
    qualifiers = [value for value in instance.values if value.target and not value.target.is_result]
    records = [(value, _record(reading, instance, value, qualifiers, guide)) for value in results]
    for value, name, label in instance.supplements:
        beside = _beside(value, records)
        if beside is None:
            _without_result(value, guide)
        else:
            supplement(reading, beside, value, name, label)
    if not records:
        for value in qualifiers:
            _without_result(value, guide)
    yield from (draft for _, draft in records)


def _record(
    reading: Reading, instance: Instance, value: Collected, qualifiers: list[Collected], guide: Guide
) -> Draft:
    target = value.target
    assert target is not None, "results are mapped"
    source = Source(value.form.id, value.item.id)
    draft = Draft(instance.domain, instance.participant, encounter=instance.encounter)
    draft.values["DOMAIN"] = instance.domain
    draft.set("TESTCD", target.test)
    draft.set("TEST", _test_name(reading, value))
    draft.set("DTC", instance.date)
    for name, fixed in target.fixed.items():
        draft.put(name, _fixed(instance.domain, name, fixed))
    for qualifier in qualifiers:
        if qualifier.compiled.group == value.compiled.group or _is_date(qualifier):
            _qualify(reading, draft, qualifier)
    found = result(reading, value)
    if found.not_done is not None:
        draft.set("STAT", "NOT DONE")
        draft.set("REASND", found.not_done)
        return draft
    unit = draft.get("ORRESU")
    draft.set("ORRES", found.original, source)
    draft.set("ORRESU", found.unit or unit, source if found.unit else None)
    draft.set("STRESC", found.standard)
    draft.set("STRESN", found.number)
    draft.set("STRESU", found.standard_unit or (unit if found.number is not None else None))
    if value.row:
        draft.set("REPNUM", int(value.row))
    if value.derived:
        draft.set("DRVFL", "Y")
        draft.derived |= {f"{instance.domain}ORRES", f"{instance.domain}STRESC", f"{instance.domain}STRESN"}
    if instance.domain in _NEED_UNIT and value.item.type in NUMBERS and draft.get("ORRESU") is None:
        about = f"{instance.domain}.{target.test} of {instance.participant}"
        guide.note(Kind.UNIT_MISSING, about, f"{value.form.id}.{value.item.id} at {instance.encounter}")
    return draft


def _is_date(qualifier: Collected) -> bool:
    return qualifier.target is not None and qualifier.target.variable.endswith("DTC")


def _qualify(reading: Reading, draft: Draft, qualifier: Collected) -> None:
    assert qualifier.target is not None, "qualifiers are mapped"
    if qualifier.target.test is not None and qualifier.target.test != draft.get("TESTCD"):
        return
    variable = qualifier.target.variable
    text = submitted(reading, qualifier)
    source = Source(qualifier.form.id, qualifier.item.id)
    draft.put(variable, _fixed(draft.domain, variable, text), source)


def _fixed(domain: str, variable: str, text: str | None) -> str | int | float | None:
    known = standard.domain(domain).find(variable)
    return cell(text, number=known is not None and known.number)


def _test_name(reading: Reading, value: Collected) -> str:
    assert value.target is not None, "results are mapped"
    if value.target.name is not None:
        return value.target.name
    variable = standard.domain(value.target.domain).find(f"{value.target.domain}TESTCD")
    lists = variable.lists if variable else ()
    return test_name(lists, value.target.test or "") or reading.text(value.item.label)[:40].strip()


def _beside(value: Collected, records: list[tuple[Collected, Draft]]) -> Draft | None:
    """The record that a supplemental qualifier stands beside: of its test, else of the last result before it."""
    if not records:
        return None
    order = [item.id for item in value.form.items()]
    wanted = value.target.test if value.target else None
    if wanted is not None:
        return next((draft for _, draft in records if draft.get("TESTCD") == wanted), None)
    before = [draft for other, draft in records if order.index(other.item.id) < order.index(value.item.id)]
    return before[-1] if before else records[0][1]


def _without_result(value: Collected, guide: Guide) -> None:
    what = f"{value.encounter}: {value.value or value.missing or value.outcome}"
    guide.note(Kind.RECORD_WITHOUT_TOPIC, f"{value.form.id}.{value.item.id} of {value.participant}", what)
