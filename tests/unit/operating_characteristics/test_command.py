"""The command line: one answer whoever computes, and errors with a remedy."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trialwright.cli.application import app
from trialwright.foundation.errors import TrialwrightError

REPOSITORY = Path(__file__).parents[3]
FOLDER = str(REPOSITORY / "studies" / "ocrelizumab-sc")
"""The smallest study: strata, looks and accrual, and it is compiled in no time."""
CROSSOVER = str(REPOSITORY / "studies" / "smart-ms")


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "trialwright.cli", "simulate", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def _here(*arguments: str) -> str:
    """The same in this process, which has loaded everything already."""
    done = CliRunner().invoke(app, ["simulate", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_same_bytes_are_printed_for_any_number_of_workers():
    asked = (FOLDER, "--trials", "5000", "--scenario", "more_in_blood", "--no-grids", "--json")
    one, two = _here(*asked, "--workers", "1"), _run(*asked, "--workers", "2")

    assert two.returncode == 0, two.stderr
    assert one == two.stdout
    said = json.loads(one)
    answers = {each["model"]: each for each in said["answers"]}
    assert answers["level_ancova"]["question"] == "power"
    assert answers["level_ancova"]["trials"] == 5000
    assert sum(share for share, _ in said["looks"][0]["stopped"]) == pytest.approx(said["looks"][0]["significant"][0])
    assert said["conduct"][0]["duration_months"][0] > said["conduct"][0]["accrual_months"][0]


def test_a_trial_is_shown_again():
    shown = _here(CROSSOVER, "--replay", "hoped:17", "--json")

    models = {each["model"]: each for each in json.loads(shown)["models"]}
    one = models["primary_ancova"]
    assert len(one["rows"]) == 18
    assert one["fast"]["value"] == pytest.approx(one["full"]["value"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--scenario", "nowhere"), "no scenario 'nowhere'"),
        (("--replay", "hoped"), "is no trial"),
        (("--trials", "0"), "number of trials"),
        (("--workers", "0", "--trials", "1"), "0 workers"),
        (("--executor", "magic", "--trials", "1"), "unknown executor"),
        (("--participants", "1", "--trials", "1"), "participants"),
    ],
)
def test_bad_wishes_are_refused_with_a_remedy(arguments, message):
    done = CliRunner().invoke(app, ["simulate", FOLDER, *arguments])

    assert isinstance(done.exception, TrialwrightError)
    assert message in done.exception.message
    assert done.exception.remedy


HEARING_CTRL_C = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("trialwright.cli", run_name="__main__")
"""
"""The command line. A suite that was started in the background ignores Ctrl-C, and so would what it starts."""


def test_an_interrupt_leaves_parts_that_resume_and_no_processes(tmp_path):
    kept = tmp_path / "kept.jsonl"
    asked = [
        sys.executable,
        "-c",
        HEARING_CTRL_C,
        "simulate",
        FOLDER,
        "--scenario",
        "more_in_blood",
        "--no-grids",
        "--workers",
        "2",
    ]
    many = [*asked, "--trials", "50000000", "--resume", str(kept)]
    # A session of its own: Ctrl-C in a terminal reaches the whole group, and so does this.
    with subprocess.Popen(many, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            deadline = time.monotonic() + 120
            while not (kept.exists() and kept.read_text().count("\n") >= 2):
                assert time.monotonic() < deadline, "no block was finished in two minutes"
                time.sleep(0.2)
            os.killpg(process.pid, signal.SIGINT)
            _, said = process.communicate(timeout=120)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # else leaving the block would wait for all the trials
            raise

    assert process.returncode == 130
    assert "interrupted" in said
    assert "Traceback" not in said
    assert _gone(process.pid), "processes were left behind"

    few = ("--scenario", "more_in_blood", "--no-grids", "--trials", "3000", "--json")
    assert _here(FOLDER, *few, "--resume", str(kept)) == _here(FOLDER, *few)


def _gone(group: int) -> bool:
    """Whether the process group is empty; the interpreter's own tracker leaves a moment after its parent."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False
