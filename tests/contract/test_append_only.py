"""Whoever speaks SQL to the database with the application's rights can add the next entry, and nothing else."""

from __future__ import annotations

import sqlite3
from hashlib import sha256

import psycopg
import pytest

from trialwright.ledger import SigningKey, sign_checkpoint, verify_ledger
from trialwright.stores import StoreSettingsTooWeak, StoreTooNew, open_store

LEDGER = "demo/open"


def filled(backend, event):
    with backend.open() as store:
        ledger = store.ledger(LEDGER)
        with ledger.transaction() as transaction:
            transaction.append([event("a", n) for n in range(1, 6)])
        head = ledger.head()
        store.save_checkpoint(LEDGER, sign_checkpoint(LEDGER, 5, head.root, SigningKey("k", b"k" * 32)))
    return head


ROW = f"('{LEDGER}', {{seq}}, '{{stream}}', {{stream_seq}}, 't', 'r', X'7b7d', X'00', X'00')"

SQLITE_ATTACKS = [
    "UPDATE ledger_entry SET body = X'7b7d' WHERE seq = 3",
    "UPDATE OR REPLACE ledger_entry SET seq = 2 WHERE seq = 3",
    "DELETE FROM ledger_entry WHERE seq = 5",
    "DELETE FROM ledger_entry",
    "INSERT INTO ledger_entry VALUES " + ROW.format(seq=7, stream="a", stream_seq=6),
    "INSERT INTO ledger_entry VALUES " + ROW.format(seq=6, stream="a", stream_seq=7),
    "INSERT INTO ledger_entry VALUES " + ROW.format(seq=0, stream="b", stream_seq=1),
    "INSERT OR REPLACE INTO ledger_entry VALUES " + ROW.format(seq=3, stream="a", stream_seq=3),
    "INSERT OR REPLACE INTO ledger_entry VALUES " + ROW.format(seq=6, stream="a", stream_seq=3),
    "REPLACE INTO ledger_entry VALUES " + ROW.format(seq=5, stream="b", stream_seq=1),
    f"INSERT INTO ledger_entry VALUES {ROW.format(seq=3, stream='a', stream_seq=3)}"
    " ON CONFLICT DO UPDATE SET body = X'7b7d'",
    "UPDATE ledger_head SET size = 2",
    "UPDATE ledger_head SET ledger_id = 'demo/other'",
    "DELETE FROM ledger_head",
    "INSERT OR REPLACE INTO ledger_head VALUES ('demo/open', 2, X'00', X'00')",
    "UPDATE ledger_checkpoint SET note = 'x'",
    "DELETE FROM ledger_checkpoint",
]


@pytest.mark.parametrize("recursive", ["ON", "OFF"])
@pytest.mark.parametrize("attack", SQLITE_ATTACKS)
def test_sqlite_refuses_any_connection_to_change_the_record(new_backend, event, attack, recursive):
    backend = new_backend("sqlite")
    head = filled(backend, event)
    before = dump(backend)
    raw = sqlite3.connect(backend.path, isolation_level=None)
    raw.execute(f"PRAGMA recursive_triggers = {recursive}")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw.execute(attack)
    raw.close()
    assert dump(backend) == before
    with backend.open() as store:
        assert store.ledger(LEDGER).head() == head


def test_sqlite_rows_have_no_hidden_key_by_which_they_could_be_replaced(new_backend, event):
    backend = new_backend("sqlite")
    filled(backend, event)
    raw = sqlite3.connect(backend.path, isolation_level=None)
    for table in ("ledger_entry", "ledger_head", "ledger_checkpoint"):
        with pytest.raises(sqlite3.OperationalError, match="rowid"):
            raw.execute(f"SELECT rowid FROM {table}")
    raw.close()


def dump(backend):
    raw = sqlite3.connect(backend.path)
    try:
        return [
            raw.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
            for table in ("ledger_entry", "ledger_head", "ledger_checkpoint")
        ]
    finally:
        raw.close()


def test_sqlite_without_its_triggers_is_not_written_to(new_backend, event):
    backend = new_backend("sqlite")
    filled(backend, event)
    raw = sqlite3.connect(backend.path, isolation_level=None)
    raw.execute("DROP TRIGGER ledger_entry_no_delete")
    raw.close()
    with pytest.raises(StoreSettingsTooWeak, match="ledger_entry_no_delete"):
        backend.open()


def test_sqlite_keeps_the_safe_settings(new_backend):
    backend = new_backend("sqlite")
    with backend.open() as store:
        connection = store._database._connection
        found = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "recursive_triggers", "fullfsync", "checkpoint_fullfsync")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "recursive_triggers": 1,
        "fullfsync": 1,
        "checkpoint_fullfsync": 1,
    }


VALUES = f"('{LEDGER}', 6, 'a', 6, 't', 'r', '', '', '')"

