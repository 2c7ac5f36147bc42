"""Critical lines: where theory has a Gaussian network's rate cross zero, or a gate forget, and where sweeps have it.

Each is solved for one axis, at given values of all others. Theory is for n → ∞; sources stand with each line.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import pairwise
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from vanishgrad.cells import LSTM, RNN
from vanishgrad.cells.registry import CELLS
from vanishgrad.languages import english
from vanishgrad.propagation.run import run
from vanishgrad.questions.explain.lyapunov.mean_field import largest_exponent
from vanishgrad.questions.sweep.axes import NOISE, Value, generated_std
from vanishgrad.questions.sweep.document import CriticalPoint, SweepSettings, SweptPoint
from vanishgrad.questions.sweep.measures import OF_A_CURVE
from vanishgrad.weights.laws import draw
from vanishgrad.weights.model_string import KEYS, ModelSpec, parse

GAIN, BIAS = "gain", "forget_bias"
SCANNED = {GAIN: (1e-6, 2.0**10), BIAS: (-30.0, 30.0)}
"""Where a critical value is looked for; σ rounds to 1 beyond a bias of 37."""
ROOT_BITS = 36
"""A critical value is found within 2⁻³⁶ of where it is looked for."""


@dataclass(frozen=True)
class Setting:
    """What a prediction depends on.

    Attributes
    ----------
    spec : ModelSpec
        With every key resolved.
    noise : float or None
        The standard deviation of white input; None for a file.
    start : float
        That of s_0.
    steps, threshold : float
    """

    spec: ModelSpec
    noise: float | None
    start: float
    steps: float
    threshold: float

    def at(self, axis: str, value: float) -> Setting:
        """Return the same at another value of an axis."""
        if axis in self.spec.keys and axis in KEYS:
            return replace(self, spec=replace(self.spec, keys=MappingProxyType({**self.spec.keys, axis: value})))
        name = {NOISE: "noise", "initial": "start"}.get(axis, axis)
        changed: dict[str, Any] = {name: value} if name in ("noise", "start", "steps", "threshold") else {}
        return replace(self, **changed)

    @property
    def is_at_rest(self) -> bool:
        """Whether a run without input starts and stays at the fixed point s = 0: no bias but the keep gate's."""
        return self.noise == 0 and self.start == 0 and _has_no_other_bias(self.spec)


def setting_of(point: SweptPoint, settings: SweepSettings) -> Setting:
    """Return the setting of a point of a MODEL."""
    at, source = point.coordinates, settings.input[0]
    noise = float(at[NOISE]) if NOISE in at else generated_std(source) if is_noise(source) else None
    return Setting(
        parse(point.label).resolved(point.hidden, point.steps), noise,
        float(at.get("initial", generated_std(settings.initial[0]))), point.steps,
        float(at.get("threshold", settings.threshold[0])),
    )  # fmt: skip


def is_noise(source: str) -> bool:
    """Whether an input is generated."""
    return source.partition(":")[0] in ("white", "zeros")


def _has_no_other_bias(spec: ModelSpec) -> bool:
    return spec.law == "gaussian" and not spec.keys.get("untied")


class Theory(NamedTuple):
    """A line in the plane of the axes: for which axis it is solved, what it says, and its value there, if it speaks."""

    name: str
    axis: str
    sentence: Callable[[Setting], str]
    predicted: Callable[[Setting], float | None]


