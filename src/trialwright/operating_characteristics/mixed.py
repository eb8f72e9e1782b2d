"""Mixed model for repeated measures in very many small trials: REML, Satterthwaite and Kenward-Roger.

The same estimates as :class:`trialwright.statistics.MixedModel`, whose letters are used, for structures that are
linear in θ: Σ(θ) = Σ_j θ_j B_j, so V_jk = 0. All trials of a block take their Newton steps together.

Participants with the same group and the same visits are one *cell* c. With u = (1) or (1, covariate) of a participant
the rows of the design are X_i = Σ_u u_i F_u, F_u of shape (q, p) the same for the whole group, and the data enter
only through N_uv = Σ u_i v_i, Σ u_i y_i and Σ y_i y_i' of each cell. With W = V⁻¹ (zero where a visit is absent),
ε_u = Σ u_i e_i, A = W (Σ e_i e_i') W and K = W (Σ X_i Φ X_i') W:

    ∂/∂θ_j = Σ_c tr B_j (N W − K − A)
    H_jk   = Σ_c tr B_j W B_k (2A + 2K − N W) − tr Φ S_j Φ S_k − 2 s_j' Φ s_k
    E_jk   = Σ_c tr B_j W B_k (N W − 2K)      + tr Φ S_j Φ S_k

where S_j = Σ X'W B_j W X and s_j = Σ X'W B_j W e.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from trialwright.operating_characteristics.compiled import reml
from trialwright.operating_characteristics.errors import CannotSimulate
from trialwright.operating_characteristics.estimates import Estimates, Flags
from trialwright.operating_characteristics.repeated import RepeatedData
from trialwright.operating_characteristics.small_matrices import cholesky, inverse, log_determinant, solve
from trialwright.operating_characteristics.streams import BLOCK
from trialwright.statistics import CannotEstimate, Estimate, MixedModel
from trialwright.statistics.arrays import Array
from trialwright.statistics.covariance import structure

Structure = Literal["unstructured", "compound_symmetry", "toeplitz"]
DegreesOfFreedom = Literal["kenward_roger", "satterthwaite"]

LINEAR: tuple[Structure, ...] = ("compound_symmetry", "toeplitz", "unstructured")
"""Structures that are fast here."""

_MOST_STEPS = 100
_CONVERGED = 1e-10
_SMALLEST_STEP = 2.0**-40
_FISHER_STEPS = 2


@dataclass(frozen=True, eq=False)
class Repeated:
    """A repeated-measures analysis and its contrast.

    Args:
        visits: which visits of the world are outcomes, q of them.
        design: F, shape (groups, U, q, p); U = 2 where there is a covariate.
        contrast: shape (p,).
        covariance: one of :data:`LINEAR`.
        method: degrees of freedom.
        change_from: visit to subtract from every outcome.
        covariate: visit whose value is the covariate; whoever lacks it is left out.

    Raises:
        CannotSimulate: a structure that is not linear in its parameters.
    """

    visits: tuple[int, ...]
    design: Array
    contrast: Array
    covariance: Structure = "unstructured"
    method: DegreesOfFreedom = "kenward_roger"
    change_from: int | None = None
    covariate: int | None = None

    def __post_init__(self) -> None:
        if self.covariance not in LINEAR:
            raise CannotSimulate(
                f"the covariance structure {self.covariance} has no fast form",
                remedy=f"use one of {', '.join(LINEAR)} for simulated trials",
            )

    def analyse(self, data: RepeatedData) -> Estimates:
        """The contrast in every trial of the block."""
        y, seen, x = self._outcome(data)
        cells = _collect(y, seen, data.group, x, self.design)
        if data.compiled and reml is not None:
            return _fit_compiled(cells, self._basis(), self.contrast, self.method)
        return _fit(cells, self._basis(), self.contrast, self.method)

    def reference(self, data: RepeatedData, trial: int) -> Estimate:
        """The same for one trial of the block, by the full function of the statistics.

        Raises:
            CannotEstimate: the trial's data do not allow it.
        """
        y, seen, group = data.one(trial)
        kept = seen[:, list(self.visits)]
        for needed in (self.change_from, self.covariate):
            if needed is not None:
                kept = kept & seen[:, needed, None]
        base = 0.0 if self.change_from is None else y[:, self.change_from, None]
        outcome = y[:, list(self.visits)] - base
        person, visit = np.nonzero(kept)
        if person.size == 0:
            raise CannotEstimate("nobody was observed", remedy="plan more participants")
        rows = self.design[group[person].astype(np.intp), 0, visit]
        if self.covariate is not None:
            x = y[:, self.covariate] - y[:, self.covariate].mean()
            rows = rows + x[person, None] * self.design[group[person].astype(np.intp), 1, visit]
        model = MixedModel(outcome[person, visit], rows, person, visit, self.covariance)
        return model.contrast(self.contrast, self.method)

    def _outcome(self, data: RepeatedData) -> tuple[Array, Flags, Array | None]:
        y = data.y[:, list(self.visits)]
        seen = (
            np.ones(y.shape, dtype=np.bool_) if data.observed is None else data.observed[:, list(self.visits)].copy()
        )
        if self.change_from is not None:
            y = y - data.y[:, self.change_from, None]
        for needed in (self.change_from, self.covariate):
            if needed is not None and data.observed is not None:
                seen &= data.observed[:, needed, None]
        x = None if self.covariate is None else data.y[:, self.covariate]
        return y, seen, None if x is None else x - x.mean(axis=0)

    def _basis(self) -> Array:
        q = len(self.visits)
        start = structure(self.covariance, q)
        return start.first(start.start(np.eye(q)))


def crossover_design(*, sequence: bool, covariate: bool = False) -> tuple[Array, Array]:
    """(design, contrast) of a 2×2 crossover: intercept, period, treatment, perhaps sequence and a covariate.

    Group 0 receives arm 1 in the first period, group 1 in the second.
    """
    columns = 3 + sequence + covariate
    design = np.zeros((2, 1 + covariate, 2, columns))
    for group in range(2):
        for period in range(2):
            treated = float(group == period)
            design[group, 0, period, :3] = 1.0, float(period), treated
            if sequence:
                design[group, 0, period, 3] = float(group)
            if covariate:
                design[group, 1, period, -1] = 1.0
    return design, np.eye(columns)[2]


def visits_design(visits: int, *, covariate: bool = False) -> tuple[Array, Array]:
    """(design, contrast) of two parallel arms: a mean for each arm and visit, perhaps a covariate.

    The contrast is the difference of the arms, 1 − 0, at the last visit.
    """
    columns = 2 * visits + covariate
    design = np.zeros((2, 1 + covariate, visits, columns))
    for group in range(2):
        for visit in range(visits):
            design[group, 0, visit, group * visits + visit] = 1.0
            if covariate:
                design[group, 1, visit, -1] = 1.0
    return design, np.eye(columns)[2 * visits - 1] - np.eye(columns)[visits - 1]


@dataclass(frozen=True, eq=False)
class _Cells:
    """The sums of every cell: ``present`` (C, q), ``f`` (C, U, q, p), ``n`` (C, U, U, T), ``y`` (C, U, q, T),
    ``yy`` (C, q, q, T), and which pattern of visits a cell has."""

    patterns: tuple[tuple[int, ...], ...]
    pattern: npt.NDArray[np.intp]
    f: Array
    n: Array
    y: Array
    yy: Array

    def of(self, trials: npt.NDArray[np.intp]) -> _Cells:
        return _Cells(
            self.patterns, self.pattern, self.f, self.n[..., trials], self.y[..., trials], self.yy[..., trials]
        )


def _collect(y: Array, seen: Flags, group: npt.NDArray[np.int8], x: Array | None, design: Array) -> _Cells:
    q = y.shape[1]
    with np.errstate(invalid="ignore"):
        count = seen.sum(axis=0)
        # Visit means belong to every design here: without them the sums below lose no digits.
        y = np.where(seen, y - np.where(seen, y, 0.0).sum(axis=0) / np.maximum(count, 1), 0.0)
    code = (seen << np.arange(q, dtype=np.int64)[None, :, None]).sum(axis=1)
    patterns: list[tuple[int, ...]] = []
    places: list[int] = []
    parts: list[tuple[Array, Array, Array, Array]] = []
    for found in np.unique(code).tolist():
        if found == 0:
            continue
        patterns.append(tuple(a for a in range(q) if found >> a & 1))
        for s in range(design.shape[0]):
            member = ((code == found) & (group == s)).astype(np.float64)
            u = [member] if x is None else [member, member * x]
            if x is not None:
                numbers = np.empty((2, 2, y.shape[2]))
                numbers[0, 0] = member.sum(axis=0)
                numbers[0, 1] = numbers[1, 0] = u[1].sum(axis=0)
                numbers[1, 1] = _sum(u[1], x)
            else:
                numbers = member.sum(axis=0)[None, None]
            sums = np.stack([np.stack([_sum(one, y[:, a]) for a in range(q)]) for one in u])
            squares = np.zeros((q, q, y.shape[2]))
            for a in patterns[-1]:
                weighted = member * y[:, a]
                for b in patterns[-1]:
                    if b <= a:
                        squares[a, b] = squares[b, a] = _sum(weighted, y[:, b])
            places.append(len(patterns) - 1)
            parts.append((design[s], numbers, sums, squares))
    if not parts:  # nobody observed in any trial: one empty cell, which no trial can be estimated from
        patterns, places = [tuple(range(q))], [0]
        u_count = design.shape[1]
        parts = [(design[0], np.zeros((u_count, u_count, BLOCK)), np.zeros((u_count, q, BLOCK)),
                  np.zeros((q, q, BLOCK)))]  # fmt: skip
    f, numbers_, sums_, squares_ = (np.stack(part) for part in zip(*parts, strict=True))
    return _Cells(tuple(patterns), np.array(places), f, numbers_, sums_, squares_)


def _sum(a: Array, b: Array) -> Array:
    return np.asarray(np.einsum("nt,nt->t", a, b))


@dataclass(frozen=True, eq=False)
class _State:
    """The restricted likelihood of many trials at their θ."""

    ok: Flags
    value: Array
    gradient: Array  # (k, T)
    hessian: Array  # (k, k, T)
    expected: Array  # (k, k, T)
    w: Array  # (C, q, q, T)
    g: Array  # W F_u: (C, U, q, p, T)
    beta: Array  # (p, T)
    phi: Array  # (p, p, T)
    s_j: Array  # (k, p, p, T)


def _inverses(cells: _Cells, sigma: Array) -> tuple[Array, Array, Flags]:
    """W, Σ_c N log |V| and whether Σ is positive definite."""
    q, trials = sigma.shape[0], sigma.shape[2]
    w = np.zeros((len(cells.patterns), q, q, trials))
    logs = np.zeros((len(cells.patterns), trials))
    _, ok = cholesky(sigma)
    for m, visits in enumerate(cells.patterns):
        have = np.ix_(visits, visits)
        root, fine = cholesky(sigma[have])
        ok = ok & fine
        w[m][have] = inverse(root)
        logs[m] = log_determinant(root)
    people = cells.n[:, 0, 0]
    return w[cells.pattern], np.asarray((people * logs[cells.pattern]).sum(axis=0)), ok


def _evaluate(cells: _Cells, basis: Array, theta: Array) -> _State:
    k, q = basis.shape[0], basis.shape[1]
    flat = basis.reshape(k, q * q)
    trials = theta.shape[1]
    sigma = (flat.T @ theta).reshape(q, q, trials)
    with np.errstate(all="ignore"):  # trials that are not ok are flagged
        w, log_det, ok = _inverses(cells, sigma)
        f, n, y = cells.f, cells.n, cells.y
        g = np.einsum("cabt,cubp->cuapt", w, f)
        ng = n[:, 0, 0, None, None, None] * g if n.shape[1] == 1 else np.einsum("cuvt,cvapt->cuapt", n, g)
        xwx = np.einsum("cuap,cuart->prt", f, ng)
        root, fine = cholesky(xwx)
        ok = ok & fine
        phi = inverse(root)
        beta = np.einsum("prt,rt->pt", phi, np.einsum("cuapt,cuat->pt", g, y))
        fitted = np.einsum("cuap,pt->cuat", f, beta)
        nf = n[:, 0, 0, None, None] * fitted if n.shape[1] == 1 else np.einsum("cuvt,cvat->cuat", n, fitted)
        left = y - nf  # ε_u
        # An absent visit of a cell has a fitted value all the same; W is zero there, so it never counts.
        ee = cells.yy - np.einsum("cuat,cubt->cabt", fitted, y) - np.einsum("cuat,cubt->cabt", left, fitted)
        wee = np.einsum("cabt,cbdt->cadt", w, ee)
        a = np.einsum("cabt,cbdt->cadt", wee, w)
        kk = np.einsum("cuapt,cubpt->cabt", np.einsum("cuapt,prt->cuart", ng, phi), g)
        nw = n[:, 0, 0, None, None] * w
        value = log_det + log_determinant(root) + np.einsum("caat->t", wee)
        gradient = flat @ (nw - kk - a).sum(axis=0).reshape(q * q, trials)
        second = _pairs(flat, w, 2.0 * (a + kk) - nw)
        s_j = _project(flat, np.einsum("cuapt,cubrt->abprt", g, ng))
        e_j = _project(flat, np.einsum("cuapt,cubt->abpt", g, np.einsum("cabt,cubt->cuat", w, left)))
        phi_s = np.einsum("prt,krst->kpst", phi, s_j)
        both = np.einsum("jpst,kspt->jkt", phi_s, phi_s)
        hessian = second - both - 2.0 * np.einsum("jpt,kpt->jkt", e_j, np.einsum("prt,krt->kpt", phi, e_j))
        expected = _pairs(flat, w, nw - 2.0 * kk) + both
    ok = ok & np.isfinite(value)
    return _State(ok, value, gradient, hessian, expected, w, g, beta, phi, s_j)


def _pairs(flat: Array, w: Array, d: Array) -> Array:
    """Σ_c tr B_j W B_k D, symmetric, shape (k, k, T)."""
    k, q, trials = flat.shape[0], w.shape[1], w.shape[3]
    product = np.einsum("cabt,cdxt->xabdt", w, d).reshape(q * q, q * q * trials)
    half = (flat @ product).reshape(k, q * q, trials)
    out = np.einsum("kx,jxt->jkt", flat, half)
    return np.asarray((out + np.swapaxes(out, 0, 1)) / 2.0)


def _project(flat: Array, entries: Array) -> Array:
    """Σ_ab B_j[a, b] entries[a, b, …], shape (k, …)."""
    rest = entries.shape[2:]
    return np.asarray((flat @ entries.reshape(flat.shape[1], -1)).reshape(flat.shape[0], *rest))


def _start(cells: _Cells, basis: Array) -> Array:
    """θ near the residual moments of least squares, made positive definite: where the full function begins, too.

    The same beginning and the same steps let the two agree to rounding unless the likelihood is all but flat.
    """
    k, q, p = basis.shape[0], basis.shape[1], cells.f.shape[3]
    trials = cells.y.shape[-1]
    with np.errstate(all="ignore"):
        present = np.zeros((len(cells.pattern), q))
        for c, m in enumerate(cells.pattern):
            present[c, list(cells.patterns[m])] = 1.0
        f = cells.f * present[:, None, :, None]
        products = np.einsum("cuap,cvar->prcuv", f, f)
        xx = (products.reshape(p * p, -1) @ cells.n.reshape(-1, trials)).reshape(p, p, trials)
        root, _ = cholesky(xx)
        beta = solve(root, np.einsum("cuap,cuat->pt", f, cells.y))
        fitted = np.einsum("cuap,pt->cuat", f, beta)
        left = cells.y - np.einsum("cuvt,cvat->cuat", cells.n, fitted)
        ee = cells.yy - np.einsum("cuat,cubt->cabt", fitted, cells.y) - np.einsum("cuat,cubt->cabt", left, fitted)
        both = present[:, :, None] * present[:, None, :]
        counts = np.einsum("ct,cab->abt", cells.n[:, 0, 0], both)
        moments = (ee * both[..., None]).sum(axis=0) / np.maximum(counts, 1.0)
        weights = basis.reshape(k, -1).sum(axis=1)
        diagonal = moments * np.eye(q)[:, :, None]
        largest = np.maximum(diagonal.max(axis=(0, 1)), 1e-300)
        theta = np.empty((k, trials))
        open_, shrink = np.arange(trials), 1.0
        for _ in range(40):
            some = moments[..., open_]
            theta[:, open_] = (
                np.einsum("kab,abt->kt", basis, shrink * some + (1.0 - shrink) * diagonal[..., open_])
                / weights[:, None]
            )
            _, ok = cholesky(np.einsum("kab,kt->abt", basis, theta[:, open_]) / largest[open_], 1e-4)
            open_, shrink = open_[~ok], shrink * 0.8
            if open_.size == 0:
                break
    return theta


def _fit(cells: _Cells, basis: Array, contrast: Array, method: DegreesOfFreedom) -> Estimates:
    """Two Fisher-scoring steps, then Newton steps, halved until the likelihood grows; each trial at its own pace."""
    trials = cells.y.shape[-1]
    result = np.full((3, trials), np.nan)
    theta = _start(cells, basis)
    active = np.arange(trials)
    sub = cells
    step = np.zeros_like(theta)
    scale, steps = np.ones(trials), np.zeros(trials, dtype=np.intp)
    value, length = np.full(trials, np.inf), np.full(trials, np.inf)
    for _ in range(_MOST_STEPS * 2):
        if active.size == 0:
            break
        candidate = theta[:, active] + scale[active] * step[:, active]
        state = _evaluate(sub, basis, candidate)
        better = state.ok & (state.value < value[active])
        # No better point at any step: rounding decides, if the optimum is near. The last θ is evaluated again.
        stuck = ~better & (scale[active] < _SMALLEST_STEP)
        direction, promised = _direction(state, newton=steps[active] >= _FISHER_STEPS)
        there = better & (promised < _CONVERGED)
        done = there | stuck
        if there.any():
            place = np.flatnonzero(there)
            result[:, active[place]] = _contrast(cells.of(active[place]), basis, _of(state, place), contrast, method)
        if stuck.any():
            near = active[stuck & (length[active] < 1e-6)]
            if near.size:
                again = cells.of(near)
                found = _evaluate(again, basis, theta[:, near])
                result[:, near] = _contrast(again, basis, found, contrast, method)
        went = active[better]
        theta[:, went] = candidate[:, better]
        step[:, went] = direction[:, better]
        value[went], length[went] = state.value[better], promised[better]
        scale[went] = 1.0
        steps[went] += 1
        # A first point that is no point at all cannot be halved towards anything.
        scale[active[~better]] *= 0.5
        lost = ~better & ~np.isfinite(value[active])
        active = active[~done & ~lost & (steps[active] <= _MOST_STEPS)]
        sub = cells.of(active)
    return Estimates.of(result[0], result[1], result[2])


def _fit_compiled(cells: _Cells, basis: Array, contrast: Array, method: DegreesOfFreedom) -> Estimates:
    """The compiled twin of :func:`_fit`."""
    assert reml is not None, "only called where the compiled engine is there"
    present = np.zeros((len(cells.patterns), basis.shape[1]), dtype=np.bool_)
    for m, visits in enumerate(cells.patterns):
        present[m, list(visits)] = True
    n, y, yy, start = (
        np.ascontiguousarray(np.moveaxis(part, -1, 0)) for part in (cells.n, cells.y, cells.yy, _start(cells, basis))
    )
    result = np.full((3, len(y)), np.nan)
    entries = np.argwhere(basis == 1.0)
    limits = np.array([_CONVERGED, _SMALLEST_STEP, float(_MOST_STEPS), float(_FISHER_STEPS)])
    adjust = method == "kenward_roger"
    reml(present, cells.pattern, cells.f, n, y, yy, basis, entries, contrast, adjust, start, limits, result)
    return Estimates.of(result[0], result[1], result[2])


def _direction(state: _State, *, newton: Flags) -> tuple[Array, Array]:
    """A step downhill for −2 log-likelihood, and the decrement it promises."""
    with np.errstate(all="ignore"):
        root, convex = cholesky(state.hessian)
        fisher, fine = cholesky(state.expected)
        use = newton & convex
        chosen = np.where(use, root, fisher)
        step = -solve(chosen, state.gradient)
        promised = -(step * state.gradient).sum(axis=0)
    usable = (use | fine) & np.isfinite(promised)
    return np.where(usable, step, 0.0), np.where(usable, promised, np.inf)


def _of(state: _State, place: npt.NDArray[np.intp]) -> _State:
    parts: dict[str, Any] = {name: getattr(state, name)[..., place] for name in _State.__dataclass_fields__}
    return _State(**parts)


def _contrast(cells: _Cells, basis: Array, state: _State, contrast: Array, method: DegreesOfFreedom) -> Array:
    """(estimate, variance, degrees of freedom), shape (3, T); NaN where the data do not determine Σ."""
    k, q = basis.shape[0], basis.shape[1]
    flat = basis.reshape(k, q * q)
    with np.errstate(all="ignore"):
        size = np.sqrt(np.abs(np.einsum("jjt->jt", state.hessian)))
        root, determined = cholesky(state.hessian / (size[:, None] * size[None, :]), 1e-9)
        c = 2.0 * inverse(root) / (size[:, None] * size[None, :])  # Cov(θ̂)
        phi_c = np.einsum("prt,r->pt", state.phi, contrast)
        variance = np.einsum("p,pt->t", contrast, phi_c)
        s_phi = np.einsum("kprt,rt->kpt", state.s_j, phi_c)
        slope = np.einsum("kpt,pt->kt", s_phi, phi_c)
        df = 2.0 * variance**2 / np.einsum("jt,jkt,kt->t", slope, c, slope, optimize=True)
        adjusted = variance
        if method == "kenward_roger":
            h = np.einsum("cuapt,pt->cuat", state.g, phi_c)
            nh = np.einsum("cuvt,cvat->cuat", cells.n, h)
            inner = _pairs(flat, state.w, np.einsum("cuat,cubt->cabt", h, nh))
            inner -= np.einsum("jpt,kpt->jkt", s_phi, np.einsum("prt,krt->kpt", state.phi, s_phi))
            adjusted = variance + 2.0 * np.einsum("jkt,jkt->t", c, inner)
        value = np.einsum("p,pt->t", contrast, state.beta)
    good = state.ok & determined
    return np.where(good, np.stack([value, adjusted, df]), np.nan)
