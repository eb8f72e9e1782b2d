"""VISITNUM, VISIT, VISITDY and EPOCH of what was collected at an encounter."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from trialwright.exports.sdtm.design import Design
from trialwright.exports.sdtm.drafts import Draft
from trialwright.exports.sdtm.reading import Reading


class VisitWords:
    """Names and numbers of visits; an unscheduled visit is numbered after the planned visit before it."""

    def __init__(self, reading: Reading, design: Design) -> None:
        self._reading = reading
        self._design = design

    def put(self, draft: Draft) -> None:
        """Set the visit's variables where the draft belongs to a visit."""
        if draft.encounter is None or draft.participant is None:
            return
        planned = self._reading.encounters.get(draft.encounter)
        if planned is not None:
            draft.put("VISITNUM", self._design.visit_numbers[planned.id])
            draft.put("VISIT", self._design.visit_name(planned))
            draft.put("VISITDY", self._design.planned_days.get(planned.id))
            return
        number = self._unscheduled.get((draft.participant, draft.encounter))
        if number is not None:
            draft.put("VISITNUM", number)
            draft.put("VISIT", f"UNSCHEDULED {number}")

    def epoch(self, encounter: str | None) -> str | None:
        """EPOCH of a planned encounter."""
        planned = self._reading.encounters.get(encounter or "")
        return self._design.epoch_terms[planned.epoch] if planned else None

    def place(self, encounter: str | None) -> float:
        """Place in the schedule; what belongs to no planned encounter comes last."""
        return self._design.visit_numbers.get(encounter or "", float("inf"))

    @cached_property
    def _unscheduled(self) -> Mapping[tuple[str, str], float]:
        numbers: dict[tuple[str, str], float] = {}
        by_participant: dict[str, list[tuple[str, float, str]]] = {}
        for (participant, encounter), visit in self._reading.visits.items():
            if visit.held and visit.date:
                planned = self._design.visit_numbers.get(encounter)
                place = float(planned) if planned is not None else float("inf")
                by_participant.setdefault(participant, []).append((visit.date, place, encounter))
        for participant, held in by_participant.items():
            last = 0.0
            for _, place, encounter in sorted(held):
                last = place if place != float("inf") else round(last + 0.01, 2)
                if place == float("inf"):
                    numbers[participant, encounter] = last
        return numbers
