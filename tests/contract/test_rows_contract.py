"""What every store promises about projection rows: the same rows, in the same order, on all of them."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing

import pytest

from trialwright.foundation.tables import Column, Table
from trialwright.stores import (
    CellInvalid,
    ProjectionMissing,
    ProjectionOutdated,
    RowsReadOnly,
    open_store,
)

LEDGER = "demo/open"
VISITS = Table(
    "visits",
    key=(Column("participant"), Column("number", "integer")),
    columns=(Column("status"), Column("days", "integer"), Column("order")),
    indexes=(("status",), ("status", "days")),
)
NAMES = Table("names", key=(Column("name"),), columns=())


@pytest.fixture
def rows(store):
    """Rows of an open transaction with both tables."""
    with store.ledger(LEDGER).transaction() as transaction:
        transaction.rows.ensure([VISITS, NAMES])
        yield transaction.rows


def visit(participant, number, **others):
    return {"participant": participant, "number": number, "status": None, "days": None, "order": None} | others


def test_a_row_comes_back_with_every_column_in_order(rows):
    rows.put(VISITS, {"number": 1, "participant": "P-1", "status": "done"})
    found = rows.get(VISITS, ("P-1", 1))
    assert found == visit("P-1", 1, status="done")
    assert list(found) == list(VISITS.names)
    assert rows.get(VISITS, ("P-1", 2)) is None


def test_put_replaces_the_whole_row_and_delete_removes_it(rows):
    rows.put(VISITS, visit("P-1", 1, status="planned", days=3))
    rows.put(VISITS, {"participant": "P-1", "number": 1, "order": "x"})
    assert rows.get(VISITS, ("P-1", 1)) == visit("P-1", 1, order="x")
    rows.delete(VISITS, ("P-1", 1))
    rows.delete(VISITS, ("P-1", 1))
    assert rows.get(VISITS, ("P-1", 1)) is None
    assert list(rows.where(VISITS)) == []


def test_many_rows_written_at_once_hold_what_each_was_given(store):
    texts = ["plain", "æøå 😀", "", 'a "quoted", {braced} \\ text', "NULL", None]
    given = {}
    for number in range(2500):
        row = visit(f"P-{number % 7}", number, status=texts[number % 6], order=texts[number % 5])
        given["P-" + str(number % 7), number] = {**row, "days": None if number % 3 else number * 10**14 - 5}
    ledger = store.ledger(LEDGER)
    for changed in ({}, {"status": "again"}):
        with ledger.transaction() as transaction:
            transaction.rows.ensure([VISITS, NAMES])
            for row in given.values():
                row |= changed
                transaction.rows.put(VISITS, row)
            transaction.rows.delete(VISITS, ("P-0", 0))
            transaction.rows.put(NAMES, {"name": "only"})
        assert list(store.rows.where(VISITS)) == [given[key] for key in sorted(given) if key != ("P-0", 0)]
        assert list(store.rows.where(NAMES)) == [{"name": "only"}]


def test_rows_are_found_by_an_index_that_the_key_begins_with(store):
    key, first = (Column("participant"), Column("number", "integer")), Column("status")
    led = Table("led", key=key, columns=(first,), indexes=(("participant",), ("participant", "number", "status")))
    with store.ledger(LEDGER).transaction() as transaction:
        transaction.rows.ensure([led])
        for number in range(3):
            transaction.rows.put(led, {"participant": f"P-{number % 2}", "number": number, "status": "x"})
    assert [row["number"] for row in store.rows.where(led, participant="P-0")] == [0, 2]


def test_an_index_that_the_key_begins_with_is_not_kept_twice(tmp_path):
    key, first = (Column("participant"), Column("number", "integer")), Column("status")
    led = Table("led", key=key, columns=(first,), indexes=(("participant",), ("participant", "number", "status")))
    with open_store(f"sqlite:///{tmp_path}/s.db") as store, store.ledger(LEDGER).transaction() as transaction:
        transaction.rows.ensure([led])
    with closing(sqlite3.connect(tmp_path / "s.db")) as raw:
        found = raw.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'led' AND sql > ''")
        assert found.fetchall() == [("led_by_2",)]


def test_a_row_given_out_is_a_copy(rows):
    rows.put(NAMES, {"name": "a"})
    rows.get(NAMES, ("a",))["name"] = "changed"
    next(rows.where(NAMES))["name"] = "changed"
    assert list(rows.where(NAMES)) == [{"name": "a"}]


def test_rows_are_ordered_by_key_text_by_bytes_and_integers_by_value(rows):
    names = ["b", "a", "B", "Z", "aa", "a b", "å", "ø", "z", "ﬀ", "😀", "", "10", "9", "A-1", "A1", "a_"]
    for name in names:
        rows.put(NAMES, {"name": name})
    assert [row["name"] for row in rows.where(NAMES)] == sorted(names, key=lambda name: name.encode())
    for number in (10, 9, -1, 2**63 - 1, -(2**63), 0):
        rows.put(VISITS, visit("P", number))
    assert [row["number"] for row in rows.where(VISITS)] == [-(2**63), -1, 0, 9, 10, 2**63 - 1]


def test_where_matches_values_nulls_and_several_columns(rows):
    for number, (status, days) in enumerate([("done", 1), ("done", None), (None, 1), ("missed", 1), ("done", 1)]):
        rows.put(VISITS, visit("P", number, status=status, days=days))
    found = lambda **equals: [row["number"] for row in rows.where(VISITS, **equals)]  # noqa: E731
    assert found(status="done") == [0, 1, 4]
    assert found(days=None) == [1]
    assert found(status="done", days=1) == [0, 4]
    assert found(status=None, days=1) == [2]
    assert found(participant="P", number=3) == [3]
    assert found(status="DONE") == []


def test_booleans_become_integers(rows):
    rows.put(VISITS, visit("P", 1, days=True))
    value = rows.get(VISITS, ("P", 1))["days"]
    assert value == 1
    assert type(value) is int


@pytest.mark.parametrize(
    "row",
    [
        {"participant": None, "number": 1},
        {"number": 1},
        {"participant": "P", "number": "1"},
        {"participant": 1, "number": 1},
        {"participant": "P", "number": 1, "days": "x"},
        {"participant": "P", "number": 1, "days": 2**63},
        {"participant": "P", "number": 1, "days": 1.5},
        {"participant": "P", "number": 1, "status": "nul\x00"},
        {"participant": "P", "number": 1, "status": "æ\x00"},
        {"participant": "P", "number": 1, "status": "half \ud83d"},
        {"participant": "P", "number": 1, "stauts": "typing error"},
    ],
)
def test_a_cell_that_not_every_database_could_hold_is_refused(rows, row):
    with pytest.raises(CellInvalid):
        rows.put(VISITS, row)
    assert list(rows.where(VISITS)) == []


def test_questions_that_cannot_be_answered_are_refused(rows):
    with pytest.raises(CellInvalid):
        rows.where(VISITS, stauts="x")
    with pytest.raises(CellInvalid):
        rows.where(VISITS, status=5)
    with pytest.raises(CellInvalid):
        rows.get(VISITS, ("P",))
    with pytest.raises(CellInvalid):
        rows.get(VISITS, ("P", "1"))


@pytest.mark.parametrize(
    "table",
    [
        Table("ledger_entry", (Column("a"),), ()),
        Table("store_projection", (Column("a"),), ()),
        Table("sqlite_master", (Column("a"),), ()),
        Table('x"; DROP TABLE ledger_entry; --', (Column("a"),), ()),
        Table("x", (Column('a"b'),), ()),
        Table("x", (Column("a"),), (Column("a"),)),
        Table("x", (), (Column("a"),)),
        Table("x", (Column("a"),), (), (("b",),)),
    ],
)
def test_a_table_that_a_database_could_not_keep_is_refused(rows, table):
    with pytest.raises(CellInvalid):
        rows.ensure([table])
    with pytest.raises(CellInvalid):
        rows.clear([table])


def test_words_of_sql_may_name_tables_and_columns(store):
    table = Table("select", (Column("order"),), (Column("group"), Column("user", "integer")), (("group",),))
    with store.ledger(LEDGER).transaction() as transaction:
        transaction.rows.ensure([table])
        transaction.rows.put(table, {"order": "by", "group": "x", "user": 1})
    assert list(store.rows.where(table, group="x")) == [{"order": "by", "group": "x", "user": 1}]


def test_a_table_nobody_made_is_an_error_not_empty(store):
    for use in (lambda: store.rows.get(NAMES, ("a",)), lambda: list(store.rows.where(NAMES))):
        with pytest.raises(ProjectionMissing):
            use()


def test_a_table_of_another_declaration_is_refused_until_it_is_cleared(store):
    wider = Table("names", key=(Column("name"),), columns=(Column("language"),))
    with store.ledger(LEDGER).transaction() as transaction:
        transaction.rows.ensure([NAMES])
        transaction.rows.put(NAMES, {"name": "a"})
    with store.ledger(LEDGER).transaction() as transaction:
        with pytest.raises(ProjectionOutdated):
            transaction.rows.ensure([wider])
        transaction.rows.ensure([NAMES])
        transaction.rows.clear([wider])
        transaction.rows.put(wider, {"name": "b", "language": "nb"})
        with pytest.raises(ProjectionOutdated):
            transaction.rows.get(NAMES, ("a",))
    assert list(store.rows.where(wider)) == [{"name": "b", "language": "nb"}]


def test_another_connection_notices_that_a_declaration_changed(database):
    wider = Table("names", key=(Column("name"),), columns=(Column("language"),))
    with database.open() as store, store.ledger(LEDGER).transaction() as transaction:
        transaction.rows.ensure([NAMES])
    with database.open() as store, pytest.raises(ProjectionOutdated):
        store.rows.get(wider, ("a",))


def test_a_connection_whose_table_another_one_remade_is_told_so(database):
    other = Table("names", key=(Column("label"),), columns=())
    with database.open() as first, database.open() as second:
        with first.ledger(LEDGER).transaction() as transaction:
            transaction.rows.ensure([NAMES])
        with second.ledger(LEDGER).transaction() as transaction:
            transaction.rows.clear([other])
        with pytest.raises(ProjectionOutdated):
            first.rows.get(NAMES, ("a",))


def test_clear_empties_the_tables_and_makes_absent_ones(store):
    with store.ledger(LEDGER).transaction() as transaction:
        transaction.rows.ensure([NAMES])
        transaction.rows.put(NAMES, {"name": "a"})
        transaction.rows.clear([NAMES, VISITS])
        assert list(transaction.rows.where(NAMES)) == []
        transaction.rows.put(VISITS, visit("P", 1))
    assert list(store.rows.where(NAMES)) == []
    assert len(list(store.rows.where(VISITS))) == 1


def test_rows_go_with_their_transaction(store):
    with store.ledger(LEDGER).transaction() as transaction:
        transaction.rows.ensure([NAMES])
        transaction.rows.put(NAMES, {"name": "kept"})
    with pytest.raises(ZeroDivisionError), store.ledger(LEDGER).transaction() as transaction:
        transaction.rows.put(NAMES, {"name": "lost"})
        transaction.rows.delete(NAMES, ("kept",))
        transaction.rows.ensure([VISITS])
        transaction.rows.clear([NAMES])
        raise ZeroDivisionError
    assert list(store.rows.where(NAMES)) == [{"name": "kept"}]
    with pytest.raises(ProjectionMissing):
        store.rows.get(VISITS, ("P", 1))


def test_rows_go_with_their_savepoint(store):
    with store.ledger(LEDGER).transaction() as transaction:
        rows = transaction.rows
        rows.ensure([NAMES])
        rows.put(NAMES, {"name": "before"})
        with pytest.raises(ZeroDivisionError), transaction.savepoint():
            rows.put(NAMES, {"name": "lost"})
            rows.delete(NAMES, ("before",))
            assert [row["name"] for row in rows.where(NAMES)] == ["lost"]
            raise ZeroDivisionError
        assert rows.get(NAMES, ("lost",)) is None
        with transaction.savepoint():
            rows.put(NAMES, {"name": "within"})
        rows.put(NAMES, {"name": "after"})
    assert [row["name"] for row in store.rows.where(NAMES)] == ["after", "before", "within"]


def test_outside_transactions_rows_are_for_reading(store):
    with store.ledger(LEDGER).transaction() as transaction:
        transaction.rows.ensure([NAMES])
    with pytest.raises(RowsReadOnly):
        store.rows.put(NAMES, {"name": "a"})
    with pytest.raises(RowsReadOnly):
        store.rows.delete(NAMES, ("a",))
    with pytest.raises(RowsReadOnly):
        store.rows.clear([NAMES])
    assert list(store.rows.where(NAMES)) == []


def test_within_its_transaction_a_store_reads_what_is_not_yet_written(store):
    with store.ledger(LEDGER).transaction() as transaction:
        transaction.rows.ensure([NAMES])
        transaction.rows.put(NAMES, {"name": "a"})
        assert store.rows.get(NAMES, ("a",)) == {"name": "a"}
        assert list(store.rows.where(NAMES)) == [{"name": "a"}]


def test_more_rows_than_a_page_or_a_batch_come_back_complete(store):
    with store.ledger(LEDGER).transaction() as transaction:
        transaction.rows.ensure([VISITS])
        for number in range(21_500):
            transaction.rows.put(VISITS, visit(f"P-{number % 7}", number, status="x" if number % 2 else None))
        assert transaction.rows.get(VISITS, ("P-0", 0)) == visit("P-0", 0)
    expected = sorted((f"P-{number % 7}", number) for number in range(21_500))
    assert [(row["participant"], row["number"]) for row in store.rows.where(VISITS)] == expected
    half = [row["number"] for row in store.rows.where(VISITS, status="x", participant="P-3")]
    assert half == [number for number in range(21_500) if number % 2 and number % 7 == 3]


@pytest.mark.parametrize("seed", range(3))
def test_a_long_random_use_ends_as_in_a_plain_dict(store, seed):
    """The dull reference beside the stores: a dict of rows, with undo by copying."""
    chance = random.Random(seed)
    ledger = store.ledger(LEDGER)
    plain: dict = {}
    with ledger.transaction() as transaction:
        transaction.rows.ensure([VISITS])

    def act(rows):
        key = (chance.choice(["a", "B", "å"]), chance.randrange(6))
        match chance.randrange(6):
            case 0 | 1 | 2:
                row = visit(*key, status=chance.choice([None, "x", "y"]), days=chance.choice([None, 1, 2]))
                rows.put(VISITS, row)
                plain[key] = row
            case 3:
                rows.delete(VISITS, key)
                plain.pop(key, None)
            case 4:
                assert rows.get(VISITS, key) == plain.get(key)
            case 5:
                status = chance.choice([None, "x", "y"])
                expected = [plain[k] for k in sorted(plain) if plain[k]["status"] == status]
                assert list(rows.where(VISITS, status=status)) == expected

    class Undo(Exception):
        pass

    for _ in range(40):
        before = dict(plain)
        fails = chance.random() < 0.3
        try:
            with ledger.transaction() as transaction:
                for _ in range(chance.randrange(8)):
                    act(transaction.rows)
                inner, inner_fails = dict(plain), chance.random() < 0.5
                try:
                    with transaction.savepoint():
                        for _ in range(chance.randrange(8)):
                            act(transaction.rows)
                        if inner_fails:
                            raise Undo
                except Undo:
                    plain = inner
                for _ in range(chance.randrange(4)):
                    act(transaction.rows)
                if fails:
                    raise Undo
        except Undo:
            plain = before
        assert list(store.rows.where(VISITS)) == [plain[key] for key in sorted(plain)]
