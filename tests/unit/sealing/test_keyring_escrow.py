"""A copy of a keyring opens for its keeper, and says what it is without being opened."""

from __future__ import annotations

import json

import pytest

from trialwright.foundation.ports import DerivedEntropy
from trialwright.sealing import (
    InvalidKey,
    KeyPurpose,
    SealBroken,
    WrongKey,
    escrow_keyring,
    generate_key,
    read_keyring_copy,
    recover_keyring,
)

KEYS = (("small/open/NO-01-001", "text", 0, b"k" * 32), ("small/open/NO-01-002", "text", 0, None))


@pytest.fixture
def entropy():
    return DerivedEntropy(3)


@pytest.fixture
def keeper(entropy):
    return generate_key(KeyPurpose.ESCROW, entropy, ledger="small")


@pytest.fixture
def copy(keeper, entropy):
    about = {"ledger": "small/open", "copy": "c1", "made_at": "2026-11-22T00:00:00+00:00"}
    return escrow_keyring(KEYS, keeper.public, entropy, **about)


def test_the_keeper_gets_every_key_back(copy, keeper):
    assert recover_keyring(copy, keeper) == KEYS
    about = read_keyring_copy(copy)
    assert (about.ledger, about.copy, about.keeper, about.keys) == ("small/open", "c1", keeper.public.fingerprint, 1)
    assert b"k" * 32 not in copy


def test_nobody_else_does(copy, keeper, entropy):
    other = generate_key(KeyPurpose.ESCROW, DerivedEntropy(4), ledger="small")
    with pytest.raises(WrongKey):
        recover_keyring(copy, other)
    site = generate_key(KeyPurpose.IDENTITY, entropy, ledger="small/01")
    with pytest.raises(WrongKey, match="identity"):
        escrow_keyring(KEYS, site.public, entropy, ledger="small/open", copy="c", made_at="")


@pytest.mark.parametrize(("name", "value"), [("ledger", "other/open"), ("copy", "c2"), ("keys", 2), ("made_at", "")])
def test_what_it_says_of_itself_cannot_be_changed(copy, keeper, name, value):
    changed = json.dumps({**json.loads(copy), name: value}).encode()
    with pytest.raises(SealBroken):
        recover_keyring(changed, keeper)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"format": 1}', b"[" * 100_000])
def test_another_file_is_refused_by_name(content):
    with pytest.raises(InvalidKey):
        read_keyring_copy(content)
