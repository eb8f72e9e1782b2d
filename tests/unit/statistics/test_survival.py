"""Kaplan-Meier, log-rank and Cox against slow loops over people, and where the answer is known in closed form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.statistics import (
    CannotEstimate,
    ChiSquared,
    CoxModel,
    DependentColumns,
    EmptyCell,
    NotConverged,
    cox,
    kaplan_meier,
    log_rank,
    mean_count_ratio,
)


def followed(seed, people=24, ties=True):
    """Times with ties and censoring, two covariates, three strata, late entry."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.arange(people) % 2, rng.normal(size=people)]).astype(float)
    time = rng.exponential(6 * np.exp(-0.5 * x[:, 0])) + 1
    time = np.ceil(time) if ties else time
    event = (rng.random(people) < 0.7).astype(float)
    event[:4] = 1.0
    return time, event, x, time * rng.random(people) * 0.4, rng.integers(0, 3, people)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=30))
def test_the_curve_is_the_product_over_times_of_those_who_pass(people):
    time, event = [float(t) for t, _ in people], [float(e) for _, e in people]
    curve = kaplan_meier(time, event)
    for t, found in zip(curve.times, curve.survival, strict=True):
        slow = 1.0
        for moment in sorted({s for s, e in people if e and s <= t}):
            died = sum(1 for s, e in people if e and s == moment)
            slow *= 1 - died / sum(1 for s, _ in people if s >= moment)
        assert found == pytest.approx(slow, abs=1e-12)
    low, high = curve.interval()
    known = ~np.isnan(low)
    assert (low[known] <= curve.survival[known] + 1e-12).all()
    assert (curve.survival[known] <= high[known] + 1e-12).all()


def test_without_censoring_the_curve_is_the_share_and_its_error_the_binomial_one():
    curve = kaplan_meier([1, 2, 3, 4, 5], [1] * 5)
    assert curve.survival == pytest.approx([0.8, 0.6, 0.4, 0.2, 0.0])
    assert curve.standard_error[:4] == pytest.approx([np.sqrt(s * (1 - s) / 5) for s in (0.8, 0.6, 0.4, 0.2)])
    assert (curve.at(0.5), curve.at(2), curve.at(9)) == (1.0, pytest.approx(0.6), 0.0)
    assert curve.quantile(0.4)[0] == 2.5  # the curve lies at 0.6 from 2 to 3
    assert kaplan_meier([1, 2], [1, 0]).quantile(0.9)[0] == np.inf


def hypergeometric(time, event, group):
    """Observed − expected of the first of two groups, and its variance, one time after the other."""
    gap = variance = 0.0
    for moment in sorted({t for t, e in zip(time, event, strict=True) if e}):
        here = [(g, e and t == moment) for t, e, g in zip(time, event, group, strict=True) if t >= moment]
        n, n1 = len(here), sum(g == 0 for g, _ in here)
        d, d1 = sum(died for _, died in here), sum(died for g, died in here if g == 0)
        gap += d1 - d * n1 / n
        variance += d * (n1 / n) * (1 - n1 / n) * (n - d) / (n - 1) if n > 1 else 0.0
    return gap, variance


