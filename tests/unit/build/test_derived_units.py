"""A derived quantity is recorded in the unit that its item declares, whatever units it was computed from."""

from __future__ import annotations

import shutil
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import trialwright.protocol
from trialwright.build import ItemValue, compile_study
from trialwright.build.compiled import CompiledItem
from trialwright.foundation.quantities import Quantity
from trialwright.protocol import load_study


def derived_item(folder: Path, unit: str, expression: str) -> CompiledItem:
    path = folder / "forms" / "blood_pressure.yaml"
    lines = f"""
      - {{id: height, label: {{en: Height}}, type: quantity, units: [cm, m], decimals: 0}}
      - {{id: weight, label: {{en: Weight}}, type: quantity, units: [kg], decimals: 1}}
      - id: computed
        label: {{en: Computed}}
        type: quantity
        units: ["{unit}"]
        decimals: 1
        origin: derived
        derive: {{expression: "{expression}"}}
"""
    path.write_text(path.read_text(encoding="utf-8").replace("checks:\n", f"{lines}checks:\n", 1), encoding="utf-8")
    return compile_study(load_study(folder)).forms["blood_pressure"].items["computed"]


@pytest.mark.parametrize(
    ("unit", "expression", "expected"),
    [
        ("kg/m2", "weight / (height * height)", "24.7"),
        ("g/cm2", "weight / (height * height)", "2.5"),
        ("g", "weight * 2", "160000.0"),
        ("kg", "weight * 2", "160.0"),
        ("m", "height", "1.8"),
        ("%", "weight / 160 'kg' * 100 '%'", "50.0"),
    ],
)
def test_the_value_is_converted_to_the_items_first_unit(
    folder: Path, unit: str, expression: str, expected: str
) -> None:
    item = derived_item(folder, unit, expression)
    row = {"height": Quantity("180", "cm"), "weight": Quantity("80", "kg")}
    assert item.derived(row) == ItemValue(text=expected, unit=unit)


def test_a_value_entered_in_another_unit_gives_the_same(folder: Path) -> None:
    item = derived_item(folder, "kg/m2", "weight / (height * height)")
    assert item.derived({"height": Quantity("1.80", "m"), "weight": Quantity("80", "kg")}).text == "24.7"


@pytest.fixture(scope="module")
def body_mass_index(tmp_path_factory: pytest.TempPathFactory) -> CompiledItem:
    target = tmp_path_factory.mktemp("study") / "study"
    shutil.copytree(Path(trialwright.protocol.__file__).parent / "template", target)
    return derived_item(target, "kg/m2", "weight / (height * height)")


@given(height=st.integers(50, 250), weight=st.decimals("20", "300", places=1))
def test_it_is_what_the_definition_gives(body_mass_index: CompiledItem, height: int, weight: Decimal) -> None:
    text = body_mass_index.derived(
        {"height": Quantity(str(height), "cm"), "weight": Quantity(str(weight), "kg")}
    ).text
    exact = weight / (Decimal(height) / 100) ** 2
    assert text is not None
    # Computed in doubles: only a tie may go to the other side.
    rounded = exact.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
    assert Decimal(text) == rounded or abs(abs(exact - Decimal(text)) - Decimal("0.05")) < Decimal("1e-9")
