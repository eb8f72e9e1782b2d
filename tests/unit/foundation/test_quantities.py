"""UCUM units and quantities. Expected factors are from the UCUM specification, version 2.1, or exact definitions."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.quantities import (
    IncommensurableUnits,
    Quantity,
    UnknownUnit,
    commensurable,
    convert,
    dimension,
    exact,
    unit,
)

FACTORS = [
    ("kg", "g", "1000"),
    ("10*9/L", "/L", "1000000000"),
    ("10^9/L", "10*3/uL", "1"),
    ("10*6{cells}/kg", "{cells}/g", "1000"),
    ("%", "1", "1/100"),
    ("wk", "d", "7"),
    ("a", "d", "1461/4"),
    ("mo", "d", "487/16"),
    ("h", "min", "60"),
    ("mm[Hg]", "Pa", "133.322"),
    ("cm[H2O]", "Pa", "98.0665"),
    ("[in_i]", "cm", "2.54"),
    ("[ft_i]", "[in_i]", "12"),
    ("[lb_av]", "g", "453.59237"),
    ("[oz_av]", "[lb_av]", "1/16"),
    ("[stone_av]", "[lb_av]", "14"),
    ("mmol/L", "umol/mL", "1"),
    ("U", "umol/min", "1"),
    ("kat", "U", "60000000"),
    ("k[iU]/L", "[iU]/mL", "1"),
    ("g/dL", "g/L", "10"),
    ("mg/dL", "mg/L", "10"),
    ("ug/mL", "mg/L", "1"),
    ("L", "dm3", "1"),
    ("dal", "l", "10"),
    ("m/s2", "cm/s2", "100"),
    ("J", "N.m", "1"),
    ("[Cal]", "kJ", "4.184"),
    ("mL/min/{1.73_m2}", "L/h", "60/1000"),
    ("/(10.L)", "/L", "1/10"),
    ("10*-2", "%", "1"),
    ("kg.m-2", "kg/m2", "1"),
    ("meq/L", "mmol/L", "1"),
    ("deg", "'", "60"),
]


@pytest.mark.parametrize(("given_unit", "wanted", "factor"), FACTORS)
def test_a_unit_converts_by_its_exact_factor(given_unit: str, wanted: str, factor: str) -> None:
    numerator, _, denominator = factor.partition("/")
    assert convert(Fraction(1), given_unit, wanted) == Fraction(numerator) / Fraction(denominator or "1")


@pytest.mark.parametrize(
    ("value", "given_unit", "wanted", "expected"),
    [
        ("0", "Cel", "K", "273.15"),
        ("37", "Cel", "[degF]", "98.6"),
        ("98.6", "[degF]", "Cel", "37"),
        ("-40", "[degF]", "Cel", "-40"),
        ("212", "[degF]", "Cel", "100"),
    ],
)
def test_temperatures_convert_with_their_offset(value: str, given_unit: str, wanted: str, expected: str) -> None:
    assert Quantity(value, given_unit).to(wanted) == Fraction(expected)


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        ("mmHg", "mm[Hg]"), ("IU/L", "[iU]/L"), ("mcg/mL", "ug/mL"), ("years", "a"), ("°C", "Cel"), ("µg", "ug"),
        ("kgs", "kg"), ("lbs", "[lb_av]"), ("cells/uL", "{cells}/uL"), ("mL/min/1.73m2", "mL/min/{1.73_m2}"),
        ("points", "{points}"),
    ],
)  # fmt: skip
def test_an_unknown_unit_says_what_was_probably_meant(code: str, meant: str) -> None:
    with pytest.raises(UnknownUnit) as caught:
        unit(code)
    assert caught.value.given["suggestion"] == meant
    assert unit(meant)


@pytest.mark.parametrize(
    "code",
    ["", " ", "kg ", "kg//L", "1.5", "mL/min/1.73.m2", "0", "kg/0", "(kg", "kg)", "{", "}", "{a{b}}", "kg{",
     "x" * 121, "mol/", "((((((((g))))))))", "mCel", "Cel/h", "10*99", "Ym99", "kkg", "min2min", "µ", "\x00",
     "g" * 120, "." * 100],
)  # fmt: skip
def test_a_text_that_is_no_unit_is_refused_by_name(code: str) -> None:
    with pytest.raises(UnknownUnit) as caught:
        unit(code)
    assert caught.value.remedy


@given(st.text(alphabet="kgmLldsh10*^9/.{}[]()iU%-2", max_size=30))
def test_no_text_makes_the_reader_of_units_stumble(code: str) -> None:
    try:
        found = unit(code)
    except UnknownUnit:
        return
    assert found.factor > 0


def test_units_of_different_kinds_do_not_convert() -> None:
    with pytest.raises(IncommensurableUnits) as caught:
        Quantity("5", "kg").to("cm")
    assert "mass" in caught.value.message
    assert "length" in caught.value.message


@pytest.mark.parametrize(("first", "second"), [("mol", "1"), ("[iU]", "U"), ("[iU]", "g"), ("Cel", "g"), ("a", "m")])
def test_amounts_and_international_units_are_kinds_of_their_own(first: str, second: str) -> None:
    assert not commensurable(first, second)


def test_a_dimension_is_named_with_its_exponents() -> None:
    assert dimension("g/L") == (("length", -3), ("mass", 1))
    assert dimension("{score}") == ()
    assert dimension("kg/kg") == ()


def test_a_quantity_keeps_what_was_entered() -> None:
    entered = Quantity("072.50", "kg")
    assert (entered.text, entered.unit, str(entered)) == ("072.50", "kg", "072.50 kg")
    assert str(entered.value) == "72.50"
    assert entered != Quantity("72.5", "kg")
    assert entered.to("kg") == Quantity("72.5", "kg").to("kg")


def test_a_conversion_is_not_rounded() -> None:
    assert Quantity("1", "[degF]").to("Cel") == Fraction(-155, 9)
    assert Quantity("1", "d").to("wk") == Fraction(1, 7)


@pytest.mark.parametrize(
    "text", ["", "1,5", "1e5", "NaN", "inf", " 1", "1 ", "1_0", "٣", "--1", "+1", ".", "-", "9" * 41]
)
def test_what_is_no_decimal_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        exact(text)


@given(st.fractions(), st.sampled_from([pair[:2] for pair in FACTORS] + [("Cel", "[degF]")]))
def test_converting_there_and_back_gives_the_same_value(value: Fraction, units: tuple[str, str]) -> None:
    first, second = units
    assert convert(convert(value, first, second), second, first) == value