def critical_value(setting: Setting, axis: str) -> float | None:
    r"""Return the gain g, or the forget bias, at which the rate crosses zero, W_hh ~ N(0, g²/n); None where not known.

    At rest the Jacobian depends on the candidate's matrix U alone, whose eigenvalues λ fill the disk of radius g: the
    largest is that of the same cell of one unit with weight g, and is 1 at the critical value. g = 1 for a tanh
    network; for an LSTM σ(b_f) + λ/4, for a GRU σ(b) + (1 - σ(b)) λ/2, which is ½ + ¼ λ and g = 2 without bias.

    Along white noise of standard deviation s, of a tanh network: λ₁ = ½ ln g² E d² = 0 with q = g² E tanh²(√q z) + s²
    and d = sech²(√q z), z standard normal.
    """
    spec = setting.spec
    if not _has_no_other_bias(spec) or spec.keys.get("activation") != "tanh" or axis not in spec.keys:
        return None
    if setting.is_at_rest:
        plain = {name: value for name, value in spec.keys.items() if name not in (axis, "hidden")}
        return _at_rest(spec.cell, tuple(sorted(plain.items())), axis)
    is_driven = CELLS[spec.cell].cell_class is RNN and setting.noise
    return _driven(setting.noise or 0.0) if is_driven and axis == GAIN else None


@lru_cache(maxsize=4096)
def _at_rest(cell: str, keys: tuple[tuple[str, Any], ...], axis: str) -> float | None:
    def growth(value: float) -> float:
        own = MappingProxyType({**dict(keys), axis: value, "hidden": 1})
        spec = ModelSpec(cell, cell, "gaussian", own)
        return spectral_radius(spec, float(own[GAIN])) - 1

    return _root(growth, axis)


def spectral_radius(spec: ModelSpec, weight: float) -> float:
    """Return ρ(ds_1/ds_0) at s_0 = 0 without input, of a cell of one unit whose recurrent weights are all the same."""
    weights = draw(spec, 1, 1, 1, seed=0)
    cell = replace(weights, weight_hh=np.full_like(weights.weight_hh, weight)).cell(spec)
    trajectory = run(cell, np.zeros((1, 1, 1)), np.zeros((1, cell.state_size)))
    return float(np.abs(np.linalg.eigvals(cell.linearise(trajectory, 0, 1).dense(1)[0])).max())


@lru_cache(maxsize=4096)
def _driven(noise: float) -> float | None:
    return _root(lambda gain: largest_exponent(gain, noise), GAIN)


def _root(increasing: Callable[[float], float], axis: str) -> float | None:
    """Return where a function crosses zero from below within `SCANNED`; None where it does not."""
    low, high = SCANNED[axis]
    if axis == GAIN:
        high = 1.0
        while increasing(high) < 0 and high < SCANNED[axis][1]:
            low, high = high, 2 * high
    if not increasing(low) < 0 <= increasing(high):
        return None
    # scipy.optimize takes 0.25 s to import, as long as 40 points of a sweep.
    step = (high - low) / 2**ROOT_BITS
    return low + step * bisect_left(range(2**ROOT_BITS), 0.0, key=lambda i: increasing(low + step * i))


def guaranteed_bias(setting: Setting) -> float | None:
    """Return the forget bias from which σ(b)^T ≥ δ, the threshold: ln(δ^(1/T)/(1 - δ^(1/T))).

    Of gates that their bias alone decides.
    Tallec and Ollivier (2018) give the keep gates that bias, up to the constant: σ(b) = 1 - 1/T.
    """
    if not KEYS[BIAS].applies(CELLS[setting.spec.cell]) or setting.spec.law == "chrono":
        return None
    rate = math.log(setting.threshold) / setting.steps
    return rate - math.log(-math.expm1(rate))


def preserving_gain(setting: Setting) -> float | None:
    r"""Return the gain up to which no direction of an LSTM's c is lost at rest: √φ ≥ √ω + √(κη), which is sharp (N1).

    At s = 0, n → ∞: φ = σ(b_f), κ = ‖½ U_g‖ = g, ω = 0, η = ½, so g = 2 σ(b_f).
    """
    spec = setting.spec
    row = CELLS[spec.cell]
    plain = row.form(spec.keys) is row and row.cell_class is LSTM and spec.keys.get("activation") == "tanh"
    return 2 / (1 + math.exp(-spec.keys.get(BIAS, 0.0))) if plain and setting.is_at_rest else None


def _rate_sentence(setting: Setting) -> str:
    if setting.is_at_rest:
        return english("eigenvalue 1 at the fixed point s = 0, n → ∞")
    return english("mean field λ₁ = 0 along white noise {deviation}, n → ∞", deviation=f"{setting.noise:g}")


