"""Nets that run, with what was measured of them."""

from __future__ import annotations

import numpy as np

from tests.engine import driven
from vanishgrad.analysis.curve import curve
from vanishgrad.analysis.explain.findings.facts import Facts
from vanishgrad.analysis.measure import measure
from vanishgrad.analysis.model import unit_losses
from vanishgrad.cells import Cell
from vanishgrad.inputs.drive import Drive
from vanishgrad.propagation.trajectory import run
from vanishgrad.weights.laws import draw
from vanishgrad.weights.spec import parse

N, THRESHOLD = 12, 1e-3


def cell(label: str, steps: int, trials: int) -> Cell:
    spec = parse(label).resolved(N, steps)
    return draw(spec, N, steps, trials, seed=0).cell(spec)


def white(steps: int, trials: int, width: int = N, std: float = 1.0) -> Drive:
    xs = std * np.random.default_rng(1).standard_normal((trials, steps, width))
    return driven(xs, source=f"white:{std}")


def facts_of(net: Cell, drive: Drive) -> Facts:
    trajectory = run(net, drive.xs, np.zeros((drive.trials, net.state_size)), drive.first)
    losses = unit_losses(net, drive.trials, 0)
    found = measure(net, trajectory, drive.lengths, losses, THRESHOLD).curves
    curves = {name: curve(each.log_norm, each.log_rms, each.alive, THRESHOLD) for name, each in found.items()}
    return Facts(net, trajectory, drive, curves, THRESHOLD, 0)


def facts(label: str, steps: int = 60, trials: int = 3, std: float = 1.0) -> Facts:
    return facts_of(cell(label, steps, trials), white(steps, trials, std=std))
