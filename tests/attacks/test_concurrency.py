"""Histories of many writers, checked afterwards: one order, as everybody saw it, and no save after a lock."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from trialwright.ledger import NewEntry, VersionConflict, canonical, verify_ledger
from trialwright.stores import open_store

LEDGER = "demo/open"
WRITERS, SAVES = 8, 25


@dataclass(frozen=True)
class Done:
    """One acknowledged act: when it began and was answered, and the places it got."""

    began: float
    answered: float
    kind: str
    request: str
    seqs: tuple[int, ...]


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, folder):
    if request.param == "sqlite":
        return f"sqlite:///{folder}/store.db"
    return request.getfixturevalue("postgres_url")


def entry(stream, place, kind, request):
    said = {"stream": stream, "stream_seq": place, "type": kind, "request_id": request, "data": {}}
    return NewEntry(stream, place, kind, request, canonical(said))


def write(address, number, gate, checked):
    """Save forms while they are unlocked; the first writer locks and unlocks."""
    chance, done = random.Random(number), []
    with open_store(address) as store:
        ledger = store.ledger(LEDGER)
        gate.wait()
        for act in range(SAVES):
            request = f"{number}-{act}"
            began = time.perf_counter()
            while True:
                locks, own = ledger.stream_version("lock"), ledger.stream_version(f"form/{number % 3}")
                locked = locks % 2 == 1
                kind = ("form.unlocked" if locked else "form.locked") if number == 0 else "form.saved"
                if kind == "form.saved" and locked:
                    time.sleep(0.001)
                    continue  # the gate says no; asked again, as people do
                time.sleep(chance.random() / 500)  # the decision takes a while
                try:
                    with ledger.transaction() as transaction:
                        if checked or number == 0:
                            transaction.check({"lock": locks, f"form/{number % 3}": own})
                        if number == 0:
                            new = entry("lock", locks + 1, kind, request)
                        else:
                            new = entry(f"form/{number % 3}", own + 1, kind, request)
                        placed = transaction.append([new])
                except VersionConflict:
                    continue
                break
            done.append(Done(began, time.perf_counter(), kind, request, tuple(one.seq for one in placed)))
        if number == 0 and ledger.stream_version("lock") % 2:
            with ledger.transaction() as transaction:
                version = ledger.stream_version("lock")
                transaction.append([entry("lock", version + 1, "form.unlocked", "last")])
    return done


def history(address, *, checked=True):
    """What every writer saw, together."""
    open_store(address).close()
    gate = threading.Barrier(WRITERS)
    with ThreadPoolExecutor(WRITERS) as pool:
        work = [pool.submit(write, address, number, gate, checked) for number in range(WRITERS)]
        return [done for one in work for done in one.result()]


def faults_of(entries, done):
    """What no order of the acts, one after another, could explain."""
    found = []
    if [one.seq for one in entries] != list(range(1, len(entries) + 1)):
        found.append("a gap")
    versions, locked = {}, False
    for one in entries:
        versions[one.stream] = versions.get(one.stream, 0) + 1
        if one.stream_seq != versions[one.stream]:
            found.append("a version out of turn")
        if one.type == "form.saved" and locked:
            found.append("a save after the lock")
        locked = {"form.locked": True, "form.unlocked": False}.get(one.type, locked)
    at = {one.seq: one.request_id for one in entries}
    if any(at.get(seq) != act.request for act in done for seq in act.seqs):
        found.append("an answer that is not on record")
    # Who was answered before another began stands before it (strict serialisability).
    newest = 0
    answered = sorted(done, key=lambda act: act.answered)
    position = 0
    for act in sorted(done, key=lambda act: act.began):
        while position < len(answered) and answered[position].answered < act.began:
            newest = max(newest, *answered[position].seqs)
            position += 1
        if min(act.seqs) < newest:
            found.append("an order that somebody saw otherwise")
    return found


def test_every_history_has_one_order_and_no_save_lands_after_a_lock(address):
    done = history(address)
    with open_store(address) as store:
        ledger = store.ledger(LEDGER)
        assert len(done) == WRITERS * SAVES
        assert faults_of(list(ledger.read()), done) == []
        assert verify_ledger(ledger, outside={}, keys=[]).fault is None


def test_the_attack_finds_a_build_that_does_not_check_what_it_read(address):
    done = history(address, checked=False)
    with open_store(address) as store:
        assert "a save after the lock" in faults_of(list(store.ledger(LEDGER).read()), done)


def test_the_attack_finds_gaps_swaps_and_lost_answers(folder):
    address = f"sqlite:///{folder}/store.db"
    done = history(address)
    with open_store(address) as store:
        entries = list(store.ledger(LEDGER).read())
    middle = len(entries) // 2
    without = entries[:middle] + entries[middle + 1 :]
    assert "a gap" in faults_of(without, done)
    renumbered = [one._replace(seq=n) for n, one in enumerate(without, 1)]
    assert "an answer that is not on record" in faults_of(renumbered, done)
    first, last = done[0], max(done, key=lambda act: act.began)
    swapped = [act for act in done if act not in (first, last)]
    swapped += [Done(first.began, first.answered, first.kind, first.request, last.seqs)]
    swapped += [Done(last.began, last.answered, last.kind, last.request, first.seqs)]
    assert "an order that somebody saw otherwise" in faults_of(entries, swapped)
