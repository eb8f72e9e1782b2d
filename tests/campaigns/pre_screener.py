"""The browser's pre-screener against the server's, at length: verdicts, what they wait for, the next question.

    python tests/campaigns/pre_screener.py [ANSWERS] [GROUPS]

ANSWERS random sets of answers for each example study (20,000 by default), and GROUPS groups of random criteria with
20 random rows each for the rule of the next question (2,000 by default). Prints what it did; exit code 1 where Node
and Python differ anywhere.
"""

from __future__ import annotations

import random
import sys
import time
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from trialwright.build import compile_study
from trialwright.expressions import javascript_asking
from trialwright.finder import PreScreener
from trialwright.protocol import load_study

ROOT = Path(__file__).parents[2]
BATCH = 2_000


def loaded(name: str, path: str) -> ModuleType:
    """A module of the tests, by its file."""
    specification = spec_from_file_location(name, ROOT / path)
    assert specification is not None and specification.loader is not None
    module = module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


def studies(answers: int) -> int:
    """Compare on the example studies; answers how many sets of answers differ."""
    tests = loaded("screener_tests", "tests/unit/finder/test_screener.py")
    different = 0
    for folder in sorted(path for path in (ROOT / "studies").iterdir() if path.is_dir()):
        screener, chance = PreScreener(compile_study(load_study(folder))), random.Random(17)
        script, wrong, verdicts, began = screener.javascript(), 0, 0, time.perf_counter()
        for _ in range(0, answers, BATCH):
            given = [screener.read(tests.random_answers(screener, chance)) for _ in range(BATCH)]
            here = [tests.told(screener.judge(one)) for one in given]
            there = tests.in_browser(script, [tests.in_javascript(one) for one in given])
            wrong += sum(one != other for one, other in zip(here, there, strict=True))
            verdicts += sum(len(one["verdicts"]) for one in here)
        took = time.perf_counter() - began
        print(f"{folder.name:<18} {answers:>7,} answers, {verdicts:>9,} verdicts, {wrong} differ ({took:.0f} s)")
        different += wrong
    return different


def next_questions(groups: int) -> int:
    """Compare the rule of the next question on random criteria; answers how many rows differ."""
    tests = loaded("question_tests", "tests/property/test_questions_agree.py")
    expressions = loaded("expression_campaign", "tests/campaigns/expressions.py")
    asked = different = 0
    for seed in range(groups // 200):
        found, wrong = tests.differences(expressions, groups=200, rows=20, seed=seed, asking=javascript_asking())
        asked, different = asked + found, different + wrong
    print(f"next question      {groups * 20:>7,} rows of {groups:,} groups, {asked:,} ask, {different} differ")
    return different


if __name__ == "__main__":
    answers, groups = (int(text) for text in (*sys.argv[1:], *("20000", "2000")[len(sys.argv) - 1 :]))
    sys.exit(bool(studies(answers) + next_questions(groups)))
