"""Acts that share a commit: each still stands or falls alone; only durability waits."""

from __future__ import annotations

import sqlite3

import pytest

from trialwright.ledger import VersionConflict
from trialwright.stores import open_store

LEDGER = "demo/open"


@pytest.fixture
def address(tmp_path):
    return f"sqlite:///{tmp_path}/grouped.db"


def append(store, *entries):
    with store.ledger(LEDGER).transaction() as transaction:
        return transaction.append(entries)


def entries_on_disk(address):
    with sqlite3.connect(address.removeprefix("sqlite:///")) as other:
        return other.execute("SELECT count(*) FROM ledger_entry").fetchone()[0]


def test_others_see_the_acts_of_a_group_at_once_and_only_when_it_is_full(address, event):
    with open_store(address, acts_per_commit=3) as store:
        append(store, event("a", 1))
        append(store, event("a", 2))
        assert entries_on_disk(address) == 0
        append(store, event("a", 3))
        assert entries_on_disk(address) == 3


def test_the_writer_sees_its_own_acts_at_once(address, event):
    with open_store(address, acts_per_commit=100) as store:
        append(store, event("a", 1))
        assert store.ledger(LEDGER).stream_version("a") == 1
        assert store.ledger(LEDGER).head().size == 1


def test_closing_commits_what_waits(address, event):
    with open_store(address, acts_per_commit=100) as store:
        append(store, event("a", 1))
    assert entries_on_disk(address) == 1


def test_an_act_that_fails_takes_nothing_of_its_group_with_it(address, event):
    with open_store(address, acts_per_commit=100) as store:
        append(store, event("a", 1))
        with pytest.raises(VersionConflict), store.ledger(LEDGER).transaction() as transaction:
            transaction.append([event("b", 1)])
            transaction.check({"a": 7})
        append(store, event("a", 2))
        assert store.ledger(LEDGER).stream_version("b") == 0
    assert entries_on_disk(address) == 2


def test_a_grouped_ledger_has_the_root_of_an_ungrouped_one(address, tmp_path, event):
    new = [event("a", n) for n in range(1, 8)]
    with open_store(address, acts_per_commit=3) as grouped, open_store(f"sqlite:///{tmp_path}/plain.db") as plain:
        for store in (grouped, plain):
            for entry in new:
                append(store, entry)
        assert grouped.ledger(LEDGER).head() == plain.ledger(LEDGER).head()
