"""The comparison as a table that fits 80 columns, a sentence for each model, and the caveats."""

from __future__ import annotations

import io
import math
import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from vanishgrad.cells.registry import keep_words
from vanishgrad.reports.sentences import caveat, driven_by, log10_text, notes, number, opening, sentence, span

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Column, Table

    from vanishgrad.reports.documents.curve import CurveDocument
    from vanishgrad.reports.documents.model import ModelDocument
    from vanishgrad.reports.documents.report import ModelsDocument

WIDTH = 80
SPARK = 8
LABEL = 18
BLOCKS = "▁▂▃▄▅▆▇█"
ARROWS = {"contracting": "↘", "neutral": "→", "expanding": "↗", None: " "}
COLOURS = {"vanishing": "red", "preserved": "green", "exploding": "magenta", "inconclusive": "yellow"}


def to_table(report: ModelsDocument, colour: bool) -> str:
    """Return a document for people, with the escape codes of colours if a terminal wants them."""
    out = io.StringIO()
    console = console_to(out, colour)
    models = [model for model in report.models if "state" in model.curves]
    if opening(models):
        print_wrapped(console, opening(models))
    console.print(title(report))
    console.print()
    console.print(_table(models), crop=False)
    console.print(textwrap.fill(_legend(models), WIDTH - 1), style="dim")
    console.print()
    if report.command == "analyze" and any(model.gates for model in models):
        console.print(_gates(models))
        console.print(
            "gates over units and steps; ≈ 0, ≈ 1: within 0.05; τ: median unit's -1/ln(mean), steps",
            style="dim",
        )
        console.print()
    for model in models:
        print_wrapped(console, f"{model.label}: {sentence(model)}")
    console.print()
    for note in notes(models):
        print_wrapped(console, f"note: {note}")
    print_wrapped(console, caveat(report))
    return out.getvalue()


def table_page(
    heading: str, columns: Sequence[Column], rows: Iterable[Sequence[str]], sentences: Iterable[str],
    legend: str = "", colour: bool = False,
) -> str:  # fmt: skip
    """Return a heading, a table whose rows begin with a label, its legend, and sentences below."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    out = io.StringIO()
    console = console_to(out, colour)
    print_wrapped(console, heading)
    console.print()
    table = Table(*columns, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for label, *cells in rows:
        table.add_row(Text(folded_label(label)), *cells)
    console.print(table, crop=False)
    if legend:
        print_wrapped(console, legend)
    console.print()
    for each in sentences:
        print_wrapped(console, each)
    return out.getvalue()


def console_to(out: io.StringIO, colour: bool) -> Console:
    """Return a console that writes within `WIDTH` columns, with colours only if they are wanted."""
    from rich.console import Console

    return Console(
        file=out,
        width=WIDTH,
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        legacy_windows=False,
    )


def print_wrapped(console: Console, text: str) -> None:
    """Print a paragraph, hanging under its first word."""
    console.print(
        "\n".join(textwrap.wrap(text, WIDTH - 1, subsequent_indent="  ", break_on_hyphens=False)), markup=False
    )


def title(report: ModelsDocument) -> str:
    """Return what was measured, over how many steps and trials of which input."""
    steps, trials = (span(getattr(model, name) for model in report.models) for name in ("steps", "trials"))
    source = textwrap.shorten(driven_by(report.models), WIDTH // 2, placeholder=" …")
    return f"∂s_T/∂s_k over T = {steps} steps, {trials} trials, input {source}, {report.request.dtype}"


def _table(models: Sequence[ModelDocument]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    table.add_column("model", overflow="fold", width=_label_width(models))
    table.add_column("verdict", no_wrap=True, min_width=len("verdict"))
    for heading in ("×/step", "horizon", "state", "typical", "input"):
        table.add_column(heading, justify="right", no_wrap=True, min_width=len(heading))
    table.add_column("by lag", no_wrap=True, min_width=SPARK)
    low, high = _scale(models)
    for model in models:
        state = model.curves["state"]
        table.add_row(
            Text(folded_label(model.label)),
            Text(f"{state.verdict} {ARROWS[state.trend]}", style=COLOURS[state.verdict]),
            factor(state),
            horizon(state.horizon, state.horizon_censored),
            *final_texts(model),
            sparkline(state.log10_norm.median, low, high),
        )
    return table


def _gates(models: Sequence[ModelDocument]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    table.add_column("layer", overflow="fold", width=_label_width(models))
    table.add_column("gate")
    for heading in ("mean", "5 %", "median", "95 %", "≈ 0", "≈ 1", "τ"):
        table.add_column(heading, justify="right", min_width=6)
    for model in models:
        for name, gate in model.gates.items():
            low, _, median, _, high = gate.quantiles.values()
            numbers = [f"{value:.2f}" for value in (gate.mean, low, median, high)]
            shares = [f"{100 * share:.0f} %" for share in (gate.saturated.near_zero, gate.saturated.near_one)]
            tau = _median_time(model) if name in keep_words() and model.time_constants else ""
            table.add_row(Text(folded_label(model.label)), name, *numbers, *shares, tau)
    return table


def _median_time(model: ModelDocument) -> str:
    known = sorted(math.inf if value is None else value for value in model.time_constants or ())
    return number(known[len(known) // 2])


def _label_width(models: Sequence[ModelDocument]) -> int:
    return min(LABEL, max([5, *(len(model.label) for model in models)]))


def folded_label(label: str) -> str:
    """Return a label in lines of at most `LABEL` characters, broken behind its own separators where they allow it."""
    lines = [""]
    for piece in re.findall(r"[^@:,/]*[@:,/]?", label):
        if len(lines[-1]) + len(piece) > LABEL and lines[-1]:
            lines.append("")
        lines[-1] += piece
    return "\n".join(lines)


def factor(state: CurveDocument) -> str:
    """Return the factor per step, or a dash where no rate is fitted."""
    rate = state.rate
    return "–" if rate is None or rate.factor is None else number(rate.factor)


def horizon(lag: int | None, censored: bool) -> str:
    """Return the horizon, "> T" where the curve never falls below the threshold."""
    return "none" if lag is None else f"> {lag}" if censored else str(lag)


def finals(model: ModelDocument) -> tuple[float | None, float | None, float | None]:
    """Return log10 of the state's norm, of its typical direction and of the input's norm at their last lags."""
    state, received = model.curves["state"], model.curves.get("input")
    return (
        state.log10_norm.median[-1],
        state.log10_rms.median[-1],
        received.log10_norm.median[-1] if received else None,
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


def sparkline(values: Sequence[float | None], low: float, high: float) -> str:
    """Return a curve as blocks between two levels; an exact zero is a blank."""
    picked = [values[round(i * (len(values) - 1) / (SPARK - 1))] for i in range(SPARK)]
    return "".join(" " if value is None else BLOCKS[int((value - low) / (high - low) * 7.999)] for value in picked)


def _legend(models: Sequence[ModelDocument]) -> str:
    low, high = _scale(models)
    return (
        f"↘ contracting, → neutral, ↗ expanding; horizon: the last lag before the norm is below "
        f"{models[0].curves['state'].threshold:g}; state ‖∂s_T/∂s_k‖₂, typical ‖·‖_F/√q and input "
        "‖∂h_T/∂x_k‖₂ are log₁₀ medians at the last lag; sparklines from lag 0: "
        f"10^{high:.0f} (top) to 10^{low:.0f}"
        if models
        else ""
    )
