"""A whole package into a folder: one file for each data set, and the metadata beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from trialwright.exports.datasets import Dataset, Package
from trialwright.exports.files.dataset_json import write_dataset_json, write_ndjson
from trialwright.exports.files.define import SUFFIXES, write_define
from trialwright.exports.files.parquet import write_parquet
from trialwright.exports.files.writing import Change
from trialwright.exports.files.xpt import write_xpt
from trialwright.exports.tabular import FormatUnknown


def write_package(
    package: Package, folder: Path, format_: str, *, annotated_form: str | None = None
) -> tuple[Change, ...]:
    """Write every data set and ``define.xml``.

    Args:
        package: what to write.
        folder: made when absent.
        format_: one of :data:`FORMATS`.
        annotated_form: name of the file with the annotated case-report forms in the same folder.

    Returns:
        What a format could not hold as it was; goes into the reviewer's guide.

    Raises:
        FormatUnknown: another format. XptCannotHold: something has no room in XPT.
    """
    if format_ not in FORMATS:
        raise FormatUnknown(
            f"{format_!r} is not a format of data sets", remedy=f"use one of {', '.join(FORMATS)}", given=format_
        )
    folder.mkdir(parents=True, exist_ok=True)
    changes: list[Change] = []
    for dataset in package.datasets:
        target = folder / f"{dataset.name.lower()}.{SUFFIXES[format_]}"
        changes += _WRITERS[format_](dataset, package, target)
    write_define(package, folder / "define.xml", format_=format_, annotated_form=annotated_form)
    return tuple(changes)


_Writer = Callable[[Dataset, Package, Path], tuple[Change, ...]]


def _as_they_are(write: Callable[[Dataset, Package, Path], int]) -> _Writer:
    def written(dataset: Dataset, package: Package, target: Path) -> tuple[Change, ...]:
        write(dataset, package, target)
        return ()

    return written


_WRITERS: Mapping[str, _Writer] = {
    "dataset-json": _as_they_are(write_dataset_json),
    "ndjson": _as_they_are(write_ndjson),
    "parquet": _as_they_are(write_parquet),
    "xpt": write_xpt,
}
FORMATS = tuple(_WRITERS)
"""Names of the formats."""
