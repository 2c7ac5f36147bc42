"""Pictures with a row for each model."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells.registry import keep_words
from vanishgrad.languages import translatable, translate, translated
from vanishgrad.reports.documents.model import GateDocument, ModelDocument
from vanishgrad.reports.documents.report import ModelsDocument
from vanishgrad.reports.figures.conditions import frame
from vanishgrad.reports.figures.labels import LINE_HEIGHT, inches_of, spread, text_width
from vanishgrad.reports.figures.lines import NORM, numbers
from vanishgrad.reports.figures.log_axis import Decades
from vanishgrad.reports.figures.page import Panels, sheet
from vanishgrad.reports.figures.palette import BLUE, INK, MUTED, RULE, looks
from vanishgrad.reports.figures.style import wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 6.2
LEAST_ROW = 0.36
NAME_CHARACTERS = 36
GATE_ROW, GATE_NAMES = 0.22, 0.7
TRIALS_CAPTION = translatable("Dots: trials; bars: medians. A verdict needs the 5 % and the 95 % quantile on its side.")
SHARES_CAPTION = translatable(
    "Share of the terms of ‖∂L/∂W_hh‖ at each lag, for a random unit loss on h_T; mean over trials."
)
GATES_CAPTION = translatable(
    "Dot: median over units, steps and trials; thick: the middle half; thin: 5 % to 95 %. Blue: the gates that the "
    "conveyor is made of, the memory's own factor per step."
)
GOLDEN = 0.6180339887498949
"""Multiples of it modulo 1 spread evenly, however many there are."""
MIN_NUMBERED_SHARE = 0.08
"""Share of a bar from which on its number fits inside."""


def draw_trials(report: ModelsDocument, models: Sequence[ModelDocument]) -> Figure:
    """Draw a dot for each trial's norm at its last lag, on an axis that the verdicts divide."""
    threshold = float(np.log10(models[0].curves["state"].threshold))
    scale = Decades.of([*(_finals(model) for model in models), np.array([threshold, -threshold])])
    title = translate("The gradient at the last lag, trial by trial")
    figure, axes = _rows(title, frame(report, models), models, [translate(TRIALS_CAPTION)])
    scale.apply(axes, "x")
    for row, model in enumerate(models):
        _draw_trials(axes, row, scale, model, looks(report.labels)[model.label].colour)
    for exponent in (threshold, -threshold):
        axes.axvline(exponent, color=MUTED, linestyle=(0, (3, 2)), linewidth=0.9)
    _name_regions(axes, scale, threshold)
    axes.set_xlabel(translate("{norm} of the state at the last lag", norm=translate(NORM)))
    return figure


def _finals(model: ModelDocument) -> Array:
    """Return each trial's base-10 logarithm of the state's norm at its last lag, NaN for exactly zero."""
    return numbers([trial.log10_norm for trial in model.per_trial])


def _draw_trials(axes: Axes, row: int, scale: Decades, model: ModelDocument, colour: str) -> None:
    finals = _finals(model)
    y = row + 0.5 * (np.arange(finals.size) * GOLDEN % 1 - 0.5) * (finals.size > 1)
    axes.plot(scale.heights(finals), y, "o", color=colour, markersize=4, alpha=0.6, markeredgewidth=0,
              label=f"{model.label}, trials")  # fmt: skip
    median = float(scale.heights(np.median(np.where(np.isnan(finals), -np.inf, finals))))
    axes.plot([median, median], [row - 0.35, row + 0.35], color=colour, linewidth=1.6,
              label=f"{model.label}, median")  # fmt: skip


def _name_regions(axes: Axes, scale: Decades, threshold: float) -> None:
    edges = np.array([scale.low, threshold, -threshold, scale.high])
    places = scale.places(edges) * WIDTH
    names = tuple(map(translated, ("vanishing", "preserved", "exploding")))
    visible = [i for i in range(3) if edges[i] < edges[i + 1]]
    widths = np.array([text_width(names[i]) + 0.1 for i in visible])
    centres = spread((places[:-1] + places[1:])[visible] / 2, widths, 0.0, WIDTH)
    for i, centre in zip(visible, centres, strict=True):
        axes.text(centre / WIDTH, 1.0, names[i], transform=axes.transAxes, ha="center", va="bottom", color=MUTED)


