"""What the application keeps beside the record is forgotten, too; and what is found in builds that leave a place out.

Everything is planted once, and decided once; each test carries it out on a copy.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import ExitStack, closing
from dataclasses import replace

import pytest

ROWS = {
    "store_draft": 1,
    "store_job": 0,
    "participant_kept": 1,
    "participant_invitation": 2,
    "participant_consentquestion": 2,
    "participant_contact": 1,
}
"""What stays: of somebody who is not forgotten, and the access of somebody who stays in the trial."""
NOTHING_IS_DELETED = """
from trialwright_web.config import forgetting
for name in ("forget_drafts", "forget_pages", "forget_texts", "forget_person", "_forget_results", "_forget_files"):
    setattr(forgetting, name, lambda *arguments, **options: 0)
"""
NO_KEY_IS_DESTROYED = """
from trialwright_web.capture import form_blobs
from trialwright_web.config import forgetting
for module, name in ((forgetting, "destroy_contact"), (forgetting, "destroy_imports"), (form_blobs, "destroy_file"),
                     (forgetting, "carry_out_erasures")):
    setattr(module, name, lambda *arguments: None)
"""
NOTHING_IS_CLEANED = """
from trialwright_web.config import forgetting
forgetting.scrub = lambda tables: None
from django.db.backends.signals import connection_created
connection_created.connect(lambda connection, **_: connection.cursor().execute("PRAGMA secure_delete = OFF"),
                           weak=False)
"""
DIES_HALF_WAY = """
import os
from trialwright_web.config import forgetting
forgetting._forget_results = lambda *arguments: os._exit(9)
"""
LOOK = """
from django.conf import settings
from trialwright.foundation.errors import TrialwrightError
from trialwright_web.capture.form_blobs import Blobs
from trialwright_web.config.forgetting import Forgetting
from trialwright.foundation.operating_system import SystemClock
from trialwright_web.shell.studies import installation
blobs = Blobs(settings.ENVIRONMENT.attachments, installation().trial("small"))
try:
    blobs.get(given["digest"])
except TrialwrightError as error:
    gone = error.code
again = blobs.get(blobs.put(given["content"].encode())).decode()
print(json.dumps([gone, again, Forgetting("staff", SystemClock()).carry_on()]))
"""


@pytest.fixture(scope="module")
def erasure(attack):
    return attack("attack_erasure")


@pytest.fixture(scope="module")
def decided(erasure, tmp_path_factory):
    """One identity in each place, planted, backed up, and to be forgotten."""
    folder = tmp_path_factory.mktemp("decided")
    application = erasure.Application(folder, erasure.TRIAL / "study", erasure.START)
    with ExitStack() as opened:
        count = len(erasure.PLACES) + len(erasure.erasure_application.PLACES)
        planted = erasure.plant(count, folder, opened, application)
        erasure.decide(planted)
        # The record's own part has its own tests: what is planted there stands in exports of the application.
        yield planted


@pytest.fixture
def copied(decided, tmp_path):
    """A copy to carry it out on."""
    folder = tmp_path / "copy"
    shutil.copytree(decided.folder, folder)
    return replace(decided, folder=folder, application=replace(decided.application, folder=folder))


def kinds(planted, texts):
    """Where the identities in the texts were planted."""
    return {name for identity, name in planted.identities.items() if any(identity in text for text in texts)}


def test_identities_in_every_place_are_found_nowhere_and_who_stays_is_still_there(erasure, copied):
    application = copied.application
    application.forget()
    assert list(erasure.search(copied)) == []
    told = list(application.told())
    assert kinds(copied, (text for _, text in told)) == set()
    stays = {where for where, text in told if copied.kept in text}
    assert stays == erasure.erasure_application.STAYS
    assert erasure.erasure_application.rows(copied.folder) == ROWS
    assert not list((copied.folder / "files").rglob("*.zip"))
    identity = next(one for one, name in copied.identities.items() if name == "file")
    given = {"digest": erasure.hashlib.sha256(identity.encode()).hexdigest(), "content": identity}
    gone, again, forgotten = json.loads(application.run("staff", LOOK, given))
    assert gone == "web.attachment_forgotten"
    assert again == identity, "the same file, brought again, has a key of its own"
    assert forgotten == 0, "what was done is not done again"


def test_places_that_are_left_out_are_found(erasure, copied):
    application = replace(copied.application, weakened=NOTHING_IS_DELETED)
    application.forget("staff", "public")
    left = erasure.erasure_application.rows(copied.folder)
    assert all(left[table] > ROWS[table] for table in ROWS), left
    found = " ".join(f"{file} {how}" for file, how in erasure.search(copied))
    assert "files/staff/" in found, "results of exports are not encrypted"
    sealed = {path.name for path in (copied.folder / "attachments").rglob("*") if path.is_file()}
    assert len(sealed) == 3


def test_keys_that_are_not_destroyed_open_the_backups(erasure, copied):
    application = replace(copied.application, weakened=NO_KEY_IS_DESTROYED)
    application.forget("staff", "public")
    told = [text for _, text in application.told_by_backups()]
    assert kinds(copied, told) == set(erasure.erasure_application.PLACES)


def test_rows_that_were_deleted_are_in_no_page_of_the_files(copied):
    before = sealed_contacts(copied.folder)
    weak = copied.folder.with_name("weak")
    shutil.copytree(copied.folder, weak)
    replace(copied.application, folder=weak, weakened=NOTHING_IS_CLEANED).forget("staff")
    copied.application.forget("staff")
    for folder, is_there in ((copied.folder, False), (weak, True)):
        content = b"".join(path.read_bytes() for path in folder.glob("identity.db*"))
        assert any(one[-40:] in content for one in before - sealed_contacts(folder)) is is_there


def test_a_worker_that_dies_half_way_is_followed_by_one_that_completes_it(erasure, copied):
    with pytest.raises(erasure.erasure_application.ProcessFailed):
        replace(copied.application, weakened=DIES_HALF_WAY).forget("staff")
    assert list((copied.folder / "files").rglob("*.zip"))
    copied.application.forget("staff", "public")
    assert erasure.erasure_application.rows(copied.folder) == ROWS
    assert not list((copied.folder / "files").rglob("*.zip"))


def sealed_contacts(folder):
    """What stands sealed in the rows."""
    with closing(sqlite3.connect(folder / "identity.db")) as database:
        return {bytes(one) for (one,) in database.execute("SELECT sealed FROM participant_contact")}
