"""Gate, collection, the physician's request and authorisation: the open side of custody."""

from __future__ import annotations

from typing import Any

import pytest

from trialwright.trial.capture.events import Entered
from trialwright.trial.closure.events import DeviationOpened
from trialwright.trial.consent.commands import WithdrawConsent
from trialwright.trial.consent.gate import ConsentNotInForce
from trialwright.trial.custody.commands import (
    AuthoriseAdministration,
    CollectProduct,
    FailManufacture,
    PassSafetyGate,
    RequestExceptionalRelease,
)
from trialwright.trial.custody.events import (
    AdministrationAuthorised,
    ExceptionalReleaseRequested,
    ProductCollected,
    SafetyGatePassed,
)
from trialwright.trial.custody.refusals import (
    AlreadyInjected,
    Expired,
    GateNotPassed,
    LabelNotUsable,
    NoSuchSlot,
    NotRandomised,
    NotReleased,
    NotRequested,
    SlotCancelled,
)
from trialwright.trial.enrolment.gate import ParticipationOver
from trialwright.trial.event import Space
from trialwright.trial.permission import NotPermitted


def gate(chain: Any, before: str = "collection", slot: str | None = None) -> PassSafetyGate:
    return PassSafetyGate(participant=chain.participant, slot=slot or chain.slot, before=before)


def test_a_gate_opens_on_data_that_meet_every_criterion(chain: Any) -> None:
    chain.examine("marrow_1")
    event = chain.pass_gate("collection").event(SafetyGatePassed)
    assert event.encounter == "marrow_1"
    assert [(r.criterion, r.verdict) for r in event.results] == [("platelets", "yes"), ("infection", "yes")]


def test_the_gate_before_administration_asks_for_more(chain: Any) -> None:
    chain.examine("injection_1")
    event = chain.pass_gate("administration").event(SafetyGatePassed)
    assert [r.criterion for r in event.results] == ["platelets", "infection", "weight"]


def test_a_failing_criterion_keeps_the_gate_closed_and_is_named(chain: Any) -> None:
    chain.examine("marrow_1", platelets=Entered(text="99", unit="10*9/L"))
    refusal = chain.world.refuses(GateNotPassed, gate(chain), "nurse")
    assert "platelets is no" in refusal.message


def test_an_unknown_criterion_keeps_the_gate_closed_and_says_what_is_missing(chain: Any) -> None:
    chain.examine("marrow_1", platelets=Entered(missing="not_done"))
    refusal = chain.world.refuses(GateNotPassed, gate(chain), "nurse")
    assert "platelets is unknown (missing: safety_gate.platelets)" in refusal.message


def test_a_gate_without_any_data_stays_closed(chain: Any) -> None:
    refusal = chain.world.refuses(GateNotPassed, gate(chain), "nurse")
    assert "platelets is unknown" in refusal.message
    assert "infection is unknown" in refusal.message


def test_a_gate_for_an_unknown_slot_or_act_is_refused(chain: Any) -> None:
    chain.world.refuses(NoSuchSlot, gate(chain, slot="slot_9"), "nurse")
    chain.world.refuses(NoSuchSlot, gate(chain, before="lunch"), "nurse")


def test_no_gate_opens_after_consent_to_treatment_was_withdrawn(chain: Any) -> None:
    chain.examine("marrow_1")
    withdraw(chain, "treatment")
    chain.world.refuses(ConsentNotInForce, gate(chain), "nurse")


def test_a_gate_is_not_passed_by_the_laboratory(chain: Any) -> None:
    chain.world.refuses(NotPermitted, gate(chain), "laboratory")


def test_a_collection_after_its_gate_has_no_flags(chain: Any) -> None:
    chain.examine("marrow_1")
    chain.pass_gate("collection")
    receipt = chain.collect()
    event = receipt.event(ProductCollected)
    assert (event.label, event.attempt, event.flags) == (chain.label, 1, ())
    assert [fact.event.TYPE for fact in receipt.facts] == ["custody.label_taken", "custody.product_collected"]


