"""Hands for the chain from collection to injection, over the world of the parent folder."""

from __future__ import annotations

from typing import Any

import pytest

from trialwright.trial.capture.commands import RecordVisit
from trialwright.trial.capture.events import Entered
from trialwright.trial.custody.commands import (
    AdministerProduct,
    AuthoriseAdministration,
    CertifyBatch,
    CollectProduct,
    HandOver,
    PassSafetyGate,
    ReceiveProduct,
    RecordMeasurements,
    ReleaseProduct,
)
from trialwright.trial.custody.events import MeasuredValue
from trialwright.trial.dispatch import Receipt

GOOD = {"viability": MeasuredValue(text="91"), "sterility": MeasuredValue(text="NEGATIVE")}
HARMLESS = {
    "platelets": Entered(text="210", unit="10*9/L"),
    "infection": Entered(text="false"),
    "dosing_weight": Entered(text="72.5", unit="kg"),
}


class Chain:
    """One participant's way through one slot, step by step; each step takes the steps before it."""

    def __init__(self, world: Any, participant: str | None = None, number: int = 1) -> None:
        self.world = world
        self.participant = participant or world.randomised()
        self.slot = f"slot_{number}"
        self.period = f"period_{number}"
        self.collection = f"marrow_{number}"
        self.administration = f"injection_{number}"
        self.label = f"S-{self.participant}-{number}"
        self.product_allocated: bool = world.trial.allocations.arm(self.participant, self.period) == "cells"

    def give(self, command: Any, by: str, **how: Any) -> Receipt:
        receipt: Receipt = self.world.give(command, by, **how)
        return receipt

    def examine(self, encounter: str, **changes: Entered | None) -> None:
        """The visit, and its safety gate form."""
        today = self.world.today
        self.give(RecordVisit(participant=self.participant, encounter=encounter, date=today), "nurse")
        items = {name: value for name, value in {**HARMLESS, **changes}.items() if value is not None}
        self.world.save(self.participant, encounter, "safety_gate", items, "nurse")

    def pass_gate(self, before: str) -> Receipt:
        return self.give(PassSafetyGate(participant=self.participant, slot=self.slot, before=before), "nurse")

    def collect(self, label: str | None = None) -> Receipt:
        command = CollectProduct(
            participant=self.participant, slot=self.slot, label=label or self.label, volume_ml="40"
        )
        return self.give(command, "investigator")

    def collected(self) -> Chain:
        self.examine(self.collection)
        self.pass_gate("collection")
        self.collect()
        return self

    def received(self) -> Chain:
        self.collected()
        self.receive()
        return self

    def receive(self) -> Receipt:
        command = ReceiveProduct(
            participant=self.participant, label=self.label, wristband=self.participant, condition="intact"
        )
        return self.give(command, "laboratory")

    def measure(self, **values: MeasuredValue) -> Receipt:
        command = RecordMeasurements(participant=self.participant, label=self.label, values=values or GOOD)
        return self.give(command, "laboratory")

    def release(self) -> Receipt:
        return self.give(ReleaseProduct(participant=self.participant, label=self.label), "qp")

    def released(self) -> Chain:
        self.received()
        self.world.later(days=28)
        self.measure()
        self.release()
        return self

    def certify(self) -> Receipt:
        command = CertifyBatch(participant=self.participant, label=self.label, batch_record="b" * 64)
        return self.give(command, "qp", shown="b" * 64)

    def certified(self) -> Chain:
        self.released()
        self.certify()
        return self

    def hand_over_command(self, **changes: Any) -> HandOver:
        given: dict[str, Any] = {
            "participant": self.participant,
            "slot": self.slot,
            "label": self.label,
            "wristband": self.participant,
            "to": "injector-01",
            "comparator_lot": None if self.product_allocated else "LOT-7",
        }
        return HandOver(**{**given, **changes})

    def handed_over(self) -> Chain:
        self.certified()
        self.give(self.hand_over_command(), "laboratory")
        return self

    def authorise(self, by: str = "injector") -> Receipt:
        return self.give(AuthoriseAdministration(participant=self.participant, slot=self.slot), by)

    def authorised(self) -> Chain:
        self.handed_over()
        self.examine(self.administration)
        self.pass_gate("administration")
        self.authorise()
        return self

    def administer_command(self, **changes: Any) -> AdministerProduct:
        given: dict[str, Any] = {
            "participant": self.participant,
            "slot": self.slot,
            "label": self.label,
            "wristband": self.participant,
            "content": "product" if self.product_allocated else "comparator",
            "volume_ml": "5",
            "dose": "72" if self.product_allocated else None,
        }
        return AdministerProduct(**{**given, **changes})

    def administer(self, *, observed_at: str | None = None, **changes: Any) -> Receipt:
        return self.give(self.administer_command(**changes), "injector", observed_at=observed_at)

    def injected(self) -> Chain:
        self.authorised()
        self.administer()
        return self

    def rows(self, table: Any, space: Any, **where: Any) -> list[dict[str, Any]]:
        """Rows of a view about this participant."""
        rows = self.world.trial.stores[space].rows
        return [dict(row) for row in rows.where(table, participant=self.participant, **where)]


@pytest.fixture
def chain(trial_world: Any) -> Chain:
    """A randomised participant at the first slot, whichever arm."""
    return Chain(trial_world)


@pytest.fixture
def both_arms(trial_world: Any) -> dict[str, Chain]:
    """``product`` and ``comparator``: one participant of each allocation in the first period."""
    found: dict[str, Chain] = {}
    while len(found) < 2:
        chain = Chain(trial_world)
        found.setdefault("product" if chain.product_allocated else "comparator", chain)
    return found


@pytest.fixture
def chains(trial_world: Any) -> Any:
    """Makes a chain for a participant, or a new one."""
    return lambda participant=None, number=1: Chain(trial_world, participant, number)


@pytest.fixture
def new_chain() -> Any:
    """Makes a chain in any world."""
    return Chain
