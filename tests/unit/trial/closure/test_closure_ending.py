"""Data cut, freeze, blind review, lock, unlock by two, final unblinding by two, close, archive."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from trialwright.trial.capture.commands import MarkFormNotDone, RecordVisit, SaveForm
from trialwright.trial.capture.events import Entered
from trialwright.trial.closure.commands import (
    ArchiveStudy,
    CloseStudy,
    FreezeAnalysisCode,
    FreezeStudy,
    LockStudy,
    MakeDataCut,
    OpenDeviation,
    ProposeUnblinding,
    ProposeUnlock,
    RecordSeriousBreach,
    SignAnalysisPlan,
    SignBlindReview,
    UnblindStudy,
    UnlockStudy,
    shown_review,
)
from trialwright.trial.closure.events import (
    AllocationsDisclosed,
    AnalysisCodeFrozen,
    AnalysisPlanSigned,
    BlindReviewSigned,
    DataCutMade,
    SecondPersonAsked,
    StudyArchived,
    StudyClosed,
    StudyFrozen,
    StudyLocked,
    StudyUnblinded,
    StudyUnlocked,
)
from trialwright.trial.closure.refusals import (
    AllocationsUnavailable,
    AlreadyUnblinded,
    BlindReviewIncomplete,
    NameTaken,
    NotClosed,
    NotFrozen,
    NotLocked,
    NotReady,
    NotUnblinded,
    NotWhatWasShown,
    PlanNotSigned,
    ReasonMissing,
    SecondPersonMissing,
    StudyIsArchived,
    TextMissing,
)
from trialwright.trial.closure.views import ALLOCATION, DATA_CUT, MILESTONE, POPULATION
from trialwright.trial.closure.wording import in_years
from trialwright.trial.event import Space
from trialwright.trial.permission import LockedStudy, NotPermitted, SignatureMissing
from trialwright.trial.queries.commands import OpenQuery
from trialwright.trial.safety.commands import CloseAdverseEvent, RecordSponsorAwareness, ReportAdverseEvent


def open_size(world: Any) -> tuple[int, str]:
    head = world.heads()[Space.OPEN]
    return head.size, head.root.hex()


def test_a_data_cut_names_the_ledger_as_it_stood(ending: Any) -> None:
    world = ending.world
    size, root = open_size(world)
    event = ending.give(MakeDataCut(cut="dmc_1"), "data_manager").event(DataCutMade)
    assert (event.size, event.root) == (size, root)
    assert world.trial.ledgers[Space.OPEN].root(event.size).hex() == event.root
    world.refuses(NameTaken, MakeDataCut(cut="dmc_1"), "statistician")
    world.refuses(TextMissing, MakeDataCut(cut="DMC one"), "statistician")
    world.refuses(NotPermitted, MakeDataCut(cut="dmc_2"), "nurse")
    assert world.trial.stores[Space.OPEN].rows.get(DATA_CUT, ("dmc_1",))["size"] == size


def test_a_complete_study_is_frozen_once(ending: Any) -> None:
    assert ending.freeze().event(StudyFrozen)
    ending.world.refuses(NotFrozen, FreezeStudy(), "data_manager")


def test_an_unsigned_form_stops_the_freeze_and_is_named(ending: Any) -> None:
    participant = ending.participants[0]
    ending.world.save(
        participant, "screening", "screening", {"age": Entered(text="35", unit="a")}, "nurse", reason="misread"
    )
    refusal = ending.world.refuses(NotReady, FreezeStudy(), "data_manager")
    assert f"{participant}: screening at screening is not signed" in refusal.message
    assert f"{participant}: screening at screening: age is not verified" in refusal.message
    assert refusal.given["obstacles"] == 2
    ending.verify(participant)
    refusal = ending.world.refuses(NotReady, FreezeStudy(), "data_manager")
    assert refusal.given["obstacles"] == 1
    ending.sign(participant)
    assert ending.freeze().event(StudyFrozen)


def test_a_form_of_a_visit_that_is_not_filled_or_not_complete_stops_the_freeze(ending: Any) -> None:
    participant, world = ending.participants[0], ending.world
    ending.give(RecordVisit(participant=participant, encounter="marrow_1", date=world.today), "nurse")
    refusal = world.refuses(NotReady, FreezeStudy(), "data_manager")
    assert f"{participant}: safety_gate at marrow_1 is neither filled nor marked as not done" in refusal.message
    world.save(participant, "marrow_1", "safety_gate", {"infection": Entered(text="false")}, "nurse")
    refusal = world.refuses(NotReady, FreezeStudy(), "data_manager")
    assert f"{participant}: safety_gate at marrow_1 is not complete" in refusal.message
    values = {"platelets": Entered(missing="not_done"), "dosing_weight": Entered(missing="refused")}
    world.save(participant, "marrow_1", "safety_gate", values, "nurse")
    assert ending.freeze().event(StudyFrozen)


def test_an_open_query_stops_the_freeze_at_every_site(ending: Any) -> None:
    participant = ending.world.randomised(site="02")
    query = OpenQuery(participant=participant, encounter="screening", form="screening", item="age", text="Sure?")
    ending.give(query, "data_manager")
    refusal = ending.world.refuses(NotReady, FreezeStudy(), "data_manager")
    assert f"{participant}: query " in refusal.message


def test_many_obstacles_are_counted_and_the_first_are_named(ending: Any) -> None:
    for _ in range(3):
        ending.world.examined(site="02")
    refusal = ending.world.refuses(NotReady, FreezeStudy(), "data_manager")
    assert refusal.message.endswith("and 1 more")
    assert refusal.given["obstacles"] == 6


def test_a_frozen_study_takes_no_data(ending: Any) -> None:
    from trialwright.trial.capture.commands import StudyIsFrozen

    ending.freeze()
    command = MarkFormNotDone(
        participant=ending.participants[0], encounter="screening", form="screening", how="not_done"
    )
    ending.world.refuses(StudyIsFrozen, command, "nurse", reason="x")


def test_the_blind_review_stands_between_freeze_and_lock(ending: Any) -> None:
    decisions = ending.decisions()
    command = SignBlindReview(decisions=decisions)
    shown = shown_review(decisions)
    ending.world.refuses(NotFrozen, command, "medic", shown=shown)
    ending.freeze()
    assert ending.give(command, "medic", shown=shown).event(BlindReviewSigned).shown == shown
    rows = list(ending.world.trial.stores[Space.OPEN].rows.where(POPULATION))
    assert [(row["participant"], row["included"]) for row in rows] == [(p, 1) for p in ending.participants]


def test_the_blind_review_decides_on_everybody_once_and_says_why_not(ending: Any) -> None:
    ending.freeze()
    full = ending.decisions()
    stranger = dataclasses.replace(full[0], participant="NO-01-999")
    strange = dataclasses.replace(full[0], population="everybody")
    silent = dataclasses.replace(full[0], included=False, why=" ")
    for decisions in (full[:1], (), (*full, full[0]), (*full, stranger), (*full, strange), (silent, full[1])):
        ending.world.refuses(
            BlindReviewIncomplete, SignBlindReview(decisions=decisions), "medic", shown=shown_review(decisions)
        )


def test_the_blind_review_is_signed_over_what_was_shown(ending: Any) -> None:
    ending.freeze()
    decisions = ending.decisions()
    other = (dataclasses.replace(decisions[0], included=False, why="no primary outcome"), *decisions[1:])
    ending.world.refuses(NotWhatWasShown, SignBlindReview(decisions=other), "medic", shown=shown_review(decisions))


def test_the_lock_covers_the_ledger_as_it_stood(ending: Any) -> None:
    ending.freeze()
    ending.review()
    size, root = open_size(ending.world)
    ending.world.refuses(NotWhatWasShown, LockStudy(), "sponsor", shown="0" * 64)
    event = ending.lock().event(StudyLocked)
    assert (event.size, event.root) == (size, root)


def test_no_lock_before_freeze_and_review(ending: Any) -> None:
    ending.world.refuses(NotFrozen, LockStudy(), "sponsor")
    ending.freeze()
    ending.world.refuses(BlindReviewIncomplete, LockStudy(), "sponsor")
    ending.review()
    ending.world.refuses(SignatureMissing, LockStudy(), "sponsor", signature=_other_meaning())


def test_no_lock_while_a_serious_event_is_followed_or_not_submitted(ending: Any) -> None:
    participant = ending.participants[0]
    report = ReportAdverseEvent(
        participant=participant, term="fall", onset="2025-03-01", grade=3, seriousness=("hospitalisation",)
    )
    ending.give(report, "investigator")
    ending.freeze()
    ending.review()
    refusal = ending.world.refuses(NotReady, LockStudy(), "sponsor")
    assert f"{participant}: ae_1 is still followed" in refusal.message
    assert "serious_to_sponsor is not submitted" in refusal.message
    ending.give(RecordSponsorAwareness(participant=participant, adverse_event="ae_1"), "medic")
    ending.give(CloseAdverseEvent(participant=participant, adverse_event="ae_1"), "investigator", reason="stable")
    assert ending.lock().event(StudyLocked)


def test_a_clock_met_in_the_closed_space_does_not_hold_up_the_lock(ending: Any) -> None:
    participant = ending.participants[0]
    report = ReportAdverseEvent(
        participant=participant,
        term="fall",
        onset="2025-03-01",
        grade=3,
        seriousness=("hospitalisation",),
        outcome="recovered",
        causality={"product": "possible"},
    )
    ending.give(report, "investigator")
    ending.give(RecordSponsorAwareness(participant=participant, adverse_event="ae_1"), "medic")
    ending.give(CloseAdverseEvent(participant=participant, adverse_event="ae_1"), "investigator")
    assert ending.locked()


def test_no_lock_while_a_deviation_waits_or_a_breach_is_not_notified(ending: Any) -> None:
    deviation = OpenDeviation(participant=ending.participants[1], kind="fasting", about="breakfast")
    ending.give(deviation, "monitor")
    ending.freeze()
    ending.review()
    refusal = ending.world.refuses(NotReady, LockStudy(), "sponsor")
    assert "deviation fasting.reported is not classified" in refusal.message
    ending.give(_judged(ending.participants[1]), "monitor")
    ending.give(RecordSeriousBreach(what="x"), "sponsor")
    assert "breach_1 is not notified" in ending.world.refuses(NotReady, LockStudy(), "sponsor").message


def test_nothing_is_written_after_the_lock(ending: Any) -> None:
    ending.locked()
    participant = ending.participants[0]
    world = ending.world
    save = SaveForm(participant=participant, encounter="screening", form="screening", items={}, read_version=1)
    world.refuses(LockedStudy, save, "nurse")
    world.refuses(LockedStudy, RecordVisit(participant=participant, encounter="marrow_1", date=world.today), "nurse")
    world.refuses(LockedStudy, OpenDeviation(participant=participant, kind="x", about="y"), "monitor")
    world.refuses(LockedStudy, FreezeStudy(), "data_manager")
    world.refuses(LockedStudy, LockStudy(), "sponsor")


def test_a_lock_is_opened_by_two_people_with_reasons(ending: Any) -> None:
    ending.locked()
    world = ending.world
    world.refuses(SecondPersonMissing, UnlockStudy(), "sponsor", reason="error found")
    world.refuses(ReasonMissing, ProposeUnlock(), "data_manager")
    assert ending.give(ProposeUnlock(), "data_manager", reason="error found").event(SecondPersonAsked).act == "unlock"
    world.refuses(SecondPersonMissing, UnlockStudy(), "data_manager", reason="error found")
    world.refuses(ReasonMissing, UnlockStudy(), "sponsor")
    event = ending.give(UnlockStudy(), "sponsor", reason="error found").event(StudyUnlocked)
    assert (event.second, event.after_unblinding) == ("data_manager", False)


def test_after_an_unlock_the_way_to_the_lock_begins_anew(ending: Any) -> None:
    ending.locked()
    ending.give(ProposeUnlock(), "data_manager", reason="error found")
    ending.give(UnlockStudy(), "sponsor", reason="error found")
    ending.world.refuses(NotFrozen, LockStudy(), "sponsor")
    ending.world.refuses(NotLocked, ProposeUnlock(), "data_manager", reason="again")
    ending.freeze()
    ending.world.refuses(BlindReviewIncomplete, LockStudy(), "sponsor")
    ending.review()
    ending.lock()
    ending.world.refuses(SecondPersonMissing, UnlockStudy(), "sponsor", reason="an old proposal does not count")


def test_plan_and_code_are_fixed_by_their_hashes(ending: Any) -> None:
    plan = ending.give(SignAnalysisPlan(version="1.0", plan="a" * 64), "sponsor", shown="a" * 64).event(
        AnalysisPlanSigned
    )
    code = ending.give(FreezeAnalysisCode(code="c" * 64), "statistician").event(AnalysisCodeFrozen)
    assert (plan.plan, code.code) == ("a" * 64, "c" * 64)
    ending.world.refuses(TextMissing, SignAnalysisPlan(version="1.0", plan="plan.pdf"), "sponsor")
    ending.world.refuses(NotWhatWasShown, SignAnalysisPlan(version="1.0", plan="b" * 64), "sponsor")
    ending.world.refuses(TextMissing, FreezeAnalysisCode(code="A" * 64), "sponsor")


def test_unblinding_waits_for_lock_plan_and_code(ending: Any) -> None:
    world = ending.world
    world.refuses(NotLocked, ProposeUnblinding(), "sponsor")
    world.refuses(NotLocked, UnblindStudy(), "statistician")
    ending.locked()
    world.refuses(PlanNotSigned, ProposeUnblinding(), "sponsor")
    ending.give(SignAnalysisPlan(version="1.0", plan="a" * 64), "sponsor", shown="a" * 64)
    world.refuses(PlanNotSigned, UnblindStudy(), "statistician")


def test_unblinding_takes_two_people(ending: Any) -> None:
    from trialwright.protocol.roles import Role
    from trialwright.trial.command import Actor
    from trialwright.trial.setup.commands import AppointPerson, EndAppointment

    ending.planned().locked()
    ending.world.refuses(SecondPersonMissing, UnblindStudy(), "statistician")
    ending.give(AppointPerson(person="second", role=Role.SPONSOR, organisation="centre"), "sponsor")
    ending.give(ProposeUnblinding(), Actor("second", Role.SPONSOR, "centre"))
    ending.give(EndAppointment(person="second", role=Role.SPONSOR), "sponsor")
    appoint = AppointPerson(person="second", role=Role.INDEPENDENT_STATISTICIAN, organisation="centre")
    ending.give(appoint, "sponsor")
    same = Actor("second", Role.INDEPENDENT_STATISTICIAN, "centre")
    ending.world.refuses(SecondPersonMissing, UnblindStudy(), same)
    ending.world.refuses(NotPermitted, UnblindStudy(), "data_manager")


def test_who_proposed_the_unblinding_agreed_to_the_plan_and_code_of_that_time(ending: Any) -> None:
    changes = (
        (SignAnalysisPlan(version="2.0", plan="b" * 64), {"shown": "b" * 64}),
        (FreezeAnalysisCode(code="d" * 64), {}),
    )
    ending.planned().locked()
    for change, how in changes:
        ending.give(ProposeUnblinding(), "sponsor")
        ending.give(change, "statistician", **how)
        ending.world.refuses(SecondPersonMissing, UnblindStudy(), "statistician")
    ending.give(ProposeUnblinding(), "sponsor")
    ending.give(UnblindStudy(), "statistician")


def test_unblinding_discloses_in_the_closed_space_and_says_openly_that_it_happened(ending: Any) -> None:
    world = ending.world
    screened = world.screened()
    ending.planned().locked()
    ending.give(ProposeUnblinding(), "sponsor")
    receipt = ending.give(UnblindStudy(), "statistician")
    disclosed = {one.participant: one.label for one in receipt.event(AllocationsDisclosed).allocations}
    assert disclosed == {p: world.trial.allocations.label(p) for p in ending.participants}
    assert screened not in disclosed
    event = receipt.event(StudyUnblinded)
    assert (event.second, event.participants) == ("sponsor", 2)
    rows = {r["participant"]: r["label"] for r in world.trial.stores[Space.CLOSED].rows.where(ALLOCATION)}
    assert rows == disclosed
    labels = set(disclosed.values())
    assert not any(label in entry.body.decode() for label in labels for entry in _after(world, "study_unblinded"))
    world.refuses(AlreadyUnblinded, UnblindStudy(), "statistician")
    world.refuses(AlreadyUnblinded, ProposeUnblinding(), "sponsor")
    world.refuses(AlreadyUnblinded, SignAnalysisPlan(version="2.0", plan="b" * 64), "sponsor")
    world.refuses(AlreadyUnblinded, FreezeAnalysisCode(code="b" * 64), "sponsor")


def test_unblinding_needs_somebody_who_can_open_allocations(ending: Any) -> None:
    ending.planned().locked()
    ending.give(ProposeUnblinding(), "sponsor")
    ending.world.trial.allocations = None
    ending.world.refuses(AllocationsUnavailable, UnblindStudy(), "statistician")


def test_unblinding_waits_for_the_deviations_of_the_closed_space(trial_world: Any, endings: Any) -> None:
    from trialwright.trial.closure.commands import ClassifyClosedDeviation
    from trialwright.trial.custody.commands import CollectProduct, ReceiveProduct

    participant = trial_world.randomised()
    ending = endings(trial_world, [participant])
    ending.give(_collect(CollectProduct, participant), "investigator")
    ending.give(_judged(participant, "safety_gate.gate_not_passed.collection.slot_1"), "monitor")
    receive = ReceiveProduct(participant=participant, label="S-NO-01-001-1", wristband="other", condition="warm")
    ending.give(receive, "laboratory")
    ending.planned().locked()
    ending.give(ProposeUnblinding(), "sponsor")
    refusal = trial_world.refuses(NotReady, UnblindStudy(), "statistician")
    assert "identifier_mismatch" in refusal.message
    judged = ClassifyClosedDeviation(
        participant=participant,
        deviation="product.identifier_mismatch.S-NO-01-001-1",
        important=False,
        assessment="wristband of the driver",
        action="identity confirmed",
    )
    ending.give(judged, "qp")
    assert ending.give(UnblindStudy(), "statistician").event(StudyUnblinded)


def test_an_unlock_after_unblinding_says_so(ending: Any) -> None:
    ending.unblinded()
    ending.give(ProposeUnlock(), "data_manager", reason="error found")
    event = ending.give(UnlockStudy(), "sponsor", reason="error found").event(StudyUnlocked)
    assert event.after_unblinding is True


def test_a_study_is_closed_and_archived_at_the_end(ending: Any) -> None:
    world = ending.world
    world.refuses(NotLocked, CloseStudy(), "sponsor")
    ending.planned().locked()
    world.refuses(NotUnblinded, CloseStudy(), "sponsor")
    ending.give(ProposeUnblinding(), "sponsor")
    ending.give(UnblindStudy(), "statistician")
    world.refuses(NotClosed, ArchiveStudy(place="vault"), "sponsor")
    assert ending.give(CloseStudy(early=True), "sponsor").event(StudyClosed).early is True
    world.refuses(NotClosed, CloseStudy(), "sponsor")
    size, root = open_size(world)
    event = ending.give(ArchiveStudy(place="vault"), "sponsor").event(StudyArchived)
    assert (event.size, event.root, event.keep_until) == (size, root, "2055-03-03")
    world.refuses(NotClosed, ArchiveStudy(place="vault"), "sponsor")
    world.refuses(StudyIsArchived, ProposeUnlock(), "data_manager", reason="error found")


def test_an_archived_study_is_not_opened_by_an_older_proposal(ending: Any) -> None:
    ending.unblinded()
    ending.give(ProposeUnlock(), "data_manager", reason="error found")
    ending.give(CloseStudy(), "sponsor")
    ending.give(ArchiveStudy(place="vault"), "sponsor")
    ending.world.refuses(StudyIsArchived, UnlockStudy(), "sponsor", reason="error found")


def test_the_milestones_tell_the_way_to_the_end(ending: Any) -> None:
    ending.unblinded()
    rows = list(ending.world.trial.stores[Space.OPEN].rows.where(MILESTONE))
    assert [row["what"] for row in rows] == [
        "study_created",
        "build_approved",
        "study_opened",
        "analysis_plan_signed",
        "analysis_code_frozen",
        "study_frozen",
        "blind_review_signed",
        "study_locked",
        "second_person_asked",
        "study_unblinded",
    ]


@pytest.mark.parametrize(
    ("day", "years", "until"),
    [("2024-02-29", 25, "2049-03-01"), ("2024-02-29", 4, "2028-02-29"), ("2025-01-31", 30, "2055-01-31")],
)
def test_records_are_kept_whole_years(day: str, years: int, until: str) -> None:
    assert in_years(day, years) == until


def test_an_open_study_is_closed_without_unblinding(trial_worlds: Any, small_study: Any, endings: Any) -> None:
    from trialwright.build.compile import compiled

    blinding = small_study.identity.blinding.model_copy(update={"kind": "open", "unblinded_roles": ()})
    identity = small_study.identity.model_copy(update={"blinding": blinding})
    world = trial_worlds(compiled(small_study.model_copy(update={"identity": identity})), one_space=True)
    ending = endings(world, [world.randomised()])
    ending.locked()
    assert ending.give(CloseStudy(), "sponsor").event(StudyClosed).early is False


def _other_meaning() -> Any:
    from trialwright.trial.command import Signature

    return Signature("sponsor", "unlock_study", "0" * 64)


def _judged(participant: str, deviation: str = "fasting.reported") -> Any:
    from trialwright.trial.closure.commands import ClassifyDeviation

    return ClassifyDeviation(
        participant=participant, deviation=deviation, important=False, assessment="minor", action="none"
    )


def _collect(command: Any, participant: str) -> Any:
    return command(participant=participant, slot="slot_1", label="S-NO-01-001-1", volume_ml="30")


def _after(world: Any, kind: str) -> list[Any]:
    """The open entries of the unblinding and what came later."""
    entries = list(world.trial.ledgers[Space.OPEN].read())
    first = next(n for n, entry in enumerate(entries) if entry.type.endswith(kind))
    return entries[first:]