def test_a_collection_without_its_gate_is_recorded_flagged_and_opens_a_deviation(chain: Any) -> None:
    receipt = chain.collect()
    assert receipt.event(ProductCollected).flags == ("gate_not_passed",)
    deviation = receipt.event(DeviationOpened)
    assert (deviation.kind, deviation.deviation) == ("safety_gate", "safety_gate.gate_not_passed.collection.slot_1")


def test_a_collection_after_withdrawal_is_recorded_flagged_and_opens_a_deviation(chain: Any) -> None:
    chain.examine("marrow_1")
    chain.pass_gate("collection")
    withdraw(chain, "treatment")
    chain.world.later(days=1)
    receipt = chain.collect()
    assert receipt.event(ProductCollected).flags == ("after_withdrawal",)
    assert receipt.event(DeviationOpened).kind == "after_withdrawal"


def test_a_late_report_of_a_collection_before_the_withdrawal_has_no_flag(chain: Any) -> None:
    chain.examine("marrow_1")
    chain.pass_gate("collection")
    happened = chain.world.clock.now().isoformat()
    chain.world.later(days=2)
    withdraw(chain, "treatment")
    chain.world.later(days=1)
    command = CollectProduct(participant=chain.participant, slot=chain.slot, label=chain.label, volume_ml="40")
    receipt = chain.give(command, "investigator", observed_at=happened)
    assert receipt.event(ProductCollected).flags == ()
    assert receipt.event(ProductCollected).date == happened[:10]


def test_a_second_collection_that_nobody_offered_is_flagged(chain: Any) -> None:
    chain.collected()
    chain.pass_gate("collection")
    receipt = chain.collect("S-NO-01-999-1")
    assert receipt.event(ProductCollected).flags == ("not_planned",)
    assert receipt.event(ProductCollected).attempt == 2


@pytest.mark.parametrize("label", ["X-1", "", "S-NO-01-001-3", "S-NO-01-001-1\n", "S" * 5000])
def test_a_label_that_is_not_of_the_study_is_refused(chain: Any, label: str) -> None:
    command = CollectProduct(participant=chain.participant, slot=chain.slot, label=label, volume_ml="40")
    chain.world.refuses(LabelNotUsable, command, "investigator")


def test_a_further_collection_passes_the_gate_again(chain: Any) -> None:
    chain.received()
    fail(chain)
    assert chain.collect("S-NO-01-999-1").event(ProductCollected).flags == ("gate_not_passed",)


def test_a_label_is_used_once_over_all_participants_and_sites(chain: Any, chains: Any) -> None:
    chain.collected()
    other = chains(chain.world.randomised(site="02"))
    command = CollectProduct(participant=other.participant, slot="slot_1", label=chain.label, volume_ml="40")
    chain.world.refuses(LabelNotUsable, command, "investigator@02")


def test_the_physician_asks_for_a_product_only_where_one_is_offered(chain: Any) -> None:
    chain.collected()
    command = RequestExceptionalRelease(participant=chain.participant, slot=chain.slot)
    chain.world.refuses(NotRequested, command, "investigator")
    chain.world.refuses(NotPermitted, command, "nurse")


def test_the_physicians_request_carries_the_signature(chain: Any) -> None:
    offered(chain)
    command = RequestExceptionalRelease(participant=chain.participant, slot=chain.slot)
    event = chain.give(command, "investigator", shown="a" * 64).event(ExceptionalReleaseRequested)
    assert event.shown == "a" * 64


def test_an_injection_is_authorised_when_all_that_comes_before_it_is_there(both_arms: dict[str, Any]) -> None:
    for chain in both_arms.values():
        chain.handed_over()
        chain.examine("injection_1")
        chain.pass_gate("administration")
        event = chain.authorise().event(AdministrationAuthorised)
        assert {r.verdict for r in event.results} == {"yes"}


def test_an_injection_is_not_authorised_before_the_release_decision(chain: Any) -> None:
    chain.received()
    chain.examine("injection_1")
    chain.pass_gate("administration")
    refusal = chain.world.refuses(NotReleased, authorisation(chain), "investigator")
    assert "waiting for the laboratory" in refusal.message


