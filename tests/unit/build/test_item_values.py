"""What staff enter becomes canonical text or a refusal; what expressions see of it is exact."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialwright.build import (
    Field,
    ItemValue,
    missing_value,
    number_of,
    outcome_value,
    parse_item_value,
    size_of,
    value_of,
)
from trialwright.build.values import rounded
from trialwright.expressions import Missing
from trialwright.foundation.dates import PartialDate
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.missing import MissingReason
from trialwright.foundation.quantities import Quantity
from trialwright.protocol.forms import Item, Outcome, Range


def field(type_: str, **more: object) -> Field:
    codes = more.pop("codes", ())
    return Field("form", Item(id="item", label={"en": "Item"}, type=type_, **more), codes)  # type: ignore[arg-type]


WEIGHT = field(
    "quantity",
    units=("kg", "[lb_av]"),
    decimals=1,
    range=Range(low="45", high="130"),
    possible=Range(low="25", high="300"),
)
WALK = field("quantity", units=("s",), outcomes=(Outcome(code="unable", label={"en": "Unable"}, scored_as="180"),))


@pytest.mark.parametrize(
    ("kind", "entered", "text"),
    [
        (field("text"), "  a sentence ", "a sentence"),
        (field("integer"), "007", "7"),
        (field("integer"), "-3", "-3"),
        (field("decimal"), "1.50", "1.50"),
        (field("boolean"), "true", "true"),
        (field("code", codes=("F", "M")), "F", "F"),
        (field("date"), "14.06.2021", "2021-06-14"),
        (field("partial_date"), "UN.06.2021", "2021-06"),
        (field("partial_date"), "2021", "2021"),
        (field("time"), "09:30", "09:30"),
        (field("scale", possible=Range(low="0", high="10")), "10", "10"),
        (WEIGHT, "72.5", "72.5"),
    ],
    ids=lambda value: value.item.type if isinstance(value, Field) else str(value),
)
def test_an_entry_becomes_its_canonical_text(kind: Field, entered: str, text: str) -> None:
    assert parse_item_value(kind, entered).text == text


@pytest.mark.parametrize(
    ("kind", "entered", "unit"),
    [
        (field("text"), "", None),
        (field("text"), "a\x00b", None),
        (field("text"), "x" * 4001, None),
        (field("text"), "a", "kg"),
        (field("integer"), "1.0", None),
        (field("integer"), "٣", None),
        (field("decimal"), "1,5", None),
        (field("decimal"), "NaN", None),
        (field("decimal", decimals=1), "1.55", None),
        (field("boolean"), "yes", None),
        (field("code", codes=("F", "M")), "f", None),
        (field("date"), "2021-06", None),
        (field("date"), "2021-02-29", None),
        (field("time"), "24:00", None),
        (field("scale", possible=Range(low="0", high="10")), "11", None),
        (WEIGHT, "72.5", "cm"),
        (WEIGHT, "heavy", "kg"),
    ],
    ids=str,
)
def test_what_cannot_be_a_value_is_refused_with_a_remedy(kind: Field, entered: str, unit: str | None) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_item_value(kind, entered, unit)
    assert caught.value.remedy


def test_the_unit_is_kept_as_entered_and_the_first_is_assumed() -> None:
    assert parse_item_value(WEIGHT, "160", "[lb_av]") == ItemValue(text="160", unit="[lb_av]")
    assert parse_item_value(WEIGHT, "72").unit == "kg"


def test_numbers_are_converted_exactly() -> None:
    assert number_of(WEIGHT, ItemValue(text="160", unit="[lb_av]")) == 160 * Fraction("0.45359237")


@pytest.mark.parametrize(
    ("text", "size"),
    [("25", "unusual"), ("24.9", "impossible"), ("45", "usual"), ("44.9", "unusual"), ("300.1", "impossible")],
)
def test_unusual_and_impossible_sizes_are_judged_and_not_refused(text: str, size: str) -> None:
    assert size_of(WEIGHT, parse_item_value(WEIGHT, text)) == size


def test_a_size_is_judged_in_the_first_unit() -> None:
    assert size_of(WEIGHT, ItemValue(text="300", unit="[lb_av]")) == "unusual"  # 136 kg


def test_an_outcome_counts_as_its_score_and_without_one_is_unknown() -> None:
    unable = outcome_value(WALK, "unable")
    assert value_of(WALK, unable) == Quantity("180", "s")
    silent = field("decimal", outcomes=(Outcome(code="none", label={"en": "None"}),))
    assert value_of(silent, outcome_value(silent, "none")) == Missing(MissingReason.UNKNOWN)


def test_other_outcomes_and_reasons_are_refused() -> None:
    with pytest.raises(InvalidValue):
        outcome_value(WALK, "tired")
    with pytest.raises(InvalidValue):
        missing_value(WALK, MissingReason.INTENTIONALLY_BLANK)


def test_a_missing_value_keeps_its_reason_and_an_empty_field_has_none() -> None:
    assert value_of(WALK, missing_value(WALK, MissingReason.REFUSED)) == Missing(MissingReason.REFUSED)
    assert value_of(WALK, None) is None


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (field("boolean"), "false", False),
        (field("integer"), "7", Decimal(7)),
        (field("partial_date"), "2021-06", PartialDate(2021, 6)),
        (field("code", codes=("F",)), "F", "F"),
        (field("time"), "09:30", "09:30"),
    ],
    ids=str,
)
def test_expressions_see_the_value_in_its_own_kind(kind: Field, text: str, value: object) -> None:
    assert value_of(kind, ItemValue(text=text)) == value


@pytest.mark.parametrize(
    "parts",
    [{}, {"text": "1", "outcome": "unable"}, {"text": "1", "missing": MissingReason.PENDING}],
)
def test_a_value_is_one_thing_and_not_two(parts: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        ItemValue(**parts)  # type: ignore[arg-type]


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=3))
def test_a_decimal_is_kept_as_entered(number: Decimal) -> None:
    text = f"{number:f}"
    stored = parse_item_value(field("decimal"), text)
    assert stored.text == text
    assert number_of(field("decimal"), stored) == Fraction(text)


@given(st.fractions(min_value=-1000, max_value=1000), st.integers(0, 4))
def test_a_computed_number_is_rounded_to_the_nearest_and_ties_away_from_zero(number: Fraction, decimals: int) -> None:
    shown = Fraction(rounded(number, decimals))
    step = Fraction(1, 10**decimals)
    assert abs(shown - number) <= step / 2
    if abs(shown - number) == step / 2:
        assert abs(shown) > abs(number)


def test_any_text_is_read_or_refused() -> None:
    kinds = [field(t) for t in ("text", "integer", "decimal", "boolean", "date", "partial_date", "time")]

    @given(st.sampled_from([*kinds, WEIGHT, field("code", codes=("A",))]), st.text(max_size=30))
    def check(kind: Field, text: str) -> None:
        try:
            stored = parse_item_value(kind, text)
        except InvalidValue:
            return
        value_of(kind, stored)
        assert parse_item_value(kind, stored.text or "", stored.unit) == stored

    check()


KINDS = ("boolean", "quantity", "integer", "decimal", "scale", "date", "partial_date", "code", "text", "time")


@pytest.mark.parametrize("before", ["F", "34", "true", "2021-06", "08:30", "some words"])
@pytest.mark.parametrize("unit", [None, "kg"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_value_of_a_former_type_is_read_or_unknown_and_never_an_error(
    kind: str, unit: str | None, before: str
) -> None:
    now = field(kind, units=("cm",) if kind == "quantity" else (), possible=Range(low="0", high="9"))
    stored = ItemValue(text=before, unit=unit)
    value = value_of(now, stored)
    assert value is not False or before == "false"
    assert size_of(now, stored) in ("usual", "unusual", "impossible")
    if kind == "quantity" and unit == "kg":
        assert value == Missing(MissingReason.UNKNOWN)
