"""The mixed model against a slow, dense implementation, and where classical analysis knows the exact answer."""

import numpy as np
import pytest

from trialwright.statistics import STRUCTURES, CannotEstimate, MixedModel, TwoByTwo
from trialwright.statistics.covariance import structure

VISITS = 4


def simulated(seed=3, people=26, missing=0.2):
    """A two-arm trial with four visits, unequal variances and gaps."""
    rng = np.random.default_rng(seed)
    sigma = np.array([[4, 2, 1.5, 1], [2, 5, 2.5, 2], [1.5, 2.5, 6, 3], [1, 2, 3, 7.0]])
    participant, visit = np.repeat(np.arange(people), VISITS), np.tile(np.arange(VISITS), people)
    arm = (participant % 2).astype(float)
    errors = rng.multivariate_normal(np.zeros(VISITS), sigma, people).ravel()
    y = 500 + visit + 0.5 * arm * visit + errors
    x = np.column_stack([np.ones(y.size), arm, *[visit == k for k in (1, 2, 3)], arm * (visit == 3)]).astype(float)
    keep = rng.random(y.size) > missing
    return y[keep], x[keep], participant[keep], visit[keep]


class Dense:
    """REML, observed information and Kenward-Roger straight from the formulas, with one n × n matrix."""

    def __init__(self, y, x, participant, visit, shape):
        self.y, self.x, self.shape = y, x, shape
        same = participant[:, None] == participant[None, :]
        self.spread = lambda sigma: np.where(same, sigma[np.ix_(visit, visit)], 0.0)

    def value(self, theta):
        v = self.spread(self.shape.matrix(theta))
        w = np.linalg.inv(v)
        information = self.x.T @ w @ self.x
        e = self.y - self.x @ np.linalg.solve(information, self.x.T @ w @ self.y)
        n, p = self.x.shape
        log_dets = np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1]
        return (n - p) * np.log(2 * np.pi) + log_dets + e @ w @ e

    def slopes(self, theta, step):
        """Gradient and Hessian of ``value`` by central differences."""
        k = theta.size
        h = step * np.maximum(np.abs(theta), 0.1)
        shifts = np.diag(h)
        gradient = np.array([self.value(theta + d) - self.value(theta - d) for d in shifts]) / (2 * h)
        hessian = np.empty((k, k))
        for a in range(k):
            for b in range(k):
                corners = [
                    sa * sb * self.value(theta + sa * shifts[a] + sb * shifts[b]) for sa in (1, -1) for sb in (1, -1)
                ]
                hessian[a, b] = sum(corners) / (4 * h[a] * h[b])
        return gradient, hessian

    def kenward_roger(self, theta, c, hessian, curved):
        w = np.linalg.inv(self.spread(self.shape.matrix(theta)))
        phi = np.linalg.inv(self.x.T @ w @ self.x)
        cov = 2 * np.linalg.inv(hessian)
        first = [self.spread(d) for d in self.shape.first(theta)]
        second = self.shape.second(theta)
        xw = self.x.T @ w
        p = [-xw @ v @ xw.T for v in first]
        inner = np.zeros_like(phi)
        for j, vj in enumerate(first):
            for k, vk in enumerate(first):
                term = xw @ vj @ w @ vk @ xw.T - p[j] @ phi @ p[k]
                if curved and second is not None:
                    term -= xw @ self.spread(second[j, k]) @ xw.T / 4
                inner += cov[j, k] * term
        adjusted = phi + 2 * phi @ inner @ phi
        g = np.array([c @ phi @ pj @ phi @ c for pj in p])
        return np.sqrt(c @ adjusted @ c), 2 * (c @ phi @ c) ** 2 / (g @ cov @ g)


def theta_of(name, fitted):
    """θ̂ from Σ̂: the starting value of a structure, taken at a matrix of that structure, is exact."""
    return structure(name, VISITS).start(fitted.covariance)


@pytest.mark.parametrize("name", STRUCTURES)
def test_the_fit_agrees_with_the_dense_formulas(name):
    y, x, participant, visit = simulated()
    fitted = MixedModel(y, x, participant, visit, name)
    dense = Dense(y, x, participant, visit, structure(name, VISITS))
    theta = theta_of(name, fitted)
    assert fitted.minus_two_log_likelihood == pytest.approx(dense.value(theta), abs=1e-8)
    gradient, hessian = dense.slopes(theta, 2e-4)
    scale = np.sqrt(np.diag(hessian))
    assert np.abs(gradient / scale).max() < 1e-4  # a stationary point …
    assert np.linalg.eigvalsh(hessian / np.outer(scale, scale)).min() > 0  # … and a minimum of −2 log-likelihood
    c = np.array([0.0, 1.0, 0.0, 0.0, 0.0, 1.0])
    for method, curved in (("kenward_roger", True), ("kenward_roger_linear", False)):
        error, df = dense.kenward_roger(theta, c, hessian, curved)
        ours = fitted.contrast(c, method)
        assert ours.standard_error == pytest.approx(error, rel=1e-5)
        assert ours.df == pytest.approx(df, rel=1e-4)