def draw_shares(report: ModelsDocument, models: Sequence[ModelDocument]) -> Figure:
    """Draw how the parameter gradient is shared out among ranges of lags, a bar for each model."""
    import matplotlib

    edges = _range_edges(max(len(model.share_by_lag) for model in models))
    colours = matplotlib.colormaps["viridis"](np.linspace(0.95, 0.05, len(edges) - 1))
    title = translate("Which lags own the gradient of the recurrent weights")
    figure, axes = _rows(title, frame(report, models), models, [translate(SHARES_CAPTION)])
    shares = np.array([[sum(model.share_by_lag[a:b]) for a, b in pairwise(edges)] for model in models])
    begins = np.cumsum(shares, axis=1) - shares
    for i, (begin, end) in enumerate(pairwise(edges)):
        name = f"{begin}" if end == begin + 1 else f"{begin}–{end - 1}"
        axes.barh(range(len(models)), shares[:, i], 0.7, begins[:, i], color=colours[i], label=name, edgecolor="white")
        _write_percents(axes, shares[:, i], begins[:, i], "white" if 2 * i >= len(colours) else INK)
    for row in np.flatnonzero(shares.sum(axis=1) == 0).tolist():
        axes.text(0.01, row, translate("the gradient is exactly 0"), color=MUTED, va="center")
    axes.set_xlim(0, 1)
    axes.set_xticks(np.linspace(0, 1, 5), labels=["0", "25", "50", "75", "100"])
    axes.set_xlabel(translate("share of the parameter gradient (%)"))
    _name_ranges(axes)
    return figure


def _name_ranges(axes: Axes) -> None:
    handles, names = axes.get_legend_handles_labels()
    axes.legend(
        handles, [translate("lag {lag}", lag=names[0]), *names[1:]], loc="lower left", bbox_to_anchor=(0, 1),
        borderaxespad=0.2,
        ncols=len(names), frameon=False, handlelength=1, handletextpad=0.4, columnspacing=1.2, fontsize=8,
    )  # fmt: skip


def _range_edges(steps: int) -> list[int]:
    """Return where ranges of lags begin that grow by a factor, few enough to tell their colours apart."""
    factor = next(factor for factor in (2, 4, 10, 100, 10**9) if factor**7 > steps)
    return [0, *(factor**power for power in range(8) if factor**power < steps), steps]


def _write_percents(axes: Axes, shares: Array, begins: Array, colour: str) -> None:
    for row, (share, begin) in enumerate(zip(shares.tolist(), begins.tolist(), strict=True)):
        if share >= MIN_NUMBERED_SHARE:
            axes.text(begin + share / 2, row, f"{100 * share:.0f}", color=colour, ha="center", va="center_baseline")


def draw_gates(report: ModelsDocument, models: Sequence[ModelDocument]) -> Figure:
    """Draw the quantiles of each gate of each model, the gates of the conveyor in colour."""
    rows = [(name, gate) for model in models for name, gate in model.gates.items()]
    left = max(text_width(_name(model)) for model in models) + GATE_NAMES + 0.3
    layout = Panels(1, 1, WIDTH, GATE_ROW * len(rows), left, right=0.1, heading=0.12)
    figure, (axes,) = sheet(
        translate("How far the gates stand open"), frame(report, models), [translate(GATES_CAPTION)], layout
    )
    for row, (name, gate) in enumerate(rows):
        _draw_gate(axes, row, gate, BLUE if name in keep_words() else MUTED, name)
    _set_rows(axes, [translated(name) for name, _ in rows])
    _name_groups(axes, models, len(rows))
    axes.set_xlim(0, 1)
    axes.grid(axis="x", color=RULE, linewidth=0.6)
    axes.set_xlabel(translate("value of the gate (0 closed, 1 open)"))
    return figure


def _draw_gate(axes: Axes, row: int, gate: GateDocument, colour: str, name: str) -> None:
    lowest, low, median, high, highest = gate.quantiles.values()
    axes.plot([lowest, highest], [row, row], color=colour, linewidth=1, label=f"{name}, 5 % to 95 %")
    axes.plot([low, high], [row, row], color=colour, linewidth=4, alpha=0.5, label=f"{name}, middle half")
    axes.plot(median, row, "o", color=colour, markersize=5, clip_on=False, label=f"{name}, median")


def _name_groups(axes: Axes, models: Sequence[ModelDocument], rows: int) -> None:
    first = 0
    for model in models:
        middle = 1 - (first + len(model.gates) / 2) / rows
        beside = -GATE_NAMES / inches_of(axes)[0]
        axes.text(beside, middle, _name(model), ha="right", va="center", transform=axes.transAxes)
        axes.axhline(first - 0.5, color=RULE, linewidth=0.8)
        first += len(model.gates)


def _name(model: ModelDocument) -> str:
    return wrapped(model.label, NAME_CHARACTERS, 3)


def _rows(title: str, frame_: str, models: Sequence[ModelDocument], caption: Sequence[str]) -> tuple[Figure, Axes]:
    """Return a figure and its panel with a row for each model, the first on top."""
    names = [_name(model) for model in models]
    row = max(LEAST_ROW, LINE_HEIGHT * (1.5 + max(name.count("\n") for name in names)))
    layout = Panels(1, 1, WIDTH, row * len(models) + 0.1, left=max(map(text_width, names)) + 0.3, right=0.1)
    figure, (axes,) = sheet(title, frame_, caption, layout)
    _set_rows(axes, names)
    return figure, axes


def _set_rows(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), labels=names)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(names) - 0.5, -0.5)
