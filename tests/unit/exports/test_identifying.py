"""Items that a study marks identifying: no export carries what was entered in them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import trialwright.protocol
from trialwright.build.compile import compiled
from trialwright.exports import labelled_items
from trialwright.exports.identifying import identifies
from trialwright.exports.sdtm import sdtm_of_store
from trialwright.protocol import load_study
from trialwright.rehearsal import Wishes, rehearse
from trialwright.stores import MemoryStore
from trialwright.trial.capture.views import ITEM
from trialwright.trial.setup.builds import builds_on_record

TEMPLATE = Path(trialwright.protocol.__file__).parent / "template"
FORM, MARKED, PLAIN = "blood_pressure", "systolic", "diastolic"


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """A finished trial of the template's study, with one item marked."""
    folder = tmp_path_factory.mktemp("study") / "first"
    shutil.copytree(TEMPLATE, folder)
    form = folder / "forms" / f"{FORM}.yaml"
    words = form.read_text(encoding="utf-8")
    marked = words.replace("        critical: true\n", "        critical: true\n        privacy: identifying\n", 1)
    assert marked != words
    form.write_text(marked, encoding="utf-8")
    build = compiled(load_study(folder).study)
    store = MemoryStore()
    rehearse(build, store, store, Wishes(participants=3, seed=1))
    return build.study.identity.id, store


def test_what_is_marked_is_on_record_and_known(record):
    study, opened = record
    assert any(row["value"] for row in opened.rows.where(ITEM, form=FORM, item=MARKED))
    builds = builds_on_record(opened.ledger(f"{study}/open"))
    assert identifies(builds, FORM, MARKED)
    assert identifies(builds, FORM, f"{MARKED}.2")
    assert not identifies(builds, FORM, PLAIN)
    assert not identifies(builds, FORM, "unknown")


def test_the_tabulation_leaves_it_out(record):
    domains = sdtm_of_store(*record, record[1]).package.datasets
    tests = {str(row["VSTESTCD"]) for domain in domains if domain.name == "VS" for row in domain.dicts()}
    assert "DIABP" in tests
    assert "SYSBP" not in tests


def test_the_table_of_items_says_that_there_is_one_and_no_more(record):
    study, opened = record
    rows = list(labelled_items(opened.rows, builds_on_record(opened.ledger(f"{study}/open")), "en"))
    marked = [row for row in rows if (row["form"], row["item"]) == (FORM, MARKED)]
    assert marked
    assert {row["value"] for row in marked} == {None}
    assert {row["value_label"] for row in marked} == {None}
    assert {row.get("standard_value") for row in marked} == {None}
    assert any(row["value"] for row in rows if row["item"] == PLAIN)
