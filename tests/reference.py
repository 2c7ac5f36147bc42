"""What the engine is judged by: each formula in its plainest form, sharing no line with the engine.

Steps are written for one trial, x (d,), s (m,); they take complex numbers, so that a complex step differentiates them.
"""

from __future__ import annotations

from collections.abc import Callable

import mpmath
import numpy as np

Array = np.ndarray
H = 1e-30
"""The complex step: no cancellation, so no smaller error is to be had in float64."""


def sigmoid(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))


def relu(a: Array) -> Array:
    return np.where(np.real(a) > 0, a, 0)


def linear(a: Array) -> Array:
    return a


def hard_sigmoid(a: Array) -> Array:
    y = a / 6 + 0.5
    return np.where(np.real(y) < 0, 0, np.where(np.real(y) > 1, 1, y))


def rnn(t: int, x: Array, s: Array, W_hh: Array, W_hx: Array, b: Array, phi: Callable = np.tanh) -> Array:
    return phi(W_hh @ s + W_hx @ x + b)


def untied_rnn(t: int, x: Array, s: Array, W_hh: Array, W_hx: Array, b: Array) -> Array:
    return np.tanh(W_hh[t - 1] @ s + W_hx @ x + b)


def lstm(
    t: int, x: Array, s: Array, W_hh: Array, W_hx: Array, b: Array,
    phi: Callable = np.tanh, gate: Callable = sigmoid, phi_c: Callable = np.tanh,
) -> Array:  # fmt: skip
    n = len(b) // 4
    h, c = s[:n], s[n:]
    a_i, a_f, a_g, a_o = np.split(W_hh @ h + W_hx @ x + b, 4)
    c = gate(a_f) * c + gate(a_i) * phi(a_g)
    return np.concatenate([gate(a_o) * phi_c(c), c])


def clipped(t: int, x: Array, s: Array, W_hh: Array, W_hx: Array, b: Array, clip: float = 1.0) -> Array:
    n = len(b) // 4
    h, c = s[:n], s[n:]
    a_i, a_f, a_g, a_o = np.split(W_hh @ h + W_hx @ x + b, 4)
    c = sigmoid(a_f) * c + sigmoid(a_i) * np.tanh(a_g)
    c = np.where(c.real > clip, clip, np.where(c.real < -clip, -clip, c))
    return np.concatenate([sigmoid(a_o) * np.tanh(c), c])


def peephole(t: int, x: Array, s: Array, W_hh: Array, W_hx: Array, b: Array, w_c: Array) -> Array:
    n = len(b) // 4
    h, c = s[:n], s[n:]
    p_i, p_f, p_o = np.split(w_c, 3)
    a_i, a_f, a_g, a_o = np.split(W_hh @ h + W_hx @ x + b, 4)
    new = sigmoid(a_f + p_f * c) * c + sigmoid(a_i + p_i * c) * np.tanh(a_g)
    return np.concatenate([sigmoid(a_o + p_o * new) * np.tanh(new), new])


def coupled(t: int, x: Array, s: Array, W_hh: Array, W_hx: Array, b: Array, around: float = 0.0) -> Array:
    n = len(b) // 3
    f, g, o = np.split(W_hh @ s[:n] + W_hx @ x + b, 3)
    c = around + sigmoid(f) * (s[n:] - around) + (1 - sigmoid(f)) * (np.tanh(g) - around)
    return np.concatenate([sigmoid(o) * np.tanh(c), c])


def janet(t: int, x: Array, s: Array, W_hh: Array, W_hx: Array, b: Array, beta: Array) -> Array:
    f, n = np.split(W_hh @ s + W_hx @ x + b, 2)
    return sigmoid(f) * s + (1 - sigmoid(f - beta)) * np.tanh(n)


def ligru(t: int, x: Array, s: Array, W_hh: Array, W_hx: Array, b: Array) -> Array:
    z, n = np.split(W_hh @ s + W_hx @ x + b, 2)
    return sigmoid(z) * s + (1 - sigmoid(z)) * relu(n)


def indrnn(t: int, x: Array, s: Array, W_hx: Array, b: Array, u: Array) -> Array:
    return np.tanh(u * s + W_hx @ x + b)


def positive(a: Array) -> Array:
    return np.where(np.real(a) >= 0, a + 0.5, sigmoid(a))


def mingru(t: int, x: Array, s: Array, W_hx: Array, b: Array) -> Array:
    n, z = np.split(W_hx @ x + b, 2)
    return (1 - sigmoid(z)) * s + sigmoid(z) * positive(n)


