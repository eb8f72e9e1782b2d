"""The short form of ``tests/campaigns/attack_erasure.py``, and what it finds in builds that forget too little."""

from __future__ import annotations

import re
from contextlib import ExitStack, suppress

import pytest
from typer.testing import CliRunner

from trialwright.cli import app
from trialwright.stores import ProjectionMissing, ViewsLeftOut, open_store, restore
from trialwright.stores import backup as backing
from trialwright.stores.sqlite import SqliteDatabase
from trialwright.trial.dispatch import Trial
from trialwright.trial.erasure import carrying_out
from trialwright.trial.sealed_text import SealedTexts
from trialwright.trial.views import VIEWS

COUNT = 20


@pytest.fixture(scope="session")
def erasure(attack):
    return attack("attack_erasure")


def test_twenty_identities_are_found_nowhere_once_their_keys_are_destroyed(erasure, folder):
    outcome = erasure.campaign(COUNT, folder)
    assert outcome.found == ()
    assert outcome.control, "who was not forgotten is still there"
    assert outcome.verified
    assert outcome.shredded >= COUNT
    files = {path.relative_to(folder).parts[0] for path in folder.rglob("*") if path.is_file()}
    assert files >= {"open.db", "open.db.keys.db", "closed.db", "backup", "restored", "exports"}
    exported = [path for path in (folder / "exports").rglob("*") if path.is_file()]
    assert len(exported) > 10, [path.read_text() for path in exported if path.suffix == ".log"]


def found_by(erasure, folder):
    found = erasure.campaign(6, folder).found
    return " ".join(f"{file} {how}" for file, how in found)


def test_texts_left_in_the_clear_are_found(erasure, folder, monkeypatch):
    monkeypatch.setattr(SealedTexts, "seal", lambda *arguments: None)
    assert re.search(r"open\.db as it is", found_by(erasure, folder))


def test_views_that_are_not_folded_again_are_found(erasure, folder, monkeypatch):
    monkeypatch.setattr(Trial, "rebuild_views", lambda *arguments: 0)
    assert re.search(r"(?<!/)\bopen\.db as it is", found_by(erasure, folder))


def test_database_files_that_are_not_cleaned_are_found(erasure, folder, monkeypatch):
    monkeypatch.setattr(SqliteDatabase, "scrub", lambda database: None)
    assert re.search(r"open\.db(-wal)? as it is", found_by(erasure, folder))


def test_views_in_a_backup_are_found(erasure, folder, monkeypatch):
    monkeypatch.setattr(backing, "holds_sealed", lambda store: False)
    assert "backup/small.open.sqlite as it is" in found_by(erasure, folder)


def test_a_keyring_in_a_backup_is_found(erasure, folder, monkeypatch):
    back_up, put_back, keyrings = erasure.back_up, erasure.put_back, []

    def taken(folder):
        back_up(folder)
        keyrings.append((folder / "open.db.keys.db").read_bytes())

    def put_back_and_left(folder):
        folded = put_back(folder)
        (folder / "backup" / "open.db.keys.db").write_bytes(keyrings[0])
        return folded

    monkeypatch.setattr(erasure, "back_up", taken)
    monkeypatch.setattr(erasure, "put_back", put_back_and_left)
    assert "backup/small.open.sqlite with backup/open.db.keys.db" in found_by(erasure, folder)


def test_a_backup_of_sealed_texts_comes_back_whole_and_waits_for_its_keyring(erasure, folder):
    target = folder / "target"
    target.mkdir()
    with ExitStack() as opened:
        erasure._commit(planted := erasure.plant(3, folder, opened))
        erasure.back_up(folder)
        before = [dumped(store) for store in planted.world.trial.stores.values()]
    parts = erasure.parts(target)
    found = restore(folder / "backup", parts, erasure.START, outside={}, keys=[])
    assert found.without_views == ("small.open",), "nobody wrote a text in the closed space"
    assert not any(report.fault for report in found.reports)
    with open_store(parts[0].address) as store, pytest.raises(ViewsLeftOut, match="keyring"):
        adds(store)
    rebuild = ["rebuild-views", parts[0].address, "--closed-store", parts[1].address]
    waits = CliRunner().invoke(app, rebuild)
    assert (waits.exit_code, "there is no key of small/open/" in waits.stdout) == (1, True)
    with open_store(parts[0].address) as store, pytest.raises(ViewsLeftOut):
        adds(store)
    for keyring in folder.glob("*.keys.db"):
        (target / keyring.name).write_bytes(keyring.read_bytes())
    done = CliRunner().invoke(app, rebuild)
    assert (done.exit_code, done.stdout) == (0, "The views of small are folded.\n")
    for part, rows in zip(parts, before, strict=True):
        with open_store(part.address) as store:
            adds(store)
            assert dumped(store) == rows


def dumped(store):
    """Every row of every view that stands in a store."""
    found = {}
    for table in (table for view in VIEWS for table in view.tables):
        with suppress(ProjectionMissing):
            found[table.name] = list(store.rows.where(table))
    assert found
    return found


def adds(store):
    with store.ledger(store.ledger_ids()[0]).transaction() as transaction:
        transaction.append([])


def test_digests_that_confirm_a_guess_are_found(erasure, folder, monkeypatch):
    monkeypatch.setattr(carrying_out, "_forget_requests", lambda *arguments: None)
    assert "open.db confirms" in found_by(erasure, folder)


@pytest.mark.parametrize("how", ["utf-16-le", "latin-1", "hex", "HEX", "JSON", "percent", "base64"])
def test_the_searcher_reads_every_spelling(erasure, folder, how):
    import base64
    import gzip

    with ExitStack() as opened:
        planted = erasure.plant(1, folder, opened)
        (identity,) = planted.identities
        spelt = {
            "hex": identity.encode().hex().encode(),
            "HEX": identity.encode().hex().upper().encode(),
            "JSON": identity.replace("Æ", "\\u00c6").encode(),
            "percent": identity.replace("Æ", "%C3%86").encode(),
            "base64": base64.b64encode(b"xx" + identity.encode()),
        }
        content = spelt.get(how) or identity.encode(how)
        (folder / "left.gz").write_bytes(gzip.compress(b"before" + content + b"after"))
        assert [name for file, name in erasure.search(planted) if file == "left.gz"]