def test_an_injection_is_not_authorised_without_its_gate(chain: Any) -> None:
    chain.released()
    chain.world.refuses(GateNotPassed, authorisation(chain), "investigator")


def test_an_injection_is_not_authorised_when_the_data_of_its_gate_changed(chain: Any) -> None:
    chain.released()
    chain.examine("injection_1")
    chain.pass_gate("administration")
    items = {"infection": Entered(text="true")}
    chain.world.save(chain.participant, "injection_1", "safety_gate", items, "nurse", reason="fever at noon")
    refusal = chain.world.refuses(GateNotPassed, authorisation(chain), "investigator")
    assert "infection is no" in refusal.message


def test_an_injection_is_not_authorised_when_the_time_from_release_is_over(chain: Any) -> None:
    chain.released()
    chain.examine("injection_1")
    chain.pass_gate("administration")
    chain.world.later(hours=24, minutes=1)
    chain.world.refuses(Expired, authorisation(chain), "investigator")


def test_an_injection_is_authorised_in_the_last_allowed_minute(chain: Any) -> None:
    chain.released()
    chain.examine("injection_1")
    chain.pass_gate("administration")
    chain.world.later(hours=24)
    assert chain.authorise("investigator").event(AdministrationAuthorised).slot == "slot_1"


def test_an_injection_is_not_authorised_after_consent_to_treatment_was_withdrawn(chain: Any) -> None:
    chain.released()
    chain.examine("injection_1")
    chain.pass_gate("administration")
    withdraw(chain, "treatment")
    chain.world.refuses(ConsentNotInForce, authorisation(chain), "investigator")


def test_an_injection_is_not_authorised_twice_over(chain: Any) -> None:
    chain.injected()
    chain.world.refuses(AlreadyInjected, authorisation(chain), "investigator")


def test_nobody_is_treated_without_an_allocation(trial_world: Any, chain: Any) -> None:
    participant = trial_world.signed_off()
    command = AuthoriseAdministration(participant=participant, slot="slot_1")
    trial_world.refuses(NotRandomised, command, "investigator")


def test_nothing_is_authorised_for_somebody_who_left(trial_world: Any, chain: Any) -> None:
    from trialwright.trial.enrolment.commands import EndParticipation

    trial_world.give(
        EndParticipation(participant=chain.participant, date=trial_world.today, how="lost_to_follow_up"),
        "investigator",
        reason="no answer",
    )
    trial_world.refuses(ParticipationOver, authorisation(chain), "investigator")


def test_a_cancelled_slot_stays_closed(chain: Any) -> None:
    chain.received()
    fail(chain)
    chain.label = "S-NO-01-998-1"
    chain.collect()
    chain.receive()
    fail(chain)
    chain.world.refuses(SlotCancelled, gate(chain), "nurse")
    chain.world.refuses(SlotCancelled, authorisation(chain), "investigator")


def test_the_custody_board_shows_the_slot_as_it_stands(chain: Any) -> None:
    from trialwright.trial.custody.views import SLOT

    chain.injected()
    (row,) = chain.rows(SLOT, Space.OPEN)
    assert row["status"] == "injected"
    assert (row["label"], row["collections"], row["decision"]) == (chain.label, 1, "ready")
    assert row["injected_on"] == chain.world.today
    assert row["flags"] is None


def authorisation(chain: Any) -> AuthoriseAdministration:
    return AuthoriseAdministration(participant=chain.participant, slot=chain.slot)


def withdraw(chain: Any, *scopes: str) -> None:
    command = WithdrawConsent(participant=chain.participant, scopes=scopes)
    chain.give(command, "investigator", reason="wishes to stop")


def fail(chain: Any) -> None:
    chain.give(FailManufacture(participant=chain.participant, label=chain.label), "laboratory", reason="no growth")


def offered(chain: Any) -> None:
    from trialwright.trial.custody.commands import ReportOutOfSpecification
    from trialwright.trial.custody.events import MeasuredValue

    chain.received()
    chain.measure(viability=MeasuredValue(text="70"), sterility=MeasuredValue(text="NEGATIVE"))
    chain.give(ReportOutOfSpecification(participant=chain.participant, label=chain.label), "laboratory")
