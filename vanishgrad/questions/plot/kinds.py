"""The kinds of picture: each says what it needs of a model and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from vanishgrad.questions.explain.attention.figure import draw_attention
from vanishgrad.questions.explain.directions.figure import draw_directions
from vanishgrad.questions.explain.findings.figure import draw_findings, has_remedies
from vanishgrad.questions.explain.lyapunov.figure import draw_lyapunov
from vanishgrad.questions.explain.map.figure import draw_map
from vanishgrad.questions.explain.paths.figure import draw_detours
from vanishgrad.questions.explain.truncation.figure import draw_truncation
from vanishgrad.reports.figures.model_rows import draw_gates, draw_shares, draw_trials
from vanishgrad.reports.figures.norms import draw_bounds, draw_curves, draw_paths
from vanishgrad.reports.figures.reading import Model, Report

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Kind(NamedTuple):
    """What a picture shows, what it needs, whether a model has that, and how it is drawn."""

    about: str
    needs: str
    serves: Callable[[Model], bool]
    draw: Callable[[Report, Sequence[Model]], Figure]


KINDS_BY_NAME: Mapping[str, Kind] = {
    "curves": Kind(
        "How the norms of state and input fall with the lag, one line per model with its band.",
        "the curve of the state or of the input", lambda model: bool({"state", "input"} & model.curves.keys()),
        draw_curves,
    ),
    "paths": Kind(
        "Each gated model's curves beside one another: state, hidden, cell, conveyor, input and output.",
        "a gated model, with its conveyor", lambda model: "conveyor" in model.curves, draw_paths,
    ),
    "bounds": Kind(
        "Each model's measured curve with the proved bounds, dashed, and the conveyor of a gated cell.",
        "a model with bounds", lambda model: any(bound.curve in model.curves for bound in model.bounds), draw_bounds,
    ),
    "gates": Kind(
        "How far each gate of each model stands open, as quantiles.",
        "a gated model", lambda model: bool(model.gates), draw_gates,
    ),
    "shares": Kind(
        "Which lags own the gradient of the recurrent weights.",
        "the shares of the parameter gradient", lambda model: model.shares.size > 0, draw_shares,
    ),
    "trials": Kind(
        "Each trial's norm of the state at the last lag, against the verdicts.",
        "the state's curve and its trials", lambda model: "state" in model.curves and model.finals.size > 0,
        draw_trials,
    ),
    "detours": Kind(
        "What the conveyor carries of the gradient, and what goes by one, two or more detours through which gate.",
        "the paths of vanishgrad explain", lambda model: "paths" in model.sections, draw_detours,
    ),
    "map": Kind(
        "The norm between any two steps of a sequence, with its tokens along the axes: where does the gradient die?",
        "the map of vanishgrad explain", lambda model: "map" in model.sections, draw_map,
    ),
    "directions": Kind(
        "All singular values at a few lags: how many directions the gradient keeps, and how alike.",
        "the directions of vanishgrad explain", lambda model: "directions" in model.sections, draw_directions,
    ),
    "lyapunov": Kind(
        "The Lyapunov exponents with their errors: which directions grow or are forgotten in the long run.",
        "the exponents of vanishgrad explain", lambda model: "lyapunov" in model.sections, draw_lyapunov,
    ),
    "truncation": Kind(
        "What truncated backpropagation loses of the parameter gradient, by length, with the proved bound.",
        "an explanation with the section truncation", lambda model: "truncation" in model.sections, draw_truncation,
    ),
    "attention": Kind(
        "What attention and an additive skip would send back along the same states, beside the recurrence.",
        "an explanation with the section attention", lambda model: "attention" in model.sections, draw_attention,
    ),
    "findings": Kind(
        "How far the gradient reaches as it is and with each remedy, computed on the changed weights.",
        "an explanation with findings that a remedy answers", has_remedies, draw_findings,
    ),
}  # fmt: skip
