"""ADAE: adverse events with the treatment after which they began (ADaM structure for occurrence data, 1.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trialwright.exports.adam.columns import Cells, assembled, copied, day_number, derived
from trialwright.exports.adam.doses import doses_of
from trialwright.exports.adam.notes import AdamKind, AdamNote
from trialwright.exports.adam.people import SubjectLevel
from trialwright.exports.adam.words import PlanWords
from trialwright.exports.datasets import Dataset, Package, Value, Variable
from trialwright.protocol import Study

_COPIED = (
    ("AETERM", "Reported Term for the Adverse Event"),
    ("AEDECOD", "Dictionary-Derived Term"),
    ("AEBODSYS", "Body System or Organ Class"),
    ("AESER", "Serious Event"),
    ("AEREL", "Causality"),
    ("AEOUT", "Outcome of Adverse Event"),
    ("AETOXGR", "Standard Toxicity Grade"),
    ("AESTDTC", "Start Date/Time of Adverse Event"),
    ("AEENDTC", "End Date/Time of Adverse Event"),
)


class AdverseEvents:
    """Makes ADAE."""

    def __init__(self, words: PlanWords, people: SubjectLevel, sdtm: Package, study: Study) -> None:
        self._words = words
        self._people = people
        self._sdtm = {dataset.name: dataset for dataset in sdtm.datasets}
        self._doses = doses_of(sdtm, study, words)
        self.notes: list[AdamNote] = []

    def dataset(self) -> Dataset:
        """The data set; empty where nothing was reported."""
        events = list(self._sdtm["AE"].dicts()) if "AE" in self._sdtm else []
        seen: set[str] = set()
        rows = []
        for event in sorted(events, key=_onset):
            rows.append(self._row(event, first=str(event["USUBJID"]) not in seen))
            seen.add(str(event["USUBJID"]))
        return assembled(
            "ADAE", "Adverse Event Analysis Dataset", "OCCURRENCE DATA STRUCTURE", "One record per adverse event",
            self._variables(), rows, subclass="ADVERSE EVENT",
        )  # fmt: skip

    def _row(self, event: Mapping[str, Value], *, first: bool) -> Cells:
        usubjid = str(event["USUBJID"])
        start = day_number(event.get("AESTDTC"))
        if start is None:
            self.notes.append(AdamNote(AdamKind.DATE_PARTIAL, usubjid, f"AESTDTC {event.get('AESTDTC')}"))
        before = [dose for dose in self._doses.get(usubjid, ()) if start is not None and dose.day <= start]
        last = before[-1] if before else None
        planned = self._people.treatment(usubjid, last.period) if last is not None else None
        grade = str(event.get("AETOXGR") or "")
        return {
            **self._people.carried(usubjid),
            "AESEQ": event["AESEQ"],
            **{name: event.get(name) for name, _ in _COPIED},
            "ASTDT": start,
            "AENDT": day_number(event.get("AEENDTC")),
            "ASTDY": event.get("AESTDY"),
            "ATOXGRN": int(grade) if grade.isdecimal() else None,
            "TRTEMFL": "Y" if last is not None else None,
            "APERIOD": last.period if last is not None else None,
            "TRTA": (last.arm or planned) if last is not None else None,
            "AOCCFL": "Y" if first else None,
        }

    def _variables(self) -> Iterator[Variable]:
        yield from self._people.carried_variables()
        yield copied("AESEQ", "Sequence Number", "AE.AESEQ", kind="integer", key=3)
        for name, label in _COPIED:
            yield copied(name, label, f"AE.{name}")
        yield derived("ASTDT", "Analysis Start Date", "DAYS", kind="integer")
        yield derived("AENDT", "Analysis End Date", "DAYS", kind="integer")
        yield copied("ASTDY", "Analysis Start Relative Day", "AE.AESTDY", kind="integer")
        yield derived("ATOXGRN", "Analysis Toxicity Grade (N)", "GRADE", kind="integer")
        yield derived("TRTEMFL", "Treatment Emergent Analysis Flag", "EMERGENT")
        yield derived("APERIOD", "Period", "EMERGENT", kind="integer")
        yield derived("TRTA", "Actual Treatment", "EMERGENT")
        yield derived("AOCCFL", "1st Occurrence within Subject Flag", "EMERGENT")


def _onset(event: Mapping[str, Value]) -> tuple[str, str, int]:
    return str(event["USUBJID"]), str(event.get("AESTDTC") or "~"), int(event["AESEQ"] or 0)
