"""The design of a study in SDTM's words: epochs, elements, arms, visits and their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from trialwright.exports.sdtm.administrations import Administration
from trialwright.exports.sdtm.reading import Reading
from trialwright.protocol.schedule import Encounter
from trialwright.protocol.study import Arm, Epoch
from trialwright.schedule import projected

_EPOCH_DAY = date(2001, 1, 1)  # only distances between planned dates are used
_TERMS = {"screening": "SCREENING", "follow_up": "FOLLOW-UP", "washout": "WASHOUT"}


@dataclass(frozen=True)
class Element:
    """A part of an arm.

    Attributes:
        code, label: ETCD and ELEMENT.
        epoch: id of the epoch.
        term: EPOCH.
        order: TAETORD.
        arm: id of the arm given in it, or None.
    """

    code: str
    label: str
    epoch: str
    term: str
    order: int
    arm: str | None


class Design:
    """The design of a study in SDTM's words.

    Args:
        prefix: before every name of an arm, a sequence and what is given, to mark a dummy allocation.
    """

    def __init__(self, reading: Reading, prefix: str = "") -> None:
        self._reading = reading
        self.prefix = prefix
        self._study = reading.study

    @cached_property
    def epoch_terms(self) -> Mapping[str, str]:
        """Epoch → EPOCH. Several treatment epochs keep their own names, which extends CDISC's list."""
        epochs = self._study.identity.epochs
        treatments = [epoch for epoch in epochs if epoch.kind == "treatment"]
        return {epoch.id: self._epoch_term(epoch, alone=len(treatments) == 1) for epoch in epochs}

    def _epoch_term(self, epoch: Epoch, *, alone: bool) -> str:
        if epoch.kind != "treatment":
            return _TERMS[epoch.kind]
        return "TREATMENT" if alone else self._reading.text(epoch.label).upper()

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """ARM by id of an arm (parallel groups) or a sequence (crossover)."""
        identity = self._study.identity
        return {unit.id: self.prefix + self._reading.text(unit.label) for unit in identity.sequences or identity.arms}

    @staticmethod
    def code(unit: str) -> str:
        """ARMCD of an arm or sequence: at most 20 characters."""
        return unit.upper()[:20]

    def arms_of(self, unit: str) -> Mapping[str, str]:
        """Epoch → arm given in it, for an arm or a sequence."""
        identity = self._study.identity
        sequence = next((found for found in identity.sequences if found.id == unit), None)
        treatments = [epoch.id for epoch in identity.epochs if epoch.kind == "treatment"]
        if sequence is None:
            return dict.fromkeys(treatments, unit)
        period_of = {
            encounter.epoch: encounter.period for encounter in self._study.schedule.encounters if encounter.period
        }
        return {epoch: sequence.arms[period_of[epoch]] for epoch in treatments if epoch in period_of}

    @cached_property
    def arms(self) -> Mapping[str, Arm]:
        """Arm by id."""
        return {arm.id: arm for arm in self._study.identity.arms}

    def agrees(self, unit: str, administrations: Iterable[Administration]) -> bool:
        """Whether everything given is what an arm or sequence gives there; what nobody disclosed agrees."""
        given, custody = self.arms_of(unit), self._study.custody
        for one in administrations:
            arm = given.get(self._reading.encounters[one.encounter].epoch)
            if custody is not None and one.content is not None and custody.given_in.get(arm or "") != one.content:
                return False
        return True

    def elements(self, unit: str | None) -> tuple[Element, ...]:
        """The elements of an arm or sequence in order; of somebody without one, what comes before treatment."""
        given = self.arms_of(unit) if unit is not None else {}
        found: list[Element] = []
        for epoch in self._study.identity.epochs:
            if unit is None and epoch.kind != "screening":
                break
            arm = given.get(epoch.id)
            code, label = self._element(epoch, arm)
            found.append(Element(code, label, epoch.id, self.epoch_terms[epoch.id], len(found) + 1, arm))
        return tuple(found)

    def _element(self, epoch: Epoch, arm: str | None) -> tuple[str, str]:
        if arm is not None:
            return self._short(arm), f"{self.prefix}{self._reading.text(self.arms[arm].label)}"[:40].strip()
        return self._short(epoch.id), self._reading.text(epoch.label)[:40]

    def _short(self, name: str) -> str:
        """An ETCD: eight characters that no other arm or epoch has."""
        others = [arm.id for arm in self._study.identity.arms] + [epoch.id for epoch in self._study.identity.epochs]
        short = name.upper().replace("_", "")[:8]
        alike = [other for other in others if other.upper().replace("_", "")[:8] == short]
        return short if len(alike) < 2 else f"{short[:7]}{alike.index(name) + 1}"

    @cached_property
    def visit_numbers(self) -> Mapping[str, int]:
        """Encounter → VISITNUM, from 1, in the order of the schedule."""
        return {encounter: n for n, encounter in enumerate(self._reading.encounters, 1)}

    def visit_name(self, encounter: Encounter) -> str:
        """VISIT."""
        return self._reading.text(encounter.label).upper()

    @cached_property
    def first_dose(self) -> str | None:
        """The encounter at which treatment is first planned: the first of the first treatment epoch."""
        treatments = {epoch.id for epoch in self._study.identity.epochs if epoch.kind == "treatment"}
        return next((found.id for found in self._study.schedule.encounters if found.epoch in treatments), None)

    @cached_property
    def planned_days(self) -> Mapping[str, int]:
        """Encounter → VISITDY: planned study day, day 1 being the first planned treatment."""
        roots = {found.id: _EPOCH_DAY for found in self._study.schedule.encounters if found.anchor is None}
        days = projected(self._reading.build.plan(), roots)
        if self.first_dose not in days:
            return {}
        return {name: study_day(day, days[self.first_dose]) for name, day in days.items()}


def study_day(day: date, reference: date) -> int:
    """Study day of a date: the reference date is day 1, the day before it day -1; there is no day 0."""
    distance = (day - reference).days
    return distance + 1 if distance >= 0 else distance
