"""Timed tests, composites and yes-or-no outcomes, with numbers worked out by hand."""

from decimal import Decimal, localcontext

import pytest

from trialwright import instruments
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.truth import Truth
from trialwright.instruments import UNABLE, evoked_potentials, msfc, neda, nhpt, progression, relapse, sdmt, t25fw


@pytest.mark.parametrize(
    ("trial_1", "trial_2", "seconds"),
    [
        ("6.2", "6.4", "6.3"),
        (6.1, 6.2, "6.15"),  # a float is the decimal it prints as: no 6.1499999
        (10, UNABLE, "95"),
        (UNABLE, UNABLE, "180"),
        (200, "179.9", "179.95"),
        ("7.5", None, "7.5"),
        (None, UNABLE, "180"),
    ],
)
def test_the_walk_is_the_mean_of_the_trials_that_were_done(trial_1, trial_2, seconds):
    assert t25fw.score(trial_1, trial_2) == Decimal(seconds)
    assert t25fw.score(trial_2, trial_1) == Decimal(seconds)


def test_no_trial_is_missing_and_not_a_number():
    assert t25fw.score(None, None) is None
    assert nhpt.score(None, None, 20, 20) is None
    assert nhpt.score(20, 20, None, None) is None


def test_pegs_have_a_mean_time_and_a_mean_reciprocal_that_differ():
    assert nhpt.hand_mean(UNABLE, 25) == Decimal("162.5")
    assert nhpt.score(20, 30, 40, 60) == Decimal("37.5")
    assert nhpt.mean_time(25, 50) == Decimal("37.5")
    assert nhpt.mean_reciprocal(25, 50) == Decimal("0.03")  # (1/25 + 1/50) / 2, not 1/37.5


def test_a_hand_that_cannot_do_it_weighs_almost_nothing_in_the_reciprocal():
    assert nhpt.mean_reciprocal(20, 300) == Decimal(16) / 600


def test_scores_do_not_depend_on_the_callers_decimal_precision():
    def scores():
        return (
            t25fw.score("1.2345", "6.7891"),
            nhpt.mean_reciprocal("23.7", "31.9"),
            nhpt.mean_time("23.71", "31.98"),
            evoked_potentials.z_sum("1.2345", "2.3456", "3.4567"),
            evoked_potentials.z_score("117.531", "100.127", "5.11"),
            msfc.z_score("12.3456", "1.2345", "3.3"),
            progression.T25FW.reached(progression.Change.WORSENING, Decimal("10.004"), Decimal("12.004")),
        )

    usual = scores()
    with localcontext() as context:
        context.prec = 3
        assert scores() == usual
    assert usual[0] == Decimal("4.0118")
    assert usual[-1] is False  # 12.0048 would be 20 %


@pytest.mark.parametrize("trial", [0, -1, "fast", float("nan"), True, "6." + "0" * 60, "1e16"])
def test_a_time_that_cannot_be_is_refused(trial):
    with pytest.raises(InvalidValue):
        t25fw.score(trial, 6)
    with pytest.raises(InvalidValue):
        nhpt.score(20, 20, trial, 20)


def test_symbol_digit_counts_from_0_to_110():
    assert sdmt.score("57") == 57
    for wrong in (111, -1, "57.5"):
        with pytest.raises(InvalidValue, match="correct"):
            sdmt.score(wrong)


def test_the_functional_composite_is_the_mean_of_three_z_scores():
    score = msfc.score(
        t25fw_seconds="12",
        nhpt_dominant_seconds=25,
        nhpt_non_dominant_seconds=50,
        cognition=50,
        t25fw_mean=8,
        t25fw_sd=4,
        nhpt_reciprocal_mean="0.04",
        nhpt_reciprocal_sd="0.01",
        cognition_mean=40,
        cognition_sd=10,
    )
    assert score == (Decimal(-1) + Decimal(-1) + Decimal(1)) / 3  # arm −1, leg −1, cognition +1


def test_a_reference_without_spread_is_refused():
    with pytest.raises(InvalidValue, match="sd"):
        msfc.z_score(1, 0, 0)


def test_evoked_potentials_sum_to_a_z_score():
    z = evoked_potentials.z_score("117.5", 100, 5)
    assert z == Decimal("3.5")
    assert evoked_potentials.z_sum(z, "0.25", "-0.75") == Decimal("3")


@pytest.mark.parametrize(("z", "grade"), [("2.49", 0), ("2.5", 1), ("4.99", 1), (5, 2), (-9, 0)])
def test_grades_of_a_recording_change_at_the_limits(z, grade):
    assert evoked_potentials.recording_grade(z) == grade
    with pytest.raises(InvalidValue, match="limits"):
        evoked_potentials.recording_grade(z, 3, 3)


def test_the_global_score_runs_from_0_to_36():
    worst = evoked_potentials.limbs_score(3, 3, 3, 3)
    assert worst == evoked_potentials.eyes_score(3, 3) == 12
    assert evoked_potentials.global_score(worst, worst, worst) == 36
    assert evoked_potentials.limbs_score(1, 0, 3, 2) == 6
    assert evoked_potentials.eyes_score(1, 2) == 6
    assert evoked_potentials.global_score(6, 6, 0) == 12
    with pytest.raises(InvalidValue, match="lower_left"):
        evoked_potentials.limbs_score(0, 0, 4, 0)
    with pytest.raises(InvalidValue, match="motor"):
        evoked_potentials.global_score(0, 0, 13)


@pytest.mark.parametrize(
    ("hours", "days", "fever", "verdict"),
    [
        (24, 30, False, Truth.YES),
        (23, 30, False, Truth.NO),
        (24, 29, None, Truth.NO),
        (48, 99, True, Truth.NO),
        (48, 99, None, Truth.UNKNOWN),
        (None, 99, False, Truth.UNKNOWN),
    ],
)
def test_a_relapse_lasts_a_day_and_is_not_a_fever(hours, days, fever, verdict):
    assert relapse.is_relapse(hours, days, fever) is verdict


@pytest.mark.parametrize(
    ("before", "at", "largest", "several", "verdict"),
    [
        ("3", "3.5", 0, 0, Truth.YES),
        ("3", "3", 2, 1, Truth.YES),
        ("3", "3", 1, 2, Truth.YES),
        ("3", "3", 1, 1, Truth.NO),
        (None, "3", 1, 1, Truth.UNKNOWN),
        (None, "3", 2, None, Truth.YES),
    ],
)
def test_an_examination_confirms_a_relapse_by_any_of_three_ways(before, at, largest, several, verdict):
    assert relapse.confirmed_by_examination(before, at, largest, several) is verdict


def test_disease_activity_is_excluded_only_when_all_four_are_known():
    assert neda.neda3(False, False, False, False) is Truth.YES
    assert neda.neda3(False, False, False, None) is Truth.UNKNOWN
    assert neda.neda3(None, True, None, None) is Truth.NO


def test_public_names_exist():
    assert all(hasattr(instruments, name) for name in instruments.__all__)
