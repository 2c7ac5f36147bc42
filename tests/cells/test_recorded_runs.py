"""Cells beside the packages of their names: states and Jacobian products that those packages' own autodiff gave.

The files are no part of the project; they lie beside it, in ../shared/recurrences, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vanishgrad.cells import Cell, StoredTrajectory
from vanishgrad.cells.antisymmetric import AntisymmetricRNN
from vanishgrad.cells.delta_rule import EPSILON, DeltaNet
from vanishgrad.cells.indrnn import IndRNN
from vanishgrad.cells.ligru import LiGRU
from vanishgrad.cells.lru import LRU
from vanishgrad.cells.mamba import Mamba
from vanishgrad.cells.mingru import MinGRU
from vanishgrad.cells.peephole import PeepholeLSTM
from vanishgrad.curves.measure import measure
from vanishgrad.curves.request import Scope
from vanishgrad.propagation.run import run

RECORDED = Path(__file__).parents[3] / "shared" / "recurrences"
Arrays = dict[str, np.ndarray]


def _stacked(file: Arrays) -> Arrays:
    tensors = {"W_hx": file["weight_ih"], "b": file["bias_ih"] + file["bias_hh"]}
    return tensors | ({"W_hh": file["weight_hh"]} if "weight_hh" in file else {})


def _peephole(file: Arrays, reference: Any) -> Cell:
    return PeepholeLSTM(**_stacked(file), w_c=file["weight_ph"])


def _antisymmetric(file: Arrays, reference: Any) -> Cell:
    return AntisymmetricRNN(**_stacked(file), epsilon=float(reference["epsilon"]), gamma=float(reference["gamma"]))


def _mingru(file: Arrays, reference: Any) -> Cell:
    W_hx = file["to_hidden_and_gate.weight"]
    return MinGRU(W_hx, np.zeros(len(W_hx)))


def _lru(file: Arrays, reference: Any) -> Cell:
    B = file["B"].astype(complex)
    return LRU(
        np.concatenate([B.real, B.imag]), np.zeros(2 * len(B)), file["nu_log"], file["theta_log"], file["gamma_log"]
    )


CELLS: dict[str, Callable[[Arrays, Any], Cell]] = {
    "torchrecurrent_peephole": _peephole,
    "torchrecurrent_ligru": lambda file, reference: LiGRU(**_stacked(file)),
    "torchrecurrent_indrnn": lambda file, reference: IndRNN(**_stacked(file), u=file["vector_u"]),
    "torchrecurrent_antisymmetric": _antisymmetric,
    "mingru": _mingru,
    "lru": _lru,
}


def products(cell: Cell, trajectory: StoredTrajectory) -> list[np.ndarray]:
    """Return J_T … J_{k+1} by lag."""
    linearisation, steps = cell.linearise(trajectory, 0, trajectory.steps), trajectory.steps
    by_lag = [np.eye(cell.state_size)]
    for t in range(steps, 0, -1):
        by_lag.append(by_lag[-1] @ linearisation.dense(t)[0])
    return by_lag


@pytest.mark.parametrize("name", CELLS)
def test_states_and_products_are_those_of_the_package(name: str) -> None:
    if not RECORDED.exists():
        pytest.skip("no ../shared/recurrences")
    numpy_files = pytest.importorskip("safetensors.numpy")
    file, reference = numpy_files.load_file(RECORDED / f"{name}.safetensors"), np.load(RECORDED / f"{name}.ref.npz")
    cell, rtol = CELLS[name](file, reference), float(reference["rtol"])
    trajectory = run(cell, reference["x"][None], reference["state0"][None])
    np.testing.assert_allclose(trajectory.states[1:, 0], reference["states"], rtol=0, atol=rtol)
    by_lag, last = products(cell, trajectory), trajectory.steps
    J = cell.linearise(trajectory, last - 1, last).dense(last)[0]
    np.testing.assert_allclose(J, reference["one_step_jacobian_last"], rtol=0, atol=rtol)
    for order, key in ((2, "log10_state"), ("fro", "log10_state_fro")):
        norms = [np.log10(np.linalg.norm(by_lag[lag], order)) for lag in reference["lags"]]
        np.testing.assert_allclose(norms, reference[key], rtol=0, atol=rtol)


@pytest.mark.parametrize("layer", [0, 1])
def test_mambas_states_and_norms_are_those_of_transformers(layer: int) -> None:
    """The recurrence of a mixer, behind its in_proj and its convolution, which this test does itself."""
    if not RECORDED.exists():
        pytest.skip("no ../shared/recurrences")
    numpy_files = pytest.importorskip("safetensors.numpy")
    file, reference = numpy_files.load_file(RECORDED / "mamba.safetensors"), np.load(RECORDED / "mamba.ref.npz")
    stem = f"backbone.layers.{layer}.mixer."
    own = {name.removeprefix(stem): each.astype(float) for name, each in file.items() if name.startswith(stem)}
    E, N = own["A_log"].shape
    x = reference[f"layer{layer}_u"] @ own["in_proj.weight"][:E].T
    padded = np.concatenate([np.zeros((3, E)), x])
    kernel = own["conv1d.weight"][:, 0]
    convolved = sum(padded[k : k + len(x)] * kernel[:, k] for k in range(4)) + own["conv1d.bias"]
    rank = own["dt_proj.weight"].shape[1]
    W_x = own["x_proj.weight"][: rank + N]
    cell = Mamba(np.eye(E), np.zeros(E), W_x, own["dt_proj.weight"], own["dt_proj.bias"], own["A_log"])
    trajectory, rtol = run(cell, convolved[None], np.zeros((1, E * N))), float(reference["rtol"])
    states = reference[f"layer{layer}_states"].reshape(len(x), -1)
    np.testing.assert_allclose(trajectory.states[1:, 0], states, rtol=0, atol=10 * rtol)
    by_lag = products(cell, trajectory)
    norms = [np.log10(np.linalg.norm(by_lag[lag], 2)) for lag in reference["lags"]]
    np.testing.assert_allclose(norms, reference[f"layer{layer}_log10_state"], rtol=0, atol=10 * rtol)


def silu_inverse(y: np.ndarray) -> np.ndarray:
    """The a ≥ -1.278 of which a σ(a) is y > -0.278, by bisection."""
    low, high = np.full(y.shape, -1.278), y + 1
    for _ in range(60):
        middle = (low + high) / 2
        below = middle / (1 + np.exp(-middle)) < y
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


@pytest.mark.parametrize("heads", [[0], [1], [0, 1]])
def test_deltanets_states_and_norms_are_those_of_fla(heads: list[int]) -> None:
    """Of its k, v and β, from inputs that the cell makes them of: silu(a) > -0.278, so that k and v come scaled.

    S is linear in v, and k = κ/√(‖κ‖² + ε) is short of 1, for which β and v make up.
    """
    if not RECORDED.exists():
        pytest.skip("no ../shared/recurrences")
    reference = np.load(RECORDED / "deltanet.ref.npz")
    k, v, beta, states = (reference[each][:, heads] for each in ("k", "v", "beta", "states"))
    (steps, H, K), V = k.shape, v.shape[-1]
    size, reach, rtol = 0.25, 2.1, float(reference["rtol"])
    longer = 1 + EPSILON / size**2
    factor = size / np.abs(v).max()
    logit = beta * longer / reach
    x = np.concatenate(
        [
            silu_inverse(factor * v * longer**-0.5).reshape(steps, -1),
            silu_inverse(size * k).reshape(steps, -1),
            np.log(logit / (1 - logit)),
        ],
        axis=-1,
    )
    cell = DeltaNet(np.eye(x.shape[-1]), np.zeros(x.shape[-1]), heads=H, keys=K, reach=reach)
    trajectory = run(cell, x[None], np.zeros((1, cell.state_size)))
    found = trajectory.states[1:, 0].reshape(steps, H, V, K) / factor
    np.testing.assert_allclose(found, np.swapaxes(states, -1, -2), rtol=0, atol=rtol)
    lengths, lags = np.array([steps]), reference["lags"]
    measured = measure(cell, trajectory, lengths, None, 1e-3, Scope(("state",)), "key-side").curves["state"]
    largest = reference["log10_key_side"][:, heads].max(axis=-1)
    np.testing.assert_allclose(measured.log_norm[0, lags] / np.log(10), largest, rtol=0, atol=rtol)
    squares = 100 ** reference["log10_key_side_fro"][:, heads]
    rms = np.log10(squares.mean(axis=-1) / K) / 2
    np.testing.assert_allclose(measured.log_rms[0, lags] / np.log(10), rms, rtol=0, atol=rtol)
