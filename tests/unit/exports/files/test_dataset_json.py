"""Dataset-JSON: valid by CDISC's schema, and the same values when read back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft201909Validator

from trialwright.exports.files import read_dataset_json, write_dataset_json, write_ndjson
from trialwright.exports.files.dataset_json import DatasetJsonUnreadable

SCHEMA = Path(__file__).resolve().parents[5] / "shared/tools/core/data/resources/schema/dataset.schema.json"
"""CDISC's schema of Dataset-JSON 1.1, where the conformance tool lies beside the repository."""

CELL = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
NUMBER = st.none() | st.floats(allow_nan=False, allow_infinity=False)


def valid(path):
    if not SCHEMA.exists():
        pytest.skip("CDISC's schema of Dataset-JSON is not on this machine")
    Draft201909Validator(json.loads(SCHEMA.read_text())).validate(json.loads(path.read_text()))


def test_a_file_is_valid_by_the_schema_of_the_standard(package, tmp_path):
    write_dataset_json(package.dataset("VS"), package, tmp_path / "vs.json")
    valid(tmp_path / "vs.json")


def test_the_schema_would_refuse_a_file_without_records(package, tmp_path):
    path = tmp_path / "vs.json"
    write_dataset_json(package.dataset("VS"), package, path)
    document = json.loads(path.read_text())
    del document["records"]
    path.write_text(json.dumps(document))
    with pytest.raises(Exception, match=r"records|not on this machine"):
        valid(path)


@pytest.mark.parametrize(("write", "name"), [(write_dataset_json, "vs.json"), (write_ndjson, "vs.ndjson")])
def test_values_come_back_as_they_were(package, tmp_path, write, name):
    dataset = package.dataset("VS")
    assert write(dataset, package, tmp_path / name) == len(dataset.rows)
    read = read_dataset_json(tmp_path / name)
    assert read.names == dataset.names
    assert list(read.rows) == [tuple(row) for row in dataset.rows]
    assert read.head["label"] == "Vital Signs"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(CELL, NUMBER), max_size=6))
def test_any_text_and_number_survives(make_package, tmp_path, cells):
    rows = [("S1", f"P{n}", n, "SYSBP", text, number, "2026", None) for n, (text, number) in enumerate(cells)]
    package = make_package(rows=rows)
    for write, name in ((write_dataset_json, "a.json"), (write_ndjson, "a.ndjson")):
        write(package.dataset("VS"), package, tmp_path / name)
        assert list(read_dataset_json(tmp_path / name).rows) == rows


def test_a_data_set_without_rows_is_a_file_without_rows(make_package, tmp_path):
    package = make_package(rows=[])
    for write, name in ((write_dataset_json, "vs.json"), (write_ndjson, "vs.ndjson")):
        write(package.dataset("VS"), package, tmp_path / name)
        assert read_dataset_json(tmp_path / name).rows == ()


@pytest.mark.parametrize("spoil", [lambda t: t[: len(t) // 2], lambda t: t.replace('"records":6', '"records":7')])
def test_a_cut_or_altered_file_is_refused_by_name(package, tmp_path, spoil):
    path = tmp_path / "vs.json"
    write_dataset_json(package.dataset("VS"), package, path)
    path.write_text(spoil(path.read_text()))
    with pytest.raises(DatasetJsonUnreadable):
        read_dataset_json(path)


def test_equal_packages_are_equal_files(make_package, tmp_path):
    for name in ("a.json", "b.json"):
        package = make_package()
        write_dataset_json(package.dataset("VS"), package, tmp_path / name)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
