"""`list prepare` and `list show`: a list is made, sealed, and made again from its specification."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trialwright.build.compile import compiled
from trialwright.cli import app
from trialwright.foundation.errors import InvalidValue, TrialwrightError
from trialwright.protocol import load_study
from trialwright.sealing import KeyOpener, SealBroken, open_list, read_key
from trialwright.trial.allocation.preparation import PreparedList, Secret, rows_of
from trialwright.trial.allocation.state import PARAMETERS

STUDIES = Path(__file__).parents[3] / "studies"


def run(*arguments):
    done = CliRunner().invoke(app, [str(part) for part in arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.stdout


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    (folder / "password").write_text("a long enough password\n")
    (folder / "password").chmod(0o600)
    for purpose in ("dispensing", "unblinding"):
        run(
            "keys",
            "generate",
            purpose,
            "--study",
            "x",
            "-o",
            folder / purpose,
            "--password-file",
            folder / "password",
        )
    return folder


def prepare(keys, study, out, *more):
    public = ("--dispensing", keys / "dispensing.public", "--unblinding", keys / "unblinding.public")
    return run("list", "prepare", STUDIES / study, *public, "--rows", "24", *more, "-o", out, "--json")


@pytest.mark.parametrize(
    ("study", "parameters"),
    [("smart-ms", {"sizes": [2, 4]}), ("ocrelizumab-sc", {"probability": "4/5"})],
)
def test_the_sealed_list_holds_what_the_specification_makes_again(keys, tmp_path, study, parameters):
    said = json.loads(prepare(keys, study, tmp_path / "list", "--parameters", json.dumps(parameters)))
    prepared = PreparedList.from_json(json.loads((tmp_path / "list" / "sealed-list.json").read_text()))
    assert prepared.sealed.root.hex() == said["root"]
    for purpose in ("dispensing", "unblinding"):
        opener = KeyOpener(read_key((keys / purpose).read_bytes(), "a long enough password"))
        opened = {}
        for row in open_list(prepared.sealed, opener):
            opened.setdefault(row.place.stratum, []).append(row.value)
        assert json.loads(opened.pop(PARAMETERS)[0]) == parameters
        assert opened == json.loads(run("list", "show", STUDIES / study, said["specification"], "--json"))["rows"]


def test_the_seed_is_new_each_time_stays_in_the_specification_and_is_read_by_its_owner_only(keys, tmp_path):
    seeds = set()
    for name in ("a", "b"):
        prepare(keys, "smart-ms", tmp_path / name, "--parameters", '{"sizes": [2, 4]}')
        specification = tmp_path / name / "specification.json"
        assert specification.stat().st_mode & 0o077 == 0
        seed = json.loads(specification.read_text())["seed"]
        assert len(bytes.fromhex(seed)) == 32
        sealed = (tmp_path / name / "sealed-list.json").read_text()
        assert seed not in sealed
        assert "saline" not in sealed
        seeds.add(seed)
    assert len(seeds) == 2


def test_a_line_of_text_for_each_row(keys, tmp_path):
    prepare(keys, "smart-ms", tmp_path / "list", "--parameters", '{"sizes": [2, 4]}')
    lines = run("list", "show", STUDIES / "smart-ms", tmp_path / "list" / "specification.json").splitlines()
    assert lines[0] == "stratum,position,label"
    assert len(lines) == 25
    assert {line.rpartition(",")[2] for line in lines[1:]} == {"cells_first", "saline_first"}


def test_nothing_is_overwritten(keys, tmp_path):
    prepare(keys, "smart-ms", tmp_path / "list", "--parameters", '{"sizes": [2, 4]}')
    before = (tmp_path / "list" / "specification.json").read_bytes()
    with pytest.raises(InvalidValue, match="exists"):
        prepare(keys, "smart-ms", tmp_path / "list", "--parameters", '{"sizes": [2, 4]}')
    assert (tmp_path / "list" / "specification.json").read_bytes() == before


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("--parameters", '{"sizs": [2]}'), "sizs"),
        (("--parameters", "sizes=2"), "no JSON object"),
        (("--rows", "0"), "less than one"),
        (("--number", "0"), "less than one"),
        (("--dispensing", "unblinding.public"), "holds a unblinding key"),
        (("--dispensing", "nowhere.public"), "cannot be read"),
    ],
)
def test_wrong_wishes_are_refused_and_leave_nothing(keys, tmp_path, wrong, message):
    wrong = tuple(keys / part if part.endswith(".public") else part for part in wrong)
    usual = () if wrong[0] == "--parameters" else ("--parameters", '{"sizes": [2, 4]}')
    with pytest.raises(TrialwrightError) as caught:
        prepare(keys, "smart-ms", tmp_path / "list", *usual, *wrong)
    assert message in caught.value.message
    assert caught.value.remedy
    assert not (tmp_path / "list").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "another"}', '{"format": 1, "seed": "zz"}'])
def test_what_is_no_specification_is_refused(tmp_path, text):
    (tmp_path / "given.json").write_text(text)
    with pytest.raises(InvalidValue, match="no specification"):
        run("list", "show", STUDIES / "smart-ms", tmp_path / "given.json")


def test_a_specification_of_another_study_is_refused(keys, tmp_path):
    prepare(keys, "smart-ms", tmp_path / "list", "--parameters", '{"sizes": [2, 4]}')
    with pytest.raises(InvalidValue, match="is of smart-ms"):
        run("list", "show", STUDIES / "ocrelizumab-sc", tmp_path / "list" / "specification.json")


@pytest.mark.parametrize("data", [None, [], {}, "text", {"format": "trialwright prepared list 1", "number": "1"}])
def test_what_is_no_prepared_list_is_refused(data):
    with pytest.raises(SealBroken):
        PreparedList.from_json(data)


def test_rows_of_strata_that_the_study_does_not_have_are_refused():
    build = compiled(load_study(STUDIES / "smart-ms").study)
    with pytest.raises(InvalidValue, match="elsewhere"):
        rows_of(build, Secret(bytes(32), {"sizes": [2]}, {"elsewhere": 4}), number=1)
