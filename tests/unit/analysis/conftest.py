"""Plans over hand-made data sets, and one rehearsed crossover with its reports."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas
import pytest

from trialwright.analysis import AnalysisPlan, material_of_store, report_of
from trialwright.build import compile_study
from trialwright.exports.adam import AdamExport, PlanWords
from trialwright.exports.datasets import Package, Standard
from trialwright.protocol import load_study
from trialwright.protocol.analysis import Analysis
from trialwright.rehearsal import Wishes, rehearse
from trialwright.stores import open_store

STUDIES = Path(__file__).resolve().parents[3] / "studies"


def analysis(endpoints, models, **more):
    """``analysis.yaml`` of one population: endpoints as (id, item, measure, at), models as dictionaries."""
    return Analysis.model_validate(
        {
            "alpha": "0.05",
            "populations": [{"id": "full_analysis", "label": {"en": "All"}, "definition": {"en": "All."}}],
            "endpoints": [
                {"id": i, "label": {"en": i}, "item": item, "measure": measure, "at": at, "better": "lower"} | extra
                for i, item, measure, at, extra in endpoints
            ],
            "estimands": [
                {"id": i, "label": {"en": i}, "kind": "primary", "population": "full_analysis", "endpoint": i,
                 "summary": "mean_difference"}
                for i, *_ in endpoints
            ],
            "models": [{"role": "main", "estimand": endpoints[0][0]} | model for model in models],
        }
        | more
    )  # fmt: skip


@cache
def study_of(name):
    """A study of this repository."""
    return load_study(STUDIES / name).study


def plan_of(study_name, declared, frames):
    """The plan of a study of this repository with another ``analysis.yaml``, over frames made by hand."""
    study = study_of(study_name).model_copy(update={"analysis": declared})
    empty = Package(
        study=study_name.upper(), title="", protocol="", purpose="Analysis",
        standards=(Standard("A", "A", "IG", "1"),),
        datasets=(), codelists=(), methods=(), created="2026-01-01T00:00:00Z",
    )  # fmt: skip
    plan = AnalysisPlan(study, AdamExport(empty, PlanWords(study), ()))
    plan.frames = frames
    return plan


@pytest.fixture
def analysis_of():
    """Makes an ``analysis.yaml``."""
    return analysis


@pytest.fixture
def planned():
    """Makes a plan over frames made by hand."""
    return plan_of


PARALLEL = "ocrelizumab-sc"
ITEM = "concentration.serum"


@pytest.fixture
def people():
    """Twenty-four participants of a parallel study, twelve an arm."""
    arms = [arm.id for arm in study_of(PARALLEL).identity.arms]
    n = 24
    return pandas.DataFrame(
        {
            "USUBJID": [f"P{i:02}" for i in range(n)],
            "FASFL": "Y",
            "SITEID": ["01", "02"] * (n // 2),
            "RANDDT": np.arange(n, dtype=float),
            "TRTP": [arms[(i // 2) % 2] for i in range(n)],
            "TRTSEQP": None,
        }
    )


@pytest.fixture
def parallel(people):
    """Function of (measure, visits, models, values by visit) → plan of a parallel study."""

    def make(measure, visits, models, values, **columns):
        declared = analysis([("outcome", ITEM, measure, visits, {})], models)
        plan = plan_of(PARALLEL, declared, {})
        parameter = plan.words.parameter(declared.endpoints[0])
        rows = []
        for visit, row in zip(visits, values, strict=True):
            number = plan.words.visit_numbers[visit]
            rows.append(people.assign(PARAMCD=parameter.code, AVISITN=float(number), AVISIT=visit, AVAL=row,
                                      ANL01FL="Y", **columns))  # fmt: skip
        plan.frames = {"ADSL": people, "ADTTE" if measure == "time_to_event" else "ADEFF": pandas.concat(rows)}
        return plan

    return make


@pytest.fixture(scope="session")
def lived():
    """SMART-MS, rehearsed to the end and finally unblinded: six participants."""
    build = compile_study(load_study(STUDIES / "smart-ms"))
    opened, closed = open_store("memory:"), open_store("memory:")
    done = rehearse(build, opened, closed, Wishes(participants=6, seed=3, amendment=False))
    return SimpleNamespace(open=opened, closed=closed, done=done, study="smart-ms")


@pytest.fixture(scope="session")
def final(lived):
    """The report after the final unblinding."""
    return report_of(material_of_store(lived.study, lived.open, lived.closed))


@pytest.fixture(scope="session")
def blinded(lived):
    """The report with a dummy allocation, in bokmål."""
    return report_of(material_of_store(lived.study, lived.open, None, language="nb"))


@pytest.fixture(scope="session")
def pooled(lived):
    """The open report to the committee."""
    return report_of(material_of_store(lived.study, lived.open, lived.closed, pooled=True))
