"""Measures of a sweep: one number at each point and for each trial, read off a curve or off the run itself."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Annotated

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell, StoredTrajectory, Trajectory
from vanishgrad.cells.registry import CELLS
from vanishgrad.curves.curve import Curve, trial_horizons
from vanishgrad.curves.request import CURVES
from vanishgrad.curves.statistics import band, interval, quantile
from vanishgrad.errors import UsageError
from vanishgrad.inputs.sequences import InputSequences, stretches
from vanishgrad.languages import english
from vanishgrad.propagation.lyapunov import lyapunov_spectrum
from vanishgrad.propagation.run import block_length
from vanishgrad.reports.documents.declaration import Document, finite
from vanishgrad.weights.model_string import ModelSpec

LYAPUNOV_STEPS, LYAPUNOV_BURN_IN, STRETCH = 1000, 100, 64
"""Steps of generated input that the exponent is averaged over, and before that; as `explain` has it."""


class MeasuredQuantity(Document):
    """One measure at one point."""

    value: Annotated[float | None, "over trials; null where there is none, as a rate of products that are zero"]
    low: Annotated[float | None, "of a mean its 95 % interval, of others the 5 % quantile; least below 20 trials"]
    high: float | None
    trials: Annotated[Sequence[float | None], "of each trial; null for an exact zero or none"]
    censored: Annotated[bool, "whether a horizon lies beyond the run"] = False


@dataclass(frozen=True, eq=False)
class BatchRun:
    """What a measure of the run itself is taken from: the P·B trials of P points, those of a point side by side.

    Attributes
    ----------
    cell : Cell
    sequences : InputSequences
        Of all trials.
    s0 : (P·B, m) array
    trajectory : Trajectory
    points, seed : int
    """

    cell: Cell
    sequences: InputSequences
    s0: Array
    trajectory: Trajectory
    points: int
    seed: int


@dataclass(frozen=True)
class Measure:
    """What can be asked of every point: read off a curve's norms by lag, or trial by trial off the run.

    Attributes
    ----------
    title : str
        With its unit.
    curve : str or None
        One of `CURVES`; None for a measure of the run.
    read : callable or None
        (curve, ln norms (B, L)) → `MeasuredQuantity`.
    by_trial : callable or None
        `BatchRun` → (P·B,): what it is for each trial.
    neutral : float or None
        Between vanishing and exploding.
    lag : int or None
        The lag that a run must have.
    applies : callable
        Whether a MODEL has it, told before it is drawn.
    suits : callable
        Whether a cell has what a measure of the run is taken from.
    """

    title: str
    curve: str | None = None
    read: Callable[[Curve, Array], MeasuredQuantity] | None = None
    by_trial: Callable[[BatchRun], Array] | None = None
    neutral: float | None = None
    lag: int | None = None
    applies: Callable[[ModelSpec], bool] = lambda spec: True
    suits: Callable[[Cell], bool] = lambda cell: True


def mean_over_trials(values: Array) -> MeasuredQuantity:
    """Return the mean of what trials have, (B,), with its 95 % interval; NaN and infinite trials have none."""
    numbers = values[np.isfinite(values)]
    low, high = (interval(numbers) if numbers.size else None) or (None, None)
    trials = [finite(value) for value in values.tolist()]
    return MeasuredQuantity(value=float(numbers.mean()) if numbers.size else None, low=low, high=high, trials=trials)


def absent(trials: int) -> MeasuredQuantity:
    """Return what a cell has that the measure does not apply to."""
    return MeasuredQuantity(value=None, low=None, high=None, trials=[None] * trials)


def _rate(curve: Curve, log_norm: Array) -> MeasuredQuantity:
    trials = [finite(value) for value in curve.trial_rates.tolist()]
    value, low, high = (curve.rate.value, curve.rate.low, curve.rate.high) if curve.rate else (None, None, None)
    return MeasuredQuantity(value=value, low=low, high=high, trials=trials)


def _horizon(curve: Curve, log_norm: Array) -> MeasuredQuantity:
    horizon = curve.horizon
    by_trial = trial_horizons(log_norm[:, : curve.final_lag + 1], math.log(curve.threshold))
    trials = [int(lag) if lag >= 0 else None for lag in by_trial.tolist()]
    return MeasuredQuantity(
        value=horizon.lag, low=horizon.low, high=horizon.high, trials=trials, censored=horizon.censored
    )


def _log10_norm(curve: Curve, log_norm: Array, lag: int) -> MeasuredQuantity:
    norms, ten = curve.log_norm, math.log(10)
    median, low, high = (finite(float(each[lag]) / ten) for each in (norms.median, norms.low, norms.high))
    trials = [finite(value / ten) for value in log_norm[:, lag].tolist()]
    return MeasuredQuantity(value=median, low=low, high=high, trials=trials)


def _verdict(curve: Curve, log_norm: Array) -> MeasuredQuantity:
    """Return the side of the thresholds on which the norm at the last lag lies: -1 below, 1 above 1/threshold, else 0.

    A verdict needs the 5 % and the 95 % quantile on its side: it is inconclusive where low and high differ.
    """
    final, level = curve.trial_final[:, None], math.log(curve.threshold)
    ends = (quantile(final, 0.5), *band(final))
    value, low, high = (_side(float(end[0]), level) for end in ends)
    return MeasuredQuantity(value=value, low=low, high=high, trials=[_side(x, level) for x in final[:, 0].tolist()])


def _side(log_norm: float, level: float) -> int:
    return -1 if log_norm < level else int(log_norm > -level)


def _lyapunov(run: BatchRun) -> Array:
    """Return λ₁ by QR of one tangent vector: along 1000 steps of generated input after 100, else along the run."""
    sequences = run.sequences
    source, own_steps = sequences.source, run.cell.steps
    steps, burn_in = sequences.steps, sequences.burn_in
    inputs: Iterator[Array] = iter([sequences.xs])
    if own_steps is None and source.partition(":")[0] in ("white", "zeros") and _is_generated(run):
        steps, burn_in = LYAPUNOV_STEPS, sequences.burn_in + LYAPUNOV_BURN_IN
        needed = -(-(steps + burn_in) // STRETCH)
        inputs = (np.tile(xs, (run.points, 1, 1)) for xs in islice(_generated(run), needed))
    exponent: Array = lyapunov_spectrum(run.cell, inputs, run.s0, steps, burn_in, exponents=1).lam[:, 0]
    return exponent


def _generated(run: BatchRun) -> Iterator[Array]:
    sequences = run.sequences
    shape = (sequences.trials // run.points, STRETCH, sequences.input_size)
    return stretches(sequences.source, run.seed, shape, str(run.s0.dtype))


def _is_generated(run: BatchRun) -> bool:
    """Whether the input is what its source generates, and not a layer's below, or turned round."""
    first, own = next(_generated(run)), run.sequences.xs[: run.sequences.trials // run.points]
    length = min(first.shape[1], own.shape[1])
    return np.array_equal(first[:, :length], own[:, :length])


def _spectral_radius(run: BatchRun) -> Array:
    """Return max |λ(U)| of the candidate's recurrent matrix U: an RNN's W_hh, an LSTM's U_g, a GRU's U_n."""
    cell = run.cell
    candidate = cell.W_hh[..., cell.rows(cell.row.candidate), :]
    radius: Array = np.abs(np.linalg.eigvals(candidate)).max(axis=-1)
    return radius if cell.trials > 1 else np.broadcast_to(radius, (len(run.s0),))


def _keep_gate(run: BatchRun) -> Array:
    """Return the mean of the gate that keeps the state over units and the steps after the burn-in."""
    cell, path, burn_in = run.cell, run.trajectory, run.sequences.burn_in
    assert cell.keep_gate is not None
    total = np.zeros(len(run.s0))
    for start, stop in path.stretches(block_length(path.steps)):
        values = cell.gate_values(StoredTrajectory(*path.between(start, stop)))[cell.keep_gate.word]
        total += values[max(0, burn_in - start) :].mean(axis=2).sum(axis=0)
    return total / (path.steps - burn_in)


def _has_matrix(spec: ModelSpec) -> bool:
    return "gaussian" in CELLS[spec.cell].form(spec.keys).laws and not spec.keys.get("untied")


def _has_curve(spec: ModelSpec, curve: str) -> bool:
    row = CELLS[spec.cell].form(spec.keys)
    return row.keep is not None if curve == "conveyor" else curve != "cell" or curve in row.cell_class.curves


NAMES = {"state": "∂s_T/∂s_k", "input": "∂h_T/∂x_k", "hidden": "∂h_T/∂h_k", "cell": "∂c_T/∂c_k", "output": "∂h_T/∂s_k"}
OF_CURVES = {
    "rate": (english("rate of {norm}, nats per step"), _rate, 0.0),
    "horizon": (english("horizon of {norm}, steps"), _horizon, None),
    "verdict": (
        english("verdict on {norm} at the last lag (-1 vanishing, 0 preserved, 1 exploding)"),
        _verdict,
        0.0,
    ),
}
OF_RUNS = {
    "lyapunov": Measure(english("largest Lyapunov exponent, nats per step"), by_trial=_lyapunov, neutral=0.0),
    "spectral_radius": Measure(
        english("spectral radius of the candidate's recurrent matrix"), by_trial=_spectral_radius, applies=_has_matrix,
        suits=lambda cell: cell.W_hh.ndim == 3 and cell.W_hh.shape[-1] == cell.hidden_size,
    ),
    "keep_gate": Measure(
        english("mean of the gate that keeps the state"), by_trial=_keep_gate,
        applies=lambda spec: CELLS[spec.cell].keep is not None, suits=lambda cell: cell.keep_gate is not None,
    ),
}  # fmt: skip
OF_A_CURVE = re.compile(
    rf"(?:(?P<curve>{'|'.join(CURVES)})_)?(?:(?P<name>{'|'.join(OF_CURVES)})|norm@(?P<lag>\d{{1,9}}))"
)
GRAMMAR = f"{', '.join(OF_CURVES)}, norm@LAG (each of a CURVE_ too, as input_horizon), {', '.join(OF_RUNS)}"
"""What there is, as messages and help say it."""


def measure_named(name: str) -> Measure:
    """Return a measure: ``rate``, ``horizon``, ``verdict`` or ``norm@LAG`` of the state or of ``CURVE_``, or of a run.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    of_curve = OF_A_CURVE.fullmatch(name)
    if of_curve is None and name not in OF_RUNS:
        raise UsageError(f"expected a measure out of {GRAMMAR}, got {name!r}; try norm@100")
    if of_curve is None:
        return OF_RUNS[name]
    curve = of_curve["curve"] or "state"
    norm, applies = f"‖{NAMES[curve]}‖" if curve in NAMES else f"the {curve}", partial(_has_curve, curve=curve)
    if of_curve["lag"]:
        lag = int(of_curve["lag"])
        read, title = partial(_log10_norm, lag=lag), english("log₁₀ {norm} at lag {lag}", norm=norm, lag=lag)
        return Measure(title, curve, read, neutral=0.0, lag=lag, applies=applies)
    title, reading, neutral = OF_CURVES[of_curve["name"]]
    return Measure(title.format(norm=norm), curve, reading, neutral=neutral, applies=applies)
