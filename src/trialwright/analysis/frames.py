"""Analysis data sets as tables of columns, the form in which the statistics take them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas

from trialwright.exports.datasets import Dataset, Package


def frame_of(dataset: Dataset) -> pandas.DataFrame:
    """The data set as a data frame: numbers as float64 with NaN for missing, texts as objects with None."""
    columns: dict[str, Any] = {}
    for place, variable in enumerate(dataset.variables):
        cells = [row[place] for row in dataset.rows]
        columns[variable.name] = (
            pandas.Series(cells, dtype="float64") if variable.is_number else pandas.Series(cells, dtype="object")
        )
    return pandas.DataFrame(columns)


def frames_of(package: Package) -> Mapping[str, pandas.DataFrame]:
    """Every data set of a package by name."""
    return {dataset.name: frame_of(dataset) for dataset in package.datasets}


def where(frame: pandas.DataFrame, **equals: object) -> pandas.DataFrame:
    """The rows whose columns have these values."""
    for name, value in equals.items():
        frame = frame[frame[name] == value] if name in frame else frame.iloc[0:0]
    return frame


def among(frame: pandas.DataFrame, name: str, values: Iterable[object]) -> pandas.DataFrame:
    """The rows whose column has one of these values."""
    return frame[frame[name].isin(list(values))] if name in frame else frame.iloc[0:0]
