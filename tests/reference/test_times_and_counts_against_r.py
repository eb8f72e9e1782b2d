"""Times to events, recurrent events and counts against R's survival, MASS and stats, and against textbooks.

``r/numbers.csv`` was written by ``r/numbers.R``; it says the versions. The data sets are published: lung cancer of
the Veterans' Administration (Kalbfleisch and Prentice, The Statistical Analysis of Failure Time Data, 1980), bladder
cancer (Wei, Lin and Weissfeld, J Am Stat Assoc 1989;84:1065–1073), epilepsy (Thall and Vail, Biometrics
1990;46:657–671).
"""

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trialwright.statistics import (
    count_regression,
    cox,
    kaplan_meier,
    log_rank,
    mean_count_ratio,
)

R = Path(__file__).parent / "r"


@cache
def numbers():
    with (R / "numbers.csv").open(encoding="utf-8", newline="") as lines:
        return {row["name"]: row["value"] for row in csv.DictReader(lines)}


def of_r(name):
    """One number, or all that are numbered from 1."""
    if name in numbers():
        return float(numbers()[name])
    found = [key for key in numbers() if key.rpartition(".")[0] == name]
    assert found, name
    return np.array([float(numbers()[f"{name}.{n}"]) for n in range(1, len(found) + 1)])


@cache
def table(name):
    return pd.read_csv(R / f"{name}.csv")


def errors(fit):
    return np.sqrt(np.diag(fit.model.covariance))


# --- Freireich's trial in leukaemia, as in Kleinbaum and Klein, Survival Analysis, 3rd ed. 2012, chapters 2 and 3

TREATED = "6,6,6,6+,7,9+,10,10+,11+,13,16,17+,19+,20+,22,23,25+,32+,32+,34+,35+"
PLACEBO = "1,1,2,2,3,4,4,5,5,8,8,8,8,11,11,12,12,15,17,22,23"


def remission():
    weeks = f"{TREATED},{PLACEBO}".split(",")
    return {
        "weeks": [float(text.rstrip("+")) for text in weeks],
        "relapse": [float("+" not in text) for text in weeks],
        "arm": ["6-MP"] * 21 + ["placebo"] * 21,
    }


def test_the_curve_of_remission_is_the_one_of_the_book():
    data = remission()
    curve = kaplan_meier(data["weeks"][:21], data["relapse"][:21])
    book = {6: 0.8571, 7: 0.8067, 10: 0.7529, 13: 0.6902, 16: 0.6275, 22: 0.5378, 23: 0.4482}
    greenwood = {6: 0.0764, 7: 0.0869, 10: 0.0963, 13: 0.1068, 16: 0.1141, 22: 0.1282, 23: 0.1346}
    for week, share in book.items():
        assert round(curve.at(week), 4) == share
        assert curve.standard_error[curve.times == week][0] == pytest.approx(greenwood[week], abs=6e-5)
    assert curve.quantile()[0] == 23
    assert kaplan_meier(data["weeks"][21:], data["relapse"][21:]).quantile()[0] == 8


def test_the_comparison_of_remission_is_the_one_of_the_book():
    data = remission()
    test = log_rank(data["weeks"], data["relapse"], data["arm"])
    assert test.statistic == pytest.approx(16.793, abs=1e-3)
    assert test.observed.tolist() == [9, 21]
    assert test.expected == pytest.approx([19.251, 10.749], abs=1e-3)


@pytest.mark.parametrize(("ties", "value", "error"), [("breslow", 1.509, 0.410), ("efron", 1.572, 0.412)])
def test_the_hazard_of_remission_is_the_one_of_the_book(ties, value, error):
    effect = cox("~ arm", remission(), time="weeks", event="relapse", ties=ties).difference("arm", "placebo", "6-MP")
    assert effect.value == pytest.approx(value, abs=5e-4)
    assert effect.standard_error == pytest.approx(error, abs=5e-4)


# --- R


