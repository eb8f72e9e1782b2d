"""Emergency envelopes: one size, one password, opened with nothing but Python."""

import ast
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import trialwright.sealing
from trialwright.foundation.operating_system import SystemEntropy
from trialwright.foundation.ports import DerivedEntropy
from trialwright.sealing import (
    ENVELOPE_BYTES,
    ContentTooLong,
    EnvelopeWriter,
    InvalidKey,
    InvalidText,
    SealBroken,
    WeakPassword,
    WrongPassword,
    envelope_password,
    open_envelope,
)

STAND_ALONE = Path(trialwright.sealing.__file__).parent / "envelope_opener.py"
PASSWORD = "7KQF-2M9X-TRES-HAND"
QUICK = 10


def load_stand_alone():
    spec = importlib.util.spec_from_file_location("open_envelope_alone", STAND_ALONE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ALONE = load_stand_alone()


@pytest.fixture
def writer(entropy):
    return EnvelopeWriter(PASSWORD, ledger="smart-ms", holder="oslo", entropy=entropy, work=QUICK)


def test_all_envelopes_have_one_size(writer):
    contents = ["A", "", "Sequence A: cells at baseline, placebo at month 6", "ø" * 127]
    names = ["1", "NO-01-004", "x" * 60]

    assert {len(writer.write(name, content)) for name in names for content in contents} == {ENVELOPE_BYTES}


@pytest.mark.parametrize("content", ["A", "", "æøå", "ø" * 127])
def test_the_password_opens_it_with_the_library_and_without(writer, content):
    envelope = writer.write("NO-01-004", content)

    assert open_envelope(envelope, PASSWORD) == ("NO-01-004", content)
    assert ALONE.open_envelope(envelope, PASSWORD) == ("NO-01-004", content)


def test_one_stretched_password_opens_every_envelope_of_the_holder(writer):
    envelopes = [writer.write(str(i), "AB"[i % 2]) for i in range(30)]

    assert [open_envelope(e, PASSWORD) for e in envelopes] == [(str(i), "AB"[i % 2]) for i in range(30)]
    assert len({json.loads(e)["nonce"] for e in envelopes}) == 30


def test_another_password_opens_nothing(writer):
    envelope = writer.write("004", "A")
    with pytest.raises(WrongPassword):
        open_envelope(envelope, PASSWORD.lower())
    with pytest.raises(ALONE.EnvelopeProblem, match="altered"):
        ALONE.open_envelope(envelope, PASSWORD.lower())


def test_every_altered_field_is_noticed_by_both_openers(writer):
    body, other = json.loads(writer.write("004", "A")), json.loads(writer.write("005", "B"))
    changes = [("participant", "005"), ("ledger", "other"), ("ciphertext", other["ciphertext"])]
    changes += [("nonce", other["nonce"]), ("salt", "AAAAAAAAAAAAAAAAAAAAAA=="), ("work", 11), ("format", "x")]
    changes += [("work", 25), ("work", True), ("participant", 4), ("nonce", "AAAA"), ("salt", None), ("ledger", [])]
    for name, value in changes:
        forged = json.dumps({**body, name: value}).encode()
        with pytest.raises((WrongPassword, SealBroken, InvalidKey)):
            open_envelope(forged, PASSWORD)
        with pytest.raises(ALONE.EnvelopeProblem):
            ALONE.open_envelope(forged, PASSWORD)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"format": {}}'])
def test_a_file_that_is_no_envelope_is_refused_by_both_openers(data):
    with pytest.raises(SealBroken):
        open_envelope(data, PASSWORD)
    with pytest.raises(ALONE.EnvelopeProblem):
        ALONE.open_envelope(data, PASSWORD)


def test_names_and_words_that_do_not_fit_are_refused(writer):
    for participant, content in (("x" * 500, "A"), ("004", "x" * 255)):
        with pytest.raises(ContentTooLong):
            writer.write(participant, content)
    with pytest.raises(InvalidText):
        writer.write("004", "\ud800")
    with pytest.raises(InvalidText):
        writer.write("\ud800", "A")


