"""Kleene monotonicity: learning more never turns a definite verdict round."""

from __future__ import annotations

import random
import sys
from datetime import timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from trialwright.expressions import BooleanType, TooLarge, admit, compile_python, parse
from trialwright.expressions.python import Compiled
from trialwright.foundation.dates import PartialDate

NOT_MONOTONE = ("missing", "known(", "coalesce(")
"""What asks whether a value is there must change its answer when one comes."""


@pytest.fixture(scope="module")
def campaign() -> ModuleType:
    place = Path(__file__).parents[1] / "campaigns" / "expressions.py"
    specification = spec_from_file_location("expression_campaign", place)
    assert specification is not None and specification.loader is not None
    module = module_from_spec(specification)
    sys.modules[specification.name] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module


def conditions(campaign: ModuleType, chance: random.Random, count: int) -> list[Compiled]:
    author, found = campaign.Author(chance), []
    while len(found) < count:
        text = author.condition(3)
        if any(word in text for word in NOT_MONOTONE):
            continue
        try:
            compiled = compile_python(parse(text), campaign.SCOPE)
        except TooLarge:
            continue
        if isinstance(compiled.type, BooleanType):
            found.append(compiled)
    return found


def learned(chance: random.Random, less: dict[str, Any], full: dict[str, Any]) -> dict[str, Any]:
    """Some of the missing values come in, some partial dates become more exact."""
    more = dict(less)
    for name, value in less.items():
        if chance.random() < 0.3:
            continue
        if value is None:
            more[name] = full[name]
        elif isinstance(value, PartialDate) and not value.is_full:
            days = (value.latest - value.earliest).days
            day = value.earliest + timedelta(days=chance.randint(0, days))
            more[name] = PartialDate(day.year, day.month, day.day if chance.random() < 0.5 else None)
    return more


@pytest.mark.parametrize("seed", range(4))
def test_a_value_that_comes_in_never_turns_a_definite_verdict(campaign: ModuleType, seed: int) -> None:
    chance = random.Random(seed)
    definite, became_definite = 0, 0
    for compiled in conditions(campaign, chance, 150):
        for _ in range(40):
            full = campaign.random_values(chance)
            less = {name: None if chance.random() < 0.35 else value for name, value in full.items()}
            more = learned(chance, less, full)
            before = compiled.decide(admit(compiled.inputs, less).cells)
            after = compiled.decide(admit(compiled.inputs, more).cells)
            if before is None:
                became_definite += after is not None
            else:
                definite += 1
                assert after is before, (compiled.expression.text, less, more)
    assert definite > 1_000
    assert became_definite > 500


@pytest.mark.parametrize("seed", range(2))
def test_an_unknown_says_why_and_a_definite_verdict_has_nothing_to_excuse(campaign: ModuleType, seed: int) -> None:
    chance = random.Random(100 + seed)
    for compiled in conditions(campaign, chance, 100):
        for _ in range(15):
            verdict = compiled(campaign.random_values(chance))
            assert bool(verdict.reasons) is (verdict.truth.as_bool() is None), compiled.expression.text
            assert len(set(verdict.reasons)) == len(verdict.reasons)
