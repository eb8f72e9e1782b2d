"""The dispensing service in its own process: it answers rows, and says nothing else to anybody."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from trialwright.foundation.ports import DerivedEntropy
from trialwright.sealing import (
    DispensingFailed,
    DispensingProcess,
    InProcessDispensing,
    KeyPurpose,
    SealBroken,
    Sealed,
    generate_key,
    seal_list,
    write_key,
)
from trialwright.sealing.dispensing import ANSWER_BYTES, serve

PASSWORD = "five random words in a row"
LABELS = ["A", "placebo at baseline, cells at month 6", "B"] * 4


@pytest.fixture
def sealed(sealer, entropy):
    return seal_list({"oslo": LABELS}, ledger="smart-ms", sealer=sealer, entropy=entropy)


@pytest.fixture
def key_file(dispensing_key, entropy, tmp_path):
    path = tmp_path / "dispensing.key"
    path.write_bytes(write_key(dispensing_key, PASSWORD, entropy, work=10))
    return path


@pytest.fixture
def service(key_file):
    with DispensingProcess(key_file, PASSWORD) as process:
        yield process


def ask(key_file, *lines, password=PASSWORD):
    """Answers of the service to raw lines, in this process."""
    hello = json.dumps({"key_file": str(key_file), "password": password}).encode()
    answers = io.BytesIO()
    status = serve(io.BytesIO(b"\n".join([hello, *lines])), answers)
    return status, answers.getvalue()


def test_the_process_gives_the_label_of_each_row(service, sealed, dispensing_key):
    assert [service.dispense(row) for row in sealed.rows] == LABELS
    assert service.fingerprint == dispensing_key.public.fingerprint


def test_it_keeps_no_state_between_rows(service, sealed):
    order = [5, 0, 5, 11, 0]
    assert [service.dispense(sealed.rows[i]) for i in order] == [LABELS[i] for i in order]


def test_within_the_process_the_answers_are_the_same(sealed, dispensing):
    inside = InProcessDispensing(dispensing)

    assert [inside.dispense(row) for row in sealed.rows] == LABELS
    inside.close()
    with pytest.raises(DispensingFailed):
        inside.dispense(sealed.rows[0])


def test_an_altered_row_is_refused_by_name_and_the_service_goes_on(service, sealed):
    row = sealed.rows[0]
    moved = Sealed(sealed.rows[1].place, row.tokens)
    with pytest.raises(DispensingFailed) as refused:
        service.dispense(moved)

    assert refused.value.given["reason"] == SealBroken.code
    assert service.dispense(row) == "A"


def test_several_threads_get_their_own_answers(service, sealed):
    wrong = []

    def worker(start):
        for i in range(start, start + 30):
            if service.dispense(sealed.rows[i % 12]) != LABELS[i % 12]:
                wrong.append(i)

    threads = [threading.Thread(target=worker, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"", "sealing.dispensing_failed"),
        (b"not json", "sealing.dispensing_failed"),
        (b"[" * 60_000, "sealing.dispensing_failed"),
        (b"{}", "sealing.seal_broken"),
        (b"null", "sealing.seal_broken"),
        (b"\xff\xfe", "sealing.dispensing_failed"),
    ],
)
def test_whatever_is_asked_one_answer_of_one_size_comes_back(key_file, sealed, line, code):
    good = json.dumps(sealed.rows[1].as_json()).encode()

    status, answers = ask(key_file, line, good)

    assert status == 0
    assert len(answers) == 3 * ANSWER_BYTES
    lines = [answers[i : i + ANSWER_BYTES] for i in range(0, len(answers), ANSWER_BYTES)]
    assert all(one.endswith(b"\n") and one.count(b"\n") == 1 for one in lines)
    assert json.loads(lines[1]) == {"error": code}
    assert json.loads(lines[2]) == {"value": LABELS[1]}


@pytest.mark.parametrize("password", ["another password", ""])
def test_a_wrong_password_ends_the_service_with_its_code(key_file, password):
    status, answers = ask(key_file, password=password)

    assert status == 1
    assert json.loads(answers) == {"error": "sealing.password_wrong"}
    with pytest.raises(DispensingFailed) as refused:
        DispensingProcess(key_file, password)
    assert refused.value.given["reason"] == "sealing.password_wrong"


def test_a_missing_key_file_and_another_key_are_refused(tmp_path, unblinding_key, entropy):
    with pytest.raises(DispensingFailed):
        DispensingProcess(tmp_path / "none.key", PASSWORD)
    other = tmp_path / "unblinding.key"
    other.write_bytes(write_key(unblinding_key, PASSWORD, entropy, work=10))
    with pytest.raises(DispensingFailed) as refused:
        DispensingProcess(other, PASSWORD)
    assert refused.value.given["reason"] == "sealing.key_invalid"
    assert ask(other)[0] == 1


def test_a_key_of_another_study_gives_no_label(sealed, tmp_path, entropy):
    other = generate_key(KeyPurpose.DISPENSING, DerivedEntropy(9), ledger="other")
    path = tmp_path / "other.key"
    path.write_bytes(write_key(other, PASSWORD, entropy, work=10))
    with DispensingProcess(path, PASSWORD) as service, pytest.raises(DispensingFailed) as refused:
        service.dispense(sealed.rows[0])
    assert refused.value.given["reason"] == "sealing.key_wrong"


def test_no_content_key_or_password_leaves_by_errors_logs_arguments_or_files(
    key_file, sealed, dispensing_key, tmp_path
):
    lines = [{"key_file": str(key_file), "password": PASSWORD}, sealed.rows[1].as_json(), {"bad": "row"}]
    before = sorted(tmp_path.iterdir())
    run = subprocess.run(
        [sys.executable, "-I", "-m", "trialwright.sealing.dispensing"],
        input="\n".join(map(json.dumps, lines)).encode(),
        capture_output=True,
        cwd=tmp_path,
        check=False,
    )

    assert run.returncode == 0
    assert run.stderr == b""
    assert len(run.stdout) == 3 * ANSWER_BYTES
    for secret in (PASSWORD.encode(), dispensing_key.raw, dispensing_key.raw.hex().encode()):
        assert secret not in run.stdout
    assert sorted(tmp_path.iterdir()) == before
    assert not any(PASSWORD in str(part) for part in run.args)


def test_a_closed_or_killed_service_says_so(key_file, sealed):
    service = DispensingProcess(key_file, PASSWORD)
    service._process.kill()
    service._process.wait()
    with pytest.raises(DispensingFailed, match="ended"):
        service.dispense(sealed.rows[0])
    with pytest.raises(DispensingFailed, match="closed"):
        service.dispense(sealed.rows[0])
    service.close()
    service.close()


def test_a_silent_service_is_given_up(key_file, sealed):
    service = DispensingProcess(key_file, PASSWORD)
    service._timeout = 0.05
    os.kill(service._process.pid, signal.SIGSTOP)
    with pytest.raises(DispensingFailed, match="no answer"):
        service.dispense(sealed.rows[0])
    assert service._process.poll() is not None


def test_an_interrupted_question_never_answers_the_next_one(service, sealed, monkeypatch):
    def interrupted(timeout):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(service, "_answers", SimpleNamespace(get=interrupted, put=lambda answer: None))
        with pytest.raises(KeyboardInterrupt):
            service.dispense(sealed.rows[0])
    with pytest.raises(DispensingFailed):
        service.dispense(sealed.rows[1])


def test_errors_never_hold_the_label(service, sealed):
    row = sealed.rows[1]
    token = row.tokens[KeyPurpose.DISPENSING]
    altered = Sealed(row.place, {KeyPurpose.DISPENSING: token[:-1] + bytes([token[-1] ^ 1])})
    with pytest.raises(DispensingFailed) as refused:
        service.dispense(altered)
    assert "placebo" not in json.dumps(refused.value.as_dict())
