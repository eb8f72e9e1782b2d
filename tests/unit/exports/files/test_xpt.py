"""XPT: read back equal by two independent readers; what the format cannot hold is said or refused."""

from __future__ import annotations

import dataclasses

import pandas
import pyreadstat
import pytest

from trialwright.exports.files import XptCannotHold, write_xpt

PLAIN = ("120", "a b", "=1+1", "42.50")


def text(value):
    return "" if pandas.isna(value) else str(value)


def test_pyreadstat_and_pandas_read_the_same_back(make_package, tmp_path):
    package = make_package(texts=PLAIN)
    dataset = package.dataset("VS")
    assert write_xpt(dataset, package, tmp_path / "vs.xpt") == ()
    one, about = pyreadstat.read_xport(str(tmp_path / "vs.xpt"))
    other = pandas.read_sas(tmp_path / "vs.xpt", format="xport", encoding="ascii")
    assert list(one.columns) == list(other.columns) == list(dataset.names)
    assert about.column_names_to_labels["VSORRES"] == "Result or Finding in Original Units"
    for frame in (one, other):
        assert [text(v) for v in frame["VSORRES"]] == list(PLAIN)
        assert [int(v) for v in frame["VSSEQ"]] == [1, 2, 3, 4]
        # The format's numbers have 56 bits, more than ours: nothing is lost.
        assert [None if pandas.isna(v) else v for v in frame["VSSTRESN"]] == [1 / 3, None, 1.0, 4 / 3]


def test_letters_that_are_not_ascii_are_spelled_out_and_reported(make_package, tmp_path):
    package = make_package(texts=("Tromsø ≥ 5 µg", "naïve", "日"))
    changes = write_xpt(package.dataset("VS"), package, tmp_path / "vs.xpt")
    read, _ = pyreadstat.read_xport(str(tmp_path / "vs.xpt"))
    assert list(read["VSORRES"]) == ["Tromsoe >= 5 ug", "naive", "<U+65E5>"]
    assert [(c.row, c.was, c.became) for c in changes] == [
        (1, "Tromsø ≥ 5 µg", "Tromsoe >= 5 ug"), (2, "naïve", "naive"), (3, "日", "<U+65E5>"),
    ]  # fmt: skip


def test_a_text_of_201_bytes_is_refused_and_nothing_is_written(make_package, tmp_path):
    package = make_package(texts=("x" * 200, "y" * 201))
    with pytest.raises(XptCannotHold, match="row 2: 201 characters"):
        write_xpt(package.dataset("VS"), package, tmp_path / "vs.xpt")
    assert not (tmp_path / "vs.xpt").exists()


def test_a_text_of_200_bytes_comes_back_whole(make_package, tmp_path):
    package = make_package(texts=("x" * 200,))
    write_xpt(package.dataset("VS"), package, tmp_path / "vs.xpt")
    assert pyreadstat.read_xport(str(tmp_path / "vs.xpt"))[0]["VSORRES"][0] == "x" * 200


@pytest.mark.parametrize(
    "change", [{"name": "TOOLONGNAME"}, {"name": "lower"}, {"label": "a label of more than forty characters, really"}]
)
def test_names_and_labels_without_room_are_refused(package, tmp_path, change):
    dataset = package.dataset("VS")
    first, *others = dataset.variables
    dataset = dataclasses.replace(dataset, variables=(dataclasses.replace(first, **change), *others))
    with pytest.raises(XptCannotHold):
        write_xpt(dataset, package, tmp_path / "vs.xpt")


def test_a_number_that_is_no_number_is_refused(make_package, tmp_path):
    package = make_package(rows=[("S1", "P", 2**60, "SYSBP", "1", 1.0, None, None)])
    with pytest.raises(XptCannotHold, match="VSSEQ"):
        write_xpt(package.dataset("VS"), package, tmp_path / "vs.xpt")


def test_equal_packages_are_equal_files(make_package, tmp_path):
    for name in ("a", "b"):
        package = make_package(texts=PLAIN)
        write_xpt(package.dataset("VS"), package, tmp_path / f"{name}.xpt")
    assert (tmp_path / "a.xpt").read_bytes() == (tmp_path / "b.xpt").read_bytes()
    assert b"04MAY26:03:02:01" in (tmp_path / "a.xpt").read_bytes()


def test_a_data_set_without_rows_can_be_written(make_package, tmp_path):
    package = make_package(rows=[])
    write_xpt(package.dataset("VS"), package, tmp_path / "vs.xpt")
    assert len(pyreadstat.read_xport(str(tmp_path / "vs.xpt"))[0]) == 0
