"""The kinds of picture: those of the curves, and those of the sections of an explanation."""

from __future__ import annotations

from collections.abc import Mapping

from vanishgrad.questions.explain.sections import SECTIONS
from vanishgrad.reports.figures.lines import drawable_curves
from vanishgrad.reports.figures.model_rows import draw_gates, draw_shares, draw_trials
from vanishgrad.reports.figures.norms import draw_bounds, draw_curves, draw_paths, drawable_bounds
from vanishgrad.reports.figures.page import PictureKind

OF_CURVES: Mapping[str, PictureKind] = {
    "curves": PictureKind(
        "How the norms of state and input fall with the lag, one line per model with its band.",
        "the curve of the state or of the input", lambda model: bool({"state", "input"} & {*drawable_curves(model)}),
        draw_curves,
    ),
    "paths": PictureKind(
        "Each gated model's curves beside one another: state, hidden, cell, conveyor, input and output.",
        "a gated model, with its conveyor", lambda model: "conveyor" in drawable_curves(model), draw_paths,
    ),
    "bounds": PictureKind(
        "Each model's measured curve with the proved bounds, dashed, and the conveyor of a gated cell.",
        "a model with bounds", lambda model: bool(drawable_bounds(model)), draw_bounds,
    ),
    "gates": PictureKind(
        "How far each gate of each model stands open, as quantiles.",
        "a gated model", lambda model: bool(model.gates), draw_gates,
    ),
    "shares": PictureKind(
        "Which lags own the gradient of the recurrent weights.",
        "the shares of the parameter gradient", lambda model: bool(model.share_by_lag), draw_shares,
    ),
    "trials": PictureKind(
        "Each trial's norm of the state at the last lag, against the verdicts.",
        "the state's curve and its trials", lambda model: "state" in model.curves and bool(model.per_trial),
        draw_trials,
    ),
}  # fmt: skip
"""Name, as in `--kind` → picture of what every report of models has."""

KINDS_BY_NAME: Mapping[str, PictureKind] = {
    **OF_CURVES,
    **{name: kind for section in SECTIONS.values() for name, kind in section.pictures.items()},
}
