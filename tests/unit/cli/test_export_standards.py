"""`export odm` and `export crf` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lxml import etree
from pypdf import PdfReader

from trialwright.exports.odm import dangling_references, read_odm


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory):
    """A folder with the template study, rehearsed into a SQLite store."""
    made = tmp_path_factory.mktemp("exported")
    assert run("new", "walking", cwd=made).returncode == 0
    answer = run("rehearse", "walking", "-n", 2, "--store", "sqlite:///walking.db", cwd=made)
    assert answer.returncode == 0, answer.stderr
    return made


@pytest.mark.parametrize("version", ["1.3.2", "2.0"])
def test_odm_is_written_from_a_store(run, folder, version):
    answer = run("export", "odm", "sqlite:///walking.db", "-o", f"odm-{version}", "--version", version, cwd=folder)
    assert answer.returncode == 0, answer.stderr
    assert [line.split()[-1] for line in answer.stdout.splitlines()] == ["snapshot.xml", "transactions.xml"]
    for name in ("snapshot.xml", "transactions.xml"):
        path = folder / f"odm-{version}" / name
        assert read_odm(path).id == "walking"
        assert dangling_references(path) == ()


def test_an_unknown_version_is_wrong_usage(run, folder):
    answer = run("export", "odm", "sqlite:///walking.db", "-o", "odm-9", "--version", "9", "--json", cwd=folder)
    assert answer.returncode == 2
    assert json.loads(answer.stdout)["error"] == "value.invalid"


def test_annotated_forms_are_written_from_a_study(run, folder):
    answer = run("export", "crf", "walking", "-o", "forms", "--json", cwd=folder)
    assert answer.returncode == 0, answer.stderr
    assert [Path(path).name for path in json.loads(answer.stdout)["files"]] == ["acrf.html", "acrf.pdf"]
    assert (folder / "forms" / "acrf.pdf").read_bytes().startswith(b"%PDF-")


def test_define_xml_refers_to_places_that_the_annotated_forms_have(run, folder):
    answer = run("export", "sdtm", "sqlite:///walking.db", "-o", "sdtm", "--forms", cwd=folder)
    assert answer.returncode == 0, answer.stderr
    define = etree.parse(str(folder / "sdtm" / "define.xml"))
    places = {one.get("PageRefs") for one in define.iterfind(".//{*}PDFPageRef")}
    with PdfReader(folder / "sdtm" / "acrf.pdf") as reader:
        assert places
        assert places <= set(reader.named_destinations)
