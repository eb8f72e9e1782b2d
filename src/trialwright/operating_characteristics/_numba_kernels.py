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
    """``raw``: 64 random bits, (trials, 4); ``out``: two or four normal numbers of each trial, (2 or 4, trials).

    Logarithm, sine and cosine are series (atanh; Taylor around the nearest quarter turn) without a branch, so that
    the processor does eight trials at a time.
    """
    unit = 2.0**-53
    trials = raw.shape[0]
    first, second = np.empty(trials, np.int64), np.empty(trials, np.int64)
    for pair in range(out.shape[0] // 2):
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


@njit(cache=True, nogil=True, error_model="numpy")
def _pair_places(q: Any) -> Any:
    """Place of {a, b} among the q (q + 1) / 2 pairs, the same for (a, b) and (b, a)."""
    places, place = np.empty((q, q), np.int64), 0
    for a in range(q):
        for b in range(a, q):
            places[a, b] = place
            places[b, a] = place
            place += 1
    return places


@njit(cache=True, nogil=True, error_model="numpy")
def _couples(entries: Any, places: Any) -> Any:
    """Rows (j, k, pair of W, pair of D), k ≤ j, whose products add up to tr B_j W B_k D for symmetric W and D.

    ``entries`` lists (j, row, column) where B_j is 1.
    """
    size, count = entries.shape[0], 0
    found = np.empty((size * size, 4), np.int64)
    for one in range(size):
        j, x, a = entries[one]
        for other in range(size):
            k, b, e = entries[other]
            if k <= j:
                found[count, 0] = j
                found[count, 1] = k
                found[count, 2] = places[a, b]
                found[count, 3] = places[e, x]
                count += 1
    return found[:count].copy()


@njit(cache=True, nogil=True, error_model="numpy")
def _columns(f: Any) -> Any:
    """Which columns of R⁻¹ X' can be other than zero in each cell, where X'WX = RR': (columns, how many).

    Most columns of the design are zero in a cell of one group, and most of those stay zero: the others are the
    fill-in of the factor (George and Liu 1981), found once with true and false instead of numbers.
    """
    cell_count, p = f.shape[0], f.shape[3]
    own = np.zeros((cell_count, p), np.bool_)
    factor, back = np.zeros((p, p), np.bool_), np.zeros((p, p), np.bool_)
    for c in range(cell_count):
        for r in range(p):
            own[c, r] = np.any(f[c, :, :, r] != 0.0)
        for r in range(p):
            for m in range(r + 1):
                factor[r, m] |= own[c, r] and own[c, m]
    for j in range(p):
        for i in range(j + 1, p):
            for i2 in range(i, p):
                factor[i2, i] |= factor[i, j] and factor[i2, j]
    for r in range(p):
        back[r, r] = True
        for s in range(r):
            if factor[r, s]:
                for m in range(s + 1):
                    back[r, m] |= back[s, m]
    columns, widths = np.zeros((cell_count, p), np.int64), np.zeros(cell_count, np.int64)
    for c in range(cell_count):
        for r in range(p):
            if np.any(back[r] & own[c]):
                columns[c, widths[c]] = r
                widths[c] += 1
    return columns, widths


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _pair_sums(w: Any, d: Any, used: Any, couples: Any, room: Any, out: Any) -> None:
    """Σ tr B_j W B_k D over the patterns of visits; ``w`` and ``d`` hold one number a pair of visits."""
    size = w.shape[1]
    room[:] = 0.0
    for m in range(w.shape[0]):
        if used[m]:
            for one in range(size):
                v = w[m, one]
                for other in range(size):
                    room[one, other] += v * d[m, other]
    out[:] = 0.0
    for n in range(couples.shape[0]):
        out[couples[n, 0], couples[n, 1]] += room[couples[n, 2], couples[n, 3]]
    for j in range(out.shape[0]):
        for k in range(j):
            out[k, j] = out[j, k]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})
