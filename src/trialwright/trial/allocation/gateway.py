"""The one way from a participant to an allocation, in a process that holds the closed space.

The position stands in the open record, the sealed row in the closed one, the key in the dispensing service; only
together do they give a label. The gateway keeps no allocation; for a minimisation it keeps running counts, which
the draws before give again whenever it starts anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

from trialwright.build import Build
from trialwright.foundation.errors import RecordError, Refusal
from trialwright.randomisation import MinimisationDesign, Tally, minimise
from trialwright.sealing import CommittedNumber, Dispensing
from trialwright.trial.allocation.events import AllocationDisclosed, AllocationsJoined
from trialwright.trial.allocation.preparation import MINIMISATION, minimisation_design
from trialwright.trial.allocation.state import PARAMETERS, Commitments, Randomised, SealedRows, Stratum
from trialwright.trial.command import NotFound
from trialwright.trial.enrolment.state import Enrolment
from trialwright.trial.event import Fact
from trialwright.trial.setup.state import SiteSetup
from trialwright.trial.state import State


class RowMissing(RecordError):
    """A position was taken for which the closed record holds no row."""

    code = "allocation.row_missing"


class NothingDisclosed(Refusal):
    """No recorded use allows a look at this allocation."""

    code = "allocation.nothing_disclosed"


class Opens(Protocol):
    """What :func:`reveal` needs of a gateway."""

    def label(self, participant: str) -> str: ...


class SealedAllocations:
    """Opens allocations from the sealed rows; the ``Allocations`` of a process with the closed space.

    Args:
        state: a fresh reader of both spaces, ``trial.state``.
        builds: builds by id.
        dispensing: the service that holds the dispensing key.
    """

    def __init__(self, state: Callable[[], State], builds: Mapping[str, Build], dispensing: Dispensing) -> None:
        self._state = state
        self._builds = builds
        self._dispensing = dispensing
        self._minimised: _Minimised | None = None
        self._lock = Lock()

    def label(self, participant: str) -> str:
        """The participant's arm or sequence.

        Raises:
            NotFound: not randomised.
            RowMissing: the closed record lacks the row.
            SealingError: the row does not open.
        """
        state = self._state()
        randomised = state.of(Randomised, participant)
        if not randomised.done:
            raise NotFound(f"{participant} is not randomised", remedy="randomise first", participant=participant)
        if state.of(Commitments).method == MINIMISATION:
            return self._minimised_label(state, randomised.position)
        return self._value(state, randomised.stratum, randomised.position)

    def arm(self, participant: str, period: str | None) -> str:
        """The arm in a period, or the arm of a parallel design.

        Raises:
            NotFound: not randomised, or the sequence has no such period.
        """
        label = self.label(participant)
        build = self._build(self._state(), participant)
        sequences = {sequence.id: sequence for sequence in build.study.identity.sequences}
        if build.study.randomisation.unit == "arm":
            return label
        arm = sequences[label].arms.get(period or "") if label in sequences else None
        if arm is None:
            raise NotFound(
                f"no arm is planned for the period {period!r}",
                remedy=f"name one of: {', '.join(p.id for p in build.study.identity.periods)}",
                period=str(period),
            )
        return arm

    def _minimised_label(self, state: State, position: int) -> str:
        commitments = state.of(Commitments)
        with self._lock:
            if self._minimised is None or self._minimised.lists != commitments.lists:
                # A later list may know sites that the one before did not: draw everything again.
                parameters = json.loads(self._value(state, PARAMETERS, 0))
                design = minimisation_design(self._builds[commitments.build], parameters)
                self._minimised = _Minimised(commitments.lists, design)
            minimised = self._minimised
            taken = state.of(Stratum, str(commitments.numbers[""])).taken
            while len(minimised.labels) <= position:
                number = int(self._value(state, "", len(minimised.labels)))
                minimised.draw(taken[len(minimised.labels)].factors, number)
            return minimised.labels[position]

    def _value(self, state: State, stratum: str, position: int) -> str:
        rows = state.of(SealedRows).by_stratum.get(stratum, [])
        if position >= len(rows):
            raise RowMissing(
                f"the closed record has no row {position} of stratum {stratum!r}",
                remedy="verify the closed ledger; it lies behind the open one",
                stratum=stratum,
                position=position,
            )
        return self._dispensing.dispense(rows[position])

    def _build(self, state: State, participant: str) -> Build:
        return self._builds[state.of(SiteSetup, state.of(Enrolment, participant).site).build]


@dataclass
class _Minimised:
    """The draws of a minimisation so far, in order, under the design of the newest list."""

    lists: int
    design: MinimisationDesign
    labels: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._tally = Tally(self.design)

    def draw(self, factors: Mapping[str, str], number: int) -> None:
        label = minimise(self.design, self._tally, factors, CommittedNumber(number)).label
        self._tally.add(factors, label)
        self.labels.append(label)


def reveal(facts: Iterable[Fact], allocations: Opens) -> dict[str, str]:
    """Participant → label, for those whose disclosure these facts record; look only after it was written down.

    Args:
        facts: of a receipt of DispenseAllocation, UnblindInEmergency, UnblindForSusar or DiscloseForDataCut.
        allocations: the gateway.

    Raises:
        NothingDisclosed: no fact among them records a disclosure.
    """
    participants: list[str] = []
    for fact in facts:
        match fact.event:
            case AllocationDisclosed(participant=participant):
                participants.append(participant)
            case AllocationsJoined(participants=joined):
                participants.extend(joined)
    if not participants:
        raise NothingDisclosed(
            "nothing on record allows a look at an allocation",
            remedy="give the command that records who looks and why, then show what its receipt allows",
        )
    return {participant: allocations.label(participant) for participant in participants}
