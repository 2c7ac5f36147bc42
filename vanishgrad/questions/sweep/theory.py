"""Critical gains: where theory has the rate of a Gaussian network cross zero, and where a sweep measures it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from vanishgrad.cells import RNN
from vanishgrad.cells.registry import CELLS
from vanishgrad.inputs.sequences import white_std
from vanishgrad.propagation.run import run
from vanishgrad.questions.explain.lyapunov.mean_field import exponents_above
from vanishgrad.questions.sweep.axes import NOISE, Value
from vanishgrad.questions.sweep.document import CriticalGain, SweepSettings, SweptPoint
from vanishgrad.weights.laws import draw
from vanishgrad.weights.model_string import ModelSpec, parse

GAIN = "gain"
RATE = "rate"
LARGEST_GAIN = 2.0**10
"""Beyond it no critical gain is looked for."""


class Prediction(NamedTuple):
    """A critical gain of an infinitely wide network, and where it comes from."""

    gain: float
    theory: str


def predicted_gain(spec: ModelSpec, source: str, initial: str) -> Prediction | None:
    r"""Return the gain g at which the rate of a MODEL with W_hh ~ N(0, g²/n) crosses zero; None where none is known.

    Without input, from s_0 = 0 and without other biases than the keep gate's, the run stays at the fixed point zero.
    Its Jacobian depends on the candidate's matrix U alone, whose eigenvalues λ fill the disk of radius g: the largest
    is that of the same cell of one unit with weight g, and is 1 at the critical gain. g = 1 for a tanh network; for an
    LSTM σ(b_f) + λ/4, for a GRU σ(b) + (1 - σ(b)) λ/2, which is ½ + ¼ λ and g = 2 without bias.

    Along white noise of standard deviation s, of a tanh network: λ₁ = ½ ln g² E d² = 0 with q = g² E tanh²(√q z) + s²
    and d = sech²(√q z), z standard normal.
    """
    cell = CELLS[spec.cell].cell_class
    if spec.law != "gaussian" or spec.keys.get("activation") != "tanh" or spec.keys.get("untied"):
        return None
    if source == "zeros" and initial == "zeros":
        plain = {name: value for name, value in spec.keys.items() if name not in (GAIN, "hidden")}
        return _at_fixed_point(spec.cell, tuple(sorted(plain.items())))
    noise = white_std(source) if source.partition(":")[0] == "white" else 0.0
    return _driven(noise) if cell is RNN and noise > 0 else None


@lru_cache(maxsize=4096)
def _at_fixed_point(cell: str, keys: tuple[tuple[str, object], ...]) -> Prediction | None:
    spec = ModelSpec(cell, cell, "gaussian", MappingProxyType({**dict(keys), GAIN: 1.0, "hidden": 1}))
    gain = _root(lambda g: spectral_radius(spec, g) - 1)
    return None if gain is None else Prediction(gain, "eigenvalue 1 at the fixed point s = 0, n → ∞")


def spectral_radius(spec: ModelSpec, weight: float) -> float:
    """Return ρ(ds_1/ds_0) at s_0 = 0 without input, of a cell of one unit whose recurrent weights are all the same."""
    weights = draw(spec, 1, 1, 1, seed=0)
    cell = replace(weights, weight_hh=np.full_like(weights.weight_hh, weight)).cell(spec)
    trajectory = run(cell, np.zeros((1, 1, 1)), np.zeros((1, cell.state_size)))
    return float(np.abs(np.linalg.eigvals(cell.linearise(trajectory, 0, 1).dense(1)[0])).max())


@lru_cache(maxsize=256)
def _driven(noise: float) -> Prediction | None:
    gain = _root(lambda g: float(exponents_above(g, noise, np.zeros(1))[0]))
    return None if gain is None else Prediction(gain, f"mean field λ₁ = 0 along white noise {noise:g}, n → ∞")


def _root(increasing: Callable[[float], float]) -> float | None:
    """Return where a function of the gain crosses zero from below, None where it does not below `LARGEST_GAIN`."""
    low, high = 1e-6, 1.0
    if increasing(low) >= 0:
        return None
    while increasing(high) < 0:
        low, high = high, 2 * high
        if high > LARGEST_GAIN:
            return None
    from scipy.optimize import brentq

    return float(brentq(increasing, low, high, xtol=1e-10))


def crossing(gains: Sequence[float], rates: Sequence[float | None]) -> float | None:
    """Return the first gain at which the rate turns from below zero to zero or above, between points on a line."""
    for (g0, r0), (g1, r1) in pairwise(zip(gains, rates, strict=True)):
        if r0 is not None and r1 is not None and r0 < 0 <= r1:
            return g0 + (g1 - g0) * r0 / (r0 - r1)
    return None


def critical_gains(settings: SweepSettings, points: Sequence[SweptPoint]) -> list[CriticalGain]:
    """Return the critical gain of every MODEL at every value of its other axes, measured and predicted."""
    return list(_critical_gains(settings, points)) if RATE in settings.measure else []


def _critical_gains(settings: SweepSettings, points: Sequence[SweptPoint]) -> Iterator[CriticalGain]:
    lines = dict[tuple[str, tuple[tuple[str, Value], ...]], list[SweptPoint]]()
    for point in points:
        if GAIN in point.coordinates:
            lines.setdefault((point.model, tuple(others(point.coordinates).items())), []).append(point)
    for (model, rest), line in lines.items():
        spec = parse(line[0].label).resolved(line[0].hidden, line[0].steps)
        noise, start = (line[0].coordinates.get(name) for name in (NOISE, "initial"))
        source = settings.input[0] if noise is None else f"white:{noise}" if noise else "zeros"
        prediction = predicted_gain(spec, source, "normal" if start else settings.initial[0])
        measured = crossing([float(each.coordinates[GAIN]) for each in line], [_rate(each) for each in line])
        predicted = prediction.gain if prediction else None
        yield CriticalGain(
            model=model, coordinates=dict(rest), measured=measured, predicted=predicted,
            theory=prediction.theory if prediction else None,
            distance=None if measured is None or predicted is None else measured - predicted,
        )  # fmt: skip


def others(coordinates: Mapping[str, Value], *names: str) -> dict[str, Value]:
    """Return the coordinates other than those named, or than the gain."""
    return {name: value for name, value in coordinates.items() if name not in (names or (GAIN,))}


def _rate(point: SweptPoint) -> float | None:
    return point.measures[RATE].value if RATE in point.measures else None
