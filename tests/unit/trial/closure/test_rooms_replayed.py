"""Views of custody, safety and closure, deleted and folded again from the ledgers, are the same to the row."""

from __future__ import annotations

from typing import Any

import pytest

from trialwright.trial.capture.events import Entered
from trialwright.trial.closure.commands import (
    ClassifyDeviation,
    MakeDataCut,
    OpenDeviation,
    ProposeUnblinding,
    RecordBreachNotification,
    RecordSeriousBreach,
    RecordUrgentSafetyMeasure,
    UnblindStudy,
)
from trialwright.trial.custody.commands import (
    AdministerProduct,
    CollectProduct,
    PassSafetyGate,
    ReceiveProduct,
    RecordMeasurements,
    ReleaseProduct,
    StoreProduct,
)
from trialwright.trial.custody.events import MeasuredValue
from trialwright.trial.safety.commands import (
    AssessCausality,
    CloseAdverseEvent,
    FollowUpAdverseEvent,
    RecodeTerm,
    RecordExpeditedReport,
    RecordSponsorAwareness,
    ReportAdverseEvent,
)


def everything(world: Any) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""
    return {
        table.name: [dict(row) for row in world.trial.stores[space].rows.where(table)]
        for space, projector in world.trial.projectors.items()
        for table in projector.tables
    }


@pytest.mark.parametrize("one_space", [False, True])
def test_deleted_views_come_back_the_same(trial_worlds: Any, endings: Any, one_space: bool) -> None:
    world = trial_worlds(one_space=one_space)
    participant = world.randomised()
    _treat(world, participant)
    _harm(world, participant)
    _stray(world, participant)
    ending = endings(world, [participant])
    ending.planned().locked()
    ending.give(ProposeUnblinding(), "sponsor")
    ending.give(UnblindStudy(), "statistician")
    before = everything(world)
    for table in ("injection_slot", "laboratory_product", "custody_step", "adverse_event", "safety_clock",
                  "expedited_report", "deviation", "serious_breach", "data_cut", "population", "study_milestone",
                  "disclosed_allocation"):  # fmt: skip
        assert before[table], f"the scenario leaves {table} empty"
    for space in world.trial.ledgers:
        assert world.trial.rebuild_views(space) > 0
    assert everything(world) == before


def _treat(world: Any, participant: str) -> None:
    """One injection with its gate, but without a release: flagged, with deviations in both spaces."""
    from trialwright.trial.capture.commands import RecordVisit

    today = world.clock.now().date().isoformat()
    world.give(RecordVisit(participant=participant, encounter="marrow_1", date=today), "nurse")
    values = {
        "platelets": Entered(text="210", unit="10*9/L"),
        "infection": Entered(text="false"),
        "dosing_weight": Entered(text="70", unit="kg"),
    }
    world.save(participant, "marrow_1", "safety_gate", values, "nurse")
    label = f"S-{participant}-1"
    world.give(PassSafetyGate(participant=participant, slot="slot_1", before="collection"), "nurse")
    world.give(CollectProduct(participant=participant, slot="slot_1", label=label, volume_ml="30"), "investigator")
    receive = ReceiveProduct(participant=participant, label=label, wristband=participant, condition="cold")
    world.give(receive, "laboratory")
    measured = {"viability": MeasuredValue(text="90"), "sterility": MeasuredValue(text="NEGATIVE")}
    world.give(RecordMeasurements(participant=participant, label=label, values=measured), "laboratory")
    content = "product" if world.trial.allocations.arm(participant, "period_1") == "cells" else "comparator"
    given = AdministerProduct(
        participant=participant, slot="slot_1", label=label, wristband=participant, content=content, volume_ml="5"
    )
    world.give(given, "injector")
    world.give(ReleaseProduct(participant=participant, label=label), "qp")
    store = StoreProduct(participant=participant, label=label, place="tank", quantity="1")
    world.give(store, "laboratory")


def _harm(world: Any, participant: str) -> None:
    """A serious reaction, reported, judged, coded, closed, and reported to the authorities."""
    about = {"participant": participant, "adverse_event": "ae_1"}
    report = ReportAdverseEvent(
        participant=participant, term="stiff neck", onset="2025-03", grade=3, seriousness=("hospitalisation",)
    )
    world.give(report, "investigator")
    world.give(AssessCausality(**about, agent="product", relation="possible"), "medic")
    world.give(RecordSponsorAwareness(**about), "medic")
    world.give(RecodeTerm(**about, term="Meningitis"), "data_manager")
    world.give(FollowUpAdverseEvent(**about, outcome="recovered", grade=2), "investigator", reason="discharged")
    world.give(RecordExpeditedReport(**about, clock="susar", outcome="submitted", reference="EV-1"), "safety")
    world.give(CloseAdverseEvent(**about), "investigator")


def _stray(world: Any, participant: str) -> None:
    """A deviation, a breach, an urgent measure, a data cut; everything judged afterwards."""
    from trialwright.trial.closure.commands import ClassifyClosedDeviation
    from trialwright.trial.closure.state import ClosedDeviations, Deviations

    world.give(OpenDeviation(participant=participant, kind="fasting", about="breakfast"), "monitor")
    world.give(RecordSeriousBreach(what="lost forms"), "sponsor")
    world.give(RecordBreachNotification(breach="breach_1", reference="CTIS-1"), "sponsor")
    world.give(RecordUrgentSafetyMeasure(what="no injections today"), "sponsor")
    world.give(MakeDataCut(cut="dmc_1"), "data_manager")
    words: dict[str, Any] = {"important": False, "assessment": "minor", "action": "none"}
    for name in world.trial.state().of(Deviations, participant).waiting():
        world.give(ClassifyDeviation(participant=participant, deviation=name, **words), "monitor")
    for name in world.trial.state().of(ClosedDeviations, participant).waiting():
        world.give(ClassifyClosedDeviation(participant=participant, deviation=name, **words), "qp")
