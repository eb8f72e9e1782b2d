"""The convergence-guess table of the design notes, reproduced exactly and by simulation."""

import csv
import random
from pathlib import Path

import pytest

from trialwright.randomisation import declare, exact, simulate

TABLE = Path(__file__).parent / "randomisation" / "predictability_n18.csv"


def _rows():
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if not line.startswith("#")]
    for row in csv.DictReader(lines):
        parameters = {}
        for pair in filter(None, [row["parameters"]]):
            name, _, value = pair.partition("=")
            parameters[name] = [int(v) for v in value.split("/")] if "/" in value else int(value)
        yield pytest.param(
            declare(row["method"], {"A": 1, "B": 1}, **parameters),
            float(row["predictability_percent"]),
            float(row["mean_imbalance"]) if row["mean_imbalance"] else None,
            id=f"{row['method']} {row['parameters']}",
        )


class MersenneDraws:
    """A generator that has nothing to do with ours."""

    def __init__(self, seed):
        self._random = random.Random(seed)

    def below(self, n):
        return self._random.randrange(n)

    def fraction(self):
        return self._random.random()


@pytest.mark.parametrize(("design", "percent", "mean_imbalance"), list(_rows()))
def test_exact_predictability_agrees_with_the_table(design, percent, mean_imbalance):
    figures = exact(design, 18)

    # Four Monte-Carlo standard errors of the table and half its last digit.
    assert 100 * float(figures.predictability) == pytest.approx(percent, abs=0.15)
    if mean_imbalance is not None:
        assert float(figures.mean_imbalance) == pytest.approx(mean_imbalance, abs=0.03)


@pytest.mark.parametrize(("design", "percent", "mean_imbalance"), list(_rows()))
def test_simulated_lists_agree_with_the_exact_figures(design, percent, mean_imbalance):
    figures, simulated = exact(design, 18), simulate(design, 18, lists=4000, draws=MersenneDraws(18))

    assert abs(simulated.predictability - float(figures.predictability)) <= 4.5 * simulated.predictability_se + 1e-12
    assert abs(simulated.mean_imbalance - float(figures.mean_imbalance)) <= 4.5 * simulated.mean_imbalance_se + 1e-12
