"""The short form of ``tests/campaigns/attack_blind.py``: nothing tells the arm, and leaks are found."""

from __future__ import annotations

from collections import Counter

import pytest

TRIALS, PARTICIPANTS = 10, 4


@pytest.fixture(scope="session")
def blind(attack):
    return attack("attack_blind")


@pytest.fixture(scope="module")
def dumps(blind):
    """Dumps of the open space of ten trials, sealed in earnest."""
    study = blind.build()
    return [blind.dumped(study, seed, PARTICIPANTS) for seed in range(1, TRIALS + 1)]


def test_both_arms_are_there_and_so_is_what_could_tell(blind, dumps):
    arms = Counter(arm for dump in dumps for arm in dump.arms.values())
    assert len(arms) == 2
    assert min(arms.values()) >= 12
    made = blind.features(dumps[0])
    assert min(map(len, made.values())) > 300


def test_the_arm_is_not_told_beyond_chance(blind, dumps):
    answer = blind.classify(dumps)
    assert not answer.told, str(answer)


def test_at_least_twenty_leaks_are_planted_and_each_is_found(blind, dumps):
    assert len(blind.LEAKS) >= 20
    answers = {name: blind.classify(blind.planted(dumps, leak)) for name, leak in blind.LEAKS.items()}
    assert [f"{name}: {answer}" for name, answer in answers.items() if not answer.told] == []


def test_a_classifier_that_does_not_look_at_times_misses_what_takes_longer(blind, dumps, monkeypatch):
    """Seen to fail: what finds a leak are the features that are about it."""
    leaking = blind.planted(dumps, blind.LEAKS["handing over takes ninety seconds more"])
    seen = blind.features

    def timeless(dump):
        return {
            code: {n: v for n, v in made.items() if not n.startswith(("gap", "minute", "second", "size", "number"))}
            for code, made in seen(dump).items()
        }

    monkeypatch.setattr(blind, "features", timeless)
    answer = blind.classify(leaking)
    assert not answer.told, str(answer)


def test_the_band_is_that_of_tossed_coins(blind):
    assert blind.band(20) == 18
    assert blind.band(10) == 11  # ten people prove nothing
    assert 120 < blind.band(200) < 130
