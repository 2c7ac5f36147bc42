"""T5 on an LSTM: lower bounds of the cell state's gradient, from a condition on four numbers to an exact gate."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.formal_answer.claims import Claim, Hypothesis
from vanishgrad.formal_answer.quantities.lstm import Blocks
from vanishgrad.formal_answer.quantities.measured import MeasuredRun, log_smallest
from vanishgrad.formal_answer.quantities.vanilla import log

SHOWN_STEPS = 6
"""Steps of a run whose distance to loss is shown."""


@dataclass(frozen=True, eq=False)
class Coupling:
    """φ ≤ f, κ ≥ ‖C‖₂, ω ≥ ‖O‖₂, η ≥ ‖E‖₂ at every step, (T,) each."""

    phi: Array
    kappa: Array
    omega: Array
    eta: Array
    phi_bar: float

    @property
    def worst(self) -> tuple[float, float, float, float]:
        """φ, κ, ω, η over the whole run."""
        return float(self.phi.min()), float(self.kappa.max()), float(self.omega.max()), float(self.eta.max())


def coupling(blocks: Blocks, C_norms: Array, O_norms: Array) -> Coupling:
    """Return the four numbers of every step."""
    return Coupling(blocks.f.min(axis=1), C_norms, O_norms, np.abs(blocks.e).max(axis=1), float(blocks.f.max()))


def cone_margin(phi: float, kappa: float, omega: float, eta: float) -> float:
    """Return √φ - √ω - √(κη), which T5(b) demands not to be negative."""
    return math.sqrt(phi) - math.sqrt(omega) - math.sqrt(kappa * eta)


def cone_rate(phi: float, kappa: float, omega: float, eta: float) -> float:
    """Return ϱ₋, the larger root of ϱ² - τϱ + ωφ with τ = φ + ω - κη."""
    tau = phi + omega - kappa * eta
    return (tau + math.sqrt(max(tau**2 - 4 * omega * phi, 0.0))) / 2


def cone(run: MeasuredRun, numbers: Coupling) -> Claim:
    """T5(b): σ_min(∂c_T/∂c_0) ≥ φ ϱ₋^(T-1) where the cone condition holds."""
    phi, kappa, omega, eta = numbers.worst
    margin = cone_margin(phi, kappa, omega, eta)
    speaks = margin >= 0 and phi > omega
    rate = cone_rate(phi, kappa, omega, eta) if speaks else math.nan
    return Claim(
        "T5", "T5b", run.label, (Hypothesis("cone_margin", margin, ">=", 0.0),), "lower", "memory_smallest",
        math.log(phi) + (run.steps - 1) * math.log(rate) if speaks else None, smallest(run),
        {"phi": phi, "kappa": kappa, "omega": omega, "eta": eta} | ({"rho_minus": rate} if speaks else {}),
    )  # fmt: skip


def smallest(run: MeasuredRun) -> float:
    """Return ln σ_min(∂c_T/∂c_0)."""
    return log_smallest(run.products.last, run.products.log_scale)


def stepwise(run: MeasuredRun, numbers: Coupling) -> Claim:
    """T5(b′): σ_min(∂c_T/∂c_0) ≥ ∏ δ_s while every δ_s = φ_s - κ_s q_{s-1} is positive."""
    deltas = cone_steps(numbers)
    least = float(deltas.min())
    return Claim(
        "T5", "T5b1", run.label, (Hypothesis("least_delta", least, ">", 0.0),), "lower", "memory_smallest",
        float(np.log(deltas).sum()) if least > 0 else None, smallest(run),
        {"steps_held": float(np.argmax(deltas <= 0)) if least <= 0 else float(run.steps)},
    )  # fmt: skip


def cone_steps(numbers: Coupling) -> Array:
    """Return δ_1 … δ_T, zero from the first that is not positive on."""
    deltas, q = np.zeros(len(numbers.phi)), 0.0
    for s, (phi, kappa, omega, eta) in enumerate(
        zip(numbers.phi, numbers.kappa, numbers.omega, numbers.eta, strict=True)
    ):
        deltas[s] = phi - kappa * q
        if deltas[s] <= 0:
            deltas[s] = 0.0
            break
        q = eta + omega * q / deltas[s]
    return deltas


def distance_to_loss(numbers: Coupling) -> list[dict[str, float]]:
    """T5, sharpness: δ_s, κ_s and the coupling φ_s/q_{s-1} that ends the memory, up to the first step that may.

    The distance to loss is φ_s/q_{s-1} - κ_s = δ_s/q_{s-1}: by how much ‖C_s‖ may still grow at that step. Step 1 has
    none, since nothing has left the cell yet.
    """
    rows, q = [], 0.0
    for s, (phi, kappa, omega, eta) in enumerate(
        zip(numbers.phi.tolist(), numbers.kappa.tolist(), numbers.omega.tolist(), numbers.eta.tolist(), strict=True), 1
    ):
        delta = phi - kappa * q
        if q > 0:
            rows.append({"step": float(s), "delta": delta, "kappa": kappa, "killing": phi / q, "distance": delta / q})
        if delta <= 0:
            break
        q = eta + omega * q / delta
    if len(rows) <= SHOWN_STEPS:
        return rows
    nearest = min(range(len(rows)), key=lambda row: rows[row]["distance"])
    shown = {*np.unique(np.geomspace(1, len(rows), SHOWN_STEPS - 1).astype(int) - 1).tolist(), nearest}
    return [rows[row] for row in sorted(shown)]


def effective_gate(run: MeasuredRun) -> Claim:
    """T5(b″) with one slow unit j: ‖∂c_T/∂c_0‖ ≥ ∏ |f̃_s|, f̃_s the unit's effective forget gate, detours included."""
    unit = int(np.argmax(run.products.log_diagonal[-1]))
    gates = np.abs(slow_maps(run.jacobians(), np.array([run.cell.state_size - run.cell.hidden_size + unit]))[:, 0, 0])
    least = float(gates.min())
    log_bound = float(np.log(gates).sum()) if least > 0 else None
    return Claim(
        "T5", "T5b2", run.label, (Hypothesis("least_gate", least, ">", 0.0),), "lower", "memory",
        log_bound, run.log_memory,
        {"unit": float(unit)} | ({} if log_bound is None else {"mean_gate": math.exp(log_bound / run.steps)}),
    )  # fmt: skip


