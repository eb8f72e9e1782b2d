"""What only a server can do: end a connection while nobody looks, acknowledge too early, hash otherwise."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest

from trialwright.foundation.errors import RecordError
from trialwright.foundation.tables import Column, Table
from trialwright.ledger import LedgerDamaged, NewEntry, canonical
from trialwright.stores import StoreSettingsTooWeak, StoreUnavailable, open_store


def until(true):
    """Wait until the server has done it."""
    deadline = time.monotonic() + 10
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert true()


def test_a_store_notices_that_the_server_has_ended_its_connection(postgres_url):
    with open_store(postgres_url) as store:
        assert store.stands()
        with psycopg.connect(postgres_url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND datname = current_database()"
            ).fetchall()
        until(lambda: not store.stands())


def test_a_key_is_durable_before_the_entry_that_needs_it_whatever_the_server_does_by_itself(postgres_url):
    """Acknowledged while the server had not written it, a key lost in a power cut takes the texts that it sealed."""
    with open_store(postgres_url) as store:
        store.keyring.keep("small/open/P", "text", 0, bytes(32))
    with psycopg.connect(postgres_url, autocommit=True) as other:
        (name,) = other.execute("SELECT current_database() || '_keys'").fetchone()
        other.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    with open_store(postgres_url) as store:
        store.keyring.keep("small/open/P", "text", 1, bytes(32))
        [(found,)] = store.keyring._run("SHOW synchronous_commit").fetchall()
        assert found == "on"


def test_a_keyring_whose_connection_was_ended_connects_again_and_names_what_fails(postgres_url):
    with open_store(postgres_url) as store, psycopg.connect(postgres_url, autocommit=True) as other:
        store.keyring.keep("small/open/P", "text", 0, bytes(32))
        (name,) = other.execute("SELECT current_database() || '_keys'").fetchone()
        ended = other.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s", (name,)
        ).fetchall()
        assert ended == [(True,)]
        assert store.keyring.keep("small/open/P", "text", 1, b"k" * 32) == b"k" * 32
        assert [key for *_, key in store.keyring.entries()] == [bytes(32), b"k" * 32]
        store.keyring._run("ALTER TABLE data_key RENAME TO gone")
        with pytest.raises(RecordError):
            store.keyring.keep("small/open/P", "text", 2, bytes(32))


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_loses_what_it_acknowledged_in_a_power_cut_is_refused(postgres_url, setting):
    open_store(postgres_url).close()
    with psycopg.connect(postgres_url, autocommit=True) as other:

        def put(statement, wanted):
            other.execute(statement)
            other.execute("SELECT pg_reload_conf()")
            until(lambda: other.execute(f"SHOW {setting}").fetchone() == (wanted,))

        put(f"ALTER SYSTEM SET {setting} = off", "off")
        try:
            with pytest.raises(StoreSettingsTooWeak, match=setting):
                open_store(postgres_url)
        finally:
            put(f"ALTER SYSTEM RESET {setting}", "on")
    open_store(postgres_url).close()


def test_a_commit_waits_for_the_disk_whatever_the_server_does_by_itself(postgres_url):
    with psycopg.connect(postgres_url, autocommit=True) as other:
        (name,) = other.execute("SELECT current_database()").fetchone()
        other.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    with open_store(postgres_url) as store:
        assert store._database.rows("SHOW synchronous_commit") == [("on",)]


def test_a_commit_that_the_server_answers_with_a_rollback_is_no_success(postgres_url):
    """COMMIT of a transaction in which something failed gives no error, and keeps nothing."""
    said = {"stream": "study", "stream_seq": 1, "type": "a.b", "request_id": "r-1"}
    with open_store(postgres_url) as store:
        ledger = store.ledger("demo/open")
        with pytest.raises(StoreUnavailable), ledger.transaction() as transaction:
            transaction.append([NewEntry(**said, body=canonical(said))])
            with suppress(RecordError):
                store._database.rows("SELECT 1 / 0")
        assert ledger.size() == 0


def test_a_server_that_hashes_otherwise_than_the_program_is_not_written_to(postgres_url):
    """Somebody with the owner's rights has altered the function that appends."""
    said = {"stream": "study", "stream_seq": 1, "type": "a.b", "request_id": "r-1"}
    with open_store(postgres_url) as store:
        with psycopg.connect(postgres_url, autocommit=True) as other:
            (text,) = other.execute("SELECT pg_get_functiondef('ledger.append_events'::regproc)").fetchone()
            assert text.count(r"'\x00'::bytea") == 1
            other.execute(text.replace(r"'\x00'::bytea", r"'\x04'::bytea"))
        with pytest.raises(LedgerDamaged), store.ledger("demo/open").transaction() as transaction:
            transaction.append([NewEntry(**said, body=canonical(said))])
        assert store.ledger("demo/open").size() == 0
        assert store.ledger("demo/open").size() == 0


