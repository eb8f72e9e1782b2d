"""`keys`, `backup`, `restore`, `accept-loss`, `drill`: ceremonies and emergencies by the command line alone."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trialwright.cli import app
from trialwright.cli import drill as command
from trialwright.cli import keys as ceremonies
from trialwright.foundation.errors import InvalidValue, TrialwrightError
from trialwright.ledger import SigningKey, VerifierKey, sign_checkpoint, verify_checkpoint
from trialwright.sealing import (
    InvalidKey,
    InvalidShares,
    WeakPassword,
    WrongKey,
    WrongPassword,
    escrow,
    read_key,
    shamir,
)
from trialwright.sealing import keys as sealing_keys
from trialwright.stores import BackupUnusable, RestoredBehind, open_store
from trialwright.trial.allocation.events import EmergencyUnblinded
from trialwright.trial.keys.commands import RotationUnexplained

STUDY = "ocrelizumab-sc"
STUDIES = Path(__file__).parents[3] / "studies"


def run(*arguments, typed=None):
    """A command's output; what it refuses is raised."""
    done = CliRunner().invoke(app, [str(part) for part in arguments], input=typed)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.stdout, done.exit_code


def secret(path, text):
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def ceremony(tmp_path):
    """A folder with passwords ``1`` to ``5``."""
    for number in range(1, 6):
        secret(tmp_path / str(number), f"a long password {number}")
    return tmp_path


def generate(folder, purpose, password="1"):
    file = folder / f"{purpose}.key"
    text, _ = run(
        "keys", "generate", purpose, "--study", "demo", "-o", file, "--password-file", folder / password, "--json"
    )
    return file, json.loads(text)


# --- keys ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", ["dispensing", "unblinding", "site", "escrow", "signing"])
def test_a_key_is_made_for_its_owner_only_and_never_shown(ceremony, purpose):
    file, said = generate(ceremony, purpose)
    private = read_key(file.read_bytes(), "a long password 1")
    assert said["fingerprint"] == private.public.fingerprint
    assert (ceremony / f"{purpose}.key.public").read_text().strip() == str(private.public)
    for path in (file, ceremony / f"{purpose}.key.public"):
        assert path.stat().st_mode & 0o777 == 0o600
    shown, _ = run("keys", "show", file)
    assert private.public.fingerprint in shown
    assert private.raw.hex() not in shown + json.dumps(said)
    with pytest.raises(InvalidValue, match="no key is overwritten"):
        generate(ceremony, purpose)


def test_a_password_is_typed_twice_where_no_file_holds_it(tmp_path):
    out = tmp_path / "k"
    command = ("keys", "generate", "site", "--study", "demo", "-o", out)
    _, code = run(*command, typed="a long password\nanother password\n")
    assert (code, out.exists()) == (1, False)
    run(*command, typed="a long password\na long password\n")
    assert read_key(out.read_bytes(), "a long password")


def test_what_is_wrong_with_a_password_is_said_and_nothing_is_written(ceremony):
    (ceremony / "open").write_text("a long password")
    (ceremony / "open").chmod(0o644)
    secret(ceremony / "short", "short")
    for name, error, words in (("open", InvalidValue, "others"), ("short", WeakPassword, "characters")):
        with pytest.raises(error, match=words):
            generate(ceremony, "site", name)
    with pytest.raises(InvalidValue, match="no purpose"):
        generate(ceremony, "master")
    assert not list(ceremony.glob("*.key"))


def test_two_of_three_custodians_rebuild_a_key_and_one_does_not(ceremony):
    file, said = generate(ceremony, "unblinding")
    passwords = [part for n in "234" for part in ("--custodian", ceremony / n)]
    shares = ceremony / "shares"
    run(
        "keys", "split", file, "--shares", 3, "--needed", 2, "-o", shares, "--password-file", ceremony / "1",
        *passwords,
    )  # fmt: skip
    one, two, three = sorted(shares.iterdir())
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (one, two, three))
    shown, _ = run("keys", "show", two)
    assert (said["fingerprint"] in shown, "needed: 2" in shown) == (True, True)

    def combine(*of, out):
        given = [part for _, password in of for part in ("--custodian", ceremony / password)]
        command = ("keys", "combine", *(share for share, _ in of), "-o", out, *given)
        return run(*command, "--new-password-file", ceremony / "5")

    combine((one, "2"), (three, "4"), out=ceremony / "again")
    assert read_key((ceremony / "again").read_bytes(), "a long password 5").public.fingerprint == said["fingerprint"]
    for of, error in (
        ([(two, "3")], InvalidShares),
        ([(one, "2"), (one, "2")], InvalidShares),
        ([(one, "3")], WrongPassword),
    ):
        with pytest.raises(error):
            combine(*of, out=ceremony / "never")
    assert not (ceremony / "never").exists()


