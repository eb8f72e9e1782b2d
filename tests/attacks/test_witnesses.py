"""What sites keep: receipts, a witness of their own, and the files of their participants with proofs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from trialwright.ledger import (
    CheckpointUntrusted,
    NewEntry,
    ProofRejected,
    SigningKey,
    Witness,
    canonical,
    consistency_proof,
    sign_checkpoint,
    verify_export,
    witness,
    write_stream,
)
from trialwright.stores import open_store

LEDGER = "demo/open"
SPONSOR = SigningKey("sponsor.example/demo", b"s" * 32)
STRANGER = SigningKey("sponsor.example/demo", b"x" * 32)
STREAM = "participant/P-2"
PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")


def entry(number, value=""):
    stream, place = f"participant/P-{number % 4}", number // 4 + 1
    said = {"stream": stream, "stream_seq": place, "type": "thing.done", "request_id": f"request-{number}"}
    return NewEntry(stream, place, "thing.done", f"request-{number}", canonical({**said, "data": {"value": value}}))


@pytest.fixture
def history(folder):
    """Name → the ledger of an own store with that history: ``"honest"``, or one with a nicer seventh entry."""
    stores = []

    def make(name):
        store = open_store(f"sqlite:///{folder / name}.db")
        stores.append(store)
        ledger = store.ledger(LEDGER)
        with ledger.transaction() as transaction:
            transaction.append([entry(n, name if n == 6 else "") for n in range(40)])
        return ledger

    yield make
    for store in stores:
        store.close()


def signed(ledger, size, key=SPONSOR):
    return sign_checkpoint(LEDGER, size, ledger.root(size), key)


def proof(ledger, old, new):
    return consistency_proof(ledger.leaves(new), old)


def site(folder, name="site"):
    return Witness(folder / name, LEDGER, [SPONSOR.verifier])


def test_a_witness_is_about_forty_lines():
    text = Path(witness.__file__).read_text(encoding="utf-8")
    code = [line for line in text.split("class Witness:")[1].splitlines() if line.strip()]
    assert len(code) <= 40


def test_a_witness_follows_an_honest_ledger_whatever_the_steps(folder, history):
    ledger, kept = history("honest"), site(folder)
    kept.accept(signed(ledger, 1))
    for old, new in ((1, 2), (2, 8), (8, 9), (9, 9), (9, 31), (31, 40)):
        assert kept.accept(signed(ledger, new), proof(ledger, old, new) if new > old else ()).size == new
    assert site(folder).held().size == 40
    assert len(list((folder / "site").iterdir())) == 6


def test_a_checkpoint_without_its_proof_is_refused_and_what_was_held_stays(folder, history):
    ledger, kept = history("honest"), site(folder)
    kept.accept(signed(ledger, 12))
    right = proof(ledger, 12, 30)
    wrong = [(), right[:-1], (*right, right[0]), right[::-1], (b"\0" * 32, *right[1:]), proof(ledger, 11, 30)]
    for given in wrong:
        with pytest.raises(ProofRejected):
            kept.accept(signed(ledger, 30), given)
    with pytest.raises(ProofRejected):
        kept.accept(signed(ledger, 11))  # back in time
    assert kept.held().size == 12


def test_a_stranger_s_checkpoint_and_one_of_another_ledger_are_refused(folder, history):
    ledger, kept = history("honest"), site(folder)
    with pytest.raises(CheckpointUntrusted):
        kept.accept(signed(ledger, 12, STRANGER))
    with pytest.raises(CheckpointUntrusted):
        kept.accept(sign_checkpoint("demo/closed", 12, ledger.root(12), SPONSOR))
    assert kept.held() is None


def test_a_rewritten_history_cannot_be_continued_before_a_witness(folder, history):
    honest, forged = history("honest"), history("forged")
    kept = site(folder)
    kept.accept(signed(honest, 20))
    for given in (proof(forged, 20, 40), proof(honest, 20, 40), ()):
        with pytest.raises(ProofRejected):
            kept.accept(signed(forged, 40), given)


def test_two_histories_shown_to_two_sites_are_found_when_the_sites_exchange_receipts(folder, history):
    """Each site alone sees nothing wrong. No proof leads from the receipt of one to that of the other."""
    shown = {"oslo": history("honest"), "bergen": history("forged")}
    sites = {name: site(folder, name) for name in shown}
    for name, ledger in shown.items():
        sites[name].accept(signed(ledger, 16))
        sites[name].accept(signed(ledger, 40), proof(ledger, 16, 40))
    for mine, other in (("oslo", "bergen"), ("bergen", "oslo")):
        for size in (16, 40):
            receipt = signed(shown[other], size)
            for ledger in shown.values():
                with pytest.raises(ProofRejected):
                    sites[mine].accept(receipt, proof(ledger, 40, 40) if size == 40 else ())
    # Of an earlier one, the site's own folder says that it is another: same size, another root.
    held = (folder / "oslo" / f"{16:012}.txt").read_text()
    assert held != signed(shown["bergen"], 16)


def test_receipts_of_one_history_are_exchanged_without_complaint(folder, history):
    ledger = history("honest")
    oslo, bergen = site(folder, "oslo"), site(folder, "bergen")
    oslo.accept(signed(ledger, 16))
    bergen.accept(signed(ledger, 33))
    oslo.accept(signed(ledger, 33), proof(ledger, 16, 33))
    assert oslo.held() == bergen.held()


def test_a_witness_that_asks_for_no_proof_does_not_find_them(folder, history, monkeypatch):
    """The weakened build: then the rewritten history is taken."""
    monkeypatch.setattr(witness, "verify_consistency", lambda *given: None)
    kept = site(folder)
    kept.accept(signed(history("honest"), 20))
    assert kept.accept(signed(history("forged"), 40)).size == 40


# --- one participant's file ----------------------------------------------------------------------------------------


@pytest.fixture
def file(folder, history):
    """A participant's file as a folder, and the receipt it leads to."""
    ledger = history("honest")
    note = signed(ledger, 37)
    assert write_stream(ledger, STREAM, note, folder / "file") == 9
    (folder / "receipt.txt").write_text(note, encoding="utf-8")
    return folder / "file"