def files_holding(connection, what):
    """How many files of the server's databases hold these bytes, when everything is written out."""
    connection.execute("CHECKPOINT")
    (folder,) = connection.execute("SHOW data_directory").fetchone()
    found = 0
    for path in Path(folder, "base").rglob("*"):
        with suppress(FileNotFoundError):  # the server forgets files of its own meanwhile
            found += path.is_file() and what in path.read_bytes()
    return found


@pytest.mark.parametrize("before", [False, True])
def test_a_text_that_left_a_view_stands_in_no_file_of_the_server_but_its_log(postgres_url, before):
    """The planner's statistics hold samples of what stands in a table, and outlive the table."""
    mark = "Plantet-forgotten-text"
    table = Table("remark", key=(Column("id"),), columns=(Column("said"), Column("about")), indexes=(("about",),))
    with open_store(postgres_url) as store, psycopg.connect(postgres_url, autocommit=True) as other:
        holding = partial(files_holding, other, mark.encode())
        ledger = store.ledger("demo/open")
        with ledger.transaction() as transaction:
            transaction.rows.ensure((table,))
            for number in range(60):
                said = f"{mark} {number % 3}"
                transaction.rows.put(table, {"id": f"{number}", "said": said, "about": f"P-{number % 2}"})
        if before:  # as tables of earlier versions
            other.execute("ALTER TABLE projection.remark ALTER COLUMN said SET STATISTICS 100")
        other.execute("ANALYZE projection.remark")
        sampled = {name for (name,) in other.execute("SELECT attname FROM pg_stats WHERE tablename = 'remark'")}
        assert sampled == {"id", "about", *(["said"] if before else [])}
        assert holding() == 1 + before
        with ledger.transaction() as transaction:
            transaction.rows.clear((table,))
        assert holding() == before
        store.scrub()
        assert holding() == 0
        assert store._database.rows("SELECT current_user")[0][0].endswith("_app")


@pytest.mark.parametrize("before", [False, True])
def test_a_destroyed_key_stands_in_no_file_of_the_server_but_its_log(postgres_url, before):
    with open_store(postgres_url) as store:
        keys = [sha256(b"%d %d" % (before, number)).digest() for number in range(60)]
        for number, key in enumerate(keys):
            store.keyring.keep(f"small/open/P-{number}", "text", 0, key)
        keyring = f"{psycopg.conninfo.conninfo_to_dict(postgres_url)['dbname']}_keys"
        with psycopg.connect(psycopg.conninfo.make_conninfo(postgres_url, dbname=keyring), autocommit=True) as other:
            if before:  # as tables of earlier versions
                other.execute("ALTER TABLE data_key ALTER COLUMN content SET STATISTICS 100")
            other.execute("ANALYZE data_key")
            assert files_holding(other, keys[0]) == 1 + before
            assert store.keyring.destroy("small/open/P-0", 1) == 1
            assert files_holding(other, keys[0]) == 0
            assert files_holding(other, keys[1]) == 1, "no other is lost, nor sampled any more"
        assert store.keyring.find("small/open/P-1", "text", 0) == keys[1]
