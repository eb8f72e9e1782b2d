"""Each method of the plan gives what the statistics give on the same table; what fails says why."""

from __future__ import annotations

import numpy as np
import pandas
import pytest

from trialwright.analysis import ArmSummary, Comparison, PlanCannotRun, Remark, Result, run_order, run_plan
from trialwright.analysis.minimising import minimised
from trialwright.analysis.numbered import NumberedDraws
from trialwright.foundation.errors import TrialwrightError
from trialwright.randomisation import Tally, declare_minimisation, minimise
from trialwright.statistics import count_regression, cox, crossover, least_squares, log_rank, mantel_haenszel, mmrm

RNG = np.random.Generator(np.random.Philox(7))
EFFECT = np.array([1.0 if (i // 2) % 2 else 0.0 for i in range(24)])
VISIT, OTHER_VISIT = "week_12", "week_2"


def only(plan):
    (result,) = run_plan(plan)
    return result


def agree(result, estimate, *, ratio=False):
    assert result.failed is None
    assert result.standard_error == pytest.approx(estimate.standard_error)
    value = np.exp(estimate.value) if ratio else estimate.value
    bounds = np.exp(estimate.confidence_interval()) if ratio else estimate.confidence_interval()
    assert (result.value, result.low, result.high) == pytest.approx((value, *bounds))


def arms_of(plan):
    return plan.comparison.one, plan.comparison.other


def test_analysis_of_covariance_is_least_squares_on_arm_and_baseline(parallel):
    base = RNG.normal(size=24)
    plan = parallel(
        "value", [VISIT], [{"id": "m", "method": "ancova", "terms": ["arm", "baseline"]}],
        [2 * base + EFFECT + RNG.normal(size=24)], BASE=base,
    )  # fmt: skip
    result = only(plan)
    fit = least_squares("AVAL ~ TRTP + BASE", plan.frames["ADEFF"].reset_index(drop=True), factors=("TRTP",))
    agree(result, fit.difference("TRTP", *arms_of(plan)))
    assert result.p_value == pytest.approx(fit.difference("TRTP", *arms_of(plan)).p_value)
    assert (result.participants, result.values, result.df) == (24, 24, 21)


def test_repeated_measures_are_the_mixed_model(parallel):
    person = RNG.normal(size=24)
    values = [person + EFFECT + RNG.normal(size=24), person + RNG.normal(size=24)]
    model = {"id": "m", "method": "mmrm", "terms": ["arm", "visit"], "covariance": "cs",
             "degrees_of_freedom": "kenward_roger"}  # fmt: skip
    plan = parallel("value", [OTHER_VISIT, VISIT], [model], values)
    fit = mmrm(
        "AVAL ~ TRTP + AVISITN", plan.frames["ADEFF"].reset_index(drop=True), subject="USUBJID", visit="AVISITN",
        covariance="cs", method="kenward-roger", factors=("TRTP", "AVISITN"),
    )  # fmt: skip
    agree(only(plan), fit.difference("TRTP", *arms_of(plan), {}))


def test_counts_are_negative_binomial_regression(parallel):
    counts = RNG.negative_binomial(1, 0.2, size=24)
    plan = parallel("count", [VISIT], [{"id": "m", "method": "negative_binomial", "terms": ["arm"]}], [counts * 1.0])
    fit = count_regression("AVAL ~ TRTP", plan.frames["ADEFF"].reset_index(drop=True), factors=("TRTP",))
    result = only(plan)
    agree(result, fit.difference("TRTP", *arms_of(plan)), ratio=True)
    assert result.scale == "rate_ratio"


def test_counts_without_extra_variation_are_poisson_and_the_result_says_so(parallel):
    counts = np.array([2.0, 3.0] * 12)
    plan = parallel("count", [VISIT], [{"id": "m", "method": "negative_binomial", "terms": ["arm"]}], [counts])
    result = only(plan)
    assert any("Poisson" in str(note) for note in result.notes)
    assert result.value == pytest.approx(1.0)


@pytest.mark.parametrize("method", ["logrank", "cox"])
def test_times_to_an_event_are_log_rank_and_cox(parallel, method):
    time, censored = RNG.exponential(50, size=24), (RNG.random(24) < 0.3) * 1.0
    plan = parallel(
        "time_to_event", [VISIT], [{"id": "m", "method": method, "terms": ["arm"]}], [time], CNSR=censored
    )
    rows = plan.frames["ADTTE"].reset_index(drop=True).assign(EVENT=1 - censored)
    estimate = cox("~ TRTP", rows, time="AVAL", event="EVENT", factors=("TRTP",)).difference("TRTP", *arms_of(plan))
    result = only(plan)
    agree(result, estimate, ratio=True)
    expected = log_rank(time, 1 - censored, list(rows["TRTP"])).p_value if method == "logrank" else estimate.p_value
    assert result.p_value == pytest.approx(expected)
    assert sum(arm.events for arm in result.arms) == int((1 - censored).sum())


def test_shares_are_mantel_haenszel_within_sites(parallel):
    events = (RNG.random(24) < 0.5) * 1.0
    plan = parallel("binary", [VISIT], [{"id": "m", "method": "cmh", "terms": ["arm", "site"]}], [events])
    rows = plan.frames["ADEFF"]
    tables = [
        [[((own["TRTP"] == arm) & (own["AVAL"] == value)).sum() for value in (1.0, 0.0)] for arm in arms_of(plan)]
        for _, own in rows.groupby("SITEID")
    ]
    found = mantel_haenszel(np.array(tables))
    result = only(plan)
    agree(result, found.log_odds_ratio, ratio=True)
    assert result.p_value == pytest.approx(found.p_value)


def test_the_crossover_is_the_crossover_model_and_tells_its_carry_over(analysis_of, planned):
    item = "evoked_potentials.combined_score"
    visits = ["month6_assessment", "month_12"]
    model = {"id": "m", "method": "crossover", "terms": ["arm", "period", "sequence"], "covariance": "cs",
             "degrees_of_freedom": "kenward_roger"}  # fmt: skip
    declared = analysis_of([("ep", item, "change_from_baseline", visits, {"baseline": "baseline"})], [model])
    plan = planned("smart-ms", declared, {})
    sequences = {sequence.id: list(sequence.arms.values()) for sequence in plan.study.identity.sequences}
    rows = []
    for number in range(12):
        name = list(sequences)[number % 2]
        level = RNG.normal()
        for period, visit in enumerate(visits, start=1):
            arm = sequences[name][period - 1]
            change = level + (1.0 if arm == plan.comparison.one else 0.0) + RNG.normal()
            rows.append((f"P{number}", "Y", name, arm, float(period), plan.words.visit_numbers[visit], change, "Y"))
    columns = ["USUBJID", "FASFL", "TRTSEQP", "TRTP", "APERIOD", "AVISITN", "CHG", "ANL01FL"]
    table = pandas.DataFrame(rows, columns=columns)
    plan.frames = {"ADEFF": table.assign(PARAMCD=plan.words.parameter(declared.endpoints[0]).code)}
    fit = crossover(
        table, outcome="CHG", subject="USUBJID", treatment="TRTP", period="APERIOD", sequence="TRTSEQP",
        sequence_term=True, covariance="cs", method="kenward-roger",
    )  # fmt: skip
    result = only(plan)
    agree(result, fit.treatment(*arms_of(plan)))
    carried = next(note for note in result.notes if note.sentence.startswith("Carry-over"))
    assert carried.given["value"] == pytest.approx(fit.carry_over(*arms_of(plan)).value)
    assert isinstance(carried, Remark)


def test_the_exact_test_finds_no_difference_among_equal_values_and_a_large_one(parallel):
    noise = RNG.normal(size=24)
    model = {"id": "m", "method": "exact", "terms": ["arm"]}
    plan = parallel("value", [VISIT], [model], [noise])
    study = plan.study
    blocks = study.randomisation.model_copy(update={"method": "permuted_blocks", "strata": (), "by_site": False})
    plan.study = study.model_copy(update={"randomisation": blocks})
    none = only(plan)
    assert none.failed is None and none.p_value > 0.01
    sign = np.where(plan.frames["ADEFF"]["TRTP"] == plan.comparison.one, 10.0, 0.0)
    plan.frames["ADEFF"] = plan.frames["ADEFF"].assign(AVAL=noise + sign)
    large = only(plan)
    assert large.p_value < 0.001
    assert large.value == pytest.approx(none.value + 10, abs=1e-6)


def minimised_people(people):
    """The same people with the factors of the minimisation."""
    n = len(people)
    return people.assign(
        WEIGHTGR=["light", "heavy", "heavy"] * (n // 3), EARLIERT=["naive"] * (n // 2) + ["treated"] * (n - n // 2)
    )


def test_a_minimisation_is_replayed_for_everybody_randomised(parallel, people):
    noise = RNG.normal(size=24)
    plan = parallel("value", [VISIT], [{"id": "m", "method": "exact", "terms": ["arm"]}], [noise])
    assert plan.study.randomisation.method == "minimisation"
    assert list(plan.words.strata.values()) == ["WEIGHTGR", "EARLIERT"]
    # The last to enter has no value; the place in the procedure stays.
    plan.frames = {"ADSL": minimised_people(people), "ADEFF": plan.frames["ADEFF"].iloc[:-1]}
    none = only(plan)
    assert none.failed is None
    assert none.p_value > 0.01
    sign = np.where(plan.frames["ADEFF"]["TRTP"] == plan.comparison.one, 10.0, 0.0)
    plan.frames["ADEFF"] = plan.frames["ADEFF"].assign(AVAL=noise[:-1] + sign)
    large = only(plan)
    assert large.p_value < 0.001
    assert any("minimisation" in note.sentence for note in large.notes)


def test_a_minimisation_without_everybodys_factors_is_not_replayed_and_the_result_says_why(parallel):
    plan = parallel("value", [VISIT], [{"id": "m", "method": "exact", "terms": ["arm"]}], [RNG.normal(size=24)])
    result = only(plan)
    assert result.value is None
    assert "weight_group" in result.failed


@pytest.mark.parametrize(("units", "weights"), [({"a": 1, "b": 1}, {}), ({"a": 2, "b": 1, "c": 3}, {"x": "3/2"})])
def test_lists_drawn_side_by_side_are_those_of_the_rule_one_after_the_other(units, weights):
    factors = {"x": ("low", "high"), "site": ("1", "2", "3")}
    design = declare_minimisation(units, factors, probability="4/5", weights=weights)
    people = [{name: levels[RNG.integers(len(levels))] for name, levels in factors.items()} for _ in range(40)]
    replay = minimised(design, people, str)
    for number in (0, 7, 999, 1000, 1001, 3):
        draws, tally, expected = NumberedDraws(f"replay/minimisation/{number}"), Tally(design), []
        for person in people:
            expected.append(minimise(design, tally, person, draws).label)
            tally.add(person, expected[-1])
        assert replay(number) == tuple(expected)


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ({"method": "ancova", "terms": ["arm", "weather"]}, "weather"),
        ({"method": "ancova", "terms": ["arm", "twin"]}, "twin"),
    ],
)
def test_what_cannot_be_estimated_is_a_result_with_its_reason(parallel, model, why):
    plan = parallel("value", [VISIT], [{"id": "m"} | model], [RNG.normal(size=24)])
    result = only(plan)
    assert why in result.failed
    assert (result.value, result.p_value) == (None, None)
    assert result.participants == 24


def test_several_values_a_participant_are_refused_where_the_method_takes_one(parallel):
    values = [RNG.normal(size=24), RNG.normal(size=24)]
    plan = parallel("value", [OTHER_VISIT, VISIT], [{"id": "m", "method": "ancova", "terms": ["arm"]}], values)
    assert "one value a participant" in only(plan).failed


def test_a_population_without_values_is_a_result_with_its_reason(parallel):
    plan = parallel("value", [VISIT], [{"id": "m", "method": "ancova", "terms": ["arm"]}], [RNG.normal(size=24)])
    plan.frames["ADEFF"] = plan.frames["ADEFF"].assign(FASFL="N")
    assert "no value" in only(plan).failed


def test_a_model_of_no_estimand_is_named(parallel):
    plan = parallel("value", [VISIT], [{"id": "m", "method": "ancova", "estimand": "absent"}], [np.zeros(24)])
    with pytest.raises(PlanCannotRun, match="m names no estimand"):
        run_plan(plan)
    assert issubclass(PlanCannotRun, TrialwrightError)


def result_of(name, p):
    comparison = Comparison("a", "b", "A", "B")
    arms = (ArmSummary("a", "A", 1, 1, 0.0, None),)
    return Result(f"m_{name}", name, "main", "ancova", name, comparison, "difference", 0.95, p_value=p, arms=arms)


@pytest.mark.parametrize(
    ("p_values", "tested", "significant"),
    [
        ((0.01, 0.02, 0.03), (True, True, True), (True, True, True)),
        ((0.01, 0.2, 0.001), (True, True, False), (True, False, False)),
        ((0.2, 0.001, 0.001), (True, False, False), (False, False, False)),
        ((0.01, None, 0.001), (True, True, False), (True, False, False)),
    ],
)
def test_hypotheses_are_tested_in_order_until_the_first_that_is_not_significant(
    parallel, p_values, tested, significant
):
    plan = parallel("value", [VISIT], [{"id": "m", "method": "ancova"}], [np.zeros(24)])
    declared = plan.study.analysis.model_copy(update={"multiplicity": ("x", "y", "z")})
    plan.study = plan.study.model_copy(update={"analysis": declared})
    steps = run_order(plan, tuple(result_of(n, p) for n, p in zip("xyz", p_values, strict=True)))
    assert tuple(step.tested for step in steps) == tested
    assert tuple(step.significant for step in steps) == significant
