"""A copy of a key that only its keeper opens."""

from __future__ import annotations

import json

import pytest

from trialwright.foundation.ports import DerivedEntropy
from trialwright.sealing import (
    InvalidKey,
    InvalidList,
    KeyPurpose,
    PublicKey,
    RealSealer,
    SealBroken,
    SealingError,
    WrongKey,
    combine_key,
    escrow_key,
    generate_key,
    recover_key,
    split_key,
)


@pytest.fixture
def keeper(entropy):
    return generate_key(KeyPurpose.ESCROW, entropy, ledger="keeper")


@pytest.mark.parametrize("purpose", [p for p in KeyPurpose if p is not KeyPurpose.ESCROW])
def test_the_keeper_gets_the_key_back_whatever_it_is_for(purpose, keeper, entropy):
    key = generate_key(purpose, entropy, ledger="a")
    file = escrow_key(key, keeper.public, entropy)
    assert recover_key(file, keeper) == key
    assert key.raw.hex().encode() not in file
    assert json.loads(file)["fingerprint"] == key.public.fingerprint


def test_nobody_else_opens_it(dispensing_key, keeper, entropy):
    file = escrow_key(dispensing_key, keeper.public, entropy)
    with pytest.raises(WrongKey):
        recover_key(file, generate_key(KeyPurpose.ESCROW, DerivedEntropy("other"), ledger="keeper"))


def test_a_key_is_escrowed_to_an_escrow_key_only(dispensing_key, unblinding_key, keeper, entropy):
    for key, to in ((dispensing_key, unblinding_key), (keeper, keeper)):
        with pytest.raises(WrongKey):
            escrow_key(key, to.public, entropy)


@pytest.mark.parametrize("name", ["purpose", "fingerprint", "sealed"])
def test_an_altered_copy_is_no_copy(name, dispensing_key, unblinding_key, keeper, entropy):
    body = json.loads(escrow_key(dispensing_key, keeper.public, entropy))
    other = json.loads(escrow_key(unblinding_key, keeper.public, DerivedEntropy("b")))
    with pytest.raises(SealBroken):
        recover_key(json.dumps({**body, name: other[name]}).encode(), keeper)


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"\xff", b'{"purpose": 1}', b"[" * 100_000])
def test_what_is_no_copy_is_refused_by_name(text, keeper):
    with pytest.raises(InvalidKey):
        recover_key(text, keeper)


def test_a_public_key_reads_back_from_its_text_and_no_other_text_does(dispensing_key):
    text = str(dispensing_key.public)
    assert PublicKey.parse(f" {text}\n") == dispensing_key.public
    for wrong in ("", "x", text[:-1], text.replace("dispensing", "unblinding"), text.replace("dispensing", "none")):
        with pytest.raises(SealingError):
            PublicKey.parse(wrong)


def test_a_signing_key_is_shared_like_others_and_nothing_is_sealed_to_it(entropy):
    key = generate_key(KeyPurpose.SIGNING, entropy, ledger="a")
    assert combine_key(split_key(key, shares=3, needed=2, entropy=entropy)[1:]) == key
    with pytest.raises(InvalidKey):
        assert key.x25519
    with pytest.raises((InvalidKey, InvalidList)):
        RealSealer([key.public], entropy)
