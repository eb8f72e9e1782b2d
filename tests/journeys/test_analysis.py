"""From the record to the report: what the simulator drew comes out again, and a fault in between is found."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from trialwright.analysis import run_plan
from trialwright.analysis.plan import AnalysisPlan
from trialwright.exports.adam import adam_package
from trialwright.operating_characteristics import known_values, replay

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def coverage(campaign_named):
    """The comparer of the campaign."""
    return campaign_named("coverage")


@pytest.fixture(scope="module")
def trial(coverage):
    """(drawn, endpoints left out, material, order) of one simulated trial that was lived through."""
    build = coverage.build_of()
    plan = coverage.plan_of(build, 1, participants=6)
    material, order = coverage.lived(build, plan, 0)
    return replay(plan, 0, 0), set(known_values(build.study, plan, 0, 0).left_out), material, order


def test_every_value_that_was_drawn_comes_out_of_the_analysis_data_sets(coverage, trial):
    drawn, left_out, material, order = trial
    assert sum(len(each.rows) for each in drawn if each.endpoint not in left_out) > 40
    assert list(coverage.differences(drawn, left_out, material, order)) == []


def test_the_estimates_of_the_report_are_those_of_the_simulator(coverage, trial):
    drawn, left_out, material, _ = trial
    results = {result.item: result for result in run_plan(material.plan)}
    compared = [each for each in drawn if each.endpoint not in left_out]
    assert len(compared) > 5
    assert [each.model for each in compared if not coverage.close(results[each.model], each)] == []


def test_a_planted_fault_in_the_mapping_is_found(coverage, trial):
    drawn, left_out, material, order = trial
    tests = {"GFAP": "NFLP", "NFLP": "GFAP"}
    faulty = replace(
        material.sdtm.package,
        datasets=tuple(exchanged(dataset, tests) for dataset in material.sdtm.package.datasets),
    )
    study = material.plan.study
    planted = replace(material, plan=AnalysisPlan(study, adam_package(faulty, study, material.reading.open)))
    found = list(coverage.differences(drawn, left_out, planted, order))
    assert any(each.startswith("gfap_change") for each in found)
    assert any(each.startswith("nfl_change") for each in found)
    assert not any(each.startswith("brain_volume") for each in found)


def exchanged(dataset, tests):
    """The data set with codes of tests exchanged."""
    names = [place for place, name in enumerate(dataset.names) if name.endswith("TESTCD")]
    rows = [
        tuple(tests.get(cell, cell) if place in names else cell for place, cell in enumerate(row))
        for row in dataset.rows
    ]
    return replace(dataset, rows=rows)


def test_a_lost_value_is_found(coverage, trial):
    drawn, left_out, material, order = trial
    frame = material.plan.frames["ADEFF"]
    plan = AnalysisPlan(material.plan.study, material.adam)
    plan.frames = {**material.plan.frames, "ADEFF": frame.drop(index=frame[frame["ANL01FL"] == "Y"].index[0])}
    (found,) = set(coverage.differences(drawn, left_out, replace(material, plan=plan), order))
    assert found.endswith("found None")


def test_one_command_rehearses_a_study_and_writes_its_report(tmp_path):
    options = ["--participants", "6", "--no-pdf", "--package", "dataset-json", "--json"]
    command = [sys.executable, "-m", "trialwright.cli", "analyse", "studies/frexalimab-sc-iv", *options]
    done = subprocess.run(
        [*command, "-o", str(tmp_path / "report")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    said = json.loads(done.stdout)
    assert said["kind"] == "final"
    assert "REHEARSAL" in said["mark"]
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert {"report.html", "results.json", "tables.docx", "adam", "sdtm"} <= names
    results = json.loads((tmp_path / "report" / "results.json").read_text())
    assert {each["snapshot"] for each in results["results"]} == {said["source"]["root"]}
