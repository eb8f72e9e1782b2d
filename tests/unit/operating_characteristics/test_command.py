"""The command line: one answer whoever computes, and errors with a remedy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trialwright.cli.application import app
from trialwright.foundation.errors import TrialwrightError

REPOSITORY = Path(__file__).parents[3]
FOLDER = str(REPOSITORY / "studies" / "smart-ms")


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "trialwright.cli", "simulate", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def test_the_same_bytes_are_printed_for_any_number_of_workers():
    asked = (FOLDER, "--trials", "2500", "--scenario", "hoped", "--json")
    one, two = _run(*asked, "--workers", "1"), _run(*asked, "--workers", "2")

    assert one.returncode == two.returncode == 0, one.stderr + two.stderr
    assert one.stdout == two.stdout
    answers = {each["model"]: each for each in json.loads(one.stdout)["answers"]}
    assert answers["primary_ancova"]["question"] == "power"
    assert 0.3 < answers["primary_ancova"]["significant"][0] < 0.45  # a quarter of the cells cannot be given


def test_a_trial_is_shown_again():
    shown = _run(FOLDER, "--replay", "hoped:17", "--json")

    assert shown.returncode == 0, shown.stderr
    models = {each["model"]: each for each in json.loads(shown.stdout)["models"]}
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
