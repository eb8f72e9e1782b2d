"""A million item values into files: ``python benchmarks/exports.py``.

Each writer runs in a process of its own, so that its largest resident memory is its own.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from figures import Figure, Taken, show

from trialwright.exports.datasets import Dataset, Package, Record, Standard, Variable
from trialwright.exports.files import write_package

VALUES = 1_000_000
COLUMNS = ("STUDYID", "USUBJID", "LBSEQ", "LBTESTCD", "LBORRES", "LBORRESU", "LBSTRESN", "VISIT", "LBDTC", "LBBLFL")
FORMATS = ("parquet", "dataset-json", "ndjson")


class Rows:
    """Rows that are made as they are asked for, as a reader of a record would."""

    def __len__(self) -> int:
        return VALUES // len(COLUMNS)

    def __contains__(self, row: object) -> bool:
        return False

    def __iter__(self) -> Iterator[Record]:
        for number in range(len(self)):
            value = number % 977 / 7
            yield (
                *("S1", f"S1-01-{number % 300:03}", number, "HGB", f"{value:.1f}", "g/dL", value, "Month 6"),
                *("2026-05-04", None if number % 9 else "Y"),
            )


def package() -> Package:
    """Ten columns, a hundred thousand rows."""
    numbers = {"LBSEQ": "integer", "LBSTRESN": "float"}
    variables = tuple(Variable(name, name, numbers.get(name, "text"), length=20) for name in COLUMNS)
    dataset = Dataset("LB", "Laboratory Test Results", "FINDINGS", "One record per test", variables, Rows())
    standard = Standard("SDTMIG", "SDTMIG", "IG", "3.4")
    created = "2026-05-04T03:02:01Z"
    return Package("S1", "S1", "S1", "Tabulation", (standard,), (dataset,), (), (), created)


def write(format_: str) -> None:
    """Write the package once, and print what it took."""
    with tempfile.TemporaryDirectory() as folder:
        wall, processor = time.perf_counter(), time.process_time()
        write_package(package(), Path(folder), format_)
        taken = (time.perf_counter() - wall, time.process_time() - processor)
    print(json.dumps([*taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


def figures() -> Iterator[Figure]:
    """Every figure, as it is taken."""
    for format_ in FORMATS:
        said = subprocess.run(
            [sys.executable, __file__, format_], check=True, capture_output=True, text=True
        ).stdout  # fmt: skip
        wall, processor, megabytes = json.loads(said)
        taken = Taken(wall, processor)
        yield Figure.rate(f"{format_}, {VALUES:,} values", VALUES, taken, "values/s", 300_000)
        yield Figure(f"{format_}, resident memory", megabytes, None, "MB", 500, less=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        write(sys.argv[1])
    else:
        show("Files of data sets", figures())
