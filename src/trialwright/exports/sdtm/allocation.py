"""Who was allocated to what: as disclosed after the final unblinding, or a dummy that nobody can mistake for it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from trialwright.exports.sdtm.reading import Reading
from trialwright.foundation.errors import TrialwrightError
from trialwright.trial.allocation.views import RANDOMISATION
from trialwright.trial.closure.views import ALLOCATION

WATERMARK = "DUMMY ALLOCATION - NOT THE REAL TREATMENT"
"""Stands on every page, label and file made from a dummy allocation."""


class StillBlinded(TrialwrightError):
    """The closed space was given, but the study was not unblinded."""

    code = "exports.still_blinded"


@dataclass(frozen=True)
class Allocation:
    """Participant → arm (parallel groups) or sequence (crossover).

    Attributes:
        labels: of everybody randomised.
        real: disclosed at the final unblinding; else a dummy.
    """

    labels: Mapping[str, str]
    real: bool


def allocation_of(reading: Reading) -> Allocation:
    """The disclosed allocation where the record holds it, else a dummy.

    The dummy deals arms or sequences in the study's ratio, in the order of a hash of the participants' numbers: the
    same each time, and unrelated to what was allocated.

    Raises:
        StillBlinded: the closed space was given before the final unblinding.
    """
    randomised = [str(row["participant"]) for row in reading.rows(RANDOMISATION)]
    disclosed = {str(row["participant"]): str(row["label"]) for row in _disclosed(reading)}
    if reading.closed is not None and randomised and not disclosed:
        raise StillBlinded(
            "the closed space holds no disclosed allocation: the study was not unblinded",
            remedy="export without the closed space, with a dummy allocation, or unblind the study first",
        )
    if disclosed or not randomised:
        return Allocation(MappingProxyType(disclosed), real=True)
    return Allocation(MappingProxyType(_dummy(reading, randomised)), real=False)


def _disclosed(reading: Reading) -> Iterator[Mapping[str, object]]:
    if reading.closed is not None:
        return reading.closed_of(ALLOCATION)
    if reading.study.identity.blinding.kind == "open":
        return reading.rows(ALLOCATION)
    return iter(())


def _dummy(reading: Reading, randomised: list[str]) -> dict[str, str]:
    ratio = reading.study.randomisation.ratio
    deck = [label for label in sorted(ratio) for _ in range(ratio[label])]
    shuffled = sorted(randomised, key=lambda participant: hashlib.sha256(f"dummy/{participant}".encode()).digest())
    return {participant: deck[place % len(deck)] for place, participant in enumerate(shuffled)}
