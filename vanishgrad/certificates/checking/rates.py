r"""Claims of a rate, C ρ^(t-k), for all inputs: each method's inequalities, in exact arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.checking import witness as demanded
from vanishgrad.certificates.checking.majorants import amplitudes, rows
from vanishgrad.certificates.checking.norm_bound import norm_at_most
from vanishgrad.certificates.checking.rational import fractions, integers, product
from vanishgrad.certificates.checking.states import MAX_CELLS, States, row_boxes, states, stays, sub_boxes
from vanishgrad.certificates.checking.verdict import Inequalities, Refuted
from vanishgrad.certificates.subject import CertifiedCell

MAX_SLOPES = {"tanh": Fraction(1), "relu": Fraction(1), "linear": Fraction(1), "sigmoid": Fraction(1, 4)}
"""sup |φ'|."""
MAX_PIECES = 1024


class RateClaim:
    """C and ρ, exactly, and the inputs that they are of."""

    def __init__(self, claim: Mapping[str, Any], rows: Array | None = None) -> None:
        self.C, self.rho = demanded.exact(claim, "C"), demanded.exact(claim, "rho")
        self.rows, self.is_hull = rows, claim.get("among") == "hull"
        self.bound = None if claim.get("input_bound") is None else demanded.exact(claim, "input_bound")


def scaled_norm(
    subject: CertifiedCell, claim: RateClaim, witness: Mapping[str, Any], inequalities: Inequalities
) -> None:
    """J_t = D W, |D| ≤ γ: ‖ΔJ_tΔ⁻¹‖₂ ≤ γ ‖ΔWΔ⁻¹‖₂ ≤ γ μ ≤ ρ, and ‖A‖₂ ≤ cond(Δ) ‖ΔAΔ⁻¹‖₂."""
    gamma = _steepness(subject, inequalities)
    scale, mu = demanded.positive(witness, "scale", subject.hidden_size), demanded.number(witness, "mu")
    inequalities.demand(gamma * Fraction(mu) <= claim.rho, "γ μ ≤ ρ")
    inequalities.demand(Fraction(float(scale.max())) <= claim.C * Fraction(float(scale.min())), "cond(Δ) ≤ C")
    inequalities.demand(norm_at_most(scale, subject.tensors["W_hh"], scale, mu), "‖ΔWΔ⁻¹‖₂ ≤ μ")


def max_norm(subject: CertifiedCell, claim: RateClaim, witness: Mapping[str, Any], inequalities: Inequalities) -> None:
    """|J_t| x ≤ ρ x at every step, so ‖J_{t:k}‖₂ ≤ √m (max x / min x) ρ^(t-k)."""
    m = subject.state_size
    floats = demanded.positive(witness, "x", m)
    x = fractions(floats)
    inequalities.demand(m * max(x) ** 2 <= (claim.C * min(x)) ** 2, "√m max x / min x ≤ C")
    if not subject.is_gated:
        image = product(integers(np.abs(subject.tensors["W_hh"])), x) * _steepness(subject, inequalities)
        inequalities.demand(bool((image <= claim.rho * x).all()), "γ |W| x ≤ ρ x")
        return
    pieces = demanded.count(witness, "gate_pieces", MAX_PIECES) or 1
    for box in _every_box(subject, claim, witness, inequalities):
        inequalities.demand(bool((rows(subject, box, x, pieces) <= claim.rho * x).all()), "|J| x ≤ ρ x in the box")


def block_norms(
    subject: CertifiedCell, claim: RateClaim, witness: Mapping[str, Any], inequalities: Inequalities
) -> None:
    """M₊ x ≤ ρ x for the norms of J's blocks (T7a); a GRU's ‖J‖₂ is at most z̄ + ‖J - diag z‖₂."""
    (box,) = _every_box(subject, claim, {**witness, "input_pieces": {}}, inequalities, is_whole=True)
    norms = _factors(subject, box, witness, inequalities)
    if not subject.has_cell_state:
        inequalities.demand(claim.C >= 1, "1 ≤ C")
        inequalities.demand(max(box.hi["z"]) + _gru_rest(subject, box, norms) <= claim.rho, "z̄ + ‖J - diag z‖₂ ≤ ρ")
        return
    kappa, phi, eta = norms["i"] + norms["f"] + norms["g"], max(box.hi["f"]), max(box.hi["o"])
    x_h, x_c = fractions(demanded.positive(witness, "x", 2))
    inequalities.demand(2 * max(x_h, x_c) ** 2 <= (claim.C * min(x_h, x_c)) ** 2, "√2 max x / min x ≤ C")
    inequalities.demand(
        (norms["o"] + eta * kappa) * x_h + eta * phi * x_c <= claim.rho * x_h, "(ω + η κ) x_h + η φ x_c ≤ ρ x_h"
    )
    inequalities.demand(kappa * x_h + phi * x_c <= claim.rho * x_c, "κ x_h + φ x_c ≤ ρ x_c")


