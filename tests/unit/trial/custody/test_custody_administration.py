"""Hand-over, injection and mix-ups; and the proof that the open record is the same in every arm."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from trialwright.trial.capture.events import Entered
from trialwright.trial.closure.events import ClosedDeviationOpened, DeviationOpened
from trialwright.trial.command import NotYet
from trialwright.trial.consent.commands import WithdrawConsent
from trialwright.trial.custody.commands import RecordExcursion, RecordMixUp
from trialwright.trial.custody.events import (
    InjectionGiven,
    InjectionHandedOver,
    MixUpRecorded,
    ProductAdministered,
    SyringeHandedOver,
)
from trialwright.trial.custody.refusals import (
    AllocationUnavailable,
    ComparatorLotMissing,
    ContentUnknown,
    Expired,
    IdentifiersDoNotMatch,
    MeasurementNotReadable,
    NoSuchSlot,
    NotCertified,
    NotReleased,
    ProductUnusable,
    StaysBlinded,
)
from trialwright.trial.event import Space
from trialwright.trial.permission import NotPermitted, SpaceUnavailable


def flags_of(receipt: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Open flags, closed flags; and every open flag has its open deviation, every closed one its closed deviation."""
    open_flags = receipt.event(InjectionGiven).flags
    all_flags = receipt.event(ProductAdministered).flags
    closed_flags = tuple(flag for flag in all_flags if flag not in open_flags)
    opened = [f.event.deviation for f in receipt.facts if type(f.event) is DeviationOpened]
    closed = [f.event.deviation for f in receipt.facts if type(f.event) is ClosedDeviationOpened]
    assert [name.split(".")[1] for name in opened] == list(open_flags)
    assert [name.split(".")[1] for name in closed] == list(closed_flags)
    return open_flags, closed_flags


def test_a_hand_over_records_the_content_closed_and_the_hand_over_open(both_arms: dict[str, Any]) -> None:
    for content, chain in both_arms.items():
        chain.certified()
        receipt = chain.give(chain.hand_over_command(), "laboratory")
        syringe = receipt.event(SyringeHandedOver)
        assert (syringe.content, syringe.label, syringe.wristband) == (content, chain.label, chain.participant)
        assert receipt.event(InjectionHandedOver).slot == "slot_1"


@pytest.mark.parametrize("change", [{"label": "S-NO-01-998-1"}, {"wristband": "NO-01-777"}])
def test_identifiers_that_do_not_belong_together_stop_the_hand_over(chain: Any, change: dict[str, str]) -> None:
    chain.certified()
    chain.world.refuses(IdentifiersDoNotMatch, chain.hand_over_command(**change), "laboratory")


def test_nothing_is_handed_over_before_the_release_or_after_its_time(chain: Any) -> None:
    chain.received()
    chain.world.refuses(NotReleased, chain.hand_over_command(), "laboratory")
    chain.measure()
    chain.release()
    chain.certify()
    chain.world.later(hours=25)
    chain.world.refuses(Expired, chain.hand_over_command(), "laboratory")


def test_without_certificate_nothing_is_handed_over_in_any_arm(both_arms: dict[str, Any]) -> None:
    for chain in both_arms.values():
        chain.released()
        chain.world.refuses(NotCertified, chain.hand_over_command(), "laboratory")


def test_with_an_unusable_product_nothing_is_handed_over_in_any_arm(both_arms: dict[str, Any]) -> None:
    for chain in both_arms.values():
        chain.certified()
        warm = RecordExcursion(
            participant=chain.participant, label=chain.label, lowest="2", highest="30", minutes=600, usable=False
        )
        chain.give(warm, "laboratory")
        chain.world.refuses(ProductUnusable, chain.hand_over_command(), "laboratory")


def test_the_lot_goes_with_the_comparator_and_only_with_it(both_arms: dict[str, Any]) -> None:
    for content, chain in both_arms.items():
        chain.certified()
        lot = "LOT-7" if content == "product" else None
        chain.world.refuses(ComparatorLotMissing, chain.hand_over_command(comparator_lot=lot), "laboratory")


def test_without_the_dispensing_service_nothing_is_handed_over(chain: Any) -> None:
    chain.certified()
    chain.world.trial.allocations = None
    chain.world.refuses(AllocationUnavailable, chain.hand_over_command(), "laboratory")


def test_a_role_that_the_study_keeps_blinded_hands_nothing_over(
    trial_worlds: Any, small_study: Any, chain: Any
) -> None:
    from trialwright.build.compile import compiled
    from trialwright.protocol.roles import Role

    identity = small_study.identity
    roles = tuple(role for role in identity.blinding.unblinded_roles if role is not Role.CELL_LABORATORY)
    blinding = identity.blinding.model_copy(update={"unblinded_roles": roles})
    study = small_study.model_copy(update={"identity": identity.model_copy(update={"blinding": blinding})})
    other = type(chain)(trial_worlds(compiled(study))).certified()
    other.world.refuses(StaysBlinded, other.hand_over_command(), "laboratory")


