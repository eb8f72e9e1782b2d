"""Whatever sequence of acts, right or wrong: what the open space holds and answers does not depend on the arm."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from trialwright.foundation.errors import Refusal
from trialwright.trial.closure.events import DeviationOpened
from trialwright.trial.consent.commands import WithdrawConsent
from trialwright.trial.custody.commands import (
    DestroyProduct,
    FailManufacture,
    RecordExcursion,
    RecordLateResult,
    ReleaseOutOfSpecification,
    ReportOutOfSpecification,
    RequestExceptionalRelease,
    StoreProduct,
)
from trialwright.trial.custody.events import MeasuredValue

WEAK = {"viability": MeasuredValue(text="70"), "sterility": MeasuredValue(text="NEGATIVE")}


def _give(command: Callable[..., Any], by: str, **more: Any) -> Callable[[Any], Any]:
    def act(chain: Any) -> Any:
        return chain.give(command(participant=chain.participant, label=chain.label, **more), by, reason="because")

    return act


def _collect_again(chain: Any) -> Any:
    chain.label = chain.label[:-1] + "2"
    return chain.collect()


def _wrong(chain: Any) -> Any:
    content = "comparator" if chain.product_allocated else "product"
    return chain.administer(content=content, dose=None)


ACTS: dict[str, Callable[[Any], Any]] = {
    "examined before collection": lambda chain: chain.examine(chain.collection),
    "gate before collection": lambda chain: chain.pass_gate("collection"),
    "collected": lambda chain: chain.collect(),
    "collected again": _collect_again,
    "received": lambda chain: chain.receive(),
    "measured": lambda chain: chain.measure(),
    "measured weak": lambda chain: chain.measure(**WEAK),
    "released": lambda chain: chain.release(),
    "out of specification": _give(ReportOutOfSpecification, "laboratory"),
    "asked for": lambda chain: chain.give(
        RequestExceptionalRelease(participant=chain.participant, slot=chain.slot), "investigator"
    ),
    "released out of specification": _give(ReleaseOutOfSpecification, "qp"),
    "failed": _give(FailManufacture, "laboratory"),
    "certified": lambda chain: chain.certify(),
    "warmed": _give(RecordExcursion, "laboratory", lowest="1", highest="30", minutes=60, usable=False),
    "stored": _give(StoreProduct, "laboratory", place="tank", quantity="1"),
    "destroyed": _give(DestroyProduct, "laboratory", how="burnt"),
    "handed over": lambda chain: chain.give(chain.hand_over_command(), "laboratory"),
    "examined before injection": lambda chain: chain.examine(chain.administration),
    "gate before injection": lambda chain: chain.pass_gate("administration"),
    "authorised": lambda chain: chain.authorise(),
    "injected": lambda chain: chain.administer(),
    "injected too much": lambda chain: chain.administer(dose="99" if chain.product_allocated else None),
    "injected the other": _wrong,
    "positive culture": _give(
        RecordLateResult, "laboratory", measurement="sterility", value=MeasuredValue(text="POSITIVE")
    ),
    "withdrawn": lambda chain: chain.give(
        WithdrawConsent(participant=chain.participant, scopes=("treatment",)), "investigator"
    ),
}
USUAL = (
    "examined before collection", "gate before collection", "collected", "received", "measured", "released",
    "certified", "handed over", "examined before injection", "gate before injection", "authorised", "injected",
)  # fmt: skip


@st.composite
def sequences(draw: st.DrawFn) -> list[tuple[str, int]]:
    """The usual way with some acts left out, and others put in between; each with the hours that pass after it."""
    names = [name for name in USUAL if draw(st.integers(0, 9)) > 0]
    for extra in draw(st.lists(st.sampled_from(sorted(ACTS)), max_size=5)):
        names.insert(draw(st.integers(0, len(names))), extra)
    return [(name, draw(st.sampled_from((0, 0, 0, 1, 23, 26)))) for name in names]


@pytest.mark.parametrize("left_out", USUAL)
def test_no_arm_is_told_when_one_act_is_left_out(trial_worlds: Any, new_chain: Any, left_out: str) -> None:
    _same_in_both_arms(trial_worlds(), new_chain, [(name, 0) for name in USUAL if name != left_out])


@pytest.mark.parametrize("put_in", sorted(set(ACTS) - set(USUAL)))
@pytest.mark.parametrize("before", ["released", "handed over", "injected", "the end"])
def test_no_arm_is_told_when_one_act_is_put_in(trial_worlds: Any, new_chain: Any, put_in: str, before: str) -> None:
    names = [*USUAL, "the end"]
    names.insert(names.index(before), put_in)
    _same_in_both_arms(trial_worlds(), new_chain, [(name, 0) for name in names if name != "the end"])


@settings(
    max_examples=20,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a world is too slow to shrink with
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(sequence=sequences())
def test_what_the_open_space_holds_and_answers_does_not_depend_on_the_arm(
    trial_worlds: Any, new_chain: Any, sequence: list[tuple[str, int]]
) -> None:
    _same_in_both_arms(trial_worlds(), new_chain, sequence)


def _same_in_both_arms(world: Any, new_chain: Any, sequence: list[tuple[str, int]]) -> None:
    """Take one participant of each arm through the sequence, at the same times."""
    chains: dict[bool, Any] = {}
    while len(chains) < 2:
        chain = new_chain(world)
        chains.setdefault(chain.product_allocated, chain)
    told: dict[bool, list[str]] = {True: [], False: []}
    for name, hours in sequence:
        for allocated, chain in chains.items():
            told[allocated].append(f"{name}: {_answer(ACTS[name], chain)}")
        world.later(hours=hours)
    assert told[True] == told[False]
    assert _open_facts(chains[True]) == _open_facts(chains[False])


def _answer(act: Callable[[Any], Any], chain: Any) -> str:
    try:
        act(chain)
    except Refusal as refusal:
        return refusal.code
    return "done"


def _open_facts(chain: Any) -> list[str]:
    """Everything the open ledger says about the participant and its labels, with their own names taken out."""
    found = []
    for fact in chain.world.trial.facts():
        if getattr(fact.event, "participant", None) != chain.participant:
            continue
        if not fact.event.TYPE.startswith("custody") and not isinstance(fact.event, DeviationOpened):
            continue
        text = f"{fact.at} {fact.role} {dataclasses.asdict(fact.event)}"
        found.append(text.replace(chain.participant, "P"))
    return found
