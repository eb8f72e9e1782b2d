"""Events and interventions from forms: one record a topic; items of a form without a topic belong to all of it."""

from __future__ import annotations

from collections.abc import Iterator

from trialwright.exports.datasets import Source
from trialwright.exports.sdtm import standard
from trialwright.exports.sdtm.drafts import Draft
from trialwright.exports.sdtm.guide import Guide, Kind
from trialwright.exports.sdtm.instances import Instance, of_domains, supplement
from trialwright.exports.sdtm.reading import Collected, Reading
from trialwright.exports.sdtm.submission import cell, submitted
from trialwright.exports.terminology import submission_unit
from trialwright.foundation.missing import MissingReason
from trialwright.protocol.mapping import INTERVENTIONS

DOMAINS = frozenset({"AG", "CE", "CM", "EC", "MH", "PR"})
"""Domains whose records come from forms alone."""


def occurrences(reading: Reading, found: tuple[Instance, ...], guide: Guide) -> Iterator[Draft]:
    """All records of events and interventions that come from forms."""
    for instance in of_domains(found, DOMAINS):
        yield from records_of(reading, instance, guide)


def topic_variable(domain: str) -> str:
    """--TRT of an intervention, --TERM of an event."""
    return f"{domain}TRT" if domain in INTERVENTIONS else f"{domain}TERM"


def records_of(reading: Reading, instance: Instance, guide: Guide) -> Iterator[Draft]:
    """The records of one filled form."""
    groups, shared = _by_topic(reading, instance)
    drafts = [_record(reading, instance, topic, values, shared) for topic, values in groups.items()]
    for value, name, label in instance.supplements:
        beside = _beside(value, drafts)
        if beside is None:
            _without_topic(value, guide)
        else:
            supplement(reading, beside, value, name, label)
    if not drafts:
        for value in shared:
            _without_topic(value, guide)
    yield from drafts


def _by_topic(reading: Reading, instance: Instance) -> tuple[dict[str, list[Collected]], list[Collected]]:
    """Values by topic, and those that belong to every record of the form."""
    groups: dict[str, list[Collected]] = {}
    shared: list[Collected] = []
    for value in instance.values:
        target = value.target
        assert target is not None, "instances hold mapped values"
        if target.variable == topic_variable(instance.domain):
            topic = submitted(reading, value)
            if topic is not None:
                groups.setdefault(topic, []).append(value)
        elif target.topic is not None:
            groups.setdefault(target.topic, []).append(value)
        else:
            shared.append(value)
    return groups, shared


def _record(reading: Reading, instance: Instance, topic: str, own: list[Collected], shared: list[Collected]) -> Draft:
    draft = Draft(instance.domain, instance.participant, encounter=instance.encounter)
    draft.values["DOMAIN"] = instance.domain
    draft.put(topic_variable(instance.domain), topic)
    if standard.domain(instance.domain).find(f"{instance.domain}DTC") is not None:
        draft.set("DTC", instance.date)
    for value in (*shared, *own):
        _put(reading, draft, value)
    if any(value.target and value.target.variable == f"{instance.domain}OCCUR" for value in own):
        draft.set("PRESP", "Y")
    return draft


def _put(reading: Reading, draft: Draft, value: Collected) -> None:
    target = value.target
    assert target is not None, "instances hold mapped values"
    for name, fixed in target.fixed.items():
        draft.put(name, _cell(draft.domain, name, fixed))
    if value.missing is not None:
        if target.variable == f"{draft.domain}OCCUR":
            draft.set("STAT", "NOT DONE")
            draft.set("REASND", MissingReason(value.missing).label)
        return
    source = Source(value.form.id, value.item.id)
    draft.put(target.variable, _cell(draft.domain, target.variable, submitted(reading, value)), source)
    if target.variable == f"{draft.domain}DOSE" and value.unit:
        draft.set("DOSU", submission_unit(value.unit), source)


def _cell(domain: str, variable: str, text: str | None) -> str | int | float | None:
    known = standard.domain(domain).find(variable)
    return cell(text, number=known is not None and known.number)


def _beside(value: Collected, drafts: list[Draft]) -> Draft | None:
    """The record with the same topic, else the form's first."""
    topic = value.target.topic if value.target else None
    if topic is not None:
        return next((draft for draft in drafts if draft.values[topic_variable(draft.domain)] == topic), None)
    return drafts[0] if drafts else None


def _without_topic(value: Collected, guide: Guide) -> None:
    what = f"{value.encounter}: {value.value or value.missing or value.outcome}"
    guide.note(Kind.RECORD_WITHOUT_TOPIC, f"{value.form.id}.{value.item.id} of {value.participant}", what)
