"""Participants whose allocations and values are known beforehand, such as those of a simulated trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trialwright.build import Build
from trialwright.sealing import Dispensing
from trialwright.trial.allocation.gateway import SealedAllocations
from trialwright.trial.dispatch import Trial


@dataclass(frozen=True)
class Known:
    """What is known of each participant, in the order of randomisation.

    Args:
        labels: the arm or sequence of each.
        values: (place, ``form.item``, encounter) → the value, None where it is missing; encounters after
            randomisation. Yes is 1, no is 0.
    """

    labels: tuple[str, ...]
    values: Mapping[tuple[int, str, str], float | None]

    def of(self, place: int) -> dict[tuple[str, str], float | None]:
        """(``form.item``, encounter) → value of one participant."""
        return {(item, encounter): v for (at, item, encounter), v in self.values.items() if at == place}


class KnownAllocations(SealedAllocations):
    """Answers with what is known, in place of what the sealed list of the rehearsal holds.

    Args:
        trial: the rehearsal's.
        dispensing: of its list, which is sealed and committed to like any other.
        labels: in the order of randomisation.
        order: participants in the order of randomisation, as it grows.
    """

    def __init__(self, trial: Trial, dispensing: Dispensing, labels: Sequence[str], order: Sequence[str]) -> None:
        builds: Mapping[str, Build] = trial.builds
        super().__init__(trial.state, builds, dispensing)
        self._labels = labels
        self._order = order

    def label(self, participant: str) -> str:
        super().label(participant)  # refuses whoever is not randomised
        return self._labels[self._order.index(participant)]
