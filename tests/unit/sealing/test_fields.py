"""Sealed identity and free text, and what remains of them when the key is destroyed: nothing."""

import pytest

from trialwright.foundation.operating_system import SystemEntropy
from trialwright.sealing import (
    ContentTooLong,
    DataKey,
    FieldPlace,
    InvalidKey,
    KeyDestroyed,
    KeyPurpose,
    SealBroken,
    WrongKey,
    generate_key,
    open_field,
    seal_field,
    unwrap_key,
    wrap_key,
)

PLACE = FieldPlace("smart-ms", "7f3a", "identity", "family_name")


@pytest.fixture
def key(entropy):
    return DataKey.generate(entropy, ledger="smart-ms", participant="7f3a", data_class="identity")


@pytest.mark.parametrize("text", ["", "Å", "line\nline", "x" * 61, "x" * 62, "x" * 63, "x" * 65_535, "\ud800"])
def test_any_text_comes_back_as_it_was(key, entropy, text):
    assert open_field(key, seal_field(key, text, PLACE, entropy=entropy, version=0), PLACE) == text


def test_only_the_rough_size_of_a_text_shows(key, entropy):
    sizes = {len(seal_field(key, "x" * n, PLACE, entropy=entropy, version=n)) for n in range(63)}

    assert sizes == {1 + 12 + 64 + 16}


def test_a_longer_text_is_refused(key, entropy):
    with pytest.raises(ContentTooLong):
        seal_field(key, "x" * 65_536, PLACE, entropy=entropy, version=0)


@pytest.mark.parametrize(
    "other",
    [
        FieldPlace("other", "7f3a", "identity", "family_name"),
        FieldPlace("smart-ms", "7f3b", "identity", "family_name"),
        FieldPlace("smart-ms", "7f3a", "free_text", "family_name"),
        FieldPlace("smart-ms", "7f3a", "identity", "given_name"),
    ],
)
def test_a_field_cannot_be_moved(key, entropy, other):
    sealed = seal_field(key, "Berg", PLACE, entropy=entropy, version=0)
    with pytest.raises(SealBroken):
        open_field(key, sealed, other)


def test_every_flipped_bit_and_every_cut_is_noticed(key, entropy):
    sealed = seal_field(key, "Berg", PLACE, entropy=entropy, version=0)
    flipped = [
        sealed[: bit // 8] + bytes([sealed[bit // 8] ^ 1 << bit % 8]) + sealed[bit // 8 + 1 :]
        for bit in range(8 * len(sealed))
    ]
    for bad in [*flipped, *(sealed[:n] for n in range(len(sealed))), b""]:
        with pytest.raises(SealBroken):
            open_field(key, bad, PLACE)


def test_a_destroyed_key_opens_and_seals_nothing(key, entropy):
    sealed = seal_field(key, "Berg", PLACE, entropy=entropy, version=0)
    held = key._raw

    key.destroy()
    key.destroy()

    assert key.destroyed
    assert held == bytes(32)
    with pytest.raises(KeyDestroyed):
        open_field(key, sealed, PLACE)
    with pytest.raises(KeyDestroyed):
        seal_field(key, "Berg", PLACE, entropy=entropy, version=1)


def test_another_participants_key_does_not_open(key, entropy):
    other = DataKey.generate(entropy, ledger="smart-ms", participant="7f3b", data_class="identity")
    with pytest.raises(SealBroken):
        open_field(other, seal_field(key, "Berg", PLACE, entropy=entropy, version=0), PLACE)


def test_nonces_of_a_field_are_never_the_same(key):
    entropy = SystemEntropy()
    assert len({seal_field(key, "Berg", PLACE, entropy=entropy, version=0)[1:13] for _ in range(500)}) == 500


def test_versions_address_the_nonce_in_a_rehearsal(key, entropy):
    first, second = (seal_field(key, "Berg", PLACE, entropy=entropy, version=v) for v in (0, 1))

    assert first[1:13] != second[1:13]


def test_a_site_unwraps_its_copy_and_nobody_else_does(key, entropy, dispensing_key):
    site = generate_key(KeyPurpose.IDENTITY, entropy, ledger="site oslo")
    wrapped = wrap_key(key, site.public, PLACE, entropy=entropy)

    assert unwrap_key(wrapped, site, PLACE).raw() == key.raw()
    with pytest.raises(WrongKey):
        unwrap_key(wrapped, dispensing_key, PLACE)
    with pytest.raises(SealBroken):
        unwrap_key(wrapped, site, FieldPlace("smart-ms", "7f3b", "identity", "family_name"))


def test_a_key_of_another_length_is_refused_and_a_key_does_not_show_itself(key):
    with pytest.raises(InvalidKey):
        DataKey(b"short")
    assert key.raw().hex() not in repr(key)
