"""Which names an expression of a study may use, and the type of each."""

from __future__ import annotations

from collections.abc import Iterator

from trialwright.expressions.types import (
    BooleanType,
    CodeType,
    DateType,
    DecimalType,
    IntegerType,
    QuantityType,
    TextType,
    Type,
)
from trialwright.foundation.units import UnknownUnit
from trialwright.protocol.custody import Measurement
from trialwright.protocol.eligibility import Fact
from trialwright.protocol.folder import Study
from trialwright.protocol.forms import Form, Item

NO_UNIT = "1"
"""UCUM's unit of a pure number."""


def item_type(study: Study, item: Item) -> Type:
    """The type of an item in expressions: a quantity in its first unit, a code of its list, and so on."""
    unit = item.units[0] if item.units else NO_UNIT
    return _type(study, item.type, unit, item.codelist)


def fact_type(study: Study, fact: Fact) -> Type:
    """The type of a fact of ``eligibility.yaml``. Dates may be partial: people remember years."""
    return _type(study, "partial_date" if fact.type == "date" else fact.type, fact.unit or NO_UNIT, fact.codelist)


def measurement_type(study: Study, measurement: Measurement) -> Type:
    """The type of a laboratory measurement of ``custody.yaml``."""
    return _type(study, measurement.type, measurement.unit or NO_UNIT, measurement.codelist)


def item_scope(study: Study) -> dict[str, Type]:
    """``form.item`` → type, over all forms."""
    return {key: item_type(study, item) for key, item in study.items.items()}


def form_scope(study: Study, form: Form, everywhere: dict[str, Type]) -> dict[str, Type]:
    """What the expressions of a form may name: its own items shortly, every item in full."""
    return {**everywhere, **{item.id: item_type(study, item) for item in form.items()}}


def fact_scope(study: Study) -> dict[str, Type]:
    """Fact → type."""
    return {fact.id: fact_type(study, fact) for fact in study.eligibility.facts}


def measurement_scope(study: Study) -> dict[str, Type]:
    """Laboratory measurement → type; nothing where no product is made."""
    if study.custody is None:
        return {}
    return {m.id: measurement_type(study, m) for m in study.custody.measurements}


def codes_of(study: Study, codelist: str | None) -> tuple[str, ...]:
    """The codes of a list, in its order; none for a list that does not exist (a rule says so)."""
    found = study.terminology.get(codelist or "")
    return tuple(code.code for code in found.codes) if found else ()


def units_in_use(study: Study) -> Iterator[str]:
    """Every unit that a type depends on."""
    for item in study.items.values():
        yield from item.units
    yield from (fact.unit for fact in study.eligibility.facts if fact.unit)
    if study.custody is not None:
        yield from (m.unit for m in study.custody.measurements if m.unit)


def _type(study: Study, kind: str, unit: str, codelist: str | None) -> Type:
    if kind == "quantity":
        try:
            return QuantityType(unit)
        except UnknownUnit:  # its own rule reports it; expressions go on with a plain number
            return DecimalType()
    if kind == "code":
        if codelist not in study.terminology:  # its own rule reports it; expressions go on with any text
            return TextType()
        return CodeType(codes_of(study, codelist), codelist or "")
    return _PLAIN[kind]


_PLAIN: dict[str, Type] = {
    "boolean": BooleanType(),
    "integer": IntegerType(),
    "scale": IntegerType(),
    "decimal": DecimalType(),
    "text": TextType(),
    "time": TextType(),
    "date": DateType(),
    "partial_date": DateType(partial=True),
}
