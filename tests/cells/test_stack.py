"""Layers as one cell: beside the conformance of every cell, its parts, and its layers run one after the other."""

from __future__ import annotations

import numpy as np

from tests.cells.cases import BATCH, CASES, D, N, T, random_run
from tests.engine import last_product
from vanishgrad.cells import LSTM, RNN, Cell, StoredTrajectory
from vanishgrad.cells.stack import Stack
from vanishgrad.propagation.run import run

(CASE,) = (case for case in CASES if case.name == "stack")


def test_the_top_layers_parts_come_first_under_their_own_names() -> None:
    cell = random_run(CASE).cell
    assert [(part.name, part.size) for part in cell.parts] == [("h", N), ("h-1", N), ("c-1", N)]
    assert cell.spans == (slice(N, 3 * N), slice(0, N))


def test_the_layers_are_those_that_run_one_after_the_other() -> None:
    found = random_run(CASE)
    xs, s0 = found.xs, found.trajectory.states[0]
    gates = found.cell.gate_values(found.trajectory)
    for place, (layer, span) in enumerate(zip(found.cell.layers, found.cell.spans, strict=True)):
        alone = run(layer, xs, s0[:, span])
        np.testing.assert_allclose(found.trajectory.states[..., span], alone.states, rtol=0, atol=1e-14)
        for name, values in layer.gate_values(alone).items():
            np.testing.assert_allclose(gates[f"{place}.{name}"], values, rtol=0, atol=1e-14)
        xs = np.swapaxes(alone.states[1:, :, : layer.parts[0].size], 0, 1)


def test_a_layer_knows_nothing_of_those_above(rng) -> None:
    """∂(lower)_T/∂(upper)_k is exactly zero, and the lowest layer's own block is the product of that layer alone."""
    layers = [LSTM(*(rng.standard_normal(shape) for shape in ((4 * N, N), (4 * N, d), (4 * N,)))) for d in (D, N)]
    top = RNN(rng.standard_normal((2, 2)), rng.standard_normal((2, N)), np.zeros(2))
    cell, xs = Stack([*layers, top]), rng.standard_normal((BATCH, T, D))
    path = run(cell, xs, np.zeros((BATCH, cell.state_size)))
    J = dense(cell, path)
    for place, below in enumerate(cell.spans):
        for above in cell.spans[place + 1 :]:
            assert not J[:, below, above].any()
    bottom = run(layers[0], xs, np.zeros((BATCH, 2 * N)))
    np.testing.assert_allclose(J[:, cell.spans[0], cell.spans[0]], dense(layers[0], bottom), rtol=0, atol=1e-12)


def dense(cell: Cell, path: StoredTrajectory) -> np.ndarray:
    """∂s_T/∂s_0."""
    matrix, log_scale = last_product(cell, path).block(None, None)
    return matrix * np.exp(log_scale)[:, None, None]
