r"""Majorants of a gated cell's Jacobian over a box: row by row, and by the norms of its blocks.

Row by row, for x > 0: (|J_t| x)_j is a polynomial of the unit's own gates, and those are not independent of one
another's
derivatives: f and f' = f (1 - f) are never large at once. With p_g = |W^g| x_h,

    LSTM  c_j:  f x_c + f(1-f) c̄ p_f  +  i (1-g²) p_g + i(1-i) |g| p_i          =: r_c at its largest
          h_j:  o r_c + o(1-o) tanh(|c_t|) p_o
    GRU   h_j:  z x + (1-z) τ k + z(1-z) (h̄ + n̄) p_z,     k = r p_n + r(1-r) m̄ p_r (after), |W^n| (r x + r(1-r) h̄
    p_r) (before)

each concave and quadratic in the gate, maximised by ``peak``; |g| is cut into pieces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.boxes import Box
from vanishgrad.certificates.cholesky import norm_up
from vanishgrad.certificates.intervals import SLACK, Range, dot_up, round_up, tanh_up
from vanishgrad.certificates.subject import CertifiedCell

CANDIDATE_PIECES = 8
"""Pieces of the range of |g|."""
KEPT = "keep"
"""Stands for the diagonal z of a GRU's Jacobian among its gates."""
CHECKER_ROOM = 2.0**-90
"""Added to what saturated gates leave: the checker's own bounds of σ are 2⁻¹⁰⁰ wide."""


def peak(s: Range, x: Array, k: Array, G: Array) -> Array:
    r"""Return an upper bound of max s x + (1 - s) k + s (1 - s) G over s in a range within [0, 1]; x, k, G ≥ 0.

    Evaluated at the rounded maximiser ŝ. With M = x + k + G the evaluation is off by at most 16 u M. The maximiser
    s* = (x - k + G) / 2G is off by δ ≤ 4 u M / G, and moves the value by at most G min(δ, 1)² ≤ G δ ≤ 4 u M. 2⁻⁴⁶ M
    covers both.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        best = np.where(G > 0, (x - k + G) / (2 * G), np.where(x > k, 1.0, 0.0))
    best = np.clip(np.nan_to_num(best, nan=0.5), s.lo, s.hi)
    return best * x + (1 - best) * k + best * (1 - best) * G + 2.0**-46 * (x + k + G) + 2.0**-1000


def rows(subject: CertifiedCell, box: Box, x: Array) -> Array:
    """Return an upper bound of |J_t| x, (m,), for all inputs of all sub-boxes and all states of the box."""
    return (_lstm_rows if subject.has_cell_state else _gru_rows)(subject, box, x)


def _lstm_rows(subject: CertifiedCell, box: Box, x: Array) -> Array:
    n = subject.hidden_size
    p = {g: dot_up(np.abs(subject.gate("W_hh", g)), x[:n]) for g in "ifgo"}
    from_c = peak(box.gates["f"], x[n:], np.zeros(n), round_up(box.c * p["f"]))
    r_c = round_up(from_c + _written(box.gates["i"], box.gates["g"], p["i"], p["g"]))
    r_h = peak(box.gates["o"], r_c, np.zeros(n), round_up(tanh_up(box.c_next) * p["o"]))
    return np.concatenate([round_up(r_h).max(axis=0), r_c.max(axis=0)])


def _written(i: Range, g: Range, p_i: Array, p_g: Array) -> Array:
    """Return an upper bound of i (1 - g²) p_g + i (1 - i) g p_i: on a piece of g's range, 1 - g² at its lower end."""
    cuts = [g.lo + (g.hi - g.lo) * (piece / CANDIDATE_PIECES) for piece in range(CANDIDATE_PIECES)] + [g.hi]
    return np.max(
        [
            peak(i, round_up((1 - low) * (1 + low) * p_g), np.zeros_like(p_g), round_up(high * p_i))
            for low, high in pairwise(cuts)
        ],
        axis=0,
    )


def _gru_rows(subject: CertifiedCell, box: Box, x: Array) -> Array:
    U = {g: np.abs(subject.gate("W_hh", g)) for g in "rzn"}
    r, through = box.gates["r"], round_up(box.product * dot_up(U["r"], x))
    if subject.reset == "after":
        K = peak(r, dot_up(U["n"], x), np.zeros_like(x), through)
    else:
        K = dot_up(U["n"], peak(r, x, np.zeros_like(x), through).T).T
    through_z = round_up((box.h + box.gates["n"].hi) * dot_up(U["z"], x))
    return round_up(peak(box.gates["z"], x, round_up(box.candidate_slope * K), through_z)).max(axis=0)


@dataclass(frozen=True, eq=False)
class Factor:
    """A claim ‖diag(a) W^g‖₂ ≤ norm for the a of a gate: the part that it plays in a block's norm."""

    gate: str
    a: Array
    norm: float


@dataclass(frozen=True, eq=False)
class Joint:
    r"""A claim ‖Σ_g D_g W^g‖₂ ≤ norm for all diagonal |D_g| ≤ diag(a_g): the norm of a sum by one Gram matrix.

    (Σ_g d_g y_g)² ≤ (Σ_g d_g² / t_g²) (Σ_g t_g² y_g²) in each row, so for Σ_g a_g² / t_g² ≤ 1 the norm is at most that
    of the stacked diag(t_g) W^g, whose Gram matrix is Σ_g W^gᵀ diag(t_g²) W^g.
    """

    weights: Mapping[str, Array]
    norm: float


