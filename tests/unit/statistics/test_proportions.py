"""Shares and tables: identities with classical tests, and what cannot be answered."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from trialwright.statistics import (
    CannotEstimate,
    EmptyCell,
    Interval,
    MantelHaenszel,
    cochran_mantel_haenszel,
    fisher_exact,
    mantel_haenszel,
    proportion,
    risk_difference,
)


@given(st.integers(1, 200), st.data())
def test_a_share_lies_in_its_interval_which_mirrors_that_of_the_others(total, data):
    events = data.draw(st.integers(0, total))
    one, other = proportion(events, total), proportion(total - events, total)
    assert 0 <= one.low <= one.value <= one.high <= 1
    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low), abs=1e-12)


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_a_difference_turns_its_sign_when_the_arms_change_places(n, m, data):
    a, b = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    one, other = risk_difference(a, n, b, m), risk_difference(b, m, a, n)
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low), abs=1e-12)
    assert -1 <= one.low <= one.value <= one.high <= 1
    assert isinstance(one, Interval)


def rows_of(tables):
    return [
        (arm, outcome, layer)
        for layer, table in enumerate(tables)
        for arm, line in enumerate(table)
        for outcome, count in enumerate(line)
        for _ in range(count)
    ]


TABLES = [[[5, 9], [2, 14]], [[3, 4], [1, 6]], [[8, 2], [6, 5]]]


def test_one_table_is_pearsons_test_with_its_known_factor():
    found = mantel_haenszel(TABLES[:1])
    pearson = stats.chi2_contingency(TABLES[0], correction=False).statistic
    assert found.statistic == pytest.approx(pearson * 29 / 30, rel=1e-12)
    assert found.risk_difference.value == pytest.approx(5 / 14 - 2 / 16, rel=1e-12)
    assert found.log_odds_ratio.ratio()[0] == pytest.approx(5 * 14 / (9 * 2), rel=1e-12)
    assert isinstance(found, MantelHaenszel)
    # one table: the variance of Robins, Breslow and Greenland is Woolf's
    assert found.log_odds_ratio.standard_error == pytest.approx(np.sqrt(1 / 5 + 1 / 9 + 1 / 2 + 1 / 14), rel=1e-12)


@pytest.mark.parametrize("alternative", ["association", "mean_scores", "correlation"])
def test_for_two_by_two_tables_all_alternatives_are_mantel_and_haenszels(alternative):
    arm, outcome, layer = zip(*rows_of(TABLES), strict=True)
    found = cochran_mantel_haenszel(arm, outcome, layer, alternative=alternative)
    assert found.statistic == pytest.approx(mantel_haenszel(TABLES).statistic, rel=1e-12)
    assert found.p_value == pytest.approx(mantel_haenszel(TABLES).p_value, rel=1e-12)


def test_mean_scores_of_ranks_are_kruskal_and_wallis_and_correlation_is_pearsons():
    rng = np.random.default_rng(6)
    arm, outcome = rng.integers(0, 3, 40), rng.integers(0, 5, 40)
    ranks = stats.rankdata(outcome)
    kruskal = stats.kruskal(*(outcome[arm == a] for a in range(3))).statistic
    assert cochran_mantel_haenszel(arm, ranks, alternative="mean_scores").statistic == pytest.approx(
        kruskal, rel=1e-10
    )
    r = np.corrcoef(arm, outcome)[0, 1]
    found = cochran_mantel_haenszel(arm, outcome, alternative="correlation")
    assert (found.statistic, found.df) == (pytest.approx(39 * r**2, rel=1e-10), 1)


def test_a_stratum_with_one_arm_or_one_outcome_adds_nothing_to_the_test():
    more = [*TABLES, [[4, 4], [0, 0]], [[3, 0], [2, 0]]]
    assert mantel_haenszel(more).statistic == pytest.approx(mantel_haenszel(TABLES).statistic, rel=1e-12)
    assert mantel_haenszel(more).log_odds_ratio == mantel_haenszel(TABLES).log_odds_ratio


def test_fishers_interval_is_open_where_a_cell_is_empty():
    found = fisher_exact([[5, 0], [2, 6]])
    assert found.value == found.high == np.inf
    assert 1 < found.low < np.inf
    assert found.p_value == pytest.approx(stats.fisher_exact([[5, 0], [2, 6]]).pvalue)


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (CannotEstimate, lambda: proportion(3, 2)),
        (CannotEstimate, lambda: proportion(0, 0)),
        (CannotEstimate, lambda: proportion(-1, 4)),
        (CannotEstimate, lambda: proportion(1, 4, 1.0)),
        (CannotEstimate, lambda: proportion(1.5, 4)),
        (CannotEstimate, lambda: fisher_exact([[1, 2, 3], [1, 2, 3]])),
        (CannotEstimate, lambda: fisher_exact([[1, 2], [1]])),
        (CannotEstimate, lambda: fisher_exact([["a", 2], [1, 3]])),
        (CannotEstimate, lambda: fisher_exact([[1, -2], [1, 3]])),
        (CannotEstimate, lambda: fisher_exact([[1, 2], [1, 3]], 2.0)),
        (EmptyCell, lambda: fisher_exact([[0, 0], [1, 3]])),
        (EmptyCell, lambda: fisher_exact([[0, 2], [0, 3]])),
        (CannotEstimate, lambda: mantel_haenszel([[1, 2], [1, 3]])),
        (EmptyCell, lambda: mantel_haenszel([[[1, 2], [0, 0]]])),
        (EmptyCell, lambda: mantel_haenszel([[[0, 2], [0, 3]]])),
        (EmptyCell, lambda: mantel_haenszel([[[0, 2], [2, 3]]])),
        (EmptyCell, lambda: cochran_mantel_haenszel([1, 1], [0, 1])),
        (EmptyCell, lambda: cochran_mantel_haenszel([1, 2, 1, 2], [0, 0, 1, 1], [0, 1, 2, 3])),
        (CannotEstimate, lambda: cochran_mantel_haenszel([1, 2], ["a", "b"], alternative="mean_scores")),
        (CannotEstimate, lambda: cochran_mantel_haenszel([1, 2, 1], [0, 1, 1], alternative="trend")),
        (CannotEstimate, lambda: cochran_mantel_haenszel([1, 2, 1], [0, 1])),
    ],
)
def test_what_the_table_cannot_answer_is_refused_by_name(error, call):
    with pytest.raises(error):
        call()
