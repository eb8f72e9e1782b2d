"""The 2×2 crossover on two data sets that textbooks print, against the numbers of the books."""

import csv
from pathlib import Path

import pytest

from trialwright.statistics import LinearModel, TwoByTwo

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "reference" / "crossover"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"REFERENCE DATA ABSENT: {FOLDER} is needed to compare with the books"
)


def complete_pairs(name, outcome):
    """{sequence: {participant: {period: value}}}, participants with both periods only."""
    found = {}
    with (FOLDER / name).open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row[outcome] != "NA":
                person = found.setdefault(row["sequence"], {}).setdefault(row["subject"], {})
                person[int(row["period"])] = float(row[outcome])
    return {
        sequence: [[periods[1], periods[2]] for periods in people.values() if len(periods) == 2]
        for sequence, people in found.items()
    }


DATA = {
    # Senn, Cross-over Trials in Clinical Research, 2nd ed. 2002, chapter 3: formoterol − salbutamol, PEF (l/min).
    "senn": ("senn_pef.csv", "pef", ("FS", "SF"), (46.607, 10.777, 4.325, 11)),
    # Jones and Kenward, 3rd ed. 2014, chapter 2: A − B, morning PEFR, 56 participants with both periods.
    "jones and kenward": ("jones_kenward_pefr.csv", "pefr", ("AB", "BA"), (10.403, 3.416, 3.046, 54)),
}


@pytest.mark.parametrize("book", DATA)
def test_the_treatment_effect_is_the_one_the_book_prints(book):
    name, outcome, (first, second), (value, error, t, df) = DATA[book]
    pairs = complete_pairs(name, outcome)
    effect = TwoByTwo(pairs[first], pairs[second]).treatment()
    assert effect.value == pytest.approx(value, abs=1e-3)
    assert effect.standard_error == pytest.approx(error, abs=1e-3)
    assert effect.t == pytest.approx(t, abs=1e-3)
    assert effect.df == df


@pytest.mark.parametrize("book", DATA)
def test_least_squares_with_a_term_for_each_participant_agrees(book):
    name, outcome, (first, second), _ = DATA[book]
    pairs = complete_pairs(name, outcome)
    rows, y = [], []
    people = len(pairs[first]) + len(pairs[second])
    for person, (sequence, values) in enumerate(
        [(first, p) for p in pairs[first]] + [(second, p) for p in pairs[second]]
    ):
        for period, value in enumerate(values):
            on_first = (sequence == first) == (period == 0)
            rows.append([float(on_first), float(period == 0), *[float(n == person) for n in range(people)]])
            y.append(value)
    slow = LinearModel(y, rows)
    design = TwoByTwo(pairs[first], pairs[second])
    for weights, fast in (([1.0, 0.0], design.treatment()), ([0.0, 1.0], design.period())):
        dull = slow.contrast([*weights, *[0.0] * people])
        assert (fast.value, fast.standard_error, fast.df) == pytest.approx(
            (dull.value, dull.standard_error, dull.df), rel=1e-9
        )
