"""What a reader of the analysis data sets must know."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class AdamKind(Enum):
    """What kind of thing a reader is told; the value is a sentence about all of the kind."""

    POPULATION_NOT_DECIDED = "The blind review has not decided on a population; everybody randomised counts."
    BASELINE_MISSING = "A participant has no baseline value; changes are empty."
    TWO_BASELINES = "A participant has several values at the baseline visit; the last is used."
    TWO_VALUES = "A participant has several values at a visit; the last is analysed, the others stay, unflagged."
    VALUE_NOT_NUMERIC = "A result is no number; it is not analysed."
    DATE_PARTIAL = "A date is partial where a full one is needed; nothing is imputed, what follows from it is empty."
    EVENT_NOT_DATED = "An event has no full date; what depends on the day that it happened goes on without it."
    BASELINE_ZERO = "The baseline is zero; a percent change cannot be worked out."
    NO_START = "A participant was not treated; a time to an event cannot begin."


@dataclass(frozen=True)
class AdamNote:
    """One note: the kind, whom or what it is about, particulars."""

    kind: AdamKind
    about: str
    what: str = ""