@pytest.mark.parametrize("name", STRUCTURES)
def test_no_nearby_covariance_is_more_likely(name):
    y, x, participant, visit = simulated(seed=11)
    fitted = MixedModel(y, x, participant, visit, name)
    dense = Dense(y, x, participant, visit, structure(name, VISITS))
    theta, rng = theta_of(name, fitted), np.random.default_rng(0)
    for _ in range(20):
        nearby = theta * (1 + 0.02 * rng.standard_normal(theta.size))
        assert dense.value(nearby) >= fitted.minus_two_log_likelihood - 1e-8


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("visits", [2, 3, 5])
def test_derivatives_of_a_structure_are_those_of_its_matrix(name, visits):
    shape = structure(name, visits)
    index = np.arange(visits)
    moments = (2.0 + index)[:, None] ** 0.5 * (2.0 + index) ** 0.5 * 0.6 ** np.abs(index[:, None] - index)
    theta = shape.start(moments)
    first, second, h = shape.first(theta), shape.second(theta), 1e-5
    for j in range(theta.size):
        step = np.eye(theta.size)[j] * h
        ahead, behind = theta + step, theta - step
        slope = (shape.matrix(ahead) - shape.matrix(behind)) / (2 * h)
        np.testing.assert_allclose(first[j], slope, atol=1e-8)
        bend = (shape.first(ahead) - shape.first(behind)) / (2 * h)
        np.testing.assert_allclose(bend, 0 if second is None else second[j], atol=1e-7)


def crossover(seed=5, ab=7, ba=5):
    rng = np.random.default_rng(seed)
    people = ab + ba
    person = rng.normal(0, 2, people)
    y = 100 + person[:, None] + rng.normal(0, 1, (people, 2)) + [0.0, 0.7]
    sequence = np.repeat([0.0, 1.0], [ab, ba])
    return y, sequence


@pytest.mark.parametrize("name", ["compound_symmetry", "unstructured"])
def test_for_a_complete_crossover_kenward_roger_is_the_exact_t_test(name):
    y, sequence = crossover()
    people = sequence.size
    participant, period = np.repeat(np.arange(people), 2), np.tile([0, 1], people)
    on_a = (np.repeat(sequence, 2) == period).astype(float)
    x = np.column_stack([np.ones(2 * people), np.repeat(sequence, 2), period, on_a])
    model = MixedModel(y.ravel(), x, participant, period, name).contrast([0, 0, 0, 1])
    exact = TwoByTwo(y[sequence == 0], y[sequence == 1]).treatment()
    assert model.value == pytest.approx(exact.value, abs=1e-9)
    assert model.standard_error == pytest.approx(exact.standard_error, rel=1e-6)
    assert model.df == pytest.approx(exact.df, rel=1e-5)


def test_for_complete_data_a_joint_test_is_the_classical_f_test():
    """Compound symmetry, complete and balanced: the F test of visits is the one of the randomised-block ANOVA."""
    rng = np.random.default_rng(2)
    people, visits = 9, 4
    y = rng.normal(0, 2, people)[:, None] + rng.normal(0, 1, (people, visits)) + [0, 0.5, 0.3, 0.9]
    x = np.kron(np.ones((people, 1)), np.column_stack([np.ones(4), np.eye(4)[:, 1:]]))
    model = MixedModel(
        y.ravel(), x, np.repeat(np.arange(people), 4), np.tile(np.arange(4), people), "compound_symmetry"
    )
    test = model.joint(np.eye(4)[1:])
    residual = y - y.mean(axis=1, keepdims=True) - y.mean(axis=0) + y.mean()
    mean_square = (residual**2).sum() / (8 * 3)
    f = people * ((y.mean(axis=0) - y.mean()) ** 2).sum() / 3 / mean_square
    assert test.f == pytest.approx(f, rel=1e-6)
    assert (test.df_numerator, test.df_denominator) == (3, pytest.approx(24, rel=1e-6))


