"""Results do not depend on who computes, in which order, or in how many goes."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence

import numpy as np
import psutil
import pytest

from trialwright.operating_characteristics import BLOCK, CannotSimulate, Plan, replay, report, run, settings, workers
from trialwright.operating_characteristics.answers import Answer
from trialwright.operating_characteristics.compiled import HAVE_NUMBA
from trialwright.operating_characteristics.running import CONDUCT, Here, Results, Unit, compute
from trialwright.operating_characteristics.workers import Processes

MODELS = ("primary_ancova", "crossover_mixed")


@pytest.fixture(scope="module")
def plan(smart_ms) -> Plan:
    from dataclasses import replace

    points = tuple(
        replace(s, models=MODELS) for s in settings(smart_ms.study, scenarios=("no_difference", "hoped"), grids=False)
    )
    return Plan(smart_ms.canonical, points, (BLOCK + 500, 300), seed=4)


@pytest.fixture(scope="module")
def results(plan) -> list[Results]:
    return run(plan, Here())


class _Shuffled:
    """Workers that finish in another order."""

    def run(self, plan: Plan, units: Sequence[Unit]) -> Iterator[tuple[Unit, Results]]:
        order = list(units)
        random.Random(3).shuffle(order)
        for unit in order:
            yield unit, compute(plan, unit)


class _Interrupted:
    """Workers that are interrupted after some units."""

    def __init__(self, after: int) -> None:
        self._after = after

    def run(self, plan: Plan, units: Sequence[Unit]) -> Iterator[tuple[Unit, Results]]:
        for number, unit in enumerate(units):
            if number == self._after:
                raise KeyboardInterrupt
            yield unit, compute(plan, unit)


def test_every_trial_is_counted_once(plan, results):
    assert [sums[CONDUCT]["trials"] for sums in results] == [BLOCK + 500, 300]
    assert all(set(sums) == {CONDUCT, *MODELS} for sums in results)


def test_another_order_of_the_work_has_the_same_results_to_the_last_bit(plan, results):
    assert run(plan, _Shuffled()) == results


@pytest.mark.parametrize("batch", ["auto", 1, 3])
def test_two_processes_have_the_same_results_to_the_last_bit_whatever_they_are_sent_at_a_time(plan, results, batch):
    assert run(plan, Processes(2, batch)) == results


def test_workers_stay_for_the_next_run_and_have_one_thread_each(plan):
    asked = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    seen = []
    for _ in range(2):
        run(Plan(plan.canonical, plan.settings, (10, 10), seed=4), workers("joblib", 2))
        seen.append({each.pid: each.environ() for each in psutil.Process().children(recursive=True) if _works(each)})

    assert len(seen[0]) == 2
    assert seen[0].keys() == seen[1].keys()
    for environment in seen[0].values():
        assert {environment.get(name) for name in asked} == {"1"}


def _works(process: psutil.Process) -> bool:
    return "popen_loky" in " ".join(process.cmdline())


def test_a_worker_that_was_ended_from_outside_is_named_and_what_was_finished_goes_on(plan, results, tmp_path):
    kept = tmp_path / "kept.jsonl"
    many = Plan(plan.canonical, plan.settings, (BLOCK + 500, 400 * BLOCK), seed=4)
    told: list[int] = []

    def end_one(trials: int) -> None:
        told.append(trials)
        if len(told) == 5:
            next(each for each in psutil.Process().children(recursive=True) if _works(each)).kill()

    with pytest.raises(CannotSimulate, match="worker process ended") as refused:
        run(many, workers("joblib", 2), resume=kept, progress=end_one)

    assert "--resume" in refused.value.remedy
    assert run(plan, Here(), resume=kept) == results


def test_an_interrupted_run_goes_on_where_it_was_and_ends_alike(plan, results, tmp_path):
    kept = tmp_path / "parts" / "kept.jsonl"
    with pytest.raises(KeyboardInterrupt):
        run(plan, _Interrupted(after=2), resume=kept)
    with kept.open("a") as file:
        file.write('["torn')

    seen: list[int] = []
    again = run(plan, Here(), resume=kept, progress=seen.append)

    assert again == results
    assert seen[0] == BLOCK + 500
    assert run(plan, _Interrupted(after=0), resume=kept) == results


def test_parts_of_another_simulation_are_refused(plan, smart_ms, tmp_path):
    kept = tmp_path / "kept.jsonl"
    run(Plan(plan.canonical, plan.settings[1:], (10,), seed=4), Here(), resume=kept)

    with pytest.raises(CannotSimulate, match="another study, seed or engine"):
        run(Plan(plan.canonical, plan.settings[1:], (10,), seed=5), Here(), resume=kept)


def test_fewer_trials_are_the_first_of_more(plan):
    few = Plan(plan.canonical, plan.settings, (300, 100), seed=4)
    shown = replay(few, 1, 299)

    assert shown == replay(plan, 1, 299)


def test_a_replayed_trial_has_the_same_estimate_fast_and_in_full(plan):
    for trial in (0, 17, BLOCK + 3):
        for each in replay(plan, 1, trial):
            assert each.fast is not None
            assert each.full is not None
            assert each.fast.value == pytest.approx(each.full.value, rel=1e-5)
            assert each.fast.p_value == pytest.approx(each.full.p_value, rel=1e-4)


def test_scenarios_meet_the_same_participants(plan):
    null, hoped = replay(plan, 0, 5)[0], replay(plan, 1, 5)[0]

    assert [row.group for row in null.rows] == [row.group for row in hoped.rows]
    for before, after in zip(null.rows, hoped.rows, strict=True):
        assert before.values[0] == after.values[0]


@pytest.mark.skipif(not HAVE_NUMBA, reason="the compiled engine (numba) is absent: nothing to compare")
def test_the_compiled_and_the_plain_engine_decide_alike(smart_ms, plan):
    compiled = Plan(plan.canonical, plan.settings, (BLOCK, BLOCK), seed=8)
    plain = Plan(plan.canonical, plan.settings, (BLOCK, BLOCK), seed=8, compiled=False)

    for one, other in zip(run(compiled, Here()), run(plain, Here()), strict=True):
        for model in MODELS:
            for decided in ("significant", "estimated", "covered"):
                assert one[model][decided] == other[model][decided]
            assert one[model]["off_1"] == pytest.approx(other[model]["off_1"], rel=1e-6, abs=1e-6)


def test_the_report_says_power_and_error_with_their_simulation_error(smart_ms, plan, results):
    found = report(smart_ms.study, plan, results)

    by_model = {(a.setting.scenario, a.model): a for a in found.answers}
    null, hoped = by_model["no_difference", "crossover_mixed"], by_model["hoped", "crossover_mixed"]
    assert null.question == "type_1_error"
    assert hoped.question == "power"
    share, error = null.significant
    assert error == pytest.approx((share * (1 - share) / null.trials) ** 0.5)
    assert null.bias is not None
    assert abs(null.bias[0]) < 4 * null.bias[1]
    assert "18 participants" in hoped.sentence()
    json.dumps(found.as_dict(), allow_nan=False)


def test_the_standard_error_of_the_mean_is_that_of_the_estimates(plan, results, smart_ms):
    """Sums are turned back into what numpy makes of the estimates themselves."""
    from trialwright.operating_characteristics.running import COMMON, prepared, simulated
    from trialwright.operating_characteristics.streams import Streams

    cases, _, _ = prepared(plan.canonical, plan.settings[1], plan.seed)
    answers = [a for a in report(smart_ms.study, plan, results).answers if a.setting == plan.settings[1]]
    for (case, data), answer in zip(simulated(cases, Streams(4, COMMON, 0)), answers, strict=True):
        _assert_describes(answer, case.analysis.analyse(data).first(300).value - case.truth)


def _assert_describes(answer: Answer, off: np.ndarray) -> None:
    off = off[~np.isnan(off)]
    assert answer.bias == pytest.approx((off.mean(), off.std(ddof=1) / off.size**0.5))
    spread = off.std(ddof=1)
    assert answer.empirical_error == pytest.approx((spread, spread / (2 * (off.size - 1)) ** 0.5))


@pytest.mark.parametrize(("executor", "count"), [("spark://x", 1), ("joblib", 0), ("joblib", 5000)])
def test_impossible_workers_are_refused(executor, count):
    with pytest.raises(CannotSimulate):
        workers(executor, count)


@pytest.mark.parametrize("trials", [0, -3])
def test_no_trials_are_refused(plan, trials):
    with pytest.raises(CannotSimulate, match="number of trials"):
        Plan(plan.canonical, plan.settings, (trials, 1), seed=1)
