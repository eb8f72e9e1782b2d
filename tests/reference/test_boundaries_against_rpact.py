"""Group-sequential boundaries against rpact 3.3.4 (R, LGPL-3) at five equally spaced looks.

The numbers are rpact's for a one-sided design with error 2.5 %, which is how it plans a two-sided 5 % trial: each
side is followed as if the other did not exist. A trial that stops on either side has a slightly smaller constant,
because a path that crossed below cannot cross above later (Pocock 2.413176 instead of 2.413180); that one is held
against Jennison and Turnbull, Group Sequential Methods, 2000, tables 2.1 and 2.3 (three decimals).
"""

import numpy as np
import pytest

from trialwright.statistics import (
    lan_demets_obrien_fleming,
    lan_demets_pocock,
    obrien_fleming,
    pocock,
    spending_boundaries,
)

LOOKS = (0.2, 0.4, 0.6, 0.8, 1.0)
RPACT = {
    "Pocock": (lambda: pocock(5, 0.025, 1), [2.413180] * 5),
    "O'Brien-Fleming": (
        lambda: obrien_fleming(5, 0.025, 1),
        [4.561742, 3.225639, 2.633723, 2.280871, 2.040073],
    ),
    "Lan-DeMets O'Brien-Fleming": (
        lambda: spending_boundaries(LOOKS, lan_demets_obrien_fleming(0.025, 1), 1),
        [4.876885, 3.357012, 2.680280, 2.289817, 2.031032],
    ),
    "Lan-DeMets Pocock": (
        lambda: spending_boundaries(LOOKS, lan_demets_pocock(0.025, 1), 1),
        [2.437977, 2.426814, 2.410194, 2.396649, 2.386000],
    ),
}


@pytest.mark.parametrize("design", RPACT)
def test_boundaries_agree_to_a_millionth(design):
    ours, theirs = RPACT[design]
    np.testing.assert_allclose(ours(), theirs, rtol=0, atol=1e-6)


# Jennison and Turnbull 2000, two-sided 5 %: C_P (table 2.1) and C_B (table 2.3) by number of looks.
TWO_SIDED = {2: (2.178, 1.977), 3: (2.289, 2.004), 4: (2.361, 2.024), 5: (2.413, 2.040), 10: (2.555, 2.087)}


@pytest.mark.parametrize("looks", TWO_SIDED)
def test_two_sided_constants_agree_with_the_book(looks):
    assert pocock(looks)[0] == pytest.approx(TWO_SIDED[looks][0], abs=6e-4)
    assert obrien_fleming(looks)[-1] == pytest.approx(TWO_SIDED[looks][1], abs=6e-4)
