"""What the writers share: identifiers that join data and metadata, and what a format could not hold as it was."""

from __future__ import annotations

from dataclasses import dataclass

from trialwright.exports.datasets import Dataset, Package


@dataclass(frozen=True)
class Change:
    """A value that stands in a file otherwise than in the package, because the format cannot hold it.

    Attributes:
        dataset, variable: where.
        row: from 1.
        was, became: the value before and after.
        why: the limit of the format.
    """

    dataset: str
    variable: str
    row: int
    was: str
    became: str
    why: str


def study_oid(package: Package) -> str:
    """OID of the study, the same in every file of a package."""
    return f"STUDY.{package.study}"


def version_oid(package: Package) -> str:
    """OID of the metadata version."""
    return f"MDV.{package.study}.{package.purpose.upper()}"


def group_oid(dataset: Dataset) -> str:
    """OID of a data set."""
    return f"IG.{dataset.name}"


def item_oid(dataset: Dataset, variable: str) -> str:
    """OID of a variable of a data set."""
    return f"IT.{dataset.name}.{variable}"
