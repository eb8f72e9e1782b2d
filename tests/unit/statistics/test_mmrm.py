"""Mixed models and crossovers from tables of data: the same as from arrays, and where the answer is exact."""

import numpy as np
import pandas as pd
import pytest

from trialwright.statistics import (
    METHODS,
    SHORT_NAMES,
    CannotEstimate,
    Convergence,
    Crossover,
    DependentColumns,
    EmptyCell,
    Fit,
    MixedModel,
    NotConverged,
    Repeated,
    TwoByTwo,
    crossover,
    least_squares,
    mmrm,
)


def trial(seed=2, people=30, missing=0.2):
    rng = np.random.default_rng(seed)
    person, week = np.repeat(np.arange(people), 3), np.tile([4, 12, 24], people)
    errors = rng.multivariate_normal(np.zeros(3), [[2, 1, 0.6], [1, 3, 1.2], [0.6, 1.2, 4]], people).ravel()
    data = pd.DataFrame(
        {
            "id": [f"P{n:02}" for n in person],
            "week": week,
            "arm": np.where(person % 2, "B", "A"),
            "base": rng.normal(10, 2, people)[person],
            "y": errors + 0.05 * week * (person % 2),
        }
    )
    data.loc[rng.random(len(data)) < missing, "y"] = np.nan
    return data


@pytest.mark.parametrize("covariance", SHORT_NAMES)
@pytest.mark.parametrize("method", METHODS)
def test_the_formula_gives_what_the_arrays_give(covariance, method):
    data = trial()
    fit = mmrm("y ~ base + arm * week", data, subject="id", visit="week", covariance=covariance, method=method)
    rows = data[data["y"].notna()]
    late = [(rows["week"] == w).to_numpy(dtype=float) for w in (12, 24)]
    b = (rows["arm"] == "B").to_numpy(dtype=float)
    x = np.column_stack([np.ones(b.size), rows["base"], b, *late, b * late[0], b * late[1]])
    arrays = MixedModel(rows["y"], x, rows["id"], rows["week"].map({4: 0, 12: 1, 24: 2}), SHORT_NAMES[covariance])
    ours = fit.difference("arm", "B", "A", {"week": 24})
    theirs = arrays.contrast([0, 0, 1, 0, 0, 0, 1], method)
    assert (ours.value, ours.standard_error, ours.df) == pytest.approx(
        (theirs.value, theirs.standard_error, theirs.df), rel=1e-7
    )
    assert fit.names[3:5] == ("week[12]", "week[24]")  # numbers of visits are levels
    joint = arrays.joint([[0, 0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0, 1]], method)
    assert fit.test("arm", "week").f == pytest.approx(joint.f, rel=1e-6)
    assert isinstance(fit, Fit)
    assert isinstance(fit.model, Repeated)
    assert isinstance(fit.model.convergence, Convergence)


def test_of_complete_data_adjusted_means_are_means_and_one_visit_is_the_t_test():
    data = trial(missing=0)
    fit = mmrm("y ~ arm * week", data, subject="id", visit="week")
    at = data[data["week"] == 24]
    means = fit.ls_means("arm", {"week": 24})
    for arm, estimate in means.items():
        assert estimate.value == pytest.approx(at[at["arm"] == arm]["y"].mean(), abs=1e-8)
    alone = least_squares("y ~ arm", at).difference("arm", "B", "A")
    difference = fit.difference("arm", "B", "A", {"week": 24})
    assert (difference.value, difference.standard_error) == pytest.approx(
        (alone.value, alone.standard_error), rel=1e-5
    )
    assert difference.df == pytest.approx(28, rel=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_an_f_test_of_one_contrast_is_t_squared(method):
    fit = mmrm("y ~ base + arm + week", trial(), subject="id", visit="week", method=method)
    test, single = fit.test("arm"), fit.difference("arm", "B", "A")
    assert (test.f, test.df_denominator) == pytest.approx((single.t**2, single.df), rel=1e-9)
    assert test.p_value == pytest.approx(single.p_value, rel=1e-9)


def test_visits_without_order_are_refused_only_where_order_matters():
    data = trial()
    data["visit"] = data["week"].map({4: "week 4", 12: "week 12", 24: "week 24"})  # in the order of text: 12, 24, 4
    with pytest.raises(CannotEstimate, match="order"):
        mmrm("y ~ arm", data, subject="id", visit="visit", covariance="ar1")
    data["declared"] = pd.Categorical(data["visit"], ["week 4", "week 12", "week 24"])
    by_number = mmrm("y ~ arm", data, subject="id", visit="week", covariance="ar1")
    by_category = mmrm("y ~ arm", data, subject="id", visit="declared", covariance="ar1")
    assert by_category.coefficients == by_number.coefficients
    assert by_category.model.visits == ("week 4", "week 12", "week 24")
    text = mmrm("y ~ arm", data, subject="id", visit="visit").model.minus_two_log_likelihood
    assert text == pytest.approx(mmrm("y ~ arm", data, subject="id", visit="week").model.minus_two_log_likelihood)


def twice(data):
    return pd.concat([data, data.iloc[:1]])


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (CannotEstimate, "unknown method", lambda d: mmrm("y ~ arm", d, subject="id", visit="week", method="kr")),
        (CannotEstimate, "unknown cov", lambda d: mmrm("y ~ arm", d, subject="id", visit="week", covariance="un")),
        (CannotEstimate, "no column", lambda d: mmrm("y ~ arm", d, subject="who", visit="week")),
        (CannotEstimate, "two outcomes", lambda d: mmrm("y ~ arm", twice(d), subject="id", visit="week")),
        (
            CannotEstimate,
            "is missing in every",
            lambda d: mmrm("y ~ arm", d.assign(y=np.nan), subject="id", visit="week"),
        ),
        (
            CannotEstimate,
            "at least two visits",
            lambda d: mmrm("y ~ arm", d[d["week"] == 4], subject="id", visit="week"),
        ),
        (
            EmptyCell,
            "nobody has arm=B, week=24",
            lambda d: mmrm("y ~ arm * week", d[(d["arm"] == "A") | (d["week"] < 24)], subject="id", visit="week"),
        ),
        (
            DependentColumns,
            "again",
            lambda d: mmrm("y ~ base + again", d.assign(again=d["base"] - 3), subject="id", visit="week"),
        ),
    ],
)
def test_what_the_data_cannot_answer_is_refused_by_name(error, message, call):
    with pytest.raises(error, match=message):
        call(trial(missing=0))


