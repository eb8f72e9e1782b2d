"""Checkpoints: C2SP signed notes that others can read, and that believe nobody unasked."""

from __future__ import annotations

import base64
from hashlib import sha256

import pytest

from trialwright.ledger import (
    CheckpointMalformed,
    CheckpointUntrusted,
    SigningKey,
    VerifierKey,
    parse_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
)

ROOT = bytes(range(32))
KEY = SigningKey("sponsor.example/smart-ms", b"\x01" * 32)
WITNESS = SigningKey("ethics.example/witness", b"\x02" * 32)
NOTE = sign_checkpoint("smart-ms/open", 1874, ROOT, KEY)


def test_the_text_is_origin_size_root_empty_line_signature():
    lines = NOTE.split("\n")
    assert lines[:4] == ["smart-ms/open", "1874", base64.b64encode(ROOT).decode(), ""]
    assert lines[4].startswith("— sponsor.example/smart-ms ")
    assert lines[5:] == [""]


def test_the_key_hash_is_that_of_the_note_standard():
    """c2sp.org/signed-note: the first four bytes of SHA-256 of name, line feed, 0x01 and public key."""
    expected = sha256(b"sponsor.example/smart-ms\n\x01" + KEY.verifier.public).digest()[:4]
    assert KEY.verifier.hash == expected
    assert str(KEY.verifier).startswith(f"sponsor.example/smart-ms+{expected.hex()}+")


def test_a_published_key_of_another_log_is_read():
    """The verifier key of the Go checksum database, sum.golang.org, as its clients carry it."""
    text = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
    key = VerifierKey.parse(text)
    assert key.name == "sum.golang.org"
    assert str(key) == text


def test_a_checkpoint_comes_back_as_it_was_signed():
    found = verify_checkpoint(NOTE, [KEY.verifier], origin="smart-ms/open")
    assert (found.origin, found.size, found.root) == ("smart-ms/open", 1874, ROOT)


def test_one_trusted_signature_among_several_is_enough():
    note = sign_checkpoint("smart-ms/open", 3, ROOT, KEY, WITNESS)
    assert verify_checkpoint(note, [WITNESS.verifier]).size == 3
    later = NOTE + WITNESS.sign(parse_checkpoint(NOTE).text)
    assert verify_checkpoint(later, [WITNESS.verifier]).size == 1874


def test_a_false_signature_by_a_trusted_key_spoils_the_checkpoint():
    other = sign_checkpoint("smart-ms/open", 4, ROOT, WITNESS)
    mixed = NOTE + other.split("\n\n")[1]
    with pytest.raises(CheckpointUntrusted, match="false"):
        verify_checkpoint(mixed, [KEY.verifier, WITNESS.verifier])


def test_extension_lines_are_signed_but_otherwise_ignored():
    text = f"smart-ms/open\n5\n{base64.b64encode(ROOT).decode()}\nextension of somebody\n"
    note = f"{text}\n{KEY.sign(text)}"
    assert verify_checkpoint(note, [KEY.verifier]).size == 5
    with pytest.raises(CheckpointUntrusted):
        verify_checkpoint(note.replace("somebody", "nobody!!"), [KEY.verifier])


@pytest.mark.parametrize("position", range(0, len(NOTE), 3))
def test_no_character_can_be_changed(position):
    changed = NOTE[:position] + ("A" if NOTE[position] != "A" else "B") + NOTE[position + 1 :]
    with pytest.raises((CheckpointMalformed, CheckpointUntrusted)):
        verify_checkpoint(changed, [KEY.verifier])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "\n\n",
        "a\n1\n\n— k AAAAAAA=\n",
        NOTE[:-1],
        NOTE + "\n",
        NOTE + "stray\n",
        NOTE.replace("1874", "01874"),
        NOTE.replace("1874", "-1"),
        NOTE.replace("1874", "1e3"),
        NOTE.replace("1874", "9" * 40),
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("—", "-"),
        NOTE.split("\n\n", maxsplit=1)[0] + "\n\n",
        NOTE.replace("AAEC", "AAE"),
    ],
)
def test_what_is_not_a_checkpoint_is_refused(note):
    with pytest.raises((CheckpointMalformed, CheckpointUntrusted)):
        verify_checkpoint(note, [KEY.verifier])


def test_a_checkpoint_of_another_ledger_is_refused():
    with pytest.raises(CheckpointUntrusted):
        verify_checkpoint(NOTE, [KEY.verifier], origin="smart-ms/closed")


def test_a_key_of_the_same_name_is_another_key():
    impostor = SigningKey("sponsor.example/smart-ms", b"\x03" * 32)
    with pytest.raises(CheckpointUntrusted):
        verify_checkpoint(NOTE, [impostor.verifier])


@pytest.mark.parametrize(
    "text",
    ["", "name", "name+00000000+AAAA", str(KEY.verifier)[:-4], str(KEY.verifier).replace("sponsor", "sponsors")],
)
def test_what_is_not_a_key_is_refused(text):
    with pytest.raises(CheckpointMalformed):
        VerifierKey.parse(text)


@pytest.mark.parametrize(
    ("origin", "size", "root", "signers"),
    [
        ("a b", 1, ROOT, [KEY]),
        ("", 1, ROOT, [KEY]),
        ("a\nb", 1, ROOT, [KEY]),
        ("a", -1, ROOT, [KEY]),
        ("a", 1, ROOT[:31], [KEY]),
        ("a", 1, ROOT, []),
    ],
)
def test_what_could_not_be_read_again_is_not_signed(origin, size, root, signers):
    with pytest.raises(CheckpointMalformed):
        sign_checkpoint(origin, size, root, *signers)


@pytest.mark.parametrize(("name", "seed"), [("with space", b"\x01" * 32), ("a+b", b"\x01" * 32), ("a", b"\x01" * 31)])
def test_a_key_that_could_not_be_written_is_refused(name, seed):
    with pytest.raises(CheckpointMalformed):
        SigningKey(name, seed)
