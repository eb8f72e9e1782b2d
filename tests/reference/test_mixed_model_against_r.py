"""Mixed models from formulas against R's nlme (gls) and lmerTest (``r/numbers.csv``), on the FEV1 data of mmrm.

Toeplitz structures over four visits are fitted in R as autoregressions of order three, which are the same matrices.
"""

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trialwright.statistics import crossover, mmrm

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "reference"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"REFERENCE DATA ABSENT: {FOLDER} is needed to compare with R"
)


@cache
def of_r():
    with (Path(__file__).parent / "r" / "numbers.csv").open(encoding="utf-8", newline="") as lines:
        return {row["name"]: row["value"] for row in csv.DictReader(lines)}


def number(name):
    return float(of_r()[name])


@cache
def fitted(covariance, method="satterthwaite"):
    data = pd.read_csv(FOLDER / "mmrm" / "fev_data.csv")
    data["AVISIT"] = pd.Categorical(data["AVISIT"])
    formula = "FEV1 ~ RACE + SEX + ARMCD * AVISIT"
    return mmrm(formula, data, subject="USUBJID", visit="AVISIT", covariance=covariance, method=method)


@pytest.mark.parametrize("covariance", ["us", "cs", "csh", "ar1", "arh1", "toep", "toeph"])
def test_every_structure_agrees_with_gls(covariance):
    """gls maximises numerically, and the likelihood is flat at the top: estimates agree to fewer digits than it."""
    fit = fitted(covariance)
    effect = fit.difference("ARMCD", "TRT", "PBO", {"AVISIT": "VIS4"})
    theirs = number(f"gls.{covariance}.likelihood")
    assert fit.model.minus_two_log_likelihood == pytest.approx(theirs, abs=1e-6)
    assert fit.model.minus_two_log_likelihood <= theirs + 1e-9
    assert effect.value == pytest.approx(number(f"gls.{covariance}.difference"), abs=2e-5)
    assert effect.standard_error == pytest.approx(number(f"gls.{covariance}.error"), abs=2e-5)


def test_ante_dependence_lies_between_the_structures_it_holds_and_is_held_by():
    """No other program is at hand for it: AR(1) with unequal variances is a case of it, and it of unstructured."""
    likelihood = {name: fitted(name).model.minus_two_log_likelihood for name in ("arh1", "ad", "us")}
    assert likelihood["us"] < likelihood["ad"] < likelihood["arh1"]


@pytest.mark.parametrize("term", ["RACE", "SEX", "ARMCD", "AVISIT", "ARMCD:AVISIT"])
def test_tests_of_terms_agree_with_lmer(term):
    """Type III F tests with Satterthwaite's degrees of freedom; a random intercept is compound symmetry."""
    test = fitted("cs").test(*term.split(":"))
    theirs = [number(f"lmer.{term}.{n}") for n in (1, 2, 3, 4)]
    assert [test.f, test.df_numerator, test.df_denominator, test.p_value] == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parametrize("sequence_term", [True, False])
def test_a_crossover_with_drop_out_agrees_with_lmer(sequence_term):
    data = pd.read_csv(FOLDER / "crossover" / "jones_kenward_pefr.csv")
    data = data[~((data["period"] == 2) & (data["subject"] % 5 == 0))]  # as if these had left after period 1
    columns = {"outcome": "pefr", "treatment": "treatment", "period": "period", "sequence": "sequence"}
    found = crossover(data, subject="subject", sequence_term=sequence_term, method="satterthwaite", **columns)
    assert found.fit.used == number("crossover.rows")
    effect = found.treatment("A", "B")
    name = "with" if sequence_term else "without"
    theirs = [number(f"crossover.{name}.{n}") for n in (1, 2, 3)]
    assert [effect.value, effect.standard_error, effect.df] == pytest.approx(theirs, rel=1e-6)
    if sequence_term:
        carried = found.carry_over("A", "B")  # twice the effect of sequence AB against BA
        value, error, df = (number(f"crossover.sequence.{n}") for n in (1, 2, 3))
        theirs = [-2 * value, 2 * error, df]
        assert [carried.value, carried.standard_error, carried.df] == pytest.approx(theirs, rel=1e-6)


def test_the_fit_says_how_it_ended():
    ended = fitted("us").model.convergence
    assert 0 < ended.steps < 20
    assert ended.decrement < 1e-10
    assert 1e-3 < ended.smallest_eigenvalue <= 1
    assert np.linalg.eigvalsh(fitted("us").model.covariance).min() > 0
    assert fitted("us").model.visits == ("VIS1", "VIS2", "VIS3", "VIS4")
