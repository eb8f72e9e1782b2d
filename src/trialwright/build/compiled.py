"""Forms, criteria and gates of a build, ready for use by a running trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

from trialwright.build.formulas import CompiledExpression, CompiledInstrument
from trialwright.build.values import Field, ItemValue, rounded
from trialwright.expressions import Answer, Missing, QuantityType, Type, Value, Verdict
from trialwright.foundation.missing import MissingReason
from trialwright.foundation.truth import Truth
from trialwright.foundation.units import convert
from trialwright.protocol.custody import GateCriterion, ReleaseCriterion
from trialwright.protocol.eligibility import Criterion, Fact
from trialwright.protocol.forms import Check, Form, Item

_COMPUTED_DECIMALS = 4


@dataclass(frozen=True)
class CompiledItem:
    """One item of a form.

    Attributes:
        field: what reading and judging its values needs.
        group: id of its group; ``repeats`` when the group is a table of rows.
        when: asked only where this holds, or None.
        derive: how it is computed, or None where it is entered.
    """

    field: Field
    group: str
    repeats: bool
    when: CompiledExpression | None
    derive: CompiledExpression | CompiledInstrument | None

    @property
    def item(self) -> Item:
        """As declared."""
        return self.field.item

    def derived(self, row: Mapping[str, Value]) -> ItemValue:
        """The computed value of a derived item for one row; missing where its inputs are.

        Numbers are rounded to the item's ``decimals`` (4 where none are declared), ties away from zero.

        Raises:
            InvalidValue: an input outside what an instrument allows.
        """
        assert self.derive is not None, "only derived items are computed"
        if isinstance(self.derive, CompiledInstrument):
            result = self.derive.evaluate(row)
            return ItemValue(missing=result.reason) if isinstance(result, Missing) else self._number(result)
        return self._of_expression(self.derive.evaluate(row), self.derive.type)

    def _of_expression(self, answer: Verdict | Answer, type_: Type) -> ItemValue:
        if isinstance(answer, Verdict):
            if answer.truth is Truth.UNKNOWN:
                return ItemValue(missing=_reason(answer))
            return ItemValue(text="true" if answer.truth is Truth.YES else "false")
        if answer.value is None:
            return ItemValue(missing=_reason(answer))
        if not isinstance(answer.value, float | int):
            return ItemValue(text=str(answer.value))
        return self._number(self._in_own_unit(answer.value, type_))

    def _in_own_unit(self, value: float, type_: Type) -> float | Fraction:
        # Kilograms by square centimetres are computed as such; the record says kg/m2 where the item does.
        if not isinstance(type_, QuantityType) or type_.unit == self.item.units[0]:
            return value
        return convert(Fraction(Decimal(repr(value))), type_.unit, self.item.units[0])

    def _number(self, value: object) -> ItemValue:
        whole = self.item.type in ("integer", "scale")
        decimals = 0 if whole else _COMPUTED_DECIMALS if self.item.decimals is None else self.item.decimals
        unit = self.item.units[0] if self.item.type == "quantity" else None
        return ItemValue(text=rounded(value, decimals), unit=unit)  # type: ignore[arg-type]  # a number by its callers


@dataclass(frozen=True)
class CompiledCheck:
    """An edit check: where the condition does not hold, a query asks."""

    check: Check
    condition: CompiledExpression

    def verdict(self, row: Mapping[str, Value]) -> Verdict:
        """YES holds, NO raises a query, UNKNOWN asks nothing: what is missing is asked for by completeness."""
        return self.condition.verdict(row)


@dataclass(frozen=True)
class CompiledForm:
    """A form with its items by id, its checks, and the order in which derived items are computed."""

    form: Form
    items: Mapping[str, CompiledItem]
    checks: tuple[CompiledCheck, ...]
    derivation_order: tuple[str, ...]

    @cached_property
    def has_rows(self) -> bool:
        """Whether it has a group that is a table of rows."""
        return any(item.repeats for item in self.items.values())


@dataclass(frozen=True)
class CompiledFact:
    """A fact; ``source`` takes it from forms, None leaves it to the record or to the investigator."""

    fact: Fact
    source: CompiledExpression | None

    @property
    def is_stated(self) -> bool:
        """Whether neither a form nor the record knows it: the investigator states it."""
        return self.source is None and self.fact.record is None


@dataclass(frozen=True)
class CompiledCriterion:
    """A criterion; ``condition`` is what its expression says, None where the doctor decides alone."""

    criterion: Criterion
    condition: CompiledExpression | None

    def verdict(self, row: Mapping[str, Value]) -> Verdict:
        """Whether the participant *fits* this criterion: an exclusion's condition must not hold.

        UNKNOWN without reasons where the doctor decides.
        """
        if self.condition is None:
            return Verdict(Truth.UNKNOWN)
        found = self.condition.verdict(row)
        return found if self.criterion.kind == "inclusion" else Verdict(~found.truth, found.reasons)


@dataclass(frozen=True)
class CompiledGate:
    """A gate before a collection or an administration."""

    gate: GateCriterion
    condition: CompiledExpression

    def verdict(self, row: Mapping[str, Value]) -> Verdict:
        """Only YES opens the gate."""
        return self.condition.verdict(row)


@dataclass(frozen=True)
class CompiledRelease:
    """A release criterion over the laboratory's measurements."""

    criterion: ReleaseCriterion
    condition: CompiledExpression

    def verdict(self, row: Mapping[str, Value]) -> Verdict:
        """Only YES releases."""
        return self.condition.verdict(row)


@dataclass(frozen=True)
class CompiledStratum:
    """A stratification factor: its levels in order, each with the condition that puts a participant there."""

    id: str
    levels: tuple[str, ...]
    conditions: Mapping[str, CompiledExpression]

    def level(self, row: Mapping[str, Value]) -> str | None:
        """The first level whose condition holds; None where none does, or an earlier one is unknown."""
        for level in self.levels:
            condition = self.conditions.get(level)
            if condition is None:
                continue
            truth = condition.verdict(row).truth
            if truth is not Truth.NO:
                return level if truth is Truth.YES else None
        return None


def _reason(answer: Verdict | Answer) -> MissingReason:
    """The first missing reason an unknown answer gives; UNKNOWN where only arithmetic stood in the way."""
    for reason in answer.reasons:
        if isinstance(reason.why, MissingReason):
            return reason.why
    return MissingReason.UNKNOWN
