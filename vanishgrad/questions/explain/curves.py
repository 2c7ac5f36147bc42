"""The curves that an explanation adds to those of `compare`: total, four_term, stack."""

from __future__ import annotations

from vanishgrad.curves.curve import Curve, curve
from vanishgrad.curves.measure import measure
from vanishgrad.curves.product_norms import ProductNorms
from vanishgrad.curves.request import Scope
from vanishgrad.languages import translatable
from vanishgrad.propagation.products.total_derivative import total_products
from vanishgrad.questions.explain.run import Run

STATE, STACK = translatable("state"), translatable("stack")
TOTAL, FOUR_TERM = translatable("total"), translatable("four_term")


def further_curves(run: Run) -> dict[str, Curve]:
    """Return the curves of a run that only an explanation has.

    ``total`` is dc_T/dc_k with h_k moving along and ``four_term`` the textbooks' product, of cells with a cell state,
    lags 0 … T - 1. ``stack`` is ∂s_T/∂s_k of a layer and all below as one, s the states of all of them.
    """
    return {**_totals(run), **({} if run.stack is None else {STACK: _stack(run.stack)})}


def _stack(run: Run) -> Curve:
    request, trajectory = run.request, run.trajectory
    measurement = measure(
        run.cell, trajectory, run.sequences.lengths, None, request.threshold, Scope((STATE,)), request.engine
    )
    norms = measurement.curves[STATE]
    return curve(norms.log_norm, norms.log_rms, norms.alive, request.threshold)


def _totals(run: Run) -> dict[str, Curve]:
    products = total_products(run.cell, run.trajectory, run.sequences.trials, run.sequences.steps)
    if products is None:
        return {}
    recorder = ProductNorms(run.sequences.lengths - 1, run.request.threshold)
    for product in products:
        recorder.observe(product.lag, {TOTAL: product.total, FOUR_TERM: product.four_term})
    return {name: recorder.curve(name, run.request.threshold) for name in (TOTAL, FOUR_TERM)}