def test_an_escrowed_key_comes_back_from_its_keeper_alone(ceremony):
    file, said = generate(ceremony, "dispensing")
    keeper, _ = generate(ceremony, "escrow", "2")
    copy = ceremony / "copy"
    run("keys", "escrow", file, "--to", f"{keeper}.public", "-o", copy, "--password-file", ceremony / "1")
    assert said["fingerprint"] in run("keys", "show", copy)[0]
    file.unlink()
    back = ceremony / "back"
    command = ("keys", "recover", copy, "-o", back, "--new-password-file", ceremony / "3")
    site, _ = generate(ceremony, "site")
    with pytest.raises(WrongKey):
        run(*command, "--keeper", site, "--password-file", ceremony / "1")
    run(*command, "--keeper", keeper, "--password-file", ceremony / "2")
    assert read_key(back.read_bytes(), "a long password 3").public.fingerprint == said["fingerprint"]


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", '{"about": 1}', "signing+x+y"])
def test_a_file_without_a_key_is_said_to_have_none(tmp_path, text):
    (tmp_path / "file").write_text(text)
    with pytest.raises(InvalidKey):
        run("keys", "show", tmp_path / "file")


# --- a record ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory):
    """A blinded study stopped in the middle, its keys, and what sites would hold."""
    folder = tmp_path_factory.mktemp("rehearsed")
    run(
        "rehearse", STUDIES / STUDY, "-n", 4, "--until", "2026-08-01", "--json", "--store",
        f"sqlite:///{folder}/trial.db", "--keys", folder / "keys", "--report", folder / "receipts",
    )  # fmt: skip
    secret(folder / "password", "rehearsal only")
    return folder


@pytest.fixture
def record(rehearsed, tmp_path):
    """A copy to write in."""
    shutil.copytree(rehearsed, tmp_path / "record")
    secret(tmp_path / "record" / "password", "rehearsal only")
    return tmp_path / "record"


def receipts(folder):
    return [
        *("--checkpoint", folder / "receipts" / "checkpoint-open.txt"),
        *("--checkpoint", folder / "receipts" / "checkpoint-closed.txt"),
        *("--key", folder / "receipts" / "checkpoint-key.txt"),
    ]


def entries(address, space):
    with open_store(address, create=False) as store:
        return [entry.body for entry in store.ledger(f"{STUDY}/{space}").read()]


def test_both_spaces_and_the_attachments_come_back_and_are_proven(record, tmp_path):
    (record / "attachments").mkdir()
    (record / "attachments" / "file").write_bytes(b"sealed")
    backup = record / "backup"
    run("backup", f"sqlite:///{record}/trial.db", "-o", backup, "--attachments", record / "attachments")
    new = tmp_path / "new"
    command = ("restore", backup, "--to", f"sqlite:///{new}/trial.db", "--attachments", new / "attachments")
    text, code = run(*command, *receipts(record), "--json")
    said = json.loads(text)
    assert (code, said["lost"], said["unproven"]) == (0, [], [])
    for name, space in (("trial.db", "open"), ("trial.closed.db", "closed")):
        assert entries(f"sqlite:///{new}/{name}", space) == entries(f"sqlite:///{record}/{name}", space)
        assert (new / name).stat().st_mode & 0o777 == 0o600
    assert (new / "attachments" / "file").read_bytes() == b"sealed"
    with pytest.raises(BackupUnusable, match="nothing is overwritten"):
        run(*command, *receipts(record))


