"""The short form of the campaign: plain evaluator = closures = DuckDB = PostgreSQL = JavaScript."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def campaign() -> ModuleType:
    place = Path(__file__).parents[1] / "campaigns" / "expressions.py"
    specification = spec_from_file_location("expression_campaign", place)
    assert specification is not None and specification.loader is not None
    module = module_from_spec(specification)
    sys.modules[specification.name] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module


def test_all_targets_agree_on_random_expressions_and_rows(campaign: ModuleType, postgres_url: str) -> None:
    report = campaign.run(20_000, seed=7, postgres_url=postgres_url, rows_a_batch=40)

    assert report.differences == []
    assert min(report.shares().values()) >= 0.20
    assert report.uncovered() == []


@pytest.mark.parametrize(
    ("target", "right", "wrong"),
    [
        ("duckdb", "DATE_DIFF('day'", "DATE_DIFF('month'"),
        ("duckdb", " <= ", " < "),
        ("postgres", " OR ", " AND "),
        ("javascript", "trialwright.not(", "trialwright.missing("),
        ("verdict", "THEN 'no' ELSE 'unknown'", "THEN 'no' ELSE 'no'"),
    ],
)
def test_the_comparison_notices_a_target_that_is_wrong(
    campaign: ModuleType, postgres_url: str, target: str, right: str, wrong: str
) -> None:
    def spoil(case: object) -> object:
        text = getattr(case, target)
        return case if text is None else replace(case, **{target: text.replace(right, wrong)})

    report = campaign.run(2_700, seed=11, postgres_url=postgres_url, rows_a_batch=15, spoil=spoil)

    assert report.differences
