"""The mixed model for repeated measures against SAS 9.4 PROC MIXED on the FEV1 data of the R package mmrm.

Data and SAS output (ddfm=kr and ddfm=kr(linear), full precision) lie beside the repository; they were published with
the package (Apache-2.0). SAS stops its iterations early, which is why its standard errors are matched to 2e-4 and its
degrees of freedom to 5e-4; where it does converge we agree to a millionth.
"""

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trialwright.statistics import MixedModel, mmrm

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "reference" / "mmrm"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"REFERENCE DATA ABSENT: {FOLDER} is needed to compare with SAS"
)
NAMES = {
    "us": "unstructured",
    "cs": "compound_symmetry",
    "csh": "heterogeneous_compound_symmetry",
    "ar1": "autoregressive",
}
METHODS = {"kr": "kenward_roger", "kr1": "kenward_roger_linear"}


@cache
def data():
    with (FOLDER / "fev_data.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["FEV1"] != "NA"]
    y = np.array([float(row["FEV1"]) for row in rows])
    visit = np.array([int(row["VISITN"]) - 1 for row in rows])
    treated = np.array([float(row["ARMCD"] == "TRT") for row in rows])
    return rows, y, visit, treated


@cache
def by_arm(structure):
    rows, y, visit, treated = data()
    x = np.column_stack([np.ones(y.size), treated])
    return MixedModel(y, x, [row["USUBJID"] for row in rows], visit, structure)


@cache
def full_model():
    """FEV1 ~ RACE + SEX + ARMCD * AVISIT."""
    rows, y, visit, treated = data()
    races = sorted({row["RACE"] for row in rows})[1:]
    visits = np.column_stack([visit == k for k in (1, 2, 3)]).astype(float)
    x = np.column_stack(
        [
            np.ones(y.size),
            *[[float(row["RACE"] == race) for row in rows] for race in races],
            [float(row["SEX"] == "Female") for row in rows],
            treated,
            visits,
            treated[:, None] * visits,
        ]
    )
    return MixedModel(y, x, [row["USUBJID"] for row in rows], visit)


@pytest.mark.parametrize("adjustment", METHODS)
@pytest.mark.parametrize("structure", NAMES)
def test_kenward_roger_agrees_with_sas(structure, adjustment):
    with (FOLDER / f"{adjustment}_{structure}.csv").open(encoding="utf-8", newline="") as lines:
        (sas,) = csv.DictReader(lines)
    ours = by_arm(NAMES[structure]).contrast([0.0, 1.0], METHODS[adjustment])
    assert ours.value == pytest.approx(float(sas["Estimate"]), rel=5e-5)
    assert ours.standard_error == pytest.approx(float(sas["StdErr"]), rel=2e-4)
    assert ours.df == pytest.approx(float(sas["DF"]), rel=5e-4)
    assert ours.p_value == pytest.approx(float(sas["Probt"]), rel=5e-3)
    if structure in {"cs", "ar1"}:  # SAS converged
        assert ours.standard_error == pytest.approx(float(sas["StdErr"]), rel=2e-6)
        assert ours.df == pytest.approx(float(sas["DF"]), rel=2e-6)


def test_second_derivatives_move_the_standard_error_as_in_sas():
    """The gap between kr and kr(linear) depends on the choice of parameters; variances give SAS's gap."""
    for structure in ("csh", "ar1"):
        gaps = []
        for adjustment, method in METHODS.items():
            with (FOLDER / f"{adjustment}_{structure}.csv").open(encoding="utf-8", newline="") as lines:
                (sas,) = csv.DictReader(lines)
            ours = by_arm(NAMES[structure]).contrast([0.0, 1.0], method)
            gaps.append((ours.standard_error, float(sas["StdErr"])))
        (kr, sas_kr), (linear, sas_linear) = gaps
        assert kr / linear == pytest.approx(sas_kr / sas_linear, abs=1e-7)
        assert abs(kr / linear - 1) > 1e-4


def test_the_full_model_reaches_the_likelihood_of_sas():
    assert full_model().minus_two_log_likelihood <= 3386.44987722 + 1e-6
    assert full_model().minus_two_log_likelihood == pytest.approx(3386.44987722, abs=1e-4)


def test_the_treatment_effect_at_the_last_visit_agrees_with_satterthwaite_in_sas():
    weights = np.zeros(11)
    weights[4] = weights[10] = 1.0
    effect = full_model().contrast(weights, "satterthwaite")
    # SAS prints four decimals, from the point where it stopped: 1.68055 at the optimum may print as 1.6805.
    assert effect.value == pytest.approx(4.3985, abs=1e-4)
    assert effect.standard_error == pytest.approx(1.6805, abs=1e-4)
    assert round(effect.df) == 133


def test_the_formula_gives_the_same_with_the_rows_that_have_no_outcome():
    data = pd.read_csv(FOLDER / "fev_data.csv")
    formula = "FEV1 ~ RACE + SEX + ARMCD * AVISIT"
    fit = mmrm(formula, data, subject="USUBJID", visit="AVISIT", covariance="us", method="satterthwaite")
    assert (fit.used, fit.without_outcome) == (537, 263)
    assert fit.model.minus_two_log_likelihood == pytest.approx(full_model().minus_two_log_likelihood, abs=1e-9)
    effect = fit.difference("ARMCD", "TRT", "PBO", {"AVISIT": "VIS4"})
    assert effect.value == pytest.approx(4.3985, abs=1e-4)
    assert effect.standard_error == pytest.approx(1.6805, abs=1e-4)
    assert round(effect.df) == 133


@pytest.mark.parametrize("structure", NAMES)
def test_kenward_roger_of_the_formula_agrees_with_sas(structure):
    with (FOLDER / f"kr_{structure}.csv").open(encoding="utf-8", newline="") as lines:
        (sas,) = csv.DictReader(lines)
    data = pd.read_csv(FOLDER / "fev_data.csv")
    fit = mmrm("FEV1 ~ ARMCD", data, subject="USUBJID", visit="VISITN", covariance=structure)
    ours = fit.coefficients["ARMCD[TRT]"]
    assert ours.value == pytest.approx(float(sas["Estimate"]), rel=5e-5)
    assert ours.standard_error == pytest.approx(float(sas["StdErr"]), rel=2e-4)
    assert ours.df == pytest.approx(float(sas["DF"]), rel=5e-4)
