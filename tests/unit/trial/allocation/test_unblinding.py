"""The ways to an allocation before the end: dispensing, emergency, SUSAR, accident, data cut. All leave a trace."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from trialwright.build.compile import compiled
from trialwright.protocol.roles import Role
from trialwright.sealing import Dispensing, EnvelopeWriter, open_envelope
from trialwright.trial import rooms
from trialwright.trial.allocation import commands
from trialwright.trial.allocation.commands import (
    CutUnknown,
    DiscloseForDataCut,
    DispenseAllocation,
    MeansUnknown,
    NoSuspectedReaction,
    NotBlinded,
    NotRandomised,
    PrepareEnvelope,
    ReasonMissing,
    RecordAccidentalUnblinding,
    RevealsArm,
    StaysBlinded,
    UnblindForSusar,
    UnblindInEmergency,
)
from trialwright.trial.allocation.envelopes import emergency_envelopes
from trialwright.trial.allocation.events import AllocationDisclosed, EmergencyUnblinded
from trialwright.trial.allocation.gateway import NothingDisclosed, RowMissing, SealedAllocations, reveal
from trialwright.trial.allocation.state import Randomised, SealedRows
from trialwright.trial.allocation.views import LOOK, RANDOMISATION
from trialwright.trial.closure.events import DeviationOpened
from trialwright.trial.closure.state import Deviations, Ending
from trialwright.trial.command import Actor, NotFound, Signature
from trialwright.trial.event import Space
from trialwright.trial.permission import NotPermitted, OtherSite, SignatureMissing
from trialwright.trial.safety.commands import AssessCausality, RecordSponsorAwareness, ReportAdverseEvent
from trialwright.trial.setup.commands import DelegateTask

LABELS = {"cells_first", "saline_first"}


def looks(world):
    return list(world.trial.stores[Space.CLOSED].rows.where(LOOK))


def no_label_in(world):
    """Neither space says what was seen; the approved build says what sequences there are."""
    for space in Space:
        for entry in world.trial.ledgers[space].read():
            if entry.type != "setup.build_approved":
                assert not any(label in entry.body.decode() for label in LABELS), (space, entry.type)


# --- dispensing ---------------------------------------------------------------------------------------------


def test_who_prepares_looks_and_it_is_recorded_who_when_and_for_what(trial_world):
    participant = trial_world.randomised()
    open_head = trial_world.heads()[Space.OPEN]
    receipt = trial_world.give(DispenseAllocation(participant=participant, period="period_1"), "laboratory")
    shown = reveal(receipt.facts, trial_world.trial.allocations)
    assert shown == {participant: trial_world.trial.allocations.label(participant)}
    assert shown[participant] in LABELS
    (look,) = looks(trial_world)
    assert (look["actor"], look["role"], look["purpose"], look["about"]) == (
        "laboratory",
        "cell_laboratory",
        "dispensing",
        "period_1",
    )
    assert trial_world.heads()[Space.OPEN] == open_head  # blinded people do not even learn when
    no_label_in(trial_world)


def test_in_a_blinded_study_blinded_roles_do_not_dispense(trial_world):
    participant = trial_world.randomised()
    for by in ("investigator", "nurse"):
        trial_world.refuses(StaysBlinded, DispenseAllocation(participant=participant), by)
    trial_world.refuses(NotPermitted, DispenseAllocation(participant=participant), "monitor")
    trial_world.refuses(NotPermitted, DispenseAllocation(participant=participant), "rater")


def test_in_an_open_study_the_site_looks(trial_worlds, small_study):
    blinding = small_study.identity.blinding.model_copy(update={"kind": "open", "unblinded_roles": ()})
    identity = small_study.identity.model_copy(update={"blinding": blinding})
    world = trial_worlds(compiled(small_study.model_copy(update={"identity": identity})), one_space=True)
    participant = world.randomised()
    receipt = world.give(DispenseAllocation(participant=participant), "nurse")
    assert set(reveal(receipt.facts, world.trial.allocations).values()) <= LABELS
    for command, by in (
        (UnblindInEmergency(participant=participant), "investigator"),
        (UnblindForSusar(participant=participant, adverse_event="ae-1"), "safety"),
        (PrepareEnvelope(participant=participant), "statistician"),
        (RecordAccidentalUnblinding(participant=participant, learned_by="x", how="y"), "nurse"),
    ):
        world.refuses(NotBlinded, command, by, reason="needed")


def test_nothing_is_revealed_that_was_not_written_down(trial_world):
    participant = trial_world.randomised()
    earlier = trial_world.give(DispenseAllocation(participant=participant), "laboratory")
    randomisation = [f for f in trial_world.trial.facts() if not isinstance(f.event, AllocationDisclosed)]
    with pytest.raises(NothingDisclosed):
        reveal(randomisation, trial_world.trial.allocations)
    other = trial_world.randomised()
    assert set(reveal(earlier.facts, trial_world.trial.allocations)) == {participant}
    assert other not in reveal(earlier.facts, trial_world.trial.allocations)


def test_nobody_is_dispensed_to_who_is_not_randomised(trial_world):
    participant = trial_world.signed_off()
    trial_world.refuses(NotRandomised, DispenseAllocation(participant=participant), "laboratory")
    trial_world.refuses(NotFound, DispenseAllocation(participant="NO-01-099"), "laboratory")
    with pytest.raises(NotFound):
        trial_world.trial.allocations.label(participant)


@pytest.mark.parametrize("look", ["dispensing", "emergency"])
def test_an_allocation_is_opened_only_once_the_look_is_on_record(trial_world, look):
    """Whoever opens one, at whatever moment of the act: the closed ledger already says so."""
    participant = trial_world.randomised()
    trial = trial_world.trial
    honest = trial.allocations

    class Watched:
        def label(self, opened):
            said = [entry for entry in trial.ledgers[Space.CLOSED].read() if entry.type == AllocationDisclosed.TYPE]
            assert any(json.loads(entry.body)["data"]["participant"] == opened for entry in said), "opened unrecorded"
            return honest.label(opened)

    trial.allocations = Watched()
    if look == "dispensing":
        receipt = trial_world.give(DispenseAllocation(participant=participant), "laboratory")
    else:
        receipt = trial_world.give(UnblindInEmergency(participant=participant), "investigator", reason="seizure")
    assert [f.event.participant for f in receipt.facts if isinstance(f.event, AllocationDisclosed)] == [participant]
    assert reveal(receipt.facts, trial.allocations) == {participant: honest.label(participant)}


# --- the gateway --------------------------------------------------------------------------------------------


def test_the_arm_of_a_period_follows_from_the_sequence(trial_world):
    arms = {
        "cells_first": {"period_1": "cells", "period_2": "saline"},
        "saline_first": {"period_1": "saline", "period_2": "cells"},
    }
    allocations = trial_world.trial.allocations
    seen = set()
    for _ in range(4):
        participant = trial_world.randomised()
        label = allocations.label(participant)
        seen.add(label)
        assert {p: allocations.arm(participant, p) for p in ("period_1", "period_2")} == arms[label]
    assert seen == LABELS
    for period in (None, "period_3"):
        with pytest.raises(NotFound):
            allocations.arm(participant, period)


def test_in_a_parallel_study_the_label_is_the_arm(trial_worlds, small_study):
    randomisation = small_study.randomisation.model_copy(update={"unit": "arm", "ratio": {"cells": 2, "saline": 1}})
    world = trial_worlds(compiled(small_study.model_copy(update={"randomisation": randomisation})), listed=False)
    world.seal_list(world.prepared_list(parameters={"sizes": [3, 6]}))
    participant = world.randomised()
    assert world.trial.allocations.arm(participant, None) == world.trial.allocations.label(participant)
    assert world.trial.allocations.arm(participant, None) in {"cells", "saline"}


def test_the_gateway_asks_the_dispensing_service_for_one_row_at_a_time(trial_world):
    asked = []
    service = trial_world.trial.allocations._dispensing

    class Counting(Dispensing):
        def dispense(self, sealed):
            asked.append((sealed.place.stratum, sealed.place.position))
            return service.dispense(sealed)

        def close(self):
            pass

    gateway = SealedAllocations(trial_world.trial.state, trial_world.trial.builds, Counting())
    trial_world.randomised(sex="F")
    second = trial_world.randomised(sex="F")
    gateway.label(second)
    assert asked == [("sex=female", 1)]


def test_a_closed_record_that_lies_behind_is_named(trial_world, monkeypatch):
    participant = trial_world.randomised()
    monkeypatch.setattr(SealedRows, "by_stratum", property(lambda self: {}, lambda self, value: None), raising=False)
    state = trial_world.trial.state()
    fresh = SealedAllocations(lambda: state, trial_world.trial.builds, trial_world.trial.allocations._dispensing)
    with pytest.raises(RowMissing):
        fresh.label(participant)


# --- emergency ----------------------------------------------------------------------------------------------


def test_in_an_emergency_an_investigator_alone_unblinds_one_participant(trial_world):
    participant, other = trial_world.randomised(), trial_world.randomised()
    trial_world.later(hours=19)  # the middle of the night
    receipt = trial_world.give(
        UnblindInEmergency(participant=participant), "investigator", reason="seizure", shown="a" * 64
    )
    assert set(reveal(receipt.facts, trial_world.trial.allocations)) == {participant}
    event = receipt.event(EmergencyUnblinded)
    assert (event.means, event.shown) == ("system", "a" * 64)
    assert trial_world.types(f"participant/{participant}")[-1] == "allocation.emergency_unblinded"
    assert trial_world.types(f"participant/{participant}", Space.CLOSED) == ["allocation.disclosed"]
    state = trial_world.trial.state()
    assert state.of(Randomised, participant).unblinded
    assert not state.of(Randomised, other).unblinded
    no_label_in(trial_world)


def test_the_sponsor_learns_that_and_not_what(trial_world):
    participant = trial_world.randomised()
    trial_world.give(UnblindInEmergency(participant=participant), "investigator", reason="seizure")
    row = trial_world.trial.stores[Space.OPEN].rows.get(RANDOMISATION, (participant,))
    assert row["unblinded"] == "emergency"
    assert not LABELS & {str(value) for value in row.values()}
    no_label_in(trial_world)


def test_unblinding_without_right_reason_or_signature_is_refused(trial_world):
    participant = trial_world.randomised()
    command = UnblindInEmergency(participant=participant)
    for by in ("nurse", "sponsor", "rater", "injector", "medic", "statistician"):
        trial_world.refuses(NotPermitted, command, by, reason="curious")
    trial_world.refuses(OtherSite, command, "investigator@02", reason="seizure")
    for reason in (None, "  "):
        trial_world.refuses(ReasonMissing, command, "investigator", reason=reason)
    opened = replace(command, means="envelope")
    trial_world.refuses(RevealsArm, opened, "investigator", reason="fever after the cells")
    trial_world.refuses(MeansUnknown, replace(command, means="crystal ball"), "investigator", reason="seizure")
    who = Actor("investigator-01", Role.INVESTIGATOR, "hospital-01", "01")
    wrong = Signature("investigator-01", "delegate", "0" * 64)
    trial_world.refuses(SignatureMissing, command, who, reason="seizure", signature=wrong)
    trial_world.refuses(
        NotRandomised, replace(command, participant=trial_world.screened()), "investigator", reason="seizure"
    )
    assert looks(trial_world) == []


def test_in_an_emergency_nobody_searches_for_words(trial_world):
    participant = trial_world.randomised()
    # Who asks does not know the arm yet, so the reason cannot tell it.
    trial_world.give(
        UnblindInEmergency(participant=participant), "investigator", reason="low white blood cells, sepsis"
    )
    again = UnblindInEmergency(participant=participant)
    trial_world.refuses(RevealsArm, again, "investigator", reason="it was the cells")
    trial_world.give(again, "investigator", reason="worse again")


def test_an_envelope_opened_when_the_system_was_down_is_recorded_and_shows_nothing_more(trial_world):
    participant = trial_world.randomised()
    trial_world.later(hours=6)
    receipt = trial_world.give(
        UnblindInEmergency(participant=participant, means="envelope"),
        "investigator",
        reason="seizure",
        observed_at="2025-03-03T09:30:00+01:00",
    )
    assert receipt.event(EmergencyUnblinded).means == "envelope"
    with pytest.raises(NothingDisclosed):
        reveal(receipt.facts, trial_world.trial.allocations)
    assert trial_world.trial.state().of(Randomised, participant).unblinded


def test_an_envelope_opens_without_the_system_and_says_what_was_allocated(trial_world):
    participants = [trial_world.randomised() for _ in range(3)]
    writer = EnvelopeWriter(
        "five random words here", ledger="small", holder="01", entropy=trial_world.trial.entropy, work=10
    )
    envelopes = {}
    for participant in participants:
        receipt = trial_world.give(PrepareEnvelope(participant=participant), "statistician")
        envelopes |= emergency_envelopes(receipt.facts, trial_world.trial.allocations, trial_world.build, writer)
    words = {"cells_first": "First: Cells; Second: Saline", "saline_first": "First: Saline; Second: Cells"}
    opened = {p: open_envelope(envelope, "five random words here") for p, envelope in envelopes.items()}
    assert {p: content for p, (_, content) in opened.items()} == {
        p: words[trial_world.trial.allocations.label(p)] for p in participants
    }
    assert len({len(envelope) for envelope in envelopes.values()}) == 1
    assert [row["purpose"] for row in looks(trial_world)] == ["envelope"] * 3


def test_envelopes_are_made_by_unblinded_people_in_blinded_studies(trial_worlds, trial_world, small_study):
    participant = trial_world.signed_off()
    command = PrepareEnvelope(participant=participant)
    trial_world.refuses(NotRandomised, command, "statistician")
    trial_world.refuses(NotPermitted, command, "investigator")
    unblinded = tuple(
        role for role in small_study.identity.blinding.unblinded_roles if role is not Role.INDEPENDENT_STATISTICIAN
    )
    blinding = small_study.identity.blinding.model_copy(update={"unblinded_roles": unblinded})
    identity = small_study.identity.model_copy(update={"blinding": blinding})
    world = trial_worlds(compiled(small_study.model_copy(update={"identity": identity})))
    world.refuses(StaysBlinded, PrepareEnvelope(participant=world.randomised()), "statistician")


def test_who_acted_for_a_participant_in_a_blinded_role_does_not_look_in_another(trial_world):
    # The principal investigator may delegate the injections to themselves.
    give = DelegateTask(
        site="01",
        person="investigator-01",
        role=Role.INJECTING_PHYSICIAN,
        organisation="hospital-01",
        since="2025-03-01",
    )
    trial_world.give(give, "investigator")
    both = Actor("investigator-01", Role.INJECTING_PHYSICIAN, "hospital-01", "01")
    participant = trial_world.randomised()
    trial_world.refuses(StaysBlinded, DispenseAllocation(participant=participant), both)
    trial_world.give(DispenseAllocation(participant=participant), "injector")


# --- SUSAR and accidents ------------------------------------------------------------------------------------


def test_for_a_susar_the_safety_officer_looks_and_the_open_space_does_not_change(trial_world):
    participant = trial_world.randomised()
    command = UnblindForSusar(participant=participant, adverse_event="ae_1")
    trial_world.refuses(NoSuspectedReaction, command, "safety", reason="SUSAR report")
    report = ReportAdverseEvent(
        participant=participant, term="seizure", onset="2025-03-02", grade=3, seriousness=("hospitalisation",)
    )
    trial_world.give(report, "investigator")
    trial_world.give(RecordSponsorAwareness(participant=participant, adverse_event="ae_1"), "medic")
    trial_world.refuses(NoSuspectedReaction, command, "safety", reason="SUSAR report")
    suspect = AssessCausality(participant=participant, adverse_event="ae_1", agent="product", relation="possible")
    trial_world.give(suspect, "investigator")
    open_before = trial_world.heads()[Space.OPEN]
    trial_world.refuses(ReasonMissing, command, "safety")
    trial_world.refuses(NotPermitted, command, "medic", reason="SUSAR report")
    receipt = trial_world.give(command, "safety", reason="SUSAR report")
    assert set(reveal(receipt.facts, trial_world.trial.allocations)) == {participant}
    assert trial_world.heads()[Space.OPEN] == open_before
    assert [(row["purpose"], row["about"]) for row in looks(trial_world)] == [("susar", "ae_1")]
    other = trial_world.screened()
    trial_world.refuses(NotRandomised, replace(command, participant=other), "safety", reason="SUSAR report")


def test_an_accident_says_who_and_how_and_never_what(trial_world):
    participant = trial_world.randomised()
    command = RecordAccidentalUnblinding(
        participant=participant, learned_by="rater-01", how="saw the syringe being prepared"
    )
    trial_world.refuses(RevealsArm, replace(command, how="saw the cells in the syringe"), "nurse")
    trial_world.refuses(RevealsArm, command, "nurse", reason="it was saline")
    trial_world.refuses(NotRandomised, replace(command, participant=trial_world.screened()), "nurse")
    trial_world.give(command, "rater")
    state = trial_world.trial.state()
    assert state.of(Randomised, participant).unblinded
    assert state.of(Deviations, participant).waiting() == ("unblinding.accidental",)
    row = trial_world.trial.stores[Space.OPEN].rows.get(RANDOMISATION, (participant,))
    assert row["unblinded"] == "accident"


# --- data cuts ----------------------------------------------------------------------------------------------


def test_for_the_committee_allocations_are_joined_to_a_named_cut_and_each_use_is_recorded(trial_world, monkeypatch):
    participants = tuple(trial_world.randomised() for _ in range(3))
    command = DiscloseForDataCut(cut="dmc_1", participants=participants[:2])
    trial_world.refuses(CutUnknown, command, "statistician", reason="first report")
    # Making the cut is the closure room's; here it exists.
    monkeypatch.setattr(Ending, "cuts", property(lambda self: {"dmc_1"}, lambda self, value: None), raising=False)
    trial = trial_world.twin()
    trial.allocations = SealedAllocations(trial.state, trial.builds, trial_world.trial.allocations._dispensing)
    trial_world.trial = trial
    trial_world.refuses(ReasonMissing, command, "statistician")
    trial_world.refuses(NotRandomised, replace(command, participants=()), "statistician", reason="first report")
    other = trial_world.screened()
    trial_world.refuses(NotRandomised, replace(command, participants=(other,)), "statistician", reason="first report")
    for by in ("laboratory", "sponsor", "data_manager"):
        trial_world.refuses(NotPermitted, command, by, reason="first report")
    open_before = trial_world.heads()[Space.OPEN]
    for _ in range(2):
        receipt = trial_world.give(command, "statistician", reason="first report")
        trial_world.later(minutes=5)
    assert set(reveal(receipt.facts, trial.allocations)) == set(participants[:2])
    assert trial_world.heads()[Space.OPEN] == open_before
    assert trial_world.types("allocation", Space.CLOSED)[-2:] == ["allocation.joined"] * 2
    assert [row["about"] for row in looks(trial_world)] == ["dmc_1"] * 4


def test_the_security_log_says_who_tried_and_not_what_they_wrote(trial_world):
    participant = trial_world.randomised()
    opened = UnblindInEmergency(participant=participant, means="envelope")
    trial_world.refuses(RevealsArm, opened, "investigator", reason="got the cells")
    last = json.dumps(trial_world.attempts())
    assert participant in last
    assert "got the cells" not in last


def test_the_reason_of_an_emergency_is_read_by_blinded_people_and_those_of_other_looks_are_not(trial_world):
    participant = trial_world.randomised()
    trial_world.give(UnblindInEmergency(participant=participant), "investigator", reason="seizure")
    trial_world.give(DispenseAllocation(participant=participant), "laboratory", reason="for tomorrow")
    (told,) = (fact for fact in trial_world.trial.facts() if isinstance(fact.event, EmergencyUnblinded))
    assert told.reason == "seizure"
    assert [row["reason"] for row in looks(trial_world)] == ["seizure", "for tomorrow"]
    assert all(fact.reason != "for tomorrow" for fact in trial_world.trial.facts())


# --- builds without one of these protections, which the tests above must find ---------------------------------------


def _reworded(command, change):
    """A decision whose events are changed; ``None`` leaves one out."""
    honest = rooms.DECISIONS[command]

    def decide(given, state, context):
        return [event for one in honest(given, state, context) if (event := change(one, context)) is not None]

    return lambda monkeypatch: monkeypatch.setitem(rooms.DECISIONS, command, decide)


def _peeking(event, context):
    if context.allocations is not None:
        context.allocations.label(event.participant)
    return event


def _telling(event, context):
    return replace(event, shown=context.allocations.label(event.participant)) if hasattr(event, "shown") else event


def _nameless(name):
    return lambda monkeypatch: monkeypatch.setattr(commands, name, lambda *_: None)


def _permitted(*roles):
    """An emergency unblinding that these roles may give too."""
    honest = UnblindInEmergency.PERMISSION
    wider = replace(honest, roles=frozenset({*honest.roles, *roles}))
    return lambda monkeypatch: monkeypatch.setattr(UnblindInEmergency, "PERMISSION", wider)


WEAKENED = {
    "a look reveals before it is recorded, dispensing": (
        lambda world: test_an_allocation_is_opened_only_once_the_look_is_on_record(world, "dispensing"),
        _reworded(DispenseAllocation, _peeking),
    ),
    "a look reveals before it is recorded, in an emergency": (
        lambda world: test_an_allocation_is_opened_only_once_the_look_is_on_record(world, "emergency"),
        _reworded(UnblindInEmergency, _peeking),
    ),
    "a dispensing leaves no record": (
        lambda world: test_an_allocation_is_opened_only_once_the_look_is_on_record(world, "dispensing"),
        _reworded(DispenseAllocation, lambda event, context: None),
    ),
    "the record of an emergency tells the arm": (
        test_the_sponsor_learns_that_and_not_what,
        _reworded(UnblindInEmergency, _telling),
    ),
    "an emergency leaves no word in the open space": (
        test_the_sponsor_learns_that_and_not_what,
        _reworded(UnblindInEmergency, lambda event, _: None if isinstance(event, EmergencyUnblinded) else event),
    ),
    "an emergency needs no reason": (
        test_unblinding_without_right_reason_or_signature_is_refused,
        _nameless("_check_reason"),
    ),
    "a nurse may unblind": (
        test_unblinding_without_right_reason_or_signature_is_refused,
        _permitted(Role.STUDY_NURSE),
    ),
    "an accident may name the arm": (test_an_accident_says_who_and_how_and_never_what, _nameless("_check_words")),
    "an accident opens no deviation": (
        test_an_accident_says_who_and_how_and_never_what,
        _reworded(RecordAccidentalUnblinding, lambda event, _: None if isinstance(event, DeviationOpened) else event),
    ),
    "who was blind for a participant looks in another role": (
        test_who_acted_for_a_participant_in_a_blinded_role_does_not_look_in_another,
        _nameless("_check_unblinded"),
    ),
}
"""What is taken away → the test that must fail then, and how it is taken."""


@pytest.mark.parametrize("weakness", WEAKENED)
def test_a_weakened_build_is_found(trial_world, monkeypatch, weakness):
    test, take_away = WEAKENED[weakness]
    take_away(monkeypatch)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        test(trial_world)


def test_a_gateway_that_shows_what_nothing_recorded_is_found(trial_world, weaken):
    weaken(reveal, "if not participants:", "if False:")
    with pytest.raises(pytest.fail.Exception):
        test_nothing_is_revealed_that_was_not_written_down(trial_world)


def test_an_envelope_opened_that_shows_the_allocation_again_is_found(trial_world, weaken):
    weaken(commands.unblind_in_emergency, 'if command.means == "system":', "if True:")
    with pytest.raises(pytest.fail.Exception):
        test_an_envelope_opened_when_the_system_was_down_is_recorded_and_shows_nothing_more(trial_world)