def test_a_covariance_with_more_parameters_than_the_data_can_tell_is_refused():
    rng = np.random.default_rng(0)
    person, visit = np.repeat(np.arange(5), 6), np.tile(np.arange(6), 5)
    data = {"y": rng.normal(size=30), "id": person, "visit": visit}
    with pytest.raises((CannotEstimate, NotConverged)):
        mmrm("y ~ visit", data, subject="id", visit="visit")


# --- crossover


def crossed(seed=5, ab=7, ba=6):
    rng = np.random.default_rng(seed)
    y = rng.normal(0, 2, (ab + ba, 1)) + rng.normal(size=(ab + ba, 2)) + [0.0, 0.7]
    order = np.repeat(["AB", "BA"], [ab, ba])
    rows = [
        {"id": n, "sequence": order[n], "period": k + 1, "drug": order[n][k], "y": y[n, k], "age": 40 + n % 5}
        for n in range(ab + ba)
        for k in (0, 1)
    ]
    return pd.DataFrame(rows), TwoByTwo(y[order == "AB"], y[order == "BA"])


COLUMNS = {"outcome": "y", "subject": "id", "treatment": "drug", "period": "period", "sequence": "sequence"}


def same(one, other):
    return (one.value, one.standard_error, one.df) == pytest.approx(
        (other.value, other.standard_error, other.df), rel=1e-4
    )


@pytest.mark.parametrize("covariance", ["cs", "us"])
def test_of_complete_pairs_the_mixed_model_is_the_closed_form(covariance):
    data, closed = crossed()
    found = crossover(data, covariance=covariance, **COLUMNS)
    assert same(found.treatment("A", "B"), closed.treatment())
    assert same(found.period(), closed.period())
    assert same(found.carry_over("A", "B"), closed.carry_over())
    assert same(found.first_period("A", "B"), closed.first_period())
    assert found.treatment("B", "A").value == pytest.approx(-found.treatment("A", "B").value)
    assert found.carry_over("B", "A").value == pytest.approx(-found.carry_over("A", "B").value)
    assert isinstance(found, Crossover)


def test_who_left_after_period_1_still_counts():
    data, _ = crossed()
    data.loc[(data["id"] == 3) & (data["period"] == 2), "y"] = np.nan
    found = crossover(data, **COLUMNS)
    assert (found.fit.used, found.fit.without_outcome) == (25, 1)
    assert found.first.used == 13
    assert found.treatment("A", "B").df < 11.5


def test_without_the_sequence_term_there_is_no_carry_over_to_report():
    data, _ = crossed()
    found = crossover(data, sequence_term=False, covariates=["age"], **COLUMNS)
    assert found.fit.names == ("Intercept", "drug[B]", "period[2]", "age")
    with pytest.raises(CannotEstimate, match="sequence"):
        found.carry_over("A", "B")


@pytest.mark.parametrize(
    ("error", "change"),
    [
        (CannotEstimate, lambda d: d.assign(drug=np.where((d["id"] == 0), "A", d["drug"]))),
        (EmptyCell, lambda d: d.assign(drug="A")),
        (EmptyCell, lambda d: d[d["sequence"] == "AB"]),
        (EmptyCell, lambda d: d[(d["sequence"] == "AB") | (d["period"] == 1)]),
        (EmptyCell, lambda d: d.assign(period=d["period"] + (d["id"] == 0))),
        (CannotEstimate, lambda d: d.drop(columns="drug")),
        (CannotEstimate, lambda d: d.assign(sequence=np.where(d["sequence"] == "AB", "AB", None))),
    ],
)
def test_a_design_that_is_no_crossover_is_refused(error, change):
    data, _ = crossed()
    with pytest.raises(error):
        crossover(change(data), **COLUMNS)


def test_a_treatment_that_the_trial_did_not_give_is_refused():
    data, _ = crossed()
    found = crossover(data, **COLUMNS)
    for question in (found.treatment, found.carry_over, found.first_period):
        with pytest.raises(CannotEstimate):
            question("A", "C")