def test_a_short_password_is_refused(entropy):
    with pytest.raises(WeakPassword):
        EnvelopeWriter("short", ledger="smart-ms", holder="oslo", entropy=entropy)


class GivenBytes:
    """Entropy that a test chooses."""

    origin = "test"

    def __init__(self, data):
        self._data = data

    def bytes(self, count, *, purpose, stream, position):
        return self._data[:count]


def test_made_passwords_use_every_letter_alike():
    # Of 256 values of a byte 240 are used, eight for each of the 30 letters; the other 16 are passed over.
    rejected = bytes(range(240, 256))
    letters = []
    for start in range(0, 240, 24):
        data = rejected + bytes(range(start, start + 24)) + bytes(216)
        letters += envelope_password(GivenBytes(data), ledger="a", holder="b").replace("-", "")

    assert {letters.count(letter) for letter in letters} == {8}
    assert len(set(letters)) == 30


def test_made_passwords_are_long_and_never_the_same():
    passwords = [envelope_password(SystemEntropy(), ledger="a", holder="b") for _ in range(1000)]

    assert all(len(p) == 29 and p.count("-") == 5 for p in passwords)
    assert len(set(passwords)) == 1000


def test_the_stand_alone_opener_imports_the_standard_library_only():
    tree = ast.parse(STAND_ALONE.read_text("utf-8"), feature_version=(3, 8))
    imported = {
        name.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }

    assert imported <= set(sys.stdlib_module_names)


def test_its_block_cipher_is_that_of_fips_197():
    # FIPS 197, appendix C.3: AES-256.
    keys = ALONE.expand_key(bytes(range(32)))
    block = bytes.fromhex("00112233445566778899aabbccddeeff")

    assert ALONE.encrypt_block(keys, block).hex() == "8ea2b7ca516745bfeafc49904b496089"


@settings(max_examples=15, deadline=None)
@given(
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=12, max_size=12),
    st.binary(max_size=70),
    st.binary(max_size=40),
)
def test_its_gcm_is_that_of_the_cryptographic_library(key, nonce, content, bound):
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    sealed = AESGCM(key).encrypt(nonce, content, bound)

    assert ALONE.decrypt(key, nonce, sealed[:-16], sealed[-16:], bound) == content
    assert ALONE.decrypt(key, nonce, sealed[:-16], bytes([sealed[-16] ^ 1]) + sealed[-15:], bound) is None


def test_it_runs_alone_from_a_folder_without_the_library(writer, tmp_path):
    (tmp_path / "envelope_opener.py").write_bytes(STAND_ALONE.read_bytes())
    (tmp_path / "004.envelope").write_bytes(writer.write("004", "Sequence A"))
    # getpass reads the terminal; here the password comes by standard input instead.
    script = (
        "import getpass, sys; getpass.getpass = lambda prompt: sys.stdin.readline().rstrip('\\n'); "
        "import envelope_opener; sys.exit(envelope_opener.main(['004.envelope']))"
    )
    run = [sys.executable, "-S", "-c", script]

    good = subprocess.run(run, cwd=tmp_path, input=PASSWORD + "\n", capture_output=True, text=True, check=False)
    bad = subprocess.run(run, cwd=tmp_path, input="wrong\n", capture_output=True, text=True, check=False)

    assert (good.returncode, good.stdout, good.stderr) == (0, "Participant 004: Sequence A\n", "")
    assert bad.returncode == 1
    assert bad.stdout == ""
    assert "Traceback" not in bad.stderr
    assert "password" in bad.stderr


def test_the_opener_asks_for_a_file(capsys):
    assert ALONE.main([]) == 2
    assert "ENVELOPE" in capsys.readouterr().err


def test_the_same_entropy_writes_the_same_envelope(writer):
    again = EnvelopeWriter(
        PASSWORD, ledger="smart-ms", holder="oslo", entropy=DerivedEntropy("sealing tests"), work=QUICK
    )
    assert again.write("004", "A") == writer.write("004", "A")
