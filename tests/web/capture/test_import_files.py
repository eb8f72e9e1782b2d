"""Files of laboratories: what a mapping may say, what of a file is read, and what must never get in."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialwright_web.capture.import_mapping import MappingInvalid, declared_mappings, plain_mapping, read_mapping
from trialwright_web.capture.import_reading import (
    MOST_BYTES,
    MOST_LINES,
    FileRevealsArm,
    FileUnreadable,
    read_file,
)

STUDY = Path(__file__).resolve().parents[3] / "studies" / "smart-ms"

WIDE = """
title = "Blood"
decimal = ","
[columns]
participant = "id"
encounter = "visit"
date = "day"
[encounters]
V1 = "screening"
[values]
ND = "missing:not_done"
[items."haematology.haemoglobin"]
column = "Hb"
unit = "g/dL"
[items."haematology.leukocytes"]
column = "WBC"
unit_column = "WBC unit"
units = { "E9/L" = "10*9/L" }
"""


@pytest.fixture
def wide(tmp_path, smart_ms):
    return mapping_of(tmp_path, WIDE, smart_ms)


@pytest.fixture
def laboratory(smart_ms):
    return next(one for one in declared_mappings(STUDY, smart_ms) if one.id == "laboratory")


def mapping_of(folder, text, build):
    path = folder / "blood.toml"
    path.write_text(text, encoding="utf-8")
    return read_mapping(path, build)


def told(read):
    return [(one.line, one.participant, one.encounter, one.item, one.text, one.unit) for one in read.results]


def test_every_mapping_of_the_flagship_fits_its_build(smart_ms):
    found = declared_mappings(STUDY, smart_ms)
    assert [one.id for one in found] == ["biomarkers", "evoked_potentials", "laboratory", "mri"]
    assert {one.blinding for one in found} == {"open"}


def test_a_study_without_mappings_has_none(tmp_path, smart_ms):
    assert declared_mappings(tmp_path, smart_ms) == ()


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (("haematology.haemoglobin", "haematology.hb"), "haematology.hb"),
        (("haematology.haemoglobin", "edss.computed_score"), "edss.computed_score"),
        (('V1 = "screening"', 'V1 = "week_99"'), "week_99"),
        (('participant = "id"\n', ""), "columns.participant"),
        (('column = "Hb"', 'test = "Hb"'), "items.haematology.haemoglobin.column"),
        (('decimal = ","', 'decimal = ";"'), "decimal"),
        (('title = "Blood"', 'blinding = "closed"'), "haematology is open"),
        (('title = "Blood"', 'colour = "red"'), "colour"),
        (('date = "day"', 'date = "day"\ntest = "T"'), "columns.test and columns.result"),
        (("[encounters]", "[encounters"), "blood.toml cannot be read"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_with_what_is_wrong(tmp_path, smart_ms, change, wrong):
    old, new = change
    assert old in WIDE
    with pytest.raises(MappingInvalid) as refusal:
        mapping_of(tmp_path, WIDE.replace(old, new, 1), smart_ms)
    assert wrong in refusal.value.message
    assert refusal.value.remedy


@pytest.mark.parametrize("delimiter", [";", "\t", ","])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_a_table_is_read_whatever_separates_its_fields_and_encodes_its_letters(wide, smart_ms, delimiter, encoding):
    header = ["id", "visit", "day", "Hb", "WBC", "WBC unit", "Comment"]
    lines = [["NO-01-001", "V1", "14.02.2028", "13", "5", "E9/L", "på røret"], ["", "", "", "", "", "", ""],
             ["NO-01-002", "V1", "", "ND", "", "", ""]]  # fmt: skip
    content = "\r\n".join(delimiter.join(cells) for cells in (header, *lines)).encode(encoding)
    read = read_file(content, wide, smart_ms)
    assert told(read) == [
        (2, "NO-01-001", "V1", "haematology.haemoglobin", "13", "g/dL"),
        (2, "NO-01-001", "V1", "haematology.leukocytes", "5", "E9/L"),
        (4, "NO-01-002", "V1", "haematology.haemoglobin", "ND", "g/dL"),
    ]
    assert read.unused == ("Comment",)
    assert read.lines == 3


def test_one_line_a_result_is_read_by_the_name_of_the_test(laboratory, smart_ms):
    content = (
        b"Subject;Visit;Collected;Test;Result;Unit\n"
        b"NO-01-001;SCR;14.02.2028;HGB;13,5;g/dL\n"
        b"NO-01-001;SCR;14.02.2028;FERRITIN;80;ug/L\n"
    )
    read = read_file(content, laboratory, smart_ms)
    assert told(read) == [(2, "NO-01-001", "SCR", "haematology.haemoglobin", "13,5", "g/dL")]
    assert read.unknown_tests == ("FERRITIN",)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"id;visit;day;Hb\nNO-01-001;V1;;13\n",
        b"id;visit;day;Hb;WBC;WBC\nNO-01-001;V1;;13;5;5\n",
        b"\x00\x01\x02",
        b"id;visit;day;Hb;WBC\n" + b"x" * MOST_BYTES,
        b"id;visit;day;Hb;WBC\n" + b"NO;V1;;1;1\n" * (MOST_LINES + 1),
        b"id;visit;day;Hb;WBC\nNO-01-001;V1;;" + b"9" * 5000 + b";1\n",
    ],
    ids=["empty", "a column is absent", "a column twice", "no text", "too large", "too long", "a huge field"],
)
def test_a_file_that_is_no_such_table_is_refused_by_name(wide, smart_ms, content):
    with pytest.raises(FileUnreadable) as refusal:
        read_file(content, wide, smart_ms)
    assert refusal.value.remedy


@pytest.mark.parametrize(
    "cell",
    ["Placebo", "saltvann", "cells", "SALINE", "saline_first", "Sequence A: cells, then saline", "MSC batch 4"],
)
@pytest.mark.parametrize("quoted", [True, False])
def test_a_file_that_names_a_treatment_is_refused_without_repeating_it(laboratory, smart_ms, cell, quoted):
    field = f'"{cell}"' if quoted else cell
    content = f"Subject;Visit;Collected;Test;Result;Unit;Note\nNO-01-001;SCR;;HGB;13;g/dL;{field}\n".encode()
    with pytest.raises(FileRevealsArm) as refusal:
        read_file(content, laboratory, smart_ms)
    assert cell.casefold() not in refusal.value.message.casefold()
    assert "NO-01-001" not in refusal.value.message


def test_the_name_of_a_file_stands_in_the_record_and_may_not_name_a_treatment_either(laboratory, smart_ms):
    content = b"Subject;Visit;Collected;Test;Result;Unit\nNO-01-001;SCR;;HGB;13;g/dL\n"
    assert len(read_file(content, laboratory, smart_ms, "week 7.csv").results) == 1
    with pytest.raises(FileRevealsArm):
        read_file(content, laboratory, smart_ms, "placebo.csv")


def test_a_word_that_is_also_an_arms_id_is_no_treatment_in_a_sentence(laboratory, smart_ms):
    content = b"Subject;Visit;Collected;Test;Result;Unit;Note\nNO-01-001;SCR;;HGB;13;g/dL;white blood cells counted\n"
    assert len(read_file(content, laboratory, smart_ms).results) == 1


def test_the_empty_table_of_a_form_is_read_by_the_mapping_made_from_it(smart_ms):
    mapping = plain_mapping(smart_ms.forms["haematology"], smart_ms)
    header = mapping.header()
    assert header[:3] == ("participant", "encounter", "haemoglobin")
    line = ["NO-01-001", "screening", *("1" if not name.endswith("_unit") else "" for name in header[2:])]
    read = read_file((",".join(header) + "\n" + ",".join(line)).encode(), mapping, smart_ms)
    assert {one.item for one in read.results} == {
        one.field.key for one in smart_ms.forms["haematology"].items.values() if one.derive is None
    }


@given(st.binary(max_size=300))
def test_whatever_a_file_holds_the_answer_is_values_or_a_named_refusal(smart_ms, content):
    mapping = plain_mapping(smart_ms.forms["haematology"], smart_ms)
    try:
        read_file(content, mapping, smart_ms)
    except (FileUnreadable, FileRevealsArm) as refusal:
        assert refusal.remedy