def verified(file, key=SPONSOR):
    receipt = (file.parent / "receipt.txt").read_text(encoding="utf-8")
    return verify_export(file, outside={"receipt": receipt}, keys=[key.verifier])


def test_one_participant_s_file_verifies_without_the_rest(file):
    report = verified(file)
    assert (report.fault, report.covered, report.stream, report.shown) == (None, 37, STREAM, 9)
    text = (file / "entries.jsonl").read_text()
    assert text.count('"body"') == 9
    assert "P-1" not in text
    assert "9 entries of participant/P-2 among 37" in str(report)


def test_without_a_receipt_held_outside_such_a_file_proves_nothing(file):
    report = verify_export(file, outside={}, keys=[SPONSOR.verifier])
    assert (report.fault, report.covered) == (None, 0)
    assert "Nothing is proven" in str(report)


def _line(number, change):
    def changed(lines):
        lines[number] = change(lines[number])

    return changed


def _gone(number):
    return lambda lines: lines.pop(number)


def _exchanged(lines):
    lines[3], lines[4] = lines[4], lines[3]


@pytest.mark.parametrize(
    ("name", "change", "fault"),
    [
        ("entries.jsonl", _line(2, lambda line: line.replace(b'"value":""', b'"value":"x"')), "leaf"),
        ("entries.jsonl", _line(2, lambda line: line.replace(b'"seq":11', b'"seq":12')), "proof"),
        ("entries.jsonl", _line(2, lambda line: line.replace(b'"request_id":"r', b'"request_id":"q', 1)), "columns"),
        ("entries.jsonl", _exchanged, "stream"),
        ("entries.jsonl", _gone(4), "stream"),
        ("proofs.txt", _line(5, lambda line: line[64:]), "proof"),
        ("proofs.txt", _exchanged, "proof"),
        ("proofs.txt", _gone(8), "proof"),
    ],
)
def test_a_participant_s_file_that_was_altered_is_found_out(file, name, change, fault):
    lines = (file / name).read_bytes().splitlines(keepends=True)
    change(lines)
    (file / name).write_bytes(b"".join(lines))
    report = verified(file)
    assert report.fault is not None
    assert (report.fault.kind, report.covered) == (fault, 0)


def test_a_participant_s_file_of_another_history_is_not_that_of_the_receipt(file, history, folder):
    forged = history("forged")
    write_stream(forged, STREAM, signed(forged, 37), folder / "other")
    report = verified(folder / "other")
    assert report.fault is not None
    assert (report.fault.kind, report.covered) == ("checkpoint", 0)


def test_a_file_is_not_written_for_a_checkpoint_that_is_not_of_the_ledger(folder, history):
    with pytest.raises(ProofRejected):
        write_stream(history("honest"), STREAM, signed(history("forged"), 37), folder / "file")


@pytest.mark.parametrize("version", PYTHONS)
def test_a_participant_s_file_verifies_itself_on_every_python_that_is_here(file, version):
    kept = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    python = kept[-1] if kept else shutil.which(f"python{version}")
    if python is None or subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode:
        pytest.skip(f"no Python {version} on this machine: the file was NOT tried on it")
    command = [python, "-I", file / "verify.py", file, "--checkpoint", file.parent / "receipt.txt"]
    done = subprocess.run([*command, "--key", str(SPONSOR.verifier)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Covered to 37" in done.stdout
