"""Remedies: changes to the weights, each with the words that say it; what they bring is measured, not assumed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.cells.activations import Activation
from vanishgrad.cells.cell_row import KeepGate
from vanishgrad.languages import english
from vanishgrad.questions.explain.findings.context import DiagnosisContext
from vanishgrad.questions.explain.findings.critical_gain import neutral_gain
from vanishgrad.questions.explain.findings.rules import dead_units
from vanishgrad.random_streams import Role, stream

LINEAR_DRIVE_RMS = 0.5
"""Root mean square of a drive that leaves units in the linear part of tanh."""

REVIVED_PREACTIVATION = 0.1
"""Where the median pre-activation of a dead unit is raised to."""


class Change(NamedTuple):
    """A cell with other weights, and the change in words."""

    cell: Cell
    words: str


def forget_bias(facts: DiagnosisContext) -> Change:
    """Shift the bias of the gate that keeps, so that it is centred at 1 - 1/T (T8: b = ln(T - 1))."""
    keep = _keep_gate(facts)
    mean = keep.sign * float(facts.pre_activations(keep.letter).mean())
    return _shifted(facts, keep.letter, keep.sign * (_pre_activation(facts, 1 - 1 / _horizon(facts)) - mean))


def chrono(facts: DiagnosisContext) -> Change:
    """Set the bias of the factor that is kept to ln U[1, T - 1], that of a gate that writes to its negative (T8)."""
    cell, n, keep = facts.cell, facts.cell.hidden_size, _keep_gate(facts)
    longest = max(facts.steps, 3) - 1
    draws = [stream(facts.seed, Role.CHRONO, b, cell.row.stream).uniform(1, longest, n) for b in range(cell.trials)]
    biases, b = np.log(np.stack(draws)), cell.b.copy()
    b[:, cell.rows(keep.letter)] = keep.sign * biases
    sides = [f"b_{keep.letter}"]
    if cell.row.write:
        b[:, cell.rows(cell.row.write)] = -biases
        sides.append(f"−b_{cell.row.write}")
    return Change(cell.with_weights(b=b), f"{' = '.join(sides)} = {'−' if keep.sign < 0 else ''}ln U[1, {longest}]")


def orthogonal(facts: DiagnosisContext) -> Change:
    """Put the nearest orthogonal matrix in the place of W, over γ: isometric where nothing saturates."""
    U, _, Vt = np.linalg.svd(facts.cell.W_hh)
    gain = 1 / facts.cell.activation.gamma
    change = english("W → its nearest orthogonal matrix")
    if gain != 1:
        change = english("W → {gain} × its nearest orthogonal matrix", gain=f"{gain:g}")
    return Change(facts.cell.with_weights(W_hh=gain * (U @ Vt)), change)


def scaled(facts: DiagnosisContext) -> Change:
    """Scale the recurrent weights so that the gradient neither grows nor shrinks."""
    gain = neutral_gain(facts)
    return Change(facts.cell.with_weights(W_hh=gain * facts.cell.W_hh), f"W_hh × {gain:.3g}")


def smaller_inputs(facts: DiagnosisContext) -> Change:
    """Scale input weights and biases so that the drive's root mean square is `LINEAR_DRIVE_RMS`."""
    sequences = facts.cell.input_preactivation(facts.sequences.xs)
    gain = min(1.0, LINEAR_DRIVE_RMS / max(float(np.sqrt(np.mean(np.square(sequences)))), np.finfo(float).tiny))
    cell = facts.cell.with_weights(W_hx=gain * facts.cell.W_hx, b=gain * facts.cell.b)
    return Change(cell, english("W_hx and b × {gain}", gain=f"{gain:.3g}"))


def closed_input_gates(facts: DiagnosisContext) -> Change:
    """Shift the bias of the gates that write, so that they are centred at 1/T (T8: b_i = -ln(T - 1))."""
    return _centred(facts, facts.cell.row.write, 1 / _horizon(facts))


def opened_reset_gates(facts: DiagnosisContext) -> Change:
    """Shift the bias of the reset gates, so that they are centred at one half."""
    return _centred(facts, facts.cell.row.reset, 0.5)


def raised_biases(facts: DiagnosisContext) -> Change:
    """Raise the bias of each dead relu, so that it is on at more than half of the steps."""
    gate, off = facts.cell.row.candidate, dead_units(facts)
    a = facts.pre_activations(gate)
    middle = np.median(a, axis=0) if len(off) > 1 else np.median(a, axis=(0, 1))[None]
    b = facts.cell.b.copy()
    b[:, facts.cell.rows(gate)] -= np.where(off, middle - REVIVED_PREACTIVATION, 0)
    return Change(facts.cell.with_weights(b=b), english("b of {count} dead units raised", count=int(off.sum())))


REMEDIES: Mapping[str, Callable[[DiagnosisContext], Change]] = {
    each.__name__: each
    for each in (
        forget_bias, chrono, orthogonal, scaled, smaller_inputs, closed_input_gates, opened_reset_gates, raised_biases,
    )
}  # fmt: skip


def _horizon(facts: DiagnosisContext) -> int:
    return max(facts.steps, 2)


def _keep_gate(facts: DiagnosisContext) -> KeepGate:
    keep = facts.cell.keep_gate
    assert keep is not None
    return keep


def _centred(facts: DiagnosisContext, gate: str | None, value: float) -> Change:
    """Shift a gate's bias, so that the gate is centred at a value."""
    assert gate is not None
    return _shifted(facts, gate, _pre_activation(facts, value) - float(facts.pre_activations(gate).mean()))


def _shifted(facts: DiagnosisContext, gate: str, shift: float) -> Change:
    b = facts.cell.b.copy()
    b[:, facts.cell.rows(gate)] += shift
    return Change(facts.cell.with_weights(b=b), f"b_{gate} {_signed(shift)}")


def _signed(shift: float) -> str:
    return f"{'+' if shift >= 0 else '−'} {abs(shift):.1f}"


def _pre_activation(facts: DiagnosisContext, value: float) -> float:
    """Return where the gates' activation has a value between 0 and 1: ln(value/(1 - value)) for the logistic one."""
    gate = facts.cell.gate_activation
    if gate is None or gate.name == "sigmoid":
        return math.log(value / (1 - value))
    return _inverse(gate, value)


def _inverse(gate: Activation, value: float) -> float:
    low, high = -64.0, 64.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        reached: Array = gate.phi(np.array([middle]))
        low, high = (middle, high) if float(reached[0]) < value else (low, middle)
    return high
