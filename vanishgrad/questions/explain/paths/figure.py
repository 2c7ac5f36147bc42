"""Pictures of the gradient's paths: norms by number of detours, shares by gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.languages import translatable, translate
from vanishgrad.questions.explain.paths.report import CONVEYOR, PathsDocument
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.documents.report import ModelsDocument
from vanishgrad.reports.figures.conditions import frame
from vanishgrad.reports.figures.labels import Label, column_height, column_width, text_width, write_labels
from vanishgrad.reports.figures.lines import (
    LAG,
    NORM,
    Trace,
    band_line,
    decades,
    draw_traces,
    drawable_curves,
    labels,
    last_lag,
    norm_line,
    notes,
    numbers,
)
from vanishgrad.reports.figures.page import Panels, PictureKind, sheet
from vanishgrad.reports.figures.palette import BLACK, BLUE, DASHES, GREEN, ORANGE, PURPLE, RULE, SKY, VERMILLION, Look
from vanishgrad.reports.figures.style import wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COUNTS = {
    "0": (translatable("conveyor"), Look(ORANGE, DASHES[2])),
    "1": (translatable("1 detour"), Look(SKY, DASHES[1])),
    "2": (translatable("2 detours"), Look(BLUE, DASHES[1])),
    "more": (translatable("more detours"), Look(PURPLE, DASHES[3])),
}
GATES = {
    "f": Look(BLUE),
    "i": Look(GREEN, DASHES[1]),
    "g": Look(VERMILLION, DASHES[3]),
    "z": Look(BLUE),
    "r": Look(GREEN, DASHES[1]),
    "n": Look(VERMILLION, DASHES[3]),
}
OTHER = Look(PURPLE)
LOWEST, HIGHEST, TICK = -0.5, 1.5, 0.25
"""Shares beyond which a line leaves its panel: there paths cancel."""
CAPTION = translatable(
    "Left: the norm of the whole and of the paths with so many detours; norms do not add. Right: shares along the "
    "direction that the whole keeps best, mean over trials; the conveyor and the gates through which the last detour "
    "returns add up to 1, one below 0 or above 1 is taken back by others."
)
WIDTH, HEIGHT, AXIS, BETWEEN = 2.9, 2.7, 0.5, 0.65


def has_paths(model: ModelDocument) -> bool:
    """Return whether a model has the section, and the curve that it splits."""
    paths: PathsDocument | None = model.sections.get("paths")
    return paths is not None and paths.curve in drawable_curves(model)


def draw_detours(report: ModelsDocument, models: Sequence[ModelDocument]) -> Figure:
    """Draw two panels for each model: norms by number of detours, and shares by gate."""
    norms = [_norms(model) for model in models]
    shares = [_shares(model.sections["paths"]) for model in models]
    traces = [trace for of_model in norms for trace in of_model]
    scale, end = decades(traces), last_lag(traces)
    columns = [labels(of_model, scale, end) for of_model in norms] + [_share_labels(panel) for panel in shares]
    right = max(column_width([label.text for label in column]) for column in columns)
    layout = Panels(
        2 * len(models), 2, WIDTH, max(HEIGHT, *map(column_height, columns)),
        AXIS + max(map(text_width, scale.ticks.values())), right, BETWEEN,
    )  # fmt: skip
    caption = [*notes(report, traces, scale), translate(CAPTION)]
    figure, axes = sheet(translate("Which way the gradient takes"), frame(report, models), caption, layout)
    for i, (model, of_norms, of_shares) in enumerate(zip(models, norms, shares, strict=True)):
        left, beside = axes[2 * i], axes[2 * i + 1]
        draw_traces(left, of_norms, scale, end)
        left.set_title(wrapped(model.label, 36, 2), loc="left", fontsize=9.5, fontweight="bold")
        left.set_ylabel(translate(NORM))
        _draw_shares(beside, of_shares)
        for panel in (left, beside):
            panel.set_xlabel(translate(LAG))
    return figure


def _norms(model: ModelDocument) -> list[Trace]:
    paths: PathsDocument = model.sections["paths"]
    whole = norm_line(model.curves[paths.curve])
    traces = [Trace(translate("whole"), Look(BLACK), whole)]
    for name, carried in paths.detours.items():
        text, look = COUNTS.get(name, (name, OTHER))
        traces.append(Trace(translate(text), look, band_line(carried.log10_norm, whole.threshold)))
    return traces


def _shares(paths: PathsDocument) -> Mapping[str, tuple[Array, Look]]:
    """Return name → mean share by lag and its look: the conveyor, then the gates."""
    conveyor = numbers(paths.detours[CONVEYOR].share.mean)
    gates = {
        translate("through U_{gate}", gate=name): (numbers(carried.share.mean), GATES.get(name, OTHER))
        for name, carried in paths.gates.items()
    }
    return {translate("conveyor"): (conveyor, COUNTS["0"][1]), **gates}


def _share_labels(shares: Mapping[str, tuple[Array, Look]]) -> list[Label]:
    return [
        Label(len(values) - 1, float(np.clip(np.nan_to_num(values[-1]), *_limits(shares))), name, look)
        for name, (values, look) in shares.items()
    ]


def _limits(shares: Mapping[str, tuple[Array, Look]]) -> tuple[float, float]:
    every = np.concatenate([values for values, _ in shares.values()])
    low, high = np.nanmin(every, initial=0.0), np.nanmax(every, initial=1.0)
    return max(float(low), LOWEST) - 0.04, min(float(high), HIGHEST) + 0.04


def _draw_shares(axes: Axes, shares: Mapping[str, tuple[Array, Look]]) -> None:
    for name, (values, look) in shares.items():
        axes.plot(
            np.arange(len(values)), values, color=look.colour, linestyle=look.linestyle, linewidth=1.6, label=name
        )
    axes.set_xlim(0, max(len(values) - 1 for values, _ in shares.values()) or 1)
    low, high = _limits(shares)
    axes.set_ylim(low, high)
    axes.set_yticks(TICK * np.arange(np.ceil(low / TICK), np.floor(high / TICK) + 1))
    axes.locator_params(axis="x", nbins=6, integer=True)
    axes.grid(axis="y", color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_ylabel(translate("share of the whole"))
    write_labels(axes, _share_labels(shares))


PATHS_PICTURE = PictureKind(
    "What the conveyor carries of the gradient, and what goes by one, two or more detours through which gate.",
    "the paths of vanishgrad explain",
    has_paths,
    draw_detours,
)
