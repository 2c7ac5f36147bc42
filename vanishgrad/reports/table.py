"""The comparison as a table that fits the terminal, a sentence for each model, and the caveats."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vanishgrad.cells.registry import keep_words
from vanishgrad.languages import translatable, translate, translated
from vanishgrad.reports.sentences import (
    about,
    caveat,
    driven_by,
    exponential,
    log10_text,
    notes,
    number,
    opening,
    prefix_line,
    sentence,
    span,
    trials_text,
    without_prefix,
)
from vanishgrad.reports.terminal import FILE, Column, Terminal, console_to, fitted, print_legend, print_wrapped

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from vanishgrad.reports.documents.curve import CurveDocument
    from vanishgrad.reports.documents.model import ModelDocument
    from vanishgrad.reports.documents.report import ModelsDocument

SPARK, WIDE_SPARK = 8, 24
"""Characters of a sparkline, and where there is room."""
WIDE = 110
"""Columns from which there is."""
BLOCKS = "▁▂▃▄▅▆▇█"
ARROWS = {translatable("contracting"): "↘", translatable("neutral"): "→", translatable("expanding"): "↗", None: " "}
COLOURS = {
    translatable("vanishing"): "red",
    translatable("preserved"): "green",
    translatable("exploding"): "magenta",
    translatable("inconclusive"): "yellow",
}
LONGEST_SOURCE = 40
"""Characters of what drove the models, in the title."""
COLUMNS = (
    Column(translatable("model"), is_text=True),
    Column(translatable("verdict"), is_text=True),
    Column(translatable("×/step")),
    Column(translatable("horizon")),
    Column(translatable("state")),
    Column(translatable("typical"), gives_way=2),
    Column(translatable("input")),
    Column(translatable("by lag"), is_text=True, gives_way=1),
)
GATES = (
    Column(translatable("layer"), is_text=True),
    Column(translatable("gate"), is_text=True),
    Column(translatable("mean")),
    Column("5 %", gives_way=1),
    Column(translatable("median")),
    Column("95 %", gives_way=2),
    Column("≈ 0"),
    Column("≈ 1"),
    Column("τ"),
)


def to_table(report: ModelsDocument, terminal: Terminal = FILE) -> str:
    """Return a document for people, as a terminal has room for it."""
    out = io.StringIO()
    console = console_to(out, terminal)
    prefix, models = without_prefix([model for model in report.models if "state" in model.curves])
    if opening(models):
        print_wrapped(console, opening(models))
    console.print(title(report))
    if prefix:
        console.print(prefix_line(prefix), markup=False)
    console.print()
    table = _table(models, terminal.width)
    console.print(table, crop=False)
    print_legend(console, legend(models, [column.header for column in table.columns]))
    console.print()
    if report.command == "analyze" and any(model.gates for model in models):
        console.print(_gates(models, terminal.width), crop=False)
        print_legend(
            console,
            translate("gates over units and steps; ≈ 0, ≈ 1: within 0.05; τ: median unit's -1/ln(mean), steps"),
        )
        console.print()
    for model in models:
        print_wrapped(console, about([model.label], sentence(model)))
    console.print()
    for note in notes(models):
        print_wrapped(console, translate("note: {note}", note=note))
    print_wrapped(console, caveat(report))
    return out.getvalue()


def title(report: ModelsDocument) -> str:
    """Return what was measured, over how many steps and trials of which input."""
    return translate(
        "∂s_T/∂s_k over T = {steps} steps, {trials}, input {input}, {dtype}",
        steps=span(model.steps for model in report.models),
        trials=trials_text(report.models),
        input=textwrap.shorten(driven_by(report.models), LONGEST_SOURCE, placeholder=" …"),
        dtype=report.request.dtype,
    )


def _table(models: Sequence[ModelDocument], width: int) -> Table:
    from rich.text import Text

    scale, characters = _scale(models), WIDE_SPARK if width >= WIDE else SPARK

    def row(model: ModelDocument) -> list[str | Text]:
        state = model.curves["state"]
        return [
            model.label,
            Text(f"{translated(state.verdict)} {ARROWS[state.trend]}", style=COLOURS[state.verdict]),
            factor(state),
            horizon(state.horizon, state.horizon_censored),
            *final_texts(model),
            sparkline(state.log10_norm.median, *scale, characters),
        ]

    return fitted(COLUMNS, [row(model) for model in models], width)


def _gates(models: Sequence[ModelDocument], width: int) -> Table:
    return fitted(GATES, gate_rows(models), width, gap=2)


def gate_rows(models: Sequence[ModelDocument]) -> list[list[str]]:
    """Return a row for each gate of each model, of the columns `GATES`."""
    rows = []
    for model in models:
        for name, gate in model.gates.items():
            low, _, median, _, high = gate.quantiles.values()
            numbers = [f"{value:.2f}" for value in (gate.mean, low, median, high)]
            shares = [f"{100 * share:.0f} %" for share in (gate.saturated.near_zero, gate.saturated.near_one)]
            tau = _median_time(model) if name in keep_words() and model.time_constants else ""
            rows.append([model.label, translated(name), *numbers, *shares, tau])
    return rows


def _median_time(model: ModelDocument) -> str:
    known = sorted(math.inf if value is None else value for value in model.time_constants or ())
    return number(known[len(known) // 2])


def factor(state: CurveDocument) -> str:
    """Return the factor per step, or a dash where no rate is fitted."""
    rate = state.rate
    return "–" if rate is None else exponential(rate.value)


def horizon(lag: int | None, censored: bool) -> str:
    """Return the horizon, "> T" where the curve never falls below the threshold."""
    return translate("none") if lag is None else f"> {lag}" if censored else str(lag)


def finals(model: ModelDocument) -> tuple[float | None, float | None, float | None]:
    """Return log10 of the state's norm, of its typical direction and of the input's norm at their last common lags."""
    state, received = model.curves["state"], model.curves.get("input")
    return (
        state.log10_norm.median[state.common_lag],
        state.log10_rms.median[state.common_lag],
        received.log10_norm.median[received.common_lag] if received else None,
    )


def final_texts(model: ModelDocument) -> list[str]:
    """Return the same as text, a dash for the typical direction where it was not measured."""
    texts = [log10_text(value) for value in finals(model)]
    if model.engine.name == "matrix-free" and finals(model)[0] is not None:
        texts[1] = "–"
    return texts


def _scale(models: Sequence[ModelDocument]) -> tuple[float, float]:
    medians = [model.curves["state"].log10_norm.median for model in models]
    values = [value for median in medians for value in median if value is not None]
    return min([*values, -1.0]), max([*values, 0.0])


def sparkline(values: Sequence[float | None], low: float, high: float, characters: int = SPARK) -> str:
    """Return a curve as blocks between two levels; an exact zero is a blank."""
    picked = [values[round(i * (len(values) - 1) / (characters - 1))] for i in range(characters)]
    return "".join(" " if value is None else BLOCKS[int((value - low) / (high - low) * 7.999)] for value in picked)


def legend(models: Sequence[ModelDocument], headings: Sequence[object] = ()) -> str:
    """Return what the headings of a table mean."""
    if not models:
        return ""
    low, high = _scale(models)
    columns = translate(
        "↘ contracting, → neutral, ↗ expanding; horizon: the last lag before the norm is below {threshold}; "
        "state ‖∂s_T/∂s_k‖₂, typical ‖·‖_F/√q and input ‖∂h_T/∂x_k‖₂ are log₁₀ medians at the last lag",
        threshold=f"{models[0].curves['state'].threshold:g}",
    )
    if translate("by lag") not in headings:
        return columns
    sparklines = translate("sparklines from lag 0: 10^{high} (top) to 10^{low}", high=f"{high:.0f}", low=f"{low:.0f}")
    return translate("; ").join((columns, sparklines))
