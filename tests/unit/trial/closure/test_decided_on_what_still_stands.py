"""No act lands behind a gate that closed while it was decided: one race at a time, and histories of many at once.

The gates stand in other streams than what the acts write, so nothing but the check of what was read can find it. Each
attack is also seen to succeed against builds that leave that check out.
"""

from __future__ import annotations

import copy
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext

import pytest

from trialwright.foundation.errors import Refusal
from trialwright.foundation.ports import DerivedEntropy
from trialwright.ledger import VersionConflict, verify_ledger
from trialwright.ledger.appending import Appending
from trialwright.stores import MemoryStore, open_group_store, open_store
from trialwright.trial.capture.commands import StudyIsFrozen
from trialwright.trial.capture.events import Entered
from trialwright.trial.closure.commands import FreezeStudy
from trialwright.trial.closure.refusals import NotReady
from trialwright.trial.enrolment.commands import SignOffEligibility
from trialwright.trial.event import Space
from trialwright.trial.grouped_writer import GroupedWriter
from trialwright.trial.setup.commands import PauseRecruitment, ResumeRecruitment

WRITERS, TURNS = 5, 12


class Interrupted(DerivedEntropy):
    """Lets something else happen once, when an act is decided and about to be written."""

    def __init__(self, act):
        super().__init__(1)
        self.act = act

    def bytes(self, count, *, purpose, stream, position):
        if purpose.startswith("salt") and self.act is not None:
            act, self.act = self.act, None
            act()
        return super().bytes(count, purpose=purpose, stream=stream, position=position)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def stores(request, tmp_path):
    """The stores of the two spaces; closed at the end."""
    if request.param == "memory":
        yield MemoryStore(), MemoryStore()
        return
    if request.param == "sqlite":
        addresses = [f"sqlite:///{tmp_path}/{name}.db" for name in ("open", "closed")]
    else:
        new = request.getfixturevalue("new_postgres_database")
        addresses = [new(), new()]
    with ExitStack() as opened:
        yield tuple(opened.enter_context(open_store(address)) for address in addresses)


@pytest.fixture
def ready(trial_worlds, endings, stores):
    """A study that could be frozen now."""
    world = trial_worlds(stores=stores)
    return endings(world, [world.randomised()])


def believe_what_was_read(monkeypatch):
    monkeypatch.setattr(Appending, "check", lambda self, expected, as_of=None: None)


def take_any_ledger_for_unmoved(monkeypatch):
    check = Appending.check
    monkeypatch.setattr(Appending, "check", lambda self, read, as_of=None: check(self, read, self.frontier.size))


WEAKENED = pytest.mark.parametrize("weaken", [believe_what_was_read, take_any_ledger_for_unmoved])


def interrupted(world, act):
    """The same trial in another process, where ``act`` happens between deciding and writing."""
    other = copy.copy(world)
    other.trial = world.twin(entropy=Interrupted(act))
    other._requests += 1000  # its requests are its own
    return other


def correct_the_age(world, participant):
    items = {"age": Entered(text="44")}
    world.save(participant, "screening", "screening", items, "nurse", reason="typing error")


def test_a_save_decided_before_a_freeze_is_refused_after_it(ready):
    slower = interrupted(ready.world, ready.freeze)
    with pytest.raises(StudyIsFrozen):
        correct_the_age(slower, ready.participants[0])


@WEAKENED
def test_without_the_check_the_save_lands_after_the_freeze(ready, monkeypatch, weaken):
    slower = interrupted(ready.world, ready.freeze)
    weaken(monkeypatch)
    correct_the_age(slower, ready.participants[0])
    written = [entry.type for entry in ready.world.trial.ledgers[Space.OPEN].read()]
    assert written[-2:] == ["closure.study_frozen", "capture.form_saved"]


def test_a_freeze_decided_before_a_save_is_refused_after_it(ready):
    slower = interrupted(ready.world, lambda: correct_the_age(ready.world, ready.participants[0]))
    with pytest.raises(NotReady):
        slower.give(FreezeStudy(), "data_manager")