def slow_maps(jacobians: Iterable[Array], slow: Array) -> Array:
    """Return M_1 … M_T, (T, |S|, |S|), with ∂v_T/∂v_0 = M_T ⋯ M_1 exactly for the slow coordinates v of the state.

    M_s = J_vv + J_vw Q_{s-1} and Q_s = (J_wv + J_ww Q_{s-1}) M_s⁻¹, Q_0 = 0, w the other coordinates; ends with the
    first singular M_s.
    """
    maps: list[Array] = []
    Q: Array | None = None
    for J in jacobians:
        fast = np.setdiff1d(np.arange(len(J)), slow)
        Q = np.zeros((len(fast), len(slow))) if Q is None else Q
        slow_columns = J[:, slow] + J[:, fast] @ Q
        maps.append(slow_columns[slow])
        if not np.linalg.det(slow_columns[slow]):
            break
        Q = np.linalg.solve(slow_columns[slow].T, slow_columns[fast].T).T
    return np.stack(maps)


def additive(run: MeasuredRun, numbers: Coupling) -> Claim:
    """T5(c): σ_min(∂c_T/∂c_0) ≥ (1-ε)^T - [(1+θ)^(T-1) - 1], θ = κη/(1-ω)."""
    phi, kappa, omega, eta = numbers.worst
    epsilon, theta = 1 - phi, kappa * eta / (1 - omega) if omega < 1 else math.inf
    floor = additive_floor(epsilon, theta, run.steps)
    return Claim(
        "T5", "T5c", run.label,
        (Hypothesis("omega", omega, "<", 1.0), Hypothesis("additive_floor", floor, ">", 0.0)),
        "lower", "memory_smallest",
        math.log(floor) if floor > 0 and omega < 1 else None, smallest(run), {"epsilon": epsilon, "theta": theta},
    )  # fmt: skip


def additive_floor(epsilon: float, theta: float, steps: int) -> float:
    """Return (1-ε)^T - [(1+θ)^(T-1) - 1], -inf where that overflows."""
    grown = (steps - 1) * math.log1p(theta) if theta < math.inf else math.inf
    return (1 - epsilon) ** steps - math.expm1(grown) if grown < 700 else -math.inf


def explicit_coupling(run: MeasuredRun, blocks: Blocks, numbers: Coupling) -> Claim:
    """T5(d): κ ≤ c̄ ε ‖W^f‖ + ι (‖W^i‖ + ‖W^g‖): the forget gates open and the input gates closed."""
    n, epsilon = run.cell.hidden_size, 1 - float(blocks.f.min())
    iota = float(blocks.i.max())
    c_bar = float(np.abs(run.trajectory.states[:-1, 0, n:]).max())
    norms = {gate: float(np.linalg.norm(W, 2)) for gate, W in blocks.weights.items()}
    bound = c_bar * epsilon * norms["f"] + iota * (norms["i"] + norms["g"])
    return Claim(
        "T5", "T5d", run.label, (), "upper", "kappa", log(bound), log(numbers.worst[1]),
        {"epsilon": epsilon, "iota": iota, "c_bar": c_bar},
    )  # fmt: skip
