"""`check`, `explain`, `build`, `diff`, `schema`, `registers`: exit codes, plain and JSON output, no tracebacks."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import trialwright.protocol

Run = Callable[..., subprocess.CompletedProcess[str]]
TEMPLATE = Path(trialwright.protocol.__file__).parent / "template"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "study"
    shutil.copytree(TEMPLATE, target)
    return target


@pytest.fixture
def run(run: Run) -> Run:
    """No command ends in a traceback."""

    def without_traceback(*arguments: object) -> subprocess.CompletedProcess[str]:
        done = run(*arguments)
        assert "Traceback" not in done.stderr + done.stdout
        return done

    return without_traceback


def spoil(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))


def test_a_sound_study_is_checked_with_exit_code_0(run: Run, folder: Path) -> None:
    done = run("check", folder)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "0 errors, 0 warnings, 0 notes"


def test_findings_are_printed_by_place_with_exit_code_1(run: Run, folder: Path) -> None:
    spoil(folder, "eligibility.yaml", "encounter: screening", "encounter: screning")
    done = run("check", folder)
    assert done.returncode == 1
    line = next(x for x in done.stdout.splitlines() if "TW036" in x)
    assert line.startswith("eligibility.yaml:")
    assert "→ did you mean 'screening'?" in line


def test_findings_of_the_files_themselves_are_printed_alike(run: Run, folder: Path) -> None:
    spoil(folder, "study.yaml", "phase: II", "phase: IIb")
    done = run("check", folder, "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["errors"] == 1
    assert found["findings"][0]["rule"] == "TW906"


def test_assumptions_are_counted_and_listed(run: Run, folder: Path) -> None:
    spoil(folder, "randomisation.yaml", "unit: arm", "source: A\nnote: We think so.\nunit: arm")
    assert "1 assumption" in run("check", folder).stdout
    listed = run("check", folder, "--assumptions").stdout
    assert "randomisation.yaml:" in listed
    assert "We think so." in listed
    assert json.loads(run("check", folder, "--json").stdout)["assumptions"][0]["note"] == "We think so."


@pytest.mark.parametrize("command", ["check", "build", "schema", "registers"])
def test_a_folder_that_is_not_there_is_wrong_usage(run: Run, command: str, tmp_path: Path) -> None:
    done = run(command, tmp_path / "nowhere")
    assert done.returncode == 2
    assert "there is no folder" in done.stderr


def test_a_missing_argument_is_wrong_usage(run: Run) -> None:
    assert run("check").returncode == 2


def test_a_rule_is_explained(run: Run, folder: Path) -> None:
    done = run("explain", "tw030")
    assert done.returncode == 0
    assert "restates" in done.stdout
    assert json.loads(run("explain", "TW030", "--json").stdout)["rule"] == "TW030"


def test_an_unknown_rule_is_wrong_usage(run: Run) -> None:
    done = run("explain", "TW999", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"] == "value.invalid"


def test_a_build_is_written_and_read_again(run: Run, folder: Path, tmp_path: Path) -> None:
    made = json.loads(run("build", folder, "--out", tmp_path / "out", "--json").stdout)
    assert len(made["build"]) == 64
    assert Path(made["written"]).is_file()
    same = run("diff", made["written"], folder)
    assert (same.returncode, same.stdout) == (0, "nothing changed\n")


def test_a_study_with_errors_is_not_built(run: Run, folder: Path) -> None:
    spoil(folder, "eligibility.yaml", "encounter: screening", "encounter: screning")
    done = run("build", folder, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["findings"][0]["rule"] == "TW036"


def test_a_difference_is_told_with_its_meaning(run: Run, folder: Path, tmp_path: Path) -> None:
    later = tmp_path / "later"
    shutil.copytree(folder, later)
    spoil(later, "forms/blood_pressure.yaml", 'high: "179"', 'high: "189"')
    done = run("diff", folder, later)
    assert done.returncode == 1
    assert "items touched        blood_pressure.systolic" in done.stdout
    assert json.loads(run("diff", folder, later, "--json").stdout)["data_compatible"] is True


def test_a_file_that_is_no_build_is_bad_input(run: Run, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    assert run("diff", tmp_path / "x.json", folder).returncode == 2


def test_schemas_are_written_where_editors_look(run: Run, folder: Path) -> None:
    done = run("schema", folder)
    assert done.returncode == 0
    assert json.loads((folder / ".trialwright/schema/form.schema.json").read_text())["title"] == "Form"
    assert run("check", folder).returncode == 0  # and are no part of the study


def test_registers_show_their_drift(run: Run, folder: Path) -> None:
    spoil(
        folder,
        "study.yaml",
        "languages: [en]",
        "languages: [en]\nregisters:\n  - {field: status, values: {a: open, b: closed}, shown: a}",
    )
    done = run("registers", folder)
    assert done.returncode == 1
    assert "→ a" in done.stdout
    assert json.loads(run("registers", folder, "--json").stdout)["registers"][0]["agree"] is False
