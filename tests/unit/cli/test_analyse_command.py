"""``analyse``: what it refuses, and that a refusal leaves nothing behind."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from trialwright.cli.application import app
from trialwright.foundation.errors import TrialwrightError


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--language", "xx"], "no report in 'xx'"),
        (["--dmc", "closed"], "named data cut"),
        (["--dmc", "closed", "--cut", "one"], "named data cut"),
        (["--cut", "one"], "reports to the committee"),
        (["--package", "sas7bdat"], "no format"),
        (["--closed", "sqlite:///absent.db"], "has no closed store"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_written(tmp_path, arguments, why):
    folder = tmp_path / "report"
    answer = CliRunner().invoke(app, ["analyse", "studies/smart-ms", "-o", str(folder), *arguments])
    assert isinstance(answer.exception, TrialwrightError)
    assert why in answer.exception.message
    assert not folder.exists()


def test_a_file_of_allocations_must_be_such_a_table(tmp_path):
    wrong = tmp_path / "labels.csv"
    wrong.write_text("who,what\nNO-01-001,cells\n")
    command = ["analyse", "sqlite:///absent.db", "-o", str(tmp_path / "report"), "--dmc", "closed", "--cut", "one"]
    answer = CliRunner().invoke(app, [*command, "--closed", "sqlite:///absent.db", "--allocations", str(wrong)])
    assert isinstance(answer.exception, TrialwrightError)
    assert "participant and allocation" in answer.exception.message