@pytest.mark.parametrize("bounds", ["plain", "log", "log-log"])
def test_kaplan_meier_agrees_with_survfit(bounds):
    data = table("veteran")
    curve = kaplan_meier(data["time"], data["status"])
    place = np.flatnonzero(curve.times == 100)[0]
    low, high = curve.interval(bounds=bounds)
    assert curve.survival[place] == pytest.approx(of_r("km.at100"), rel=1e-12)
    assert curve.standard_error[place] == pytest.approx(of_r("km.error100"), rel=1e-12)
    assert low[place] == pytest.approx(of_r(f"km.{bounds}.lower100"), rel=1e-12)
    assert high[place] == pytest.approx(of_r(f"km.{bounds}.upper100"), rel=1e-12)
    for n, share in enumerate((0.25, 0.5, 0.75)):
        theirs = [of_r(f"km.{bounds}.{part}")[n] for part in ("quantile", "quantile_lower", "quantile_upper")]
        assert list(curve.quantile(share, bounds=bounds)) == theirs


@pytest.mark.parametrize(("strata", "name"), [(None, ""), ("prior", ".strata")])
def test_log_rank_agrees_with_survdiff(strata, name):
    data = table("veteran")
    test = log_rank(data["time"], data["status"], data["celltype"], None if strata is None else data[strata])
    expected = dict(zip(("squamous", "smallcell", "adeno", "large"), of_r(f"logrank.expected{name}"), strict=True))
    assert test.statistic == pytest.approx(of_r(f"logrank{name}"), rel=1e-12)
    assert dict(zip(test.groups, test.expected, strict=True)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_cox_agrees_with_coxph(ties):
    data = table("veteran").assign(row=range(137))
    data["celltype"] = pd.Categorical(data["celltype"], ["squamous", "smallcell", "adeno", "large"])
    fit = cox("~ trt + karno + celltype", data, time="time", event="status", ties=ties)
    assert fit.model.coefficients == pytest.approx(of_r(f"cox.{ties}.beta"), rel=1e-9)
    assert errors(fit) == pytest.approx(of_r(f"cox.{ties}.error"), rel=1e-9)
    assert [fit.model.null_log_likelihood, fit.model.log_likelihood] == pytest.approx(of_r(f"cox.{ties}.likelihood"))
    assert fit.model.score_test().statistic == pytest.approx(of_r(f"cox.{ties}.score"), rel=1e-9)
    strata = cox("~ trt + karno", data, time="time", event="status", strata="celltype", cluster="row", ties=ties)
    # coxph stops at a relative change of likelihood of 1e-9
    assert strata.model.coefficients == pytest.approx(of_r(f"cox.{ties}.strata.beta"), rel=1e-7)
    assert errors(strata) == pytest.approx(of_r(f"cox.{ties}.strata.robust"), rel=1e-7)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_recurrent_events_agree_with_coxph_and_its_robust_variance(ties):
    data, columns = table("bladder"), {"start": "start", "event": "event", "ties": ties}
    fit = mean_count_ratio("~ rx + number + size", data, subject="id", stop="stop", **columns)
    assert fit.model.coefficients == pytest.approx(of_r(f"lwyy.{ties}.beta"), rel=1e-8)
    assert errors(fit) == pytest.approx(of_r(f"lwyy.{ties}.robust"), rel=1e-8)
    naive = cox("~ rx + number + size", data, time="stop", **columns)
    assert errors(naive) == pytest.approx(of_r(f"lwyy.{ties}.naive"), rel=1e-8)


@pytest.mark.parametrize("dispersion", [None, 0.0])
def test_counts_agree_with_glm_nb_and_glm(dispersion):
    data = table("epilepsy").assign(log_base=np.log(table("epilepsy")["base"]))
    fit = count_regression("y ~ trt + log_base + age", data, exposure="weeks", dispersion=dispersion)
    name = "nb" if dispersion is None else "poisson"
    assert fit.model.coefficients == pytest.approx(of_r(f"{name}.beta"), abs=1e-9)
    assert fit.model.log_likelihood == pytest.approx(of_r(f"{name}.likelihood"), abs=1e-9)
    assert errors(fit) == pytest.approx(of_r(f"{name}.error"), rel=1e-6)
    assert fit.model.dispersion == pytest.approx(of_r("nb.kappa") if dispersion is None else 0.0, abs=1e-9)
