"""A package into a folder."""

from __future__ import annotations

import pytest

from trialwright.exports.files import FORMATS, write_package
from trialwright.exports.tabular import FormatUnknown

FILES = {"dataset-json": "vs.json", "ndjson": "vs.ndjson", "parquet": "vs.parquet", "xpt": "vs.xpt"}


@pytest.mark.parametrize("format_", FORMATS)
def test_each_format_gives_the_data_and_the_metadata_beside(make_package, tmp_path, format_):
    changes = write_package(make_package(texts=("ø",)), tmp_path / "out", format_)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {FILES[format_], "define.xml"}
    assert FILES[format_] in (tmp_path / "out" / "define.xml").read_text()
    assert len(changes) == (1 if format_ == "xpt" else 0)


def test_another_format_is_refused_by_name(package, tmp_path):
    with pytest.raises(FormatUnknown, match="dataset-json"):
        write_package(package, tmp_path / "out", "xlsx")
    assert not (tmp_path / "out").exists()
