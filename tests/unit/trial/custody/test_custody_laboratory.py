"""Receive, make, measure, release or fail, certify, late results, storage: the laboratory, in the closed space."""

from __future__ import annotations

from typing import Any

import pytest

from trialwright.protocol.roles import Role
from trialwright.trial.closure.events import ClosedDeviationOpened, DeviationOpened
from trialwright.trial.command import Actor
from trialwright.trial.custody.commands import (
    CertifyBatch,
    DestroyProduct,
    FailManufacture,
    ReceiveProduct,
    RecordExcursion,
    RecordLateResult,
    RecordManufactureStep,
    RecordMeasurements,
    ReleaseOutOfSpecification,
    ReleaseProduct,
    ReportOutOfSpecification,
    RequestExceptionalRelease,
    StoreProduct,
)
from trialwright.trial.custody.events import (
    BatchCertified,
    ExcursionRecorded,
    LateResultRecorded,
    LateResultReported,
    ManufactureFailed,
    ManufactureStepRecorded,
    MeasuredValue,
    MeasurementsRecorded,
    OutOfSpecificationFound,
    ProductCollected,
    ProductDecided,
    ProductDestroyed,
    ProductReceived,
    ProductReleased,
    ProductStored,
)
from trialwright.trial.custody.refusals import (
    AlreadyDecided,
    LabelUnknown,
    MeasurementNotReadable,
    NotReleased,
    NotRequested,
    NotWhatWasShown,
    ProductUnusable,
    ReasonMissing,
    ReleaseCriteriaNotMet,
    SamePerson,
    WithinSpecification,
)
from trialwright.trial.custody.views import MEASUREMENT, PRODUCT, STEP
from trialwright.trial.event import Space
from trialwright.trial.permission import NotPermitted, SignatureMissing

WEAK = {"viability": MeasuredValue(text="70"), "sterility": MeasuredValue(text="NEGATIVE")}


def about(chain: Any, **more: Any) -> dict[str, Any]:
    return {"participant": chain.participant, "label": chain.label, **more}


def test_the_laboratory_receives_with_both_identifiers(chain: Any) -> None:
    chain.collected()
    receipt = chain.receive()
    assert receipt.event(ProductReceived).flags == ()
    assert [fact.event.SPACE for fact in receipt.facts] == [Space.CLOSED]


def test_a_received_product_whose_identifiers_differ_is_recorded_and_flagged_in_the_closed_space(chain: Any) -> None:
    chain.collected()
    command = ReceiveProduct(**about(chain, wristband="NO-01-777", condition="intact"))
    receipt = chain.give(command, "laboratory")
    assert receipt.event(ProductReceived).flags == ("identifier_mismatch",)
    assert receipt.event(ClosedDeviationOpened).kind == "product"
    assert all(fact.event.SPACE is Space.CLOSED for fact in receipt.facts)


def test_a_label_without_a_collection_is_not_received(chain: Any) -> None:
    command = ReceiveProduct(**about(chain, wristband=chain.participant, condition="intact"))
    chain.world.refuses(LabelUnknown, command, "laboratory")


def test_a_product_is_received_once(chain: Any) -> None:
    chain.received()
    command = ReceiveProduct(**about(chain, wristband=chain.participant, condition="intact"))
    chain.world.refuses(AlreadyDecided, command, "laboratory")


def test_steps_and_measurements_belong_to_a_received_product(chain: Any) -> None:
    chain.collected()
    chain.world.refuses(LabelUnknown, RecordManufactureStep(**about(chain, step="seeding")), "laboratory")
    chain.world.refuses(LabelUnknown, RecordMeasurements(**about(chain, values=WEAK)), "laboratory")
    chain.receive()
    step = chain.give(RecordManufactureStep(**about(chain, step="seeding", details="flask 3")), "laboratory")
    assert step.event(ManufactureStepRecorded).step == "seeding"
    assert chain.measure(viability=MeasuredValue(text="91.5")).event(MeasurementsRecorded).values == {
        "viability": MeasuredValue(text="91.5", unit="%")
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("viability", MeasuredValue(text="many")),
        ("viability", MeasuredValue(text="91", unit="kg")),
        ("sterility", MeasuredValue(text="MAYBE")),
        ("colour", MeasuredValue(text="red")),
        ("viability", MeasuredValue(text="")),
    ],
)
def test_a_value_that_cannot_be_one_is_refused(chain: Any, name: str, value: MeasuredValue) -> None:
    chain.received()
    chain.world.refuses(
        MeasurementNotReadable, RecordMeasurements(**about(chain, values={name: value})), "laboratory"
    )
    chain.world.refuses(MeasurementNotReadable, RecordMeasurements(**about(chain, values={})), "laboratory")


