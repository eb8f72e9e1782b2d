"""Rows into files: nothing lost, nothing that a spreadsheet would run."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from trialwright.exports import FormatUnknown, write_table

COLUMNS = {"name": "Name", "count": "How many"}


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("text", ["=1+1", "+SUM(A1)", "-cmd", "@import", "\tx", '=HYPERLINK("a")'])
def test_what_a_spreadsheet_would_run_is_written_as_text(tmp_path, text):
    write_table([{"name": text, "count": 1}], COLUMNS, tmp_path / "t.csv", "csv")
    assert read_csv(tmp_path / "t.csv")[0]["name"] == "'" + text


@pytest.mark.parametrize("number", ["-5", "+3.5", "-0.31", "1,5", "-1.84"])
def test_numbers_stay_numbers(tmp_path, number):
    write_table([{"name": number, "count": 1}], COLUMNS, tmp_path / "t.csv", "csv")
    assert read_csv(tmp_path / "t.csv")[0]["name"] == number


def test_labels_stand_beside_the_file(tmp_path):
    write_table([], COLUMNS, tmp_path / "t.csv", "csv")
    assert read_csv(tmp_path / "t.labels.csv") == [
        {"column": "name", "label": "Name"},
        {"column": "count", "label": "How many"},
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.none() | st.text(st.characters(codec="utf-8"), max_size=30), st.none() | st.integers(0, 2**53)),
        max_size=30,
    )
)
def test_parquet_gives_back_what_went_in(tmp_path_factory, cells):
    path = tmp_path_factory.mktemp("parquet") / "t.parquet"
    rows = [{"name": name, "count": count} for name, count in cells]
    assert write_table(rows, COLUMNS, path, "parquet") == len(rows)
    table = parquet.read_table(path)
    assert table["name"].to_pylist() == [name for name, _ in cells]
    counts = [None if count is None else int(count) for count in table["count"].to_pylist()]
    assert counts == [count for _, count in cells]


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(FormatUnknown):
        write_table([], COLUMNS, tmp_path / "t.xls", "xls")
    assert list(tmp_path.iterdir()) == []
