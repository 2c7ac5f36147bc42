"""Compares every number that the engines report about a model with multiple precision."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
from mpmath import mp

from tests.engine import trajectory
from tests.fuzz import multiple_precision as exact
from tests.fuzz.models import Model
from vanishgrad.cells import LSTM
from vanishgrad.cells.convex_update import ConvexUpdate
from vanishgrad.cells.coupled import CoupledLSTM
from vanishgrad.curves.measure import measure
from vanishgrad.curves.recorder import Norms

ENGINES = ("dense", "adaptive", "matrix-free")
ROUNDINGS = 64
"""A norm may be off by so many times what a rounding of every entry of every Jacobian, at random, does to it."""

SAME = 1e-7
"""Singular values that are as close, relative, Lanczos may take for one."""


class Fault(NamedTuple):
    """A number that is further off than it may be."""

    model: str
    engine: str
    curve: str
    lag: int
    found: float
    right: float
    allowed: float


def judged(model: Model) -> tuple[int, list[Fault]]:
    """Return how many numbers were checked and those that are wrong."""
    cell, path = model.cell, trajectory(model.cell, model.xs)
    # Where nothing saturates, pre-activations may grow to 1e12 and ask for no digits.
    largest = float(np.abs(path.records).max()) if any(each.decay for each in cell.activations) else 0.0
    # Down to the smallest difference h - n̂ that a gate leaves, which the plain formula subtracts.
    smallest = float(np.abs(path.records[path.records != 0]).min(initial=1))
    mp.dps = 40 + int(largest - np.log10(smallest))
    right, allowed = _right(model, path.states[:, 0], largest)
    checked, faults = 0, list[Fault]()
    loss = np.full((1, cell.parts[0].size), 1 / np.sqrt(cell.parts[0].size))
    for engine in ENGINES:
        found = measure(cell, path, np.array([path.steps]), loss, 1e-3, engine=engine)
        for name, norms in found.curves.items():
            if name not in right:  # the conveyor of a cell without a cell state: its gate is in no block of J
                continue
            stated = found.engine.error_bound + (SAME if engine == "matrix-free" else 0)
            count, wrong = _compared(norms, right[name], allowed[name] + stated, engine)
            checked += count
            faults += [Fault(model.name, engine, name, *each) for each in wrong]
    return checked, faults


def _right(model: Model, states: np.ndarray, largest: float) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return ln ‖·‖₂ of every curve at every lag, and by how much each may be off."""
    cell = model.cell
    by_state, by_input, sizes = exact.jacobians(model.step, model.xs[0], states)
    if (
        isinstance(cell, ConvexUpdate) and cell.activation.tail is not None
    ):  # h - n̂ is to have its digits where both are beside an end, as 1 ± n̂ has
        around = [exact.jacobians(partial(model.step, around=end), model.xs[0], states).sizes for end in (-1, 1)]
        sizes = [np.minimum(np.minimum(*each), size) for *each, size in zip(*around, sizes, strict=True)]
    hidden, whole = cell.slices[cell.parts[0].name], slice(0, cell.state_size)
    blocks = {name: (cell.slices[to], cell.slices[source]) for name, (to, source) in cell.curves.items()}
    blocks |= {"state": (whole, whole), "hidden": blocks.get("hidden", (hidden, hidden)), "output": (hidden, whole)}
    right = exact.log_norms(by_state, by_input, blocks, hidden)
    # A pre-activation a is known to u|a|, and tanh' and σ' lose as much of their value, twice; sums of a few terms.
    unit = np.finfo(float).eps * (4 + 2 * largest)
    rng = np.random.default_rng(0)
    m = cell.state_size
    moved = exact.log_norms(
        [exact.perturbed(J, size[:, :m], unit, rng) for J, size in zip(by_state, sizes, strict=True)],
        [exact.perturbed(X, size[:, m:], unit, rng) for X, size in zip(by_input, sizes, strict=True)],
        blocks, hidden,
    )  # fmt: skip
    allowed = {}
    for name, values in right.items():
        with np.errstate(invalid="ignore"):
            change = np.nan_to_num(np.abs(values - moved[name]), nan=0.0)
        # The rounding at hand may happen to do little at one lag: what it did up to there counts.
        allowed[name] = ROUNDINGS * (np.maximum.accumulate(change) + unit * np.sqrt(1 + np.arange(len(values))))
    if type(cell) in (LSTM, CoupledLSTM):
        right["conveyor"] = _conveyor([J[blocks["cell"]] for J in by_state])
        allowed["conveyor"] = ROUNDINGS * unit * (1 + np.arange(len(by_state) + 1))
    return right, allowed


def _conveyor(carries: list[np.ndarray]) -> np.ndarray:
    """Return ln max_i Π f_i at every lag; ∂c_t/∂c_{t-1} of one step is diag f."""
    logs = [[mp.mpf(0)] * len(carries[0])]
    for f in reversed(carries):
        logs.append([sum_so_far + mp.log(f[i, i]) for i, sum_so_far in enumerate(logs[-1])])
    return np.array([float(max(row)) for row in logs])


def _compared(
    norms: Norms, right: np.ndarray, allowed: np.ndarray, engine: str
) -> tuple[int, Iterator[tuple[int, float, float, float]]]:
    found = norms.log_norm[0]
    known = np.ones(len(found), dtype=bool) if engine != "matrix-free" else ~np.isnan(found)
    slack = allowed + 8 * np.finfo(float).eps * np.abs(np.where(np.isfinite(right), right, 0))
    with np.errstate(invalid="ignore"):
        good = (np.abs(found - right) <= slack) | (found == right)
    wrong = np.flatnonzero(known & ~good)
    return int(known.sum()), ((int(i), float(found[i]), float(right[i]), float(slack[i])) for i in wrong)
