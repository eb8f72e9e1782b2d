"""Public keys are put in force by a signed act, and every rotation stays on record."""

from __future__ import annotations

import pytest

from trialwright.foundation.ports import DerivedEntropy
from trialwright.sealing import KeyPurpose, PublicKey, RealSealer, generate_key
from trialwright.trial.allocation.commands import ListNotFitting
from trialwright.trial.allocation.preparation import Secret, prepare_list, strata_of
from trialwright.trial.keys.commands import (
    KeyRefused,
    NotWhatWasShown,
    PutKeyInForce,
    RotationUnexplained,
    put_key_in_force,
    shown_key,
)
from trialwright.trial.keys.events import KeyPutInForce
from trialwright.trial.keys.state import Keys
from trialwright.trial.permission import NotPermitted


def new_key(purpose, seed):
    return generate_key(purpose, DerivedEntropy(seed), ledger="small").public


def put(world, key, by="sponsor", why="first", **how):
    command = PutKeyInForce(public=str(key), why=why)
    return world.give(command, by, shown=shown_key(str(key)), **how).event(KeyPutInForce)


def test_a_rotation_names_the_key_before_and_why_it_goes(trial_world):
    one, two = (new_key(KeyPurpose.SIGNING, seed) for seed in (1, 2))
    assert put(trial_world, one).replaces is None
    event = put(trial_world, two, why="lost")
    assert (event.replaces, event.why, event.fingerprint) == (one.fingerprint, "lost", two.fingerprint)
    assert PublicKey.parse(event.public) == two
    assert trial_world.types("keys") == [KeyPutInForce.TYPE] * 2
    assert trial_world.trial.state().of(Keys).in_force == {("signing", ""): two.fingerprint}


@pytest.mark.parametrize(("first", "why"), [(True, "rotation"), (True, ""), (False, "first"), (False, "bored")])
def test_the_first_key_replaces_none_and_every_other_says_why(trial_world, first, why):
    if not first:
        put(trial_world, new_key(KeyPurpose.SIGNING, 1))
    key = str(new_key(KeyPurpose.SIGNING, 2))
    trial_world.refuses(RotationUnexplained, PutKeyInForce(public=key, why=why), "sponsor", shown=shown_key(key))


def test_a_key_never_comes_back_and_nothing_but_a_key_goes_in(trial_world):
    one, two = (new_key(KeyPurpose.UNBLINDING, seed) for seed in (1, 2))
    put(trial_world, one)
    put(trial_world, two, why="disclosed")
    for text in (str(one), str(one)[:-4], "unblinding", "", str(one).replace("unblinding", "dispensing")):
        command = PutKeyInForce(public=text, why="rotation")
        trial_world.refuses(KeyRefused, command, "sponsor", shown=shown_key(text))


def test_the_signature_is_over_the_key(trial_world):
    key = new_key(KeyPurpose.DISPENSING, 1)
    trial_world.refuses(NotWhatWasShown, PutKeyInForce(public=str(key)), "sponsor", shown="0" * 64)


def test_a_sites_key_is_its_investigators_and_every_other_the_sponsors(trial_world):
    site, central = new_key(KeyPurpose.IDENTITY, 1), new_key(KeyPurpose.ESCROW, 1)
    command = PutKeyInForce(public=str(site))
    trial_world.refuses(KeyRefused, command, "sponsor", shown=shown_key(str(site)))
    other = PutKeyInForce(public=str(central))
    trial_world.refuses(KeyRefused, other, "investigator", shown=shown_key(str(central)))
    trial_world.refuses(NotPermitted, other, "nurse", shown=shown_key(str(central)))
    assert put(trial_world, site, by="investigator").site == "01"
    second = put(trial_world, new_key(KeyPurpose.IDENTITY, 2), by="investigator@02")
    assert (second.site, second.replaces) == ("02", None)


def test_a_list_is_sealed_to_the_keys_in_force_once_there_are_any(trial_worlds):
    world = trial_worlds(listed=False)
    keys = [world.dispensing_key.public, world.unblinding_key.public]
    for key in keys:
        put(world, key)
    stranger = new_key(KeyPurpose.UNBLINDING, "stranger")
    secret = Secret(seed=bytes(32), parameters={"sizes": [2, 4]}, rows=dict.fromkeys(strata_of(world.build), 8))
    sealer = RealSealer([keys[0], stranger], world.trial.entropy)
    wrong = prepare_list(world.build, secret, number=1, sealer=sealer, entropy=world.trial.entropy)
    with pytest.raises(ListNotFitting, match="unblinding key that is not in force"):
        world.seal_list(wrong)
    world.seal_list()


def test_after_a_rotation_what_was_sealed_still_opens(trial_worlds):
    world = trial_worlds(listed=False)
    put(world, world.dispensing_key.public)
    world.seal_list()
    participant = world.randomised()
    label = world.trial.allocations.label(participant)
    put(world, new_key(KeyPurpose.DISPENSING, "new"), why="rotation")
    assert world.trial.allocations.label(participant) == label


WEAKENED = {
    "a key comes back": (
        test_a_key_never_comes_back_and_nothing_but_a_key_goes_in, "if key.fingerprint in keys.known:", "if False:",
    ),
    "the signature may be over another key": (
        test_the_signature_is_over_the_key, "context.signature.shown != shown", "False",
    ),
    "the sponsor puts a site's key in force": (
        test_a_sites_key_is_its_investigators_and_every_other_the_sponsors,
        "(key.purpose is KeyPurpose.IDENTITY) != (context.actor.role is Role.INVESTIGATOR)", "False",
    ),
    "a rotation forgets the key before": (
        test_a_rotation_names_the_key_before_and_why_it_goes, "replaces=before", "replaces=None",
    ),
    "a rotation says no reason": (
        lambda world: test_the_first_key_replaces_none_and_every_other_says_why(world, False, "bored"),
        "if command.why not in (REASONS if before else (FIRST,)):", "if False:",
    ),
}  # fmt: skip
"""What is taken away → the test that must fail then, and what stands instead of what."""


@pytest.mark.parametrize("weakness", WEAKENED)
def test_a_weakened_build_is_found(trial_world, weaken, weakness):
    test, old, new = WEAKENED[weakness]
    weaken(put_key_in_force, old, new)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        test(trial_world)
