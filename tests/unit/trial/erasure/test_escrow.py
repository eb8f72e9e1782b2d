"""A lost keyring comes back from its keeper, and what was forgotten stays forgotten."""

from __future__ import annotations

import json
from contextlib import ExitStack

import pytest
from typer.testing import CliRunner

from trialwright.cli import app
from trialwright.foundation.errors import InvalidValue
from trialwright.sealing import KeyringCopy
from trialwright.stores import KeyMissing, open_store
from trialwright.stores.keyrings import MemoryKeyring
from trialwright.trial.attachments.commands import AttachFile, WithdrawFile
from trialwright.trial.enrolment.commands import FailScreening
from trialwright.trial.erasure.carrying_out import carry_out_erasures
from trialwright.trial.erasure.commands import DestroyParticipantKeys, ProposeErasure
from trialwright.trial.erasure.escrow import copies, keys_to_copy, note_copy, note_destroyed, put_back
from trialwright.trial.event import Space
from trialwright.trial.queries.commands import CommentItem

LEDGER = "small/open"


def written(world, text):
    participant = world.examined()
    world.give(
        CommentItem(participant=participant, encounter="screening", form="screening", item="sex", text=text), "nurse"
    )
    return participant


def decide(world, participant, ground="typed_by_mistake"):
    given = {"participant": participant, "ground": ground}
    world.give(ProposeErasure(**given), "investigator", reason="a name")
    world.give(DestroyParticipantKeys(**given), "data_manager", reason="it was")


def about(name="c1", made_at="2026-11-22T00:00:00+00:00", keys=1):
    return KeyringCopy(LEDGER, name, "keeper", made_at, keys)


def attached(world, participant, digest, *, withdrawn=False):
    command = AttachFile(
        participant=participant, encounter="screening", form="screening", digest=digest, size=9,
        media_type="text/plain", text="letter",
    )  # fmt: skip
    world.give(command, "nurse")
    if withdrawn:
        world.give(WithdrawFile(participant=participant, digest=digest), "nurse", reason="a name")


def test_a_copy_made_before_an_erasure_puts_back_everything_but_what_is_forgotten(trial_world):
    stays, gone = written(trial_world, "stays"), written(trial_world, "goes")
    keyring = trial_world.trial.stores[Space.OPEN].keyring
    taken = keys_to_copy(keyring)
    decide(trial_world, gone)
    carry_out_erasures(trial_world.trial)
    empty = MemoryKeyring()
    put, left = put_back(empty, LEDGER, taken, trial_world.trial.ledgers[Space.OPEN])
    back = {name[:3]: name[3] for name in empty.entries()}
    assert back[f"{LEDGER}/{stays}", "text", 0] is not None
    assert back[f"{LEDGER}/{gone}", "text", 0] is None
    assert back == {name[:3]: name[3] for name in keyring.entries()}
    assert left >= 1
    assert put + left == len(taken)
    again = put_back(empty, LEDGER, taken, trial_world.trial.ledgers[Space.OPEN])
    assert again == (0, len(taken)), "doing it twice is harmless"


def test_keys_destroyed_before_the_copy_stay_destroyed(trial_world):
    gone = written(trial_world, "goes")
    decide(trial_world, gone)
    carry_out_erasures(trial_world.trial)
    empty = MemoryKeyring()
    put_back(empty, LEDGER, keys_to_copy(trial_world.trial.stores[Space.OPEN].keyring),
             trial_world.trial.ledgers[Space.OPEN])  # fmt: skip
    assert empty.find(f"{LEDGER}/{gone}", "text", 0) is None


def test_contacts_and_files_come_back_as_far_as_nobody_is_forgotten(trial_world):
    enrolled, other, never = (trial_world.examined() for _ in range(3))
    attached(trial_world, never, "a" * 64)
    attached(trial_world, never, "b" * 64)
    attached(trial_world, other, "b" * 64)
    attached(trial_world, enrolled, "c" * 64, withdrawn=True)
    attached(trial_world, enrolled, "d" * 64)
    trial_world.give(FailScreening(participant=never), "investigator", reason="moved away")
    decide(trial_world, never, "never_enrolled")
    decide(trial_world, enrolled)
    names = [f"{who}/contact" for who in (enrolled, other, never)] + [f"file/{one * 64}" for one in "abcde"]
    taken = [(f"{LEDGER}/{name}", "web", 0, b"k" * 32) for name in (*names, "imports")]
    empty = MemoryKeyring()
    put_back(empty, LEDGER, taken, trial_world.trial.ledgers[Space.OPEN])
    gone = {holder.removeprefix(f"{LEDGER}/") for holder, _, _, key in empty.entries() if key is None}
    assert gone == {f"{never}/contact", f"file/{'a' * 64}", f"file/{'c' * 64}"}


