"""A sealed list: opened by its keys, bound to its commitment, silent to everybody else."""

import hashlib
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from trialwright.foundation.operating_system import SystemEntropy
from trialwright.sealing import (
    CommitmentMismatch,
    ContentTooLong,
    InvalidList,
    InvalidText,
    KeyPurpose,
    Kind,
    Place,
    RealSealer,
    Row,
    SealBroken,
    SealedList,
    commitment_root,
    open_list,
    open_row,
    seal_list,
    verify_commitment,
)

LISTS = {"site=oslo": ("cells first", "placebo first") * 6, "site=bergen": ("placebo first", "cells first") * 4}
VECTORS = Path(__file__).parents[3] / "docs" / "explanation" / "sealing-vectors.json"


@pytest.fixture
def sealed(sealer, entropy):
    return seal_list(LISTS, ledger="smart-ms", sealer=sealer, entropy=entropy)


def test_each_key_opens_every_row_and_the_rows_meet_the_commitment(sealed, dispensing, unblinding):
    rows = open_list(sealed, unblinding)

    assert rows == open_list(sealed, dispensing)
    assert [row.value for row in rows] == [label for labels in LISTS.values() for label in labels]
    verify_commitment(rows, sealed.root)


def test_the_next_row_is_found_by_the_number_of_earlier_randomisations(sealed, dispensing):
    assert open_row(sealed.row("site=bergen", 3), dispensing).value == LISTS["site=bergen"][3]
    for stratum, position in (("site=bergen", 8), ("site=tromso", 0), ("site=oslo", -1)):
        with pytest.raises(InvalidList, match="no position"):
            sealed.row(stratum, position)


def test_a_list_survives_its_journey_as_json(sealed):
    data = json.loads(json.dumps(sealed.as_json()))

    assert SealedList.from_json(data) == sealed
    assert data["recipients"].keys() == {"dispensing", "unblinding"}


@pytest.mark.parametrize("data", [None, {}, {"format": "trialwright sealed list 1"}, {"format": "x"}, [], "x"])
def test_data_that_is_no_list_is_refused_by_name(data):
    with pytest.raises(SealBroken):
        SealedList.from_json(data)


def test_the_root_is_that_of_the_written_description():
    published = json.loads(VECTORS.read_text("utf-8"))["commitment"]
    rows = [
        Row(
            Place(row["ledger"], Kind(row["kind"]), row["stratum"], row["position"]),
            row["value"],
            bytes.fromhex(row["salt"]),
        )
        for row in published["rows"]
    ]

    assert [commitment_root(rows[:size]).hex() for size in range(1, 8)] == published["root_of_first"]


def test_the_root_of_no_rows_is_that_of_rfc_9162():
    assert commitment_root([]) == hashlib.sha256(b"").digest()


def test_every_changed_row_breaks_the_commitment(sealed, unblinding):
    rows = open_list(sealed, unblinding)
    for i, row in enumerate(rows):
        other = "cells first" if row.value == "placebo first" else "placebo first"
        changes = (
            replace(row, value=other),
            replace(row, salt=bytes(16)),
            replace(row, place=replace(row.place, position=row.place.position + 1)),
            replace(row, place=replace(row.place, ledger="other")),
        )
        for changed in changes:
            with pytest.raises(CommitmentMismatch):
                verify_commitment([*rows[:i], changed, *rows[i + 1 :]], sealed.root)


def test_a_swapped_added_or_dropped_row_breaks_the_commitment(sealed, unblinding):
    rows = list(open_list(sealed, unblinding))
    for wrong in (rows[::-1], rows[:-1], [*rows, rows[-1]], [rows[1], rows[0], *rows[2:]], []):
        with pytest.raises(CommitmentMismatch):
            verify_commitment(wrong, sealed.root)