@dataclass(frozen=True, eq=False)
class WeightNorms:
    """Bounds over the box (T5, T6, T7a).

    Attributes
    ----------
    low, high : float
        keep gate f or z: all its entries lie between.
    eta : float
        ‖E‖ of an LSTM.
    joints : mapping of block → Joint
        LSTM: ``c``, C; ``h``, O + E C. GRU (after): ``h``, all of J, whose diag z is the gate `KEPT` with W = I.
    through : float
        ‖E F‖ of an LSTM.
    factors : tuple of Factor
        LSTM: ‖O‖ ≤ ω, the factor of gate o; ‖C‖ ≤ κ, the sum of those of i, f, g. GRU: those of z, n, r, with
        ‖J - diag z‖ ≤ z + n + r (after), z + n (r̄ + r) (before).
    """

    low: float
    high: float
    eta: float
    factors: tuple[Factor, ...]
    joints: Mapping[str, Joint]
    through: float

    def of(self, gate: str) -> float:
        """Return the norm of a gate's factor."""
        return next(each.norm for each in self.factors if each.gate == gate)


def norms(subject: CertifiedCell, box: Box) -> WeightNorms:
    """Return verified bounds of the blocks' norms; ‖diag(a) W‖ ≤ ‖diag(ā) W‖ for 0 ≤ a ≤ ā."""
    hi = {name: each.hi.max(axis=0) for name, each in box.gates.items()}
    slope = {name: _slope(box.gates[name], each) for name, each in box.complements.items()}
    tau = box.candidate_slope.max(axis=0)
    if subject.has_cell_state:
        keep, eta = "f", float(hi["o"].max())
        through_c = float(round_up(hi["o"] * hi["f"]).max())
        a = {
            "o": tanh_up(box.c_next.max(axis=0)) * slope["o"],
            "i": hi["g"] * slope["i"],
            "f": box.c * slope["f"],
            "g": hi["i"] * tau,
        }
    else:
        keep, eta, through_c = "z", float(hi["r"].max()), 0.0
        write = round_up(box.complements["z"].max(axis=0) + CHECKER_ROOM) * tau
        through = box.product * slope["r"]
        after = subject.reset == "after"
        a = {
            "z": (box.h + hi["n"]) * slope["z"],
            "n": write * hi["r"] if after else write,
            "r": write * through if after else through,
        }
    factors = tuple(_factor(subject, gate, round_up(values)) for gate, values in a.items())
    a = {each.gate: each.a for each in factors}
    joints = {}
    if subject.has_cell_state:
        joints["c"] = _joint(subject, {gate: a[gate] for gate in "ifg"})
        joints["h"] = _joint(subject, {"o": a["o"], **{gate: round_up(hi["o"] * a[gate]) for gate in "ifg"}})
    elif subject.reset == "after":
        joints["h"] = _joint(subject, {KEPT: hi["z"], **a})
    low, high = float(box.gates[keep].lo.min()), float(hi[keep].max())
    return WeightNorms(low, high, eta, factors, joints, through_c)


def _joint(subject: CertifiedCell, a: Mapping[str, Array]) -> Joint:
    """Return the narrower of two bounds: t_g² = a_g c_g Σ a / c, with c = 1, or 1 / ‖W^g‖₂."""
    W = {gate: np.eye(subject.hidden_size) if gate == KEPT else subject.gate("W_hh", gate) for gate in a}
    sizes = {gate: max(1.0 if gate == KEPT else float(np.linalg.norm(W[gate], 2)), 2.0**-100) for gate in a}
    joints = []
    for c in (dict.fromkeys(a, 1.0), {gate: 1 / size for gate, size in sizes.items()}):
        total = sum(a[gate] / c[gate] for gate in a)
        squares = {gate: np.maximum(a[gate] * c[gate] * total * (1 + 2.0**-18), 0) for gate in a}
        weights = {
            gate: np.nextafter(np.sqrt(each).astype(np.float32), np.float32(np.inf)).astype(np.float64)
            for gate, each in squares.items()
        }
        stacked = np.concatenate([weights[gate][:, None] * W[gate] for gate in a])
        norm = norm_up(stacked) + 2.0**-52 * float(np.linalg.norm(stacked))
        joints.append(Joint(weights, float(round_up(np.float64(norm)))))
    return min(joints, key=lambda each: each.norm)


def _slope(gate: Range, complement: Array) -> Array:
    """Return an upper bound of s (1 - s) over a range and over sub-boxes; `complement` is one of 1 - s."""
    open_, shut = np.minimum(gate.lo * (1 + 4 * SLACK), 1) * complement, gate.hi * (1 - gate.hi)
    slope = np.where(gate.lo > 0.5, open_, np.where(gate.hi < 0.5, shut, 0.25))
    return round_up(slope + CHECKER_ROOM).max(axis=0)


def _factor(subject: CertifiedCell, gate: str, a: Array) -> Factor:
    """Round a up to float32, so that its products with the weights have few digits; scaling errs by u of each entry."""
    a = np.nextafter(a.astype(np.float32), np.float32(np.inf)).astype(np.float64)
    scaled = a[:, None] * subject.gate("W_hh", gate)
    return Factor(gate, a, float(round_up(np.float64(norm_up(scaled) + 2.0**-52 * np.linalg.norm(scaled)))))