def cone(subject: CertifiedCell, claim: RateClaim, witness: Mapping[str, Any], inequalities: Inequalities) -> None:
    """‖dh‖ ≤ q ‖dc‖ is kept, and ‖dc‖ falls by ρ at most (T5b); a GRU's σ_min(J) is at least z - ‖J - diag z‖₂."""
    (box,) = _every_box(subject, claim, {**witness, "input_pieces": {}}, inequalities, is_whole=True)
    norms = _factors(subject, box, witness, inequalities)
    inequalities.demand(claim.C <= 1, "C ≤ 1")
    if not subject.has_cell_state:
        inequalities.demand(min(box.lo["z"]) - _gru_rest(subject, box, norms) >= claim.rho, "min z - ‖J - diag z‖₂ ≥ ρ")
        return
    kappa, phi, eta = norms["i"] + norms["f"] + norms["g"], min(box.lo["f"]), max(box.hi["o"])
    q = demanded.exact(witness, "q")
    inequalities.demand(phi - kappa * q >= claim.rho > 0, "φ - κ q ≥ ρ > 0")
    inequalities.demand(norms["o"] * q <= (q - eta) * claim.rho, "η + ω q / ρ ≤ q")


def gram_norms(
    subject: CertifiedCell, claim: RateClaim, witness: Mapping[str, Any], inequalities: Inequalities
) -> None:
    """M₊ x ≤ ρ x, or ‖J‖₂ ≤ ρ, for norms of sums over gates by the Cauchy-Schwarz inequality in each row."""
    (box,) = _every_box(subject, claim, {**witness, "input_pieces": {}}, inequalities, is_whole=True)
    a, joints = amplitudes(subject, box), demanded.mapping(witness, "joints")
    if not subject.has_cell_state:
        inequalities.demand(subject.reset == "after", "the candidate's reset comes after its product")
        norm = _joint_norm(subject, {"keep": box.hi["z"], **a}, demanded.mapping(joints, "h"), inequalities)
        inequalities.demand(claim.C >= 1, "1 ≤ C")
        inequalities.demand(norm <= claim.rho, "‖J‖₂ ≤ ρ")
        return
    to_c = {gate: a[gate] for gate in "ifg"}
    kappa = _joint_norm(subject, to_c, demanded.mapping(joints, "c"), inequalities)
    to_h = {"o": a["o"], **{gate: box.hi["o"] * each for gate, each in to_c.items()}}
    top = _joint_norm(subject, to_h, demanded.mapping(joints, "h"), inequalities)
    through, phi = max(box.hi["o"] * box.hi["f"]), max(box.hi["f"])
    x_h, x_c = fractions(demanded.positive(witness, "x", 2))
    inequalities.demand(2 * max(x_h, x_c) ** 2 <= (claim.C * min(x_h, x_c)) ** 2, "√2 max x / min x ≤ C")
    inequalities.demand(top * x_h + through * x_c <= claim.rho * x_h, "‖O + E C‖ x_h + ‖E F‖ x_c ≤ ρ x_h")
    inequalities.demand(kappa * x_h + phi * x_c <= claim.rho * x_c, "κ x_h + φ x_c ≤ ρ x_c")


