"""Checkpoints in the store itself: they must agree with the record; one that is spoiled counts for nothing."""

from __future__ import annotations

from hashlib import sha256

import pytest

from trialwright.ledger import NewEntry, SigningKey, canonical, sign_checkpoint, verify_ledger
from trialwright.stores import MemoryStore

LEDGER = "demo/open"
TRUSTED, OTHER = SigningKey("sponsor.example/demo", b"s" * 32), SigningKey("other.example/demo", b"o" * 32)


@pytest.fixture
def ledger():
    found = MemoryStore().ledger(LEDGER)
    with found.transaction() as transaction:
        said = [{"stream": "a", "stream_seq": n, "type": "t", "request_id": f"r{n}", "data": {}} for n in (1, 2, 3)]
        transaction.append([NewEntry("a", one["stream_seq"], "t", one["request_id"], canonical(one)) for one in said])
    return found


def verified(ledger, *inside):
    outside = {"receipt": sign_checkpoint(LEDGER, 3, ledger.root(3), TRUSTED)}
    return verify_ledger(ledger, outside=outside, keys=[TRUSTED.verifier], inside=inside)


def test_one_that_agrees_is_silent(ledger):
    report = verified(ledger, sign_checkpoint(LEDGER, 2, ledger.root(2), TRUSTED))
    assert (report.fault, report.covered, report.spoiled) == (None, 3, ())


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda text: "nonsense", "is not a checkpoint"),
        (lambda text: 7, "is not a checkpoint"),
        (lambda text: text.replace("\n2\n", "\n1\n"), "a signature is false"),
        (lambda text: text.replace(LEDGER, "demo/oven"), "a signature is false"),
    ],
)
def test_a_spoiled_one_is_named_and_does_not_speak_against_the_record(ledger, spoil, why):
    report = verified(ledger, spoil(sign_checkpoint(LEDGER, 2, ledger.root(2), TRUSTED)))
    assert (report.fault, report.covered) == (None, 3)
    (found,) = report.spoiled
    assert why in found
    assert f"Of no use: {found}" in str(report)


def test_one_of_another_ledger_is_named(ledger):
    report = verified(ledger, sign_checkpoint("demo/closed", 2, ledger.root(2), TRUSTED))
    assert report.fault is None
    assert report.spoiled == ("stored checkpoint 1 is of 'demo/closed', not of 'demo/open'",)


@pytest.mark.parametrize("key", [TRUSTED, OTHER])
def test_a_genuine_one_that_disagrees_is_a_fault_whoever_signed_it(ledger, key):
    report = verified(ledger, sign_checkpoint(LEDGER, 2, sha256(b"another history").digest(), key))
    assert report.fault is not None
    assert report.fault.kind == "checkpoint"


def test_none_of_them_proves_anything(ledger):
    inside = [sign_checkpoint(LEDGER, 3, ledger.root(3), TRUSTED)]
    assert verify_ledger(ledger, outside={}, keys=[TRUSTED.verifier], inside=inside).covered == 0
