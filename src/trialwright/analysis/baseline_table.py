"""Participants as they came: items of the study before the first treatment, by group and in all."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from statistics import mean, median, stdev

import pandas

from trialwright.analysis.content import Line, ReportTable
from trialwright.analysis.frames import where
from trialwright.analysis.material import Material
from trialwright.exports.adam.columns import DAY_ZERO
from trialwright.exports.sdtm.reading import Collected
from trialwright.protocol.analysis import Population
from trialwright.protocol.forms import Item


class Items:
    """Values of items as they were collected, by participant.

    Args:
        material: of the report.
    """

    def __init__(self, material: Material) -> None:
        self._material = material
        self.people = material.plan.frames["ADSL"].set_index("USUBJID")
        self._order = {name: place for place, name in enumerate(material.reading.encounters)}

    def of(self, shown: str) -> tuple[Collected, ...]:
        """Every value of ``form.item``, in the order of participants and visits."""
        form, _, item = shown.partition(".")
        return tuple(
            value
            for value in self._material.reading.collected
            if value.form.id == form and value.item.id == item and not value.is_empty
        )

    def declared(self, shown: str) -> Item | None:
        """The item as last declared."""
        form_id, _, item_id = shown.partition(".")
        form = self._material.plan.study.forms.get(form_id)
        return next((item for item in form.items() if item.id == item_id), None) if form is not None else None

    def is_before_treatment(self, value: Collected) -> bool:
        """Whether it was collected before the first treatment; of the untreated, before or at randomisation."""
        usubjid = self._material.reading.usubjid(value.participant)
        if usubjid not in self.people.index:
            return False
        row = self.people.loc[usubjid]
        started = row["TRTSDT"] if "TRTSDT" in row and pandas.notna(row["TRTSDT"]) else row.get("RANDDT")
        encounter = self._material.reading.encounters.get(value.encounter)
        if encounter is None or encounter.period is not None or started is None or pandas.isna(started):
            return encounter is not None and encounter.period is None
        day = self._material.reading.date_of(value)
        return day is None or day <= (DAY_ZERO + timedelta(days=int(started))).isoformat()

    def at_baseline(self, shown: str) -> Mapping[str, Collected]:
        """USUBJID → the last value before the first treatment."""
        found: dict[str, Collected] = {}
        for value in sorted(self.of(shown), key=lambda each: self._order.get(each.encounter, 999)):
            if value.value is not None and self.is_before_treatment(value):
                found[self._material.reading.usubjid(value.participant)] = value
        return found

    def label(self, shown: str) -> str:
        """What the item asks."""
        item = self.declared(shown)
        return self._material.plan.words.text(item.label) if item is not None else shown

    def code(self, item: Item, value: str) -> str:
        """A code in words."""
        material = self._material
        if item.type == "boolean":
            return material.words("Yes" if value == "true" else "No")
        codelist = material.plan.study.terminology.get(item.codelist or "")
        codes = codelist.codes if codelist is not None else ()
        return next((material.plan.words.text(code.label) for code in codes if code.code == value), value)

    def codes(self, item: Item) -> tuple[str, ...]:
        """Codes of an item in the order of its list."""
        if item.type == "boolean":
            return "true", "false"
        codelist = self._material.plan.study.terminology.get(item.codelist or "")
        return tuple(code.code for code in codelist.codes) if codelist is not None else ()


def baseline_table(material: Material, shows: Sequence[str], id_: str, title: str) -> ReportTable:
    """Characteristics by sequence or arm, and of all.

    Args:
        material: of the report.
        shows: ``form.item``; a date of birth is shown as age, another date as years before randomisation.
        id_, title: of the table.
    """
    words, items = material.words, Items(material)
    plan = material.plan
    population = plan.words.populations[plan.study.analysis.estimands[0].population]
    people = where(plan.frames["ADSL"], **{population: "Y"})
    parts = [(group.label, part) for group, part in material.groups.people(people)]
    if not material.groups.pooled:
        parts.append((words("All"), people))
    lines = [line for shown in shows for line in _lines(material, items, shown, [part for _, part in parts])]
    heads = (words("{label} (n = {n})", label=label, n=len(part)) for label, part in parts)
    note = f"{words('Population')}: {plan.words.text(_population(material).label)}."
    return ReportTable(id_, "table", title, (words("Characteristic"), *heads), tuple(lines), (note,))


def _population(material: Material) -> Population:
    analysis = material.plan.study.analysis
    return next(each for each in analysis.populations if each.id == analysis.estimands[0].population)


def _lines(material: Material, items: Items, shown: str, parts: Sequence[pandas.DataFrame]) -> Iterator[Line]:
    item, words = items.declared(shown), material.words
    if item is None:
        yield Line(shown, tuple("–" for _ in parts))
        return
    known = items.at_baseline(shown)
    found = [[known[one] for one in part["USUBJID"] if one in known] for part in parts]
    label = items.label(shown)
    if item.type in ("date", "partial_date"):
        of_birth = item.sdtm is not None and item.sdtm.variable == "BRTHDTC"
        label = words("Age (years)") if of_birth else words("{label}, years before randomisation", label=label)
        yield Line(label)
        yield from _numbers(material, [_years(part, known, of_birth=of_birth) for part in parts])
    elif item.type in ("code", "boolean"):
        yield Line(label)
        counts = [Counter(str(value.value) for value in part) for part in found]
        for code in items.codes(item):
            if any(count[code] for count in counts):
                shares = (words.share(n[code], len(part)) for n, part in zip(counts, parts, strict=True))
                yield Line(items.code(item, code), tuple(shares), 1)
        missing = [len(part) - sum(n.values()) for n, part in zip(counts, parts, strict=True)]
        if any(missing):
            shares = (words.share(n, len(part)) for n, part in zip(missing, parts, strict=True))
            yield Line(words("not known"), tuple(shares), 1)
    else:
        yield Line(f"{label} ({item.units[0]})" if item.units and item.units[0] not in label else label)
        yield from _numbers(material, [[float(str(value.value)) for value in part] for part in found])


def _years(part: pandas.DataFrame, known: Mapping[str, Collected], *, of_birth: bool) -> list[float]:
    if of_birth:
        return [float(age) for age in part["AGE"].dropna()]
    found = []
    for _, row in part.iterrows():
        value, entry = known.get(row["USUBJID"]), row.get("RANDDT")
        if value is not None and entry is not None and pandas.notna(entry):
            years = _years_before(str(value.value), DAY_ZERO + timedelta(days=int(entry)))
            found += [years] if years is not None else []
    return found


def _years_before(text: str, day: date) -> float | None:
    """Years from a date, as precise as it is known: by days, months or years."""
    parts = [int(part) for part in re.findall(r"\d+", text)]
    if len(parts) >= 3:
        return (day - date(*parts[:3])).days / 365.25
    if len(parts) == 2:
        return day.year - parts[0] + (day.month - parts[1]) / 12
    return float(day.year - parts[0]) if parts else None


def _numbers(material: Material, parts: Sequence[Sequence[float]]) -> Iterator[Line]:
    words = material.words
    yield Line(words("mean (SD)"), tuple(_mean(material, part) for part in parts), 1)
    yield Line(words("median (lowest to highest)"), tuple(_median(material, part) for part in parts), 1)


def _mean(material: Material, part: Sequence[float]) -> str:
    return material.words.spread(mean(part), stdev(part) if len(part) > 1 else None) if part else "–"


def _median(material: Material, part: Sequence[float]) -> str:
    if not part:
        return "–"
    words = material.words
    middle, low, high = (words.number(number, 1) for number in (median(part), min(part), max(part)))
    return f"{middle} ({low} {words('to')} {high})"
