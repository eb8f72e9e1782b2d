"""Whatever is sealed opens again for its key and place, and for nothing else."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.foundation.ports import DerivedEntropy
from trialwright.sealing import (
    ExpandedDraws,
    IdealSealer,
    KeyOpener,
    KeyPurpose,
    RealSealer,
    SealedList,
    combine_key,
    commitment_root,
    generate_key,
    open_list,
    seal_list,
    split_key,
    verify_commitment,
)

labels = st.text(st.characters(codec="utf-8"), min_size=1, max_size=19)
names = st.text(st.characters(codec="utf-8"), max_size=12)
worlds = st.dictionaries(names, st.lists(labels, min_size=1, max_size=5), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(worlds, names, st.integers(0, 2**32))
def test_every_list_opens_to_itself_for_both_keys(world, ledger, seed):
    entropy = DerivedEntropy(seed)
    keys = [generate_key(p, entropy, ledger="x") for p in (KeyPurpose.DISPENSING, KeyPurpose.UNBLINDING)]
    sealer = RealSealer([key.public for key in keys], entropy)

    sealed = seal_list(world, ledger=ledger, sealer=sealer, entropy=entropy)
    again = SealedList.from_json(json.loads(json.dumps(sealed.as_json())))

    for key in keys:
        rows = open_list(again, KeyOpener(key))
        assert [row.value for row in rows] == [label for stratum in world.values() for label in stratum]
        verify_commitment(rows, again.root)


@settings(deadline=None)
@given(worlds, st.data())
def test_ideal_seals_of_any_two_worlds_of_one_shape_are_equal(world, data):
    other = {s: [data.draw(labels) for _ in rows] for s, rows in world.items()}
    entropy = DerivedEntropy(1)

    first, second = (seal_list(w, ledger="a", sealer=IdealSealer(), entropy=entropy) for w in (world, other))

    assert first.as_json() == second.as_json()


@settings(deadline=None)
@given(worlds, worlds)
def test_two_lists_have_one_root_only_when_they_are_equal(world, other):
    roots = []
    for one in (world, other):
        sealer = IdealSealer()
        sealed = seal_list(one, ledger="a", sealer=sealer, entropy=DerivedEntropy(1))
        roots.append(commitment_root(open_list(sealed, sealer.opener(KeyPurpose.UNBLINDING))))

    # The order of strata belongs to the list, so equal dictionaries in another order are other lists.
    assert (roots[0] == roots[1]) == (list(world.items()) == list(other.items()))


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 6), st.data())
def test_any_sufficient_set_of_custodians_rebuilds_the_key(needed, data):
    shares = data.draw(st.integers(needed, 9))
    entropy = DerivedEntropy(data.draw(st.integers(0, 10**6)))
    key = generate_key(KeyPurpose.UNBLINDING, entropy, ledger="a")
    parts = split_key(key, shares=shares, needed=needed, entropy=entropy)
    chosen = data.draw(st.lists(st.sampled_from(parts), min_size=needed, unique_by=lambda s: s.share.index))

    assert combine_key(chosen) == key


@settings(deadline=None)
@given(
    st.binary(min_size=32, max_size=32),
    st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    st.lists(st.integers(1, 2**70)),
)
def test_draws_stay_in_range_and_repeat(seed, purpose, sizes):
    first, second = ExpandedDraws(seed, purpose), ExpandedDraws(seed, purpose)
    numbers = [first.below(n) for n in sizes]

    assert numbers == [second.below(n) for n in sizes]
    assert all(0 <= number < n for number, n in zip(numbers, sizes, strict=True))