def _chrono_sentence(setting: Setting) -> str:
    return english("chrono: σ(b)^{steps} = {threshold}", steps=f"{setting.steps:g}", threshold=f"{setting.threshold:g}")


def _n1_sentence(setting: Setting) -> str:
    return english("N1: √φ = √ω + √(κη) at the fixed point s = 0, n → ∞")


MEAN_FIELD, CHRONO, SHARP = "mean-field", "chrono", "n1"
THEORIES = (
    Theory(MEAN_FIELD, GAIN, _rate_sentence, partial(critical_value, axis=GAIN)),
    Theory(MEAN_FIELD, BIAS, _rate_sentence, partial(critical_value, axis=BIAS)),
    Theory(CHRONO, BIAS, _chrono_sentence, guaranteed_bias),
    Theory(SHARP, GAIN, _n1_sentence, preserving_gain),
)
"""The line of N1 is drawn; nothing that a sweep measures crosses there."""
OVERLAYS = tuple(dict.fromkeys(theory.name for theory in THEORIES))
GROWTH = ("rate", "lyapunov")
"""Measures that theory has cross zero."""


def crossing(values: Sequence[float], readings: Sequence[float | None], level: float = 0.0) -> float | None:
    """Return the first value at which a reading turns from below a level to it or above, on a line between points."""
    for (x0, y0), (x1, y1) in pairwise(zip(values, readings, strict=True)):
        if y0 is not None and y1 is not None and y0 < level <= y1:
            return x0 + (x1 - x0) * (level - y0) / (y1 - y0)
    return None


def critical_points(settings: SweepSettings, points: Sequence[SweptPoint]) -> list[CriticalPoint]:
    """Return where each measure crosses its level along the gain or the forget bias, measured and predicted."""
    axes = {name for point in points for name in point.coordinates}
    found = list[CriticalPoint]()
    for axis in (GAIN, BIAS):
        for line in _lines(points, axis) if axis in axes else ():
            found += _on_line(settings, line, axis)
    return found


def _lines(points: Sequence[SweptPoint], axis: str) -> list[list[SweptPoint]]:
    lines = dict[tuple[str, tuple[tuple[str, Value], ...]], list[SweptPoint]]()
    for point in points:
        if axis in point.coordinates:
            lines.setdefault((point.model, tuple(others(point.coordinates, axis).items())), []).append(point)
    return list(lines.values())


def _on_line(settings: SweepSettings, line: Sequence[SweptPoint], axis: str) -> Iterator[CriticalPoint]:
    setting, rest = setting_of(line[0], settings), others(line[0].coordinates, axis)
    for name in settings.measure:
        of_curve = OF_A_CURVE.fullmatch(name)
        lag = of_curve and of_curve["lag"]
        if name in GROWTH and (axis == GAIN or GAIN not in rest):
            theory, own, level = MEAN_FIELD, setting, 0.0
        elif lag and of_curve and of_curve["curve"] in (None, "cell", "conveyor") and axis == BIAS:
            theory, own, level = CHRONO, replace(setting, steps=int(lag)), math.log10(setting.threshold)
        else:
            continue
        row = next(each for each in THEORIES if each.name == theory and each.axis == axis)
        predicted = row.predicted(own)
        if predicted is None and axis != GAIN:
            continue
        readings = [point.measures[name].value if name in point.measures else None for point in line]
        measured = crossing([float(point.coordinates[axis]) for point in line], readings, level)
        yield CriticalPoint(
            model=line[0].model, axis=axis, measure=name, level=level, coordinates=rest, measured=measured,
            predicted=predicted, theory=None if predicted is None else row.sentence(own),
            distance=None if measured is None or predicted is None else measured - predicted,
        )  # fmt: skip


def others(coordinates: Mapping[str, Value], *names: str) -> dict[str, Value]:
    """Return the coordinates other than those named."""
    return {name: value for name, value in coordinates.items() if name not in names}
