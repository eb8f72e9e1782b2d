"""Kernels for numba. Letters as in the plain twins, which stand beside their callers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

_LN2 = math.log(2.0)
_ROOT_HALF_BITS = 0x95F6400000000  # mantissa bits above √2, so that the mantissa m below lies within [√½, √2)


@njit(cache=True, nogil=True, error_model="numpy")
def box_muller(raw: Any, out: Any) -> None:
    """``raw``: 64 random bits, (trials, 4); ``out``: four normal numbers of each trial, (4, trials).

    Logarithm, sine and cosine are series (atanh; Taylor around the nearest quarter turn) without a branch, so that
    the processor does eight trials at a time.
    """
    unit = 2.0**-53
    trials = raw.shape[0]
    first, second = np.empty(trials, np.int64), np.empty(trials, np.int64)
    for pair in range(2):
        for t in range(trials):  # the long loop below is fast on neighbours only
            first[t] = np.int64(raw[t, 2 * pair] >> np.uint64(11))
            second[t] = np.int64(raw[t, 2 * pair + 1] >> np.uint64(11))
        one, other = out[2 * pair], out[2 * pair + 1]
        for t in range(trials):
            u = (float(first[t]) + 0.5) * unit
            bits = np.float64(u).view(np.int64)
            e = ((bits + _ROOT_HALF_BITS) >> 52) - 1023
            m = np.int64(bits - (e << 52)).view(np.float64)
            r = (m - 1.0) / (m + 1.0)
            z = r * r
            tail = 1 / 11 + z * (1 / 13 + z * (1 / 15 + z * (1 / 17 + z * (1 / 19 + z / 21))))
            log_m = 2.0 * r * (1 + z * (1 / 3 + z * (1 / 5 + z * (1 / 7 + z * (1 / 9 + z * tail)))))
            length = math.sqrt(-2.0 * (log_m + e * _LN2))
            turn = 4.0 * ((float(second[t]) + 0.5) * unit)
            quarter = math.floor(turn + 0.5)
            x = (turn - quarter) * (math.pi / 2.0)
            y = x * x
            s = 1 - y * (1 / 72) * (1 - y * (1 / 110) * (1 - y * (1 / 156) * (1 - y * (1 / 210))))
            s = x * (1 - y * (1 / 6) * (1 - y * (1 / 20) * (1 - y * (1 / 42) * s)))
            c = 1 - y * (1 / 56) * (1 - y * (1 / 90) * (1 - y * (1 / 132) * (1 - y * (1 / 182))))
            c = 1 - y * (1 / 2) * (1 - y * (1 / 12) * (1 - y * (1 / 30) * c))
            i = np.int64(quarter)
            odd = (i & 1) == 1
            sine = (c if odd else s) * (1 - (i & 2))
            cosine = (s if odd else c) * (1 - ((i + 1) & 2))
            one[t] = length * cosine
            other[t] = length * sine


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _cholesky(a: Any, root: Any, k: int, least: float) -> bool:
    """L with LL' = a (first k rows) into ``root``; whether every pivot was above ``least``."""
    for j in range(k):
        pivot = a[j, j]
        for m in range(j):
            pivot -= root[j, m] * root[j, m]
        if not pivot > least:
            return False
        root[j, j] = math.sqrt(pivot)
        for i in range(j + 1, k):
            s = a[i, j]
            for m in range(j):
                s -= root[i, m] * root[j, m]
            root[i, j] = s / root[j, j]
    return True


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _inverse(root: Any, half: Any, out: Any, k: int) -> None:
    """(LL')⁻¹ into ``out``; ``half`` is room for L⁻¹."""
    for j in range(k):
        half[j, j] = 1.0 / root[j, j]
        for i in range(j + 1, k):
            s = 0.0
            for m in range(j, i):
                s += root[i, m] * half[m, j]
            half[i, j] = -s / root[i, i]
    for i in range(k):
        for j in range(i + 1):
            s = 0.0
            for m in range(i, k):
                s += half[m, i] * half[m, j]
            out[i, j] = s
            out[j, i] = s


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _solve(root: Any, b: Any, x: Any, k: int) -> None:
    """x with LL'x = b."""
    for i in range(k):
        s = b[i]
        for m in range(i):
            s -= root[i, m] * x[m]
        x[i] = s / root[i, i]
    for back in range(k):
        i = k - 1 - back
        s = x[i]
        for m in range(i + 1, k):
            s -= root[m, i] * x[m]
        x[i] = s / root[i, i]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _weigh(theta: Any, basis: Any, present: Any, used: Any, w: Any, logs: Any, room: Any) -> bool:
    """W and log |V| of every pattern that is used; False where Σ(θ) is not positive definite."""
    k, q = basis.shape[0], basis.shape[1]
    sigma, part, root, half, small = room[0], room[1], room[2], room[3], room[4]
    for a in range(q):
        for b in range(q):
            s = 0.0
            for j in range(k):
                s += theta[j] * basis[j, a, b]
            sigma[a, b] = s
    if not _cholesky(sigma, root, q, 0.0):
        return False
    visits = np.empty(q, np.int64)
    for m in range(present.shape[0]):
        if not used[m]:
            continue
        have = 0
        for a in range(q):
            if present[m, a]:
                visits[have] = a
                have += 1
        for i in range(have):
            for j in range(have):
                part[i, j] = sigma[visits[i], visits[j]]
        if not _cholesky(part, root, have, 0.0):
            return False
        _inverse(root, half, small, have)
        total = 0.0
        for i in range(have):
            total += math.log(root[i, i])
        logs[m] = 2.0 * total
        w[m] = 0.0
        for i in range(have):
            for j in range(have):
                w[m, visits[i], visits[j]] = small[i, j]
    return True


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _pair_sums(  # noqa: PLR0917  # compiled functions take no keywords
    w: Any, d: Any, cells: Any, count: int, pattern: Any, entries: Any, room: Any, out: Any
) -> None:
    """Σ_c tr B_j W B_k D, symmetric; ``entries`` lists (j, row, column) where B_j is 1."""
    q = w.shape[1]
    room[:] = 0.0
    for n in range(count):
        c = cells[n]
        m = pattern[c]
        for a in range(q):
            for b in range(q):
                v = w[m, a, b]
                if v != 0.0:
                    for e in range(q):
                        for x in range(q):
                            room[a, b, e, x] += v * d[c, e, x]
    out[:] = 0.0
    for one in range(entries.shape[0]):
        j, x, a = entries[one]
        for other in range(entries.shape[0]):
            k, b, e = entries[other]
            out[j, k] += room[a, b, e, x]
    size = out.shape[0]
    for j in range(size):
        for k in range(j):
            mean = (out[j, k] + out[k, j]) / 2.0
            out[j, k] = mean
            out[k, j] = mean


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})
def reml(  # noqa: PLR0917  # compiled functions take no keywords
    present: Any, pattern: Any, f: Any, n: Any, y: Any, yy: Any, basis: Any, entries: Any, contrast: Any,
    kenward_roger: bool, start: Any, limits: Any, result: Any,
) -> None:  # fmt: skip
    """The plain twin is ``mixed._fit``; letters as there. ``limits``: converged, smallest step, most steps,
    Fisher steps.

    ``n`` (T, C, U, U), ``y`` (T, C, U, q), ``yy`` (T, C, q, q) and ``start`` (T, k) have the trial first here.
    """
    trials, cell_count, u_count, q = y.shape
    p, k = f.shape[3], basis.shape[0]
    most = max(p, q, k)
    room, pair_room = np.empty((5, most, most)), np.empty((q, q, q, q))
    used, cells = np.zeros(present.shape[0], np.bool_), np.empty(cell_count, np.int64)
    w, logs = np.zeros((present.shape[0], q, q)), np.zeros(present.shape[0])
    g, ng = np.empty((cell_count, u_count, q, p)), np.empty((cell_count, u_count, q, p))
    xwx, phi, s_j, phi_s = np.empty((p, p)), np.empty((p, p)), np.empty((k, p, p)), np.empty((k, p, p))
    phi_st = np.empty((k, p, p))
    t4, gphi = np.empty((q, q, p, p)), np.empty((q, p))
    xwy, beta = np.empty(p), np.empty(p)
    fitted, left, wl = np.empty((u_count, q)), np.empty((u_count, q)), np.empty((u_count, q))
    ee, wee = np.empty((q, q)), np.empty((q, q))
    d, d_expected, total = np.empty((cell_count, q, q)), np.empty((cell_count, q, q)), np.empty((q, q))
    e4, e_j, phi_e = np.empty((q, q, p)), np.empty((k, p)), np.empty(p)
    traces = np.empty((k, k))
    gradient, hessian, expected, scaled = np.empty(k), np.empty((k, k)), np.empty((k, k)), np.empty((k, k))
    theta, candidate, step, direction = np.empty(k), np.empty(k), np.zeros(k), np.empty(k)
    h_root, h_half, covariance, size = np.empty((k, k)), np.empty((k, k)), np.empty((k, k)), np.empty(k)
    phi_c, s_phi, phi_s_phi, slope = np.empty(p), np.empty((k, p)), np.empty((k, p)), np.empty(k)
    h = np.empty((u_count, q))
    # Most columns of the design are zero in a cell of one group: only the others are visited.
    columns, column_count = np.empty((cell_count, p), np.int64), np.zeros(cell_count, np.int64)
    for c in range(cell_count):
        for r in range(p):
            if np.any(f[c, :, :, r] != 0.0):
                columns[c, column_count[c]] = r
                column_count[c] += 1
    g[:] = 0.0
    ng[:] = 0.0
    for trial in range(trials):
        used[:] = False
        count = 0
        for c in range(cell_count):
            if n[trial, c, 0, 0] > 0.0:
                cells[count] = c
                count += 1
                used[pattern[c]] = True
        theta[:] = start[trial]
        step[:] = 0.0
        scale, steps, value, length = 1.0, 0, np.inf, np.inf
        last = False  # θ is evaluated once more, to take its estimates
        for _ in range(int(limits[2]) * 2):
            for j in range(k):
                candidate[j] = theta[j] if last else theta[j] + scale * step[j]
            found = np.inf
            ok = _weigh(candidate, basis, present, used, w, logs, room)
            if ok:
                xwx[:] = 0.0
                xwy[:] = 0.0
                t4[:] = 0.0
                found = 0.0
                for place in range(count):
                    c = cells[place]
                    m = pattern[c]
                    found += n[trial, c, 0, 0] * logs[m]
                    width = column_count[c]
                    for u in range(u_count):
                        for a in range(q):
                            for i in range(width):
                                r = columns[c, i]
                                s = 0.0
                                for b in range(q):
                                    s += w[m, a, b] * f[c, u, b, r]
                                g[c, u, a, r] = s
                    for u in range(u_count):
                        for a in range(q):
                            for i in range(width):
                                r = columns[c, i]
                                s = 0.0
                                for v in range(u_count):
                                    s += n[trial, c, u, v] * g[c, v, a, r]
                                ng[c, u, a, r] = s
                    for u in range(u_count):
                        for a in range(q):
                            if not present[m, a]:
                                continue
                            seen = y[trial, c, u, a]
                            for i in range(width):
                                r = columns[c, i]
                                v = f[c, u, a, r]
                                xwy[r] += g[c, u, a, r] * seen
                                if v != 0.0:
                                    for i2 in range(width):
                                        r2 = columns[c, i2]
                                        xwx[r, r2] += v * ng[c, u, a, r2]
                                v = g[c, u, a, r]
                                for b in range(q):
                                    if present[m, b]:
                                        for i2 in range(width):
                                            r2 = columns[c, i2]
                                            t4[a, b, r, r2] += v * ng[c, u, b, r2]
                ok = _cholesky(xwx, room[0], p, 0.0)
            if ok:
                _inverse(room[0], room[1], phi, p)
                for r in range(p):
                    found += 2.0 * math.log(room[0, r, r])
                    s = 0.0
                    for r2 in range(p):
                        s += phi[r, r2] * xwy[r2]
                    beta[r] = s
                total[:] = 0.0
                e4[:] = 0.0
                for place in range(count):
                    c = cells[place]
                    m = pattern[c]
                    people = n[trial, c, 0, 0]
                    for u in range(u_count):
                        for a in range(q):
                            s = 0.0
                            for r in range(p):
                                s += f[c, u, a, r] * beta[r]
                            fitted[u, a] = s
                    for u in range(u_count):
                        for a in range(q):
                            s = y[trial, c, u, a]
                            for v in range(u_count):
                                s -= n[trial, c, u, v] * fitted[v, a]
                            left[u, a] = s
                    for a in range(q):
                        for b in range(q):
                            s = yy[trial, c, a, b]
                            for u in range(u_count):
                                s -= fitted[u, a] * y[trial, c, u, b] + left[u, a] * fitted[u, b]
                            ee[a, b] = s
                    for a in range(q):
                        for b in range(q):
                            s = 0.0
                            for e in range(q):
                                s += w[m, a, e] * ee[e, b]
                            wee[a, b] = s
                        found += wee[a, a]
                    for u in range(u_count):
                        for a in range(q):
                            s = 0.0
                            for b in range(q):
                                s += w[m, a, b] * left[u, b]
                            wl[u, a] = s
                    d[c] = 0.0
                    for u in range(u_count):
                        for a in range(q):
                            for i in range(column_count[c]):
                                r = columns[c, i]
                                s = 0.0
                                for i2 in range(column_count[c]):
                                    r2 = columns[c, i2]
                                    s += ng[c, u, a, r2] * phi[r2, r]
                                gphi[a, r] = s
                            for b in range(q):
                                s = 0.0
                                for i in range(column_count[c]):
                                    r = columns[c, i]
                                    s += gphi[a, r] * g[c, u, b, r]
                                d[c, a, b] += s  # K
                                v = wl[u, b]
                                if v != 0.0:
                                    for r in range(p):
                                        e4[a, b, r] += g[c, u, a, r] * v
                    for a in range(q):
                        for b in range(q):
                            s = 0.0
                            for e in range(q):
                                s += wee[a, e] * w[m, e, b]
                            kk, nw = d[c, a, b], people * w[m, a, b]
                            total[a, b] += nw - kk - s
                            d[c, a, b] = 2.0 * (s + kk) - nw
                            d_expected[c, a, b] = nw - 2.0 * kk
                ok = math.isfinite(found)
            better = ok and found < value
            if not last and not better:
                if not math.isfinite(value):
                    break
                if scale < limits[1]:
                    if not length < 1e-6:
                        break
                    last = True  # no better point at any step: rounding decides, and the optimum is near
                else:
                    scale *= 0.5
                continue
            gradient[:] = 0.0
            s_j[:] = 0.0
            e_j[:] = 0.0
            for one in range(entries.shape[0]):
                j, a, b = entries[one]
                gradient[j] += total[a, b]
                for r in range(p):
                    e_j[j, r] += e4[a, b, r]
                    for r2 in range(p):
                        s_j[j, r, r2] += t4[a, b, r, r2]
            phi_s[:] = 0.0
            for r in range(p):
                for m in range(p):
                    s = phi[r, m]
                    if s != 0.0:
                        for j in range(k):
                            for r2 in range(p):
                                phi_s[j, r, r2] += s * s_j[j, m, r2]
            for j in range(k):
                for r in range(p):
                    for r2 in range(p):
                        phi_st[j, r, r2] = phi_s[j, r2, r]
            _pair_sums(w, d, cells, count, pattern, entries, pair_room, hessian)
            for j in range(k):
                for r in range(p):
                    s = 0.0
                    for m in range(p):
                        s += phi[r, m] * e_j[j, m]
                    phi_e[r] = s
                for j2 in range(j + 1):
                    both, cross = 0.0, 0.0
                    for r in range(p):
                        cross += phi_e[r] * e_j[j2, r]
                        for r2 in range(p):
                            both += phi_s[j, r, r2] * phi_st[j2, r, r2]
                    hessian[j, j2] -= both + 2.0 * cross
                    hessian[j2, j] = hessian[j, j2]
                    traces[j, j2] = both
                    traces[j2, j] = both
            if not last:
                theta[:] = candidate
                value = found
                convex = steps >= limits[3] and _cholesky(hessian, h_root, k, 0.0)
                if not convex:  # only then is the expected information needed
                    _pair_sums(w, d_expected, cells, count, pattern, entries, pair_room, expected)
                    for j in range(k):
                        for j2 in range(k):
                            expected[j, j2] += traces[j, j2]
                    if not _cholesky(expected, h_root, k, 0.0):
                        break
                _solve(h_root, gradient, direction, k)
                length = 0.0
                for j in range(k):
                    step[j] = -direction[j]
                    length += direction[j] * gradient[j]
                steps += 1
                scale = 1.0
                if not length < limits[0]:
                    if steps > limits[2] or not math.isfinite(length):
                        break
                    continue
            for j in range(k):
                size[j] = math.sqrt(abs(hessian[j, j]))
            for j in range(k):
                for j2 in range(k):
                    scaled[j, j2] = hessian[j, j2] / (size[j] * size[j2])
            if not _cholesky(scaled, h_root, k, 1e-9):
                break
            _inverse(h_root, h_half, covariance, k)
            estimate, variance = 0.0, 0.0
            for r in range(p):
                s = 0.0
                for m in range(p):
                    s += phi[r, m] * contrast[m]
                phi_c[r] = s
            for r in range(p):
                estimate += contrast[r] * beta[r]
                variance += contrast[r] * phi_c[r]
            for j in range(k):
                slope[j] = 0.0
                for r in range(p):
                    s = 0.0
                    for m in range(p):
                        s += s_j[j, r, m] * phi_c[m]
                    s_phi[j, r] = s
                    slope[j] += s * phi_c[r]
                for r in range(p):
                    s = 0.0
                    for m in range(p):
                        s += phi[r, m] * s_phi[j, m]
                    phi_s_phi[j, r] = s
            spread, correction = 0.0, 0.0
            if kenward_roger:
                for place in range(count):
                    c = cells[place]
                    for u in range(u_count):
                        for a in range(q):
                            s = 0.0
                            for r in range(p):
                                s += g[c, u, a, r] * phi_c[r]
                            h[u, a] = s
                    for a in range(q):
                        for b in range(q):
                            s = 0.0
                            for u in range(u_count):
                                for v in range(u_count):
                                    s += n[trial, c, u, v] * h[u, a] * h[v, b]
                            d[c, a, b] = s
                _pair_sums(w, d, cells, count, pattern, entries, pair_room, scaled)
            for j in range(k):
                for j2 in range(k):
                    cov = 2.0 * covariance[j, j2] / (size[j] * size[j2])
                    spread += slope[j] * cov * slope[j2]
                    if kenward_roger:
                        inner = scaled[j, j2]
                        for r in range(p):
                            inner -= s_phi[j, r] * phi_s_phi[j2, r]
                        correction += cov * inner
            result[0, trial] = estimate
            result[1, trial] = variance + 2.0 * correction
            result[2, trial] = 2.0 * variance * variance / spread
            break