def test_the_keyring_knows_which_copies_are_out_and_which_hold_what_is_forgotten(trial_world):
    gone = written(trial_world, "goes")
    keyring = trial_world.trial.stores[Space.OPEN].keyring
    note_copy(keyring, about("first"), keys_to_copy(keyring))
    assert [one.destroyed_since for one in copies(keyring)] == [0]
    decide(trial_world, gone)
    carry_out_erasures(trial_world.trial)
    note_copy(keyring, about("second", "2026-11-23T00:00:00+00:00"), keys_to_copy(keyring))
    assert [(one.about.copy, one.destroyed_since > 0) for one in copies(keyring)] == [
        ("first", True), ("second", False)
    ]  # fmt: skip
    assert all(kind != "escrow copy" for _, kind, _, _ in keys_to_copy(keyring))
    note_destroyed(keyring, LEDGER, "first")
    assert [one.about.copy for one in copies(keyring)] == ["second"]
    with pytest.raises(InvalidValue, match="first"):
        note_destroyed(keyring, LEDGER, "first")


# --- by command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path):
    (tmp_path / "password").write_text("a long password")
    (tmp_path / "password").chmod(0o600)

    def command(*words, code=0):
        answer = CliRunner().invoke(app, [str(word) for word in words])
        assert answer.exit_code == code, (answer.output, answer.exception)
        return answer.output

    command("keys", "generate", "escrow", "--study", "small", "--out", tmp_path / "keeper", "--password-file",
            tmp_path / "password")  # fmt: skip
    return command


def test_a_lost_keyring_loses_the_texts_and_comes_back_from_its_keeper(sealed_worlds, tmp_path, run):
    addresses = {space: f"sqlite:///{tmp_path}/{space.value}.db" for space in Space}
    stores = ExitStack()
    world = sealed_worlds(stores=tuple(stores.enter_context(open_store(one)) for one in addresses.values()))
    with stores:
        stays, gone = written(world, "stays"), written(world, "goes")
        address, copy = addresses[Space.OPEN], tmp_path / "copy"
        escrow = ("keys", "escrow-keyring", address, "--to", tmp_path / "keeper.public", "--out", copy, "--json")
        said = json.loads(run(*escrow))
        decide(world, gone)
        erase = ("erase", address, "--closed", addresses[Space.CLOSED])
        told = run(*erase, code=1)
        assert f"copy {said['copy']}" in told, "an erasure is not done while a copy holds the keys"
        assert "DESTROY IT" in run("keys", "keyring-copies", address)
    (tmp_path / "open.db.keys.db").unlink()
    with ExitStack() as opened:
        twin = world.twin(open_store=opened.enter_context(open_store(address)), closed_store=None)
        with pytest.raises(KeyMissing) as missing:
            list(twin.facts())
        assert "escrow" in missing.value.remedy
        assert list(twin.ledgers[Space.OPEN].read()), "the record is whole"
    back = run("keys", "recover-keyring", copy, address, "--keeper", tmp_path / "keeper", "--password-file",
               tmp_path / "password")  # fmt: skip
    assert "left out" in back
    with ExitStack() as opened:
        twin = world.twin(open_store=opened.enter_context(open_store(address)), closed_store=None)
        assert "stays" in str(list(twin.facts_of(stays)))
        assert "goes" not in str(list(twin.facts_of(gone)))
    run(*erase, code=1)
    run("keys", "copy-destroyed", address, said["copy"])
    assert run("keys", "keyring-copies", address) == ""
    run(*erase)


def test_a_copy_of_another_ledger_is_refused(sealed_worlds, tmp_path, run):
    stores = ExitStack()
    names = ("open", "closed")
    world = sealed_worlds(
        stores=tuple(stores.enter_context(open_store(f"sqlite:///{tmp_path}/{one}.db")) for one in names)
    )
    with stores:
        written(world, "stays")
    opened, closed, copy = f"sqlite:///{tmp_path}/open.db", f"sqlite:///{tmp_path}/closed.db", tmp_path / "copy"
    run("keys", "escrow-keyring", opened, "--to", tmp_path / "keeper.public", "--out", copy)
    words = ("keys", "recover-keyring", copy, closed, "--keeper", tmp_path / "keeper", "--password-file",
             tmp_path / "password")  # fmt: skip
    answer = CliRunner().invoke(app, [str(word) for word in (*words, "--record", opened)])
    assert isinstance(answer.exception, InvalidValue)
    assert "small/open" in str(answer.exception)
    answer = CliRunner().invoke(app, [str(word) for word in words])
    assert "--record" in str(answer.exception)
