"""Type-I error of crossover analyses at 9 + 9 participants, by simulation under the null hypothesis.

python tests/campaigns/mixed_model_errors.py [trials]

The claim that is checked: with a sequence term, compound symmetry and Kenward-Roger, the error is the nominal 5 %,
with complete data and with drop-out before period 2; so is the error of the closed form. What an analysis without
these precautions does is printed beside it. Exit status 1 when a claim is off by more than four Monte-Carlo
standard errors.
"""

from __future__ import annotations

import sys

import numpy as np

from trialwright.statistics import MixedModel, TwoByTwo

SEED, BETWEEN_SD, WITHIN_SD, DROP_OUT = 20_260, 1.6, 1.0, 0.11
SEQUENCE = np.repeat([0.0, 1.0], 9)


def trial(number: int, drop_out: float) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes (18, 2) of one trial without any treatment effect, and who stayed for period 2."""
    rng = np.random.Generator(np.random.Philox(key=[SEED, number]))
    y = BETWEEN_SD * rng.standard_normal((18, 1)) + WITHIN_SD * rng.standard_normal((18, 2)) + [0.0, 0.3]
    return y, rng.random(18) >= drop_out


def rows(y: np.ndarray, stayed: np.ndarray) -> tuple[np.ndarray, ...]:
    """Outcome, participant, period, sequence and treatment, one row for each observed outcome."""
    seen = np.column_stack([np.ones(18, dtype=bool), stayed]).ravel()
    person, period = np.repeat(np.arange(18), 2)[seen], np.tile([0, 1], 18)[seen]
    sequence = SEQUENCE[person]
    return y.ravel()[seen], person, period, sequence, (sequence == period).astype(float)


def p_value(data: tuple[np.ndarray, ...], structure: str, method: str, with_sequence: bool) -> float:
    y, person, period, sequence, treated = data
    terms = [np.ones(y.size), period, treated, *([sequence] if with_sequence else [])]
    model = MixedModel(y, np.column_stack(terms), person, period, structure)
    return model.contrast(np.eye(len(terms))[2], method).p_value


ANALYSES = {
    "compound symmetry, sequence, Kenward-Roger": ("compound_symmetry", "kenward_roger", True),
    "unstructured, sequence, Kenward-Roger": ("unstructured", "kenward_roger", True),
    "unstructured, no sequence, Kenward-Roger": ("unstructured", "kenward_roger", False),
    "unstructured, no sequence, Satterthwaite": ("unstructured", "satterthwaite", False),
}
CLAIMED = {"closed form", "compound symmetry, sequence, Kenward-Roger"}


def main(trials: int) -> int:
    wrong = 0
    error = np.sqrt(0.05 * 0.95 / trials)
    print(f"{trials:,} trials without effect, nominal 5 %, Monte-Carlo standard error {100 * error:.2f} %")
    for label, drop_out in (("complete", 0.0), (f"{DROP_OUT:.0%} leave before period 2", DROP_OUT)):
        rejected = dict.fromkeys(["closed form", *ANALYSES], 0)
        for number in range(trials):
            y, stayed = trial(number, drop_out)
            pairs = [y[(sequence == SEQUENCE) & stayed] for sequence in (0.0, 1.0)]
            rejected["closed form"] += TwoByTwo(*pairs).treatment().p_value < 0.05
            data = rows(y, stayed)
            for name, (structure, method, with_sequence) in ANALYSES.items():
                rejected[name] += p_value(data, structure, method, with_sequence) < 0.05
        print(f"\n{label}")
        for name, count in rejected.items():
            off = name in CLAIMED and abs(count / trials - 0.05) > 4 * error
            wrong += off
            print(f"  {name:<48} {100 * count / trials:6.2f} %{'   NOT 5 %' if off else ''}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000))
