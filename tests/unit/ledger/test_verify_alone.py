"""``verify.py`` as an auditor meets it: one file, any Python from 3.8 on, nothing of ours installed."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.ledger import (
    ExportRefused,
    NewEntry,
    NotVerifiable,
    SigningKey,
    canonical,
    sign_checkpoint,
    verify,
    verify_export,
    write_export,
)
from trialwright.stores import MemoryStore

LEDGER = "demo/open"
SITE = SigningKey("site.example/no-01", b"s" * 32)
VERIFIER = Path(verify.__file__)
VERSIONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")


def new(stream, stream_seq, **data):
    envelope = {"stream": stream, "stream_seq": stream_seq, "type": "t.done", "request_id": f"{stream}-{stream_seq}"}
    return NewEntry(stream, stream_seq, "t.done", envelope["request_id"], canonical({**envelope, "data": data}))


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """A folder with an export of 30 entries, a checkpoint held outside (20) and a public key."""
    home = tmp_path_factory.mktemp("audit")
    ledger = MemoryStore().ledger(LEDGER)
    with ledger.transaction() as transaction:
        transaction.append([new(f"p/{n % 3}", n // 3 + 1, text="æøå 😀 \u2028 \n") for n in range(30)])
    early, late = (sign_checkpoint(LEDGER, size, ledger.root(size), SITE) for size in (10, 30))
    write_export(ledger, home / "export", checkpoints=[early, late])
    write_export(ledger, home / "export.zip", checkpoints=[early, late])
    (home / "receipt.txt").write_text(sign_checkpoint(LEDGER, 20, ledger.root(20), SITE))
    (home / "key.txt").write_text(f"{SITE.verifier}\n")
    return home


def run(python, *arguments, cwd=None):
    return subprocess.run(
        [python, "-I", "-X", "utf8", *map(str, arguments)], capture_output=True, text=True, cwd=cwd, check=False
    )


def python_of(version):
    """An interpreter of that version, from the search path or from pyenv."""
    found = shutil.which(f"python{version}")
    if found and run(found, "-c", "").returncode == 0:
        return found
    kept = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    return str(kept[-1]) if kept else None


def test_it_is_one_short_file_that_imports_the_standard_library_alone():
    text = VERIFIER.read_text()
    assert len(text.splitlines()) < 390
    imported = set()
    for node in ast.walk(ast.parse(text, feature_version=(3, 8))):
        if isinstance(node, ast.Import):
            imported |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(node.module.split(".")[0])
    assert imported <= sys.stdlib_module_names


@pytest.mark.parametrize("version", VERSIONS)
def test_it_runs_on_every_python_that_is_here(export, version):
    python = python_of(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine: verify.py was NOT tried on it")
    for place in ("export", "export.zip"):
        done = run(
            python,
            export / "export" / "verify.py",
            export / place,
            "--checkpoint",
            export / "receipt.txt",
            "--key",
            export / "key.txt",
        )
        assert done.stderr == ""
        assert done.returncode == 0
        assert "Covered to 20 by the checkpoint of site.example/no-01" in done.stdout
        assert "10 later entries unproven" in done.stdout


def test_it_was_tried_on_more_than_one_python():
    here = [version for version in VERSIONS if python_of(version)]
    if len(here) < 2:
        pytest.skip(f"only Python {here} on this machine")
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in here


def with_file(export, tmp_path, name, change):
    """A copy of the export with one file changed."""
    copy = tmp_path / "copy"
    shutil.copytree(export / "export", copy)
    (copy / name).write_bytes(change((copy / name).read_bytes()))
    return copy


def audit(place, export, *more):
    return run(
        sys.executable,
        VERIFIER,
        place,
        "--checkpoint",
        export / "receipt.txt",
        "--key",
        str(SITE.verifier),
        *more,
    )


def without_line(number):
    return lambda data: b"".join(line for n, line in enumerate(data.splitlines(keepends=True), 1) if n != number)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: data.replace(b"p/1-4", b"p/1-9", 1), "FAULT at entry 11 (columns)"),
        (lambda data: data.replace(b'"text":"\xc3\xa6', b'"text":"\xc3\xa5', 1), "FAULT at entry 1 (leaf)"),
        (without_line(7), "FAULT at entry 7 (sequence)"),
        (without_line(30), "FAULT at entry 30 (missing)"),
        (lambda data: data.replace(b'"seq":3,', b'"seq":4,', 1), "FAULT at entry 3 (sequence)"),
        (lambda data: data + data.splitlines(keepends=True)[-1], "FAULT at entry 31 (sequence)"),
        (lambda data: b"", "FAULT at entry 1 (missing)"),
    ],
)
def test_a_changed_entry_is_named_and_the_exit_code_is_one(export, tmp_path, change, told):
    done = audit(with_file(export, tmp_path, "entries.jsonl", change), export)
    assert told in done.stdout
    assert done.returncode == 1


def test_a_stated_head_that_is_not_true_is_a_fault(export, tmp_path):
    for name in ("size", "chain", "root"):

        def change(data, name=name):
            stated = json.loads(data)
            stated[name] = 29 if name == "size" else "00" * 32
            return json.dumps(stated).encode()

        done = audit(with_file(export, tmp_path / name, "ledger.json", change), export)
        assert "(head)" in done.stdout
        assert done.returncode == 1


def test_without_an_outside_checkpoint_the_exit_code_is_one(export):
    done = run(sys.executable, VERIFIER, export / "export")
    assert "Nothing is proven" in done.stdout
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("ledger.json", lambda data: b""),
        ("ledger.json", lambda data: b"[]"),
        ("ledger.json", lambda data: b"{}"),
        ("ledger.json", lambda data: data.replace(b'"format": 1', b'"format": 4')),
        ("ledger.json", lambda data: data.replace(b"demo/open", b"demo/closed")),
        ("ledger.json", lambda data: data.replace(b'"demo/open"', b"5")),
        ("ledger.json", lambda data: b"[" * 100_000),
        ("entries.jsonl", lambda data: b"\n" + data),
        ("entries.jsonl", lambda data: data.replace(b"\n", b"\r\n")),
        ("entries.jsonl", lambda data: data[:-1]),
        ("entries.jsonl", lambda data: data.replace(b'"seq":3', b'"seq":' + b"3" * 5000)),
        ("entries.jsonl", lambda data: data.replace(b'"seq":3', b'"seq":3.0')),
        ("entries.jsonl", lambda data: data.replace(b'"p/0"', '"pø"'.encode())),
        ("entries.jsonl", lambda data: b"\xff\xfe" + data),
        ("entries.jsonl", lambda data: data.replace(b'"leaf":"', b'"leaf":"zz', 1)),
        ("entries.jsonl", lambda data: data.replace(b'"stream":"p/0"', b'"stream":[]', 1)),
        ("entries.jsonl", lambda data: data.replace(b'"stream":"p/0"', b'"stream":' + b"[" * 50_000, 1)),
    ],
)
def test_what_cannot_be_read_is_said_without_a_traceback(export, tmp_path, name, change):
    done = audit(with_file(export, tmp_path, name, change), export)
    assert done.returncode == 2
    assert done.stderr.startswith("cannot verify: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "spoil", [lambda data: b"nonsense", lambda data: b"\xff", lambda data: data.replace(b"demo/", b"demO/")]
)
def test_a_spoiled_checkpoint_in_the_export_is_named_and_what_is_held_outside_counts(export, tmp_path, spoil):
    done = audit(with_file(export, tmp_path, "checkpoints/000001.txt", spoil), export)
    assert done.returncode == 0
    assert "Of no use: checkpoints/000001.txt" in done.stdout
    assert "FAULT" not in done.stdout
    assert "Covered to" in done.stdout


def test_missing_files_bad_keys_and_strangers_are_said_without_a_traceback(export, tmp_path):
    stranger = SigningKey("site.example/no-01", b"x" * 32)
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes((export / "export.zip").read_bytes()[:-400])
    receipt = ("--checkpoint", export / "receipt.txt")
    for arguments in (
        (tmp_path / "absent",),
        (tmp_path,),
        (damaged, *receipt, "--key", str(SITE.verifier)),
        (export / "export", "--checkpoint", tmp_path / "absent.txt"),
        (export / "export", *receipt),
        (export / "export", *receipt, "--key", str(stranger.verifier)),
        (export / "export", *receipt, "--key", "no+key+here"),
        (export / "export", *receipt, "--key", tmp_path / "absent.key"),
        (export / "export", "--checkpoint", export / "export" / "entries.jsonl", "--key", str(SITE.verifier)),
    ):
        done = run(sys.executable, VERIFIER, *arguments)
        assert done.returncode == 2
        assert done.stderr.startswith("cannot verify: ")
        assert "Traceback" not in done.stderr


def test_the_library_and_the_file_say_the_same(export):
    note = (export / "receipt.txt").read_text()
    for place in ("export", "export.zip"):
        ours = verify_export(export / place, outside={"receipt": note}, keys=[SITE.verifier])
        alone = verify.verify_export(export / place, [("receipt", note)], [str(SITE.verifier)])
        assert ours == alone
        assert (ours.covered, ours.size, ours.fault) == (20, 30, None)
    with pytest.raises(NotVerifiable):
        verify_export(export / "absent", outside={}, keys=[])


def test_an_export_is_the_same_bytes_each_time_and_overwrites_nothing(export, tmp_path):
    ledger = MemoryStore().ledger(LEDGER)
    with ledger.transaction() as transaction:
        transaction.append([new("a", 1)])
    write_export(ledger, tmp_path / "one.zip")
    write_export(ledger, tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    for target in (tmp_path / "one.zip", tmp_path, tmp_path / "no" / "folder"):
        with pytest.raises(ExportRefused):
            write_export(ledger, target)


def test_an_export_holds_each_body_byte_for_byte_and_each_line_is_json(export):
    ledger_lines = (export / "export" / "entries.jsonl").read_bytes().splitlines(keepends=True)
    assert len(ledger_lines) == 30
    for line in ledger_lines:
        row = json.loads(line)
        assert canonical(row["body"]) in line
        assert (row["stream"], row["stream_seq"]) == (row["body"]["stream"], row["body"]["stream_seq"])
    with zipfile.ZipFile(export / "export.zip") as archive:
        assert b"".join(ledger_lines) == archive.read("entries.jsonl")


def test_an_empty_ledger_can_be_exported_and_read(tmp_path):
    write_export(MemoryStore().ledger("demo/empty"), tmp_path / "export")
    found = verify_export(tmp_path / "export", outside={}, keys=[])
    assert (found.size, found.covered, found.fault) == (0, 0, None)


# RFC 8032, section 7.1, tests 1 to 3: public key, message, signature.
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd"
        "25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c3"
        "87b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594"
        "a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032)
def test_its_ed25519_accepts_the_signatures_of_the_standard_and_no_others(key, message, signature):
    key, message, signature = map(bytes.fromhex, (key, message, signature))
    assert verify.ed25519_valid(key, message, signature)
    assert not verify.ed25519_valid(key, message + b"x", signature)
    assert not verify.ed25519_valid(key, message, signature[:-1])
    assert not verify.ed25519_valid(key, message, signature + b"\0")
    assert not verify.ed25519_valid(key, message, b"")
    assert not verify.ed25519_valid(key[:-1], message, signature)
    raised = int.from_bytes(signature[32:], "little") + verify.L
    assert not verify.ed25519_valid(key, message, signature[:32] + raised.to_bytes(32, "little"))


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80), st.data())
def test_its_ed25519_agrees_with_the_library_on_good_and_spoiled_signatures(seed, message, data):
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert verify.ed25519_valid(key, message, signature)
    spoiled = bytearray(key + signature)
    spoiled[data.draw(st.integers(0, 95))] ^= 1 << data.draw(st.integers(0, 7))
    key, signature = bytes(spoiled[:32]), bytes(spoiled[32:])
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        accepted = True
    except InvalidSignature:
        accepted = False
    assert verify.ed25519_valid(key, message, signature) is accepted
    assert not accepted