def test_an_injection_in_order_has_no_flags_in_either_arm(both_arms: dict[str, Any]) -> None:
    for content, chain in both_arms.items():
        chain.authorised()
        receipt = chain.administer()
        given = receipt.event(ProductAdministered)
        assert flags_of(receipt) == ((), ())
        assert (given.content, given.allocated) == (content, content)
        assert given.planned_dose == ("72.5" if content == "product" else None)
        assert receipt.event(InjectionGiven).date == chain.world.today


def test_a_dose_without_release_is_recorded_flagged_and_opens_a_deviation(both_arms: dict[str, Any]) -> None:
    for content, chain in both_arms.items():
        chain.received()
        chain.examine("injection_1")
        open_flags, closed_flags = flags_of(chain.administer())
        assert open_flags == ("gate_not_passed", "not_ready", "not_authorised")
        assert closed_flags == (("not_released",) if content == "product" else ())


def test_a_wrong_product_is_recorded_and_the_open_record_says_only_that_something_is_wrong(
    both_arms: dict[str, Any],
) -> None:
    abouts = []
    for content, chain in both_arms.items():
        chain.authorised()
        other = "comparator" if content == "product" else "product"
        receipt = chain.administer(content=other, dose="70" if other == "product" else None)
        open_flags, closed_flags = flags_of(receipt)
        assert open_flags == ("product",)
        assert closed_flags == ("wrong_product",)
        abouts.append([f.event.about for f in receipt.facts if type(f.event) is DeviationOpened])
    assert abouts[0] == abouts[1] == ["injection.slot_1: see the record of the closed space"]


@pytest.mark.parametrize("change", [{"label": "S-NO-01-998-1"}, {"wristband": "NO-01-777"}])
def test_a_mismatch_found_at_the_injection_is_recorded_and_flagged(chain: Any, change: dict[str, str]) -> None:
    chain.authorised()
    open_flags, closed_flags = flags_of(chain.administer(content="comparator", dose=None, **change))
    assert "product" in open_flags
    assert "identifier_mismatch" in closed_flags


def test_an_injection_after_the_time_from_release_is_flagged_as_expired(chain: Any) -> None:
    chain.authorised()
    chain.world.later(hours=25)
    assert flags_of(chain.administer())[0] == ("expired",)


def test_the_claimed_time_counts_not_the_time_of_recording(chain: Any) -> None:
    chain.authorised()
    happened = chain.world.clock.now().isoformat()
    chain.world.later(days=3)
    receipt = chain.administer(observed_at=happened)
    assert flags_of(receipt) == ((), ())
    assert receipt.event(InjectionGiven).date == happened[:10]


def test_an_injection_before_its_release_decision_is_flagged_though_reported_later(chain: Any) -> None:
    chain.received()
    happened = chain.world.clock.now().isoformat()
    chain.world.later(days=1)
    chain.measure()
    chain.release()
    assert "not_ready" in flags_of(chain.administer(observed_at=happened))[0]


def test_an_injection_after_withdrawal_is_recorded_flagged_and_opens_a_deviation(chain: Any) -> None:
    chain.authorised()
    chain.give(WithdrawConsent(participant=chain.participant, scopes=("treatment",)), "investigator")
    chain.world.later(hours=1)
    assert flags_of(chain.administer())[0] == ("after_withdrawal",)


def test_a_second_injection_of_a_slot_is_flagged(chain: Any) -> None:
    chain.injected()
    assert "already_given" in flags_of(chain.administer())[0]


def test_an_injection_of_somebody_without_allocation_is_recorded_and_flagged(trial_world: Any, chain: Any) -> None:
    participant = trial_world.consented()
    receipt = chain.administer(participant=participant, wristband=participant)
    open_flags, closed_flags = flags_of(receipt)
    assert "not_randomised" in open_flags
    assert "allocation_unknown" in closed_flags


def test_doses_are_judged_by_weight_and_cap_in_the_closed_space_only(both_arms: dict[str, Any]) -> None:
    chain = both_arms["product"].authorised()
    assert flags_of(chain.administer(dose="72.6")) == ((), ("dose_above_rule",))


def test_the_cap_of_the_dose_counts_for_heavy_participants(both_arms: dict[str, Any]) -> None:
    chain = both_arms["product"].handed_over()
    chain.examine("injection_1", dosing_weight=Entered(text="128000", unit="g"))
    chain.pass_gate("administration")
    chain.authorise()
    receipt = chain.administer(dose="100.001")
    assert receipt.event(ProductAdministered).planned_dose == "100"
    assert flags_of(receipt) == ((), ("dose_above_rule",))


