"""How participants are divided in tables and figures: by allocation, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pandas

from trialwright.analysis.plan import AnalysisPlan
from trialwright.analysis.words import Words
from trialwright.protocol.study import Arm, Sequence


@dataclass(frozen=True)
class Group:
    """One part.

    Attributes:
        id: of the arm or sequence; None for everybody together.
        label: in the report's language.
    """

    id: str | None
    label: str

    def of(self, frame: pandas.DataFrame, column: str) -> pandas.DataFrame:
        """The rows that belong to it, by the column that holds arms or sequences; all where nothing is divided."""
        return frame if self.id is None else frame[frame[column] == self.id]


class Groups:
    """The division of one report.

    Args:
        plan: of the study.
        words: of the report.
        pooled: everybody together, so that no number is by arm or sequence.
    """

    def __init__(self, plan: AnalysisPlan, words: Words, *, pooled: bool) -> None:
        self._plan = plan
        self._everybody = (Group(None, words("All")),)
        self.pooled = pooled

    @property
    def column(self) -> str:
        """Column of ADSL that divides participants."""
        return "TRTSEQP" if self._plan.study.identity.sequences else "TRT01P"

    @property
    def of_people(self) -> tuple[Group, ...]:
        """Sequences of a crossover, arms of a parallel study."""
        identity = self._plan.study.identity
        return self._everybody if self.pooled else self._labelled(identity.sequences or identity.arms)

    @property
    def of_treatments(self) -> tuple[Group, ...]:
        """Arms, those of the comparison first."""
        if self.pooled:
            return self._everybody
        comparison = self._plan.comparison
        first = [comparison.one, comparison.other]
        return self._labelled(
            sorted(self._plan.study.identity.arms, key=lambda arm: first.index(arm.id) if arm.id in first else 9)
        )

    def _labelled(self, declared: Iterable[Arm | Sequence]) -> tuple[Group, ...]:
        return tuple(Group(one.id, self._plan.words.text(one.label)) for one in declared)

    def people(self, frame: pandas.DataFrame) -> Iterator[tuple[Group, pandas.DataFrame]]:
        """Each group with its rows of ADSL."""
        for group in self.of_people:
            yield group, group.of(frame, self.column)
