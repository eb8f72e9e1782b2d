"""What is known of participants beforehand is what the export says of them, nothing more, nothing less.

The truth is given to the rehearsal: allocations and values. It is compared with the finished data sets by a table
written by hand, which knows nothing of how the export maps items; and every value of the record is looked for in the
data sets by its text alone. Faults planted into the mapping must be found by either.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

import pytest

from trialwright.build import Build
from trialwright.exports.sdtm import SdtmExport, Snapshot, sdtm_package
from trialwright.rehearsal import Known, Wishes, rehearse
from trialwright.stores import MemoryStore
from trialwright.trial.capture.views import ITEM
from trialwright.trial.setup.builds import builds_on_record

LABELS = ("cells_first", "saline_first", "saline_first", "cells_first")
VISITS = {"baseline": "BASELINE ASSESSMENT", "month6_assessment": "MONTH 6 ASSESSMENT", "month_12": "MONTH 12"}

WHERE = {
    "evoked_potentials.sep_z": ("NV", {"NVTESTCD": "EPZ", "NVMETHOD": "SOMATOSENSORY EVOKED POTENTIAL"}),
    "evoked_potentials.vep_z": ("NV", {"NVTESTCD": "EPZ", "NVMETHOD": "VISUAL EVOKED POTENTIAL"}),
    "evoked_potentials.mep_z": ("NV", {"NVTESTCD": "EPZ", "NVMETHOD": "MOTOR EVOKED POTENTIAL"}),
    "biomarkers.gfap": ("LB", {"LBTESTCD": "GFAP"}),
    "biomarkers.nfl": ("LB", {"LBTESTCD": "NFLP"}),
    "mri.brain_volume": ("NV", {"NVTESTCD": "BRNVOL"}),
    "symbol_digit.correct": ("FT", {"FTTESTCD": "SDMT0101"}),
    "walk.trial_1": ("FT", {"FTTESTCD": "T25FW101", "FTREPNUM": 1}),
    "walk.trial_2": ("FT", {"FTTESTCD": "T25FW101", "FTREPNUM": 2}),
    "ophthalmology.rnfl_right": ("OE", {"OELOC": "RETINAL NERVE FIBER LAYER", "OELAT": "RIGHT"}),
    "ophthalmology.rnfl_left": ("OE", {"OELOC": "RETINAL NERVE FIBER LAYER", "OELAT": "LEFT"}),
}
"""Item → data set, and what tells its records from others; written by hand."""

STEP = {"symbol_digit.correct": 1.0, "ophthalmology.rnfl_right": 1.0, "ophthalmology.rnfl_left": 1.0}
START = {
    "evoked_potentials.sep_z": 1.11, "evoked_potentials.vep_z": 2.22, "evoked_potentials.mep_z": 3.33,
    "biomarkers.gfap": 100.5, "biomarkers.nfl": 10.5, "mri.brain_volume": 1400.5, "symbol_digit.correct": 30.0,
    "walk.trial_1": 8.0, "walk.trial_2": 12.1, "ophthalmology.rnfl_right": 80.0, "ophthalmology.rnfl_left": 90.0,
}  # fmt: skip


def _truth() -> dict[tuple[int, str, str], float | None]:
    """A different number for every participant, item and visit; one of them missing."""
    values: dict[tuple[int, str, str], float | None] = {}
    for place in range(len(LABELS)):
        for number, encounter in enumerate(VISITS):
            for item, start in START.items():
                step = STEP.get(item, 0.1)
                values[place, item, encounter] = round(start + step * (3 * place + number), 2)
    values[2, "biomarkers.nfl", "month_12"] = None
    return values


@dataclass(frozen=True)
class Lived:
    open: MemoryStore
    closed: MemoryStore
    order: tuple[str, ...]

    def export(self, builds: dict[str, Build] | None = None) -> SdtmExport:
        known = builds_on_record(self.open.ledger("smart-ms/open"))
        snapshot = Snapshot("smart-ms/open", 1, "00", "2030-01-01T00:00:00Z", "test")
        return sdtm_package(self.open.rows, builds or known, snapshot, closed_rows=self.closed.rows)

    def remapped(self, old: str, new: str, back: str | None = None) -> SdtmExport:
        """The export of builds whose mapping was tampered with; ``back`` exchanges the other way round as well."""
        changed = {}
        for id_, build in builds_on_record(self.open.ledger("smart-ms/open")).items():
            text = build.canonical.decode()
            assert old in text, "the mapping to spoil is in the study"
            text = text.replace(old, "\0") if back else text.replace(old, new)
            text = text.replace(new, back).replace("\0", new) if back else text
            source = json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            changed[id_] = Build.from_canonical(source.encode())
        return self.export(changed)


@pytest.fixture(scope="module")
def lived(build_of) -> Lived:
    open_store, closed_store = MemoryStore(), MemoryStore()
    told = rehearse(build_of("smart-ms"), open_store, closed_store, Wishes(seed=3, known=Known(LABELS, _truth())))
    return Lived(open_store, closed_store, told.order)


def differences(lived: Lived, export: SdtmExport) -> list[str]:
    """Where the data sets do not say what is true: a wrong value, a missing record, a record too many."""
    wrong = []
    people = {row["SUBJID"]: row["ARMCD"] for row in export.package.dataset("DM").dicts()}
    for place, label in enumerate(LABELS):
        if people[lived.order[place]] != label.upper():
            wrong.append(f"{lived.order[place]} is in {people[lived.order[place]]}, truly {label}")
    for (place, item, encounter), value in _truth().items():
        name, what = WHERE[item]
        records = [
            row
            for row in export.package.dataset(name).dicts()
            if row["USUBJID"] == f"SMART-MS-{lived.order[place]}"
            and row["VISIT"] == VISITS[encounter]
            and all(row.get(variable) == wanted for variable, wanted in what.items())
        ]
        if len(records) != 1:
            wrong.append(f"{item} at {encounter}: {len(records)} records")
        elif value is None:
            if records[0][f"{name}STAT"] != "NOT DONE" or records[0][f"{name}ORRES"] is not None:
                wrong.append(f"{item} at {encounter}: not missing")
        elif records[0][f"{name}STRESN"] != value:
            wrong.append(f"{item} at {encounter}: {records[0][f'{name}STRESN']}, truly {value}")
    return wrong


def lost(lived: Lived, export: SdtmExport) -> Counter[tuple[str, str]]:
    """(participant, text) of values on record that stand less often in the data sets than on record."""
    recorded: Counter[tuple[str, str]] = Counter()
    for row in lived.open.rows.where(ITEM):
        text = str(row["value"])
        is_code = text in ("true", "false") or (text.isupper() and not text.isdigit())
        if row["value"] is not None and not is_code and row["item"] != "times_per_day":
            recorded[str(row["participant"]), text.upper()] += 1
    shown: Counter[tuple[str, str]] = Counter()
    for dataset in export.package.datasets:
        if "USUBJID" not in dataset.names:
            continue
        kept = {f"{dataset.name}{part}" for part in ("ORRES", "TERM", "TRT", "INDC", "STDTC", "ENDTC", "DTC", "DOSE")}
        kept |= {"QVAL", "BRTHDTC", "DMDTC"}
        for row in dataset.dicts():
            for variable in kept & set(dataset.names):
                if row[variable] is not None:
                    text = str(row[variable]).upper()
                    owner = str(row["USUBJID"]).removeprefix("SMART-MS-")
                    shown[owner, text.split()[0] if variable == "QVAL" and text[:1].isdigit() else text] += 1
    return recorded - shown


def test_the_data_sets_say_what_is_true_of_everybody(lived):
    assert differences(lived, lived.export()) == []


def test_nothing_on_record_is_lost_on_the_way(lived):
    assert lost(lived, lived.export()) == Counter()


def test_two_items_that_the_mapping_exchanges_are_found(lived):
    spoiled = lived.remapped('"test":"GFAP"', '"test":"NFLP"', '"test":"GFAP"')
    found = differences(lived, spoiled)
    assert found and all("biomarkers." in difference for difference in found)


def test_the_wrong_eye_is_found(lived):
    old = '"OELAT":"RIGHT","OELOC":"RETINAL NERVE FIBER LAYER"'
    new = '"OELAT":"LEFT","OELOC":"RETINAL NERVE FIBER LAYER"'
    found = differences(lived, lived.remapped(old, new, old))
    assert found and all("rnfl" in difference for difference in found)


def test_an_item_that_is_not_exported_is_found_as_lost(lived):
    spoiled = lived.remapped('"sdtm":{"test":"GFAP"}', '"sdtm":{"not_submitted":"forgotten"}')
    assert differences(lived, spoiled)
    assert sum(lost(lived, spoiled).values()) > 0


def test_two_items_that_become_one_record_are_found(lived):
    found = differences(lived, lived.remapped('"FTREPNUM":"2"', '"FTREPNUM":"1"'))
    assert any("walk.trial_1" in difference and "2 records" in difference for difference in found)
