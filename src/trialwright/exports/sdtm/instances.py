"""Filled forms, their values sorted by where they go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from trialwright.exports.datasets import Source
from trialwright.exports.sdtm.drafts import Draft, Supplement
from trialwright.exports.sdtm.guide import Guide, Kind
from trialwright.exports.sdtm.reading import Collected, Reading
from trialwright.exports.sdtm.submission import in_words
from trialwright.protocol.mapping import DOMAIN_OF_KIND


@dataclass
class Instance:
    """What one filled form (or one row of its table) says in one domain.

    Attributes:
        values: that go to variables of the domain.
        supplements: that go to its supplemental qualifiers: the value, QNAM and label.
    """

    domain: str
    participant: str
    encounter: str
    date: str | None
    values: list[Collected] = field(default_factory=list)
    supplements: list[tuple[Collected, str, str]] = field(default_factory=list)


def instances(reading: Reading, guide: Guide) -> tuple[Instance, ...]:
    """Every filled form, apart by domain; the guide hears of values that go nowhere."""
    found: dict[tuple[object, ...], Instance] = {}
    for value in reading.collected:
        domain = _domain(value, guide)
        if domain is None or _says_nothing(value, guide):
            continue
        key = (*value.instance, domain)
        instance = found.setdefault(key, Instance(domain, value.participant, value.encounter, reading.date_of(value)))
        if value.target is not None and not value.target.supplemental:
            instance.values.append(value)
        else:
            instance.supplements.append((value, *_qualifier(reading, value)))
    for name in reading.undeclared:
        guide.note(Kind.ITEM_UNKNOWN, name)
    return tuple(found.values())


def supplement(reading: Reading, draft: Draft, value: Collected, name: str, label: str) -> None:
    """Put a value into the supplemental qualifiers of a record, with why it is missing where it is."""
    text = value.missing.replace("_", " ") if value.missing else in_words(reading, value)
    if text is None:
        return
    origin = "Derived" if value.derived else "Collected"
    draft.supplements.append(Supplement(name, label, text, origin, Source(value.form.id, value.item.id)))


def _domain(value: Collected, guide: Guide) -> str | None:
    """Where a value goes; what the study sends nowhere goes beside its form's other values."""
    if value.target is not None:
        return value.target.domain
    about = f"{value.form.id}.{value.item.id}"
    if value.item.sdtm is not None and value.item.sdtm.not_submitted is not None:
        guide.note(Kind.ITEM_NOT_SUBMITTED, about, value.item.sdtm.not_submitted)
        return None
    shared = value.form.sdtm.domain if value.form.sdtm else None
    domain = shared or DOMAIN_OF_KIND.get(value.form.kind)
    guide.note(Kind.ITEM_UNMAPPED if domain else Kind.ITEM_NOWHERE, about)
    return domain


def _says_nothing(value: Collected, guide: Guide) -> bool:
    about = f"{value.form.id}.{value.item.id}"
    if value.is_empty:
        guide.note(Kind.EMPTY, about)
    elif value.missing == "not_applicable":
        guide.note(Kind.NOT_APPLICABLE, about)
    return value.is_empty or value.missing == "not_applicable"


def _qualifier(reading: Reading, value: Collected) -> tuple[str, str]:
    """QNAM and QLABEL."""
    label = reading.text(value.item.label)[:40].strip()
    if value.target is not None:
        return value.target.variable, value.target.name or label
    names = [item.id for item in value.form.items()]
    short = value.item.id.upper().replace("_", "")[:8]
    alike = [name for name in names if name.upper().replace("_", "")[:8] == short]
    return (short if len(alike) < 2 else f"{short[:6]}{alike.index(value.item.id) + 1:02d}"), label


def of_domains(found: tuple[Instance, ...], domains: frozenset[str]) -> Iterator[Instance]:
    """Those of some domains."""
    return (instance for instance in found if instance.domain in domains)