def _joint_norm(
    subject: CertifiedCell, a: Mapping[str, Array], joint: Mapping[str, Any], inequalities: Inequalities
) -> Fraction:
    """Return a bound of ‖Σ_g D_g W^g‖₂ over diagonal |D_g| ≤ diag(a_g), having shown it; W of "keep" is I."""
    proposed, norm, n = demanded.mapping(joint, "weights"), demanded.number(joint, "norm"), subject.hidden_size
    weights = {gate: demanded.non_negative(proposed, gate, n) for gate in a}
    squares = {gate: fractions(t) ** 2 for gate, t in weights.items()}
    shares = (
        sum(a[gate][j] ** 2 / squares[gate][j] if a[gate][j] else Fraction(0) for gate in a)
        if all(squares[gate][j] or not a[gate][j] for gate in a)
        else Fraction(2)
        for j in range(n)
    )
    inequalities.demand(all(each <= 1 for each in shares), f"Σ a² / t² ≤ 1 over {' '.join(a)}")
    W = np.concatenate([np.eye(n) if gate == "keep" else subject.gate("W_hh", gate) for gate in a])
    left = np.concatenate([weights[gate] for gate in a])
    inequalities.demand(norm_at_most(left, W, np.ones(n), norm), f"‖diag(t) W‖₂ ≤ norm over {' '.join(a)}")
    return Fraction(norm)


UPPER = {"scaled_norm": scaled_norm, "max_norm": max_norm, "block_norms": block_norms, "gram_norms": gram_norms}
LOWER = {"cone": cone}
RNN_ONLY, GATED_ONLY = ("scaled_norm",), ("block_norms", "gram_norms", "cone")


def _steepness(subject: CertifiedCell, inequalities: Inequalities) -> Fraction:
    inequalities.demand(subject.activation in MAX_SLOPES or None, f"sup |φ'| of {subject.activation} is known")
    return MAX_SLOPES[subject.activation]


def _every_box(
    subject: CertifiedCell,
    claim: RateClaim,
    witness: Mapping[str, Any],
    inequalities: Inequalities,
    is_whole: bool = False,
) -> list[States]:
    """Return what a step can do in each sub-box, having shown that the box of states is invariant and holds s_0 = 0."""
    if claim.bound is None:
        raise Refuted("the inputs of a gated cell are bounded")
    is_standard = (subject.activation, subject.gate_activation) == ("tanh", "sigmoid")
    inequalities.demand(is_standard or None, "the gates are σ and the candidate tanh")
    n = subject.hidden_size
    h = fractions(demanded.non_negative(witness, "h", n))
    c = fractions(demanded.non_negative(witness, "c", n if subject.has_cell_state else 0))
    boxes = [
        states(subject, h, c, *each)
        for each in (
            sub_boxes(claim.bound, subject.input_size, _pieces(subject, witness))
            if claim.rows is None
            else row_boxes(claim.rows, claim.is_hull or is_whole)
        )
    ]
    inequalities.demand(all(map(stays, boxes)), "the box of states |h| ≤ h, |c| ≤ c is invariant")
    return boxes


def _pieces(subject: CertifiedCell, witness: Mapping[str, Any]) -> dict[int, int]:
    by_unit = demanded.mapping(witness, "input_pieces")
    names = {str(j): j for j in range(subject.input_size)}
    if not all(name in names for name in by_unit):
        raise Refuted("input_pieces names coordinates of the input")
    pieces = {names[name]: demanded.count(by_unit, name, MAX_CELLS) or 1 for name in by_unit}
    total = 1
    for count in pieces.values():
        total *= count
    if total > MAX_CELLS:
        raise Refuted(f"at most {MAX_CELLS} sub-boxes")
    return pieces


def _factors(
    subject: CertifiedCell, box: States, witness: Mapping[str, Any], inequalities: Inequalities
) -> dict[str, Fraction]:
    """Return, by gate, a bound of ‖diag(a) W‖₂, having shown it."""
    proposed, norms = demanded.mapping(witness, "factors"), {}
    for gate, least in amplitudes(subject, box).items():
        factor = demanded.mapping(proposed, gate)
        a, norm = demanded.non_negative(factor, "a", subject.hidden_size), demanded.number(factor, "norm")
        inequalities.demand(bool((least <= fractions(a)).all()), f"the factors of W^{gate} are at most a")
        inequalities.demand(norm_at_most(a, subject.gate("W_hh", gate), _one(a), norm), f"‖diag(a) W^{gate}‖₂ ≤ norm")
        norms[gate] = Fraction(norm)
    return norms


def _one(a: Array) -> Array:
    return np.ones_like(a)


def _gru_rest(subject: CertifiedCell, box: States, norms: Mapping[str, Fraction]) -> Fraction:
    if subject.reset == "after":
        return norms["z"] + norms["n"] + norms["r"]
    return norms["z"] + norms["n"] * (max(box.hi["r"]) + norms["r"])
