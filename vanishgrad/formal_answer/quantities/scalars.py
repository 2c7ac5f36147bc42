"""Worked examples in one or two dimensions, each computed from its cell: T2, T3, T7(b), T8, T10 to T13, R26."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import LSTM, RNN
from vanishgrad.cells.activations import SIGMOID
from vanishgrad.propagation.products.products import backward_products
from vanishgrad.propagation.run import run


def sigma(a: float) -> float:
    """Return the logistic function of one number."""
    return float(SIGMOID.phi(np.array(a)))


def scalar_lstm(
    recurrent: Mapping[str, float], biases: Mapping[str, float], inputs: Mapping[str, Sequence[float]] | None = None
) -> LSTM:
    """Return an LSTM of one unit from what is not zero, by gate."""
    width = len(next(iter(inputs.values()))) if inputs else 1
    rows = [list((inputs or {}).get(gate, [0.0] * width)) for gate in "ifgo"]
    W_hh = np.array([[recurrent.get(gate, 0.0)] for gate in "ifgo"])
    return LSTM(W_hh, np.array(rows), np.array([biases.get(gate, 0.0) for gate in "ifgo"]))


def product(cell: LSTM | RNN, xs: Array, s0: Array | None = None) -> Array:
    """Return ∂s_T/∂s_0 along inputs (T, d), unscaled."""
    start = np.zeros((1, cell.state_size)) if s0 is None else s0[None]
    *_, last = backward_products(cell, run(cell, xs[None], start), 1)
    matrix, log_scale = last.block(None, None)
    value: Array = matrix[0] * math.exp(log_scale[0])
    return value


def detours_cancel(steps: int = 30) -> dict[str, float]:
    """R26: W^g = -2, b_f = 3, b_o = 2: every forget gate is open, and detours cancel the conveyor."""
    J = product(scalar_lstm({"g": -2.0}, {"f": 3.0, "o": 2.0}), np.zeros((steps, 1)))
    return {
        "steps": float(steps), "forget": sigma(3.0), "conveyor": sigma(3.0) ** steps, "partial": float(J[1, 1]),
        "factor": sigma(3.0) - sigma(2.0), "closed_form": sigma(3.0) * (sigma(3.0) - sigma(2.0)) ** (steps - 1),
    }  # fmt: skip


def explosion(u: float = 3.0, steps: int = 20) -> dict[str, float]:
    """T7(b): an LSTM whose hidden state is bounded and whose gradient is u^T."""
    J = product(scalar_lstm({"g": u}, {"i": 40.0, "o": 40.0, "f": -40.0}), np.zeros((steps, 1)))
    return {"u": u, "steps": float(steps), "measured": float(J[0, 0]), "closed_form": u**steps}


def nilpotent(steps: int = 60) -> dict[str, float]:
    """T2: W = 3/2 [[1, -1], [1, -1]] has ρ(W) = 0; inputs that hold a_1 at 0 and saturate unit 2 make it explode."""
    W = 1.5 * np.array([[1.0, -1.0], [1.0, -1.0]])
    cell, h, xs = RNN(W, np.eye(2), np.zeros(2)), np.zeros(2), []
    for _ in range(steps):
        a = np.array([0.0, 40.0])
        xs.append(a - W @ h)
        h = np.tanh(a)
    J = product(cell, np.array(xs))
    return {
        "steps": float(steps), "norm_W": float(np.linalg.norm(W, 2)),
        "spectral_radius": float(np.abs(np.linalg.eigvals(W)).max()),
        "ratio": float(np.linalg.norm(J, 2)) / 1.5**steps, "norm": float(np.linalg.norm(J, 2)),
    }  # fmt: skip


def saturated(gain: float = 10.0, steps: int = 5) -> dict[str, float]:
    """T2 is not sufficient: W = 10 I, tanh, started at h = 1, vanishes all the same."""
    cell = RNN(gain * np.eye(1), np.eye(1), np.zeros(1))
    J = product(cell, np.zeros((steps, 1)), np.ones(1))
    return {"gain": gain, "steps": float(steps), "norm": abs(float(J[0, 0]))}


def infinity_norm(n: int = 9, entry: float = 0.9) -> dict[str, float]:
    """T1 in ‖·‖_∞ needs the constant √n: W = 0.9 · 1 e_1ᵀ."""
    W = np.zeros((n, n))
    W[:, 0] = entry
    return {
        "n": float(n),
        "entry": entry,
        "infinity": float(np.linalg.norm(W, np.inf)),
        "two": float(np.linalg.norm(W, 2)),
    }


def logistic(rate: float = 3.8, steps: int = 20_000, transient: int = 200) -> dict[str, float]:
    """T3(d): a map that keeps a region invariant with room to spare, and has a positive Lyapunov exponent."""
    a, total = 0.4, 0.0
    for t in range(transient + steps):
        if t >= transient:
            total += math.log(abs(rate * (1 - 2 * a)))
        a = rate * a * (1 - a)
    low, high = 0.1, 0.96
    image = (rate * high * (1 - high), rate / 4)
    return {
        "rate": rate, "exponent": total / steps, "low": low, "high": high,
        "image_low": image[0], "image_high": image[1], "margin": min(image[0] - low, high - image[1]),
    }  # fmt: skip


def unstable_latch(w: float = 2.0, low: float = 0.1) -> dict[str, float]:
    """T3(d) for tanh: a = 0.1 is an equilibrium under the largest noise that its region tolerates, and repels."""
    return {"w": w, "low": low, "noise": math.tanh(w * low) - low, "slope": w * (1 - math.tanh(w * low) ** 2)}


def slow_tanh(lags: Sequence[int] = (1, 10, 100, 1000)) -> dict[str, float]:
    """T3(e): h_t = tanh h_{t-1} from h_0 = 1 decays as T^(-3/2): dh_T/dh_0."""
    cell, sensitivity = RNN(np.eye(1), np.eye(1), np.zeros(1)), {}
    for lag in lags:
        sensitivity[f"at_{lag}"] = float(product(cell, np.zeros((lag, 1)), np.ones(1))[0, 0])
    return sensitivity


def latch(weights: Sequence[float] = (1.25, 1.5, 2.0)) -> list[dict[str, float]]:
    """T3(b): tanh(w a) latches at a*, and the log slope there is the price."""
    rows = []
    for w in weights:
        a = 1.0
        for _ in range(2000):
            a = math.tanh(w * a)
        rows.append({"w": w, "fixed_point": a, "slope": w * (1 - a * a), "log_slope": math.log(w * (1 - a * a))})
    return rows


def noise_accumulated(steps: int = 100) -> dict[str, float]:
    """T3(f): noise of size 1 per step on the conveyor, f = 1 and f = 1 - 1/T, relative to one step's noise."""
    leaky = 1 - 1 / steps
    return {"steps": float(steps), "open": float(steps), "leaky": steps * (1 - leaky**steps)}


