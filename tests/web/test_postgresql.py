"""The application on PostgreSQL: record, accounts and drafts are there, and its server may end every connection."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import httpx
import psycopg
import pytest
from psycopg import conninfo

from trialwright.stores import open_store
from trialwright.trial.capture.views import FORM, ITEM
from trialwright.trial.enrolment.views import DISPOSITION
from trialwright_web.config.demo import PASSWORD, environment

UNTIL = "2026-06-15"


def run(*command: str, **settings: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command], env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def databases(new_postgres_database: Callable[[], str]) -> dict[str, str]:
    """The addresses of three databases: the record's, the accounts', the identities'."""
    return {name: new_postgres_database() for name in ("record", "accounts", "identity")}


@pytest.fixture(scope="module")
def staff(tmp_path_factory: pytest.TempPathFactory, databases: dict[str, str], server_on: Callable) -> Iterator:
    """The staff's process, on a short rehearsed trial of the template's study."""
    folder = tmp_path_factory.mktemp("postgresql")
    run("trialwright.cli", "new", str(folder / "first"))
    run(
        *("trialwright.cli", "rehearse", str(folder / "first"), "--participants", "6", "--seed", "1"),
        *("--until", UNTIL, "--store", databases["record"], "--json"),
    )
    (folder / "secret.key").write_text("for the tests alone " * 4)
    (folder / "installation.toml").write_text(
        f'[studies.first]\nfolder = "first"\nstore = "{databases["record"]}"\nmode = "rehearsal"\n'
        f"began = {UNTIL}T07:00:00Z\n"
    )
    own = {"TRIALWRIGHT_DATABASE": databases["accounts"], "TRIALWRIGHT_IDENTITY": databases["identity"]}
    settings = {**environment(folder, "staff"), **own}
    run("django", "prepare_databases", **settings)
    run("django", "make_rehearsal_accounts", PASSWORD, "study_nurse.01", **settings)
    run("django", "make_rehearsal_participants", PASSWORD, "first", **settings)
    server = server_on(folder, "staff", **own)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def nurse(staff) -> httpx.Client:
    return staff.client("study_nurse.01")


@pytest.fixture(scope="module")
def participant(databases) -> str:
    with open_store(databases["record"]) as store:
        return next(str(row["participant"]) for row in store.rows.where(DISPOSITION, site="01"))


def fields(page: httpx.Response) -> dict[str, str]:
    """What a form's page posts back unseen."""
    names = ("csrfmiddlewaretoken", "request_id", "version")
    return {name: re.search(rf'name="{name}" value="([^"]*)"', page.text)[1] for name in names}


def save(nurse: httpx.Client, address: str, name: str, **more: str) -> httpx.Response:
    typed = {**fields(nurse.get(address)), "v.name": name, **more}
    return nurse.post(address, data=typed, headers={"Referer": str(nurse.base_url)})


def next_form(databases, participant) -> str:
    """Where the participant's next medicine is entered."""
    with open_store(databases["record"]) as store:
        count = len(list(store.rows.where(FORM, participant=participant, form="medication")))
    return f"/first/participants/{participant}/log/medication/{count + 1}/"


def names_on_record(databases, participant) -> list[str]:
    with open_store(databases["record"]) as store:
        rows = store.rows.where(ITEM, participant=participant, form="medication", item="name")
        return [str(row["value"]) for row in rows]


def end_every_connection(databases) -> int:
    """What a restart of the server does to those who hold connections; they are gone when it answers."""
    held = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = ANY(%s)"
    names = ([conninfo.conninfo_to_dict(address)["dbname"] for address in databases.values()],)
    with psycopg.connect(databases["record"], autocommit=True) as connection:
        ended = connection.execute(f"SELECT pg_terminate_backend(pid) {held}", names).fetchall()
        while connection.execute(f"SELECT count(*) {held}", names).fetchone() != (0,):
            time.sleep(0.01)
    return len(ended)


def test_a_form_is_saved_and_stands_on_record(nurse, databases, participant):
    assert "done=saved" in str(save(nurse, next_form(databases, participant), "Amlodipin", act="save").url)
    assert "Amlodipin" in names_on_record(databases, participant)


def test_a_page_sent_twice_saves_once(nurse, databases, participant):
    address = next_form(databases, participant)
    typed = {**fields(nurse.get(address)), "v.name": "Losartan", "act": "save"}
    for _ in range(2):
        answer = nurse.post(address, data=typed, headers={"Referer": str(nurse.base_url)})
        assert "done=saved" in str(answer.url), answer.text[:500]
    assert names_on_record(databases, participant).count("Losartan") == 1


