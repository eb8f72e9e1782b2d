"""Seals to a key: published vector, every altered bit, every moved place, every other key."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from trialwright.foundation.ports import DerivedEntropy
from trialwright.sealing import (
    ContentTooLong,
    IdealSealer,
    InvalidList,
    KeyOpener,
    KeyPurpose,
    Kind,
    Place,
    PrivateKey,
    RealSealer,
    SealBroken,
    Sealed,
    WrongKey,
    generate_key,
    open_row,
)
from trialwright.sealing.encoding import joined, padded, unpadded
from trialwright.sealing.hybrid import OVERHEAD, Chance, open_sealed, seal_to

PLACE = Place("smart-ms", Kind.ALLOCATION, "site=oslo", 4)
VECTORS = Path(__file__).parents[3] / "docs" / "explanation" / "sealing-vectors.json"


def moved(sealed, **changes):
    place = {"ledger": PLACE.ledger, "kind": PLACE.kind, "stratum": PLACE.stratum, "position": PLACE.position}
    return Sealed(Place(**{**place, **changes}), sealed.tokens)


def test_a_seal_is_that_of_the_written_description():
    published = json.loads(VECTORS.read_text("utf-8"))["seal"]
    key = PrivateKey(KeyPurpose.DISPENSING, bytes.fromhex(published["private_key"]))
    row = published["row"]
    place = Place(row["ledger"], Kind.ALLOCATION, row["stratum"], row["position"])
    content = bytes.fromhex(row["salt"]) + row["value"].encode()
    chance = Chance(bytes.fromhex(published["ephemeral_key"]), bytes.fromhex(published["nonce"]))

    sealed = seal_to(key.public, padded(content, 96), context=place.context, chance=chance)

    assert sealed.hex() == published["sealed"]
    assert open_row(Sealed(place, {key.purpose: sealed}), KeyOpener(key)).value == row["value"]


def test_both_recipients_open_the_same_content(sealer, dispensing, unblinding):
    sealed = sealer.seal(PLACE, b"content")

    assert dispensing.open(sealed) == unblinding.open(sealed) == b"content"


def test_a_seal_survives_its_journey_as_json(sealer, dispensing):
    sealed = sealer.seal(PLACE, b"content")

    again = Sealed.from_json(json.loads(json.dumps(sealed.as_json())))

    assert again == sealed
    assert dispensing.open(again) == b"content"


def test_every_flipped_bit_is_noticed(sealer, dispensing_key):
    token = sealer.seal(PLACE, b"content").tokens[KeyPurpose.DISPENSING]
    for bit in range(8 * len(token)):
        altered = bytearray(token)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises((SealBroken, WrongKey)):
            open_sealed(dispensing_key, bytes(altered), context=PLACE.context)


def test_every_cut_and_every_addition_is_noticed(sealer, dispensing_key):
    token = sealer.seal(PLACE, b"content").tokens[KeyPurpose.DISPENSING]
    for other in [*(token[:length] for length in range(len(token))), token + b"\0", b"\0" + token]:
        with pytest.raises((SealBroken, WrongKey)):
            open_sealed(dispensing_key, other, context=PLACE.context)


@pytest.mark.parametrize(
    "changes",
    [{"ledger": "smart-mt"}, {"stratum": "site=bergen"}, {"position": 5}, {"kind": Kind.NUMBER}, {"kind": Kind.DRAW}],
)
def test_a_seal_cannot_be_moved_to_another_place(sealer, dispensing, changes):
    with pytest.raises(SealBroken):
        dispensing.open(moved(sealer.seal(PLACE, b"content"), **changes))


def test_a_boundary_between_names_cannot_be_moved():
    assert Place("ab", Kind.DRAW, "c", 1).context != Place("a", Kind.DRAW, "bc", 1).context
    assert joined("a", "") != joined("", "a")
    assert joined("1", 1) == joined(1, "1")  # an integer is its digits, nothing else


def test_one_key_never_opens_what_is_sealed_to_the_other(sealer, dispensing_key, unblinding_key):
    tokens = sealer.seal(PLACE, b"content").tokens
    exchanged = Sealed(
        PLACE,
        {
            KeyPurpose.DISPENSING: tokens[KeyPurpose.UNBLINDING],
            KeyPurpose.UNBLINDING: tokens[KeyPurpose.DISPENSING],
        },
    )
    for key in (dispensing_key, unblinding_key):
        with pytest.raises(WrongKey):
            KeyOpener(key).open(exchanged)


def test_the_same_bytes_under_another_purpose_are_another_key(dispensing_key, sealer):
    impostor = PrivateKey(KeyPurpose.UNBLINDING, dispensing_key.raw)
    token = sealer.seal(PLACE, b"content").tokens[KeyPurpose.DISPENSING]
    with pytest.raises(WrongKey):
        open_sealed(impostor, token, context=PLACE.context)
    # Nor does it help to write the impostor's name on the seal.
    renamed = token[:1] + impostor.public.digest[:8] + token[9:]
    with pytest.raises(SealBroken):
        open_sealed(impostor, renamed, context=PLACE.context)


def test_a_key_of_another_study_is_told_so(sealer):
    stranger = generate_key(KeyPurpose.DISPENSING, DerivedEntropy(2), ledger="other")
    with pytest.raises(WrongKey, match="fingerprint"):
        KeyOpener(stranger).open(sealer.seal(PLACE, b"content"))


def test_a_recipient_who_was_not_meant_is_told_so(dispensing_key, unblinding, entropy):
    sealed = RealSealer([dispensing_key.public], entropy).seal(PLACE, b"content")
    with pytest.raises(WrongKey):
        unblinding.open(sealed)


def test_a_point_of_low_order_is_a_broken_seal(sealer, dispensing_key):
    token = sealer.seal(PLACE, b"content").tokens[KeyPurpose.DISPENSING]
    for point in (bytes(32), b"\1" + bytes(31)):
        with pytest.raises(SealBroken):
            open_sealed(dispensing_key, token[:9] + point + token[41:], context=PLACE.context)


@pytest.mark.parametrize("kind", Kind)
def test_all_seals_of_a_kind_have_one_length(kind, sealer):
    ideal = IdealSealer()
    lengths = {
        len(token)
        for who in (sealer, ideal)
        for position, size in enumerate((0, 1, 17, kind.width - 2))
        for token in who.seal(Place("smart-ms", kind, "", position), b"x" * size).tokens.values()
    }

    assert lengths == {kind.width + OVERHEAD}


@pytest.mark.parametrize("kind", Kind)
def test_content_that_does_not_fit_is_refused_not_made_longer(kind, sealer):
    for who in (sealer, IdealSealer()):
        with pytest.raises(ContentTooLong):
            who.seal(Place("smart-ms", kind, "", 0), b"x" * (kind.width - 1))


def test_padding_that_was_not_made_here_is_refused():
    assert unpadded(padded(b"abc", 16)) == b"abc"
    for bad in (b"", b"\0", b"\0\5abc", b"\0\1ab", b"\xff\xff" + bytes(10)):
        with pytest.raises(SealBroken):
            unpadded(bad)


def test_a_seal_holding_something_else_is_no_row(sealer, dispensing):
    for content in (b"", b"only a short", bytes(16), bytes(16) + b"\xff\xfe"):
        with pytest.raises(SealBroken):
            open_row(sealer.seal(PLACE, content), dispensing)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"ledger": 1, "kind": "allocation", "stratum": "", "position": 0, "tokens": {}},
        {"ledger": "a", "kind": "secret", "stratum": "", "position": 0, "tokens": {}},
        {"ledger": "a", "kind": "allocation", "stratum": "", "position": -1, "tokens": {}},
        {"ledger": "a", "kind": "allocation", "stratum": "", "position": "0", "tokens": {}},
        {"ledger": "a", "kind": "allocation", "stratum": "", "position": 0, "tokens": {"dispensing": "?"}},
        {"ledger": "a", "kind": "allocation", "stratum": "", "position": 0, "tokens": {"dispensing": "QQ"}},
        {"ledger": "a", "kind": "allocation", "stratum": "", "position": 0, "tokens": {"dispensing": "QR=="}},
        {"ledger": "a", "kind": "allocation", "stratum": "", "position": 0, "tokens": {"dispensing": 5}},
        {"ledger": "a", "kind": "allocation", "stratum": "", "position": 0, "tokens": []},
    ],
)
def test_data_that_is_no_seal_is_refused_by_name(data):
    with pytest.raises(SealBroken):
        Sealed.from_json(data)


@pytest.mark.parametrize("position", [-1, "0", None, 1.0, True])
def test_an_impossible_position_is_refused(position):
    with pytest.raises(InvalidList):
        Place("smart-ms", Kind.ALLOCATION, "", position)


def test_a_sealer_needs_recipients_each_of_another_purpose(dispensing_key, entropy):
    for keys in ([], [dispensing_key.public, dispensing_key.public]):
        with pytest.raises(InvalidList):
            RealSealer(keys, entropy)
    with pytest.raises(InvalidList):
        IdealSealer([])


def test_the_cipher_is_gcm_as_nist_tests_it():
    # McGrew and Viega, The Galois/Counter Mode of Operation (2005), test case 16: AES-256 with additional data.
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
    plain = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    bound = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    sealed = AESGCM(key).encrypt(bytes.fromhex("cafebabefacedbaddecaf888"), plain, bound)
    assert sealed[-16:].hex() == "76fc6ece0f4e1768cddf8853bb2d551b"
