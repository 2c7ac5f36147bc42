"""The engine in one call, for tests that care about its numbers and not about its pieces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vanishgrad.cells import GRU, LSTM, Cell, StoredTrajectory
from vanishgrad.curves.measure import Measurement, measure
from vanishgrad.curves.request import Scope
from vanishgrad.inputs.sequences import InputSequences
from vanishgrad.inputs.sources import Held
from vanishgrad.propagation.products.products import Product, backward_products
from vanishgrad.propagation.run import run


def trajectory(cell: Cell, xs: np.ndarray, s0: np.ndarray | None = None) -> StoredTrajectory:
    """Run along xs (B, T, d) from s0 (B, m), zeros by default."""
    start = np.zeros((len(xs), cell.state_size), dtype=xs.dtype) if s0 is None else np.asarray(s0)
    return run(cell, xs, start)


def silence(cell: Cell, steps: int, batch: int = 1) -> np.ndarray:
    """Zero inputs, (B, T, d)."""
    return np.zeros((batch, steps, cell.input_size), dtype=cell.W_hh.dtype)


def driven(xs: np.ndarray, lengths: Sequence[int] | np.ndarray | None = None, source: str = "white") -> InputSequences:
    """Inputs xs (B, T, d) as a drive, each of its own length."""
    own = np.full(len(xs), xs.shape[1]) if lengths is None else np.asarray(lengths)
    return InputSequences(Held(xs, str(xs.dtype), source), 0, own, source)


def measured(
    cell: Cell, path: StoredTrajectory, threshold: float = 1e-3, curves: Sequence[str] | None = None
) -> Measurement:
    """Measure with the loss along h_1."""
    batch = path.states.shape[1]
    loss = np.zeros((batch, cell.parts[0].size), dtype=path.states.dtype)
    loss[:, 0] = 1
    return measure(cell, path, np.full(batch, path.steps), loss, threshold, Scope(curves and tuple(curves)))


def log_norms(
    cell: Cell, xs: np.ndarray, s0: np.ndarray | None = None, curves: Sequence[str] | None = None
) -> dict[str, np.ndarray]:
    """Return ln ‖·‖₂ by curve, (B, L)."""
    found = measured(cell, trajectory(cell, xs, s0), curves=curves)
    return {name: norms.log_norm for name, norms in found.curves.items()}


def last_product(cell: Cell, path: StoredTrajectory) -> Product:
    """Return ∂s_T/∂s_0."""
    *_, product = backward_products(cell, path, path.states.shape[1])
    return product


def stacked(n: int, d: int, *gates: tuple[np.ndarray | float, ...]) -> tuple[np.ndarray, ...]:
    """Stack (W_hh, W_hx, b) of gates in the order given; a number is a multiple of the identity or of ones."""
    W_hh, W_hx, b = [], [], []
    for recurrent, of_input, bias in gates:
        W_hh.append(recurrent * np.eye(n) if np.isscalar(recurrent) else recurrent)
        W_hx.append(of_input * np.ones((n, d)) if np.isscalar(of_input) else of_input)
        b.append(bias * np.ones(n))
    return np.concatenate(W_hh), np.concatenate(W_hx), np.concatenate(b)


def lstm(n: int = 1, d: int = 1, i=(0, 0, 0), f=(0, 0, 0), g=(0, 0, 0), o=(0, 0, 0)) -> LSTM:
    """Return an LSTM from (recurrent, input, bias) of each gate."""
    return LSTM(*stacked(n, d, i, f, g, o))


def gru(n: int = 1, d: int = 1, r=(0, 0, 0), z=(0, 0, 0), candidate=(0, 0, 0), reset: str = "after") -> GRU:
    """Return a GRU from (recurrent, input, bias) of each gate."""
    return GRU(*stacked(n, d, r, z, candidate), reset=reset)
