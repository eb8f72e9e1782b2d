"""Gates before randomisation, positions in their order, and two at once."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from typing import get_args

import pytest

from trialwright.build.compile import compiled
from trialwright.foundation.errors import Refusal
from trialwright.foundation.ports import DerivedEntropy
from trialwright.protocol.randomisation import Randomisation
from trialwright.protocol.roles import Role
from trialwright.sealing import IdealSealer, InProcessDispensing, KeyOpener, KeyPurpose, SealedList, open_list
from trialwright.stores.opening import open_store
from trialwright.trial.allocation.commands import (
    AlreadyRandomised,
    ListExhausted,
    ListNotCommitted,
    ListNotFitting,
    NotRandomised,
    NotSignedOff,
    NotWhatWasShown,
    RandomiseParticipant,
    RecordMistakenRandomisation,
    RevealsArm,
    SealAllocationList,
    SignOffOutdated,
    StratumUndecided,
)
from trialwright.trial.allocation.events import (
    AllocationListCommitted,
    AllocationPositionTaken,
    MistakenRandomisationRecorded,
    ParticipantRandomised,
)
from trialwright.trial.allocation.gateway import SealedAllocations
from trialwright.trial.allocation.preparation import Secret, prepare_list, strata_of
from trialwright.trial.allocation.proof import open_lists, verify_allocations
from trialwright.trial.allocation.state import Commitments, Randomised, SealedRows, Stratum
from trialwright.trial.allocation.views import COMMITMENT, FACTOR, RANDOMISATION
from trialwright.trial.capture.events import Entered
from trialwright.trial.closure.state import Deviations
from trialwright.trial.command import Actor, NotFound
from trialwright.trial.consent.commands import WithdrawConsent
from trialwright.trial.consent.gate import ConsentNotInForce
from trialwright.trial.enrolment.commands import EndParticipation
from trialwright.trial.enrolment.gate import ParticipationOver, SiteNotRecruiting
from trialwright.trial.event import Space
from trialwright.trial.setup.commands import ActivateAmendment, ApproveBuild, PauseRecruitment
from trialwright.trial.setup.events import Approval

FEMALE, MALE = "sex=female", "sex=male"


def randomise(world, participant, **how):
    receipt = world.give(RandomiseParticipant(participant=participant), "investigator", **how)
    return receipt.event(ParticipantRandomised)


def in_the_clear(world):
    """Stratum → labels by position, opened with the unblinding key."""
    rows = world.trial.state().of(SealedRows).by_list[1]
    opener = KeyOpener(world.unblinding_key)
    lists = {}
    for row in open_list(_sealed(rows), opener):
        lists.setdefault(row.place.stratum, []).append(row.value)
    return lists


def _sealed(rows):
    return SealedList(rows[0].place.ledger, b"", {}, tuple(rows))


# --- the list -----------------------------------------------------------------------------------------------


def test_a_list_is_sealed_in_the_closed_space_and_committed_to_in_the_open_one(trial_worlds):
    world = trial_worlds(listed=False)
    prepared = world.prepared_list(rows=8)
    receipt = world.seal_list(prepared)
    committed = receipt.event(AllocationListCommitted)
    assert committed.root == prepared.sealed.root.hex()
    assert [(part.stratum, part.rows) for part in committed.strata] == [(FEMALE, 8), (MALE, 8)]
    assert set(committed.recipients) == {"dispensing", "unblinding"}
    assert world.types("allocation") == ["allocation.list_committed"]
    assert world.types("allocation", Space.CLOSED) == ["allocation.rows_sealed"]


def test_neither_space_holds_the_seed_the_block_sizes_or_a_label(trial_worlds):
    world = trial_worlds(listed=False)
    world.seal_list()
    world.randomised()
    for space in Space:
        for entry in world.trial.ledgers[space].read():
            if entry.type == "setup.build_approved":
                continue  # what the study says in public, its sequences among it
            for word in (b"cells_first", b"saline_first", b"sizes", bytes(range(32)).hex().encode()):
                assert word not in entry.body, (space, entry.type, word)


def test_all_sealed_rows_have_one_length(trial_world):
    rows = trial_world.trial.state().of(SealedRows).by_list[1]
    assert len({len(token) for row in rows for token in row.tokens.values()}) == 1


def test_a_list_that_does_not_fit_the_study_is_refused(trial_worlds, small_study):
    world = trial_worlds(listed=False)
    good = world.prepared_list()
    elsewhere = trial_worlds(
        compiled(
            small_study.model_copy(update={"identity": small_study.identity.model_copy(update={"id": "other"})})
        ),
        opened=False,
    )
    one_stratum = good.sealed.rows[:9]
    for wrong, why in (
        (replace(good, number=2), "the next is 1"),
        (replace(good, method="complete"), "made by complete"),
        (elsewhere.prepared_list(), "sealed for other"),
        (replace(good, sealed=replace(good.sealed, rows=one_stratum)), "strata differ"),
    ):
        command = SealAllocationList(prepared=wrong)
        refused = world.refuses(ListNotFitting, command, "statistician", shown=wrong.sealed.root.hex())
        assert why in refused.message
    world.refuses(NotWhatWasShown, SealAllocationList(prepared=good), "statistician", shown="0" * 64)
    world.seal_list(good)
    again = SealAllocationList(prepared=good)
    world.refuses(ListNotFitting, again, "statistician", shown=good.sealed.root.hex())


def amended(study, **changes):
    """A build that randomises otherwise."""
    return compiled(study.model_copy(update={"randomisation": study.randomisation.model_copy(update=changes)}))


def approve_and_move(world, build, *, site):
    world.give(ApproveBuild(build=build.id, evidence="e", summary="s"), "sponsor")
    approvals = (Approval(kind="ethics", reference="2", date="2025-02-01"),)
    world.give(ActivateAmendment(site=site, build=build.id, approvals=approvals, reconsent=False), "sponsor")


@pytest.mark.parametrize(
    "changes",
    [{"method": "complete"}, {"ratio": {"cells_first": 2, "saline_first": 1}}, {"strata": ()}, {"by_site": True}],
)
def test_an_amendment_that_randomises_otherwise_neither_uses_the_list_nor_continues_it(
    trial_worlds, small_build, small_study, changes
):
    other = amended(small_study, **changes)
    world = trial_worlds(small_build, other)
    approve_and_move(world, other, site="01")
    participant, elsewhere = world.signed_off(), world.signed_off(site="02")
    world.refuses(ListNotFitting, RandomiseParticipant(participant=participant), "investigator")
    world.randomised(elsewhere)
    world.build = other
    parameters = {} if "method" in changes else {"sizes": [3, 6]} if "ratio" in changes else None
    prepared = world.prepared_list(number=2, rows=6, parameters=parameters)
    command = SealAllocationList(prepared=prepared)
    refused = world.refuses(ListNotFitting, command, "statistician", shown=prepared.sealed.root.hex())
    assert "randomises otherwise" in refused.message


@pytest.mark.parametrize("method", ["random_permuted_blocks", "minimisation"])
def test_a_site_that_an_amendment_adds_randomises_once_a_list_knows_it(trial_worlds, small_study, method):
    both = amended(small_study, method=method, by_site=True)
    one_site = small_study.identity.model_copy(update={"sites": small_study.identity.sites[:1]})
    first = amended(small_study.model_copy(update={"identity": one_site}), method=method, by_site=True)
    world = trial_worlds(first, both, opened=False)
    world.open(sites=("01",))
    parameters = {"probability": "4/5"} if method == "minimisation" else {"sizes": [2, 4]}
    world.seal_list(world.prepared_list(rows=4, parameters=parameters))
    earlier = [world.randomised(sex=sex) for sex in "FFM"]
    labels = [world.trial.allocations.label(p) for p in earlier]

    world.give(ApproveBuild(build=both.id, evidence="e", summary="s"), "sponsor")
    world.build = both
    world.open_site("02")
    added = world.signed_off(site="02")
    world.refuses(ListExhausted, RandomiseParticipant(participant=added), "investigator@02")
    world.seal_list(world.prepared_list(number=2, rows=4, parameters=parameters))
    world.randomised(added)
    lists = open_lists(world.trial.state(), KeyOpener(world.unblinding_key))
    proved = verify_allocations(world.trial.facts(), lists, world.trial.builds)
    assert proved == {p: world.trial.allocations.label(p) for p in (*earlier, added)}
    assert [proved[p] for p in earlier] == labels


def test_long_lists_come_in_parts_and_fold_to_one(trial_worlds, monkeypatch):
    monkeypatch.setattr("trialwright.trial.allocation.commands.ROWS_IN_AN_EVENT", 3)
    world = trial_worlds()
    assert world.types("allocation", Space.CLOSED) == ["allocation.rows_sealed"] * 6
    rows = world.trial.state().of(SealedRows).by_stratum
    assert [row.place.position for row in rows[FEMALE]] == list(range(8))
    assert len(in_the_clear(world)[MALE]) == 8


# --- the gates ----------------------------------------------------------------------------------------------


def test_nobody_is_randomised_before_a_list_is_committed_to(trial_worlds):
    world = trial_worlds(listed=False)
    participant = world.signed_off()
    world.refuses(ListNotCommitted, RandomiseParticipant(participant=participant), "investigator")
    world.seal_list()
    randomise(world, participant)


def test_nobody_is_randomised_before_consent_or_sign_off(trial_world):
    def refused(refusal, participant):
        trial_world.refuses(refusal, RandomiseParticipant(participant=participant), "investigator")

    refused(NotFound, "NO-01-099")
    participant = trial_world.screened()
    refused(ConsentNotInForce, participant)
    trial_world.sign_consent(participant)
    refused(ConsentNotInForce, participant)
    trial_world.countersign(participant)
    refused(NotSignedOff, participant)
    trial_world.examined(participant)
    trial_world.assessed(participant)
    refused(NotSignedOff, participant)
    trial_world.signed_off(participant)
    assert randomise(trial_world, participant).position == 0
    refused(AlreadyRandomised, participant)


def test_who_left_or_withdrew_from_treatment_is_not_randomised(trial_world):
    withdrawn, left = trial_world.signed_off(), trial_world.signed_off()
    trial_world.give(WithdrawConsent(participant=withdrawn, scopes=("treatment",)), "nurse")
    trial_world.refuses(ConsentNotInForce, RandomiseParticipant(participant=withdrawn), "investigator")
    trial_world.give(EndParticipation(participant=left, date=trial_world.today, how="died"), "nurse")
    trial_world.refuses(ParticipationOver, RandomiseParticipant(participant=left), "investigator")


def test_a_site_that_paused_randomises_nobody(trial_world):
    participant = trial_world.signed_off()
    trial_world.give(PauseRecruitment(site="01"), "sponsor")
    trial_world.refuses(SiteNotRecruiting, RandomiseParticipant(participant=participant), "investigator")


def test_a_sign_off_counts_for_the_days_the_study_gives(trial_world):
    participant, late = trial_world.signed_off(), trial_world.signed_off()
    trial_world.later(days=28)
    randomise(trial_world, participant)
    trial_world.later(days=1)
    refused = trial_world.refuses(SignOffOutdated, RandomiseParticipant(participant=late), "investigator")
    assert refused.given["days"] == 29
    trial_world.signed_off(late)
    randomise(trial_world, late)


def test_data_that_change_after_the_sign_off_stop_the_randomisation(trial_world):
    participant = trial_world.signed_off(age="34")
    items = {"age": Entered(text="61", unit="a")}
    trial_world.save(participant, "screening", "screening", items, "nurse", reason="typing error")
    trial_world.refuses(SignOffOutdated, RandomiseParticipant(participant=participant), "investigator")


def test_a_stratum_that_data_do_not_decide_stops_the_randomisation(trial_worlds, small_study):
    sex = small_study.randomisation.strata[0].model_copy(
        update={"level": {"female": "pregnant", "male": "age > 99 'a'"}}
    )
    randomisation = small_study.randomisation.model_copy(update={"strata": (sex,)})
    world = trial_worlds(compiled(small_study.model_copy(update={"randomisation": randomisation})))
    participant = world.signed_off(sex="M")
    refused = world.refuses(StratumUndecided, RandomiseParticipant(participant=participant), "investigator")
    assert "sex" in refused.message


# --- positions ----------------------------------------------------------------------------------------------


def test_allocations_follow_the_list_of_the_stratum_in_its_order(trial_world):
    order = {FEMALE: [], MALE: []}
    for number in range(12):
        sex = "FM"[number % 3 == 1]
        participant = trial_world.randomised(site=("01", "02")[number % 2], sex=sex)
        order[FEMALE if sex == "F" else MALE].append(participant)
    clear = in_the_clear(trial_world)
    for stratum, participants in order.items():
        given = [trial_world.trial.allocations.label(p) for p in participants]
        assert given == clear[stratum][: len(given)]
        number = trial_world.trial.state().of(Commitments).numbers[stratum]
        assert [t.participant for t in trial_world.trial.state().of(Stratum, str(number)).taken] == participants


def test_the_list_has_the_shape_of_its_method(trial_world):
    clear = in_the_clear(trial_world)
    for stratum in (FEMALE, MALE):
        running = Counter()
        for label in clear[stratum]:
            running[label] += 1
            assert abs(running["cells_first"] - running["saline_first"]) <= 2  # blocks of 2 and 4


def test_when_the_stratum_is_used_up_a_list_that_continues_it_is_needed(trial_worlds):
    world = trial_worlds(listed=False)
    world.seal_list(world.prepared_list(rows=2))
    first = [world.randomised(), world.randomised()]
    third = world.signed_off()
    refused = world.refuses(ListExhausted, RandomiseParticipant(participant=third), "investigator")
    assert FEMALE in refused.message
    world.seal_list(world.prepared_list(number=2, rows=4))
    event = randomise(world, third)
    assert (event.number, event.position) == (1, 2)
    allocations = world.trial.allocations
    assert {allocations.label(p) for p in (*first, third)} <= {"cells_first", "saline_first"}
    assert world.trial.state().of(Commitments).rows == {FEMALE: 6, MALE: 6}


def test_a_retry_takes_no_second_position(trial_world):
    participant = trial_world.signed_off()
    first = trial_world.give(RandomiseParticipant(participant=participant), "investigator", request_id="r")
    second = trial_world.give(RandomiseParticipant(participant=participant), "investigator", request_id="r")
    assert second.facts == first.facts
    assert trial_world.randomised() != participant
    assert trial_world.trial.state().of(Randomised, "NO-01-002").position == 1


def test_tokens_say_nothing_and_differ(trial_world):
    tokens = [trial_world.trial.state().of(Randomised, trial_world.randomised()).token for _ in range(4)]
    assert len(set(tokens)) == 4
    assert all(len(bytes.fromhex(token)) == 16 for token in tokens)


def test_two_at_once_never_take_one_position(trial_worlds, tmp_path):
    def stores():
        return tuple(open_store(f"sqlite:///{tmp_path}/{name}.db") for name in ("open", "closed"))

    world = trial_worlds(stores=stores())
    participants = [world.signed_off() for _ in range(8)]
    problems, start = [], threading.Barrier(4)

    def process(mine):
        try:
            open_, closed = stores()
            with open_, closed:
                trial = world.twin(open_store=open_, closed_store=closed)
                start.wait()
                for participant in mine:
                    trial.dispatch(
                        RandomiseParticipant(participant=participant),
                        by=Actor("investigator-01", Role.INVESTIGATOR, "hospital-01", "01"),
                        request_id=f"r-{participant}",
                    )
        except BaseException as problem:  # shown by the assertion below
            problems.append(problem)

    threads = [threading.Thread(target=process, args=(participants[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    state = world.trial.state()
    assert sorted(state.of(Randomised, p).position for p in participants) == list(range(8))
    taken = [t.participant for t in state.of(Stratum, "1").taken]
    assert [state.of(Randomised, p).position for p in taken] == list(range(8))
    clear = in_the_clear(world)[FEMALE]
    assert [world.trial.allocations.label(p) for p in taken] == clear


def test_randomising_reads_and_writes_the_open_space_only(trial_worlds):
    world = trial_worlds()
    participant = world.signed_off()
    closed = world.heads()[Space.CLOSED]
    randomise(world, participant)
    assert world.heads()[Space.CLOSED] == closed


def test_another_list_changes_no_byte_of_the_open_space(trial_worlds):
    """Two lists, sealed ideally: bytes that depend on the position only."""
    bodies, labels = [], []
    for seed in (b"\x01" * 32, b"\x04" * 32):
        world = trial_worlds(listed=False)
        secret = Secret(seed=seed, parameters={"sizes": [2, 4]}, rows=dict.fromkeys(strata_of(world.build), 8))
        sealer = IdealSealer()
        world.seal_list(prepare_list(world.build, secret, number=1, sealer=sealer, entropy=DerivedEntropy(1)))
        service = InProcessDispensing(sealer.opener(KeyPurpose.DISPENSING))
        gateway = SealedAllocations(world.trial.state, world.trial.builds, service)
        participants = [world.randomised() for _ in range(6)]
        labels.append([gateway.label(p) for p in participants])
        bodies.append([entry.body for entry in world.trial.ledgers[Space.OPEN].read()])
    assert labels[0] != labels[1]
    assert bodies[0] == bodies[1]


# --- mistakes and views -------------------------------------------------------------------------------------


def test_a_mistaken_randomisation_is_recorded_and_not_undone(trial_world):
    participant = trial_world.randomised()
    label = trial_world.trial.allocations.label(participant)
    receipt = trial_world.give(
        RecordMistakenRandomisation(participant=participant, what="EDSS was read wrongly"), "investigator"
    )
    assert receipt.event(MistakenRandomisationRecorded).flags == ("randomised_by_mistake",)
    state = trial_world.trial.state()
    assert state.of(Deviations, participant).waiting() == ("randomisation.by_mistake",)
    assert state.of(Randomised, participant).by_mistake
    assert trial_world.trial.allocations.label(participant) == label
    assert trial_world.trial.state().of(Randomised, trial_world.randomised()).position == 1


def test_a_mistake_is_told_without_naming_an_arm_and_about_somebody_randomised(trial_world):
    participant = trial_world.randomised()
    for what in ("should have got the cells", "Saline by mistake", "was in cells_first"):
        command = RecordMistakenRandomisation(participant=participant, what=what)
        trial_world.refuses(RevealsArm, command, "investigator")
    other = trial_world.screened()
    command = RecordMistakenRandomisation(participant=other, what="clicked")
    trial_world.refuses(NotRandomised, command, "investigator")
    trial_world.refuses(NotFound, replace(command, participant="NO-01-099"), "monitor")


def test_the_views_show_commitment_position_and_factors(trial_world):
    participant = trial_world.randomised(sex="M")
    rows = trial_world.trial.stores[Space.OPEN].rows
    assert [(r["stratum"], r["rows"]) for r in rows.where(COMMITMENT)] == [(FEMALE, 8), (MALE, 8)]
    row = rows.get(RANDOMISATION, (participant,))
    assert (row["stratum"], row["position"], row["by_mistake"], row["unblinded"]) == (MALE, 0, 0, None)
    assert rows.get(FACTOR, (participant, "sex"))["level"] == "male"


# --- other methods ------------------------------------------------------------------------------------------

PARAMETERS = {
    "complete": {},
    "random_allocation_rule": {},
    "permuted_blocks": {"size": 4},
    "random_permuted_blocks": {"sizes": [2, 4]},
    "big_stick": {"tolerance": 2},
    "maximal_procedure": {"tolerance": 2},
    "efron": {"probability": "2/3"},
    "wei_urn": {"initial": 1, "added": 1},
    "block_urn": {"balanced_sets": 2},
    "minimisation": {"probability": "4/5"},
}


def test_every_method_a_study_may_declare_is_covered_here():
    declared = Randomisation.model_fields["method"].annotation
    assert set(PARAMETERS) == set(get_args(declared))


@pytest.mark.parametrize("method", PARAMETERS)
def test_every_method_a_study_may_declare_randomises(trial_worlds, small_study, method):
    randomisation = small_study.randomisation.model_copy(update={"method": method, "by_site": True})
    world = trial_worlds(compiled(small_study.model_copy(update={"randomisation": randomisation})), listed=False)
    prepared = world.prepared_list(rows=4, parameters=PARAMETERS[method])
    receipt = world.seal_list(prepared)
    strata = [part.stratum for part in receipt.event(AllocationListCommitted).strata]
    assert len(strata) == (1 if method == "minimisation" else 4)
    here, there = world.randomised(sex="F"), world.randomised(site="02", sex="M")
    for participant in (here, there):
        assert world.trial.allocations.label(participant) in {"cells_first", "saline_first"}
    (factors,) = (
        fact.event.factors
        for fact in world.trial.facts()
        if isinstance(fact.event, AllocationPositionTaken) and fact.event.participant == there
    )
    assert factors == {"site": "02", "sex": "male"}


def test_parameters_that_the_method_does_not_take_are_refused_while_preparing(trial_worlds):
    world = trial_worlds(listed=False)
    with pytest.raises(Exception, match="random_permuted_blocks") as caught:
        world.prepared_list(parameters={"size": 4})
    assert not isinstance(caught.value, Refusal)
    assert caught.value.remedy
