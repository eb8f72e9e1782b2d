"""ADTTE: days from the first treatment to an event or to the last visit without it (ADaM basic data structure for
time-to-event analyses, 1.0).

What is asked at visits happened at the first visit that found it. What is written down when it happens, as a relapse
is, has a date of its own; the participant is then followed to the endpoint's last encounter, or, where that was
missed, to the last visit or the end of the study, whichever is later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trialwright.exports.adam.columns import Cells, assembled, assigned, copied, day_number, derived
from trialwright.exports.adam.notes import AdamKind, AdamNote
from trialwright.exports.adam.outcomes import Measured, Measurements, Occurred
from trialwright.exports.adam.people import SubjectLevel
from trialwright.exports.adam.words import Parameter, PlanWords
from trialwright.exports.datasets import Dataset, Value, Variable

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
        if parameter.variable is not None:
            yield from self._dated_rows(parameter)
            return
        seen: dict[str, list[Measured]] = {}
        for one in self._measurements.of(parameter):
            if one.encounter in parameter.visits:
                seen.setdefault(one.usubjid, []).append(one)
        for usubjid, start in self._started(parameter):
            yield self._row(parameter, usubjid, start, seen.get(usubjid, []))

    def _dated_rows(self, parameter: Parameter) -> Iterator[Cells]:
        occurred, attended = self._measurements.occurred(parameter.target), self._measurements.attended()
        for usubjid, start in self._started(parameter):
            events = occurred.get(usubjid, [])
            for lacking in events:
                if lacking.day is None:
                    what = f"{parameter.code} {parameter.variable} {lacking.date}".rstrip()
                    self.notes.append(AdamNote(AdamKind.EVENT_NOT_DATED, usubjid, what))
            end = self._followed_to(parameter, usubjid, start, attended.get(usubjid, []))
            dated = sorted(((e.day, e) for e in events if e.day is not None and start <= e.day <= end), key=_first)
            event = dated[0][1] if dated else None
            yield {
                **self._cells(parameter, usubjid, start, dated[0][0] if dated else end),
                "CNSR": 0 if event else 1,
                "EVNTDESC": "EVENT" if event else "END OF FOLLOW-UP WITHOUT THE EVENT",
                "SRCDOM": event.domain if event else None,
                "SRCVAR": parameter.variable if event else None,
                "SRCSEQ": event.sequence if event else None,
            }

    def _followed_to(
        self, parameter: Parameter, usubjid: str, start: int, attended: Sequence[tuple[str, int]]
    ) -> int:
        """The day of the endpoint's last encounter; where it did not take place, the last that is known."""
        last = parameter.visits[-1]
        at_last = [day for encounter, day in attended if encounter == last]
        if at_last:
            return max(at_last[-1], start)
        ended = self._people.rows[usubjid].get("EOSDT")
        return max([start, *(day for _, day in attended), *([ended] if isinstance(ended, int) else [])])

    def _started(self, parameter: Parameter) -> Iterator[tuple[str, int]]:
        """Everybody randomised with the day of the first treatment."""
        for usubjid, row in self._people.rows.items():
            start = row.get("TRTSDT")
            if row.get("RANDDT") is None:
                continue
            if isinstance(start, int):
                yield usubjid, start
            else:
                self.notes.append(AdamNote(AdamKind.NO_START, usubjid, parameter.code))

    def _row(self, parameter: Parameter, usubjid: str, start: int, visits: list[Measured]) -> Cells:
        dated = sorted(
            ((day, one) for one in visits if (day := day_number(one.date)) is not None), key=lambda d: d[0]
        )
        events = [(day, one) for day, one in dated if _happened(one)]
        # Without an event the time ends where it was last seen that there was none; without any visit, at its start.
        day, one = events[0] if events else dated[-1] if dated else (start, None)
        return {
            **self._cells(parameter, usubjid, start, day),
            "CNSR": 0 if events else 1,
            "EVNTDESC": "EVENT" if events else "LAST VISIT WITHOUT THE EVENT" if dated else "NO VISIT",
            "SRCDOM": one.domain if one else None,
            "SRCVAR": f"{one.domain}STRESC" if one else None,
            "SRCSEQ": one.sequence if one else None,
        }

    def _cells(self, parameter: Parameter, usubjid: str, start: int, day: int) -> dict[str, Value]:
        return {
            **self._people.carried(usubjid),
            "TRTP": self._people.treatment(usubjid, None),
            "PARAM": parameter.label[:200],
            "PARAMCD": parameter.code,
            "STARTDT": start,
            "ADT": day,
            "AVAL": float(day - start + 1),
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


def _first(dated: tuple[int, Occurred]) -> tuple[int, int]:
    return dated[0], dated[1].sequence


def _happened(one: Measured) -> bool:
    return one.value > 0 if one.value is not None else (one.standard or "").upper() in _YES
