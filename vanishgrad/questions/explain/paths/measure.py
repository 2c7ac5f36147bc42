"""Paths of the gradient: along the conveyor, or by detours through the gates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.curves.curve import Band, over_trials
from vanishgrad.curves.product_norms import ProductNorms
from vanishgrad.curves.statistics import band
from vanishgrad.propagation.products.detours import WHOLE, DetourProducts, detour_products
from vanishgrad.propagation.singular_values.largest import LeadingPairs
from vanishgrad.questions.explain.run import Run
from vanishgrad.questions.explain.section import NO_GATES, Absent


@dataclass(frozen=True, eq=False)
class Share:
    """Shares of a product over trials by lag, each (L,): they add up to 1 in each trial, and so do their means.

    A share may be negative or above 1: paths may cancel; they add up to 1 to the roundoff of the largest share. NaN
    where every trial's product is zero, or so small beside a share that there is no number for it.
    """

    mean: Array
    low: Array
    high: Array


@dataclass(frozen=True, eq=False)
class Carried:
    """What some of the paths carry: ln ‖·‖₂ of their sum, and its share of the whole."""

    log_norm: Band
    share: Share


@dataclass(frozen=True, eq=False)
class Paths:
    r"""The split of ∂c_T/∂c_k, c the part of the state that the conveyor carries (a GRU's h).

    Norms do not add; so the share of some of the paths is measured along the direction that the whole keeps best, the
    leading singular pair of the whole P: uᵀ P^(m) v / uᵀ P v.

    Attributes
    ----------
    curve : str
        The curve of the whole: ``cell``, or ``hidden`` for a GRU.
    detours : mapping
        Number of detours, ``0``, ``1``, ``2`` or ``more`` → `Carried`; ``0`` is the conveyor.
    gates : mapping
        Gate → `Carried` by all paths whose last detour returns through it; with the conveyor they are the whole.
    """

    curve: str
    detours: Mapping[str, Carried]
    gates: Mapping[str, Carried]


def paths(run: Run) -> Paths | Absent:
    """Split the gradient of a run by its paths.

    Notes
    -----
    Eight products of n × n beside the state's one: about three times the cost of the curves of an LSTM.
    """
    cell, trials, steps = run.cell, run.sequences.trials, run.sequences.steps
    if not cell.has_weights:
        return Absent(NO_GATES)
    products = detour_products(cell, run.trajectory, trials, steps)
    if products is None:
        return Absent("no direct path leads past this cell's nonlinearity")
    recorder = _Recorder(run)
    for product in products:
        recorder.observe(product)
    (curve,) = (name for name, block in cell.curves.items() if block == (cell.conveyed, cell.conveyed))
    detours, gates = ({name: recorder.carried(name) for name in names} for names in (product.counts, product.gates))
    return Paths(curve, detours, gates)


class _Recorder:
    """Norms and shares, trial by trial."""

    def __init__(self, run: Run) -> None:
        self._lengths, self._dtype = run.sequences.lengths, run.trajectory.states.dtype
        self._norms = ProductNorms(self._lengths)
        self._share: dict[str, Array] = {}
        self._pairs: LeadingPairs | None = None

    def observe(self, product: DetourProducts) -> None:
        """Record one lag."""
        terms = {**product.counts, **product.gates}
        whole, log_scale = product.whole
        sigma = self._norms.observe(product.lag, {**terms, WHOLE: product.whole})
        if self._pairs is None:
            self._pairs = LeadingPairs(len(whole), whole.shape[1], self._dtype)
            shape = (len(whole), int(self._lengths.max()) + 1)
            self._share = {name: np.full(shape, np.nan) for name in terms}
        u, v = self._pairs(whole, sigma[WHOLE])
        total = _along(u, whole, log_scale, v, log_scale)
        for name, term in terms.items():
            with np.errstate(divide="ignore", invalid="ignore"):
                self._share[name][:, product.lag] = _along(u, *term, v, log_scale) / total

    def carried(self, name: str) -> Carried:
        """Return what some of the paths carry, over trials."""
        log_norm = self._norms.norms(name).log_norm
        share = np.where(np.arange(log_norm.shape[1]) > self._lengths[:, None], np.nan, self._share[name])
        low, high = band(share)
        count = np.sum(~np.isnan(share), axis=0)
        with np.errstate(invalid="ignore"):
            mean = np.where(count > 0, np.nansum(share, axis=0) / np.maximum(count, 1), np.nan)
        return Carried(over_trials(log_norm), Share(mean, low, high))


def _along(u: Array, matrix: Array, log_scale: Array, v: Array, reference: Array) -> Array:
    """Return uᵀ A v of A = exp(log_scale) · matrix, divided by exp(reference), (B,)."""
    component = np.vecdot(u, (matrix @ v[..., None])[..., 0])
    with np.errstate(over="ignore"):
        scale = np.exp(log_scale - reference)
    return np.where(component == 0, 0.0, component * scale)
