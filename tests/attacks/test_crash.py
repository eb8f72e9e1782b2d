"""Crashes: nothing acknowledged is lost or doubled, and the resumed trial ends as the uninterrupted one."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def crash(attack):
    return attack("attack_crash")


@pytest.fixture(scope="module")
def plan(crash):
    return crash.script(participants=1)


def faults(found):
    return {name: n for name, n in found.items() if name.startswith("FAULT")}


def test_sqlite_survives_death_at_every_failpoint(crash, plan, folder):
    assert len(crash.FAILPOINTS) >= 40
    found = crash.run(plan, crash.sqlite_in(folder), crash.at_failpoints(1))
    assert not faults(found)
    assert {f"at {point}" for point in crash.FAILPOINTS} <= found.keys(), "a failpoint was never passed"
    assert found["trials"]


def test_sqlite_survives_kills_at_random(crash, plan, folder):
    found = crash.run(plan, crash.sqlite_in(folder), crash.at_random(25, seed=2, longest=0.4))
    assert not faults(found)
    assert found["kills"] > 10


def test_postgresql_survives_kills_of_the_process_and_of_the_server(crash, plan, attack):
    with attack("postgres_to_kill").Server() as server:
        new = crash.postgresql_on(server)
        blows = crash.at_random(8, seed=3, longest=0.5)
        blows += crash.at_random(3, 4, 0.5, strike=lambda life: server.kill())
        found = crash.run(plan, new, blows, mend=server.revive)
    assert not faults(found)
    assert found["kills"] > 5
    assert found["trials"]


@pytest.mark.parametrize("weakness", [{"acts_per_commit": 8}, {"forgets_requests": True}, {"forgets_keys": True}])
def test_the_attack_finds_a_weakened_build(crash, plan, folder, weakness):
    """Answers before the commit; retries that are new requests; keys of sealed texts that die with the process."""
    weak = crash.Weakness(**weakness)
    sides = ("after", "before")
    blows = [(crash.Fate(f"{side} acknowledgement", 5), crash.nothing) for side in sides for _ in range(3)]
    assert faults(crash.run(plan, crash.sqlite_in(folder), blows, weak))
