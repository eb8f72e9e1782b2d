"""What an owner of the database can do to the record, and how it is found out."""

from __future__ import annotations

import json

import pytest

from trialwright.ledger import (
    LedgerDamaged,
    NotVerifiable,
    SigningKey,
    canonical,
    chain_hash,
    chain_start,
    leaf_hash,
    sign_checkpoint,
    verify_export,
    verify_ledger,
    write_export,
)

LEDGER = "demo/open"
SIZE = 40
SITE = SigningKey("site.example/no-01", b"s" * 32)


@pytest.fixture
def ledger(store, event):
    """Forty entries of four streams."""
    ledger = store.ledger(LEDGER)
    with ledger.transaction() as transaction:
        transaction.append([event(f"participant/P-{n % 4}", n // 4 + 1, value=str(n)) for n in range(SIZE)])
    return ledger


def checkpoint(ledger, size):
    return sign_checkpoint(LEDGER, size, ledger.root(size), SITE)


def recomputed(entries):
    """The rows renumbered and rehashed throughout, as a careful forger would."""
    chain, rows = chain_start(LEDGER), []
    for seq, entry in enumerate(entries, 1):
        leaf = leaf_hash(entry.body)
        chain = chain_hash(chain, leaf)
        rows.append(entry._replace(seq=seq, leaf=leaf, chain=chain))
    return rows


def changed_body(entry, **data):
    document = json.loads(entry.body)
    return canonical({**document, "data": data})


def edited(rows):
    rows[16] = rows[16]._replace(body=changed_body(rows[16], value="better"))


def edited_with_its_leaf(rows):
    body = changed_body(rows[16], value="better")
    rows[16] = rows[16]._replace(body=body, leaf=leaf_hash(body))


def edited_with_leaf_and_chain(rows):
    body = changed_body(rows[16], value="better")
    rows[16] = rows[16]._replace(body=body, leaf=leaf_hash(body), chain=chain_hash(rows[15].chain, leaf_hash(body)))


def column_edited(rows):
    rows[16] = rows[16]._replace(type="thing.undone")


def moved_to_another_stream(rows):
    rows[16] = rows[16]._replace(stream="participant/P-9", stream_seq=1)


def deleted(rows):
    del rows[16]


def deleted_and_renumbered(rows):
    del rows[16]
    rows[16:] = [row._replace(seq=row.seq - 1) for row in rows[16:]]


def inserted(rows):
    rows[16:] = [rows[3]._replace(seq=17, stream_seq=99), *[row._replace(seq=row.seq + 1) for row in rows[16:]]]


def reordered(rows):
    rows[16], rows[17] = rows[17]._replace(seq=17), rows[16]._replace(seq=18)


def rehashed_stream_gap(rows):
    del rows[16]
    rows[:] = recomputed(rows)


def rehashed_column(rows):
    rows[16] = rows[16]._replace(request_id="other")
    rows[:] = recomputed(rows)


def with_body(rows, body):
    rows[16] = rows[16]._replace(body=body)
    rows[:] = recomputed(rows)


def rehashed_with_a_key_twice(rows):
    with_body(rows, rows[16].body.replace(b'"type":', b'"type":"thing.undone","type":'))


def rehashed_with_a_float(rows):
    with_body(rows, rows[16].body.replace(b'"16"', b"1.6e1"))


def rehashed_with_a_boolean_for_a_number(rows):
    with_body(rows, rows[16].body.replace(b'"stream_seq":5', b'"stream_seq":true'))


def rehashed_with_two_documents(rows):
    with_body(rows, rows[16].body + b"{}")


def rehashed_without_json(rows):
    with_body(rows, b"\xff")


@pytest.mark.parametrize(
    ("forgery", "fault"),
    [
        (edited, ("leaf", 17)),
        (edited_with_its_leaf, ("chain", 17)),
        (edited_with_leaf_and_chain, ("chain", 18)),
        (column_edited, ("columns", 17)),
        (moved_to_another_stream, ("columns", 17)),
        (deleted, ("sequence", 17)),
        (deleted_and_renumbered, ("chain", 17)),
        (inserted, ("chain", 17)),
        (reordered, ("chain", 17)),
        (rehashed_stream_gap, ("stream", 20)),
        (rehashed_column, ("columns", 17)),
        (rehashed_with_a_key_twice, ("columns", 17)),
        (rehashed_with_a_float, ("columns", 17)),
        (rehashed_with_a_boolean_for_a_number, ("columns", 17)),
        (rehashed_with_two_documents, ("columns", 17)),
        (rehashed_without_json, ("columns", 17)),
    ],
)
def test_the_first_bad_entry_is_named(backend, ledger, tmp_path, forgery, fault):
    outside = {"site": checkpoint(ledger, 12)}
    rows = list(ledger.read())
    forgery(rows)
    backend.forge(rows, rows[-1].chain)
    with backend.open() as store:
        found = verify_ledger(store.ledger(LEDGER), outside=outside, keys=[SITE.verifier])
        write_export(store.ledger(LEDGER), tmp_path / "export")
    assert found.fault is not None
    assert found.fault[:2] == fault
    assert found.covered == 12
    assert verify_export(tmp_path / "export", outside=outside, keys=[SITE.verifier]).fault == found.fault


def test_an_untouched_ledger_is_covered_up_to_its_checkpoint_and_never_plainly_ok(store, ledger):
    early, late = checkpoint(ledger, 12), checkpoint(ledger, 33)
    found = verify_ledger(ledger, outside={"site": late, "board": early}, keys=[SITE.verifier], inside=[early, late])
    assert found.fault is None
    assert (found.size, found.covered, found.root) == (SIZE, 33, ledger.head().root.hex())
    assert "Covered to 33 by the checkpoint of site.example/no-01 (site); 7 later entries unproven." in str(found)


def test_without_an_outside_checkpoint_nothing_is_proven(store, ledger):
    found = verify_ledger(ledger, outside={}, keys=[SITE.verifier], inside=[checkpoint(ledger, SIZE)])
    assert found.fault is None
    assert found.covered == 0
    assert "Nothing is proven" in str(found)


def test_a_rewritten_history_is_found_by_an_outside_checkpoint_alone(backend, ledger, event):
    """The chain and every hash inside agree; only what the site kept does not."""
    first, second = checkpoint(ledger, 12), checkpoint(ledger, SIZE)
    rows = list(ledger.read())
    edited(rows)
    rows = recomputed(rows)
    backend.forge(rows, rows[-1].chain)
    with backend.open() as store:
        forged = store.ledger(LEDGER)
        assert verify_ledger(forged, outside={}, keys=[]).fault is None
        assert verify_ledger(forged, outside={"site": first}, keys=[SITE.verifier]).fault is None
        found = verify_ledger(forged, outside={"a": first, "b": second}, keys=[SITE.verifier])
    assert found.fault is not None
    assert (found.fault.kind, found.fault.seq, found.covered) == ("checkpoint", 13, 12)


def test_a_rewritten_history_with_its_own_stored_checkpoints_is_found_too(backend, ledger):
    kept = checkpoint(ledger, 30)
    rows = list(ledger.read())
    edited(rows)
    rows = recomputed(rows)
    backend.forge(rows, rows[-1].chain)
    with backend.open() as store:
        forged = store.ledger(LEDGER)
        inside = [checkpoint(forged, 30), checkpoint(forged, SIZE)]
        found = verify_ledger(forged, outside={"site": kept}, keys=[SITE.verifier], inside=inside)
    assert found.fault is not None
    assert (found.fault.kind, found.fault.seq) == ("checkpoint", 1)


def test_a_tail_cut_off_is_found_by_the_checkpoint_that_covers_it(backend, ledger):
    kept = checkpoint(ledger, 38)
    rows = list(ledger.read())[:35]
    backend.forge(rows, rows[-1].chain)
    with backend.open() as store:
        assert verify_ledger(store.ledger(LEDGER), outside={}, keys=[]).fault is None
        found = verify_ledger(store.ledger(LEDGER), outside={"site": kept}, keys=[SITE.verifier])
    assert found.fault is not None
    assert (found.fault.kind, found.fault.seq) == ("missing", 36)


def test_a_head_that_is_not_that_of_the_entries_is_found(database, event):
    with database.open() as store:
        ledger = store.ledger(LEDGER)
        with ledger.transaction() as transaction:
            transaction.append([event("a", n) for n in range(1, 9)])
        rows = list(ledger.read())
    database.forge(rows, b"\0" * 32)
    with database.open() as store:
        found = verify_ledger(store.ledger(LEDGER), outside={}, keys=[])
    assert found.fault is not None
    assert found.fault.kind == "head"


def test_nothing_is_added_to_a_ledger_whose_tail_was_cut_behind_its_head(database, event):
    with database.open() as store, store.ledger(LEDGER).transaction() as transaction:
        transaction.append([event("a", n) for n in range(1, 9)])
    database.drop_last_entry()
    with (
        database.open() as store,
        pytest.raises(LedgerDamaged),
        store.ledger(LEDGER).transaction() as transaction,
    ):
        transaction.append([event("b", 1)])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda note: note.replace("demo/open", "demo/closed"),
        lambda note: note.replace("\n12\n", "\n13\n"),
        lambda note: note[:-20] + "AAAA" + note[-16:],
        lambda note: note.replace("site.example", "site.exampel"),
        lambda note: note[:-1],
        lambda note: "",
    ],
)
def test_a_checkpoint_that_is_not_what_was_signed_proves_nothing(store, ledger, spoil):
    with pytest.raises(NotVerifiable):
        verify_ledger(ledger, outside={"site": spoil(checkpoint(ledger, 12))}, keys=[SITE.verifier])


def test_a_checkpoint_by_a_stranger_proves_nothing(store, ledger):
    stranger = SigningKey("site.example/no-01", b"x" * 32)
    with pytest.raises(NotVerifiable):
        verify_ledger(ledger, outside={"site": checkpoint(ledger, 12)}, keys=[stranger.verifier])