def minlstm(t: int, x: Array, s: Array, W_hx: Array, b: Array) -> Array:
    n, f, i = np.split(W_hx @ x + b, 3)
    share = sigmoid(f) / (sigmoid(f) + sigmoid(i))
    return share * s + (1 - share) * positive(n)


def antisymmetric(
    t: int, x: Array, s: Array, W_hh: Array, W_hx: Array, b: Array, epsilon: float = 1, gamma: float = 0
) -> Array:
    return s + epsilon * np.tanh((W_hh - W_hh.T) @ s - gamma * s + W_hx @ x + b)


def lru(
    t: int, x: Array, s: Array, W_hx: Array, b: Array, nu_log: Array, theta_log: Array, gamma_log: Array
) -> Array:  # fmt: skip
    n = len(nu_log)
    size, angle, drive = np.exp(-np.exp(nu_log)), np.exp(theta_log), W_hx @ x + b
    re, im = size * np.cos(angle), size * np.sin(angle)
    return np.concatenate([
        re * s[:n] - im * s[n:] + np.exp(gamma_log) * drive[:n], im * s[:n] + re * s[n:] + np.exp(gamma_log) * drive[n:],
    ])  # fmt: skip


def mamba(
    t: int, x: Array, s: Array, W_hx: Array, b: Array, W_x: Array, W_dt: Array, b_dt: Array, A_log: Array
) -> Array:  # fmt: skip
    E, N = A_log.shape
    a = W_hx @ x + b
    u = a * sigmoid(a)
    projected = W_x @ u
    r, B = projected[:-N], projected[-N:]
    step = np.log(1 + np.exp(W_dt @ r + b_dt))
    S = np.exp(-step[:, None] * np.exp(A_log)) * s.reshape(E, N) + np.outer(step * u, B)
    return S.ravel()


def silu(a: Array) -> Array:
    return a * sigmoid(a)


