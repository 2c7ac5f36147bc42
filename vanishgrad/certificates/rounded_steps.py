r"""Steps of a cell in float64, many inputs at once, with bounds of what rounding and a state that is off can do.

A step's Jacobian is diagonal matrices times blocks of W_hh; applied to a matrix P, its *coefficients* (what stands on
the diagonals) times the rows of Y = W_hh P, which all inputs x share. Everything is bounded in the 2-norm, by scalars
that hold for all inputs of a step:

* a pre-activation is off by ε = 2 (n + d + 8) u (|W_hh||h| + |W_hx||x| + |b|), coefficients and new states by
  δ = 8 (1 + S) (M + 4)² (ε + 2⁻⁴⁵): M - 1 is the largest |h|, |c| or number that a reset gate multiplies, S = 0, or
  the largest row sum of |W_hh^n| for a GRU (before), whose candidate holds a product with r h. A coefficient is a
  product of gates, slopes and at most one such number; |σ′| ≤ ¼, |σ″| ≤ 0.1, |tanh″| ≤ 0.77, and NumPy's functions are
  within 2⁻⁴⁸ of their value (`intervals`);
* so Ĵ is within δ (1 + A)^p (2 κ + 8) of the Jacobian at ŝ, A = ‖W_hh‖₂, κ the sum of the coefficients' largest sizes,
  p = 1, and 2 for a GRU (before), and that one within β e of the real one (`step_jacobians`), e ≥ ‖s - ŝ‖.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.cholesky import frobenius_up, gamma
from vanishgrad.certificates.intervals import MAX_UNDERFLOW, ROUNDOFF, UP
from vanishgrad.certificates.matrix_norms import quick_norm_up
from vanishgrad.certificates.step_jacobians import curvature
from vanishgrad.certificates.subject import CertifiedCell


@dataclass(frozen=True, eq=False)
class Steps:
    """What a step does from one state with each of S inputs.

    Attributes
    ----------
    states : (S, m) array
        After the step.
    coefficients : mapping of name → (S, n) array
    curvature : float
        β: by how much a Jacobian moves for each unit that the state before is off by.
    defect : float
        ‖ŝ_t - s_t‖₂ of a step from exactly the state before.
    rounding : float
        ‖Ĵ - J‖₂ at that state.
    norm : float
        An upper bound of ‖Ĵ‖₂.
    margin : float
        How far a relu's pre-activations are from 0 beyond their own error; infinite for other functions.
    """

    states: Array
    coefficients: Mapping[str, Array]
    curvature: float
    defect: float
    rounding: float
    norm: float
    margin: float


class RoundedSteps:
    """The step of a cell, and its Jacobian's action on matrices."""

    def __init__(self, target: CertifiedCell, inputs: Array) -> None:
        self.target, n = target, target.hidden_size
        self._W, V, b = (target.tensors[name] for name in ("W_hh", "W_hx", "b"))
        self._entered = inputs @ V.T + b
        self._masses = np.abs(inputs) @ np.abs(V).T + np.abs(b)
        self._terms = n + target.input_size + 8
        names = target.of_cell(["h"], list("ifgo"), list("rzn"))
        self._blocks = {name: self._W[j * n : (j + 1) * n] for j, name in enumerate(names)}
        self._norms = {name: quick_norm_up(block) for name, block in self._blocks.items()}
        self.weight_norm, self._frobenius = quick_norm_up(self._W), frobenius_up(self._W)
        is_before = target.reset == "before"
        self._power = 2 if is_before else 1
        self._row_sum = float(np.abs(self._blocks["n"]).sum(axis=1).max()) * UP if is_before else 0.0
        self._run = target.of_cell(self._rnn, self._lstm, self._gru)
        self._act = target.of_cell(self._rnn_product, self._lstm_product, self._gru_product)
        self._margin = np.inf

    def __call__(self, state: Array) -> Steps:
        """Return the steps from one state (m,) with every input."""
        h = state[: self.target.hidden_size]
        recurrent, self._margin = self._W @ h, np.inf
        mass = float((self._masses + np.abs(self._W) @ np.abs(h)).max(initial=0.0)) * UP
        epsilon = 2 * self._terms * ROUNDOFF * mass * UP
        states, coefficients, multiplied = self._run(state, recurrent, epsilon)
        largest = 1 + max(float(np.abs(each).max(initial=0.0)) for each in (state, states, multiplied)) * UP + epsilon
        delta = 8 * (1 + self._row_sum) * (largest + 4) ** 2 * (epsilon + 2.0**-45)
        sizes = {name: float(np.abs(each).max(initial=0.0)) + delta for name, each in coefficients.items()}
        rounding = delta * (1 + self.weight_norm) ** self._power * (2 * sum(sizes.values()) + 8) * UP
        beta = curvature(self.target, largest + 1, self.weight_norm)
        defect = float(np.sqrt(states.shape[1])) * delta * UP
        return Steps(states, coefficients, beta, defect, rounding, self._norm_up(sizes), self._margin)

    def shared(self, P: Array) -> Array:
        """Return Y = W_hh P_h, which the products of all inputs share."""
        return self._W @ P[: self.target.hidden_size]

    def products(self, steps: Steps, which: slice, P: Array, Y: Array) -> Array:
        """Return Ĵ P for some of the inputs, (…, m, k), within `product_error`."""
        result: Array = self._act({name: each[which] for name, each in steps.coefficients.items()}, P, Y)
        return result

    def product_error(self, steps: Steps, P: Array, Y: Array) -> float:
        """Return an upper bound of ‖fl(Ĵ P) - Ĵ P‖_F: products of length n, and at most 16 further operations."""
        kappa = sum(float(np.abs(each).max(initial=0.0)) for each in steps.coefficients.values())
        length = float(gamma(self.target.hidden_size + 16))
        sizes = frobenius_up(P) * (1 + self._frobenius) + frobenius_up(Y)
        return 4 * (1 + kappa) ** 2 * (1 + self._frobenius) ** (self._power - 1) * length * sizes * UP + MAX_UNDERFLOW

    def _norm_up(self, sizes: Mapping[str, float]) -> float:
        """Return an upper bound of ‖Ĵ‖₂ for coefficients of the given sizes."""
        W = self._norms
        if not self.target.is_gated:
            return sizes["h"] * W["h"] * UP
        if self.target.has_cell_state:
            C = sum(sizes[gate] * W[gate] for gate in "ifg")
            top = sizes["o"] * W["o"] + sizes["E"] * (C + sizes["F"])
            return float(np.hypot(top, C + sizes["F"])) * UP
        rest = sizes["z"] * W["z"] + sizes["Z"]
        if self.target.reset == "before":
            return (rest + sizes["w"] * W["n"] * (sizes["R"] + sizes["r"] * W["r"])) * UP
        return (rest + sizes["n"] * W["n"] + sizes["r"] * W["r"]) * UP

    def _rnn(self, h: Array, recurrent: Array, epsilon: float) -> tuple[Array, dict[str, Array], Array]:
        a, name = self._entered + recurrent, self.target.activation
        if name == "linear":
            return a, {"h": np.ones_like(a)}, h
        if name == "relu":
            self._margin = float(np.abs(a).min(initial=np.inf)) - epsilon
            return np.maximum(a, 0), {"h": (a > 0).astype(np.float64)}, h
        if name == "sigmoid":
            return _sigma(a), {"h": _sigma(a) * _sigma(-a)}, h
        return np.tanh(a), {"h": _sech2(a)}, h

    def _rnn_product(self, x: Mapping[str, Array], P: Array, Y: Array) -> Array:
        return x["h"][..., None] * Y

    def _lstm(self, s: Array, recurrent: Array, epsilon: float) -> tuple[Array, dict[str, Array], Array]:
        n = self.target.hidden_size
        c, (a_i, a_f, a_g, a_o) = s[n:], np.split(self._entered + recurrent, 4, axis=1)
        i, f, o, g = _sigma(a_i), _sigma(a_f), _sigma(a_o), np.tanh(a_g)
        new_c = f * c + i * g
        y = np.tanh(new_c)
        coefficients = {
            "i": g * i * _sigma(-a_i),
            "f": c * f * _sigma(-a_f),
            "g": i * _sech2(a_g),
            "o": y * o * _sigma(-a_o),
            "E": o * _sech2(new_c),
            "F": f,
        }
        return np.concatenate([o * y, new_c], axis=1), coefficients, s

    def _lstm_product(self, x: Mapping[str, Array], P: Array, Y: Array) -> Array:
        n = self.target.hidden_size
        i, f, g, o = (x[gate][..., None] * Y[j * n : (j + 1) * n] for j, gate in enumerate("ifgo"))
        C = i + f + g + x["F"][..., None] * P[n:]
        return np.concatenate([o + x["E"][..., None] * C, C], axis=-2)

    def _gru(self, h: Array, recurrent: Array, epsilon: float) -> tuple[Array, dict[str, Array], Array]:
        n, b_hn, is_after = self.target.hidden_size, self.target.tensors["b_hn"], self.target.reset == "after"
        a_r, a_z = (self._entered[:, j * n : (j + 1) * n] + recurrent[j * n : (j + 1) * n] for j in range(2))
        r, z, entered = _sigma(a_r), _sigma(a_z), self._entered[:, 2 * n :]
        multiplied = recurrent[2 * n :] + b_hn if is_after else h
        a_n = entered + (r * multiplied if is_after else (r * h) @ self._blocks["n"].T + b_hn)
        y, write, through = np.tanh(a_n), _sigma(-a_z) * _sech2(a_n), multiplied * r * _sigma(-a_r)
        moving = {"n": write * r, "r": write * through} if is_after else {"w": write, "r": through, "R": r}
        coefficients = {"z": (h - y) * z * _sigma(-a_z), "Z": z, **moving}
        return _sigma(-a_z) * y + z * h, coefficients, np.concatenate([multiplied, b_hn])

    def _gru_product(self, x: Mapping[str, Array], P: Array, Y: Array) -> Array:
        n = self.target.hidden_size
        r_part = x["r"][..., None] * Y[:n]
        kept = x["Z"][..., None] * P + x["z"][..., None] * Y[n : 2 * n]
        if self.target.reset == "after":
            return kept + x["n"][..., None] * Y[2 * n :] + r_part
        return kept + x["w"][..., None] * (self._blocks["n"] @ (x["R"][..., None] * P + r_part))


def _sigma(a: Array) -> Array:
    value: Array = 1 / (1 + np.exp(-a))
    return value


def _sech2(a: Array) -> Array:
    e = np.exp(-2 * np.abs(a))
    value: Array = 4 * e / (1 + e) ** 2
    return value
