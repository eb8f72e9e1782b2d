"""Running an installation: settings, invitations, the worker, backup and restore, views folded anew."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from trialwright.foundation.errors import TrialwrightError
from trialwright_web.config.commands import check_settings, settings_page
from trialwright_web.config.demo import environment
from trialwright_web.config.environment import SETTINGS, SettingInvalid, read_environment
from trialwright_web.config.logs import WithoutPeople
from trialwright_web.config.mail import mail

REPOSITORY = Path(__file__).resolve().parents[2]
STUDY = "smart-ms"


def run(folder, process, *command, module="trialwright_web", stdin="", **settings):
    """A command of an installation; its exit code and what it said."""
    own = {**os.environ, **environment(folder, process), **settings}
    return subprocess.run(
        [sys.executable, "-m", module, *command], env=own, input=stdin, capture_output=True, text=True, check=False
    )


def script(folder, process, text, **settings):
    """A program in the application's environment; what it printed."""
    own = {**os.environ, **environment(folder, process), **settings}
    done = subprocess.run([sys.executable, "-c", text], env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


# --- settings ----------------------------------------------------------------------------------------------------


@pytest.fixture
def given(tmp_path):
    """Variables that are in order."""
    (tmp_path / "secret.key").write_text("s" * 60)
    return {
        "TRIALWRIGHT_INSTALLATION": "installation.toml",
        "TRIALWRIGHT_SECRET_KEY_FILE": str(tmp_path / "secret.key"),
        "TRIALWRIGHT_DATABASE": "sqlite:///x.db",
        "TRIALWRIGHT_IDENTITY": "sqlite:///y.db",
    }


def test_the_page_of_the_settings_is_the_one_that_the_command_prints():
    assert (REPOSITORY / "docs" / "reference" / "settings.md").read_text(encoding="utf-8") == settings_page()


@pytest.mark.parametrize("setting", [s for s in SETTINGS if s.default is None], ids=lambda s: s.name)
def test_a_setting_that_is_needed_is_asked_for_by_name(given, setting):
    for empty in ({}, {setting.name: ""}):
        with pytest.raises(SettingInvalid, match=setting.name):
            read_environment({**{k: v for k, v in given.items() if k != setting.name}, **empty})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRIALWRIGHT_PROCES", "staff"),
        ("TRIALWRIGHT_PROCESS", "admin"),
        ("TRIALWRIGHT_CLOSED", "closed.toml"),
        ("TRIALWRIGHT_HTTPS", "maybe"),
        ("TRIALWRIGHT_IDLE_MINUTES", "4"),
        ("TRIALWRIGHT_IDLE_MINUTES", "٣٠"),
        ("TRIALWRIGHT_IDLE_MINUTES", "999999999999"),
        ("TRIALWRIGHT_PROXIES", "-1"),
        ("TRIALWRIGHT_SECRET_KEY_FILE", "/nowhere"),
        ("TRIALWRIGHT_METRICS_TOKEN_FILE", "/nowhere"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_with_what_to_do(given, name, value):
    with pytest.raises(SettingInvalid, match="→"):
        read_environment({**given, name: value})


@pytest.mark.parametrize("process", ["closed", "public"])
def test_the_keys_of_open_studies_are_for_the_staff_process_alone(given, process):
    with pytest.raises(SettingInvalid, match="TRIALWRIGHT_DISPENSING"):
        read_environment({**given, "TRIALWRIGHT_PROCESS": process, "TRIALWRIGHT_DISPENSING": "dispensing.toml"})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TRIALWRIGHT_DATABASE", "oops", "not the address of a database"),
        ("TRIALWRIGHT_IDENTITY", "mysql://x/y", "not the address of a database"),
        ("TRIALWRIGHT_MAIL", "mailto:x", "no address of mail"),
        ("TRIALWRIGHT_INSTALLATION", "/none.toml", "cannot be read"),
        ("TRIALWRIGHT_MEDDRA", "/none", "is no folder"),
        ("TRIALWRIGHT_PUBLIC_ADDRESS", "trial.example", "TRIALWRIGHT_PUBLIC_ADDRESS"),
    ],
)
def test_the_check_of_the_settings_finds_what_the_server_would_stumble_over(given, tmp_path, name, value, said):
    (tmp_path / "installation.toml").write_text(f'[studies.x]\nfolder = "{tmp_path}"\nstore = "sqlite:///x.db"\n')
    whole = {**given, "TRIALWRIGHT_INSTALLATION": str(tmp_path / "installation.toml")}
    check_settings(read_environment(whole))
    with pytest.raises((SettingInvalid, TrialwrightError), match=said):
        check_settings(read_environment({**whole, name: value}))


