"""Recurrences without a product: all lags of a Mamba layer beside products of its Jacobians, and sums beside reading gates.

PyTorch and JAX take rows of ∂S_T/∂S_k through the steps one after the other; all rows of a layer's state at once fit in
no memory, so that a block of rows along some steps is timed, and multiplied up. `vector` is the one row that suffices where
somebody knows that the Jacobian is diagonal, without the norms of what it gives.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

from vanishgrad.cells import Cell, StoredTrajectory
from vanishgrad.curves.measure import measure
from vanishgrad.curves.request import Scope
from vanishgrad.propagation.run import run
from vanishgrad.weights.laws import draw
from vanishgrad.weights.model_string import parse

CHANNELS, STATES, STEPS, WIDTH = 1536, 16, 2048, 768
"""Of the first Mamba's layers, 130 million parameters."""
UNITS, LONG = 4096, 10_000
ROWS, SAMPLE = 64, 4
"""Of the state's Jacobian, and steps, that the peers are timed with."""
STATE = Scope(("state",), details=False)


def rows(peers: list[str]) -> Iterator[dict[str, object]]:
    """Yield the processor time of all lags of a Mamba layer, of its peers, and of sums beside gates."""
    cell, trajectory = _mamba()
    seconds = {"vanishgrad": _least(lambda: _measured(cell, trajectory))}
    scale = CHANNELS * STATES / ROWS * STEPS / SAMPLE
    for name, products in {"torch": torch_rows, "jax": jax_rows}.items():
        if name in peers:
            seconds[name] = _least(products(cell, trajectory, ROWS)) * scale
            seconds[f"{name}, vector"] = _least(products(cell, trajectory, 1)) * STEPS / SAMPLE
    yield {"kind": "recurrences", "cell": cell.name, "n": CHANNELS, "steps": STEPS, "seconds": seconds}
    gates, path = _open_gates()
    seconds = {"gates": _least(lambda: _read(gates, path)), "vanishgrad": _least(lambda: _measured(gates, path))}
    yield {"kind": "recurrences", "cell": gates.name, "n": UNITS, "steps": LONG, "seconds": seconds}


def _mamba() -> tuple[Cell, StoredTrajectory]:
    spec = parse(f"mamba:states={STATES}").resolved(CHANNELS, STEPS)
    cell = draw(spec, WIDTH, STEPS, 1, 0, "float32").cell(spec)
    xs = np.random.default_rng(0).standard_normal((1, STEPS, WIDTH)).astype(np.float32)
    return cell, run(cell, xs, np.zeros((1, cell.state_size), np.float32))


def _open_gates() -> tuple[Cell, StoredTrajectory]:
    """Return a minGRU and pre-activations of its gates; the states, which its Jacobian does not need, are one zero."""
    spec = parse("mingru").resolved(UNITS, LONG)
    cell = draw(spec, 1, LONG, 1, 0).cell(spec)
    records = np.random.default_rng(0).standard_normal((LONG, 1, cell.record_size))
    return cell, StoredTrajectory(np.broadcast_to(0.0, (LONG + 1, 1, UNITS)), records)


def _read(cell: Cell, trajectory: StoredTrajectory, stretch: int = 32) -> None:
    """Take each step's gates once."""
    for start in range(0, trajectory.steps, stretch):
        states, records = trajectory.between(start, min(start + stretch, trajectory.steps))
        cell.multipliers(records, states[:-1], states[1:])


def _measured(cell: Cell, trajectory: StoredTrajectory) -> None:
    measure(cell, trajectory, np.array([trajectory.steps]), None, 1e-3, STATE)


def _decays(cell: Cell, trajectory: StoredTrajectory) -> np.ndarray:
    """Return Δ A of the last steps, (SAMPLE, E·N), which the peers exponentiate."""
    return cell.log_multipliers(trajectory.records[-SAMPLE:], trajectory.states[-SAMPLE - 1 : -1],
                                trajectory.states[-SAMPLE:])[:, 0]  # fmt: skip


def torch_rows(cell: Cell, trajectory: StoredTrajectory, count: int) -> Callable[[], object]:
    """Vector-Jacobian products of each step, a block of rows at a time."""
    import torch

    logs = torch.from_numpy(_decays(cell, trajectory))
    start = torch.from_numpy(np.random.default_rng(1).standard_normal((count, logs.shape[1])).astype(np.float32))

    def products() -> object:
        W, s = start, torch.ones(logs.shape[1])
        for log in logs:
            _, pull = torch.func.vjp(lambda state, log=log: torch.exp(log) * state, s)
            W = torch.func.vmap(lambda w, pull=pull: pull(w)[0])(W)
        return W

    return products


def jax_rows(cell: Cell, trajectory: StoredTrajectory, count: int) -> Callable[[], object]:
    """The same in JAX, compiled."""
    import jax

    logs = jax.numpy.asarray(_decays(cell, trajectory))
    start = jax.numpy.asarray(np.random.default_rng(1).standard_normal((count, logs.shape[1])), dtype=logs.dtype)

    @jax.jit
    def products(W):  # type: ignore[no-untyped-def]
        s = jax.numpy.ones(logs.shape[1], logs.dtype)
        for log in logs:
            _, pull = jax.vjp(lambda state, log=log: jax.numpy.exp(log) * state, s)
            W = jax.vmap(lambda w, pull=pull: pull(w)[0])(W)
        return W

    return lambda: products(start).block_until_ready()


def _least(once: Callable[[], object], rounds: int = 3) -> float:
    """Return the least processor time of a few rounds, after one that is not counted."""
    once()
    times = []
    for _ in range(rounds):
        begin = time.process_time()
        once()
        times.append(time.process_time() - begin)
    return min(times)