def test_a_release_tells_the_site_only_that_the_slot_is_ready(chain: Any) -> None:
    chain.received()
    chain.measure()
    receipt = chain.release()
    assert [r.verdict for r in receipt.event(ProductReleased).results] == ["yes", "yes"]
    assert receipt.event(ProductDecided).decision == "ready"
    crossed = [fact.event for fact in receipt.facts if fact.event.SPACE is Space.OPEN]
    assert crossed == [ProductDecided(participant=chain.participant, slot="slot_1", decision="ready")]


def test_no_release_while_a_criterion_is_unknown_or_fails(chain: Any) -> None:
    chain.received()
    command = ReleaseProduct(**about(chain))
    unknown = chain.world.refuses(ReleaseCriteriaNotMet, command, "qp")
    assert "viable is unknown (missing: viability)" in unknown.message
    chain.measure(**WEAK)
    assert "viable is no" in chain.world.refuses(ReleaseCriteriaNotMet, command, "qp").message


def test_only_the_qualified_person_releases_and_only_with_a_signature(chain: Any) -> None:
    from trialwright.trial.command import Signature

    chain.received()
    chain.measure()
    command = ReleaseProduct(**about(chain))
    chain.world.refuses(NotPermitted, command, "laboratory")
    chain.world.refuses(SignatureMissing, command, "qp", signature=Signature("qp", "certify_batch", "0" * 64))


def test_a_product_is_released_once_and_again_only_when_its_time_is_over(chain: Any) -> None:
    chain.released()
    command = ReleaseProduct(**about(chain))
    chain.world.refuses(AlreadyDecided, command, "qp")
    chain.world.later(hours=25)
    assert chain.release().event(ProductDecided).decision == "ready"


def test_results_after_the_release_are_late_results(chain: Any) -> None:
    chain.released()
    chain.world.refuses(AlreadyDecided, RecordMeasurements(**about(chain, values=WEAK)), "laboratory")


def test_an_out_of_specification_product_goes_to_the_physician_and_back(chain: Any) -> None:
    chain.received()
    chain.measure(**WEAK)
    found = chain.give(ReportOutOfSpecification(**about(chain)), "laboratory")
    assert found.event(OutOfSpecificationFound).results[0].verdict == "no"
    assert found.event(ProductDecided).decision == "ask_physician"
    command = ReleaseOutOfSpecification(**about(chain))
    chain.world.refuses(NotRequested, command, "qp")
    chain.give(RequestExceptionalRelease(participant=chain.participant, slot="slot_1"), "investigator")
    receipt = chain.give(command, "qp")
    assert receipt.event(ProductReleased).requested_by == "investigator-01"
    assert receipt.event(ProductDecided).decision == "ready"


def test_who_asked_for_the_product_does_not_release_it(chain: Any) -> None:
    from trialwright.trial.setup.commands import AppointPerson, RevokeDelegation

    chain.received()
    chain.measure(**WEAK)
    chain.give(ReportOutOfSpecification(**about(chain)), "laboratory")
    chain.give(RequestExceptionalRelease(participant=chain.participant, slot="slot_1"), "investigator")
    ended = RevokeDelegation(site="01", person="investigator-01", role=Role.INVESTIGATOR, until="2025-03-01")
    chain.give(ended, "investigator")
    appoint = AppointPerson(person="investigator-01", role=Role.QUALIFIED_PERSON, organisation="hospital-01")
    chain.give(appoint, "sponsor")
    same = Actor("investigator-01", Role.QUALIFIED_PERSON, "hospital-01")
    chain.world.refuses(SamePerson, ReleaseOutOfSpecification(**about(chain)), same)


