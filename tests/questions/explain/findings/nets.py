"""Nets that run, with what was measured of them."""

from __future__ import annotations

import numpy as np

from tests.engine import driven
from vanishgrad.cells import Cell
from vanishgrad.curves.curve import curve
from vanishgrad.curves.measure import measure
from vanishgrad.curves.model_result import unit_losses
from vanishgrad.inputs.sequences import InputSequences
from vanishgrad.propagation.run import run
from vanishgrad.questions.explain.findings.context import DiagnosisContext
from vanishgrad.weights.laws import draw
from vanishgrad.weights.model_string import parse

N, THRESHOLD = 12, 1e-3


def cell(label: str, steps: int, trials: int) -> Cell:
    spec = parse(label).resolved(N, steps)
    return draw(spec, N, steps, trials, seed=0).cell(spec)


def white(steps: int, trials: int, width: int = N, std: float = 1.0) -> InputSequences:
    xs = std * np.random.default_rng(1).standard_normal((trials, steps, width))
    return driven(xs, source=f"white:{std}")


def facts_of(net: Cell, sequences: InputSequences) -> DiagnosisContext:
    trajectory = run(net, sequences.xs, np.zeros((sequences.trials, net.state_size)), sequences.marks)
    losses = unit_losses(net, sequences.trials, 0)
    found = measure(net, trajectory, sequences.lengths, losses, THRESHOLD).curves
    curves = {name: curve(each.log_norm, each.log_rms, each.alive, THRESHOLD) for name, each in found.items()}
    return DiagnosisContext(net, trajectory, sequences, curves, THRESHOLD, 0)


def facts(label: str, steps: int = 60, trials: int = 3, std: float = 1.0) -> DiagnosisContext:
    return facts_of(cell(label, steps, trials), white(steps, trials, std=std))
