"""The Lyapunov spectrum: what every direction does per step in the long run, and over this run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.curves.statistics import band
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.inputs.sequences import InputSequences, stretches
from vanishgrad.propagation.lyapunov import LyapunovSpectrum, entropy, kaplan_yorke, lyapunov_spectrum
from vanishgrad.questions.explain.lyapunov.mean_field import mean_field
from vanishgrad.questions.explain.run import Run
from vanishgrad.questions.explain.section import MASKED, Absent

DEFAULT_EXPONENTS = 16
DEFAULT_STEPS = 1000
INPUT_BLOCK_STEPS = 64
"""Steps of generated input that are held at a time."""
HISTORIES = 3
"""Leading exponents whose convergence is kept."""


@dataclass(frozen=True)
class SumRule:
    """Σ λ_i and the mean of ln|det J_t| over the same steps, means over trials: they are equal but for rounding."""

    sum: float
    log_det: float
    difference: float
    """The largest of any trial."""


@dataclass(frozen=True, eq=False)
class Lyapunov:
    r"""Lyapunov exponents, nats per step, means over trials; -inf where a direction is lost to rounding in some trial.

    Attributes
    ----------
    lam, error : (K,) arrays
        λ_i along `steps` steps after `burn_in`, and the standard error of estimating it, from block means; NaN where
        there are too few steps.
    low, high : (K,) arrays
        The band over trials.
    finite : (K,) array
        (1/T) ln σ_i(∂s_T/∂s_0) over the run's own T steps.
    mean_field : (K,) array or None
        What theory has for an infinitely wide random tanh network, where it is one.
    complete : bool
        Whether K is the size of the state.
    steps, burn_in, finite_steps : int
    generated : bool
        Whether the input went on beyond the run; else the run's own steps are averaged over.
    dimension, entropy : float or None
        Kaplan and Yorke's dimension and the sum of the positive exponents, means over trials; None where exponents
        beyond K decide.
    sum_rule : SumRule or None
        None unless all exponents are known and finite.
    history : tuple of (steps, tuple of float)
        The first exponents after so many steps.
    """

    lam: Array
    error: Array
    low: Array
    high: Array
    finite: Array
    mean_field: Array | None
    complete: bool
    steps: int
    burn_in: int
    finite_steps: int
    generated: bool
    dimension: float | None
    entropy: float | None
    sum_rule: SumRule | None
    history: tuple[tuple[int, tuple[float, ...]], ...]


def lyapunov(run: Run) -> Lyapunov | Absent:
    """Return the Lyapunov spectrum of a run, its input continued where it is generated.

    Raises
    ------
    UsageError
        If more steps are asked for than there are.
    """
    if run.sequences.first is not None:
        return Absent("the sequences have different lengths")
    if run.sequences.masked_steps:
        return Absent(MASKED)
    inputs = _continued(run)
    steps, burn_in = _steps(run, inputs is not None)
    try:
        spectrum = lyapunov_spectrum(
            run.cell, [run.sequences.xs] if inputs is None else inputs, run.s0, steps, burn_in,
            run.request.exponents or DEFAULT_EXPONENTS,
        )  # fmt: skip
    except VanishgradError:
        return Absent(f"the state overflows within {burn_in + steps} steps; try --lyapunov-steps {run.sequences.steps}")
    return _summarised(run, spectrum, burn_in, inputs is not None)


def _steps(run: Run, generated: bool) -> tuple[int, int]:
    """Return the steps to average over, and those before them."""
    sequences, requested = run.sequences, run.request.lyapunov_steps
    available = None if generated and run.cell.steps is None else sequences.steps
    if available is not None and requested is not None and requested > available:
        raise UsageError(
            f"expected --lyapunov-steps up to {available}, what there is of {run.subject.label} and its input, "
            f"got {requested}; try --steps {requested}"
        )
    if available is not None:
        return requested or available, sequences.burn_in
    steps = requested or DEFAULT_STEPS
    return steps, sequences.burn_in + steps // 10


def _continued(run: Run) -> Iterator[Array] | None:
    """Return the run's generated input without end, None for a file's, another layer's, or one turned round."""
    sequences, request = run.sequences, run.request
    if sequences.source.partition(":")[0] not in ("white", "zeros"):
        return None
    first = next(_generated(sequences, request.seed, request.dtype))[:, : sequences.xs.shape[1]]
    same = np.array_equal(first, sequences.xs[:, : first.shape[1]])
    return _generated(sequences, request.seed, request.dtype) if same else None


def _generated(sequences: InputSequences, seed: int, dtype: str) -> Iterator[Array]:
    return stretches(sequences.source, seed, (sequences.trials, INPUT_BLOCK_STEPS, sequences.input_size), dtype)


def _summarised(run: Run, spectrum: LyapunovSpectrum, burn_in: int, generated: bool) -> Lyapunov:
    trials, k = spectrum.lam.shape
    low, high = band(spectrum.lam)
    complete = k == run.cell.state_size
    last, whole = max(run.spectra.items())
    dimensions = [kaplan_yorke(lam, complete) for lam in spectrum.lam]
    entropies = [entropy(lam, complete) for lam in spectrum.lam]
    return Lyapunov(
        lam=spectrum.lam.mean(axis=0),
        error=np.sqrt(np.sum(spectrum.error**2, axis=0)) / trials,
        low=low,
        high=high,
        finite=whole["state"].log_sigma[:, :k].mean(axis=0) / last,
        mean_field=mean_field(run, k),
        complete=complete,
        steps=spectrum.steps,
        burn_in=burn_in,
        finite_steps=last,
        generated=generated,
        dimension=_mean(dimensions),
        entropy=_mean(entropies),
        sum_rule=_sum_rule(spectrum),
        history=tuple((step, tuple(lam[:, :HISTORIES].mean(axis=0).tolist())) for step, lam in spectrum.history),
    )


def _mean(values: list[float | None]) -> float | None:
    finite = [value for value in values if value is not None]
    return float(np.mean(finite)) if len(finite) == len(values) else None


def _sum_rule(spectrum: LyapunovSpectrum) -> SumRule | None:
    total = spectrum.lam.sum(axis=1)
    if spectrum.log_det is None or not np.isfinite(total).all():
        return None
    difference = float(np.abs(total - spectrum.log_det).max())
    return SumRule(float(total.mean()), float(spectrum.log_det.mean()), difference)
