"""Many writers on one ledger: no gap, no lost update, no write skew, no acknowledged entry lost."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from trialwright.foundation.tables import Column, Table
from trialwright.ledger import RequestAlreadyRecorded, VersionConflict, verify_ledger
from trialwright.stores import MemoryStore, StoreLocked, open_store
from trialwright.stores.sqlite import open_sqlite

LEDGER = "demo/open"
WRITERS = 8
COUNTS = Table("counts", key=(Column("writer"),), columns=(Column("written", "integer"),))


def together(count, work):
    """Run ``work(number)`` in as many threads, all started at one moment; errors come out."""
    gate = threading.Barrier(count)

    def run(number):
        gate.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_eight_writers_leave_a_gap_free_ledger_and_true_projections(backend, event):
    def work(number):
        store = backend.open()
        ledger = store.ledger(LEDGER)
        for n in range(1, 13):
            with ledger.transaction() as transaction:
                transaction.rows.ensure([COUNTS])
                transaction.append([event(f"writer/{number}", n), event("shared", transaction.head.size // 2 + 1)])
                for key in (str(number), "all"):
                    before = transaction.rows.get(COUNTS, (key,)) or {"written": 0}
                    transaction.rows.put(COUNTS, {"writer": key, "written": before["written"] + 1})
        if backend.name != "memory":
            store.close()

    together(WRITERS, work)
    with backend.open() as store:
        ledger = store.ledger(LEDGER)
        assert [entry.seq for entry in ledger.read()] == list(range(1, WRITERS * 24 + 1))
        assert verify_ledger(ledger, outside={}, keys=[]).fault is None
        assert ledger.stream_version("shared") == WRITERS * 12
        written = {row["writer"]: row["written"] for row in store.rows.where(COUNTS)}
        assert written == {str(n): 12 for n in range(WRITERS)} | {"all": WRITERS * 12}


def test_decisions_that_read_two_streams_cannot_pass_each_other(backend, event):
    """Write skew: the rule "at most 20 in both wards together" holds though each writer adds to one ward."""

    def work(number):
        store = backend.open()
        ledger = store.ledger(LEDGER)
        conflicts = 0
        ward = f"ward/{'ab'[number % 2]}"
        while True:
            seen = {name: ledger.stream_version(name) for name in ("ward/a", "ward/b")}
            if sum(seen.values()) >= 20:
                break
            try:
                with ledger.transaction() as transaction:
                    transaction.check(seen)
                    transaction.append([event(ward, seen[ward] + 1, f"{number}-{seen[ward]}-{conflicts}")])
            except VersionConflict:
                conflicts += 1
        if backend.name != "memory":
            store.close()

    together(WRITERS, work)
    with backend.open() as store:
        ledger = store.ledger(LEDGER)
        assert ledger.stream_version("ward/a") + ledger.stream_version("ward/b") == 20


def test_one_request_sent_eight_times_at_once_is_carried_out_once(backend, event):
    def work(number):
        store = backend.open()
        try:
            with store.ledger(LEDGER).transaction() as transaction:
                return transaction.append([event("a", 1, "the-request")])
        except RequestAlreadyRecorded as repeated:
            return repeated.entries
        finally:
            if backend.name != "memory":
                store.close()

    answers = together(WRITERS, work)
    with backend.open() as store:
        assert store.ledger(LEDGER).head().size == 1
        [entry] = store.ledger(LEDGER).read()
    assert answers == [(entry,)] * WRITERS


def test_eight_at_once_may_create_the_store(database):
    def work(number):
        database.open().close()

    together(WRITERS, work)
    with database.open() as store:
        assert store.ledger(LEDGER).head().size == 0


def test_a_reader_sees_nothing_of_an_open_transaction(database, event):
    with database.open() as writing, database.open() as reading:
        with writing.ledger(LEDGER).transaction() as transaction:
            transaction.append([event("a", 1)])
            assert reading.ledger(LEDGER).head().size == 0
        assert reading.ledger(LEDGER).head().size == 1


def test_a_lock_held_too_long_is_named(tmp_path, event):
    path = tmp_path / "store.db"
    with open_sqlite(path, create=True) as first, open_sqlite(path, create=False, busy_seconds=0.05) as second:
        with first.ledger(LEDGER).transaction(), pytest.raises(StoreLocked), second.ledger(LEDGER).transaction():
            pass
        with second.ledger(LEDGER).transaction() as transaction:
            transaction.append([event("a", 1)])


def test_a_thread_waits_for_the_memory_store_only_so_long():
    store = MemoryStore(lock_seconds=0.05)

    def other():
        with pytest.raises(StoreLocked):
            store.ledger(LEDGER).head()
        with pytest.raises(StoreLocked), store.ledger(LEDGER).transaction():
            pass

    with store.ledger(LEDGER).transaction(), ThreadPoolExecutor(1) as pool:
        pool.submit(other).result()


WRITER = """
import sys
from trialwright.ledger import NewEntry, canonical
from trialwright.stores import open_store
store = open_store(sys.argv[1])
ledger = store.ledger("demo/open")
while True:
    n = ledger.stream_version("a") + 1
    envelope = {"stream": "a", "stream_seq": n, "type": "t", "request_id": f"r{n}"}
    with ledger.transaction() as transaction:
        transaction.append([NewEntry("a", n, "t", f"r{n}", canonical({**envelope, "data": "x" * 3000}))])
    print(n, flush=True)
"""


@pytest.mark.parametrize("acknowledged", [1, 7, 40])
def test_a_killed_writer_loses_nothing_that_was_acknowledged(database, acknowledged):
    database.open().close()
    writer = subprocess.Popen([sys.executable, "-c", WRITER, database.url], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    for _ in range(acknowledged):
        assert writer.stdout.readline()
    writer.kill()
    rest = writer.stdout.read().split()
    writer.stdout.close()
    writer.wait()
    last = int(rest[-1]) if rest else acknowledged
    with open_store(database.url) as store:
        ledger = store.ledger(LEDGER)
        # The one being committed when the blow fell may be there, unacknowledged; its request id tells.
        assert ledger.head().size in (last, last + 1)
        assert verify_ledger(ledger, outside={}, keys=[]).fault is None
        assert len(ledger.find_request(f"r{last}")) == 1