def test_nothing_in_the_sealed_list_tells_one_label_from_another(sealed):
    text = json.dumps(sealed.as_json())

    assert "cells" not in text
    assert "placebo" not in text
    assert {len(token) for row in sealed.rows for token in row.tokens.values()} == {96 + 69}


def test_no_nonce_ephemeral_key_or_salt_is_used_twice(dispensing_key, unblinding_key, unblinding):
    entropy = SystemEntropy()
    sealer = RealSealer([dispensing_key.public, unblinding_key.public], entropy)
    sealed = seal_list({"a": ["x"] * 300, "b": ["x"] * 300}, ledger="smart-ms", sealer=sealer, entropy=entropy)
    tokens = [token for row in sealed.rows for token in row.tokens.values()]

    assert len({token[9:41] for token in tokens}) == 1200  # ephemeral keys
    assert len({token[41:53] for token in tokens}) == 1200  # nonces
    assert len({token[53:] for token in tokens}) == 1200  # equal contents, no equal ciphertexts
    assert len({row.salt for row in open_list(sealed, unblinding)}) == 600


def test_a_dictionary_attack_on_root_and_tokens_finds_nothing(sealer, entropy, sealed):
    """All lists an attacker could guess, hashed as the list is hashed but without the salts."""
    one = seal_list({"": ["A"]}, ledger="smart-ms", sealer=sealer, entropy=entropy)
    place = Place("smart-ms", Kind.ALLOCATION, "", 0)
    guesses = {commitment_root([Row(place, label, salt)]) for label in "AB" for salt in (b"", bytes(16))}
    guesses |= {hashlib.sha256(prefix + label).digest() for label in (b"A", b"B") for prefix in (b"", b"\0")}

    assert one.root not in guesses
    assert not any(guess in token for guess in guesses for token in one.rows[0].tokens.values())

    # The attack itself works: without a salt the first guess hits.
    unsalted = commitment_root([Row(place, "A", b"")])
    assert unsalted in guesses


def test_no_byte_of_a_token_follows_the_label(dispensing_key, unblinding_key):
    """At every byte position, values under label A and under label B look alike (a channel would split them)."""
    entropy = SystemEntropy()
    sealer = RealSealer([dispensing_key.public, unblinding_key.public], entropy)
    sealed = seal_list({"a": ["A", "B"] * 1000}, ledger="smart-ms", sealer=sealer, entropy=entropy)
    tokens = [row.tokens[KeyPurpose.DISPENSING] for row in sealed.rows]
    for at in range(9, len(tokens[0])):
        ones = Counter()
        for i, token in enumerate(tokens):
            ones[i % 2] += token[at].bit_count()
        # Two sums of 8,000 fair bits: standard deviation of the difference √4,000 = 63; six of them.
        assert abs(ones[0] - ones[1]) < 380


def test_the_same_entropy_gives_the_same_bytes_and_other_entropy_others(sealer, entropy, sealed):
    assert seal_list(LISTS, ledger="smart-ms", sealer=sealer, entropy=entropy) == sealed
    assert seal_list(LISTS, ledger="smart-ms", sealer=sealer, entropy=SystemEntropy()).root != sealed.root


@pytest.mark.parametrize(
    ("lists", "error"),
    [
        ({}, InvalidList),
        ({"a": []}, InvalidList),
        ({"a": [""]}, InvalidList),
        ({"a": ["x" * 79]}, ContentTooLong),
        ({"a": ["\ud800"]}, InvalidText),
        ({"\ud800": ["A"]}, InvalidText),
    ],
)
def test_a_list_that_cannot_be_sealed_is_refused(lists, error, sealer, entropy):
    with pytest.raises(error):
        seal_list(lists, ledger="smart-ms", sealer=sealer, entropy=entropy)


def test_a_label_may_be_78_bytes_long(sealer, entropy, dispensing):
    one = seal_list({"": ["ø" * 39]}, ledger="smart-ms", sealer=sealer, entropy=entropy)

    assert open_row(one.rows[0], dispensing).value == "ø" * 39