def test_the_check_of_the_settings_finds_a_study_that_is_not_there(given, tmp_path):
    (tmp_path / "installation.toml").write_text('[studies.x]\nfolder = "nowhere"\nstore = "sqlite:///x.db"\n')
    with pytest.raises(SettingInvalid, match="names that of x"):
        check_settings(read_environment({**given, "TRIALWRIGHT_INSTALLATION": str(tmp_path / "installation.toml")}))


def test_a_wrong_address_of_mail_is_refused_without_repeating_its_password():
    with pytest.raises(SettingInvalid) as refused:
        mail("imap://me:hunter2@mail.example", "http://localhost")
    assert "hunter2" not in str(refused.value)
    assert mail("smtp://me:p%40ss@mail.example", "https://x.example")["EMAIL_HOST_PASSWORD"] == "p@ss"


def test_a_wrong_setting_is_three_words_and_no_traceback(installation):
    done = run(installation, "staff", "settings", TRIALWRIGHT_HTTPS="perhaps")
    assert done.returncode == 2
    assert done.stderr.startswith("error: TRIALWRIGHT_HTTPS")
    assert "Traceback" not in done.stderr


def test_a_study_in_production_does_not_run_without_the_second_factor(installation, tmp_path):
    text = (installation / "installation.toml").read_text().replace('mode = "rehearsal"', 'mode = "production"')
    text = "\n".join(line for line in text.splitlines() if not line.startswith(("began", "since")))
    (tmp_path / "installation.toml").write_text(text)
    settings = {"TRIALWRIGHT_INSTALLATION": str(tmp_path / "installation.toml")}
    done = run(installation, "staff", "invite", "somebody", **settings)
    assert done.returncode == 0, "inviting needs no study"
    for command in (["worker", "--once"], ["serve"]):
        done = run(installation, "staff", *command, **settings)
        assert (done.returncode, "the second factor is optional" in done.stderr) == (2, True)


# --- a new installation ------------------------------------------------------------------------------------------


