"""From an address to a store, or to an error that says what is wrong with it."""

from __future__ import annotations

import os
import sqlite3

import psycopg
import pytest

from trialwright.foundation.errors import TrialwrightError
from trialwright.ledger import LedgerDamaged
from trialwright.stores import (
    MemoryStore,
    NotAStore,
    StoreFull,
    StoreMissing,
    StoreSettingsTooWeak,
    StoreUnavailable,
    StoreUrlInvalid,
    open_store,
)
from trialwright.stores.sqlite import SqliteDatabase

LEDGER = "demo/open"


def test_memory_is_an_address_of_a_new_empty_store():
    first, second = open_store("memory:"), open_store("memory:")
    assert isinstance(first, MemoryStore)
    assert first is not second


def test_a_sqlite_address_is_relative_with_three_slashes_and_absolute_with_four(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    open_store("sqlite:///here.db").close()
    open_store(f"sqlite:///{tmp_path}/there.db").close()
    assert (tmp_path / "here.db").exists()
    assert (tmp_path / "there.db").exists()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "store.db",
        "memory",
        "sqlite:store.db",
        "sqlite://store.db",
        "sqlite:///",
        "sqlite:///a.db?mode=ro",
        "sqlite:///nul\x00.db",
        "mysql://x/y",
        "postgresql://host",
        "postgresql://host/Bad-Name",
        "postgresql://host/a;b",
        "postgresql://host:nonsense:5/x?bad=1",
    ],
)
def test_an_address_that_cannot_be_understood_is_named(url):
    with pytest.raises(StoreUrlInvalid):
        open_store(url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:tops3cret@host/Bad-Name",
        "postgresql://me:tops3cret@host/x?bad=1",
        "postgresql://me:tops3cret@127.0.0.1:1/name",
        "mysql://me:tops3cret@host/x",
        "me:tops3cret@host",
    ],
)
def test_no_error_repeats_a_password(url):
    with pytest.raises(TrialwrightError) as caught:
        open_store(url)
    error = caught.value
    assert "tops3cret" not in str(error) + repr(error.given) + repr(error.__cause__)


@pytest.mark.parametrize("name", ["absent.db", "no/such/folder.db"])
def test_an_absent_file_is_missing_unless_it_is_to_be_created(tmp_path, name):
    with pytest.raises(StoreMissing):
        open_store(f"sqlite:///{tmp_path}/{name}", create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_database_file(tmp_path):
    with pytest.raises(StoreMissing):
        open_store(f"sqlite:///{tmp_path}")


def test_a_file_that_is_no_database_is_left_alone(tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("Dear colleague, " * 100)
    with pytest.raises(NotAStore):
        open_store(f"sqlite:///{path}")
    assert path.read_text() == "Dear colleague, " * 100


def test_a_database_of_another_program_is_left_alone(tmp_path):
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE cats (name)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(NotAStore):
        open_store(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_a_database_that_cannot_keep_a_journal_is_too_weak():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    with pytest.raises(StoreSettingsTooWeak, match="journal_mode"):
        SqliteDatabase(connection)
    connection.close()


def test_a_damaged_file_is_named(tmp_path, event):
    path = tmp_path / "store.db"
    with open_store(f"sqlite:///{path}") as store, store.ledger(LEDGER).transaction() as transaction:
        transaction.append([event("a", n, text="x" * 500) for n in range(1, 200)])
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(os.urandom(4096 * 20))
    with pytest.raises(LedgerDamaged), open_store(f"sqlite:///{path}") as store:
        list(store.ledger(LEDGER).read())


def test_a_full_disk_is_named_and_keeps_nothing_of_the_act(tmp_path, event):
    with open_store(f"sqlite:///{tmp_path}/store.db") as store:
        ledger = store.ledger(LEDGER)
        with ledger.transaction() as transaction:
            transaction.append([event("a", 1)])
        connection = store._database._connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StoreFull), ledger.transaction() as transaction:
            transaction.append([event("a", 2)])
            for n in range(3, 30):
                transaction.append([event("a", n, text="x" * 5000)])
        assert ledger.head().size == 1
        connection.execute(f"PRAGMA max_page_count = {pages + 1000}")
        with ledger.transaction() as transaction:
            transaction.append([event("a", 2)])
        assert ledger.head().size == 2


def test_going_on_after_a_full_disk_gave_the_transaction_up_keeps_nothing_either(tmp_path, event):
    """SQLite may end a transaction by itself; a caller who swallows that must not write outside of one."""
    with open_store(f"sqlite:///{tmp_path}/store.db") as store:
        ledger = store.ledger(LEDGER)
        with pytest.raises(StoreFull), ledger.transaction() as transaction:
            transaction.append([event("a", 1)])
            store._database._connection.execute("ROLLBACK")
            transaction.append([event("a", 2)])
        with pytest.raises(StoreFull), ledger.transaction():
            store._database._connection.execute("ROLLBACK")
        assert ledger.head().size == 0


def test_a_postgresql_database_is_created_when_absent_and_only_if_asked(postgres_url):
    url = postgres_url.replace("fresh_", "absent_")
    with pytest.raises(StoreMissing):
        open_store(url, create=False)
    open_store(url).close()
    open_store(url, create=False).close()


def test_an_empty_postgresql_database_is_no_store_unless_it_is_to_be_made(postgres_url):
    with pytest.raises(StoreMissing):
        open_store(postgres_url, create=False)


def test_a_server_that_does_not_answer_is_unavailable():
    with pytest.raises(StoreUnavailable):
        open_store("postgresql://postgres@127.0.0.1:1/nobody")


def test_an_account_that_may_not_make_a_store_is_told_so(postgres_url):
    with psycopg.connect(postgres_url) as raw:
        raw.execute("CREATE ROLE visitor LOGIN")
    as_visitor = postgres_url.replace("postgres@", "visitor@")
    with pytest.raises(StoreUnavailable, match="may not"):
        open_store(as_visitor)
    with pytest.raises(StoreUnavailable):
        open_store(as_visitor.replace("fresh_", "never_"))


def test_an_account_in_the_application_role_may_use_a_store_it_could_not_make(postgres_url, event):
    open_store(postgres_url).close()
    with psycopg.connect(postgres_url) as raw:
        raw.execute("CREATE ROLE clinic LOGIN")
        raw.execute(f"GRANT {raw.info.dbname}_app TO clinic")
    with open_store(postgres_url.replace("postgres@", "clinic@"), create=False) as store:
        with store.ledger(LEDGER).transaction() as transaction:
            transaction.append([event("a", 1)])
        assert store.ledger(LEDGER).head().size == 1


def test_an_account_that_may_create_databases_and_roles_need_not_be_superuser(postgres_url, event):
    with psycopg.connect(postgres_url) as raw:
        raw.execute("CREATE ROLE keeper LOGIN CREATEDB CREATEROLE")
    url = postgres_url.replace("postgres@", "keeper@").replace("fresh_", "kept_")
    with open_store(url) as store, store.ledger(LEDGER).transaction() as transaction:
        transaction.append([event("a", 1)])
    with open_store(url, create=False) as store:
        assert store.ledger(LEDGER).head().size == 1


def test_a_schema_of_that_name_by_another_program_is_left_alone(postgres_url):
    with psycopg.connect(postgres_url) as raw:
        raw.execute("CREATE SCHEMA ledger")
        raw.execute("CREATE SCHEMA projection")
    with pytest.raises(NotAStore):
        open_store(postgres_url)
