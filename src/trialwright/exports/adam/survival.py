"""ADTTE: days from the first treatment to an event or to the last visit without it (ADaM basic data structure for
time-to-event analyses, 1.0)."""

from __future__ import annotations

from collections.abc import Iterator

from trialwright.exports.adam.columns import Cells, assembled, assigned, copied, day_number, derived
from trialwright.exports.adam.notes import AdamKind, AdamNote
from trialwright.exports.adam.outcomes import Measured, Measurements
from trialwright.exports.adam.people import SubjectLevel
from trialwright.exports.adam.words import Parameter, PlanWords
from trialwright.exports.datasets import Dataset, Variable

_YES = frozenset({"Y", "YES", "TRUE", "POSITIVE"})


class Survival:
    """Makes ADTTE from the parameters whose measure is a time to an event."""

    def __init__(self, words: PlanWords, people: SubjectLevel, measurements: Measurements) -> None:
        self._words = words
        self._people = people
        self._measurements = measurements
        self.notes: list[AdamNote] = []

    def dataset(self) -> Dataset | None:
        """The data set, or None where the plan asks for no such time."""
        parameters = [parameter for parameter in self._words.parameters.values() if parameter.survival]
        if not parameters:
            return None
        rows = [row for parameter in parameters for row in self._rows(parameter)]
        return assembled(
            "ADTTE", "Time-to-Event Analysis Dataset", "BASIC DATA STRUCTURE",
            "One record per participant per parameter",
            self._variables(), rows, subclass="TIME-TO-EVENT",
        )  # fmt: skip

    def _rows(self, parameter: Parameter) -> Iterator[Cells]:
        seen: dict[str, list[Measured]] = {}
        for one in self._measurements.of(parameter):
            if one.encounter in parameter.visits:
                seen.setdefault(one.usubjid, []).append(one)
        for usubjid, row in self._people.rows.items():
            start = row.get("TRTSDT")
            if row.get("RANDDT") is None:
                continue
            if not isinstance(start, int):
                self.notes.append(AdamNote(AdamKind.NO_START, usubjid, parameter.code))
                continue
            yield self._row(parameter, usubjid, start, seen.get(usubjid, []))

    def _row(self, parameter: Parameter, usubjid: str, start: int, visits: list[Measured]) -> Cells:
        dated = sorted(
            ((day, one) for one in visits if (day := day_number(one.date)) is not None), key=lambda d: d[0]
        )
        events = [(day, one) for day, one in dated if _happened(one)]
        # Without an event the time ends where it was last seen that there was none; without any visit, at its start.
        day, one = events[0] if events else dated[-1] if dated else (start, None)
        return {
            **self._people.carried(usubjid),
            "TRTP": self._people.treatment(usubjid, None),
            "PARAM": parameter.label[:200],
            "PARAMCD": parameter.code,
            "STARTDT": start,
            "ADT": day,
            "AVAL": float(day - start + 1),
            "CNSR": 0 if events else 1,
            "EVNTDESC": "EVENT" if events else "LAST VISIT WITHOUT THE EVENT" if dated else "NO VISIT",
            "SRCDOM": one.domain if one else None,
            "SRCVAR": f"{one.domain}STRESC" if one else None,
            "SRCSEQ": one.sequence if one else None,
        }

    def _variables(self) -> Iterator[Variable]:
        yield from self._people.carried_variables()
        yield derived("TRTP", "Planned Treatment", "TREATMENT")
        yield assigned("PARAM", "Parameter")
        yield assigned("PARAMCD", "Parameter Code", key=3)
        yield copied("STARTDT", "Time-to-Event Origin Date for Subject", "ADSL.TRTSDT", kind="integer")
        yield derived("ADT", "Analysis Date", "DAYS", kind="integer")
        yield derived("AVAL", "Analysis Value", "TIME", kind="float")
        yield derived("CNSR", "Censor", "TIME", kind="integer")
        yield derived("EVNTDESC", "Event or Censoring Description", "TIME")
        yield assigned("SRCDOM", "Source Data")
        yield assigned("SRCVAR", "Source Variable")
        yield copied("SRCSEQ", "Source Sequence Number", "--SEQ", kind="integer")


def _happened(one: Measured) -> bool:
    return one.value > 0 if one.value is not None else (one.standard or "").upper() in _YES
