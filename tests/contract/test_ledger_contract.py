"""What every store promises about a ledger."""

from __future__ import annotations

from hashlib import sha256

import pytest

from trialwright.ledger import (
    CheckpointMalformed,
    CheckpointUntrusted,
    EntryMalformed,
    Foreseen,
    Head,
    NewEntry,
    ProofRejected,
    RequestAlreadyRecorded,
    SigningKey,
    TransactionMisused,
    VersionConflict,
    sign_checkpoint,
)
from trialwright.stores.errors import AppendOnly

LEDGER = "demo/open"


def textbook_root(bodies):
    """RFC 9162, section 2.1.1, as it is written there."""
    if not bodies:
        return sha256(b"").digest()
    if len(bodies) == 1:
        return sha256(b"\x00" + bodies[0]).digest()
    k = 1
    while k * 2 < len(bodies):
        k *= 2
    return sha256(b"\x01" + textbook_root(bodies[:k]) + textbook_root(bodies[k:])).digest()


def textbook_chain(ledger_id, bodies):
    value = sha256(b"\x03" + ledger_id.encode()).digest()
    for body in bodies:
        value = sha256(b"\x02" + value + sha256(b"\x00" + body).digest()).digest()
    return value


def append(ledger, *entries):
    with ledger.transaction() as transaction:
        return transaction.append(entries)


def test_an_empty_ledger_has_the_head_of_nothing(store):
    ledger = store.ledger(LEDGER)
    assert ledger.head() == Head(0, textbook_chain(LEDGER, []), textbook_root([]))
    assert ledger.size() == 0
    assert list(ledger.read()) == []
    assert list(ledger.streams()) == []
    assert ledger.stream_version("a") == 0


def test_the_size_is_that_of_the_head_also_after_a_rollback(store, event):
    ledger = store.ledger(LEDGER)
    append(ledger, event("a", 1), event("b", 1))
    assert ledger.size() == ledger.head().size == 2
    with pytest.raises(ZeroDivisionError), ledger.transaction() as transaction:
        transaction.append([event("a", 2)])
        raise ZeroDivisionError
    assert ledger.size() == ledger.head().size == 2


def test_what_moved_is_told_up_to_a_number_of_entries(store, event):
    ledger = store.ledger(LEDGER)
    assert ledger.moved(0, 3) == (0, {})
    append(ledger, event("a", 1), event("b", 1), event("a", 2))
    assert ledger.moved(0, 3) == (3, {"a": 2, "b": 1})
    assert ledger.moved(0, 2) is None
    assert ledger.moved(1, 2) == (3, {"a": 2, "b": 1})
    assert ledger.moved(3, 2) == (3, {})
    with pytest.raises(ZeroDivisionError), ledger.transaction() as transaction:
        transaction.append([event("b", 2)])
        raise ZeroDivisionError
    assert ledger.moved(3, 2) == (3, {})


def test_a_stream_longer_than_a_page_is_read_whole_and_not_beyond_what_it_was(store, event):
    ledger = store.ledger(LEDGER)
    append(ledger, *(event("a", number) for number in range(1, 1502)), event("b", 1))
    reading = ledger.read_stream("a", after=2)
    assert next(reading).stream_seq == 3
    append(ledger, event("a", 1502))
    assert [entry.stream_seq for entry in reading] == list(range(4, 1502))


def test_entries_come_back_as_they_went_in_with_place_leaf_and_chain(store, event):
    ledger = store.ledger(LEDGER)
    new = [event("a", 1, text="æøå 😀"), event("b", 1), event("a", 2)]
    placed = append(ledger, *new)
    assert [NewEntry(*entry[1:6]) for entry in placed] == new
    assert [entry.seq for entry in placed] == [1, 2, 3]
    bodies = [entry.body for entry in new]
    assert [entry.leaf for entry in placed] == [sha256(b"\x00" + body).digest() for body in bodies]
    assert [entry.chain for entry in placed] == [textbook_chain(LEDGER, bodies[:n]) for n in (1, 2, 3)]
    assert list(ledger.read()) == list(placed)


