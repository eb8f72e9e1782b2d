"""A rehearsed record in a database file, and its owner with full rights who would have liked it otherwise."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from trialwright.ledger import (
    Entry,
    Frontier,
    VerifierKey,
    canonical,
    chain_hash,
    chain_start,
    leaf_hash,
    parse_checkpoint,
    verify_export,
    verify_ledger,
    write_export,
)
from trialwright.stores import open_store
from trialwright.trial.event import Space

LEDGER = "smart-ms/open"


@pytest.fixture
def kept(in_file):
    return in_file("smart-ms")


@pytest.fixture
def site(kept):
    """What a site holds: the last checkpoint made before the study was locked, and one from its first year."""
    notes = kept.notes[Space.OPEN]
    return {"first year": notes[len(notes) // 3], "last": notes[-1]}


def verified(kept, outside):
    """The report on the store, which an export read by the checker of auditors repeats."""
    keys = [VerifierKey.parse(kept.key)]
    with open_store(kept.address("open"), create=False) as store:
        ledger = store.ledger(LEDGER)
        found = verify_ledger(ledger, outside=outside, keys=keys, inside=store.checkpoints(LEDGER))
        target = kept.folder / "export.zip"
        target.unlink(missing_ok=True)
        write_export(ledger, target, checkpoints=store.checkpoints(LEDGER))
    assert verify_export(target, outside=outside, keys=keys).fault == found.fault
    return found


class Owner:
    """A raw connection without triggers; what it does is committed and the triggers put back."""

    def __init__(self, kept):
        self._path = kept.folder / "open.db"

    def __enter__(self):
        self.raw = sqlite3.connect(self._path, isolation_level=None)
        self._triggers = self.raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in self._triggers:
            self.raw.execute(f"DROP TRIGGER {name}")
        return self

    def __exit__(self, *exception):
        for _, sql in self._triggers:
            self.raw.execute(sql)
        self.raw.close()

    def entries(self):
        columns = "seq, stream, stream_seq, type, request_id, body, leaf, chain"
        found = self.raw.execute(f"SELECT {columns} FROM ledger_entry WHERE ledger_id = ? ORDER BY seq", (LEDGER,))
        return [Entry(*row) for row in found]

    def replace(self, entries):
        self.raw.execute("DELETE FROM ledger_entry WHERE ledger_id = ?", (LEDGER,))
        rows = [(LEDGER, *entry) for entry in entries]
        self.raw.executemany("INSERT INTO ledger_entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        frontier = Frontier.of(entry.leaf for entry in entries)
        self.raw.execute(
            "UPDATE ledger_head SET size = ?, chain = ?, frontier = ? WHERE ledger_id = ?",
            (frontier.size, entries[-1].chain, b"".join(frontier.nodes), LEDGER),
        )


def better(entry):
    """The same form with a nicer value."""
    document = json.loads(entry.body)
    item = next(name for name, value in document["data"]["items"].items() if value.get("text"))
    document["data"]["items"][item]["text"] = "0"
    return canonical(document)


def chosen(entries):
    """A saved form in the middle of the trial."""
    return next(
        place
        for place, entry in enumerate(entries)
        if place > len(entries) // 2 and entry.type == "capture.form_saved" and b'"text"' in entry.body
    )


def recomputed(entries):
    chain, found = chain_start(LEDGER), []
    for seq, entry in enumerate(entries, 1):
        leaf = leaf_hash(entry.body)
        chain = chain_hash(chain, leaf)
        found.append(entry._replace(seq=seq, leaf=leaf, chain=chain))
    return found


def test_an_untouched_record_is_covered_up_to_the_checkpoint_that_a_site_holds(kept, site):
    found = verified(kept, site)
    assert found.fault is None
    assert found.covered == parse_checkpoint(site["last"]).size
    early = verified(kept, {"first year": site["first year"]})
    assert (early.fault, early.covered) == (None, parse_checkpoint(site["first year"]).size)
    assert 0 < early.covered < early.size


def test_the_database_itself_refuses_to_edit_a_row(kept):
    with closing(sqlite3.connect(kept.folder / "open.db")) as raw:
        for statement in (
            "UPDATE ledger_entry SET type = 'x' WHERE seq = 100",
            "DELETE FROM ledger_entry WHERE seq = 100",
            "INSERT OR REPLACE INTO ledger_entry SELECT * FROM ledger_entry WHERE seq = 100",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                raw.execute(statement)


def test_an_edited_row_is_found_and_named(kept, site):
    with Owner(kept) as owner:
        entries = owner.entries()
        place = chosen(entries)
        change = "UPDATE ledger_entry SET body = ? WHERE ledger_id = ? AND seq = ?"
        owner.raw.execute(change, (better(entries[place]), LEDGER, entries[place].seq))
    found = verified(kept, site)
    assert (found.fault.kind, found.fault.seq) == ("leaf", entries[place].seq)


def test_a_rewritten_history_with_every_hash_recomputed_is_found_by_the_checkpoint_of_a_site_alone(kept, site):
    with Owner(kept) as owner:
        entries = owner.entries()
        place = chosen(entries)
        entries[place] = entries[place]._replace(body=better(entries[place]))
        owner.replace(recomputed(entries))
        # Careful forgers also throw the checkpoints away that the database keeps.
        owner.raw.execute("DELETE FROM ledger_checkpoint WHERE ledger_id = ?", (LEDGER,))
    assert verified(kept, {}).fault is None
    assert verified(kept, {"first year": site["first year"]}).fault is None
    found = verified(kept, site)
    assert found.fault.kind == "checkpoint"
    # The first entry that the honest checkpoint before it does not cover.
    assert found.fault.seq == parse_checkpoint(site["first year"]).size + 1 <= entries[place].seq
    assert found.covered == parse_checkpoint(site["first year"]).size


def test_a_participant_taken_out_of_the_history_is_found(kept, site):
    with Owner(kept) as owner:
        entries = owner.entries()
        streams = [entry.stream for entry in entries if entry.stream.startswith("participant/")]
        unwanted = streams[-1]
        owner.replace(recomputed([entry for entry in entries if entry.stream != unwanted]))
        owner.raw.execute("DELETE FROM ledger_checkpoint WHERE ledger_id = ?", (LEDGER,))
    assert verified(kept, {}).fault is None
    assert verified(kept, site).fault is not None


def test_the_last_year_cut_off_is_found(kept, site):
    with Owner(kept) as owner:
        entries = owner.entries()
        cut = parse_checkpoint(site["last"]).size - 50
        owner.replace(entries[:cut])
        owner.raw.execute("DELETE FROM ledger_checkpoint WHERE ledger_id = ?", (LEDGER,))
    found = verified(kept, site)
    assert (found.fault.kind, found.fault.seq) == ("missing", cut + 1)
