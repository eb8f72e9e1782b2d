"""Takes the world of the parent folder to the end of the study, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from trialwright.trial.allocation.state import Randomised
from trialwright.trial.capture.commands import SignForm, VerifyItems
from trialwright.trial.capture.shown import shown_form
from trialwright.trial.capture.state import CaseBook
from trialwright.trial.closure.commands import (
    FreezeAnalysisCode,
    FreezeStudy,
    LockStudy,
    ProposeUnblinding,
    SignAnalysisPlan,
    SignBlindReview,
    UnblindStudy,
    shown_review,
)
from trialwright.trial.closure.events import PopulationDecision
from trialwright.trial.dispatch import Receipt
from trialwright.trial.event import Space


class Ending:
    """A study with two participants, whose data are or are not complete."""

    def __init__(self, world: Any, participants: Sequence[str]) -> None:
        self.world = world
        self.participants = list(participants)
        for participant in self.participants:
            self.finish(participant)

    def give(self, command: Any, by: str, **how: Any) -> Receipt:
        receipt: Receipt = self.world.give(command, by, **how)
        return receipt

    def finish(self, participant: str) -> None:
        """Verify and sign the screening form."""
        self.verify(participant)
        self.sign(participant)

    def verify(self, participant: str) -> None:
        command = VerifyItems(participant=participant, encounter="screening", form="screening", items=("age",))
        self.give(command, "monitor")

    def sign(self, participant: str) -> None:
        key = ("screening", "screening", 1)
        record = self.world.trial.state().of(CaseBook, participant).peek(key)
        command = SignForm(participant=participant, encounter="screening", form="screening")
        self.give(command, "investigator", shown=shown_form(participant, key, record))

    def freeze(self) -> Receipt:
        return self.give(FreezeStudy(), "data_manager")

    def decisions(self) -> tuple[PopulationDecision, ...]:
        return tuple(
            PopulationDecision(participant=participant, population="all", included=True, why="")
            for participant in self.participants
            if self.world.trial.state().of(Randomised, participant).done
        )

    def review(self) -> Receipt:
        decisions = self.decisions()
        return self.give(SignBlindReview(decisions=decisions), "medic", shown=shown_review(decisions))

    def lock(self) -> Receipt:
        return self.give(LockStudy(), "sponsor", shown=self.root())

    def root(self) -> str:
        """Of the open ledger as it stands."""
        found: str = self.world.trial.ledgers[Space.OPEN].head().root.hex()
        return found

    def locked(self) -> Ending:
        self.freeze()
        self.review()
        self.lock()
        return self

    def planned(self) -> Ending:
        self.give(SignAnalysisPlan(version="1.0", plan="a" * 64), "sponsor", shown="a" * 64)
        self.give(FreezeAnalysisCode(code="c" * 64), "statistician")
        return self

    def unblinded(self) -> Ending:
        self.planned().locked()
        self.give(ProposeUnblinding(), "sponsor")
        self.give(UnblindStudy(), "statistician")
        return self


@pytest.fixture
def ending(trial_world: Any) -> Ending:
    """Two randomised participants with complete data."""
    return Ending(trial_world, [trial_world.randomised(), trial_world.randomised()])


@pytest.fixture
def endings() -> Callable[..., Ending]:
    """``endings(world, participants)``: the same for participants of any world."""
    return Ending