def write_hold_read(steps: int, seed: int = 0) -> dict[str, float]:
    """T10: the net with keys: ∂h_T/∂signal_1 among distractors, and its floor.

    W_hx^i = (0, 2K), W_hx^g = (1, 0), b_i = -K, b_f = K, b_o = 2 with K = ln 20T; x_1 = (½, 1), later keys 0.
    """
    K = math.log(20 * steps)
    cell = scalar_lstm(
        {}, {"i": -K, "f": K, "o": 2.0}, {"i": (0.0, 2 * K), "g": (1.0, 0.0), "f": (0.0, 0.0), "o": (0.0, 0.0)}
    )
    xs = np.zeros((steps, 2))
    xs[:, 0] = np.random.default_rng(seed).uniform(-1, 1, steps)
    xs[0] = (0.5, 1.0)
    trajectory = run(cell, xs[None], np.zeros((1, 2)))
    products = backward_products(cell, trajectory, 1, input_lags={steps - 1})
    matrix, log_scale = next(product for product in products if product.lag == steps - 1).input_block()
    held = float(matrix[0, 0, 0]) * math.exp(log_scale[0])
    return {"steps": float(steps), "K": K, "measured": held, "floor": write_hold_read_floor()}


def write_hold_read_floor() -> float:
    """Return σ(2) sech²(tanh ½ + tanh(1)/20) e^(-1/20) (1 - tanh² ½) 20/21, which holds for every T."""
    largest_c = math.tanh(0.5) + math.tanh(1.0) / 20
    return sigma(2.0) / math.cosh(largest_c) ** 2 * math.exp(-1 / 20) * (1 - math.tanh(0.5) ** 2) * 20 / 21