def test_a_draft_is_kept_in_the_database_and_unreadable_there(nurse, databases, participant):
    address = next_form(databases, participant)
    assert save(nurse, address, "Half typed", act="draft").json()["kept_at"]
    assert "Half typed" in nurse.get(address).text
    with psycopg.connect(databases["accounts"]) as connection:
        drafts = [bytes(sealed) for (sealed,) in connection.execute("SELECT sealed FROM store_draft")]
    assert drafts and not any(b"Half" in draft for draft in drafts)


def test_when_the_server_ends_its_connections_nobody_notices_and_nothing_is_lost(nurse, databases, participant):
    address = next_form(databases, participant)
    page = nurse.get(address)
    assert end_every_connection(databases) > 0
    typed = {**fields(page), "v.name": "Enalapril", "act": "save"}
    answer = nurse.post(address, data=typed, headers={"Referer": str(nurse.base_url)})
    assert "done=saved" in str(answer.url), answer.text[:800]
    assert names_on_record(databases, participant).count("Enalapril") == 1


def script(text: str, **settings: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", text], env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


def columns_and_rows(address: str, table: str, columns: tuple[str, ...] = ()) -> tuple[tuple[str, ...], list[tuple]]:
    """What stands in a table, in the order of its key."""
    with psycopg.connect(address) as connection:
        named = ", ".join(columns) or "*"
        found = connection.execute(f"SELECT {named} FROM {table} ORDER BY 1, 2")
        return tuple(column.name for column in found.description), found.fetchall()


def test_migrations_run_forward_on_an_existing_installation(
    staff, databases, migrations, new_postgres_database, participant
):
    """From the first migration of every application, with accounts, a draft and people's access; views anew.

    The last of this file: it takes views away from under the server that runs.
    """
    earlier = {"accounts": new_postgres_database(), "identity": new_postgres_database()}
    settings = {
        **environment(staff.folder, "staff"),
        "TRIALWRIGHT_DATABASE": earlier["accounts"], "TRIALWRIGHT_IDENTITY": earlier["identity"],
    }  # fmt: skip
    script(migrations.first, **settings)
    for name, table in (("accounts", "accounts_account"), ("identity", "participant_invitation")):
        columns, _ = columns_and_rows(earlier[name], table)
        _, rows = columns_and_rows(databases[name], table, columns)
        with psycopg.connect(earlier[name]) as connection:
            places = ", ".join(["%s"] * len(columns))
            into = f"INSERT INTO {table} ({', '.join(columns)}) OVERRIDING SYSTEM VALUE VALUES ({places})"
            connection.cursor().executemany(into, rows)
    with psycopg.connect(earlier["accounts"]) as connection:
        account = connection.execute("SELECT min(id) FROM accounts_account").fetchone()[0]
        draft = (
            "INSERT INTO store_draft (account_id, place, version, sealed, saved_at) VALUES (%s, 'p', 3, %s, now())"
        )
        connection.execute(draft, (account, b"\x00\xff"))
    held = (
        ("accounts", "accounts_account"), ("accounts", "store_draft"), ("identity", "participant_invitation"),
    )  # fmt: skip
    before = {table: columns_and_rows(earlier[name], table) for name, table in held}
    assert min(len(rows) for _, rows in before.values()) > 0
    with open_store(databases["record"]) as store:
        views = {table.name: list(store.rows.where(table)) for table in (DISPOSITION, FORM, ITEM)}
    record = columns_and_rows(databases["record"], "ledger.ledger_entry")
    with psycopg.connect(databases["record"]) as connection:
        connection.execute("DROP TABLE projection.disposition")
        connection.execute("ALTER TABLE projection.form RENAME COLUMN saves TO stored")

    said = run("trialwright_web", "migrate", **settings)

    assert "first open: " in said
    for name, table in held:
        columns, rows = before[table]
        assert columns_and_rows(earlier[name], table, columns) == (columns, rows), table
    assert script(migrations.now, **settings) == "True", "nothing is left to migrate, and somebody can sign in"
    assert columns_and_rows(databases["record"], "ledger.ledger_entry") == record, "byte for byte"
    with open_store(databases["record"]) as store:
        assert {table.name: list(store.rows.where(table)) for table in (DISPOSITION, FORM, ITEM)} == views