POSTGRESQL_ATTACKS = [
    *(
        attack.format(table=table)
        for table in ("ledger_entry", "ledger_head", "ledger_checkpoint", "ledger_format")
        for attack in ("DELETE FROM ledger.{table}", "TRUNCATE ledger.{table}", "DROP TABLE ledger.{table}")
    ),
    "UPDATE ledger.ledger_entry SET body = '' WHERE seq = 3",
    "UPDATE ledger.ledger_head SET size = 2",
    "UPDATE ledger.ledger_checkpoint SET note = ''",
    "UPDATE ledger.ledger_format SET version = 9",
    f"INSERT INTO ledger.ledger_entry VALUES {VALUES}",
    f"INSERT INTO ledger.ledger_entry VALUES {VALUES} ON CONFLICT DO NOTHING",
    "INSERT INTO ledger.ledger_head VALUES ('demo/x', 0, '', '')",
    "INSERT INTO ledger.ledger_checkpoint VALUES ('demo/open', 3, 'x')",
    "SELECT * FROM ledger.ledger_entry FOR UPDATE",
    "ALTER TABLE ledger.ledger_entry DISABLE TRIGGER ALL",
    "ALTER FUNCTION ledger.append_events SECURITY INVOKER",
    "CREATE TABLE ledger.mine (a int)",
    "SET session_replication_role = replica",
]


@pytest.mark.parametrize("attack", POSTGRESQL_ATTACKS)
def test_postgresql_gives_the_application_no_right_to_change_the_record(postgres_filled, attack):
    url, app, _ = postgres_filled
    with psycopg.connect(url) as raw:
        raw.execute(f"SET ROLE {app}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            raw.execute(attack)


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE ledger.ledger_entry SET body = ''",
        "DELETE FROM ledger.ledger_entry WHERE false",
        "TRUNCATE ledger.ledger_entry",
        "UPDATE ledger.ledger_checkpoint SET note = ''",
        "DELETE FROM ledger.ledger_checkpoint",
        "TRUNCATE ledger.ledger_checkpoint",
        "DELETE FROM ledger.ledger_head",
        "TRUNCATE ledger.ledger_head",
    ],
)
def test_postgresql_refuses_its_owner_too(postgres_filled, attack):
    url, _, owner = postgres_filled
    with psycopg.connect(url) as raw:
        raw.execute(f"SET ROLE {owner}")
        with pytest.raises(psycopg.Error, match="append-only"):
            raw.execute(attack)


@pytest.mark.parametrize(
    "arguments",
    [
        f"'{LEDGER}', ARRAY['a'], ARRAY[5], ARRAY['t'], ARRAY['r'], ARRAY['x'::bytea]",
        f"'{LEDGER}', ARRAY['a'], ARRAY[7], ARRAY['t'], ARRAY['r'], ARRAY['x'::bytea]",
        f"'{LEDGER}', ARRAY['b'], ARRAY[NULL]::bigint[], ARRAY['t'], ARRAY['r'], ARRAY['x'::bytea]",
        f"'{LEDGER}', ARRAY['b'], ARRAY[1], ARRAY['t'], ARRAY['r'], ARRAY[NULL]::bytea[]",
        f"'{LEDGER}', ARRAY['b', 'c'], ARRAY[1, 1], ARRAY['t'], ARRAY['r'], ARRAY['x'::bytea]",
        "'No Ledger', ARRAY['b'], ARRAY[1], ARRAY['t'], ARRAY['r'], ARRAY['x'::bytea]",
    ],
)
def test_postgresql_lets_nothing_but_the_next_entry_through_its_door(postgres_filled, arguments):
    url, app, _ = postgres_filled
    with psycopg.connect(url) as raw:
        raw.execute(f"SET ROLE {app}")
        with pytest.raises(psycopg.Error):
            raw.execute(f"SELECT ledger.append_events({arguments})")


def test_postgresql_hashes_by_itself_what_comes_through_its_door(postgres_filled, event):
    """Called past our code, the server still gives the entry its true place, leaf and chain."""
    url, app, _ = postgres_filled
    new = event("b", 1)
    with psycopg.connect(url) as raw:
        raw.execute(f"SET ROLE {app}")
        raw.execute(
            "SELECT ledger.append_events(%s, ARRAY[%s], ARRAY[1], ARRAY[%s], ARRAY[%s], ARRAY[%b::bytea])",
            (LEDGER, new.stream, new.type, new.request_id, new.body),
        )
    with open_store(url) as store:
        ledger = store.ledger(LEDGER)
        [last] = ledger.read(after=5)
        assert last.leaf == sha256(b"\x00" + new.body).digest()
        assert verify_ledger(ledger, outside={}, keys=[]).fault is None


def test_a_store_does_not_open_where_the_application_could_write_the_record(postgres_filled):
    url, app, _ = postgres_filled
    with psycopg.connect(url) as raw:
        raw.execute(f"GRANT DELETE ON ledger.ledger_entry TO {app}")
    with pytest.raises(StoreSettingsTooWeak, match="ledger_entry"):
        open_store(url)


def test_a_store_of_a_newer_format_is_not_opened(new_backend, event):
    sqlite_backend, postgresql_backend = new_backend("sqlite"), new_backend("postgresql")
    filled(sqlite_backend, event)
    filled(postgresql_backend, event)
    raw = sqlite3.connect(sqlite_backend.path)
    raw.execute("PRAGMA user_version = 99")
    raw.close()
    with psycopg.connect(postgresql_backend.url) as server:
        server.execute("INSERT INTO ledger.ledger_format VALUES (99)")
    for backend in (sqlite_backend, postgresql_backend):
        with pytest.raises(StoreTooNew, match="99"):
            backend.open()


@pytest.fixture(scope="module")
def postgres_filled(new_postgres_database, event):
    """A filled store's address and its two roles; no test leaves a trace that another could see."""
    url = new_postgres_database()
    backend = type("Here", (), {"open": staticmethod(lambda: open_store(url))})
    filled(backend, event)
    with psycopg.connect(url) as raw:
        name = raw.info.dbname
    return url, f"{name}_app", f"{name}_owner"
