"""Parquet: the same values, typed, with their labels."""

from __future__ import annotations

import pyarrow.parquet

from trialwright.exports.files import write_parquet


def test_values_labels_and_source_come_back(package, tmp_path):
    dataset = package.dataset("VS")
    assert write_parquet(dataset, package, tmp_path / "vs.parquet") == len(dataset.rows)
    table = pyarrow.parquet.read_table(tmp_path / "vs.parquet")
    assert [tuple(row.values()) for row in table.to_pylist()] == [tuple(row) for row in dataset.rows]
    assert table.schema.field("VSORRES").metadata[b"label"] == b"Result or Finding in Original Units"
    assert table.schema.metadata[b"root"] == b"ab" * 32


def test_an_empty_data_set_keeps_its_columns(make_package, tmp_path):
    package = make_package(rows=[])
    write_parquet(package.dataset("VS"), package, tmp_path / "vs.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "vs.parquet").column_names == list(package.dataset("VS").names)
