"""Keys, their files and their custodians."""

import json
from dataclasses import replace

import pytest

from trialwright.foundation.ports import DerivedEntropy
from trialwright.sealing import (
    EnvelopeWriter,
    InvalidKey,
    InvalidShares,
    KeyPurpose,
    PrivateKey,
    PublicKey,
    WeakPassword,
    WrongPassword,
    combine_key,
    generate_key,
    read_key,
    read_share,
    split_key,
    write_key,
    write_share,
)
from trialwright.sealing.shamir import Share

PASSWORD = "five random words in a row"
QUICK = 10


def test_the_public_key_is_that_of_rfc_7748():
    # RFC 7748, section 6.1, Bob.
    private = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"
    public = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"

    assert PrivateKey(KeyPurpose.DISPENSING, bytes.fromhex(private)).public.raw.hex() == public


def test_a_key_file_opens_with_its_password_only(dispensing_key, entropy):
    data = write_key(dispensing_key, PASSWORD, entropy, work=QUICK)

    assert read_key(data, PASSWORD) == dispensing_key
    with pytest.raises(WrongPassword):
        read_key(data, PASSWORD + "!")


def test_key_files_shares_and_envelopes_take_128_megabytes_for_each_guess_unless_told_otherwise(
    dispensing_key, entropy
):
    (share, *_) = split_key(dispensing_key, needed=2, shares=3, entropy=entropy)
    envelopes = EnvelopeWriter(PASSWORD, ledger="smart-ms", holder="oslo", entropy=entropy)
    written = (
        write_key(dispensing_key, PASSWORD, entropy),
        write_share(share, PASSWORD, entropy),
        envelopes.write("NO-01-001", "the treatment"),
    )

    assert [json.loads(data)["work"] for data in written] == [17, 17, 17]


def test_a_key_file_shows_purpose_and_fingerprint_but_not_the_key(dispensing_key, entropy):
    data = write_key(dispensing_key, PASSWORD, entropy, work=QUICK)

    body = json.loads(data)
    assert body["about"] == {"purpose": "dispensing", "fingerprint": dispensing_key.public.fingerprint}
    assert dispensing_key.raw not in data
    assert dispensing_key.raw.hex() not in data.decode()


def test_every_altered_part_of_a_key_file_is_noticed(dispensing_key, entropy):
    body = json.loads(write_key(dispensing_key, PASSWORD, entropy, work=QUICK))
    changes = {
        "format": "another",
        "kind": "key share",
        "about": {**body["about"], "purpose": "unblinding"},
        "work": QUICK + 1,
        "salt": "AAAAAAAAAAAAAAAAAAAAAA==",
        "nonce": "AAAAAAAAAAAAAAAA",
        "ciphertext": body["ciphertext"][::-1].replace("=", "") + "==",
    }
    for name, value in changes.items():
        with pytest.raises((WrongPassword, InvalidKey)):
            read_key(json.dumps({**body, name: value}).encode(), PASSWORD)
        missing = {key: kept for key, kept in body.items() if key != name}
        with pytest.raises(InvalidKey):
            read_key(json.dumps(missing).encode(), PASSWORD)


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"format": 1}'])
def test_a_file_that_is_no_key_file_is_refused(data):
    with pytest.raises(InvalidKey):
        read_key(data, PASSWORD)


@pytest.mark.parametrize("work", [9, 21, 64, True, "17", None, 10.0])
def test_a_forged_work_factor_cannot_exhaust_the_reader(dispensing_key, entropy, work):
    body = json.loads(write_key(dispensing_key, PASSWORD, entropy, work=QUICK))
    with pytest.raises(InvalidKey):
        read_key(json.dumps({**body, "work": work}).encode(), PASSWORD)


def test_a_short_password_is_refused(dispensing_key, entropy):
    with pytest.raises(WeakPassword):
        write_key(dispensing_key, "eleven char", entropy)


def test_keys_never_show_themselves(dispensing_key):
    shown = repr(dispensing_key) + repr(split_key(dispensing_key, shares=3, needed=2, entropy=DerivedEntropy(1)))

    assert dispensing_key.raw.hex() not in shown
    assert repr(dispensing_key.raw) not in shown
    assert "raw" not in repr(dispensing_key)


def test_a_fingerprint_depends_on_key_and_purpose(entropy):
    keys = [generate_key(purpose, entropy, ledger=ledger) for purpose in KeyPurpose for ledger in "ab"]
    same_bytes = [PublicKey(purpose, b"\x09" * 32).fingerprint for purpose in KeyPurpose]

    assert len({key.raw for key in keys}) == 10
    assert len({key.public.fingerprint for key in keys} | set(same_bytes)) == 15
    assert all(len(part) == 4 for part in same_bytes[0].split("-"))


@pytest.mark.parametrize("kind", [PublicKey, PrivateKey])
def test_a_key_of_another_length_is_refused(kind):
    with pytest.raises(InvalidKey):
        kind(KeyPurpose.DISPENSING, b"short")


def test_custodians_rebuild_the_key_from_their_files(unblinding_key, entropy):
    shares = split_key(unblinding_key, shares=5, needed=3, entropy=entropy)
    files = [write_share(share, f"{PASSWORD} {share.share.index}", entropy, work=QUICK) for share in shares]

    brought = [read_share(files[i], f"{PASSWORD} {i + 1}") for i in (4, 0, 2)]

    assert combine_key(brought) == unblinding_key
    with pytest.raises(WrongPassword):
        read_share(files[0], f"{PASSWORD} 2")


def test_too_few_custodians_are_told_how_many_are_missing(unblinding_key, entropy):
    shares = split_key(unblinding_key, shares=5, needed=3, entropy=entropy)
    with pytest.raises(InvalidShares, match="bring 1 more"):
        combine_key(shares[:2])
    with pytest.raises(InvalidShares):
        combine_key([])


def test_shares_that_lie_do_not_give_a_key(unblinding_key, dispensing_key, entropy):
    shares = split_key(unblinding_key, shares=3, needed=2, entropy=entropy)
    others = split_key(dispensing_key, shares=3, needed=2, entropy=entropy)
    altered = replace(shares[0], share=Share(1, bytes([shares[0].share.value[0] ^ 1]) + shares[0].share.value[1:]))

    for lying in ([shares[0], others[1]], [altered, shares[1]], [shares[0], shares[0]]):
        with pytest.raises(InvalidShares):
            combine_key(lying)


def test_claiming_that_fewer_shares_suffice_does_not_help(unblinding_key, entropy):
    shares = split_key(unblinding_key, shares=3, needed=3, entropy=entropy)
    with pytest.raises(InvalidShares, match="do not rebuild"):
        combine_key([replace(share, needed=2) for share in shares[:2]])
