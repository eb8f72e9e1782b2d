"""Reference ranges: which one holds for whom, and what an unreadable file says."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from trialwright.foundation.dates import WholeNumbers
from trialwright_web.capture.form_ranges import FieldRange, RangesNotReadable, chosen_range, read_ranges

HEAD = "site,item,sex,age_from,age_to,low,high,unit,since\n"
LINES = (
    "01,haematology.haemoglobin,F,18,999,117,153,g/L,2020-01-01\n"
    "01,haematology.haemoglobin,M,18,999,13.4,17.0,g/dL,2020-01-01\n"
    "01,haematology.haemoglobin,F,18,999,12.0,15.0,g/dL,2026-05-01\n"
    "01,haematology.platelets,,,,145,390,,2020-01-01\n"
)


def written(folder: Path, text: str) -> Path:
    path = folder / "smart-ms.ranges.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("sex", "age", "day", "low"),
    [
        ("F", WholeNumbers(40, 40), "2026-04-30", 117),
        ("F", WholeNumbers(40, 40), "2026-05-01", 12),
        ("M", WholeNumbers(40, 41), "2026-05-01", Fraction("13.4")),
        ("F", WholeNumbers(17, 17), "2026-05-01", None),
        ("F", WholeNumbers(17, 18), "2026-05-01", None),
        ("", WholeNumbers(40, 40), "2026-05-01", None),
        ("F", None, "2026-05-01", None),
        ("F", WholeNumbers(40, 40), "2019-12-31", None),
    ],
)
def test_the_newest_range_that_surely_is_the_persons_holds(
    tmp_path: Path, sex: str, age: WholeNumbers | None, day: str, low: Fraction | None
) -> None:
    known = [one for one in read_ranges(written(tmp_path, HEAD + LINES)) if one.item == "haematology.haemoglobin"]
    found = chosen_range(known, sex, age, date.fromisoformat(day))
    assert (found.low if found else None) == low


def test_a_range_for_everybody_needs_neither_sex_nor_age(tmp_path: Path) -> None:
    known = [one for one in read_ranges(written(tmp_path, HEAD + LINES)) if one.item == "haematology.platelets"]
    assert chosen_range(known, "", None, date(2026, 1, 1)) is not None


def test_a_value_on_the_bound_is_not_flagged() -> None:
    one = FieldRange(3.5, 10.5, "3.5–10.5")
    assert [one.side(number) for number in (3.49, 3.5, 10.5, 10.51)] == ["low", "", "", "high"]


def test_where_there_is_no_file_nothing_is_flagged(tmp_path: Path) -> None:
    assert read_ranges(tmp_path / "nothing.csv") == ()


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD)
    assert read_ranges(path) == ()
    written(tmp_path, HEAD + LINES)
    assert len(read_ranges(path)) == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("site,item\n", "no column sex"),
        (HEAD + "01,a.b,,,,x,2,,2020-01-01\n", "line 2"),
        (HEAD + "01,a.b,,,,3,2,,2020-01-01\n", "line 2"),
        (HEAD + "01,a.b,,,,,,,2020-01-01\n", "line 2"),
        (HEAD + "01,a.b,,,,1,2,furlong/L,2020-01-01\n", "line 2"),
        (HEAD + "01,a.b,,,,1,2,,yesterday\n", "line 2"),
        (HEAD + "01,a.b,,old,,1,2,,2020-01-01\n", "line 2"),
        (HEAD + "01,a.b\n", "line 2"),
    ],
)
def test_an_unreadable_file_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RangesNotReadable, match=said):
        read_ranges(written(tmp_path, text))
