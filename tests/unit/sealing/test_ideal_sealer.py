"""The ideal sealer: bytes that know the place and never the content, and still everything opens."""

import pytest

from trialwright.foundation.ports import DerivedEntropy
from trialwright.sealing import (
    IdealSealer,
    InProcessDispensing,
    InvalidList,
    KeyPurpose,
    Kind,
    Place,
    SealBroken,
    Sealed,
    WrongKey,
    open_list,
    seal_list,
    verify_commitment,
)

SWAP = {"A": "B", "B": "A"}
WORLD = {"oslo": ["A", "B", "B", "A"], "bergen": ["B", "A"]}
OTHER_WORLD = {stratum: [SWAP[label] for label in labels] for stratum, labels in WORLD.items()}


def sealed_world(world):
    sealer = IdealSealer()
    return sealer, seal_list(world, ledger="smart-ms", sealer=sealer, entropy=DerivedEntropy(1))


def test_two_worlds_with_swapped_labels_give_the_same_bytes():
    (_, first), (_, second) = sealed_world(WORLD), sealed_world(OTHER_WORLD)

    assert first.as_json() == second.as_json()


def test_the_real_sealer_would_not_hide_the_swap_in_this_test(sealer, entropy):
    first, second = (
        seal_list(world, ledger="smart-ms", sealer=sealer, entropy=entropy) for world in (WORLD, OTHER_WORLD)
    )

    assert first.root != second.root
    assert first.rows != second.rows


def test_each_world_opens_to_its_own_labels():
    for world in (WORLD, OTHER_WORLD):
        sealer, sealed = sealed_world(world)
        rows = open_list(sealed, sealer.opener(KeyPurpose.UNBLINDING))
        assert [row.value for row in rows] == world["oslo"] + world["bergen"]
        verify_commitment(rows, sealed.root, commit=sealer.commit)
        dispensing = InProcessDispensing(sealer.opener(KeyPurpose.DISPENSING))
        assert dispensing.dispense(sealed.row("bergen", 0)) == world["bergen"][0]


def test_other_places_have_other_bytes():
    sealer, sealed = sealed_world(WORLD)
    elsewhere = seal_list(WORLD, ledger="other", sealer=sealer, entropy=DerivedEntropy(1))
    tokens = [token for one in (sealed, elsewhere) for row in one.rows for token in row.tokens.values()]

    assert len(set(tokens)) == len(tokens)
    assert sealed.root != elsewhere.root


def test_altered_moved_or_foreign_seals_do_not_open():
    sealer, sealed = sealed_world(WORLD)
    opener, row = sealer.opener(KeyPurpose.DISPENSING), sealed.rows[0]
    token = row.tokens[KeyPurpose.DISPENSING]
    altered = Sealed(row.place, {KeyPurpose.DISPENSING: token[:-1] + bytes([token[-1] ^ 1])})
    moved = Sealed(sealed.rows[1].place, row.tokens)
    for bad in (altered, moved):
        with pytest.raises(SealBroken):
            opener.open(bad)
    with pytest.raises(SealBroken):
        IdealSealer().opener(KeyPurpose.DISPENSING).open(row)
    with pytest.raises(WrongKey):
        sealer.opener(KeyPurpose.IDENTITY).open(row)


def test_a_place_is_never_sealed_for_another_content():
    sealer, place = IdealSealer(), Place("smart-ms", Kind.ALLOCATION, "", 0)
    first = sealer.seal(place, b"content")

    assert sealer.seal(place, b"content") == first  # a retry after a lost answer
    with pytest.raises(InvalidList, match="twice"):
        sealer.seal(place, b"another")