@pytest.mark.parametrize("seed", range(5))
def test_log_rank_sums_hypergeometric_differences_over_times_and_strata(seed):
    time, event, x, _, stratum = followed(seed)
    gap, variance = hypergeometric(time, event, x[:, 0])
    assert log_rank(time, event, x[:, 0]).statistic == pytest.approx(gap**2 / variance, rel=1e-10)
    parts = [hypergeometric(time[stratum == s], event[stratum == s], x[stratum == s, 0]) for s in range(3)]
    gap, variance = sum(g for g, _ in parts), sum(v for _, v in parts)
    assert log_rank(time, event, x[:, 0], stratum).statistic == pytest.approx(gap**2 / variance, rel=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_without_ties_log_rank_is_the_score_test_of_cox(seed):
    time, event, x, _, _ = followed(seed, ties=False)
    score = CoxModel(time, event, x[:, :1]).score_test()
    assert score.statistic == pytest.approx(log_rank(time, event, x[:, 0]).statistic, rel=1e-9)
    assert isinstance(score, ChiSquared)
    assert score.df == 1


class Slow:
    """Cox's likelihood and the score residuals, by loops over times, tied events and people."""

    def __init__(self, time, event, x, start, stratum, efron):
        self.rows = list(zip(time, event, x, start, stratum, strict=True))
        self.efron = efron

    def steps(self, beta):
        """(people who had the event, [weights of all rows at each step]) for each time of each stratum."""
        for s, t in sorted({(s, t) for t, e, _, _, s in self.rows if e}):
            dead = [i for i, (u, e, _, _, r) in enumerate(self.rows) if e and u == t and r == s]
            at_risk = [i for i, (u, _, _, b, r) in enumerate(self.rows) if r == s and b < t <= u]
            each = []
            for k in range(len(dead)):
                gone = k / len(dead) if self.efron else 0.0
                each.append({i: (1 - gone * (i in dead)) * np.exp(self.rows[i][2] @ beta) for i in at_risk})
            yield dead, each

    def likelihood(self, beta):
        value = 0.0
        for dead, each in self.steps(beta):
            value += sum(self.rows[i][2] @ beta for i in dead) - sum(np.log(sum(w.values())) for w in each)
        return value

    def residuals(self, beta):
        found = np.zeros((len(self.rows), beta.size))
        for dead, each in self.steps(beta):
            for weights in each:
                total = sum(weights.values())
                mean = sum(w * self.rows[i][2] for i, w in weights.items()) / total
                for i, w in weights.items():
                    found[i] -= w / total * (self.rows[i][2] - mean)
                for i in dead:
                    found[i] += (self.rows[i][2] - mean) / len(dead)
        return found


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("seed", range(3))
def test_cox_agrees_with_loops_over_people(seed, ties):
    time, event, x, start, stratum = followed(seed)
    cluster = np.arange(time.size) // 2
    slow = Slow(time, event, x, start, stratum, ties == "efron")
    fast = CoxModel(time, event, x, start=start, strata=stratum, ties=ties)
    beta, h = fast.coefficients, 1e-4
    assert fast.log_likelihood == pytest.approx(slow.likelihood(beta), abs=1e-9)
    assert fast.null_log_likelihood == pytest.approx(slow.likelihood(0 * beta), abs=1e-9)
    steps = np.eye(2) * h
    slope = [(slow.likelihood(beta + d) - slow.likelihood(beta - d)) / (2 * h) for d in steps]
    assert slope == pytest.approx([0, 0], abs=1e-6)
    bend = [
        [
            sum(s * r * slow.likelihood(beta + s * d + r * e) for s in (1, -1) for r in (1, -1)) / (-4 * h**2)
            for e in steps
        ]
        for d in steps
    ]
    np.testing.assert_allclose(fast.covariance, np.linalg.inv(bend), rtol=1e-5)
    robust = CoxModel(time, event, x, start=start, strata=stratum, ties=ties, cluster=cluster)
    scores = np.array([slow.residuals(beta)[cluster == c].sum(axis=0) for c in np.unique(cluster)])
    assert scores.sum(axis=0) == pytest.approx([0, 0], abs=1e-8)
    np.testing.assert_allclose(robust.covariance, fast.covariance @ scores.T @ scores @ fast.covariance, rtol=1e-8)
    gain = fast.likelihood_ratio_test()
    assert (gain.statistic, gain.df) == (pytest.approx(2 * (fast.log_likelihood - fast.null_log_likelihood)), 2)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), cut=st.floats(0.1, 0.9))
def test_splitting_the_time_of_somebody_changes_nothing(seed, cut):
    time, event, x, _, _ = followed(seed)
    first = np.flatnonzero(time > 1.5)
    starts = np.r_[np.zeros(time.size), cut * time[first]]
    ends = np.r_[time, time[first]]
    events = np.r_[event, event[first]]
    ends[first], events[first] = cut * time[first], 0.0
    people = np.r_[np.arange(time.size), first]
    whole = CoxModel(time, event, x, cluster=np.arange(time.size))
    split = CoxModel(ends, events, x[people], start=starts, cluster=people)
    assert split.coefficients == pytest.approx(whole.coefficients, abs=1e-8)
    np.testing.assert_allclose(split.covariance, whole.covariance, rtol=1e-6, atol=1e-12)


def test_a_shift_of_a_covariate_changes_nothing_and_a_unit_only_the_unit():
    time, event, x, _, _ = followed(2)
    usual = CoxModel(time, event, x)
    other = CoxModel(time, event, x * [1.0, 1e-3] + [5.0, 1e4])
    assert other.coefficients * [1.0, 1e-3] == pytest.approx(usual.coefficients, rel=1e-5)


def intervals():
    rng = np.random.default_rng(4)
    rows = []
    for person in range(20):
        ends = np.r_[np.sort(rng.uniform(0, 10, rng.poisson(2))), 10.0]
        starts = np.r_[0.0, ends[:-1]]
        rows += [(person, person % 2, a, b, float(b < 10)) for a, b in zip(starts, ends, strict=True)]
    return dict(zip(("id", "arm", "start", "stop", "event"), map(list, zip(*rows, strict=True)), strict=True))


