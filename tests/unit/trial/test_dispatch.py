"""The one door: idempotent requests, conflicts, refusals, two spaces, and the crash between their commits."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.ports import DerivedEntropy
from trialwright.ledger import VersionConflict
from trialwright.protocol.roles import Role
from trialwright.stores.memory import MemoryTransaction
from trialwright.trial.allocation.commands import DispenseAllocation, RandomiseParticipant, UnblindInEmergency
from trialwright.trial.allocation.events import EmergencyUnblinded, ParticipantRandomised
from trialwright.trial.capture.commands import RecordVisit, SaveForm
from trialwright.trial.capture.events import Entered
from trialwright.trial.capture.state import ClosedCaseBook
from trialwright.trial.command import Actor, NotYet, Signature
from trialwright.trial.consent.commands import WithdrawConsent
from trialwright.trial.dispatch import RETRIES, SpacesNotApart, _older
from trialwright.trial.enrolment.commands import ScreenParticipant
from trialwright.trial.enrolment.events import ParticipantScreened
from trialwright.trial.enrolment.state import Numbering
from trialwright.trial.event import Space
from trialwright.trial.permission import NotPermitted, SpaceUnavailable
from trialwright.trial.requests import RequestReused, RequestUnreadable
from trialwright.trial.setup.commands import CreateStudy, PauseRecruitment, ResumeRecruitment, SiteNotActive
from trialwright.trial.setup.state import SiteSetup

NURSE = Actor("nurse-01", Role.STUDY_NURSE, "hospital-01", "01")
SPONSOR = Actor("sponsor", Role.SPONSOR, "centre")
INVESTIGATOR = Actor("investigator-01", Role.INVESTIGATOR, "hospital-01", "01")


class Interrupted(DerivedEntropy):
    """Entropy that lets something else happen first, each of the first ``times`` times a salt is asked for."""

    def __init__(self, seed, act, times=1):
        super().__init__(seed)
        self.act, self.times, self.busy = act, times, False

    def bytes(self, count, *, purpose, stream, position):
        if purpose.startswith("salt") and self.times and not self.busy:
            self.times -= 1
            self.busy = True
            self.act()
            self.busy = False
        return super().bytes(count, purpose=purpose, stream=stream, position=position)


class Crash(Exception):
    """Stands for the end of the process."""


class CrashingStore:
    """An open store whose process ends when it is about to commit."""

    def __init__(self, store):
        self._store = store

    def __getattr__(self, name):
        return getattr(self._store, name)

    def ledger(self, ledger_id):
        return CrashingLedger(self._store.ledger(ledger_id))


class CrashingLedger:
    def __init__(self, ledger):
        self._ledger = ledger

    def __getattr__(self, name):
        return getattr(self._ledger, name)

    @contextmanager
    def transaction(self, foreseen):
        with self._ledger.transaction(foreseen) as transaction:
            yield transaction
            raise Crash


def test_a_retry_of_a_request_gets_the_first_result_and_writes_nothing(trial_world):
    first = trial_world.give(ScreenParticipant(site="01"), "nurse", request_id="once")
    heads = trial_world.heads()
    second = trial_world.give(ScreenParticipant(site="01"), "nurse", request_id="once")
    assert second.repeated
    assert not first.repeated
    assert second.facts == first.facts
    assert trial_world.heads() == heads


def test_a_retry_of_an_act_in_both_spaces_gets_the_facts_of_both(trial_world):
    command = UnblindInEmergency(participant=trial_world.randomised())
    first = trial_world.give(command, "investigator", reason="seizure", request_id="once")
    second = trial_world.give(command, "investigator", reason="seizure", request_id="once")
    assert second.facts == first.facts
    assert {fact.event.SPACE for fact in second.facts} == {Space.OPEN, Space.CLOSED}
    assert second.repeated


def test_of_two_clicks_at_once_both_get_the_first_result(trial_world):
    command = RandomiseParticipant(participant=trial_world.signed_off())
    first = []

    def other_click():
        first.append(trial_world.give(command, "investigator", request_id="twice"))

    second = trial_world.twin(entropy=Interrupted(1, other_click)).dispatch(
        command, by=INVESTIGATOR, request_id="twice"
    )
    assert second.repeated
    assert second.facts == first[0].facts


@pytest.mark.parametrize(
    ("command", "by", "how"),
    [
        (ScreenParticipant(site="02"), "nurse@02", {}),
        (ScreenParticipant(site="01"), "investigator", {}),
        (ScreenParticipant(site="01"), "nurse", {"reason": "another one"}),
        (ScreenParticipant(site="01"), "nurse", {"observed_at": "2025-03-03T09:00:00+01:00"}),
        (PauseRecruitment(site="01"), "sponsor", {}),
    ],
    ids=["other site", "other person", "other reason", "other time", "other command"],
)
def test_a_request_id_that_stands_for_something_else_is_refused(trial_world, command, by, how):
    trial_world.give(ScreenParticipant(site="01"), "nurse", request_id="once")
    trial_world.refuses(RequestReused, command, by, request_id="once", **how)


def test_a_form_sent_again_under_its_old_id_with_another_value_is_not_answered_as_saved(trial_world):
    participant = trial_world.consented()
    trial_world.give(RecordVisit(participant=participant, encounter="screening", date=trial_world.today), "nurse")
    form = {"participant": participant, "encounter": "screening", "form": "screening", "read_version": 0}
    trial_world.give(SaveForm(items={"sex": Entered(text="F")}, **form), "nurse", request_id="page")
    again = SaveForm(items={"sex": Entered(text="M")}, **form)
    trial_world.refuses(RequestReused, again, "nurse", request_id="page")


def test_nobody_fetches_what_somebody_else_was_allowed_to_see(trial_world):
    command = UnblindInEmergency(participant=trial_world.randomised())
    trial_world.give(command, "investigator", reason="seizure", request_id="night")
    refusal = trial_world.refuses(RequestReused, command, "nurse", reason="seizure", request_id="night")
    assert "cells" not in str(refusal)


def test_two_slices_of_one_ledger_must_both_be_as_they_were_read():
    assert _older({"a": 3, "b": 1}, {"a": 2, "c": 5}) == {"a": 2, "b": 1, "c": 5}
    assert _older({"a": 2}, {"a": 3}) == {"a": 2}


def test_a_decision_is_taken_again_when_what_it_read_has_moved(trial_world):
    def somebody_else_screens():
        trial_world.give(ScreenParticipant(site="01"), "nurse")

    twin = trial_world.twin(entropy=Interrupted(1, somebody_else_screens, times=3))
    receipt = twin.dispatch(ScreenParticipant(site="01"), by=NURSE, request_id="mine")
    assert receipt.event(ParticipantScreened).participant == "NO-01-004"
    assert trial_world.trial.state().of(Numbering, "01").last == 4


def test_a_gate_that_closes_meanwhile_refuses(trial_world):
    def sponsor_pauses():
        trial_world.give(PauseRecruitment(site="01"), "sponsor")

    twin = trial_world.twin(entropy=Interrupted(1, sponsor_pauses))
    with pytest.raises(Exception, match="paused") as caught:
        twin.dispatch(ScreenParticipant(site="01"), by=NURSE, request_id="mine")
    assert caught.value.code == "enrolment.site_not_recruiting"
    assert trial_world.trial.state().of(Numbering, "01").last == 0


def test_what_the_caller_read_decides_only_as_long_as_it_stands(trial_world):
    read = trial_world.trial.state()
    assert read.of(Numbering, "01").last == 0
    trial_world.twin().dispatch(ScreenParticipant(site="01"), by=NURSE, request_id="another")
    receipt = trial_world.trial.dispatch(ScreenParticipant(site="01"), by=NURSE, request_id="mine", state=read)
    assert receipt.event(ParticipantScreened).participant == "NO-01-002"


def test_what_the_caller_read_lets_nobody_in_whom_the_record_refuses_by_now(trial_world):
    trial = trial_world.trial
    read = trial.state()
    assert read.of(Numbering, "01").last == 0
    trial_world.twin().dispatch(PauseRecruitment(site="01"), by=SPONSOR, request_id="pause", reason="a shortage")
    with pytest.raises(Exception, match="paused"):
        trial.dispatch(ScreenParticipant(site="01"), by=NURSE, request_id="mine", state=read)


def test_nobody_is_refused_for_what_the_caller_read_and_is_true_no_more(trial_world):
    trial_world.give(PauseRecruitment(site="01"), "sponsor")
    trial = trial_world.trial
    read = trial.state()
    assert not read.of(SiteSetup, "01").recruiting
    trial_world.twin().dispatch(ResumeRecruitment(site="01"), by=SPONSOR, request_id="resume", reason="it has come")
    receipt = trial.dispatch(ScreenParticipant(site="01"), by=NURSE, request_id="mine", state=read)
    assert receipt.event(ParticipantScreened).participant == "NO-01-001"
    assert trial_world.attempts() == []


def test_after_many_conflicts_the_caller_is_told(trial_world):
    def somebody_else_screens():
        trial_world.give(ScreenParticipant(site="01"), "nurse")

    twin = trial_world.twin(entropy=Interrupted(1, somebody_else_screens, times=2 * RETRIES))
    with pytest.raises(VersionConflict):
        twin.dispatch(ScreenParticipant(site="01"), by=NURSE, request_id="mine")
    assert trial_world.trial.ledgers[Space.OPEN].find_request("mine") == ()


def test_a_refusal_writes_nothing_but_the_security_log(trial_world):
    refusal = trial_world.refuses(SiteNotActive, PauseRecruitment(site="03"), "sponsor", request_id="no")
    assert refusal.as_dict()["error"] == "setup.site_not_active"
    last = trial_world.attempts()[-1]
    assert last["request_id"].startswith("no.")
    assert "03" not in str({key: last[key] for key in ("command", "refusal", "about")})


def test_each_attempt_of_a_refused_request_is_logged(trial_world):
    for _ in range(3):
        trial_world.refuses(SiteNotActive, PauseRecruitment(site="03"), "sponsor", request_id="no")
    assert len({attempt["request_id"] for attempt in trial_world.attempts()}) == 3


def test_a_refused_request_may_succeed_later_under_the_same_id(trial_world):
    trial_world.give(PauseRecruitment(site="01"), "sponsor")
    with pytest.raises(Exception, match="paused"):
        trial_world.give(ScreenParticipant(site="01"), "nurse", request_id="again")
    trial_world.give(ResumeRecruitment(site="01"), "sponsor")
    assert not trial_world.give(ScreenParticipant(site="01"), "nurse", request_id="again").repeated


def test_refusals_of_closed_commands_are_logged_in_the_closed_space(trial_world):
    participant = trial_world.screened()
    before = len(trial_world.attempts())
    with pytest.raises(Exception, match="not randomised"):
        trial_world.give(UnblindInEmergency(participant=participant), "investigator", reason="seizure")
    closed = list(trial_world.trial.stores[Space.CLOSED].ledger("small/security-closed").read())
    assert len(closed) == 1
    assert len(trial_world.attempts()) == before + 1


def test_a_blinded_process_has_no_closed_commands(trial_world):
    participant = trial_world.randomised()
    blinded = trial_world.twin(closed_store=None)
    command = UnblindInEmergency(participant=participant)
    signature = Signature("investigator-01", "unblind_in_emergency", "0" * 64)
    with pytest.raises(SpaceUnavailable):
        blinded.dispatch(command, by=INVESTIGATOR, request_id="u", reason="seizure", signature=signature)
    assert blinded.allocations is None


def test_a_blinded_process_randomises_like_one_that_holds_both_spaces(trial_worlds):
    roots = []
    for closed in (True, False):
        world = trial_worlds()
        participant = world.signed_off()
        process = world.twin() if closed else world.twin(closed_store=None)
        process.dispatch(RandomiseParticipant(participant=participant), by=INVESTIGATOR, request_id="r")
        roots.append(world.heads()[Space.OPEN].root)
    assert roots[0] == roots[1]


def test_when_the_process_dies_between_the_two_commits_the_crossing_is_completed(trial_worlds):
    roots = []
    for crashes in (True, False):
        world = trial_worlds()
        participant = world.randomised()
        command = UnblindInEmergency(participant=participant)
        how = {
            "by": INVESTIGATOR,
            "request_id": "u",
            "reason": "seizure",
            "signature": Signature("investigator-01", "unblind_in_emergency", "0" * 64),
        }
        if crashes:
            dying = world.twin(open_store=CrashingStore(world.trial.stores[Space.OPEN]))
            before = world.heads()
            with pytest.raises(Crash):
                dying.dispatch(command, **how)
            assert world.heads()[Space.OPEN] == before[Space.OPEN]
            assert world.heads()[Space.CLOSED].size == before[Space.CLOSED].size + 2
            world.later(hours=1)
            assert world.trial.recover() == 1
            assert world.trial.recover() == 0
        else:
            world.twin().dispatch(command, **how)
        roots.append({space: head.root for space, head in world.heads().items()})
        assert world.types(f"participant/{participant}")[-1] == "allocation.emergency_unblinded"
    assert roots[0] == roots[1]


def test_the_next_command_completes_what_a_crash_left_and_a_retry_sees_it_as_done(trial_world):
    participant = trial_world.randomised()
    command = UnblindInEmergency(participant=participant)
    signature = Signature("investigator-01", "unblind_in_emergency", "0" * 64)
    dying = trial_world.twin(open_store=CrashingStore(trial_world.trial.stores[Space.OPEN]))
    with pytest.raises(Crash):
        dying.dispatch(command, by=INVESTIGATOR, request_id="u", reason="seizure", signature=signature)
    again = trial_world.twin().dispatch(
        command, by=INVESTIGATOR, request_id="u", reason="seizure", signature=signature
    )
    assert again.repeated
    assert again.event(EmergencyUnblinded).participant == participant


def test_what_the_open_database_refuses_late_keeps_the_closed_one_from_committing(trial_world, monkeypatch):
    participant = trial_world.randomised()
    signature = Signature("investigator-01", "unblind_in_emergency", "0" * 64)
    before, settle = trial_world.heads(), MemoryTransaction.settle

    def refused(transaction):
        settle(transaction)
        assert transaction.head.size == before[Space.OPEN].size + 1, "what it refuses has been written by then"
        raise Crash

    monkeypatch.setattr(MemoryTransaction, "settle", refused)
    how = {"by": INVESTIGATOR, "request_id": "u", "reason": "seizure", "signature": signature}
    with pytest.raises(Crash):
        trial_world.trial.dispatch(UnblindInEmergency(participant=participant), **how)
    assert trial_world.heads() == before


def test_what_the_open_space_wrote_meanwhile_does_not_stop_the_crossing(trial_world):
    participant = trial_world.randomised()
    signature = Signature("investigator-01", "unblind_in_emergency", "0" * 64)
    dying = trial_world.twin(open_store=CrashingStore(trial_world.trial.stores[Space.OPEN]))
    with pytest.raises(Crash):
        dying.dispatch(
            UnblindInEmergency(participant=participant),
            by=INVESTIGATOR,
            request_id="u",
            reason="seizure",
            signature=signature,
        )
    blinded = trial_world.twin(closed_store=None)
    blinded.dispatch(WithdrawConsent(participant=participant), by=NURSE, request_id="w")
    assert trial_world.trial.recover() == 1
    assert trial_world.types(f"participant/{participant}")[-2:] == [
        "consent.withdrawn",
        "allocation.emergency_unblinded",
    ]


def test_a_crossing_left_incomplete_after_we_looked_is_not_buried_under_ours(trial_world):
    dropped, other = trial_world.randomised(), trial_world.randomised()
    how = {"by": INVESTIGATOR, "reason": "seizure"}
    how["signature"] = Signature("investigator-01", "unblind_in_emergency", "0" * 64)
    dying = trial_world.twin(open_store=CrashingStore(trial_world.trial.stores[Space.OPEN]))

    def somebody_else_crashes():
        with pytest.raises(Crash):
            dying.dispatch(UnblindInEmergency(participant=dropped), request_id="first", **how)

    slower = trial_world.twin(entropy=Interrupted(1, somebody_else_crashes))
    slower.dispatch(UnblindInEmergency(participant=other), request_id="second", **how)
    for participant in (dropped, other):
        assert trial_world.types(f"participant/{participant}").count("allocation.emergency_unblinded") == 1


def test_two_processes_that_complete_one_crossing_complete_it_once(trial_world):
    participant = trial_world.randomised()
    signature = Signature("investigator-01", "unblind_in_emergency", "0" * 64)
    dying = trial_world.twin(open_store=CrashingStore(trial_world.trial.stores[Space.OPEN]))
    with pytest.raises(Crash):
        dying.dispatch(
            UnblindInEmergency(participant=participant),
            by=INVESTIGATOR,
            request_id="u",
            reason="seizure",
            signature=signature,
        )
    slower = trial_world.twin(entropy=Interrupted(1, trial_world.trial.recover))
    assert slower.recover() == 0
    assert trial_world.types(f"participant/{participant}").count("allocation.emergency_unblinded") == 1


def test_a_crossing_completed_between_looking_and_writing_is_left_alone(trial_world, monkeypatch):
    participant = trial_world.randomised()
    signature = Signature("investigator-01", "unblind_in_emergency", "0" * 64)
    dying = trial_world.twin(open_store=CrashingStore(trial_world.trial.stores[Space.OPEN]))
    with pytest.raises(Crash):
        dying.dispatch(
            UnblindInEmergency(participant=participant),
            by=INVESTIGATOR,
            request_id="u",
            reason="seizure",
            signature=signature,
        )
    slower = trial_world.twin()
    ledger = slower.ledgers[Space.OPEN]
    look = ledger.find_request

    def look_and_be_overtaken(request_id):
        found = look(request_id)
        trial_world.trial.recover()
        return found

    monkeypatch.setattr(ledger, "find_request", look_and_be_overtaken)
    assert slower.recover() == 0
    assert trial_world.types(f"participant/{participant}").count("allocation.emergency_unblinded") == 1


def test_a_study_with_one_space_writes_everything_into_one_ledger(trial_worlds):
    world = trial_worlds(one_space=True)
    participant = world.randomised()
    receipt = world.give(DispenseAllocation(participant=participant), "investigator")
    assert world.trial.ledgers[Space.CLOSED] is world.trial.ledgers[Space.OPEN]
    assert [fact.event.TYPE for fact in receipt.facts] == ["allocation.disclosed"]
    assert world.types("crossing") == []
    assert world.trial.allocations.label(participant) in {"cells_first", "saline_first"}


def test_where_both_spaces_are_one_what_was_just_written_is_not_read_again(trial_worlds, monkeypatch):
    world = trial_worlds(one_space=True)
    participant = world.screened()
    state = world.trial.state()
    assert state.of(ClosedCaseBook, participant).peek(("log", "diary", 1)).saves == 0
    world.give(WithdrawConsent(participant=participant), "nurse")
    ledger = world.trial.ledgers[Space.OPEN]
    asked, read = [], ledger.read_stream
    monkeypatch.setattr(ledger, "read_stream", lambda stream, after=0: asked.append(stream) or read(stream, after))
    state = world.trial.state()
    version = len(list(read(f"participant/{participant}")))
    for space in (Space.OPEN, Space.CLOSED):
        assert state.version(space, f"participant/{participant}") == version
    assert asked == []


def test_a_blinded_study_writes_nothing_where_both_spaces_are_one(trial_worlds, small_build):
    world = trial_worlds(small_build, opened=False, one_space=True)
    world.refuses(SpacesNotApart, CreateStudy(build=small_build.id), "sponsor")
    world = trial_worlds(small_build)
    participant = world.randomised()
    world.trial = world.twin(closed_store=world.trial.stores[Space.OPEN])
    world.refuses(SpacesNotApart, DispenseAllocation(participant=participant), "laboratory")


@pytest.mark.parametrize("bad", ["\ud800", "a\x00b", "a" * 5000], ids=["half a character", "null", "endless"])
def test_names_that_no_store_could_look_for_are_refused_and_nothing_is_written(trial_world, bad):
    heads = trial_world.heads()
    for command, by, how in (
        (WithdrawConsent(participant=bad), "nurse", {}),
        (ScreenParticipant(site=bad), "nurse", {}),
        (ScreenParticipant(site="01"), "nurse", {"request_id": bad}),
        (ScreenParticipant(site="01"), "nurse", {"reason": bad}),
        (ScreenParticipant(site="01"), Actor(bad, Role.STUDY_NURSE, "hospital-01", "01"), {}),
        (ScreenParticipant(site="01"), Actor("nurse-01", Role.STUDY_NURSE, bad, "01"), {}),
        (ScreenParticipant(site="01"), Actor("nurse-01", Role.STUDY_NURSE, "hospital-01", bad), {}),
        (ScreenParticipant(site="01"), Actor("", Role.STUDY_NURSE, "hospital-01", "01"), {}),
        (ScreenParticipant(site="01"), "nurse", {"request_id": ""}),
    ):
        with pytest.raises(RequestUnreadable):
            trial_world.give(command, by, **how)
        assert trial_world.attempts()[-1]["refusal"] == RequestUnreadable.code
    assert trial_world.heads() == heads


def test_what_is_reported_for_the_future_is_refused(trial_world):
    participant = trial_world.consented()
    trial_world.refuses(
        NotYet, WithdrawConsent(participant=participant), "nurse", observed_at="2025-03-03T20:00:00+01:00"
    )
    ahead = "2031-01-01T00:00:00Z"
    trial_world.refuses(NotYet, ScreenParticipant(site="01"), "nurse", observed_at=ahead)
    trial_world.refuses(NotYet, PauseRecruitment(site="01"), "sponsor", observed_at=ahead)  # asks for no time
    with pytest.raises(InvalidValue):
        trial_world.give(ScreenParticipant(site="01"), "nurse", observed_at="yesterday")


def test_views_folded_again_are_the_views_folded_as_it_happened(trial_world):
    trial_world.randomised()
    trial_world.randomised(site="02", sex="M")
    participant = trial_world.randomised()
    trial_world.give(UnblindInEmergency(participant=participant), "investigator", reason="seizure")
    trial = trial_world.trial
    for space in Space:
        tables = trial.projectors[space].tables
        before = {table.name: list(trial.stores[space].rows.where(table)) for table in tables}
        count = trial.rebuild_views(space)
        after = {table.name: list(trial.stores[space].rows.where(table)) for table in tables}
        assert count == trial.ledgers[space].head().size
        assert after == before
        assert any(before.values())


def test_a_signature_and_a_randomisation_ask_for_a_checkpoint_and_nothing_else_does(trial_world):
    asked = []
    trial_world.trial.checkpoint = asked.append
    participant = trial_world.signed_off()
    signed = len(asked)
    assert signed == 3  # participant, interviewer, investigator
    trial_world.randomised(participant)
    assert asked == [Space.OPEN] * 4
    trial_world.give(UnblindInEmergency(participant=participant), "investigator", reason="seizure")
    assert asked[4:] == [Space.CLOSED, Space.OPEN]
    with pytest.raises(NotPermitted):
        trial_world.give(RandomiseParticipant(participant=participant), "monitor")
    assert len(asked) == 6


def test_the_receipt_names_one_event_of_a_kind(trial_world):
    receipt = trial_world.give(RandomiseParticipant(participant=trial_world.signed_off()), "investigator")
    assert receipt.event(ParticipantRandomised).position == 0
