"""Packages of data sets as files: Dataset-JSON, XPT, Parquet, and Define-XML that describes them.

Needs the extra ``trialwright[standards]``.
"""

from trialwright.exports.files.dataset_json import read_dataset_json, write_dataset_json, write_ndjson
from trialwright.exports.files.define import write_define
from trialwright.exports.files.package import FORMATS, write_package
from trialwright.exports.files.parquet import write_parquet
from trialwright.exports.files.writing import Change
from trialwright.exports.files.xpt import XptCannotHold, write_xpt

__all__ = [
    "FORMATS",
    "Change",
    "XptCannotHold",
    "read_dataset_json",
    "write_dataset_json",
    "write_define",
    "write_ndjson",
    "write_package",
    "write_parquet",
    "write_xpt",
]
