"""The split by paths: against the definition term by term, path counts, and scales that floating point cannot hold."""

from __future__ import annotations

import math
from itertools import product as words

import numpy as np
import pytest

from tests.cells.cases import BATCH, CASES, Case, Run, T, random_run
from tests.engine import lstm, silence, trajectory
from vanishgrad.cells import LSTM, RNN
from vanishgrad.cells.activations import Activation
from vanishgrad.propagation.products.detours import COUNTS, DetourProducts, detour_products
from vanishgrad.propagation.products.products import backward_products

RELATIVE = 1e-12
"""What the split may be off the whole: a thousand units of roundoff, sums of six steps' paths among them."""


def is_split(case: Case) -> bool:
    """Whether a cell tells its conveyor from its detours; a state without a keep gate, or with a norm, has none."""
    run = random_run(case)
    rows = np.zeros((BATCH, 1, run.cell.state_size))
    return run.linearisation.detours(1, rows) is not None


SPLIT = [case for case in CASES if is_split(case)]
every_split_cell = pytest.mark.parametrize("case", SPLIT, ids=lambda case: case.name)


def value(scaled: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    matrix, log_scale = scaled
    return matrix * np.exp(log_scale)[:, None, None]


def split(run: Run) -> list[dict[str, np.ndarray]]:
    """Every product by name, lag after lag."""
    return [values(product) for product in detour_products(run.cell, run.trajectory, BATCH)]


def values(product: DetourProducts) -> dict[str, np.ndarray]:
    return {name: value(each) for name, each in ({"whole": product.whole} | product.counts | product.gates).items()}


def factors(run: Run) -> tuple[list[np.ndarray], dict[str, list[np.ndarray]]]:
    """A_t and, by gate, B_t as dense matrices (B, m, m), t = 1 … T."""
    identity = np.broadcast_to(np.eye(run.cell.state_size), (BATCH,) + 2 * (run.cell.state_size,))
    found = [run.linearisation.detours(t, np.ascontiguousarray(identity)) for t in range(1, T + 1)]
    return [each.direct for each in found], {gate: [each.returns[gate] for each in found] for gate in found[0].returns}


@every_split_cell
def test_split_of_a_step_is_the_step(case: Case) -> None:
    run = random_run(case)
    A, B = factors(run)
    for t in range(1, T + 1):
        whole = A[t - 1] + sum(of_gate[t - 1] for of_gate in B.values())
        np.testing.assert_allclose(whole, run.linearisation.dense(t), rtol=0, atol=1e-14)


@every_split_cell
def test_products_are_sums_over_all_words_in_direct_steps_and_returns(case: Case) -> None:
    run = random_run(case)
    A, B = factors(run)
    every = [sum(of_gate[t] for of_gate in B.values()) for t in range(T)]
    span = run.cell.slices[run.cell.conveyed]
    for lag, found in enumerate(split(run)):
        expected = dict.fromkeys((*COUNTS, *B), 0.0)
        for word in words((0, 1), repeat=lag):
            steps = list(zip(word, range(T - 1, -1, -1), strict=False))
            path = np.eye(run.cell.state_size)
            for returns, t in steps:
                path = path @ (every[t] if returns else A[t])
            expected[str(sum(word)) if sum(word) < 3 else "more"] += path[..., span, span]
            last = next((t for returns, t in steps if returns), None)
            for gate in B if last is not None else ():
                by_gate = np.eye(run.cell.state_size)
                for returns, t in steps:
                    by_gate = by_gate @ (B[gate][t] if t == last else every[t] if returns else A[t])
                expected[gate] += by_gate[..., span, span]
        scale = np.abs(found["whole"]).max()
        for name, matrix in expected.items():
            np.testing.assert_allclose(found[name], matrix + 0 * found[name], rtol=0, atol=1e-13 * max(scale, 1))


@every_split_cell
def test_split_sums_to_the_block_of_the_definition(case: Case) -> None:
    run = random_run(case)
    span, P = run.cell.slices[run.cell.conveyed], np.eye(run.cell.state_size)
    for lag, found in enumerate(split(run)):
        block = P[..., span, span] + 0 * found["whole"]
        gates = [name for name in found if name not in (*COUNTS, "whole")]
        for terms in (("whole",), COUNTS, ("0", *gates)):
            error = np.abs(sum(found[name] for name in terms) - block).max()
            assert error <= RELATIVE * np.abs(block).max(), (lag, terms)
        P = P @ run.linearisation.dense(T - lag) if lag < T else P


@every_split_cell
def test_without_detour_stands_the_conveyor(case: Case) -> None:
    run = random_run(case)
    diagonal = np.ones((BATCH, run.cell.hidden_size))
    for lag, found in enumerate(split(run)):
        np.testing.assert_allclose(found["0"], diagonal[..., None] * np.eye(run.cell.hidden_size), rtol=1e-14)
        diagonal = diagonal * run.linearisation.conveyor(T - lag) if lag < T else diagonal


def test_a_cell_without_conveyor_is_not_split() -> None:
    cell = RNN(np.eye(2), np.eye(2), np.zeros(2))
    assert detour_products(cell, trajectory(cell, silence(cell, 3)), 1) is None


def fibonacci(k: int) -> int:
    a, b = 0, 1
    for _ in range(k):
        a, b = b, a + b
    return a


def test_paths_are_counted_by_fibonacci_numbers() -> None:
    """With F = C = O = E = 1 every path counts 1: Fib(2T - 1) of them, Fib(2T + 1) if h_k moves with c_k."""
    one = Activation("one", lambda a: 0 * a + 1, lambda a: 0 * a + 1, 1.0)
    cell = LSTM(np.array([[0.0], [0.0], [1.0], [1.0]]), np.zeros((4, 1)), np.zeros(4), one, one)
    path = trajectory(cell, silence(cell, 30))
    linearisation = cell.linearise(path, 0, 30)
    totals = [
        linearisation.total(30 - product.lag, product.block("c", None)[0]) for product in backward_products(cell, path, 1, lags=29)
    ]  # fmt: skip
    for product in detour_products(cell, path, 1):
        # Rounded: the logarithm of a scale is right to roundoff only, the count is whole.
        counts = {name: round(float(value(each)[0, 0, 0])) for name, each in product.counts.items()}
        lag = product.lag
        assert sum(counts.values()) == (fibonacci(2 * lag - 1) if lag else 1)
        assert counts["0"] == 1
        assert counts["1"] == math.comb(lag, 2)  # where it leaves the conveyor and where it returns
        assert counts["2"] == math.comb(lag + 1, 4)
        if 0 < lag < 30:
            assert totals[lag][0, 0, 0] == fibonacci(2 * lag + 1)


def test_cancelling_paths_leave_the_whole_that_is_true() -> None:
    """The conveyor is 0.23 and the whole 6.3e-34: no sum of the paths could know that."""
    cell = lstm(f=(0, 0, 3), g=(-2, 0, 0), o=(0, 0, 2))
    *_, last = detour_products(cell, trajectory(cell, silence(cell, 30)), 1)
    assert value(last.counts["0"])[0, 0, 0] == pytest.approx(0.2327895, rel=1e-6)
    assert value(last.whole)[0, 0, 0] == pytest.approx(6.345723e-34, rel=1e-6)


@pytest.mark.parametrize("steps", [40, pytest.param(3000, marks=pytest.mark.slow)])
def test_each_number_of_detours_keeps_its_own_scale(steps: int) -> None:
    """F = f, C E = ε/2 and O = 0 at every step: P^(m) = binom(T - 1, m) f^(T - m) (ε/2)^m, which is 1e-400 for m = 2."""
    f, epsilon = 0.999, 1e-200
    cell = lstm(i=(0, 0, 50), f=(0, 0, math.log(f / (1 - f))), g=(epsilon, 0, 0), o=(0, 0, 0))
    *_, last = detour_products(cell, trajectory(cell, silence(cell, steps)), 1)
    for m in range(3):
        matrix, log_scale = last.counts[str(m)]
        found = math.log(abs(matrix[0, 0, 0])) + log_scale[0]
        expected = math.log(math.comb(steps - 1, m)) + (steps - m) * math.log(f) + m * math.log(epsilon / 2)
        assert found == pytest.approx(expected, rel=1e-12)


def test_every_cell_with_a_keep_gate_of_its_own_is_split():
    names = {case.name.partition("-")[0] for case in SPLIT}
    assert {"lstm", "gru", "mgu", "peephole", "coupled", "janet", "ligru", "mingru", "minlstm", "projected"} <= names
    assert not names & {"rnn", "stack", "layer"}
