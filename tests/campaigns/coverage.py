"""Do intervals cover the truth, and does what was lived through come out of exports and analysis unchanged?

python tests/campaigns/coverage.py [trials] [rehearsed]

Simulates trials of SMART-MS (1,000 by default) by the fast path and counts how many 95 % intervals hold the truth of
the scenario. Some of them (20 by default) are lived through again: their values are entered by virtual participants
through the commands, exported as SDTM and ADaM, and analysed by the plan. The comparer reads the values that the
simulator drew and the analysis data sets, and nothing in between.

Exit status 1 when a model covers in less than 93 % or more than 97 % of trials, when a value differs or is lost, or
when the report's estimate is not that of the simulator's own function on the same values.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from trialwright.analysis import Material, Result, material_of_store, run_plan
from trialwright.build import Build, compile_study
from trialwright.operating_characteristics import (
    Plan,
    Replayed,
    cases,
    known_values,
    replay,
    report,
    run,
    settings,
    workers,
)
from trialwright.protocol import load_study
from trialwright.rehearsal import Known, Wishes, rehearse
from trialwright.stores import open_store

STUDY, SCENARIO, SEED = "smart-ms", "published", 77
LOW, HIGH = 0.93, 0.97
STUDIES = Path(__file__).resolve().parents[2] / "studies"


def build_of(name: str = STUDY) -> Build:
    """The study to try."""
    return compile_study(load_study(STUDIES / name))


def plan_of(build: Build, trials: int, participants: int | None = None) -> Plan:
    """One setting: the scenario as it stands."""
    points = settings(build.study, scenarios=(SCENARIO,), participants=participants, grids=False)
    return Plan(build.canonical, points, (trials,) * len(points), SEED)


def lived(build: Build, plan: Plan, trial: int) -> tuple[Material, tuple[str, ...]]:
    """A simulated trial, entered through the commands, unblinded and exported; its participants in order."""
    known = known_values(build.study, plan, 0, trial)
    opened, closed = open_store("memory:"), open_store("memory:")
    wishes = Wishes(
        seed=plan.seed + trial, scenario=SCENARIO, amendment=False, known=Known(known.labels, known.values)
    )
    done = rehearse(build, opened, closed, wishes)
    return material_of_store(STUDY, opened, closed), tuple(done.order)


def differences(
    drawn: tuple[Replayed, ...], left_out: set[str], material: Material, order: tuple[str, ...]
) -> Iterator[str]:
    """What the analysis data sets hold otherwise than it was drawn, one sentence a value.

    Args:
        drawn: models of the trial with the values that the simulator drew.
        left_out: endpoints that no form after randomisation holds.
        material: with the analysis data sets.
        order: participants in the order of randomisation.
    """
    values = {
        (row["USUBJID"], row["PARAMCD"], int(row["AVISITN"])): row["AVAL"]
        for row in material.plan.frames["ADEFF"].to_dict("records")
    }
    endpoints = {endpoint.id: endpoint for endpoint in material.plan.study.analysis.endpoints}
    for each in drawn:
        if each.endpoint in left_out or not each.visits:
            continue
        code = material.plan.words.parameter(endpoints[each.endpoint]).code
        rounding = 0.51 * 10.0 ** -decimals_of(material, endpoints[each.endpoint].item)
        for row in each.rows:
            usubjid = material.reading.usubjid(order[row.participant - 1])
            for visit, value in zip(each.visits, row.values, strict=True):
                found = values.get((usubjid, code, material.plan.words.visit_numbers[visit]))
                where = f"{each.endpoint} of participant {row.participant} at {visit}"
                if (value is None) != (found is None):
                    yield f"{where}: drawn {value}, found {found}"
                elif value is not None and found is not None and abs(value - found) > rounding:
                    yield f"{where}: drawn {value:.3f}, found {found:.3f}"


def decimals_of(material: Material, item: str) -> int:
    """Decimals with which an item is entered."""
    form, _, name = item.partition(".")
    return next(each.decimals or 0 for each in material.plan.study.forms[form].items() if each.id == name)


def close(result: Result, each: Replayed) -> bool:
    """Whether the report's estimate is that of the simulator's function, but for rounding of what was entered."""
    if result.value is None or each.full is None:
        return result.value is None and each.full is None
    return abs(result.value - each.full.value) <= 0.2 * each.full.standard_error


def main(trials: int, rehearsed: int) -> int:
    build = build_of()
    plan = plan_of(build, trials)
    answers = report(build.study, plan, run(plan, workers("joblib", 1))).answers
    error = (0.95 * 0.05 / trials) ** 0.5
    print(f"{trials:,} trials of {STUDY}, scenario {SCENARIO}, Monte-Carlo standard error {100 * error:.2f} %\n")
    wrong = 0
    for answer in answers:
        if answer.coverage is None:
            continue
        off = not LOW <= answer.coverage[0] <= HIGH
        wrong += off
        share, mark = f"{100 * answer.coverage[0]:6.1f} %", "   OFF" if off else ""
        print(f"  {answer.model:<26} {share}  truth {answer.truth:8.3f}{mark}")
    truths = {case.model: case.truth for case in cases(build.study, plan.settings[0], plan.seed)[0]}
    covered: Counter[str] = Counter()
    lost: list[str] = []
    for trial in range(rehearsed):
        (material, order), drawn = lived(build, plan, trial), replay(plan, 0, trial)
        left_out = set(known_values(build.study, plan, 0, trial).left_out)
        lost += [f"trial {trial}: {each}" for each in differences(drawn, left_out, material, order)]
        results = {result.item: result for result in run_plan(material.plan)}
        for each in drawn:
            result = results[each.model]
            if each.endpoint in left_out:
                continue
            if not close(result, each):
                lost.append(f"trial {trial}: {each.model} {result.value} beside {each.full}")
            if result.low is not None and result.high is not None:
                covered[each.model] += result.low <= truths[each.model] <= result.high
        print(f"  rehearsed {trial + 1} of {rehearsed}", file=sys.stderr)
    if rehearsed:
        total = sum(covered.values())
        print(f"\n{rehearsed} of them lived through, exported and analysed; intervals that hold the truth:")
        for model, count in covered.items():
            print(f"  {model:<26} {count} of {rehearsed}")
        print(f"  all {total} of {rehearsed * len(covered)}\n{len(lost)} values or estimates differ")
    print("\n".join(lost[:20]))
    return 1 if wrong or lost else 0


if __name__ == "__main__":
    arguments = [int(text) for text in sys.argv[1:]]
    raise SystemExit(main(*(arguments + [1_000, 20][len(arguments) :])))
