"""Rehearsed studies with their tabulation and analysis data sets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from trialwright.build import compile_study
from trialwright.exports.adam import AdamExport, adam_package
from trialwright.exports.datasets import Package
from trialwright.exports.sdtm import sdtm_of_store
from trialwright.protocol import Study, load_study
from trialwright.rehearsal import Wishes, rehearse
from trialwright.stores import open_store

STUDIES = Path(__file__).resolve().parents[4] / "studies"


@dataclass
class Exported:
    """A rehearsed study: its views, its tabulation package and its analysis package."""

    study: Study
    rows: Any
    sdtm: Package
    adam: AdamExport

    def rows_of(self, name):
        return list(self.adam.package.dataset(name).dicts())


def exported(name, participants, *, real=True):
    build = compile_study(load_study(STUDIES / name))
    opened, closed = open_store("memory:"), open_store("memory:")
    done = rehearse(build, opened, closed, Wishes(participants=participants, seed=3, amendment=False))
    study = next(iter(done.trial.builds.values())).study
    sdtm = sdtm_of_store(name, opened, closed if real and not done.trial.one_space else None).package
    return Exported(study, opened.rows, sdtm, adam_package(sdtm, study, opened.rows))


@pytest.fixture(scope="session")
def crossover():
    """SMART-MS, finally unblinded."""
    return exported("smart-ms", 4)


@pytest.fixture(scope="session")
def parallel():
    """A parallel-group study with minimisation, with a dummy allocation."""
    return exported("ocrelizumab-sc", 6, real=False)
