"""The grouped writer: many clients, one connection, one commit for many; nobody is answered before it."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from trialwright.foundation.errors import InvalidValue, Refusal
from trialwright.ledger import verify_ledger
from trialwright.protocol.roles import Role
from trialwright.stores import StoreFull, open_group_store, open_store
from trialwright.stores.errors import StoreUrlInvalid
from trialwright.trial.command import Actor
from trialwright.trial.enrolment.commands import ScreenParticipant
from trialwright.trial.enrolment.events import ParticipantScreened
from trialwright.trial.event import Space
from trialwright.trial.grouped_writer import GroupAbandoned, GroupedWriter, WriterClosed

NURSE = Actor("nurse-01", Role.STUDY_NURSE, "hospital-01", "01")
STRANGER = Actor("nobody", Role.STUDY_NURSE, "hospital-01", "01")


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/open.db"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def sqlite_address(tmp_path):
    return f"sqlite:///{tmp_path}/open.db"


@pytest.fixture
def opened(trial_worlds):
    """Address → how a writer starts on a trial that is open at two sites."""

    def make(address, checkpoint=None, store_of=open_group_store):
        with open_store(address) as store:
            world = trial_worlds(one_space=True, stores=(store, None), listed=False)

        def start():
            grouped = store_of(address)
            return world.twin(open_store=grouped, closed_store=grouped, checkpoint=checkpoint), grouped

        return start

    return make


def screen(writer, number, by=NURSE):
    return writer.dispatch(ScreenParticipant(site="01"), by=by, request_id=f"screen-{number}")


def ledger_of(store):
    return store.ledger(next(name for name in store.ledger_ids() if name.endswith("/open")))


def held_up(start):
    """The start waits at a gate, so that a group gathers before the first command is carried out."""
    gate = threading.Event()

    def wait():
        gate.wait()
        return start()

    return gate, wait


def test_many_clients_share_commits_and_each_gets_its_own_answer(address, opened):
    writer = GroupedWriter(opened(address))
    with ThreadPoolExecutor(16) as clients:
        receipts = list(clients.map(lambda n: screen(writer, n), range(48)))
    writer.close()
    assert [receipt.request_id for receipt in receipts] == [f"screen-{n}" for n in range(48)]
    assert len({receipt.event(ParticipantScreened).participant for receipt in receipts}) == 48
    assert writer.acts == 48
    assert writer.commits < 48
    with open_store(address) as store:
        assert verify_ledger(ledger_of(store), outside={}, keys=[]).fault is None
        assert all(ledger_of(store).find_request(f"screen-{n}") for n in range(48))


def test_an_answer_means_that_the_commit_is_done(address, opened):
    writer = GroupedWriter(opened(address))
    with open_store(address) as other:
        for number in range(5):
            screen(writer, number)
            assert ledger_of(other).find_request(f"screen-{number}")
    writer.close()


def test_a_refused_command_takes_nobody_with_it(address, opened):
    gate, start = held_up(opened(address))
    writer = GroupedWriter(start)
    with ThreadPoolExecutor(3) as clients:
        asked = [clients.submit(screen, writer, n, by) for n, by in enumerate((NURSE, STRANGER, NURSE))]
        gate.set()
        assert asked[0].result().facts
        with pytest.raises(Refusal):
            asked[1].result()
        assert asked[2].result().facts
    writer.close()


def test_a_request_sent_twice_is_carried_out_once(address, opened):
    writer = GroupedWriter(opened(address))
    with ThreadPoolExecutor(4) as clients:
        receipts = list(clients.map(lambda _: screen(writer, 1), range(4)))
    writer.close()
    assert len({receipt.facts for receipt in receipts}) == 1
    assert sum(not receipt.repeated for receipt in receipts) == 1


class Failing:
    """A store whose first commit fails as on a full disk."""

    def __init__(self):
        self.left = 1

    def __call__(self, address):
        store = open_group_store(address)
        commit = store.commit_group

        def fail_once():
            if self.left:
                self.left -= 1
                raise StoreFull("the disk is full", remedy="make room")
            commit()

        store.commit_group = fail_once
        return store


def test_nobody_of_a_failed_group_is_answered_and_all_may_ask_again(address, opened):
    gate, start = held_up(opened(address, store_of=Failing()))
    writer = GroupedWriter(start)
    with ThreadPoolExecutor(4) as clients:
        asked = [clients.submit(screen, writer, n) for n in range(4)]
        gate.set()
        failed = [one.exception() for one in asked]
    assert any(isinstance(error, GroupAbandoned) for error in failed)
    with open_store(address) as store:
        for number, error in enumerate(failed):
            assert bool(ledger_of(store).find_request(f"screen-{number}")) == (error is None)
        again = [screen(writer, number) for number in range(4)]
        writer.close()
        assert len({receipt.event(ParticipantScreened).participant for receipt in again}) == 4
        assert verify_ledger(ledger_of(store), outside={}, keys=[]).fault is None


def test_a_head_is_signed_after_its_commit(sqlite_address, opened):
    seen = []

    def checkpoint(space):
        with sqlite3.connect(sqlite_address.removeprefix("sqlite:///")) as other:
            [size] = other.execute("SELECT max(size) FROM ledger_head").fetchone()
        seen.append((space, size))

    start = opened(sqlite_address, checkpoint)

    def asking():
        trial, store = start()
        trial._checkpoint = lambda receipt, permission: trial.checkpoint(Space.OPEN)  # as after a signature
        return trial, store

    writer = GroupedWriter(asking)
    receipt = screen(writer, 1)
    writer.close()
    assert seen
    with open_store(sqlite_address) as store:
        last = ledger_of(store).find_request(receipt.request_id)[-1].seq
    assert seen[-1] == (Space.OPEN, last)


def test_a_writer_that_was_closed_says_so(sqlite_address, opened):
    writer = GroupedWriter(opened(sqlite_address))
    writer.close()
    with pytest.raises(WriterClosed):
        screen(writer, 1)


def test_a_writer_with_both_spaces_is_refused(sqlite_address, tmp_path, trial_worlds):
    closed = f"sqlite:///{tmp_path}/closed.db"
    with open_store(sqlite_address) as one, open_store(closed) as other:
        world = trial_worlds(stores=(one, other), listed=False)

    def start():
        grouped = open_group_store(sqlite_address)
        return world.twin(open_store=grouped, closed_store=open_store(closed)), grouped

    writer = GroupedWriter(start)
    with pytest.raises(GroupAbandoned, match="both spaces"):
        screen(writer, 1)
    writer.close()


def test_groups_of_none_and_stores_in_memory_are_refused(opened, sqlite_address):
    with pytest.raises(InvalidValue):
        GroupedWriter(opened(sqlite_address), most=0)
    with pytest.raises(StoreUrlInvalid):
        open_group_store("memory:")
