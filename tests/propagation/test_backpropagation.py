"""Backpropagation through time for batches: every tensor of every cell against the complex step of the reference."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cells.cases import CASES, Case, D, T
from tests.reference import complex_step
from vanishgrad.propagation.backpropagation import STRETCH, backward, forward

EACH, OUTPUTS = 2, 3
"""Sequences of one set of weights; last steps that the loss sees."""
ROUNDOFF = 1e-12
"""Relative; sums of a few hundred products of numbers of order 1."""
tied = pytest.mark.parametrize(
    "case", [case for case in CASES if case.name not in ("stack", "rnn-untied")], ids=lambda case: case.name
)


class Batch:
    """S sets of a case's weights, each along `EACH` sequences, and a loss Σ g_t · h_t over the last steps."""

    def __init__(self, case: Case, sets: int, steps: int = T) -> None:
        rng = np.random.default_rng(3)
        self.case, self.sets, self.tensors = case, sets, case.tensors(sets)
        self.cell = case.cell(**self.tensors)
        self.xs = rng.standard_normal((sets * EACH, steps, D))
        self.g = rng.standard_normal((OUTPUTS, sets * EACH, self.cell.parts[0].size))
        self.trajectory = forward(self.cell, self.xs)

    def gradient(self, **options: object) -> dict[str, np.ndarray]:
        return backward(self.cell, self.xs, self.trajectory, self.g, **options)

    def loss(self, name: str, moved: np.ndarray, place: int, start: int = 0) -> complex:
        """The loss of one set with one tensor moved, from s_start as it is; complex where the tensor is."""
        size, total = self.g.shape[2], 0j
        for b in range(place * EACH, (place + 1) * EACH):
            tensors = {key: each[place] for key, each in self.tensors.items()} | {name: moved}
            s, steps = self.trajectory.states[start, b].astype(complex), self.xs.shape[1]
            for t in range(start + 1, steps + 1):
                s = self.case.step(t, self.xs[b, t - 1], s, **tensors)
                if t > steps - OUTPUTS:
                    total += s[:size] @ self.g[t - steps + OUTPUTS - 1, b]
        return total


@tied
@pytest.mark.parametrize("sets", [1, 3])
def test_the_gradient_of_every_tensor_is_the_complex_step(case: Case, sets: int) -> None:
    batch = Batch(case, sets)
    found = batch.gradient()
    for name, tensors in batch.tensors.items():
        for place in range(sets):
            shape = tensors[place].shape
            expected = complex_step(
                lambda flat, name=name, place=place, shape=shape: np.array(
                    [batch.loss(name, flat.reshape(shape), place)]
                ),
                tensors[place].ravel(),
            ).reshape(shape)
            error = np.linalg.norm(found[name][place] - expected)
            assert error <= ROUNDOFF * np.linalg.norm(expected), (name, place)


@tied
def test_a_truncation_holds_the_state_fixed_that_many_steps_before_the_end(case: Case) -> None:
    batch, steps = Batch(case, 2), 4
    name = "W_hh" if "W_hh" in batch.tensors else "W_hx"
    found = batch.gradient(truncation=steps)[name][1]
    shape = batch.tensors[name][1].shape
    expected = complex_step(
        lambda flat: np.array([batch.loss(name, flat.reshape(shape), 1, start=T - steps)]),
        batch.tensors[name][1].ravel(),
    ).reshape(shape)
    assert np.linalg.norm(found - expected) <= ROUNDOFF * np.linalg.norm(expected)


@tied
def test_what_enters_at_each_step_sums_to_the_gradient(case: Case) -> None:
    batch = Batch(case, 2)
    at = [batch.gradient(only=np.full(len(batch.xs), t)) for t in range(1, T + 1)]
    for name, whole in batch.gradient().items():
        error = np.linalg.norm(sum(each[name] for each in at) - whole)
        assert error <= ROUNDOFF * np.linalg.norm(whole), name


@tied
def test_a_sets_gradient_does_not_depend_on_the_others(case: Case) -> None:
    batch = Batch(case, 3, steps=2 * STRETCH + 1)
    alone = case.cell(**{name: each[1:2] for name, each in batch.tensors.items()})
    xs, g = batch.xs[EACH : 2 * EACH], batch.g[:, EACH : 2 * EACH]
    for name, gradient in backward(alone, xs, forward(alone, xs), g).items():
        beside_others = batch.gradient()[name][1]
        assert np.linalg.norm(gradient[0] - beside_others) <= ROUNDOFF * np.linalg.norm(gradient)
