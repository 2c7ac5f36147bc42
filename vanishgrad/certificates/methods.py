r"""The methods: each yields bounds C ρ^lag that it has proved, with the witness that shows them.

=============  =========  ================  ==========================================================================
method         cells      witness           why
=============  =========  ================  ==========================================================================
scaled_norm    rnn        Δ, μ              ‖ΔJΔ⁻¹‖₂ ≤ γ ‖ΔWΔ⁻¹‖₂ ≤ γ μ; C = cond Δ (T1)
max_norm       all        x, box, pieces    |J| x ≤ ρ x; C = √m max x / min x (T1 ii, T6)
block_norms    gated      box, factors, x   M₊ x ≤ ρ x; C = √2 max x / min x (T7a); GRU: ‖J‖₂ ≤ ρ
gram_norms     gated      box, joints, x    as block_norms, a sum over gates by one Gram matrix; not a GRU (before)
cone           gated      box, factors, q   ‖∂c_t/∂c_k v‖ ≥ ρ^lag ‖v‖ (T5b); GRU: σ_min(J) ≥ ρ
=============  =========  ================  ==========================================================================
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.boxes import Box, InputSet, box
from vanishgrad.certificates.cholesky import scaled_norm_up
from vanishgrad.certificates.gated import CANDIDATE_PIECES, WeightNorms, norms, rows
from vanishgrad.certificates.intervals import dot_up, round_up
from vanishgrad.certificates.perron import perron_scale, positive_vectors
from vanishgrad.certificates.scaling import balanced_scale, short
from vanishgrad.certificates.subject import CertifiedCell

LIPSCHITZ = {"tanh": 1.0, "relu": 1.0, "linear": 1.0, "sigmoid": 0.25}
"""γ = sup |φ'|."""
MAX_BOXES = 64
"""Sub-boxes at which the splitting of the input box ends."""
MAX_RATE_SHARE = 0.9995
"""What a cut must leave of ρ to be worth the next."""
VANISHED_BELOW = 1e-3
"""Proofs are compared by the lag at which C ρ^lag falls below this."""
MIN_LOWER_FACTOR = 1e-2
"""Lower bounds of a factor below this are not claimed: the differences that they are made of would cancel."""


@dataclass(frozen=True, eq=False)
class Attempt:
    """A bound C ρ^lag that a method has proved, whether or not it says what was asked."""

    method: str
    C: float
    rho: float
    witness: Mapping[str, Any]

    @property
    def vanishing_lag(self) -> float:
        """The lag from which C ρ^lag is below 1e-3; infinite unless ρ < 1."""
        if not self.rho < 1:
            return math.inf
        return max(0.0, math.log(self.C / VANISHED_BELOW) / -math.log(max(self.rho, 1e-300)))


def rnn_attempts(target: CertifiedCell) -> Iterator[Attempt]:
    """Yield bounds for every input sequence."""
    yield from _scaled_norm(target)
    yield from _plain_max_norm(target)


def gated_attempts(target: CertifiedCell, inputs: InputSet) -> Iterator[Attempt]:
    """Yield bounds for all inputs of a set; a box |x_j| ≤ B is split if none contracts."""
    whole = (*_block_norms(target, inputs), *_max_norm(target, inputs, {}))
    yield from whole
    if inputs.rows is None and not any(each.rho < 1 for each in whole):
        yield from _split(target, inputs)


def _scaled_norm(target: CertifiedCell) -> Iterator[Attempt]:
    W, gamma = target.tensors["W_hh"], LIPSCHITZ[target.activation]
    perron = short(perron_scale(W))
    scales = [np.ones(len(W)), perron]
    if len(W) > 1 and not np.array_equal(balanced := balanced_scale(W, perron), perron):
        scales.append(balanced)
    for scale in scales:
        mu = scaled_norm_up(W, scale)
        if math.isfinite(mu):
            yield Attempt("scaled_norm", _condition(scale), _up(gamma * mu), {"scale": scale.tolist(), "mu": mu})


def _plain_max_norm(target: CertifiedCell) -> Iterator[Attempt]:
    A = LIPSCHITZ[target.activation] * np.abs(target.tensors["W_hh"])
    for x in positive_vectors(lambda x: dot_up(A, x), target.hidden_size):
        yield _of_vector("max_norm", x, dot_up(A, x), {})


def _of_vector(method: str, x: Array, image: Array, witness: Mapping[str, Any]) -> Attempt:
    """Return the bound of |J| x ≤ ρ x; the image is an upper bound already."""
    C = math.sqrt(len(x)) * float(x.max() / x.min()) * (1 + 2.0**-50)
    return Attempt(method, C, _up(float((image / x).max())), {"x": x.tolist(), **witness})


def _max_norm(target: CertifiedCell, inputs: InputSet, pieces: Mapping[int, int]) -> Iterator[Attempt]:
    invariant_box = box(target, inputs.parts(target.input_size, pieces))
    if invariant_box is None:
        return
    resolution = {"input_pieces": {str(j): k for j, k in pieces.items()}, "gate_pieces": CANDIDATE_PIECES}
    candidates = [
        (x, rows(target, invariant_box, x))
        for x in positive_vectors(lambda x: rows(target, invariant_box, x), target.state_size)
    ]
    x, image = min(candidates, key=lambda each: float((each[1] / each[0]).max()))
    yield _of_vector("max_norm", x, image, {**_states(invariant_box), **resolution})