@WEAKENED
def test_without_the_check_the_freeze_lands_over_an_unsigned_form(ready, monkeypatch, weaken):
    slower = interrupted(ready.world, lambda: correct_the_age(ready.world, ready.participants[0]))
    weaken(monkeypatch)
    slower.give(FreezeStudy(), "data_manager")
    written = [entry.type for entry in ready.world.trial.ledgers[Space.OPEN].read()]
    assert written[-2:] == ["capture.form_saved", "closure.study_frozen"]


# --- many at once ------------------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, tmp_path):
    return f"sqlite:///{tmp_path}/open.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@contextmanager
def each_alone(world, address):
    """Every client has a connection and a process of its own."""

    @contextmanager
    def client():
        with open_store(address) as store:
            yield world.twin(open_store=store, closed_store=store)

    yield client


@contextmanager
def through_one_writer(world, address):
    """Every client gives its commands to the grouped writer."""

    def start():
        store = open_group_store(address)
        return world.twin(open_store=store, closed_store=store), store

    writer = GroupedWriter(start)
    yield lambda: nullcontext(writer)
    writer.close()


def history(worlds, address, way):
    """Sponsor and investigators at work: recruitment pauses and goes on while eligibility is signed off.

    Returns the open ledger's entries, and how many sign-offs were acknowledged and refused.
    """
    with open_store(address) as store:
        world = worlds(one_space=True, stores=(store, None), listed=False)
        participants = [world.assessed() for _ in range(WRITERS)]
        shown = {participant: world.shown_assessment(participant) for participant in participants}
        gate, over = threading.Barrier(WRITERS + 1), threading.Event()

        def give(trial, *command, **how):
            hand = copy.copy(world)
            hand.trial = trial
            hand.give(*command, **how)

        def sign_off(client, participant):
            done = refused = 0
            with client() as trial:
                gate.wait()
                while not over.is_set():
                    try:
                        command, request = (
                            SignOffEligibility(participant=participant),
                            f"{participant}-{done}-{refused}",
                        )
                        give(trial, command, "investigator", shown=shown[participant], request_id=request)
                        done += 1
                    except (Refusal, VersionConflict):
                        refused += 1
            return done, refused

        def pause(client):
            try:
                with client() as trial:
                    gate.wait()
                    for turn in range(TURNS):
                        command = ResumeRecruitment(site="01") if turn % 2 else PauseRecruitment(site="01")
                        give(trial, command, "sponsor", request_id=f"turn-{turn}", reason="supply")
                        over.wait(0.02)
            finally:
                over.set()

        with way(world, address) as client, ThreadPoolExecutor(WRITERS + 1) as pool:
            signing = [pool.submit(sign_off, client, participant) for participant in participants]
            pool.submit(pause, client).result()
            counts = [one.result() for one in signing]
        ledger = world.trial.ledgers[Space.OPEN]
        assert verify_ledger(ledger, outside={}, keys=[]).fault is None
        return list(ledger.read()), sum(done for done, _ in counts), sum(refused for _, refused in counts)


def behind_the_gate(entries) -> int:
    """Sign-offs that stand between a pause and its end."""
    paused, found = False, 0
    for entry in entries:
        paused = {"setup.recruitment_paused": True, "setup.recruitment_resumed": False}.get(entry.type, paused)
        found += paused and entry.type == "enrolment.eligibility_signed_off"
    return found


@pytest.mark.parametrize("way", [each_alone, through_one_writer])
def test_in_no_history_of_many_writers_does_anything_land_behind_the_gate(trial_worlds, address, way):
    entries, done, refused = history(trial_worlds, address, way)
    assert done > 0
    assert refused > 0
    assert sum(entry.type == "enrolment.eligibility_signed_off" for entry in entries) == done
    assert sum(entry.type.startswith("setup.recruitment_") for entry in entries) == TURNS
    assert behind_the_gate(entries) == 0


@WEAKENED
def test_the_histories_find_a_build_that_does_not_check_what_it_read(trial_worlds, address, monkeypatch, weaken):
    weaken(monkeypatch)
    assert behind_the_gate(history(trial_worlds, address, each_alone)[0]) > 0