def reml(  # noqa: PLR0917  # compiled functions take no keywords
    present: Any, pattern: Any, f: Any, n: Any, y: Any, yy: Any, basis: Any, entries: Any, contrast: Any,
    kenward_roger: bool, start: Any, limits: Any, result: Any,
) -> None:  # fmt: skip
    """The plain twin is ``mixed._fit``; letters as there. ``limits``: converged, smallest step, most steps,
    Fisher steps.

    ``n`` (T, C, U, U), ``y`` (T, C, U, q), ``yy`` (T, C, q, q) and ``start`` (T, k) have the trial first here.

    With X'WX = RR' everything that the twin makes with Φ is made here with H_u = W F_u R⁻¹', where Φ is the unit
    matrix: Z_j = R⁻¹ S_j R⁻¹' is symmetric and mostly zero, tr Φ S_j Φ S_k = Σ Z_j ∘ Z_k, s_j'Φ s_k is the product of
    R⁻¹ s_j and R⁻¹ s_k, and K = Σ N_uv H_u H_v'. Of symmetric matrices one number a pair of visits is kept.
    """
    trials, cell_count, u_count, q = y.shape
    p, k, patterns = f.shape[3], basis.shape[0], present.shape[0]
    most = max(p, q, k)
    room = np.empty((5, most, most))
    pair = _pair_places(q)
    pairs = q * (q + 1) // 2
    couples = _couples(entries, pair)
    columns, widths = _columns(f)
    # The entries of Z_j that can be other than zero, below the diagonal twice.
    z_place, z_count = np.full((p, p), -1), 0
    twice = np.empty(p * (p + 1) // 2)
    for c in range(cell_count):
        for i in range(widths[c]):
            for i2 in range(i + 1):
                if z_place[columns[c, i], columns[c, i2]] < 0:
                    z_place[columns[c, i], columns[c, i2]] = z_count
                    twice[z_count] = 1.0 if i == i2 else 2.0
                    z_count += 1
    z_row, z_column = np.empty(z_count, np.int64), np.empty(z_count, np.int64)
    for r in range(p):
        for m in range(r + 1):
            if z_place[r, m] >= 0:
                z_row[z_place[r, m]] = r
                z_column[z_place[r, m]] = m
    used, cells = np.zeros(patterns, np.bool_), np.empty(cell_count, np.int64)
    w, logs = np.zeros((patterns, q, q)), np.zeros(patterns)
    w_pairs, d, d_expected = np.zeros((patterns, pairs)), np.empty((patterns, pairs)), np.empty((patterns, pairs))
    pair_room = np.empty((pairs, pairs))
    g, h, nh = np.zeros((cell_count, u_count, q, p)), np.empty((u_count, q, p)), np.empty((u_count, q, p))
    kept_h = np.empty((cell_count, u_count, q, p))
    xwx, xwy, beta, back = np.empty((p, p)), np.empty(p), np.empty(p), np.empty(p)
    fitted, left, wl = np.empty((u_count, q)), np.empty((u_count, q)), np.empty((u_count, q))
    ee, wee, total = np.empty((q, q)), np.empty((q, q)), np.empty(pairs)
    z_pairs, z, z_twice = np.empty((pairs, z_count)), np.empty((k, z_count)), np.empty(z_count)
    e_pairs, e_j = np.empty((pairs, p)), np.empty((k, p))
    gradient, hessian, traces = np.empty(k), np.empty((k, k)), np.empty((k, k))
    expected, scaled = np.empty((k, k)), np.empty((k, k))
    theta, candidate, step, direction = np.empty(k), np.empty(k), np.zeros(k), np.empty(k)
    h_root, h_half, covariance, size = np.empty((k, k)), np.empty((k, k)), np.empty((k, k)), np.empty(k)
    c_back, z_c, slope, h_c = np.empty(p), np.empty((k, p)), np.empty(k), np.empty((u_count, q))
    root, half = np.zeros((p, p)), np.zeros((p, p))
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
                found = 0.0
                for place in range(count):
                    c = cells[place]
                    m, width = pattern[c], widths[c]
                    found += n[trial, c, 0, 0] * logs[m]
                    for u in range(u_count):
                        for a in range(q):
                            if not present[m, a]:
                                for i in range(width):
                                    g[c, u, a, i] = 0.0
                                continue
                            for i in range(width):
                                r = columns[c, i]
                                s = 0.0
                                for b in range(q):
                                    s += w[m, a, b] * f[c, u, b, r]
                                g[c, u, a, i] = s
                                xwy[r] += s * y[trial, c, u, a]
                    for u in range(u_count):
                        for v in range(u_count):
                            people = n[trial, c, u, v]
                            for a in range(q):
                                if present[m, a]:
                                    for i in range(width):
                                        r = columns[c, i]
                                        s = people * f[c, u, a, r]
                                        if s != 0.0:
                                            for i2 in range(i + 1):
                                                xwx[r, columns[c, i2]] += s * g[c, v, a, i2]
                ok = _cholesky(xwx, root, p, 0.0)
            if ok:
                for j in range(p):
                    half[j, j] = 1.0 / root[j, j]
                    for i in range(j + 1, p):
                        s = 0.0
                        for m in range(j, i):
                            s += root[i, m] * half[m, j]
                        half[i, j] = -s / root[i, i]
                for r in range(p):
                    found += 2.0 * math.log(root[r, r])
                    s = 0.0
                    for m in range(r + 1):
                        s += half[r, m] * xwy[m]
                    back[r] = s
                for r in range(p):
                    s = 0.0
                    for m in range(r, p):
                        s += half[m, r] * back[m]
                    beta[r] = s
                total[:] = 0.0
                z_pairs[:] = 0.0
                e_pairs[:] = 0.0
                d[:] = 0.0
                d_expected[:] = 0.0
                for place in range(count):
                    c = cells[place]
                    m, width = pattern[c], widths[c]
                    people = n[trial, c, 0, 0]
                    for u in range(u_count):
                        for a in range(q):
                            s = 0.0
                            for i in range(width):
                                r = columns[c, i]
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
                            for i in range(width):
                                r = columns[c, i]
                                s = 0.0
                                for i2 in range(i + 1):
                                    s += half[r, columns[c, i2]] * g[c, u, a, i2]
                                h[u, a, i] = s
                                kept_h[c, u, a, i] = s
                    for u in range(u_count):
                        for a in range(q):
                            for i in range(width):
                                s = 0.0
                                for v in range(u_count):
                                    s += n[trial, c, u, v] * h[v, a, i]
                                nh[u, a, i] = s
                    for a in range(q):
                        for b in range(a, q):
                            one = pair[a, b]
                            s = 0.0
                            for e in range(q):
                                s += wee[a, e] * w[m, e, b]
                            kk, nw = 0.0, people * w[m, a, b]
                            for u in range(u_count):
                                for i in range(width):
                                    kk += h[u, a, i] * nh[u, b, i]
                            w_pairs[m, one] = w[m, a, b]
                            total[one] += nw - kk - s
                            d[m, one] += 2.0 * (s + kk) - nw
                            d_expected[m, one] += nw - 2.0 * kk
                            if not (present[m, a] and present[m, b]):
                                continue
                            for u in range(u_count):
                                for i in range(width):
                                    r = columns[c, i]
                                    ha, hb = h[u, a, i], h[u, b, i]
                                    if a == b:
                                        e_pairs[one, r] += ha * wl[u, a]
                                        for i2 in range(i + 1):
                                            z_pairs[one, z_place[r, columns[c, i2]]] += ha * nh[u, a, i2]
                                    else:
                                        e_pairs[one, r] += ha * wl[u, b] + hb * wl[u, a]
                                        for i2 in range(i + 1):
                                            z_pairs[one, z_place[r, columns[c, i2]]] += (
                                                ha * nh[u, b, i2] + hb * nh[u, a, i2]
                                            )
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
            z[:] = 0.0
            e_j[:] = 0.0
            for one in range(entries.shape[0]):
                j, a, b = entries[one]
                gradient[j] += total[pair[a, b]]
                if a <= b:
                    for r in range(p):
                        e_j[j, r] += e_pairs[pair[a, b], r]
                    for r in range(z_count):
                        z[j, r] += z_pairs[pair[a, b], r]
            _pair_sums(w_pairs, d, used, couples, pair_room, hessian)
            for j in range(k):
                for r in range(z_count):
                    z_twice[r] = twice[r] * z[j, r]
                for j2 in range(j + 1):
                    both, cross = 0.0, 0.0
                    for r in range(z_count):
                        both += z_twice[r] * z[j2, r]
                    for r in range(p):
                        cross += e_j[j, r] * e_j[j2, r]
                    hessian[j, j2] -= both + 2.0 * cross
                    hessian[j2, j] = hessian[j, j2]
                    traces[j, j2] = both
                    traces[j2, j] = both
            if not last:
                theta[:] = candidate
                value = found
                convex = steps >= limits[3] and _cholesky(hessian, h_root, k, 0.0)
                if not convex:  # only then is the expected information needed
                    _pair_sums(w_pairs, d_expected, used, couples, pair_room, expected)
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
                for m in range(r + 1):
                    s += half[r, m] * contrast[m]
                c_back[r] = s
                estimate += contrast[r] * beta[r]
                variance += s * s
            z_c[:] = 0.0
            for j in range(k):
                for one in range(z_count):
                    r, m = z_row[one], z_column[one]
                    z_c[j, r] += z[j, one] * c_back[m]
                    if r != m:
                        z_c[j, m] += z[j, one] * c_back[r]
                slope[j] = 0.0
                for r in range(p):
                    slope[j] += z_c[j, r] * c_back[r]
            spread, correction = 0.0, 0.0
            if kenward_roger:
                d[:] = 0.0
                for place in range(count):
                    c = cells[place]
                    for u in range(u_count):
                        for a in range(q):
                            s = 0.0
                            for i in range(widths[c]):
                                s += kept_h[c, u, a, i] * c_back[columns[c, i]]
                            h_c[u, a] = s
                    for a in range(q):
                        for b in range(a, q):
                            s = 0.0
                            for u in range(u_count):
                                for v in range(u_count):
                                    s += n[trial, c, u, v] * h_c[u, a] * h_c[v, b]
                            d[pattern[c], pair[a, b]] += s
                _pair_sums(w_pairs, d, used, couples, pair_room, scaled)
            for j in range(k):
                for j2 in range(k):
                    cov = 2.0 * covariance[j, j2] / (size[j] * size[j2])
                    spread += slope[j] * cov * slope[j2]
                    if kenward_roger:
                        inner = scaled[j, j2]
                        for r in range(p):
                            inner -= z_c[j, r] * z_c[j2, r]
                        correction += cov * inner
            result[0, trial] = estimate
            result[1, trial] = variance + 2.0 * correction
            result[2, trial] = 2.0 * variance * variance / spread
            break
