"""How long a large record takes to be backed up, restored and verified: ``python benchmarks/restoring.py [events]``.

Entries of about 700 bytes over a hundred streams in one SQLite file. The restore reads every file of the backup, puts
the database back, and verifies every entry against a checkpoint that was held outside.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from figures import Figure, Taken, show
from ledger import KEY, LEDGER, document

from trialwright.foundation.operating_system import SystemClock
from trialwright.ledger import NewEntry, canonical, sign_checkpoint, verify_ledger
from trialwright.stores import open_store
from trialwright.stores.backup import Part, back_up
from trialwright.stores.restoring import restore

EVENTS, STREAMS, BATCH = 1_000_000, 100, 500
RESTORED_IN, VERIFIED = 300.0, 20_000.0

T = TypeVar("T")


def figures(count: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        address, again = f"sqlite:///{folder}/record.db", f"sqlite:///{folder}/again.db"
        outside, taken = _timed(lambda: _written(address, count))
        yield Figure.rate("written, 500 events a commit", count, taken, "events/s")
        now = SystemClock().now()
        _, taken = _timed(lambda: back_up([Part("record", address, LEDGER)], folder / "backup", now))
        yield Figure("backed up", taken.clock, taken.processor, "s")
        done, taken = _timed(
            lambda: restore(
                folder / "backup",
                [Part("record", again, LEDGER)],
                now,
                outside={"a site": outside},
                keys=[KEY.verifier],
            )
        )
        assert not done.losses and done.reports[0].covered == count
        yield Figure(
            "restored, verified against an outside checkpoint", taken.clock, taken.processor, "s", RESTORED_IN, True
        )
        with open_store(again, create=False) as store:
            ledger = store.ledger(LEDGER)
            report, taken = _timed(lambda: verify_ledger(ledger, outside={"a site": outside}, keys=[KEY.verifier]))
        assert report.fault is None and report.covered == count
        yield Figure.rate("verified in the store", count, taken, "events/s", VERIFIED)


def _written(address: str, count: int) -> str:
    """Write the record; answers a checkpoint of all of it."""
    with open_store(address) as store:
        ledger = store.ledger(LEDGER)
        for start in range(0, count, BATCH):
            with ledger.transaction() as transaction:
                transaction.append([_entry(n) for n in range(start, min(start + BATCH, count))])
        head = ledger.head()
        return sign_checkpoint(LEDGER, head.size, head.root, KEY)


def _entry(number: int) -> NewEntry:
    said = document(f"participant/P-{number % STREAMS:03}", number // STREAMS + 1)
    return NewEntry(said["stream"], said["stream_seq"], said["type"], said["request_id"], canonical(said))


def _timed(act: Callable[[], T]) -> tuple[T, Taken]:
    clock, processor = time.perf_counter(), time.process_time()
    done = act()
    return done, Taken(time.perf_counter() - clock, time.process_time() - processor)


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    show(f"A record of {wanted:,} events", figures(wanted))
