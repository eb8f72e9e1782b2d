"""Two generators that the package under test has never seen, and a tree walk over all possible draws."""

import random
from fractions import Fraction

import pytest


class MersenneDraws:
    def __init__(self, seed):
        self._random = random.Random(seed)

    def below(self, n):
        return self._random.randrange(n)

    def fraction(self):
        return self._random.random()


class _Scripted:
    """Answers ``below`` from a script, then with 0, and remembers how many answers each call had."""

    def __init__(self, script):
        self.script, self.answers, self.sizes = list(script), [], []

    def below(self, n):
        answer = self.script[len(self.answers)] if len(self.answers) < len(self.script) else 0
        self.answers.append(answer)
        self.sizes.append(n)
        return answer

    def fraction(self):
        raise AssertionError("a list method has no use for fractions")


def distribution_of(make):
    """The exact distribution of ``make(draws)`` when every ``below(n)`` is uniform: all draws are tried."""
    result, script = {}, []
    while script is not None:
        draws = _Scripted(script)
        outcome = make(draws)
        probability = Fraction(1)
        for size in draws.sizes:
            probability /= size
        result[outcome] = result.get(outcome, Fraction(0)) + probability
        script = _next_script(draws.answers, draws.sizes)
    return result


def _next_script(answers, sizes):
    for place in reversed(range(len(answers))):
        if answers[place] + 1 < sizes[place]:
            return [*answers[:place], answers[place] + 1]
    return None


@pytest.fixture
def mersenne():
    return MersenneDraws


@pytest.fixture
def all_draws():
    return distribution_of