def test_a_product_within_its_specification_is_not_reported_outside(chain: Any) -> None:
    chain.received()
    chain.world.refuses(WithinSpecification, ReportOutOfSpecification(**about(chain)), "laboratory")
    chain.measure()
    chain.world.refuses(WithinSpecification, ReportOutOfSpecification(**about(chain)), "laboratory")


def test_a_failed_manufacture_follows_the_one_path_of_the_study(chain: Any) -> None:
    chain.received()
    command = FailManufacture(**about(chain))
    chain.world.refuses(ReasonMissing, command, "laboratory")
    first = chain.give(command, "laboratory", reason="no growth")
    assert first.event(ManufactureFailed).label == chain.label
    assert first.event(ProductDecided).decision == "repeat_collection"
    chain.world.refuses(AlreadyDecided, command, "laboratory", reason="again")
    chain.label = "S-NO-01-998-1"
    chain.pass_gate("collection")
    assert chain.collect().event(ProductCollected).flags == ()
    chain.receive()
    second = chain.give(FailManufacture(**about(chain)), "laboratory", reason="no growth")
    assert second.event(ProductDecided).decision == "slot_cancelled"


def test_a_released_product_that_an_excursion_spoiled_fails_before_its_injection_in_every_arm(
    both_arms: dict[str, Any],
) -> None:
    for chain in both_arms.values():
        chain.released()
        fail = FailManufacture(**about(chain))
        chain.world.refuses(AlreadyDecided, fail, "laboratory", reason="not needed")
        warm = RecordExcursion(**about(chain, lowest="2", highest="31", minutes=300, usable=False))
        chain.give(warm, "laboratory")
        chain.world.later(hours=25)
        chain.world.refuses(ProductUnusable, ReleaseProduct(**about(chain)), "qp")
        receipt = chain.give(fail, "laboratory", reason="warmed up")
        assert receipt.event(ProductDecided).decision == "repeat_collection"


def test_a_spoiled_product_that_was_injected_does_not_fail_afterwards(both_arms: dict[str, Any]) -> None:
    for chain in both_arms.values():
        chain.injected()
        warm = RecordExcursion(**about(chain, lowest="2", highest="31", minutes=300, usable=False))
        chain.give(warm, "laboratory")
        chain.world.refuses(AlreadyDecided, FailManufacture(**about(chain)), "laboratory", reason="late news")


def test_an_older_collection_is_not_decided_on_any_more(chain: Any) -> None:
    chain.received()
    chain.measure()
    old = chain.label
    chain.label = "S-NO-01-998-1"
    chain.collect()
    command = ReleaseProduct(participant=chain.participant, label=old)
    chain.world.refuses(AlreadyDecided, command, "qp")


def test_a_batch_is_certified_after_its_release(chain: Any) -> None:
    chain.received()
    chain.world.refuses(NotReleased, CertifyBatch(**about(chain, batch_record="b" * 64)), "qp")
    chain.measure()
    chain.release()
    chain.world.refuses(NotWhatWasShown, CertifyBatch(**about(chain, batch_record="b" * 64)), "qp", shown="c" * 64)
    assert chain.certify().event(BatchCertified).batch_record == "b" * 64


@pytest.mark.parametrize(
    ("lowest", "highest", "deviations"), [("2", "8", 0), ("1.9", "8", 1), ("2", "8.01", 1), ("-5", "30", 1)]
)
def test_temperatures_outside_the_limits_are_recorded_and_flagged_in_the_closed_space(
    chain: Any, lowest: str, highest: str, deviations: int
) -> None:
    chain.received()
    command = RecordExcursion(**about(chain, lowest=lowest, highest=highest, minutes=20, usable=True))
    receipt = chain.give(command, "laboratory")
    assert receipt.event(ExcursionRecorded).unit == "Cel"
    found = [fact for fact in receipt.facts if isinstance(fact.event, ClosedDeviationOpened)]
    assert len(found) == deviations
    assert all(fact.event.SPACE is Space.CLOSED for fact in receipt.facts)


