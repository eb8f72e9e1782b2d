"""ADEFF: values by participant, parameter and visit, with baseline and changes (ADaMIG 1.3, section 3.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trialwright.exports.adam.columns import Cells, assembled, assigned, copied, day_number, derived
from trialwright.exports.adam.notes import AdamKind, AdamNote
from trialwright.exports.adam.people import SubjectLevel
from trialwright.exports.adam.words import ALL_VALUES, Parameter, PlanWords
from trialwright.exports.datasets import Dataset, Package, Value, Variable
from trialwright.protocol.mapping import Target


@dataclass(frozen=True)
class Measured:
    """One numeric result of the tabulation data sets."""

    usubjid: str
    encounter: str
    value: float | None
    standard: str | None
    date: str | None
    day: Value
    domain: str
    sequence: int


@dataclass(frozen=True)
class Occurred:
    """One event that was written down when it happened; ``day`` is None where its date is partial or absent."""

    day: int | None
    date: str
    domain: str
    sequence: int


class Measurements:
    """Results of the tabulation data sets by parameter."""

    def __init__(self, sdtm: Package, words: PlanWords) -> None:
        self._sdtm = {dataset.name: dataset for dataset in sdtm.datasets}
        self._encounters = {number: name for name, number in words.visit_numbers.items()}

    def of(self, parameter: Parameter) -> Iterator[Measured]:
        """In the order of the records."""
        domain = parameter.target.domain
        if domain not in self._sdtm:
            return
        for row in self._sdtm[domain].dicts():
            if not _is_of(parameter.target, row):
                continue
            encounter = self._encounters.get(row.get("VISITNUM"))  # type: ignore[arg-type]  # numbers of visits
            if encounter is not None:
                yield _measured(domain, encounter, row)

    def occurred(self, target: Target) -> Mapping[str, list[Occurred]]:
        """Events by participant, in the order of the records; ``target`` is where the date of one stands."""
        domain = target.domain
        found: dict[str, list[Occurred]] = {}
        for row in self._sdtm[domain].dicts() if domain in self._sdtm else ():
            date = row.get(target.variable)
            if date is not None and _is_of(target, row):
                event = Occurred(day_number(date), str(date or ""), domain, int(row[f"{domain}SEQ"] or 0))
                found.setdefault(str(row["USUBJID"]), []).append(event)
        return found

    def attended(self) -> Mapping[str, list[tuple[str, int]]]:
        """Planned encounters that took place and their days, by participant."""
        found: dict[str, list[tuple[str, int]]] = {}
        for row in self._sdtm["SV"].dicts() if "SV" in self._sdtm else ():
            encounter = self._encounters.get(row.get("VISITNUM"))  # type: ignore[arg-type]  # numbers of visits
            day = day_number(row.get("SVSTDTC"))
            if encounter is not None and day is not None:
                found.setdefault(str(row["USUBJID"]), []).append((encounter, day))
        return found


def _is_of(target: Target, row: Mapping[str, Value]) -> bool:
    fixed = {name: value for name, value in target.fixed.items() if name in row}
    named = row.get(f"{target.domain}TESTCD") == target.test if target.test else True
    return named and all(row[name] == value for name, value in fixed.items())


def _measured(domain: str, encounter: str, row: Mapping[str, Value]) -> Measured:
    number = row.get(f"{domain}STRESN")
    standard, date = row.get(f"{domain}STRESC"), row.get(f"{domain}DTC")
    return Measured(
        usubjid=str(row["USUBJID"]),
        encounter=encounter,
        value=float(number) if isinstance(number, int | float) else None,
        standard=str(standard) if standard is not None else None,
        date=str(date) if date is not None else None,
        day=row.get(f"{domain}DY"),
        domain=domain,
        sequence=int(row[f"{domain}SEQ"] or 0),
    )


class Outcomes:
    """Makes ADEFF."""

    def __init__(self, words: PlanWords, people: SubjectLevel, measurements: Measurements) -> None:
        self._words = words
        self._people = people
        self._measurements = measurements
        self.notes: list[AdamNote] = []
        self._first_days = {flag: self._days(flag) for flag in words.left_out if flag != ALL_VALUES}

    def dataset(self) -> Dataset:
        """The data set; one row for each value at a visit that the plan looks at."""
        parameters = [parameter for parameter in self._words.parameters.values() if not parameter.survival]
        rows = [row for parameter in parameters for row in self._rows(parameter)]
        return assembled(
            "ADEFF", "Efficacy Analysis Dataset", "BASIC DATA STRUCTURE",
            "One record per participant per parameter per analysis visit", self._variables(), rows,
        )  # fmt: skip

    def _rows(self, parameter: Parameter) -> Iterator[Cells]:
        wanted = {parameter.baseline, *parameter.visits}
        found = [one for one in self._measurements.of(parameter) if one.encounter in wanted]
        last = {(one.usubjid, one.encounter): one.sequence for one in found}
        counts: dict[tuple[str, str], int] = {}
        baselines: dict[str, float] = {}
        for one in found:
            place = (one.usubjid, one.encounter)
            counts[place] = counts.get(place, 0) + 1
            if one.encounter == parameter.baseline and one.value is not None:
                baselines[one.usubjid] = one.value
        self._note_repeats(parameter, counts)
        noted: set[str] = set()
        for one in found:
            if one.value is None:
                if one.standard is not None:
                    self._note(AdamKind.VALUE_NOT_NUMERIC, one.usubjid, f"{parameter.code} {one.encounter}")
                continue
            analysed = last[one.usubjid, one.encounter] == one.sequence
            base = baselines.get(one.usubjid)
            if parameter.baseline is not None and base is None and one.usubjid not in noted:
                noted.add(one.usubjid)
                self._note(AdamKind.BASELINE_MISSING, one.usubjid, parameter.code)
            yield self._row(parameter, one, base, analysed=analysed)

    def _days(self, flag: str) -> Mapping[str, int]:
        """Participant → the first day of any event after which a flag is not set."""
        found: dict[str, int] = {}
        for event in self._words.left_out[flag]:
            for usubjid, occurred in self._measurements.occurred(event.target).items():
                start = self._people.rows.get(usubjid, {}).get("RANDDT")
                for one in occurred:
                    if one.day is None:
                        self._note(AdamKind.EVENT_NOT_DATED, usubjid, f"{flag} {event.item} {one.date}")
                    elif isinstance(start, int) and one.day >= start:  # before the allocation it is history
                        found[usubjid] = min(found.get(usubjid, one.day), one.day)
        return found

    def _flags(self, one: Measured, *, analysed: bool) -> dict[str, Value]:
        """Y for each set of values that this one belongs to; a value of unknown date is in none after an event."""
        day = day_number(one.date)
        flags: dict[str, Value] = {ALL_VALUES: "Y" if analysed else None}
        for flag, first in self._first_days.items():
            event = first.get(one.usubjid)
            before = event is None or (day is not None and day <= event)
            flags[flag] = "Y" if analysed and before else None
        return flags

    def _row(self, parameter: Parameter, one: Measured, base: float | None, *, analysed: bool) -> Cells:
        assert one.value is not None
        period = self._words.period_of(one.encounter)
        is_baseline = one.encounter == parameter.baseline
        change = None if base is None or is_baseline else _exact(one.value, base)
        percent = None if change is None or not base else 100 * change / base
        if change is not None and base == 0:
            self._note(AdamKind.BASELINE_ZERO, one.usubjid, f"{parameter.code} {one.encounter}")
        return {
            **self._people.carried(one.usubjid),
            "TRTP": None if is_baseline and self._words.periods else self._people.treatment(one.usubjid, period),
            "APERIOD": period,
            "PARAM": parameter.label[:200],
            "PARAMCD": parameter.code,
            "AVISIT": self._words.text(self._words.encounters[one.encounter].label)[:200],
            "AVISITN": self._words.visit_numbers[one.encounter],
            "ADT": day_number(one.date),
            "ADY": one.day,
            "AVAL": one.value,
            "BASE": base,
            "CHG": change,
            "PCHG": percent,
            "ABLFL": "Y" if is_baseline and analysed else None,
            **self._flags(one, analysed=analysed and not is_baseline),
            "SRCDOM": one.domain,
            "SRCVAR": f"{one.domain}STRESN",
            "SRCSEQ": one.sequence,
        }

    def _note_repeats(self, parameter: Parameter, counts: Mapping[tuple[str, str], int]) -> None:
        for (usubjid, encounter), count in counts.items():
            if count > 1:
                kind = AdamKind.TWO_BASELINES if encounter == parameter.baseline else AdamKind.TWO_VALUES
                self._note(kind, usubjid, f"{parameter.code} {encounter}: {count} values")

    def _note(self, kind: AdamKind, about: str, what: str) -> None:
        self.notes.append(AdamNote(kind, about, what))

    def _variables(self) -> Iterator[Variable]:
        yield from self._people.carried_variables()
        yield derived("TRTP", "Planned Treatment", "TREATMENT")
        yield assigned("APERIOD", "Period", kind="integer")
        yield assigned("PARAM", "Parameter")
        yield assigned("PARAMCD", "Parameter Code", key=3)
        yield assigned("AVISIT", "Analysis Visit")
        yield assigned("AVISITN", "Analysis Visit (N)", kind="integer", key=4)
        yield derived("ADT", "Analysis Date", "DAYS", kind="integer")
        yield derived("ADY", "Analysis Relative Day", "DAYS", kind="integer")
        yield derived("AVAL", "Analysis Value", "AVAL", kind="float")
        yield derived("BASE", "Baseline Value", "BASE", kind="float")
        yield derived("CHG", "Change from Baseline", "CHG", kind="float")
        yield derived("PCHG", "Percent Change from Baseline", "PCHG", kind="float")
        yield derived("ABLFL", "Baseline Record Flag", "BASE")
        for flag in self._words.left_out:
            yield derived(flag, f"Analysis Flag {flag[3:5]}", method_of(flag))
        yield assigned("SRCDOM", "Source Data")
        yield assigned("SRCVAR", "Source Variable")
        yield copied("SRCSEQ", "Source Sequence Number", "--SEQ", kind="integer", key=5)


def method_of(flag: str) -> str:
    """Id of the description of an analysis flag."""
    return "ANALYSED" if flag == ALL_VALUES else f"ANALYSED.{flag}"


def _exact(value: float, base: float) -> float:
    """The difference of two decimals, as decimals: 0.3 − 0.1 is 0.2."""
    from decimal import Decimal

    return float(Decimal(repr(value)) - Decimal(repr(base)))