def forget_bias(b: float, steps: int) -> dict[str, float]:
    """T8: what a forget gate of bias b keeps: σ(b), σ(b)^T, half-life and e-folding time."""
    log_f = -math.log1p(math.exp(-b))
    return {
        "bias": b,
        "gate": sigma(b),
        "kept": math.exp(steps * log_f),
        "half_life": math.log(2) / -log_f,
        "e_folding": -1 / log_f,
    }


def bias_for(steps: int, share: float) -> float:
    """Return the least b with σ(b)^T ≥ δ: ln(δ^(1/T)/(1 - δ^(1/T)))."""
    root = share ** (1 / steps)
    return math.log(root / -math.expm1(math.log(share) / steps))


def chrono(steps: int) -> dict[str, float]:
    """T8(ii), (iii), (vi): b = ln(T - 1), what it keeps, the response it maximises, the mean under random chrono."""
    f = 1 - 1 / steps
    return {
        "steps": float(steps), "bias": math.log(steps - 1), "kept": f**steps, "response": (1 - f) * f ** (steps - 1),
        "e_folding": -1 / math.log(f), "mean_kept": chrono_mean(steps),
    }  # fmt: skip


def chrono_mean(steps: int, points: int = 20_001) -> float:
    """Return E σ(ln u)^T for u ~ U[1, T - 1]: σ(ln u) = u/(1 + u), by the trapezoid rule in ln u."""
    x = np.linspace(0.0, math.log(steps - 1), points)
    values = np.exp(x - steps * np.log1p(np.exp(-x)))
    return float(np.trapezoid(values, x)) / (steps - 2)


def zero_fixed_point(gain: float) -> dict[str, float]:
    """T7(a): the rate of a zero-bias LSTM at zero input, ½ + g/4 for iid candidate weights of gain g, n → ∞."""
    return {"gain": gain, "rate": 0.5 + gain / 4}


def three_of_four() -> dict[str, float]:
    """T7(c): n = 2, W^o = diag(8, 0): |det| < 4^n, and three of the four directions survive."""
    b = {"f": 40.0, "i": -40.0}
    W_hh = np.zeros((8, 2))
    W_hh[6, 0] = 8.0
    c = np.array([3.0, 1.0])
    # o_1 = 1/2 is a fixed point: 8 h_1 + b_o = 0 with h_1 = tanh(c_1)/2.
    output_bias = np.array([-8.0 * math.tanh(c[0]) / 2, 0.0])
    biases = np.concatenate([np.full(2, b["i"]), np.full(2, b["f"]), np.zeros(2), output_bias])
    cell = LSTM(W_hh, np.zeros((8, 1)), biases)
    h = np.array([0.5, sigma(0.0)]) * np.tanh(c)
    eigenvalues = np.sort(np.abs(np.linalg.eigvals(product(cell, np.zeros((1, 1)), np.concatenate([h, c])))))[::-1]
    return {"third": float(eigenvalues[2]), "first": float(eigenvalues[0]), "kept": float((eigenvalues > 0.99).sum())}


def eigenvalue_window(steps: int, loss: float) -> dict[str, float]:
    """T11(b): where all |λ_i(W_hh)| of an RNN lie that keeps every gradient within 1 ± δ over T steps."""
    low, high = (math.exp(math.log1p(sign * loss) / steps) for sign in (-1, 1))
    return {"steps": float(steps), "loss": loss, "low": low, "high": high, "width": high - low}


def samples_for_a_gap(rho: float, lag: int) -> dict[str, float]:
    """T12: ρ^(-2ℓ), by which a gap multiplies the samples that a learner needs."""
    rate = zero_fixed_point(1 / math.sqrt(3))["rate"]
    return {"rho": rho, "lag": float(lag), "factor": rho ** (-2 * lag), "default_factor": rate**-2}


def memory_sensitivity(f: float) -> dict[str, float]:
    """T13: mean squared derivative of the normalised memory in f and in its logit, and of the plain one in f."""
    open_part = 1 - f**2
    return {"in_f": open_part**-2, "in_b": (f / (1 + f)) ** 2, "plain": (1 + f**2) / open_part**3}