def test_a_temperature_that_is_no_number_is_refused(chain: Any) -> None:
    chain.received()
    command = RecordExcursion(**about(chain, lowest="cold", highest="8", minutes=20, usable=True))
    chain.world.refuses(MeasurementNotReadable, command, "laboratory")


def test_a_positive_culture_after_release_reaches_the_site_in_every_arm_alike(both_arms: dict[str, Any]) -> None:
    crossed = []
    for chain in both_arms.values():
        chain.injected()
        command = RecordLateResult(**about(chain, measurement="sterility", value=MeasuredValue(text="POSITIVE")))
        receipt = chain.give(command, "laboratory")
        assert receipt.event(LateResultRecorded).flags == ("criterion_no_longer_met",)
        assert receipt.event(LateResultReported).result == "POSITIVE"
        opened = [f.event for f in receipt.facts if type(f.event) is DeviationOpened]
        crossed.append([(e.kind, e.deviation, e.about) for e in opened])  # type: ignore[attr-defined]
    assert crossed[0] == crossed[1]
    assert len(crossed[0]) == 1


def test_a_late_result_that_changes_nothing_stays_in_the_laboratory(chain: Any) -> None:
    chain.released()
    command = RecordLateResult(**about(chain, measurement="sterility", value=MeasuredValue(text="NEGATIVE")))
    receipt = chain.give(command, "laboratory")
    assert [fact.event.SPACE for fact in receipt.facts] == [Space.CLOSED]
    assert receipt.event(LateResultRecorded).flags == ()


def test_a_late_result_belongs_to_a_released_product(chain: Any) -> None:
    chain.received()
    command = RecordLateResult(**about(chain, measurement="sterility", value=MeasuredValue(text="POSITIVE")))
    chain.world.refuses(NotReleased, command, "laboratory")


def test_storing_and_destroying_leave_no_trace_in_the_open_space(chain: Any) -> None:
    chain.released()
    before = chain.world.heads()[Space.OPEN]
    stored = chain.give(StoreProduct(**about(chain, place="tank 4", quantity="2 bags")), "laboratory")
    assert stored.event(ProductStored).place == "tank 4"
    command = DestroyProduct(**about(chain, how="incinerated"))
    chain.world.refuses(ReasonMissing, command, "laboratory")
    destroyed = chain.give(command, "laboratory", reason="study ended")
    assert destroyed.event(ProductDestroyed).how == "incinerated"
    chain.world.refuses(AlreadyDecided, command, "laboratory", reason="again")
    chain.world.refuses(AlreadyDecided, StoreProduct(**about(chain, place="x", quantity="1")), "laboratory")
    assert chain.world.heads()[Space.OPEN] == before


def test_the_laboratory_board_and_the_chain_of_identity_show_every_step(both_arms: dict[str, Any]) -> None:
    chain = both_arms["product"].injected()
    (row,) = chain.rows(PRODUCT, Space.CLOSED)
    assert (row["status"], row["content"], row["dose"], row["planned_dose"]) == ("given", "product", "72", "72.5")
    steps = [(s["what"], s["identifiers"], s["role"]) for s in chain.rows(STEP, Space.CLOSED)]
    both = f"{chain.label} {chain.participant}"
    assert steps == [
        ("product_received", both, "cell_laboratory"),
        ("measurements_recorded", chain.label, "cell_laboratory"),
        ("product_released", chain.label, "qualified_person"),
        ("batch_certified", chain.label, "qualified_person"),
        ("syringe_handed_over", both, "cell_laboratory"),
        ("product_administered", both, "injecting_physician"),
    ]
    values = {r["measurement"]: (r["value"], r["unit"], r["late"]) for r in chain.rows(MEASUREMENT, Space.CLOSED)}
    assert values == {"viability": ("91", "%", 0), "sterility": ("NEGATIVE", None, 0)}


def test_the_laboratory_board_keeps_a_product_that_was_not_given_apart(both_arms: dict[str, Any]) -> None:
    chain = both_arms["comparator"].injected()
    chain.give(StoreProduct(**about(chain, place="tank 4", quantity="2 bags")), "laboratory")
    (row,) = chain.rows(PRODUCT, Space.CLOSED)
    assert (row["status"], row["place"], row["content"], row["dose"]) == ("stored", "tank 4", "comparator", None)
