import pytest

from trialwright.foundation.ports import DerivedEntropy
from trialwright.sealing import KeyOpener, KeyPurpose, RealSealer, generate_key

LEDGER = "smart-ms"


@pytest.fixture
def entropy():
    return DerivedEntropy("sealing tests")


@pytest.fixture
def dispensing_key(entropy):
    return generate_key(KeyPurpose.DISPENSING, entropy, ledger=LEDGER)


@pytest.fixture
def unblinding_key(entropy):
    return generate_key(KeyPurpose.UNBLINDING, entropy, ledger=LEDGER)


@pytest.fixture
def sealer(dispensing_key, unblinding_key, entropy):
    return RealSealer([dispensing_key.public, unblinding_key.public], entropy)


@pytest.fixture
def dispensing(dispensing_key):
    return KeyOpener(dispensing_key)


@pytest.fixture
def unblinding(unblinding_key):
    return KeyOpener(unblinding_key)
