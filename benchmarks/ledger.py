"""Figures of the ledger and its stores, as rates and as ratios taken in one run.

python benchmarks/ledger.py [--events 20000] [--postgresql postgresql://USER@HOST/EMPTY_DATABASE]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from trialwright.foundation.tables import Column, Table
from trialwright.ledger import (
    NewEntry,
    SigningKey,
    canonical,
    sign_checkpoint,
    verify_export,
    verify_ledger,
    write_export,
)
from trialwright.stores import open_store

LEDGER = "bench/open"
KEY = SigningKey("bench.example/key", b"b" * 32)
FORMS = Table(
    "forms",
    key=(Column("participant"), Column("form", "integer")),
    columns=(Column("status"), Column("version", "integer"), Column("actor")),
    indexes=(("status",),),
)
TOTALS = Table("totals", key=(Column("participant"),), columns=(Column("forms", "integer"),))


def document(stream, stream_seq):
    """An envelope and a form of twelve items, about 700 bytes: the middle of what a rehearsal writes."""
    return {
        "stream": stream,
        "stream_seq": stream_seq,
        "type": "capture.form_saved",
        "request_id": f"{stream}-{stream_seq}",
        "version": 1,
        "at": "2026-01-02T03:04:05.000006Z",
        "observed_at": "2026-01-02T04:04:05+01:00",
        "actor": "user/17",
        "role": "investigator",
        "organisation": "hospital",
        "site": "NO-01",
        "build": "0f" * 32,
        "software": "0.1.0",
        "salt": f"{stream_seq:032x}",
        "sealed": [],
        "data": {"form": "vitals", "values": {f"item_{n}": f"{stream_seq}.{n}" for n in range(12)}},
    }


def made(count):
    """New entries over a hundred streams."""
    documents = [document(f"participant/P-{n % 100:03}", n // 100 + 1) for n in range(count)]
    return [
        NewEntry(d["stream"], d["stream_seq"], d["type"], d["request_id"], body)
        for d, body in zip(documents, map(canonical, documents), strict=True)
    ]


def seconds(act):
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def show(name, count, duration, beside=None):
    ratio = f"   {duration / beside:6.2f} × the time of the first line of its group" if beside else ""
    print(f"  {name:<58} {count / duration:>12,.0f} /s{ratio}")


def canonical_bytes(count):
    documents = [document("participant/P-001", n) for n in range(count)]
    print("canonical bytes")
    plain = seconds(lambda: [json.dumps(d, sort_keys=True, separators=(",", ":")).encode() for d in documents])
    show("json.dumps alone, without any check", count, plain)
    show("canonical()", count, seconds(lambda: [canonical(d) for d in documents]), plain)


def appending(store, entries):
    """Append all in batches of 500, then 300 in a transaction each, then 2,000 in savepoints of one transaction."""
    ledger = store.ledger(LEDGER)

    def batched():
        for start in range(0, len(entries), 500):
            with ledger.transaction() as transaction:
                transaction.append(entries[start : start + 500])

    extra = [NewEntry(e.stream, e.stream_seq, e.type, e.request_id, e.body) for e in single(2300)]

    def one_by_one():
        for entry in extra[:300]:
            with ledger.transaction() as transaction:
                transaction.check({entry.stream: entry.stream_seq - 1})
                transaction.append([entry])

    def savepoints():
        with ledger.transaction() as transaction:
            for entry in extra[300:]:
                with transaction.savepoint():
                    transaction.check({entry.stream: entry.stream_seq - 1})
                    transaction.append([entry])

    first = seconds(batched)
    show("appended in batches of 500", len(entries), first)
    show("appended in savepoints of one transaction", 2000, seconds(savepoints_after(one_by_one, savepoints)))


def savepoints_after(one_by_one, savepoints):
    """Commits one by one are measured on the way; the savepoints follow on their streams."""
    show("commands, a durable transaction each", 300, seconds(one_by_one))
    return savepoints


def single(count):
    for n in range(1, count + 1):
        d = document("single", n)
        yield NewEntry("single", n, d["type"], d["request_id"], canonical(d))


def folding(store):
    """A view over all entries: each reads and writes two rows."""
    ledger = store.ledger(LEDGER)
    size = ledger.head().size

    def fold():
        with ledger.transaction() as transaction:
            rows = transaction.rows
            rows.clear([FORMS, TOTALS])
            for entry in ledger.read():
                event = json.loads(entry.body)
                key = (entry.stream, entry.stream_seq % 20)
                before = rows.get(FORMS, key) or {"version": 0}
                rows.put(
                    FORMS,
                    {
                        "participant": entry.stream,
                        "form": key[1],
                        "status": "complete",
                        "version": before["version"] + 1,
                        "actor": event["actor"],
                    },
                )
                total = rows.get(TOTALS, (entry.stream,)) or {"forms": 0}
                rows.put(TOTALS, {"participant": entry.stream, "forms": total["forms"] + 1})

    show("replayed into two projection tables", size, seconds(fold))


def verifying(store, folder):
    ledger = store.ledger(LEDGER)
    head = ledger.head()
    note = sign_checkpoint(LEDGER, head.size, head.root, KEY)
    found = []
    reading = seconds(lambda: sum(1 for _ in ledger.read()))
    show("read", head.size, reading)
    show(
        "verified in the store",
        head.size,
        seconds(lambda: found.append(verify_ledger(ledger, outside={"b": note}, keys=[KEY.verifier]))),
    )
    write = seconds(lambda: write_export(ledger, folder / "export"))
    show("exported", head.size, write)
    show(
        "verified as an export",
        head.size,
        seconds(lambda: found.append(verify_export(folder / "export", outside={"b": note}, keys=[KEY.verifier]))),
    )
    assert all(report.fault is None and report.covered == head.size for report in found)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--postgresql")
    options = parser.parse_args()
    entries = made(options.events)
    print(f"{options.events:,} entries, mean body {sum(len(e.body) for e in entries) / len(entries):,.0f} bytes")
    canonical_bytes(options.events)
    with tempfile.TemporaryDirectory() as name:
        urls = {"memory": "memory:", "sqlite": f"sqlite:///{name}/bench.db"}
        if options.postgresql:
            urls["postgresql"] = options.postgresql
        for kind, url in urls.items():
            folder = Path(name) / kind
            folder.mkdir()
            print(kind)
            with open_store(url) as store:
                appending(store, entries)
                verifying(store, folder)
                folding(store)
    if not options.postgresql:
        print("postgresql: not measured (give --postgresql)")


if __name__ == "__main__":
    main()