def test_an_earlier_moment_is_read_only_with_its_views_until_somebody_signs(record, tmp_path):
    run("backup", f"sqlite:///{record}/trial.db", "-o", record / "backup")
    store = f"sqlite:///{tmp_path}/new/trial.db"
    text, code = run("restore", record / "backup", "--to", store, "--until", 100, *receipts(record))
    assert (code, "read-only" in text) == (1, True)
    kept = entries(store, "open")
    assert kept == entries(f"sqlite:///{record}/trial.db", "open")[: len(kept)]
    assert 90 < len(kept) <= 100
    with sqlite3.connect(tmp_path / "new" / "trial.db") as database:
        assert database.execute("SELECT count(*) FROM person").fetchone()[0] > 0
    database.close()
    secret(tmp_path / "1", "a long password 1")
    key, said = generate(tmp_path, "signing")
    put = ("keys", "rotate", store, key, "--person", "sponsor.1", "--fingerprint", said["fingerprint"])
    with open_store(store, create=False) as opened:
        (first,) = opened.ledger(f"{STUDY}/open").read(limit=1)
    rotate = (*put, "--organisation", json.loads(first.body)["organisation"], "--password-file", tmp_path / "1")
    with pytest.raises(RestoredBehind):
        run(*rotate)
    accept = ("accept-loss", store, "--person", "sponsor.1", "--key", key, "--password-file", tmp_path / "1")
    with pytest.raises(InvalidValue, match="why"):
        run(*accept, "--reason", " ")
    text, _ = run(*accept, "--reason", "the disk died", "--json")
    signed = json.loads(text)
    verifier = VerifierKey.parse(json.loads(run("keys", "show", f"{key}.public", "--json")[0])["verifies"])
    assert f"{STUDY}/open: {len(kept)} of" in signed["statement"]
    assert signed["signature"].startswith(f"— {verifier.name} ")
    run(*rotate)
    (tmp_path / "other").mkdir()
    other, fresh = generate(tmp_path / "other", "signing", "../1")
    with pytest.raises(RotationUnexplained):
        run(
            "keys", "rotate", store, other, "--person", "sponsor.1", "--fingerprint", fresh["fingerprint"],
            "--organisation", json.loads(first.body)["organisation"], "--password-file", tmp_path / "1",
        )  # fmt: skip
    assert said["fingerprint"] in run("keys", "on-record", store)[0]


def test_a_key_is_not_put_in_force_unless_two_people_read_the_same(record, tmp_path):
    secret(tmp_path / "1", "a long password 1")
    key, _ = generate(tmp_path, "signing")
    with pytest.raises(InvalidValue, match="second person"):
        run(
            "keys", "rotate", f"sqlite:///{record}/trial.db", key, "--person", "sponsor.1", "--organisation", "x",
            "--fingerprint", "0000", "--password-file", tmp_path / "1",
        )  # fmt: skip


@pytest.mark.parametrize("until", ["yesterday", "2026-05-04T12:00:00", "-1"])
def test_a_moment_that_is_none_is_refused(record, tmp_path, until):
    run("backup", f"sqlite:///{record}/trial.db", "-o", record / "backup")
    with pytest.raises(InvalidValue):
        run("restore", record / "backup", "--to", f"sqlite:///{tmp_path}/n.db", f"--until={until}", *receipts(record))


# --- the drill -----------------------------------------------------------------------------------------------------


def drill(record):
    return run(
        "drill", f"sqlite:///{record}/trial.db", "--key", record / "keys" / "dispensing.key",
        "--password-file", record / "password", "--json",
    )  # fmt: skip


def test_a_drill_shows_the_treatment_with_the_system_and_without_it_in_less_than_two_minutes(record):
    text, code = drill(record)
    online, offline = json.loads(text)["legs"]
    assert code == 0
    assert (online["means"], offline["means"]) == ("system", "envelope")
    assert all(0 < leg["seconds"] < 120 and leg["words"] for leg in (online, offline))
    unblinded = [
        json.loads(body) for body in entries(f"sqlite:///{record}/trial.db", "open")
        if json.loads(body)["type"] == EmergencyUnblinded.TYPE
    ]  # fmt: skip
    found = [(one["data"]["participant"], one["data"]["means"]) for one in unblinded[-2:]]
    assert found == [(leg["participant"], leg["means"]) for leg in (online, offline)]
    assert all(leg["words"] not in str(unblinded) for leg in (online, offline))


def test_a_drill_is_refused_in_production_and_writes_nothing(record, monkeypatch):
    before = entries(f"sqlite:///{record}/trial.db", "open")
    monkeypatch.setattr(command, "created", lambda *_: type("Created", (), {"mode": "production"}))
    with pytest.raises(command.DrillRefused, match="production"):
        drill(record)
    assert entries(f"sqlite:///{record}/trial.db", "open") == before


# --- what a lost key means: the table of docs/how-to/key-ceremony.md -----------------------------------------------


