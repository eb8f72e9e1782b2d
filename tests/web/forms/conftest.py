"""Studies with one item of every type, a table of rows and conditions, for the pages of forms."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from trialwright.build import Build
from trialwright.build.compile import compiled
from trialwright.protocol import load_study
from trialwright_web.config.demo import DemoStudy, prepare

REPOSITORY = Path(__file__).parents[3]
TRIAL = Path(__file__).parents[2] / "unit" / "trial"


@pytest.fixture(scope="session")
def form_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the study: the small one of the trial's tests, with the forms of the tests of capture."""
    folder = tmp_path_factory.mktemp("form") / "study"
    shutil.copytree(TRIAL / "study", folder)
    for form in (TRIAL / "capture" / "forms").glob("*.yaml"):
        shutil.copy(form, folder / "forms")
    schedule = folder / "schedule.yaml"
    text = schedule.read_text(encoding="utf-8")
    text = text.replace("forms: [screening]", "forms: [screening, sheet, doses]")
    text = text.replace("log_forms: [medication]", "log_forms: [medication]\nunscheduled_forms: [sheet, doses]")
    schedule.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def form_build(form_study: Path) -> Build:
    """The build of that study."""
    return compiled(load_study(form_study).study)


@pytest.fixture(scope="session")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SMART-MS, rehearsed for some months, with two more forms: one at unscheduled visits and in the log with every
    type of item, a table of rows and labels in which somebody tries everything; one in the closed space.

    ``REHEARSED_FORMS=FOLDER pytest …`` takes one that an earlier run left there, or leaves it there.
    """
    kept = Path(os.environ["REHEARSED_FORMS"]) if "REHEARSED_FORMS" in os.environ else None
    if kept is not None and (kept / "rehearsed" / "ready").exists():
        return kept / "rehearsed"
    folder = kept or tmp_path_factory.mktemp("forms")
    study = folder / "smart-ms"
    shutil.copytree(REPOSITORY / "studies" / "smart-ms", study)
    for form in (Path(__file__).parent / "study").glob("*.yaml"):
        shutil.copy(form, study / "forms")
    schedule = study / "schedule.yaml"
    text = schedule.read_text(encoding="utf-8")
    text = text.replace("\nunscheduled_forms: [", "\nunscheduled_forms: [every_type, ")
    schedule.write_text(text.replace("\nlog_forms: [", "\nlog_forms: [every_type, syringe, "), encoding="utf-8")
    prepare(folder / "rehearsed", (DemoStudy(study, "2026-06-15"),))
    return folder / "rehearsed"