def test_the_head_is_that_of_the_textbook_at_every_size(store, event):
    ledger = store.ledger(LEDGER)
    bodies = []
    for n in range(1, 20):
        new = event("a", n)
        bodies.append(new.body)
        append(ledger, new)
        assert ledger.head() == Head(n, textbook_chain(LEDGER, bodies), textbook_root(bodies))
    for n in range(20):
        assert ledger.root(n) == textbook_root(bodies[:n])
    with pytest.raises(ProofRejected):
        ledger.root(20)


def test_a_transaction_sees_its_own_head_before_it_commits(store, event):
    with store.ledger(LEDGER).transaction() as transaction:
        assert transaction.head.size == 0
        transaction.append([event("a", 1)])
        assert transaction.head.size == 1
        inside = transaction.head
    assert store.ledger(LEDGER).head() == inside


def test_long_ledgers_are_read_in_order_from_any_place(store, event):
    ledger = store.ledger(LEDGER)
    with ledger.transaction() as transaction:
        for part in range(5):
            transaction.append([event(f"s{n % 2}", part * 250 + n // 2 + 1) for n in range(500)])
    assert [entry.seq for entry in ledger.read()] == list(range(1, 2501))
    assert [entry.seq for entry in ledger.read(after=990, limit=1020)] == list(range(991, 2011))
    assert [entry.seq for entry in ledger.read(after=2499)] == [2500]
    assert list(ledger.read(limit=0)) == []
    assert [entry.stream_seq for entry in ledger.read_stream("s1")] == list(range(1, 1251))
    assert [entry.stream_seq for entry in ledger.read_stream("s1", after=1248)] == [1249, 1250]
    assert list(ledger.leaves(1500)) == [entry.leaf for entry in ledger.read(limit=1500)]


def test_a_reading_ends_where_the_ledger_ended_when_it_began(store, event):
    ledger = store.ledger(LEDGER)
    append(ledger, *[event("a", n) for n in range(1, 1003)])
    for reading in (ledger.read(), ledger.read_stream("a")):
        size = ledger.head().size
        with ledger.transaction() as transaction:
            seen = []
            for entry in reading:
                seen.append(entry.seq)
                if entry.seq <= 3:
                    transaction.append([event("a", size + entry.seq)])
        assert seen == list(range(1, size + 1))
        assert ledger.head().size == size + 3


def test_streams_are_listed_by_prefix_in_byte_order(store, event):
    ledger = store.ledger(LEDGER)
    names = ["participant/P-2", "participant/P-10", "site/NO-01", "participant", "Participant/x", "a"]
    append(ledger, *[event(name, 1) for name in names])
    assert list(ledger.streams()) == sorted(names)
    assert list(ledger.streams("participant/")) == ["participant/P-10", "participant/P-2"]
    assert list(ledger.streams("z")) == []
    assert ledger.stream_version("participant/P-2") == 1


def test_a_store_names_the_ledgers_that_have_entries(store, event):
    store.ledger("unused/open")
    append(store.ledger("b/open"), event("a", 1))
    append(store.ledger("a/open"), event("a", 1))
    assert store.ledger_ids() == ("a/open", "b/open")


def test_ledgers_of_one_store_do_not_meet(store, event):
    first, second = store.ledger("demo/open"), store.ledger("demo/security")
    append(first, event("a", 1), event("a", 2))
    append(second, event("a", 1))
    assert first.head().size == 2
    assert second.head().size == 1
    assert [entry.seq for entry in second.read()] == [1]
    assert second.find_request("request-a-2") == ()
    assert first.head().chain != second.head().chain


def test_a_gap_in_a_stream_is_a_conflict_and_writes_nothing(store, event):
    ledger = store.ledger(LEDGER)
    append(ledger, event("a", 1))
    before = ledger.head()
    for wrong in (event("a", 3), event("a", 1, "again"), event("b", 2)):
        with pytest.raises(VersionConflict):
            append(ledger, event("c", 1), wrong)
    assert ledger.head() == before
    assert ledger.stream_version("c") == 0


def test_check_names_every_stream_that_moved(store, event):
    ledger = store.ledger(LEDGER)
    append(ledger, event("a", 1), event("b", 1), event("b", 2))
    with ledger.transaction() as transaction, pytest.raises(VersionConflict) as caught:
        transaction.check({"a": 1, "b": 1, "c": 4, "d": 0})
    assert caught.value.streams == {"b": (1, 2), "c": (4, 0)}
    with ledger.transaction() as transaction:
        transaction.check({"a": 1, "b": 2, "d": 0})
        transaction.append([event("a", 2)])
        transaction.check({"a": 2})


def test_what_was_read_stands_while_the_ledger_has_as_many_entries(store, event):
    ledger = store.ledger(LEDGER)
    append(ledger, event("a", 1), event("b", 1))
    with ledger.transaction() as transaction:
        transaction.check({"a": 1, "c": 0}, as_of=2)
        transaction.append([event("a", 2), event("c", 1)])
    with ledger.transaction() as transaction:
        transaction.check({"b": 1, "d": 0}, as_of=2)
        with pytest.raises(VersionConflict) as caught:
            transaction.check({"a": 1, "b": 1}, as_of=2)
    assert caught.value.streams == {"a": (1, 2)}
    with pytest.raises(AppendOnly), ledger.transaction() as transaction:
        transaction.check({"a": 1}, as_of=4)  # misread, and believed; the store still knows the next place
        transaction.append([event("a", 2, "again")])
    assert ledger.size() == 4


@pytest.mark.parametrize("others", [1, 250], ids=["few moved", "more moved than are looked at one by one"])
@pytest.mark.parametrize(
    "foreseen", [None, Foreseen("r1"), Foreseen("new", 2), Foreseen("", 0), Foreseen("x", 9)], ids=str
)
def test_what_was_foreseen_changes_no_answer(store, event, foreseen, others):
    """Rightly foreseen, wrongly, or not at all."""
    ledger = store.ledger(LEDGER)
    append(ledger, event("a", 1, "r1"), event("b", 1))
    append(ledger, event("a", 2), *(event("c", n) for n in range(1, others + 1)))
    with ledger.transaction(foreseen) as transaction, pytest.raises(VersionConflict) as caught:
        transaction.check({"a": 1, "b": 1, "d": 0}, as_of=2)
    assert caught.value.streams == {"a": (1, 2)}
    with ledger.transaction(foreseen) as transaction:
        transaction.check({"b": 1, "c": others, "d": 0}, as_of=2)
        with pytest.raises(VersionConflict):
            transaction.append([event("a", 2, "new")])
        with pytest.raises(RequestAlreadyRecorded):
            transaction.append([event("b", 2, "r1")])
        transaction.append([event("b", 2, "new"), event("d", 1, "new")])
        transaction.append([event("b", 3, "new")])
        transaction.check({"b": 3, "d": 1, "a": 2}, as_of=2)
    with ledger.transaction(foreseen) as transaction, pytest.raises(RequestAlreadyRecorded):
        transaction.append([event("b", 4, "new")])
    with ledger.transaction(foreseen) as transaction:
        with transaction.savepoint():
            transaction.append([event("b", 4, "newer")])
        with pytest.raises(RequestAlreadyRecorded), transaction.savepoint():
            transaction.append([event("b", 5, "newer")])
    assert ledger.stream_version("b") == 4


def test_a_request_is_carried_out_once(store, event):
    ledger = store.ledger(LEDGER)
    first = append(ledger, event("a", 1, "r1"), event("b", 1, "r1"))
    with pytest.raises(RequestAlreadyRecorded) as caught:
        append(ledger, event("c", 1, "r2"), event("a", 2, "r1"))
    assert caught.value.entries == first
    assert ledger.head().size == 2
    assert ledger.find_request("r1") == first
    assert ledger.find_request("r2") == ()
    with ledger.transaction() as transaction:
        assert transaction.find_request("r1") == first


def test_one_request_may_append_in_steps_within_its_transaction(store, event):
    ledger = store.ledger(LEDGER)
    with ledger.transaction() as transaction:
        transaction.append([event("a", 1, "r1")])
        transaction.append([event("a", 2, "r1")])
        assert len(transaction.find_request("r1")) == 2
    assert len(ledger.find_request("r1")) == 2


def test_a_repeated_request_is_found_out_in_a_later_savepoint_too(store, event):
    with store.ledger(LEDGER).transaction() as transaction:
        with transaction.savepoint():
            transaction.append([event("a", 1, "r1")])
        with pytest.raises(RequestAlreadyRecorded), transaction.savepoint():
            transaction.append([event("a", 2, "r1")])
    assert store.ledger(LEDGER).head().size == 1


def test_an_exception_rolls_back_everything(store, event):
    ledger = store.ledger(LEDGER)
    append(ledger, event("a", 1))
    before = ledger.head()
    with pytest.raises(ZeroDivisionError), ledger.transaction() as transaction:
        transaction.append([event("a", 2), event("b", 1)])
        raise ZeroDivisionError
    assert ledger.head() == before
    assert list(ledger.streams()) == ["a"]
    assert ledger.find_request("request-b-1") == ()
    append(ledger, event("a", 2))
    assert [entry.seq for entry in ledger.read()] == [1, 2]


def test_a_first_transaction_rolled_back_leaves_no_trace(store, event):
    ledger = store.ledger(LEDGER)
    with pytest.raises(ZeroDivisionError), ledger.transaction() as transaction:
        transaction.append([event("a", 1)])
        raise ZeroDivisionError
    assert ledger.head().size == 0
    assert append(ledger, event("a", 1))[0].seq == 1


def test_what_the_database_refuses_is_known_when_it_has_settled(store, event):
    ledger = store.ledger(LEDGER)
    append(ledger, event("a", 1))
    reached = []
    with pytest.raises(AppendOnly), ledger.transaction() as transaction:
        transaction.check({"a": 0}, as_of=1)  # misread, and believed
        transaction.append([event("a", 1, "again")])
        transaction.settle()
        reached.append("the commit")
    assert not reached
    assert ledger.size() == 1
    with ledger.transaction() as transaction:
        transaction.settle()
        transaction.append([event("a", 2)])
        transaction.settle()
    assert ledger.size() == 2


def test_a_savepoint_undoes_its_own_block_only(store, event):
    ledger = store.ledger(LEDGER)
    with ledger.transaction() as transaction:
        transaction.append([event("a", 1)])
        with pytest.raises(ZeroDivisionError), transaction.savepoint():
            transaction.append([event("a", 2), event("b", 1)])
            with transaction.savepoint():
                transaction.append([event("a", 3)])
            raise ZeroDivisionError
        assert transaction.head.size == 1
        with transaction.savepoint():
            transaction.append([event("a", 2, "other")])
    assert [(entry.stream, entry.request_id) for entry in ledger.read()] == [("a", "request-a-1"), ("a", "other")]
    assert ledger.head().root == textbook_root([entry.body for entry in ledger.read()])


def test_transactions_of_one_store_do_not_nest(store, event):
    with store.ledger(LEDGER).transaction() as transaction:
        with pytest.raises(TransactionMisused), store.ledger("demo/security").transaction():
            pass
        transaction.append([event("a", 1)])
    assert store.ledger(LEDGER).head().size == 1


def test_transactions_of_two_stores_nest(store, another_store, event):
    open_space, closed_space = store.ledger("demo/open"), another_store.ledger("demo/closed")
    with closed_space.transaction() as closed, open_space.transaction() as opened:
        closed.append([event("a", 1)])
        opened.append([event("a", 1)])
    assert (open_space.head().size, closed_space.head().size) == (1, 1)
    with pytest.raises(ZeroDivisionError), closed_space.transaction() as closed, open_space.transaction() as opened:
        closed.append([event("a", 2)])
        opened.append([event("a", 2)])
        raise ZeroDivisionError
    assert (open_space.head().size, closed_space.head().size) == (1, 1)


def test_a_transaction_is_of_no_use_after_its_end(store, event):
    with store.ledger(LEDGER).transaction() as transaction:
        pass
    with pytest.raises(TransactionMisused):
        transaction.append([event("a", 1)])
    with pytest.raises(TransactionMisused):
        transaction.check({"a": 0})
    assert store.ledger(LEDGER).head().size == 0


@pytest.mark.parametrize(
    "change",
    [
        {"stream": "with space"},
        {"stream": ""},
        {"stream": "x" * 201},
        {"stream": 'quote"'},
        {"type": "line\nbreak"},
        {"request_id": "ø"},
        {"stream": "b"},
        {"stream_seq": 2},
        {"stream_seq": True},
        {"type": "thing.undone"},
        {"request_id": "other"},
        {"body": b""},
        {"body": b"[]"},
        {"body": b"no json"},
        {"body": b'{"data": {}}'},
        {"body": b'{"data":1.5,"request_id":"r","stream":"a","stream_seq":1,"type":"thing.done"}'},
        {"body": b'{"data":NaN,"request_id":"r","stream":"a","stream_seq":1,"type":"thing.done"}'},
        {"body": b'{"request_id":"r","stream":"a","stream_seq":1,"type":"x","type":"thing.done"}'},
        {"body": b'{"data":"\\ud800","request_id":"r","stream":"a","stream_seq":1,"type":"thing.done"}'},
        {"body": b'{"data":"\xff","request_id":"r","stream":"a","stream_seq":1,"type":"thing.done"}'},
        {"body": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"},
        {"body": "text"},
    ],
    ids=lambda change: "-".join(f"{key}={str(value)[:30]}" for key, value in change.items()),
)
def test_an_entry_that_could_never_be_verified_is_refused(store, event, change):
    good = event("a", 1, "r")
    with pytest.raises(EntryMalformed):
        append(store.ledger(LEDGER), good._replace(**change))
    assert store.ledger(LEDGER).head().size == 0
    append(store.ledger(LEDGER), good)


@pytest.mark.parametrize("name", ["", "Upper", "a b", "a\n", "x" * 121, "é", "/a"])
def test_a_ledger_id_that_could_not_be_an_origin_is_refused(store, name):
    with pytest.raises(EntryMalformed):
        store.ledger(name)


def test_checkpoints_are_kept_once_and_listed_by_size(store, event):
    ledger = store.ledger(LEDGER)
    append(ledger, *[event("a", n) for n in range(1, 13)])
    key = SigningKey("site.example/no-01", b"k" * 32)
    notes = {size: sign_checkpoint(LEDGER, size, ledger.root(size), key) for size in (12, 2, 9)}
    for note in (*notes.values(), notes[9]):
        store.save_checkpoint(LEDGER, note)
    assert store.checkpoints(LEDGER) == (notes[2], notes[9], notes[12])
    assert store.checkpoints("demo/other") == ()
    with pytest.raises(CheckpointUntrusted):
        store.save_checkpoint("demo/other", notes[2])
    with pytest.raises(CheckpointMalformed):
        store.save_checkpoint(LEDGER, "nonsense")


def test_everything_is_there_after_reopening(database, event):
    with database.open() as store:
        ledger = store.ledger(LEDGER)
        append(ledger, *[event("a", n) for n in range(1, 8)])
        head, entries = ledger.head(), list(ledger.read())
        note = sign_checkpoint(LEDGER, head.size, head.root, SigningKey("k", b"k" * 32))
        store.save_checkpoint(LEDGER, note)
    with database.open() as store:
        ledger = store.ledger(LEDGER)
        assert ledger.head() == head
        assert list(ledger.read()) == entries
        assert store.checkpoints(LEDGER) == (note,)
        append(ledger, event("a", 8))


def test_closing_in_the_middle_of_a_transaction_keeps_nothing(database, event):
    store = database.open()
    with pytest.raises(ZeroDivisionError), store.ledger(LEDGER).transaction() as transaction:
        transaction.append([event("a", 1)])
        store.close()
        raise ZeroDivisionError
    with database.open() as again:
        assert again.ledger(LEDGER).head().size == 0
