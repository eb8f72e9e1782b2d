"""CORE finds nothing in an export that ``docs/conformance.md`` does not excuse, and finds what is planted.

All three studies, and one run with every error planted, take some minutes: ``make conformance``. As part of the
ordinary tests only the judgement of findings is tested, without the tool.
"""

from __future__ import annotations

import json
import os
import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from trialwright.build.compile import compiled
from trialwright.exports.files import write_package
from trialwright.exports.sdtm import sdtm_of_store
from trialwright.protocol import load_study
from trialwright.rehearsal import Wishes, rehearse
from trialwright.stores import MemoryStore

HERE = Path(__file__).parent
STUDIES = ("smart-ms", "frexalimab-sc-iv", "ocrelizumab-sc")


def _module(name):
    specification = spec_from_file_location(f"conformance_{name}", HERE / f"{name}.py")
    assert specification is not None and specification.loader is not None
    module = module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


core, planting = _module("core"), _module("planting")

whole = pytest.mark.skipif(
    os.environ.get("CORE_CONFORMANCE") != "1", reason="SKIPPED LOUDLY: CORE takes minutes; `make conformance` runs it"
)


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory):
    folders: dict[str, Path] = {}

    def made(name: str) -> Path:
        if name not in folders:
            build = compiled(load_study(core.REPOSITORY / "studies" / name).study)
            open_store, closed_store = MemoryStore(), MemoryStore()
            rehearse(build, open_store, closed_store, Wishes(participants=6, seed=1))
            blinded = build.study.identity.blinding.kind == "blinded"
            export = sdtm_of_store(name, open_store, closed_store if blinded else None)
            folders[name] = tmp_path_factory.mktemp(name)
            write_package(export.package, folders[name], "dataset-json")
        return folders[name]

    return made


def _checked(folder: Path):
    try:
        return core.run(folder)
    except core.NothingChecked as error:
        pytest.skip(f"SKIPPED LOUDLY: {error}")


@whole
@pytest.mark.parametrize("name", STUDIES)
def test_core_finds_nothing_that_the_page_does_not_excuse(name, folder_of):
    folder = folder_of(name)
    assert core.unexcused(_checked(folder), core.read(folder)) == []


@whole
def test_each_planted_error_fires_the_rule_that_must_find_it(folder_of, tmp_path):
    planting.plant_all(folder_of("ocrelizumab-sc"), tmp_path)
    found = _checked(tmp_path)
    missed = [f"{planted.rule}: {planted.what}" for planted in planting.PLANTED if planted.rule not in found]
    assert missed == []


def test_no_rule_about_required_values_terms_or_dates_is_excused():
    assert {"CORE-000356", "CORE-000355"} & set(core.excused()) == {"CORE-000355"}  # 355 only with its judge
    for rule in ("CORE-000355", "CORE-000334", "CORE-000701", "CORE-000852", "CORE-000915"):
        assert rule in core.JUDGES
    planted = {planted.rule for planted in planting.PLANTED}
    assert not planted & set(core.excused())


def test_every_excuse_is_explained():
    for line in core.PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| CORE-"):
            assert len(re.split(r" \| ", line)[2]) > 40


def test_a_finding_that_the_page_does_not_name_is_not_excused():
    findings = {"CORE-999999": {"message": "new", "errors": [{"dataset": "AE"}]}}
    assert core.unexcused(findings, {"DM": []}) == ["CORE-999999: new"]


def test_an_excuse_does_not_reach_another_data_set():
    findings = {"CORE-000598": {"message": "name", "errors": [{"dataset": "AE"}]}}
    (wrong,) = core.unexcused(findings, {"DM": []})
    assert "AE" in wrong


def test_a_required_column_that_is_missing_is_never_excused():
    findings = {"CORE-000355": {"message": "missing", "errors": [{"dataset": "VS"}]}}
    rows = [{"STUDYID": "S", "DOMAIN": "VS", "USUBJID": "P", "VSSEQ": 1, "VSTESTCD": "TEMP"}]
    assert "CORE-000355: VS lacks VSTEST" in core.unexcused(findings, {"VS": rows})


def test_a_start_after_consent_without_epoch_is_never_excused():
    findings = {"CORE-000701": {"message": "epoch", "errors": [{"dataset": "CM"}]}}
    people = [{"USUBJID": "P", "RFICDTC": "2026-02-01"}]
    early = {"USUBJID": "P", "CMSTDTC": "2026-01-31", "EPOCH": ""}
    late = {"USUBJID": "P", "CMSTDTC": "2026-02-01", "EPOCH": ""}
    assert core.unexcused(findings, {"DM": people, "CM": [early]}) == []
    assert core.unexcused(findings, {"DM": people, "CM": [early, late]}) != []


def test_two_baselines_of_one_side_are_never_excused():
    findings = {"CORE-000915": {"message": "baseline", "errors": [{"dataset": "OE"}]}}
    right = {"USUBJID": "P", "OETESTCD": "THICK", "OELAT": "RIGHT", "OELOBXFL": "Y"}
    assert core.unexcused(findings, {"OE": [right, {**right, "OELAT": "LEFT"}]}) == []
    assert core.unexcused(findings, {"OE": [right, right]}) != []


def test_planting_changes_what_it_says_and_nothing_else(folder_of, tmp_path):
    folder = folder_of("ocrelizumab-sc")
    for number, planted in enumerate(planting.PLANTED):
        target = tmp_path / str(number)
        planting.plant(folder, target, (planted,))
        changed = [
            path.name for path in folder.glob("*.json") if path.read_bytes() != (target / path.name).read_bytes()
        ]
        assert changed == [f"{planted.dataset.lower()}.json"], planted.what
        assert json.loads((target / changed[0]).read_text())["name"] == planted.dataset