def test_recurrent_events_may_come_in_any_order_of_rows():
    data = intervals()
    order = np.random.default_rng(1).permutation(len(data["id"]))
    turned = {name: np.array(values)[order] for name, values in data.items()}
    columns = {"subject": "id", "start": "start", "stop": "stop", "event": "event", "factors": ["arm"]}
    one = mean_count_ratio("~ arm", data, **columns).difference("arm", 1, 0)
    other = mean_count_ratio("~ arm", turned, **columns).difference("arm", 1, 0)
    assert (one.value, one.standard_error) == pytest.approx((other.value, other.standard_error), rel=1e-9)
    assert one.ratio() == pytest.approx(np.exp([one.value, *one.confidence_interval()]))


def overlapping():
    data = intervals()
    data["start"][1] -= 0.5
    return data


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (CannotEstimate, lambda: kaplan_meier([1, -1], [1, 0])),
        (CannotEstimate, lambda: kaplan_meier([1, 2], [1, 2])),
        (CannotEstimate, lambda: kaplan_meier([1, 2], [1])),
        (CannotEstimate, lambda: kaplan_meier([1, 2], [1, 0]).at(3)),
        (CannotEstimate, lambda: kaplan_meier([1, 2], [1, 0]).quantile(1.0)),
        (CannotEstimate, lambda: kaplan_meier([1, 2], [1, 0]).interval(1.0)),
        (CannotEstimate, lambda: kaplan_meier([1, 2], [1, 0]).interval(bounds="logit")),
        (EmptyCell, lambda: log_rank([1, 2], [1, 1], ["a", "a"])),
        (EmptyCell, lambda: log_rank([1, 2], [0, 0], ["a", "b"])),
        (EmptyCell, lambda: log_rank([1, 2, 3, 4], [1, 1, 1, 1], list("aabb"), list("ppqq"))),
        (CannotEstimate, lambda: log_rank([1, 2], [1, 1], ["a"])),
        (CannotEstimate, lambda: log_rank([1, 2], [1, 1], [1.0, np.nan])),
        (CannotEstimate, lambda: log_rank([1, 2], [1, 1], [None, "a"])),
        (EmptyCell, lambda: CoxModel([1, 2, 3], [0, 0, 0], [[1], [0], [1]])),
        (NotConverged, lambda: CoxModel([1, 2, 3, 4, 5, 6], [1, 1, 1, 0, 0, 0], [[1], [1], [1], [0], [0], [0]])),
        (NotConverged, lambda: CoxModel([3, 1, 2, 4, 5], [0, 1, 1, 1, 1], [[1], [0], [0], [0], [0]])),
        (DependentColumns, lambda: CoxModel([1, 2, 3], [1, 1, 1], [[1], [1], [1]])),
        (DependentColumns, lambda: CoxModel([1, 2, 3, 4], [1] * 4, [[1], [1], [0], [0]], strata=list("aabb"))),
        (CannotEstimate, lambda: CoxModel([1, 2], [1, 1], [[1], [0]], start=[1, 0])),
        (CannotEstimate, lambda: CoxModel([1, 2], [1, 1], [[1], [0], [1]])),
        (CannotEstimate, lambda: CoxModel([1, 2, 3], [1, 1, 1], [[1], [0], [1]], ties="exact")),
        (CannotEstimate, lambda: CoxModel(*followed(1)[:3], cluster=[1, 2] * 12)),
        (CannotEstimate, lambda: CoxModel(*followed(1)[:3]).contrast([0, 0])),
        (CannotEstimate, lambda: CoxModel(*followed(1)[:3]).joint([[1, 1], [2, 2]])),
        (CannotEstimate, lambda: mean_count_ratio(
            "~ arm", overlapping(), subject="id", start="start", stop="stop", event="event"
        )),
        (CannotEstimate, lambda: mean_count_ratio(
            "~ arm", intervals(), subject="who", start="start", stop="stop", event="event"
        )),
        (CannotEstimate, lambda: cox("event ~ arm", intervals(), time="stop", event="event")),
        (CannotEstimate, lambda: cox("~ 0 + arm", intervals(), time="stop", event="event")),
        (CannotEstimate, lambda: cox("~ 1", intervals(), time="stop", event="event")),
        (CannotEstimate, lambda: cox("~ arm", intervals(), time="stop", event="event", strata="none")),
        (CannotEstimate, lambda: cox("~ arm", intervals(), time="stop", event="event").mean({})),
    ],
)  # fmt: skip
def test_what_the_data_cannot_answer_is_refused_by_name(error, call):
    with pytest.raises(error):
        call()