def test_a_new_installation_begins_with_four_commands(tmp_path):
    home = tmp_path / "trials"
    own = {name: value for name, value in os.environ.items() if not name.startswith("TRIALWRIGHT_")}
    begin = [
        sys.executable,
        "-m",
        "trialwright_web",
        "init",
        str(home),
        "--study",
        str(REPOSITORY / "studies" / STUDY),
    ]
    subprocess.run([*begin, "--mode", "test"], env=own, check=True, capture_output=True)
    settings = ("staff.env", "closed.env", "public.env")
    for file in ("secret.key", "installation.toml", "closed.toml", "dispensing.toml", *settings):
        assert (home / file).stat().st_mode & 0o077 == 0, f"{file} can be read by others"
    assert "TRIALWRIGHT_CLOSED=" not in (home / "staff.env").read_text()
    assert "\nseal_texts = true\n" in (home / "installation.toml").read_text()
    for line in (home / "staff.env").read_text().splitlines():
        name, _, value = line.partition("=")
        own[name] = value
    for command in (
        ["settings"], ["migrate"], ["begin", STUDY, "sponsor.person", "--organisation", "The hospital"],
        ["invite", "sponsor.person"],
    ):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "trialwright_web", *command], env=own, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
    assert "/accounts/invitation/" in done.stdout
    again = subprocess.run([*begin, "--mode", "test"], env=own, capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert "not empty" in again.stderr


# --- backup and restore ------------------------------------------------------------------------------------------


def emptied(folder, target):
    """The same installation on another machine: its files and keys, none of its data."""
    target.mkdir()
    for name in ("installation.toml", "closed.toml", "secret.key", "dispensing.password"):
        shutil.copy(folder / name, target / name)
    shutil.copytree(folder / "keys", target / "keys")
    return target


def receipts(folder, space):
    """Checkpoints that were handed out, the newest last."""
    return sorted((folder / "checkpoints" / STUDY / space).iterdir(), key=lambda path: int(path.stem))


@pytest.fixture(scope="module")
def backed_up(installation, tmp_path_factory):
    """A backup of the closed process, which knows both spaces; with the receipts and the public key."""
    home = tmp_path_factory.mktemp("backup")
    assert run(installation, "closed", "worker", "--once").returncode == 0
    done = run(installation, "closed", "backup", str(home / "backup"))
    assert done.returncode == 0, done.stderr
    assert f"{STUDY}.closed: {STUDY}/closed up to entry" in done.stdout
    (home / "key.txt").write_text(run(installation, "closed", "key").stdout)
    return home


def restored(installation, backed_up, target, *notes, source="backup"):
    """A restore on another machine, held against receipts."""
    folder = emptied(installation, target)
    options = [part for note in notes for part in ("--checkpoint", str(note))]
    done = run(folder, "closed", "restore", str(backed_up / source), *options, "--key", str(backed_up / "key.txt"))
    return folder, done


def test_a_restore_is_proven_by_receipts_and_serves_what_was_there(installation, backed_up, tmp_path):
    notes = [receipts(installation, space)[-1] for space in ("open", "closed")]
    folder, done = restored(installation, backed_up, tmp_path / "new", *notes)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("none is later") >= 2
    for name in (f"{STUDY}.db", f"{STUDY}.closed.db", "staff.db"):
        assert _dump(folder / name) == _dump(installation / name)
    count = "import django; django.setup()\nfrom trialwright_web.shell.studies import installation as i\n"
    count += f"t = i().trial({STUDY!r}); t.recover(); print(t.open_head(), t.ledgers[list(t.ledgers)[1]].size())"
    assert script(folder, "closed", count) == script(installation, "closed", count)


def _dump(path):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        lines = sorted(line for line in connection.iterdump() if "django_session" not in line)
    connection.close()
    return lines


def test_a_backup_is_never_overwritten_and_nothing_is_restored_over_data(installation, backed_up, tmp_path):
    done = run(installation, "closed", "backup", str(backed_up / "backup"))
    assert (done.returncode, "never overwritten" in done.stderr) == (2, True)
    notes = receipts(installation, "open")[-1:]
    folder, done = restored(installation, backed_up, tmp_path / "new", *notes)
    assert done.returncode == 0
    again = run(
        folder, "closed", "restore", str(backed_up / "backup"), "--checkpoint", str(notes[0]),
        "--key", str(backed_up / "key.txt"),
    )  # fmt: skip
    assert (again.returncode, "nothing is overwritten" in again.stderr) == (2, True)


def test_a_changed_backup_is_refused(installation, backed_up, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(backed_up / "backup", copy / "backup")
    shutil.copy(backed_up / "key.txt", copy / "key.txt")
    target = copy / "backup" / f"{STUDY}.open.sqlite"
    data = bytearray(target.read_bytes())
    data[len(data) // 2] ^= 1
    target.write_bytes(data)
    _, done = restored(installation, copy, tmp_path / "new", receipts(installation, "open")[-1])
    assert (done.returncode, "not what was backed up" in done.stderr) == (2, True)


def test_a_restore_behind_a_receipt_says_what_is_missing_and_is_read_only_until_accepted(
    installation, backed_up, tmp_path
):
    """The record went on after the backup, and a site holds a receipt of what came later."""
    visit = f"""
import django; django.setup()
from trialwright.protocol.roles import Role
from trialwright.trial.capture.commands import RecordVisit
from trialwright_web.accounts.models import Account
from trialwright_web.shell.desk import desk_of
desk = desk_of(Account.objects.get(username="study_nurse.01"), {STUDY!r}, "study_nurse@01")
person = next(row["participant"] for row in desk.participants() if row["status"] == "randomised")
try:
    desk.dispatch(RecordVisit(participant=person, encounter="unscheduled_55", date=desk.today.isoformat()),
        request_id="later.visit")
    print("recorded")
except Exception as refusal:
    print(refusal.code)
"""
    later = tmp_path / "later"
    shutil.copytree(installation, later)
    assert script(later, "staff", visit).strip() == "recorded"
    assert run(later, "closed", "worker", "--once").returncode == 0
    note = receipts(later, "open")[-1]
    folder, done = restored(installation, backed_up, tmp_path / "new", note)
    assert done.returncode == 1
    assert f"MISSING: {STUDY}/open has" in done.stdout
    assert "1 are lost" in done.stdout
    assert script(folder, "staff", visit).strip() == "store.restored_behind"
    wrong = run(folder, "closed", "accept-loss", STUDY, "sponsor.1", "--reason", "none", stdin="not it\n")
    assert wrong.returncode == 2
    accept = f"""
import django; django.setup()
from datetime import datetime, UTC
from django.conf import settings
from trialwright_web.config.backup import accept_loss
print(accept_loss(settings.ENVIRONMENT, {STUDY!r}, "sponsor.1", "one visit", datetime(2028, 2, 16, tzinfo=UTC)))
"""
    kept = json.loads(Path(script(folder, "closed", accept).strip()).read_text())
    assert kept["accepted_by"] == "sponsor.1"
    assert kept["lost"][f"{STUDY}/open"]["covered"] == kept["lost"][f"{STUDY}/open"]["has"] + 1
    assert script(folder, "staff", visit).strip() == "recorded"


# --- views, and versions that come later -------------------------------------------------------------------------


def test_views_of_an_older_version_are_folded_anew_and_the_record_stays(installation, tmp_path):
    folder = tmp_path / "older"
    shutil.copytree(installation, folder)
    with sqlite3.connect(folder / f"{STUDY}.db") as connection:
        before = connection.execute("SELECT count(*), max(seq) FROM ledger_entry").fetchone()
        connection.execute("DROP TABLE disposition")
        connection.execute('ALTER TABLE visit RENAME COLUMN "date" TO "day"')
    connection.close()
    done = run(folder, "staff", "migrate")
    assert done.returncode == 0, done.stderr[-2000:]
    assert f"{STUDY} open: " in done.stdout
    assert _tables(folder) == _tables(installation)
    with sqlite3.connect(folder / f"{STUDY}.db") as connection:
        assert connection.execute("SELECT count(*), max(seq) FROM ledger_entry").fetchone() == before
    connection.close()


def test_migrations_run_forward_on_an_existing_installation(installation, migrations, tmp_path):
    """From the first migration of every application: with a record, accounts, a draft, and people's access in it."""
    folder = tmp_path / "first"
    shutil.copytree(installation, folder)
    for name in ("staff.db", "identity.db"):
        (folder / name).unlink()
    script(folder, "staff", migrations.first)
    for name, table in (("staff", "accounts_account"), ("identity", "participant_invitation")):
        with closing(sqlite3.connect(folder / f"{name}.db")) as connection:
            columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))
            connection.execute("ATTACH ? AS today", (str(installation / f"{name}.db"),))
            connection.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM today.{table}")
            connection.commit()
    draft = "INSERT INTO store_draft (account_id, place, version, sealed, saved_at) VALUES (1, 'p', 3, x'00ff', ?)"
    with closing(sqlite3.connect(folder / "staff.db")) as connection:
        connection.execute(draft, ("2028-02-14 10:00:00",))
        connection.commit()
    before = _everything(folder)
    assert min(len(rows) for rows in before.values()) > 0
    done = run(folder, "staff", "migrate")
    assert done.returncode == 0, done.stderr[-2000:]
    after = _everything(folder)
    for table, (columns, rows) in before.items():
        known, found = after[table]
        places = [known.index(column) for column in columns]
        assert [tuple(row[place] for place in places) for row in found] == rows, table
    assert script(folder, "staff", migrations.now).strip() == "True", (
        "nothing is left to migrate, and somebody can sign in"
    )
    for space in ("", ".closed"):
        record = f"sqlite:///{folder}/{STUDY}{space}.db"
        verified = run(folder, "staff", "verify", record, "--json", module="trialwright.cli")
        ledgers = json.loads(verified.stdout)["ledgers"]
        assert ledgers
        assert [one["fault"] for one in ledgers] == [None] * len(ledgers)


def _everything(folder):
    """Table → columns and rows, of what the first migrations made, and of the record."""
    tables = {
        "staff": ("accounts_account", "store_draft"),
        "identity": ("participant_invitation",),
        STUDY: ("ledger_entry", "ledger_head"),
        f"{STUDY}.closed": ("ledger_entry", "ledger_head"),
    }
    found = {}
    for name, wanted in tables.items():
        with closing(sqlite3.connect(folder / f"{name}.db")) as connection:
            for table in wanted:
                rows = connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2")
                found[name, table] = ([column[0] for column in rows.description], rows.fetchall())
    return found


def _tables(folder):
    from trialwright.stores import open_store
    from trialwright.trial.event import Space
    from trialwright.trial.views import VIEWS

    with open_store(f"sqlite:///{folder}/{STUDY}.db") as store:
        return {
            table.name: list(store.rows.where(table))
            for view in VIEWS if view.space is Space.OPEN for table in view.tables
        }  # fmt: skip


HEALTH = """
import django; django.setup()
from django.test import Client
from django.db import connections
print(Client().get("/health").status_code)
{fault}
answer = Client().get("/health")
print(answer.status_code, answer.json()["healthy"])
"""
FAULTS = {
    "accounts": "connections['default'].cursor().execute('DROP TABLE django_migrations')",
    "record": "from trialwright_web.shell.studies import installation as i\n"
    "from trialwright.foundation.errors import RecordError\n"
    "class Gone:\n"
    "    def open_head(self): raise RecordError('gone', remedy='wait')\n"
    "i().trial = lambda name: Gone()",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_process_that_cannot_read_says_so_to_the_load_balancer(installation, tmp_path, fault):
    folder = tmp_path / "sick"
    shutil.copytree(installation, folder)
    assert script(folder, "staff", HEALTH.format(fault=FAULTS[fault])).split() == ["200", "503", "False"]


# --- the worker --------------------------------------------------------------------------------------------------

MAILS = """
import django; django.setup()
from datetime import datetime, timedelta, UTC
from django.core import mail
from trialwright.foundation.ports import SettableClock
from trialwright_web.accounts.models import Account
from trialwright_web.config.worker import Worker
from trialwright_web.store.models import Draft, Followed, Mail, Job
"""


def test_urgent_facts_make_mails_that_say_sign_in_and_nothing_else(installation, tmp_path):
    folder = tmp_path / "mails"
    shutil.copytree(installation, folder)
    program = (
        MAILS
        + f"""
Account.objects.filter(username__in=["sponsor.1", "safety_officer.1"]).update(email="person@hospital.example")
Followed.objects.update_or_create(pk="{STUDY}/open", defaults={{"seq": 0}})
clock = SettableClock(datetime(2028, 2, 15, tzinfo=UTC))
worker = Worker(clock)
while worker.round(): pass
queued = Mail.objects.count()
Followed.objects.filter(pk="{STUDY}/open").update(seq=0)
again = Worker(clock)
while again.round(): pass
print(queued, Mail.objects.count(), Mail.objects.filter(sent_at=None).count())
"""
    )
    queued, after, unsent = map(int, script(folder, "staff", program).split())
    assert queued > 0
    assert (after, unsent) == (queued, 0), "a fact is told once"
    texts = {path.read_text(encoding="utf-8") for path in (folder / "mail").iterdir()}
    assert texts
    for text in texts:
        for word in ("SMART", "smart-ms", "NO-0", "ae_", "unblind", "adverse", "sponsor"):
            assert word not in text.replace("sponsor.1", ""), text


def test_what_is_urgent_is_sent_when_the_mail_server_is_back_however_long_it_was_away(installation, tmp_path):
    folder = tmp_path / "outage"
    shutil.copytree(installation, folder)
    program = (
        MAILS
        + """
from smtplib import SMTPRecipientsRefused
from trialwright_web.store import outbox
now = datetime(2028, 2, 15, tzinfo=UTC)
Mail.objects.all().delete()
wrong, right = Account.objects.order_by("pk")[:2]
Account.objects.filter(pk=wrong.pk).update(email="nobody@hospital.example")
Account.objects.filter(pk=right.pk).update(email="person@hospital.example")
for cause, account in (("1", wrong), ("2", right)):
    Mail.objects.create(account=account, kind="urgent", cause=cause, queued_at=now)
def away(address, kind): raise ConnectionRefusedError
handed = []
def back(address, kind):
    handed.append(address)
    if address.startswith("nobody"): raise SMTPRecipientsRefused({address: (550, b"no such person")})
tries = sum(outbox.send_waiting(away, now + timedelta(seconds=2 * n)) for n in range(60))
sent = outbox.send_waiting(back, now + timedelta(hours=2))
for minute in range(0, 4 * 24 * 60, 30): outbox.send_waiting(back, now + timedelta(hours=2, minutes=minute))
in_vain = handed.count("nobody@hospital.example")
print(tries, sent, handed.count("person@hospital.example"), 2 < in_vain <= outbox.ATTEMPTS)
print(Mail.objects.filter(sent_at=None).count())
"""
    )  # fmt: skip
    assert script(folder, "staff", program).split() == ["0", "1", "1", "True", "1"]


def test_an_installation_that_begins_to_send_mail_does_not_send_the_past(installation, tmp_path):
    folder = tmp_path / "past"
    shutil.copytree(installation, folder)
    program = (
        MAILS
        + """
Account.objects.filter(username="sponsor.1").update(email="person@hospital.example")
Followed.objects.all().delete()
worker = Worker(SettableClock(datetime(2028, 2, 15, tzinfo=UTC)))
while worker.round(): pass
print(Mail.objects.count())
"""
    )
    assert script(folder, "staff", program).strip() == "0"


def test_a_head_is_signed_once_while_nothing_is_new_and_again_after_a_minute_with_news(installation, tmp_path):
    folder = tmp_path / "heads"
    shutil.copytree(installation, folder)
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    program = (
        MAILS
        + """
worker = Worker(SettableClock(datetime(2028, 2, 15, tzinfo=UTC)))
print(worker._sign_heads(), worker._sign_heads())
"""
    )
    first, second = map(int, script(folder, "staff", program).split())
    assert (first, second) == (3, 0)
    assert len(receipts(folder, "open")) == 1


def test_a_job_whose_worker_died_is_taken_again_and_given_up_at_last(installation, tmp_path):
    folder = tmp_path / "jobs"
    shutil.copytree(installation, folder)
    program = (
        MAILS
        + """
from trialwright_web.store import jobs
now = datetime(2028, 2, 15, tzinfo=UTC)
account = Account.objects.get(username="study_nurse.01").pk
def ask(request_id): return jobs.ask(process="staff", account=account, study="smart-ms", place="study_nurse@01",
    kind="items", arguments={}, request_id=request_id, now=now)
one = ask("web.1"); assert ask("web.1").pk == one.pk
assert jobs.take("closed", now) is None, "another process's worker"
taken = jobs.take("staff", now); assert taken.pk == one.pk and jobs.take("staff", now) is None
for attempt in (2, 3):
    now += jobs.LEASE + timedelta(seconds=1)
    assert jobs.take("staff", now).attempts == attempt
now += jobs.LEASE + timedelta(seconds=1)
assert jobs.take("staff", now) is None
one.refresh_from_db(); print(one.state, one.error)
"""
    )
    assert script(folder, "staff", program).split() == ["failed", "worker.lost"]


def test_old_drafts_are_forgotten(installation, tmp_path):
    folder = tmp_path / "drafts"
    shutil.copytree(installation, folder)
    program = (
        MAILS
        + """
from trialwright_web.store.drafts import find_draft, keep_draft
account = Account.objects.get(username="study_nurse.01").pk
for place in ("old", "new"): keep_draft(account, place, 1, {"x": "y"})
now = datetime.now(UTC)
Draft.objects.filter(place="old").update(saved_at=now - timedelta(days=31))
worker = Worker(SettableClock(now))
while worker.round(): pass
print(find_draft(account, "old"), find_draft(account, "new").fields)
"""
    )
    assert script(folder, "staff", program).strip() == "None {'x': 'y'}"


class _Request:
    path = "/smart-ms/participants/NO-01-002/"

    def __init__(self, route=None):
        self.resolver_match = None if route is None else type("Match", (), {"route": route})

    def get_full_path(self):
        return f"{self.path}?q=sclerosis"


@pytest.mark.parametrize("route", [None, "<slug:study>/participants/<str:code>/"])
def test_a_log_of_the_server_names_the_route_and_nobody(route):
    """As Django logs a form that came from elsewhere, and a fault of ours whose message repeats what was typed."""

    def typed():
        try:
            int("my head aches")
        except ValueError as error:
            raise KeyError("study_nurse.01 of NO-01-002") from error

    log = logging.LogRecord(
        "django.request", logging.ERROR, "x.py", 1, "Internal Server Error: %s", (_Request.path,), None
    )
    log.request = _Request(route)
    try:
        typed()
    except KeyError:
        log.exc_info = sys.exc_info()
    said = WithoutPeople("%(levelname)s %(name)s %(message)s").format(log)
    for word in ("NO-01-002", "head aches", "study_nurse", "sclerosis"):
        assert word not in said.replace('raise KeyError("study_nurse.01 of NO-01-002") from error', "").replace(
            'int("my head aches")', ""
        )
    for told in (
        "Internal Server Error",
        route or "none of ours",
        "builtins.ValueError",
        "builtins.KeyError",
        "in typed",
    ):
        assert told in said


def test_a_form_from_elsewhere_is_logged_without_the_participant(installation, server_on, tmp_path):
    folder = tmp_path / "elsewhere"
    shutil.copytree(installation, folder)
    server = server_on(folder, "staff")
    try:
        assert httpx.post(f"{server.address}/{STUDY}/participants/NO-01-002/", data={"x": "1"}).status_code == 403
    finally:
        server.stop()
    said = (folder / "staff.log").read_text(encoding="utf-8")
    assert "CSRF" in said
    assert "NO-01-002" not in said


def test_logs_of_a_failing_task_hold_a_code_and_no_data(installation, tmp_path):
    folder = tmp_path / "logs"
    shutil.copytree(installation, folder)
    (folder / f"{STUDY}.db").write_bytes(b"this is no database, NO-01-002 was here")
    done = run(folder, "staff", "worker", "--once")
    said = done.stdout + done.stderr
    assert "store." in said
    for word in ("NO-01-002", "Traceback", "study_nurse"):
        assert word not in said