@pytest.mark.parametrize(("people", "visits"), [(9, 3), (12, 2), (30, 5)])
def test_for_unstructured_complete_data_a_joint_test_is_hotellings(people, visits):
    """All means zero: Kenward and Roger chose their scale so that it is Hotelling's T² exactly."""
    rng = np.random.default_rng(people)
    y = rng.normal(0.4, 1, (people, visits)) @ (np.eye(visits) + 0.3)
    x = np.kron(np.ones((people, 1)), np.eye(visits))
    model = MixedModel(y.ravel(), x, np.repeat(np.arange(people), visits), np.tile(np.arange(visits), people))
    test = model.joint(np.eye(visits))
    t_squared = people * y.mean(axis=0) @ np.linalg.solve(np.cov(y.T), y.mean(axis=0))
    assert test.f == pytest.approx(t_squared * (people - visits) / (visits * (people - 1)), rel=1e-5)
    assert (test.df_numerator, test.df_denominator) == (visits, pytest.approx(people - visits, rel=1e-5))


def test_a_joint_test_of_one_contrast_is_the_square_of_t():
    y, x, participant, visit = simulated()
    fitted = MixedModel(y, x, participant, visit)
    c = [0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    joint, single = fitted.joint([c]), fitted.contrast(c)
    assert joint.f == pytest.approx(single.t**2)
    assert joint.df_denominator == pytest.approx(single.df)
    assert joint.p_value == pytest.approx(single.p_value)


def test_neither_the_order_of_rows_nor_the_origin_nor_the_unit_matters():
    y, x, participant, visit = simulated()
    usual = MixedModel(y, x, participant, visit).contrast([0, 1, 0, 0, 0, 1])
    order = np.random.default_rng(1).permutation(y.size)
    names = np.array([f"P{n:03}" for n in participant])
    mixed = MixedModel(y[order], x[order], names[order], visit[order]).contrast([0, 1, 0, 0, 0, 1])
    moved = MixedModel(1e-3 * (y + 1e5), x, participant, visit).contrast([0, 1, 0, 0, 0, 1])
    for other, unit in ((mixed, 1.0), (moved, 1e-3)):
        assert other.value == pytest.approx(usual.value * unit, rel=1e-6)
        assert other.standard_error == pytest.approx(usual.standard_error * unit, rel=1e-6)
        assert other.df == pytest.approx(usual.df, rel=1e-5)


def never_together():
    """Visits 0 and 1 are never seen in one participant, so their covariance cannot be known."""
    rng = np.random.default_rng(4)
    visit = np.tile([0, 2, 1, 2], 10)
    return rng.normal(size=40), np.column_stack([np.ones(40), visit]), np.repeat(np.arange(20), 2), visit


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MixedModel(*never_together()), "not determine"),
        (lambda: MixedModel([1, 2, 3], np.ones((3, 1)), [1, 1, 1], [0, 1, 1]), "two outcomes"),
        (lambda: MixedModel([1, 2, 3], np.ones((3, 1)), [1, 1, 2], [0, 2, 0]), "no outcome"),
        (lambda: MixedModel([1, 2, 3], np.ones((3, 1)), [1, 1, 2], [0, 0.5, 0]), "whole number"),
        (lambda: MixedModel([1, 2, 3], np.ones((3, 1)), [1, 1], [0, 1, 0]), "length"),
        (lambda: MixedModel([1, 2, 3], np.ones((3, 2)), [1, 1, 2], [0, 1, 0]), "depend"),
        (lambda: MixedModel([1, 2, 3], np.eye(3), [1, 1, 2], [0, 1, 0]), "coefficients"),
        (lambda: MixedModel([1, np.nan, 3], np.ones((3, 1)), [1, 1, 2], [0, 1, 0]), "missing"),
        (lambda: MixedModel([1, 2, 3], np.ones((3, 1)), [1, 2, 3], [0, 0, 0]), "two visits"),
        (lambda: MixedModel([1, 2, 3, 5], np.ones((4, 1)), [1, 1, 2, 2], [0, 1, 0, 1], "un"), "unknown"),
        (lambda: MixedModel([1, 2, 3], np.ones((3, 1)), [None, 1, 2], [0, 1, 0]), "told apart"),
        (lambda: MixedModel(*simulated()).contrast([1.0]), "weights"),
        (lambda: MixedModel(*simulated()).joint([[1.0]]), "contrasts"),
    ],
)
def test_what_the_data_cannot_answer_is_refused(call, message):
    with pytest.raises(CannotEstimate, match=message):
        call()
