"""ADSL: one row for each participant, with treatments, populations and strata (ADaMIG 1.3, section 3.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from trialwright.exports.adam.columns import Cells, assembled, assigned, copied, day_number, derived
from trialwright.exports.adam.notes import AdamKind, AdamNote
from trialwright.exports.adam.words import PlanWords
from trialwright.exports.datasets import Dataset, Package, Value, Variable
from trialwright.foundation.tables import Rows
from trialwright.protocol import Study
from trialwright.trial.allocation.views import FACTOR, RANDOMISATION
from trialwright.trial.closure.views import POPULATION
from trialwright.trial.enrolment.views import DISPOSITION

_ENDED = {"completed": "COMPLETED", "withdrawn": "DISCONTINUED", "discontinued": "DISCONTINUED"}


@dataclass(frozen=True)
class Decisions:
    """What the record says of participants beyond the tabulation data sets, by participant code.

    Attributes:
        populations: (participant, population) → included; absent where the blind review has not decided.
        factors: (participant, factor) → level.
        randomised: participant → date.
        status: participant → disposition and date of its end.
    """

    populations: Mapping[tuple[str, str], bool]
    factors: Mapping[tuple[str, str], str]
    randomised: Mapping[str, str]
    status: Mapping[str, tuple[str, str | None]]


def decisions_of(rows: Rows) -> Decisions:
    """The decisions in the views of the open space."""
    return Decisions(
        {(str(r["participant"]), str(r["population"])): bool(r["included"]) for r in rows.where(POPULATION)},
        {(str(r["participant"]), str(r["factor"])): str(r["level"]) for r in rows.where(FACTOR)},
        {str(r["participant"]): str(r["date"]) for r in rows.where(RANDOMISATION)},
        {
            str(r["participant"]): (str(r["status"]), str(r["ended_on"]) if r["ended_on"] else None)
            for r in rows.where(DISPOSITION)
        },
    )


class SubjectLevel:
    """Makes ADSL, and answers what other data sets ask about a participant."""

    def __init__(self, study: Study, words: PlanWords, sdtm: Package, decisions: Decisions) -> None:
        self._study = study
        self._words = words
        self._decisions = decisions
        self.notes: list[AdamNote] = []
        self.rows: dict[str, Cells] = {
            str(row["USUBJID"]): self._row(row) for row in sdtm.dataset("DM").dicts()
        }  # fmt: skip
        self._note_undecided()

    def dataset(self) -> Dataset:
        """ADSL."""
        return assembled(
            "ADSL", "Subject-Level Analysis Dataset", "SUBJECT LEVEL ANALYSIS DATASET", "One record per participant",
            self._variables(), self.rows.values(), repeating=False,
        )  # fmt: skip

    def treatment(self, usubjid: str, period: int | None) -> str | None:
        """TRTP of a period; of a parallel study, the arm."""
        value = self.rows[usubjid].get(f"TRT{period or 1:02}P")
        return str(value) if value is not None else None

    def carried(self, usubjid: str) -> dict[str, Value]:
        """The variables of ADSL that every analysis data set repeats."""
        row = self.rows[usubjid]
        names = ("STUDYID", "USUBJID", "SUBJID", "SITEID", "TRTSEQP", *self.carried_flags, *self.carried_strata)
        return {name: row.get(name) for name in names}

    @property
    def carried_flags(self) -> tuple[str, ...]:
        """Flags of the populations."""
        return tuple(self._words.populations.values())

    @property
    def carried_strata(self) -> tuple[str, ...]:
        """Variables of the randomisation factors."""
        return tuple(self._words.strata.values())

    def carried_variables(self, first_key: int = 1) -> Iterator[Variable]:
        """Their columns; study and participant begin the key."""
        yield copied("STUDYID", "Study Identifier", "ADSL.STUDYID", key=first_key)
        yield copied("USUBJID", "Unique Subject Identifier", "ADSL.USUBJID", key=first_key + 1)
        yield copied("SUBJID", "Subject Identifier for the Study", "ADSL.SUBJID")
        yield copied("SITEID", "Study Site Identifier", "ADSL.SITEID")
        yield copied("TRTSEQP", "Planned Sequence of Treatments", "ADSL.TRTSEQP")
        for variable in (*self._flags(), *self._strata()):
            yield copied(variable.name, variable.label, f"ADSL.{variable.name}")

    def _row(self, dm: Mapping[str, Value]) -> Cells:
        participant = str(dm["SUBJID"])
        row: dict[str, Value] = {
            name: dm.get(name)
            for name in (
                "STUDYID",
                "USUBJID",
                "SUBJID",
                "SITEID",
                "AGE",
                "AGEU",
                "SEX",
                "RACE",
                "COUNTRY",
                "ARM",
                "ARMCD",
            )
        }
        row |= self._treatments(dm)
        randomised = self._decisions.randomised.get(participant)
        status, ended = self._decisions.status.get(participant, ("", None))
        row |= {
            "RANDDT": day_number(randomised),
            "TRTSDT": day_number(dm.get("RFXSTDTC")),
            "TRTEDT": day_number(dm.get("RFXENDTC")),
            "EOSSTT": _ENDED.get(status, "ONGOING") if randomised else None,
            "EOSDT": day_number(ended) if randomised else None,
            "DTHFL": dm.get("DTHFL"),
            "ENRLFL": "Y" if dm.get("RFICDTC") else "N",
        }
        for population, flag in self._words.populations.items():
            row[flag] = "Y" if self._included(participant, population, dm) else "N"
        for factor, name in self._words.strata.items():
            row[name] = self._decisions.factors.get((participant, factor))
        return row

    def _treatments(self, dm: Mapping[str, Value]) -> dict[str, Value]:
        """TRTxxP by period: of the planned sequence or arm."""
        arm, identity = dm.get("ARMCD"), self._study.identity
        if arm is None:
            return {}
        sequences = {sequence.id.upper(): sequence for sequence in identity.sequences}
        sequence = sequences.get(str(arm))
        if sequence is None:
            return {"TRT01P": self._arm(str(arm)), "TRTSEQP": None}
        given: dict[str, Value] = {
            f"TRT{number:02}P": sequence.arms.get(period) for period, number in self._words.periods.items()
        }
        return {**given, "TRTSEQP": sequence.id}

    def _arm(self, code: str) -> str:
        """The study's own name of a planned arm: what analyses compare, the same in every data set."""
        return next((arm.id for arm in self._study.identity.arms if arm.id.upper() == code), code)

    def _included(self, participant: str, population: str, dm: Mapping[str, Value]) -> bool:
        decided = self._decisions.populations.get((participant, population))
        if decided is not None:
            return decided
        if self._words.populations[population] == "SAFFL":
            return dm.get("RFXSTDTC") is not None
        return participant in self._decisions.randomised

    def _note_undecided(self) -> None:
        decided = {population for _, population in self._decisions.populations}
        for population in self._words.populations:
            if population not in decided:
                self.notes.append(AdamNote(AdamKind.POPULATION_NOT_DECIDED, population))

    def _flags(self) -> Iterable[Variable]:
        for population in self._study.analysis.populations:
            label = f"{self._words.text(population.label)} Flag"[:40]
            yield derived(self._words.populations[population.id], label, "POPULATION")

    def _strata(self) -> Iterable[Variable]:
        for stratum in self._study.randomisation.strata:
            yield assigned(self._words.strata[stratum.id], self._words.text(stratum.label)[:40])

    def _variables(self) -> Iterator[Variable]:
        yield copied("STUDYID", "Study Identifier", "DM.STUDYID", key=1)
        yield copied("USUBJID", "Unique Subject Identifier", "DM.USUBJID", key=2)
        for name, label in _FROM_DM:
            yield copied(name, label, f"DM.{name}", kind="integer" if name == "AGE" else "text")
        yield derived("TRTSEQP", "Planned Sequence of Treatments", "TREATMENT")
        for number in self._words.periods.values() or (1,):
            yield derived(f"TRT{number:02}P", f"Planned Treatment for Period {number:02}", "TREATMENT")
        yield assigned("RANDDT", "Date of Randomization", kind="integer")
        yield derived("TRTSDT", "Date of First Exposure to Treatment", "DAYS", kind="integer")
        yield derived("TRTEDT", "Date of Last Exposure to Treatment", "DAYS", kind="integer")
        yield derived("EOSSTT", "End of Study Status", "STATUS")
        yield derived("EOSDT", "End of Study Date", "DAYS", kind="integer")
        yield copied("DTHFL", "Subject Death Flag", "DM.DTHFL")
        yield derived("ENRLFL", "Enrolled Population Flag", "POPULATION")
        yield from self._flags()
        yield from self._strata()


_FROM_DM = (
    ("SUBJID", "Subject Identifier for the Study"),
    ("SITEID", "Study Site Identifier"),
    ("AGE", "Age"),
    ("AGEU", "Age Units"),
    ("SEX", "Sex"),
    ("RACE", "Race"),
    ("COUNTRY", "Country"),
    ("ARM", "Description of Planned Arm"),
    ("ARMCD", "Planned Arm Code"),
)
