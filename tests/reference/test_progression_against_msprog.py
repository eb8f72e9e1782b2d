"""Confirmed worsening on the toy data of the R package msprog (MIT) against what pymsprog 1.0.7 returns.

The data and the expected results lie beside the repository; their origin and the meaning of the arguments are in
the README there. Each scenario of the file is a parameter set of ours.
"""

import csv
import json
from datetime import date
from pathlib import Path

import pytest

from trialwright.instruments.progression import (
    EDSS,
    SDMT,
    Change,
    Criteria,
    Relation,
    Visit,
    confirmed_changes,
    first_worsening,
)

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "reference" / "progression"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"REFERENCE DATA ABSENT: {FOLDER} is needed to compare with msprog"
)

NAMES = {
    Relation.RAW: "RAW",
    Relation.PIRA: "PIRA",
    Relation.UNDETERMINED: "undefined",
    Change.WORSENING: "CDW",
    Change.IMPROVEMENT: "CDI",
}
SCENARIOS = [
    "edss_default_firstCDW_fixed",
    "edss_multiple_roving_84_tol30",
    "edss_multiple_roving_RAWPIRA",
    "sdmt_multiple_roving_84_tol30",
]


def read(name):
    with (FOLDER / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def criteria_for(args):
    usual = {"edss": EDSS, "sdmt": SDMT}[args["outcome"]]
    tolerance = args.get("conf_tol_days")
    return Criteria(
        threshold=usual.threshold,
        higher_is_worse=usual.higher_is_worse,
        confirm_after_days=args.get("conf_days", 84),
        early_days=7 if tolerance is None else tolerance,
        late_days=730 if tolerance is None else tolerance,
        baseline=args.get("baseline", "fixed"),
    )


def rows_for(person, args):
    visits = [
        Visit(date.fromisoformat(row["date"]), row[args["value_col"]])
        for row in read("msprog_toydata_visits.csv")
        if row["id"] == str(person)
    ]
    relapses = [
        date.fromisoformat(row["date"]) for row in read("msprog_toydata_relapses.csv") if row["id"] == str(person)
    ]
    criteria = criteria_for(args)
    if args.get("event") == "multiple":
        events = confirmed_changes(visits, criteria, relapses)
    else:
        events = [e for e in [first_worsening(visits, criteria, relapses)] if e is not None]
    start, end = visits[0].on, visits[-1].on
    shared = {"id": person, "total_fu": (end - start).days}
    classify = {"CDW_type": ""} if args.get("RAW_PIRA") else {}
    if not events:
        nothing = {"nevent": 0, "event_type": "", "time2event": (end - start).days}
        return [
            {**shared, **nothing, **classify, "bl2event": None, "sust_days": None, "sust_last": None},
        ]
    return [
        {
            **shared,
            "nevent": number,
            "event_type": NAMES[event.change],
            "time2event": (event.onset_on - start).days,
            "bl2event": (event.onset_on - event.baseline_on).days,
            "sust_days": (event.sustained_until - event.onset_on).days,
            "sust_last": event.sustained_to_end,
            **({"CDW_type": NAMES.get(event.relation, "")} if classify else {}),
        }
        for number, event in enumerate(events, start=1)
    ]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_row_equals_the_published_result(scenario):
    expected = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))[scenario]
    people = sorted({row["id"] for row in expected["results"]})
    assert [row for person in people for row in rows_for(person, expected["args"])] == expected["results"]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_event_counts_equal_the_published_ones(scenario):
    expected = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))[scenario]
    for row in expected["event_count"]:
        found = [r for r in rows_for(row["index"], expected["args"]) if r["nevent"]]
        assert sum(r["event_type"] == "CDW" for r in found) == row["CDW"]
        assert sum(r["event_type"] == "CDI" for r in found) == row.get("CDI", 0)
        for kind in ("RAW", "PIRA"):
            assert sum(r.get("CDW_type") == kind for r in found) == row.get(kind, 0)


def test_no_scenario_of_the_file_is_left_out():
    assert sorted(json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))) == sorted(SCENARIOS)