def matrix_state(s: Array, n: int, keys: int, heads: int, step: Callable[[int, Array, int], Array]) -> Array:
    """Apply a head's step to the row (d_k,) of each of n value channels."""
    S = s.reshape(n, keys)
    return np.concatenate([step(j, S[j], j * heads // n) for j in range(n)])


def mamba2(t: int, x: Array, s: Array, W_hx: Array, b: Array, A_log: Array) -> Array:
    H, N = len(A_log), 3
    n = len(W_hx) - N - H
    a = W_hx @ x + b
    u, B, step = silu(a[:n]), silu(a[n : n + N]), np.log(1 + np.exp(a[n + N :]))

    def one(j: int, S: Array, h: int) -> Array:
        return np.exp(-step[h] * np.exp(A_log[h])) * S + step[h] * u[j] * B

    return matrix_state(s, n, N, H, one)


def deltanet(
    t: int, x: Array, s: Array, W_hx: Array, b: Array, A_log: Array | None = None, reach: float = 1.0
) -> Array:
    H, K = 2, 3
    n = len(W_hx) - H * K - H * (1 if A_log is None else 2)
    a = W_hx @ x + b
    v, kappa, beta = silu(a[:n]), silu(a[n : n + H * K]).reshape(H, K), reach * sigmoid(a[n + H * K :][:H])
    alpha = np.ones(H) if A_log is None else np.exp(-np.exp(A_log) * np.log(1 + np.exp(a[-H:])))

    def one(j: int, S: Array, h: int) -> Array:
        k = kappa[h] / np.sqrt(kappa[h] @ kappa[h] + 1e-6)
        return alpha[h] * (np.eye(K) - beta[h] * np.outer(k, k)) @ S + beta[h] * k * v[j]

    return matrix_state(s, n, K, H, one)


def rwkv7(
    t: int, x: Array, s: Array, W_hx: Array, b: Array,
    W_w: Array, w0: Array, W_a: Array, a0: Array, k_k: Array, k_a: Array,
) -> Array:  # fmt: skip
    H, K, R = 2, 3, W_w.shape[1]
    n = len(W_hx) - H * K - 2 * R
    v, k, of_w, of_a = np.split(W_hx @ x + b, [n, n + H * K, n + H * K + R])
    w = np.exp(-0.606531 * sigmoid(w0 + W_w @ np.tanh(of_w)))
    a = sigmoid(a0 + W_a @ of_a)
    erased, written = k * k_k, k * (1 + (a - 1) * k_a)

    def one(j: int, S: Array, h: int) -> Array:
        own = slice(h * K, (h + 1) * K)
        unit = erased[own] / np.sqrt(erased[own] @ erased[own])
        return S @ (np.diag(w[own]) - np.outer(unit, a[own] * unit)) + v[j] * written[own]

    return matrix_state(s, n, K, H, one)


def s4d(
    t: int, x: Array, s: Array, W_hx: Array, b: Array, Lambda_re: Array, Lambda_im: Array, log_step: Array
) -> Array:
    size, angle = np.exp(Lambda_re * np.exp(log_step)), Lambda_im * np.exp(log_step)
    (re, im), (x_re, x_im), (u_re, u_im) = (
        (size * np.cos(angle), size * np.sin(angle)),
        np.split(s, 2),
        np.split(W_hx @ x + b, 2),
    )
    return np.concatenate([re * x_re - im * x_im + u_re, im * x_re + re * x_im + u_im])


def lem(
    t: int, x: Array, s: Array, W_hx: Array, b: Array, W_hh: Array, W_ch: Array, reads: str = "new", dt: float = 1.0
) -> Array:
    n = len(b) // 4
    h, c = s[:n], s[n:]
    a_1, a_2, a_c, a_h = np.split(W_hx @ x + b, 4)
    (u_1, u_2, u_c), old = np.split(W_hh @ h, 3), c
    step_1, step_2 = dt * sigmoid(a_1 + u_1), dt * sigmoid(a_2 + u_2)
    c = (1 - step_2) * c + step_2 * np.tanh(a_c + u_c)
    return np.concatenate([(1 - step_1) * h + step_1 * np.tanh(a_h + W_ch @ (c if reads == "new" else old)), c])


def attention(t: int, x: Array, s: Array, W_hx: Array, b: Array, W_q: Array, W_k: Array, W_v: Array) -> Array:
    return W_hx @ x + b + 0 * s


def mlstm(t: int, x: Array, s: Array, W_hx: Array, b: Array) -> Array:
    H, K = 2, 3
    n = len(b) - H * K - 2 * H
    v, k, i, f = np.split(W_hx @ x + b, [n, n + H * K, n + H * K + H])
    k = k.reshape(H, K) / np.sqrt(K)
    return matrix_state(s, n, K, H, lambda j, S, h: sigmoid(f[h]) * S + np.exp(i[h]) * k[h] * v[j])


def slstm(t: int, x: Array, s: Array, W_hh: Array, W_hx: Array, b: Array) -> Array:
    h, r, nu = np.split(s, 3)
    a_i, a_f, a_z, a_o = np.split(W_hh @ h + W_hx @ x + b, 4)
    weight = sigmoid(a_f) * np.exp(nu) + np.exp(a_i)
    r = (sigmoid(a_f) * np.exp(nu) * r + np.exp(a_i) * np.tanh(a_z)) / weight
    return np.concatenate([sigmoid(a_o) * r, r, np.log(weight)])


def cfc(
    t: int, x: Array, s: Array, W_hh: Array, W_hx: Array, b: Array, W_out: Array, b_out: Array, dt: float = 1.0
) -> Array:
    v = 1.7159 * np.tanh(0.666 * (W_hh @ s + W_hx @ x + b))
    a_1, a_2, a_a, a_b = np.split(W_out @ v + b_out, 4)
    share = sigmoid(dt * a_a + a_b)
    return (1 - share) * np.tanh(a_1) + share * np.tanh(a_2)


def cornn(t: int, x: Array, s: Array, W_hh: Array, W_hx: Array, b: Array) -> Array:
    h, c = np.split(s, 2)
    c = c + 0.1 * (np.tanh(W_hh @ s + W_hx @ x + b) - h - c)
    return np.concatenate([h + 0.1 * c, c])


def layer_norm(v: Array, gain: Array, epsilon: float) -> Array:
    centred = v - v.mean()
    return gain * centred / np.sqrt((centred**2).mean() + epsilon)


def layer_norm_lstm(
    t: int, x: Array, s: Array, W_hh: Array, W_hx: Array, b: Array,
    gain_x: Array, gain_h: Array, gain_c: Array, shift_c: Array, epsilon: float = 1e-5,
) -> Array:  # fmt: skip
    n = len(shift_c)
    a = layer_norm(W_hx @ x, gain_x, epsilon) + layer_norm(W_hh @ s[:n], gain_h, epsilon) + b
    a_i, a_f, a_g, a_o = np.split(a, 4)
    written = sigmoid(a_f) * s[n:] + sigmoid(a_i) * np.tanh(a_g)
    c = layer_norm(written, gain_c, epsilon) + shift_c
    return np.concatenate([sigmoid(a_o) * np.tanh(c), c])


def projected(t: int, x: Array, s: Array, W_hh: Array, W_hx: Array, b: Array, W_hr: Array) -> Array:
    p, n = W_hr.shape
    whole = lstm(t, x, np.concatenate([np.zeros(n), s[p:]]), np.zeros((4 * n, n)), W_hx, b + W_hh @ s[:p])
    return np.concatenate([W_hr @ whole[:n], whole[n:]])


# Convex updates are written `around` a number, 0 in the papers: it changes nothing but what is rounded.


def gru_after(
    t: int, x: Array, s: Array, W_hh: Array, W_hx: Array, b: Array, b_hn: Array,
    phi: Callable = np.tanh, gate: Callable = sigmoid, around: float = 0.0,
) -> Array:  # fmt: skip
    (W_r, W_z, W_n), (x_r, x_z, x_n) = np.split(W_hh, 3), np.split(W_hx @ x + b, 3)
    r, z = gate(W_r @ s + x_r), gate(W_z @ s + x_z)
    candidate = phi(x_n + r * (W_n @ s + b_hn))
    return around + (1 - z) * (candidate - around) + z * (s - around)


def gru_before(
    t: int, x: Array, s: Array, W_hh: Array, W_hx: Array, b: Array, b_hn: Array,
    phi: Callable = np.tanh, gate: Callable = sigmoid, around: float = 0.0,
) -> Array:  # fmt: skip
    (W_r, W_z, W_n), (x_r, x_z, x_n) = np.split(W_hh, 3), np.split(W_hx @ x + b, 3)
    r, z = gate(W_r @ s + x_r), gate(W_z @ s + x_z)
    candidate = phi(x_n + W_n @ (r * s) + b_hn)
    return around + (1 - z) * (candidate - around) + z * (s - around)


def mgu(
    t: int, x: Array, s: Array, W_hh: Array, W_hx: Array, b: Array, b_hn: Array,
    reset: str = "before", keep: str = "new", phi: Callable = np.tanh, gate: Callable = sigmoid, around: float = 0.0,
) -> Array:  # fmt: skip
    (W_f, W_n), (x_f, x_n) = np.split(W_hh, 2), np.split(W_hx @ x + b, 2)
    f = gate(W_f @ s + x_f)
    inner = {"before": W_n @ (f * s) + b_hn, "after": f * (W_n @ s + b_hn), "none": W_n @ s + b_hn}[reset]
    candidate = phi(x_n + inner)
    kept, written = (1 - f, f) if keep == "new" else (f, 1 - f)
    return around + written * (candidate - around) + kept * (s - around)


def complex_step(f: Callable[[Array], Array], x: Array) -> Array:
    """Return df/dx, (outputs, x.size), one input at a time."""
    x = np.asarray(x, dtype=np.complex128)
    columns = []
    for index in np.ndindex(x.shape):
        moved = x.copy()
        moved[index] += 1j * H
        columns.append(np.imag(f(moved)).ravel() / H)
    return np.stack(columns, axis=-1)


def triple_loop(A: list[list], B: list[list]) -> list[list]:
    """Return A B, entry by entry, for numbers of any kind."""
    product = [[0 * A[0][0]] * len(B[0]) for _ in A]
    for i in range(len(A)):
        for j in range(len(B[0])):
            for k in range(len(B)):
                product[i][j] = product[i][j] + A[i][k] * B[k][j]
    return product


def products(jacobians: list[Array], number: Callable = float) -> list[list[list]]:
    """Return J_T … J_{k+1} for k = T, T - 1, …, 0, from J_1 … J_T."""
    m = len(jacobians[0])
    found = [[[number(i == j) for j in range(m)] for i in range(m)]]
    for J in reversed(jacobians):
        found.append(triple_loop(found[-1], [[number(entry) for entry in row] for row in J.tolist()]))
    return found


def log_norm(matrix: list[list]) -> float:
    """Return ln ‖A‖₂ of a matrix of mpmath numbers, from the SVD at the working precision."""
    return float(mpmath.log(max(mpmath.svd_r(mpmath.matrix(matrix), compute_uv=False))))