def test_a_lost_dispensing_key_stops_the_system_not_the_envelopes_and_comes_back_from_escrow(record):
    secret(record / "1", "a long password 1")
    keeper, _ = generate(record, "escrow")
    key = record / "keys" / "dispensing.key"
    run(
        "keys",
        "escrow",
        key,
        "--to",
        f"{keeper}.public",
        "-o",
        record / "copy",
        "--password-file",
        record / "password",
    )
    key.unlink()
    with pytest.raises(TrialwrightError, match="dispensing"):
        drill(record)
    run(
        "keys", "recover", record / "copy", "--keeper", keeper, "-o", key, "--password-file", record / "1",
        "--new-password-file", record / "password",
    )  # fmt: skip
    assert drill(record)[1] == 0


def test_a_lost_signing_key_leaves_what_it_signed_provable():
    lost, new = SigningKey("one", bytes(32)), SigningKey("two", bytes([1]) * 32)
    before, after = (sign_checkpoint("demo/open", n, bytes(32), key) for n, key in ((1, lost), (2, new)))
    keys = [lost.verifier, new.verifier]
    assert [verify_checkpoint(note, keys).size for note in (before, after)] == [1, 2]
    with pytest.raises(TrialwrightError):
        verify_checkpoint(after, [lost.verifier])


# --- builds without one of these protections, which the tests above must find ---------------------------------------

NOT_COUNTED = (sealing_keys.combine_key, "if len(shares) < needed:", "if len(shares) < needed - 1:")
WEAKENED = {
    "one custodian fewer rebuilds the key": (
        test_two_of_three_custodians_rebuild_a_key_and_one_does_not,
        [NOT_COUNTED, (shamir.split, "in range(1, needed)", "in range(1, needed - 1)")],
    ),
    "whatever the shares give is taken for the key": (
        test_two_of_three_custodians_rebuild_a_key_and_one_does_not,
        [NOT_COUNTED, (sealing_keys.combine_key, ".public.fingerprint != fingerprint", ".public.fingerprint == ''")],
    ),
    "others can read a key file": (
        lambda folder: test_a_key_is_made_for_its_owner_only_and_never_shown(folder, "escrow"),
        [(ceremonies.write_secret, "0o600", "0o644")],
    ),
    "a key is overwritten": (
        lambda folder: test_a_key_is_made_for_its_owner_only_and_never_shown(folder, "escrow"),
        [
            (ceremonies._check_room, "if path.exists():", "if False:"),
            (ceremonies.write_secret, "os.O_EXCL", "os.O_TRUNC"),
        ],
    ),
    "a password that others can read is taken": (
        test_what_is_wrong_with_a_password_is_said_and_nothing_is_written,
        [(ceremonies.read_password, "& 0o077", "& 0")],
    ),
    "an escrowed copy is sealed to whatever key is at hand": (
        test_an_escrowed_key_comes_back_from_its_keeper_alone,
        [(escrow.escrow_key, "seal_to(keeper, key.raw", "seal_to(key.public, key.raw")],
    ),
}
"""What is taken away → the test that must fail then, and where what stands instead of what."""


@pytest.mark.parametrize("weakness", WEAKENED)
def test_a_weakened_ceremony_is_found(ceremony, weaken, weakness):
    test, mutations = WEAKENED[weakness]
    for function, old, new in mutations:
        weaken(function, old, new)
    with pytest.raises((AssertionError, pytest.fail.Exception, WrongKey)):
        test(ceremony)


def test_a_rotation_that_hears_no_second_person_is_found(record, tmp_path, weaken):
    weaken(ceremonies.rotate, "if fingerprint != public.fingerprint:", "if False:")
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        test_a_key_is_not_put_in_force_unless_two_people_read_the_same(record, tmp_path)


def test_a_drill_that_would_be_held_in_production_is_found(record, monkeypatch, weaken):
    weaken(command.drill, 'if mode == "production":', "if False:")
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        test_a_drill_is_refused_in_production_and_writes_nothing(record, monkeypatch)


def test_a_drill_that_leaves_the_envelope_unrecorded_is_found(record, weaken):
    weaken(command._Drill._with_the_envelope, '_unblind(trial, participant, "envelope")', "pass")
    with pytest.raises(AssertionError):
        test_a_drill_shows_the_treatment_with_the_system_and_without_it_in_less_than_two_minutes(record)