def _split(target: CertifiedCell, inputs: InputSet) -> Iterator[Attempt]:
    """Yield bounds for finer and finer grids of the input box, until one contracts or a cut gains nothing."""
    pieces: dict[int, int] = {}
    reach, before = np.abs(target.tensors["W_hx"]).sum(axis=0), math.inf
    while math.prod(pieces.values()) < MAX_BOXES and inputs.bound > 0:
        widest = int(np.argmax(reach))
        pieces[widest], reach[widest] = 2 * pieces.get(widest, 1), reach[widest] / 2
        for attempt in _max_norm(target, inputs, pieces):
            yield attempt
            if attempt.rho < 1 or attempt.rho > before * MAX_RATE_SHARE:
                return
            before = attempt.rho


def _states(invariant_box: Box) -> dict[str, Any]:
    return {"h": invariant_box.h.tolist(), "c": invariant_box.c.tolist()}


def _whole_box(target: CertifiedCell, inputs: InputSet) -> tuple[Box, WeightNorms] | None:
    whole_box = box(target, inputs.whole(target.input_size))
    return None if whole_box is None else (whole_box, norms(target, whole_box))


def _factors(invariant_box: Box, bounds: WeightNorms) -> dict[str, Any]:
    return {
        **_states(invariant_box),
        "factors": {each.gate: {"a": each.a.tolist(), "norm": each.norm} for each in bounds.factors},
    }


def _block_norms(target: CertifiedCell, inputs: InputSet) -> Iterator[Attempt]:
    whole = _whole_box(target, inputs)
    if whole is None:
        return
    yield from _gram_norms(*whole)
    witness, bounds = _factors(*whole), whole[1]
    if not target.has_cell_state:
        yield Attempt("block_norms", 1.0, _up(bounds.high + _gru_rest(target, bounds)), witness)
        return
    M = _block_majorant(bounds)
    x = next(positive_vectors(lambda x: M @ x, 2))
    yield _of_vector("block_norms", x, round_up(M @ x), witness)


def _gram_norms(invariant_box: Box, bounds: WeightNorms) -> Iterator[Attempt]:
    joints = {
        block: {"norm": each.norm, "weights": {gate: t.tolist() for gate, t in each.weights.items()}}
        for block, each in bounds.joints.items()
    }
    witness = {**_states(invariant_box), "joints": joints}
    if "c" in joints:
        M = np.array([[bounds.joints["h"].norm, bounds.through], [bounds.joints["c"].norm, bounds.high]])
        x = next(positive_vectors(lambda x: M @ x, 2))
        yield _of_vector("gram_norms", x, round_up(M @ x), witness)
    elif joints:
        yield Attempt("gram_norms", 1.0, _up(bounds.joints["h"].norm), witness)


def _block_majorant(bounds: WeightNorms) -> Array:
    """Return M₊ = [[ω + η κ, η φ], [κ, φ]] (T7a)."""
    kappa = bounds.of("i") + bounds.of("f") + bounds.of("g")
    return round_up(np.array([[bounds.of("o") + bounds.eta * kappa, bounds.eta * bounds.high], [kappa, bounds.high]]))


def _gru_rest(target: CertifiedCell, bounds: WeightNorms) -> float:
    """Return an upper bound of ‖J - diag z‖₂."""
    z, n, r = (bounds.of(gate) for gate in "znr")
    return float(round_up(np.float64(z + (n + r if target.reset == "after" else n * (bounds.eta + r)))))


def cone(target: CertifiedCell, inputs: InputSet) -> Attempt | None:
    """Return a lower bound ρ^lag for all inputs of a set, if the gates allow one."""
    whole = _whole_box(target, inputs)
    if whole is None:
        return None
    bounds, witness = whole[1], _factors(*whole)
    if not target.has_cell_state:
        rho = (bounds.low - _gru_rest(target, bounds)) * (1 - 2.0**-40)
        return Attempt("cone", 1.0, rho, witness) if rho > MIN_LOWER_FACTOR else None
    kappa = bounds.of("i") + bounds.of("f") + bounds.of("g")
    rate = cone_rate(bounds.low, bounds.of("o"), kappa, bounds.eta)
    return None if rate is None else Attempt("cone", 1.0, rate[1], {**witness, "q": rate[0]})


def cone_rate(phi: float, omega: float, kappa: float, eta: float) -> tuple[float, float] | None:
    """Return q and ρ with φ - κ q ≥ ρ and η + ω q / ρ ≤ q, or None if √φ < √ω + √κη (T5b).

    They lie just inside q* and ϱ₋, by more than rounding.
    """
    trace = phi + omega - kappa * eta
    discriminant = trace**2 - 4 * omega * phi
    if not (discriminant > 0 and phi > omega and trace > 0):
        return None
    # q* = η + ω q* / ϱ₋ solved for q*: (φ - ϱ₋) / κ is the same, and cancels.
    root = (trace + math.sqrt(discriminant)) / 2
    q = eta * root / (root - omega) * (1 + 2.0**-20)
    rho = (phi - kappa * q) * (1 - 2.0**-40)
    return (q, rho) if rho > MIN_LOWER_FACTOR and eta + omega * q / rho <= q * (1 - 2.0**-40) else None


def _condition(scale: Array) -> float:
    return float(scale.max() / scale.min()) * (1 + 2.0**-50)


def _up(value: float) -> float:
    return math.nextafter(value, math.inf)
