"""Formulas: their design against formulaic's own, adjusted means against a grid, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from formulaic import model_matrix
from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.statistics import CannotEstimate, DependentColumns, EmptyCell, LinearModel, least_squares


def table(seed=1, rows=90):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "y": rng.normal(size=rows),
            "age": rng.normal(50, 9, rows),
            "base": rng.normal(3, 1, rows),
            "arm": rng.choice(["A", "B"], rows),
            "site": pd.Categorical(rng.choice(["north", "south", "east"], rows), ["south", "north", "east"]),
            "old": np.where(rng.random(rows) > 0.5, "yes", "no"),
        }
    )


FORMULAS = [
    "y ~ 1",
    "y ~ age",
    "y ~ arm",
    "y ~ 0 + arm + age",
    "y ~ arm * site",
    "y ~ age + arm:site + arm + site",
    "y ~ arm * age + site - 1",
    "y ~ arm + arm:site",
    "y ~ site / arm",
    "y ~ (arm + site + old) * base",
    "y ~ arm * site * old",
    "y ~ age:base + age + base",
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_means_what_formulaic_says_that_it_means(formula):
    """The same columns in another order, by other names: the same coefficients and residuals."""
    data = table()
    ours = least_squares(formula, data)
    slow = model_matrix(formula, data)
    theirs = LinearModel(data["y"], np.asarray(slow.rhs, dtype=float))
    assert len(ours.names) == slow.rhs.shape[1]
    assert ours.model.residual_variance == pytest.approx(theirs.residual_variance, rel=1e-10)
    plain = {
        frozenset(name.replace("T.", "").split(":")): value
        for name, value in zip(slow.rhs.columns, theirs.coefficients, strict=True)
    }
    for name, value in zip(ours.names, ours.model.coefficients, strict=True):
        assert value == pytest.approx(plain[frozenset(name.split(":"))], rel=1e-8)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), formula=st.sampled_from(["y ~ arm * site + age * arm", "y ~ arm + site * old"]))
def test_adjusted_means_are_averages_of_predictions_over_the_grid(seed, formula):
    data = table(seed)
    fit = least_squares(formula, data)
    factors = [name for name in ("arm", "site", "old") if name in formula]
    grid = pd.DataFrame(
        [
            {"arm": arm, "site": site, "old": old, "age": data["age"].mean(), "base": data["base"].mean()}
            for arm in ("A", "B")
            for site in ("south", "north", "east")
            for old in ("no", "yes")
        ]
    )
    grid["site"] = pd.Categorical(grid["site"], ["south", "north", "east"])
    fitted = model_matrix(formula, data)
    x = np.asarray(fitted.rhs.model_spec.get_model_matrix(grid), dtype=float)
    grid["mean"] = x @ LinearModel(data["y"], np.asarray(fitted.rhs, dtype=float)).coefficients
    grid = grid.drop_duplicates(factors)
    for factor in factors:
        for level, estimate in fit.ls_means(factor).items():
            assert estimate.value == pytest.approx(grid[grid[factor] == level]["mean"].mean(), rel=1e-7, abs=1e-9)
    difference = fit.difference("arm", "B", "A")
    means = fit.ls_means("arm")
    assert difference.value == pytest.approx(means["B"].value - means["A"].value, abs=1e-10)


def test_an_effect_does_not_depend_on_the_reference_level():
    data = table(5)
    turned = data.assign(
        arm=data["arm"].map({"A": "z", "B": "b"}), site=pd.Categorical(data["site"], ["east", "south", "north"])
    )
    for columns in (["arm"], ["site"], ["arm", "site"], ["age"]):
        one = least_squares("y ~ arm * site + age", data).test(*columns)
        other = least_squares("y ~ arm * site + age", turned).test(*columns)
        assert (one.f, one.df_numerator) == pytest.approx((other.f, other.df_numerator), rel=1e-8)


def test_an_effect_is_the_loss_of_fit_when_sum_coded_columns_are_left_out():
    """The classical definition of type III: sum-to-zero coding, the columns of the effect away, the others there."""
    data = table(8)
    arm = np.where(data["arm"] == "A", 1.0, -1.0)
    site = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])[data["site"].cat.codes]
    columns = {"arm": arm[:, None], "site": site, "arm:site": arm[:, None] * site}
    full = LinearModel(data["y"], np.column_stack([np.ones(arm.size), *columns.values()]))
    fit = least_squares("y ~ arm * site", data)
    for effect in columns:
        rest = [values for name, values in columns.items() if name != effect]
        less = LinearModel(data["y"], np.column_stack([np.ones(arm.size), *rest]))
        lost = less.residual_variance * less.df - full.residual_variance * full.df
        test = fit.test(*effect.split(":"))
        assert test.f == pytest.approx(lost / columns[effect].shape[1] / full.residual_variance, rel=1e-8)


def test_rows_without_outcome_are_left_out_and_counted():
    data = table()
    data.loc[[3, 5], "y"] = np.nan
    data.loc[3, "age"] = np.nan  # of no consequence: the row does not enter
    fit = least_squares("y ~ age + arm", data)
    assert (fit.used, fit.without_outcome) == (88, 2)
    whole = least_squares("y ~ age + arm", data.drop(index=[3, 5]))
    assert fit.coefficients == whole.coefficients


def test_data_may_be_plain_arrays_and_numbers_may_be_levels():
    data = {"y": [1.0, 2.0, 4.0, 3.0, 5.0, 9.0], "site": [701, 701, 702, 702, 703, 703]}
    fit = least_squares("y ~ site", data, factors=["site"])
    assert fit.names == ("Intercept", "site[702]", "site[703]")
    assert {level: mean.value for level, mean in fit.ls_means("site").items()} == pytest.approx(
        {701: 1.5, 702: 3.5, 703: 7.0}
    )
    assert fit.contrast({"site[702]": 1, "site[703]": -1}).value == pytest.approx(-3.5)
    assert least_squares("y ~ site", data).average("site") == pytest.approx(702)
    assert fit.levels("site") == (701, 702, 703)
    assert fit.mean({"site": 702}).value == pytest.approx(3.5)


def gap():
    return {
        "y": np.arange(8.0) ** 2,
        "a": list("uuuuvvvv"),
        "b": list("ppqqpppp"),
        "c": np.arange(8.0),
        "t": list("wxyzwxyz"),
    }


@pytest.mark.parametrize(
    ("error", "formula", "message"),
    [
        (CannotEstimate, "y ~ log(c)", "functions are not evaluated"),
        (CannotEstimate, "y ~ {__import__('os').getcwd()}", "functions are not evaluated"),
        (CannotEstimate, "y ~ C(a)", "functions are not evaluated"),
        (CannotEstimate, "y ~ c**2", "cannot be used"),
        (CannotEstimate, "y ~ a |", "cannot be used"),
        (CannotEstimate, "y ~ a | b", "cannot be used"),
        (CannotEstimate, "y ~ (a", "cannot be used"),
        (CannotEstimate, "y ~ 2:c", "cannot be used"),
        (CannotEstimate, "y + c ~ a", "one outcome"),
        (CannotEstimate, "~ a", "no outcome"),
        (CannotEstimate, "y ~ " + "a + " * 600 + "a", "at most"),
        (CannotEstimate, "y ~ nothing", "no column 'nothing'"),
        (CannotEstimate, "a ~ c", "not a column of numbers"),
        (EmptyCell, "y ~ a * b", "nobody has a=v, b=q"),
        (DependentColumns, "y ~ c + b + a + a:c + twice", "twice"),
        (EmptyCell, "y ~ same", "one level only"),
        (CannotEstimate, "y ~ t * c + a", "coefficients"),
    ],
)
def test_a_formula_that_the_data_cannot_answer_is_refused_by_name(error, formula, message):
    data = gap() | {"twice": 2 * np.arange(8.0), "same": ["x"] * 8}
    with pytest.raises(error) as refused:
        least_squares(formula, data)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "values",
    [[1.0, np.nan, *range(6)], ["a", None, *"abcdef"], pd.Series(["a", pd.NA, *"abcdef"], dtype="string")],
)
def test_a_missing_covariate_is_refused_and_never_dropped(values):
    with pytest.raises(CannotEstimate, match="'z' is missing in 1"):
        least_squares("y ~ z", gap() | {"z": values})


@pytest.mark.parametrize(
    "question",
    [
        lambda fit: fit.ls_means("age"),
        lambda fit: fit.ls_means("sit"),
        lambda fit: fit.difference("arm", "A", "C"),
        lambda fit: fit.difference("arm", "A", "A"),
        lambda fit: fit.mean({"base": 1.0}),
        lambda fit: fit.mean({"age": "fifty"}),
        lambda fit: fit.contrast({"arm[C]": 1.0}),
        lambda fit: fit.test(),
        lambda fit: fit.test("arm", "age"),
        lambda fit: fit.average("arm"),
    ],
)
def test_a_question_that_the_model_does_not_know_is_refused(question):
    with pytest.raises(CannotEstimate):
        question(least_squares("y ~ arm * site + age", table()))