@pytest.mark.parametrize(("dose", "flag"), [(None, "dose_not_recorded"), ("70", "weight_unknown")])
def test_a_dose_that_cannot_be_judged_is_flagged(both_arms: dict[str, Any], dose: str | None, flag: str) -> None:
    chain = both_arms["product"].handed_over()
    receipt = chain.administer(dose=dose)
    assert flags_of(receipt)[1] == (flag,)
    assert receipt.event(ProductAdministered).planned_dose is None


def test_the_fact_is_recorded_even_when_the_allocation_cannot_be_looked_up(chain: Any) -> None:
    chain.authorised()
    chain.world.trial.allocations = None
    assert flags_of(chain.administer()) == ((), ("allocation_unknown",))


def test_a_report_needs_a_content_and_numbers(chain: Any) -> None:
    chain.authorised()
    world = chain.world
    world.refuses(ContentUnknown, chain.administer_command(content="something"), "injector")
    world.refuses(MeasurementNotReadable, chain.administer_command(volume_ml="some"), "injector")
    world.refuses(MeasurementNotReadable, chain.administer_command(dose="much"), "injector")
    world.refuses(ContentUnknown, chain.administer_command(content="comparator", dose="70"), "injector")
    world.refuses(NoSuchSlot, chain.administer_command(slot="slot_9"), "injector")
    world.refuses(NotPermitted, chain.administer_command(), "investigator")


def test_plans_are_not_reported_as_facts(chain: Any) -> None:
    chain.authorised()
    ahead = chain.world.clock.now().replace(year=2030).isoformat()
    chain.world.refuses(NotYet, chain.administer_command(), "injector", observed_at=ahead)


def test_a_blinded_process_cannot_record_an_injection(trial_world: Any, chain: Any) -> None:
    chain.authorised()
    trial_world.trial.ledgers.pop(Space.CLOSED)
    trial_world.trial.stores.pop(Space.CLOSED)
    trial_world.refuses(SpaceUnavailable, chain.administer_command(), "injector")


def test_a_mix_up_found_afterwards_is_recorded_in_both_spaces(chain: Any) -> None:
    chain.handed_over()
    command = RecordMixUp(
        participant=chain.participant,
        slot="slot_1",
        label=chain.label,
        found_label="S-NO-01-998-1",
        found_wristband=chain.participant,
        what="labels swapped in the transport box",
    )
    receipt = chain.give(command, "injector")
    assert receipt.event(MixUpRecorded).found_label == "S-NO-01-998-1"
    (opened,) = (f.event for f in receipt.facts if type(f.event) is DeviationOpened)
    assert opened.about == "slot_1: see the record of the closed space"


def test_the_open_record_of_a_participant_is_the_same_whichever_arm(both_arms: dict[str, Any]) -> None:
    """Also with a failed manufacture, a second collection and a late positive culture on the way."""
    from trialwright.trial.custody.commands import FailManufacture, RecordLateResult, StoreProduct
    from trialwright.trial.custody.events import MeasuredValue

    seen = []
    for number, chain in enumerate(both_arms.values()):
        chain.received()
        fail = FailManufacture(participant=chain.participant, label=chain.label)
        chain.give(fail, "laboratory", reason="no growth")
        chain.label = f"S-NO-01-99{number}-1"
        chain.pass_gate("collection")
        chain.collect()
        chain.receive()
        chain.measure()
        chain.release()
        chain.certify()
        if not chain.product_allocated:
            store = StoreProduct(participant=chain.participant, label=chain.label, place="tank", quantity="2")
            chain.give(store, "laboratory")
        chain.give(chain.hand_over_command(), "laboratory")
        chain.examine("injection_1")
        chain.pass_gate("administration")
        chain.authorise()
        chain.administer()
        late = RecordLateResult(
            participant=chain.participant,
            label=chain.label,
            measurement="sterility",
            value=MeasuredValue(text="POSITIVE"),
        )
        chain.give(late, "laboratory")
        seen.append(_masked(chain))
    assert seen[0] == seen[1]
    assert "custody.injection_given" in {kind for kind, _, _ in seen[0]}


def _masked(chain: Any) -> list[tuple[str, str, str]]:
    """Open facts of the participant without what differs between any two participants."""
    own = {chain.participant: "participant", chain.label: "label", f"S-{chain.participant}-1": "first label"}
    found = []
    for fact in chain.world.trial.facts():
        data = dataclasses.asdict(fact.event)
        if data.get("participant") != chain.participant or not fact.event.TYPE.startswith(("custody", "closure")):
            continue
        text = repr(data)
        for value, word in own.items():
            text = text.replace(value, word)
        found.append((fact.event.TYPE, text, fact.role))
    return found
