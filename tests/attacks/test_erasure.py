"""The short form of ``tests/campaigns/attack_erasure.py``, and what it finds in builds that forget too little."""

from __future__ import annotations

import re
from contextlib import ExitStack

import pytest

from trialwright.stores.sqlite import SqliteDatabase
from trialwright.trial.dispatch import Trial
from trialwright.trial.erasure import carrying_out
from trialwright.trial.sealed_text import SealedTexts

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
    assert files >= {"open.db", "open.db.keys.db", "closed.db", "backup", "exports"}
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
    monkeypatch.setattr(erasure, "leave_out_views", lambda copy: None)
    assert "backup/open.db as it is" in found_by(erasure, folder)


def test_a_keyring_in_a_backup_is_found(erasure, folder, monkeypatch):
    monkeypatch.setattr(erasure, "back_up", with_keyring(erasure.back_up))
    assert "backup/open.db with backup/open.db.keys.db" in found_by(erasure, folder)


def with_keyring(back_up):
    def both(folder):
        back_up(folder)
        keyring = folder / "open.db.keys.db"
        (folder / "backup" / keyring.name).write_bytes(keyring.read_bytes())

    return both


def test_digests_that_confirm_a_guess_are_found(erasure, folder, monkeypatch):
    monkeypatch.setattr(carrying_out, "_forget_requests", lambda *arguments: None)
    assert "open.db confirms" in found_by(erasure, folder)


@pytest.mark.parametrize("how", ["utf-16-le", "latin-1", "hex", "HEX", "JSON", "percent", "base64"])
def test_the_searcher_reads_every_spelling(erasure, folder, how):
    import base64
    import gzip

    with ExitStack() as stores:
        planted = erasure.plant(1, folder, stores)
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
