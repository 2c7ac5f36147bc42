"""Pictures of norms against the lag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.languages import translatable, translate, translated
from vanishgrad.reports.documents.model import BoundDocument, ModelDocument
from vanishgrad.reports.documents.report import ModelsDocument
from vanishgrad.reports.figures.conditions import frame
from vanishgrad.reports.figures.labels import column_height, column_width, inches_of, text_width
from vanishgrad.reports.figures.lines import (
    LAG,
    NORM,
    NormLine,
    Trace,
    decades,
    draw_traces,
    drawable_curves,
    labels,
    last_lag,
    norm_line,
    notes,
    numbers,
)
from vanishgrad.reports.figures.options import picture_option
from vanishgrad.reports.figures.page import FOOT, Panels, sheet
from vanishgrad.reports.figures.palette import BLACK, BOUNDS, CURVES, Look, looks
from vanishgrad.reports.figures.style import wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMULAS = {"state": r"$\|\partial s_T / \partial s_k\|_2$", "input": r"$\|\partial h_T / \partial x_k\|_2$"}
BOUND_NAMES = {
    "gamma_norm": "γ‖W‖₂",
    "gamma_norm_scaled": "γ‖ΔWΔ⁻¹‖₂",
    "block_contraction": translatable("blocks, trial 0"),
}
PATHS_CAPTION = translatable(
    "conveyor: the product of the forget (GRU: keep) gates alone, as the usual argument has it; the whole may be "
    "larger or smaller. hidden and cell hold the other part of the state fixed; in total h moves with c, and four_term "
    "is the textbooks' product for it. stack: all layers up to this one. input: does an old input still move the "
    "output?"
)
BOUNDS_CAPTION = translatable(
    "Dashed: proved upper bounds of the state's norm, for the largest trial or for trial 0; one whose factor per "
    "step is not below 1 does not prove that the gradient vanishes, and ends where it leaves the panel."
)
PROBES_CAPTION = translatable("One that fails with a probability rests on random probes.")
CONVEYOR_CAPTION = translatable("Dotted: the conveyor, which is no bound.")
LABEL_CHARACTERS, EQUAL_CHARACTERS = 26, 16
HEADING_CHARACTERS = 36
AXIS = 0.48
"""Inches that the axis of norms takes beside what its ticks say."""
HEADING, HEADING_LINE = 0.2, 0.16
SHORT = {NORM: "‖·‖₂"}
"""Names of axes as low panels have them."""


class Panel(NamedTuple):
    """What one panel shows under which heading; a formula is set as one."""

    heading: str
    traces: Sequence[Trace]
    formula: str = ""


class CurveFormat(NamedTuple):
    """Inches of a panel, and how many stand side by side."""

    width: float
    height: float
    columns: int


PAIR, MULTIPLES = CurveFormat(3.2, 3.7, 2), CurveFormat(2.5, 2.4, 3)


def draw_curves(report: ModelsDocument, models: Sequence[ModelDocument]) -> Figure:
    """Draw one line per model, a panel for `state` and one for `input`."""
    names = _demanded(models) or FORMULAS
    panels = [
        Panel(
            translated(name), [_of_model(report, model, name) for model in models if name in drawable_curves(model)],
            FORMULAS.get(name, ""),
        )
        for name in names
    ]  # fmt: skip
    return page(translate("How far back the gradient reaches"), frame(report, models), report, panels, PAIR)


def _demanded(models: Sequence[ModelDocument]) -> tuple[str, ...]:
    """Return the curves that are asked for.

    Raises
    ------
    UsageError
        For one that no model has.
    """
    names: tuple[str, ...] = picture_option("curves")
    known = dict.fromkeys(name for model in models for name in drawable_curves(model))
    for name in names:
        if name not in known:
            raise UsageError(f"expected --curve out of {', '.join(known)}, got {name!r}; try --curve state")
    return names


def draw_curve_into(axes: Axes, report: ModelsDocument, curve: str) -> Figure:
    """Draw one line per model into axes of the caller's, and return their figure."""
    models = [model for model in report.models if curve in drawable_curves(model)]
    if not models:
        names = dict.fromkeys(name for model in report.models for name in drawable_curves(model))
        raise VanishgradError(f"expected a curve out of {', '.join(names)}, got {curve!r}; try kind='state'")
    traces = [_of_model(report, model, curve) for model in models]
    draw_traces(axes, traces, decades(traces), last_lag(traces))
    axes.set_title(FORMULAS.get(curve, curve), loc="left", fontsize=9.5, parse_math=True)
    axes.set_xlabel(translate(LAG))
    axes.set_ylabel(translate(NORM))
    figure = axes.figure.figure
    assert figure is not None
    return figure


def draw_paths(report: ModelsDocument, models: Sequence[ModelDocument]) -> Figure:
    """Draw a panel for each gated model with all of its curves, equal ones once."""
    names = _demanded(models) or tuple(CURVES)
    panels = [Panel(heading(model), _distinct(model, names)) for model in models]
    title = translate("Which curve is meant by “the gradient”?")
    return page(title, frame(report, models), report, panels, MULTIPLES, translate(PATHS_CAPTION))


def draw_bounds(report: ModelsDocument, models: Sequence[ModelDocument]) -> Figure:
    """Draw a panel for each model with bounds: measured, proved, and the conveyor."""
    panels = [Panel(heading(model), _with_bounds(model)) for model in models]
    title = translate("What is measured and what is proved")
    has_probes = any(bound.failure_probability for model in models for bound in drawable_bounds(model))
    has_conveyor = any("conveyor" in drawable_curves(model) for model in models)
    caption = [BOUNDS_CAPTION, *[PROBES_CAPTION] * has_probes, *[CONVEYOR_CAPTION] * has_conveyor]
    return page(title, frame(report, models), report, panels, MULTIPLES, " ".join(map(translate, caption)))


def _fitting(axes: Axes, name: str) -> str:
    """Return an axis's name, without what it stands for where the panel is too low for that."""
    long = translate(name)
    return SHORT.get(name, long) if text_width(long, 9) > inches_of(axes)[1] + FOOT else long


def _of_model(report: ModelsDocument, model: ModelDocument, curve: str) -> Trace:
    text = wrapped(model.label, LABEL_CHARACTERS, 4)
    return Trace(text, looks(report.labels)[model.label], _line(model, curve), band=report.trials > 1)


def heading(model: ModelDocument) -> str:
    """Return what stands above a model's panel."""
    return wrapped(model.label, HEADING_CHARACTERS, 3)


def _distinct(model: ModelDocument, curves: Sequence[str]) -> list[Trace]:
    """Return some of a model's curves in the order of `CURVES`, each with the names of all that are equal to it."""
    groups: list[tuple[list[str], NormLine]] = []
    for name in (name for name in CURVES if name in curves and name in drawable_curves(model)):
        curve = _line(model, name)
        for names, other in groups:
            if np.array_equal(curve.median, other.median, equal_nan=True):
                names.append(name)
                break
        else:
            groups.append(([name], curve))
    return [
        Trace(wrapped(" = ".join(map(translated, names)), EQUAL_CHARACTERS, 4), CURVES[names[0]], curve)
        for names, curve in groups
    ]


def drawable_bounds(model: ModelDocument) -> list[BoundDocument]:
    """Return the bounds that are known by lag, of curves that are drawn."""
    return [bound for bound in model.bounds if bound.log10_norm is not None and bound.curve in drawable_curves(model)]


def _with_bounds(model: ModelDocument) -> list[Trace]:
    bounds = drawable_bounds(model)
    names = dict.fromkeys(bound.curve for bound in bounds)
    conveyor = ["conveyor"] if "conveyor" in drawable_curves(model) else []
    return [
        *(
            Trace(
                translate("{curve}, measured", curve=translated(name)),
                Look(BLACK),
                _line(model, name),
                band=model.trials > 1,
            )
            for name in names
        ),
        *(_proved(bound, BOUNDS[i % len(BOUNDS)], model) for i, bound in enumerate(bounds)),
        *(Trace(translated(name), CURVES[name], _line(model, name)) for name in conveyor),
    ]


def _line(model: ModelDocument, curve: str) -> NormLine:
    return norm_line(model.curves[curve])


def _proved(bound: BoundDocument, appearance: Look, model: ModelDocument) -> Trace:
    name = translate(BOUND_NAMES.get(bound.name, wrapped(bound.name, LABEL_CHARACTERS, 1)))
    if bound.failure_probability:
        name += "\n" + translate("(fails: p < {probability})", probability=f"{bound.failure_probability:.0e}")
    text = name if bound.holds else f"{name}\n" + translate("(not below 1)")
    values = numbers(bound.log10_norm or [])
    return Trace(
        text,
        appearance,
        NormLine(values, values, values, model.curves[bound.curve].threshold),
        scales=bool(bound.holds),
    )


def page(
    title: str, frame_: str, report: ModelsDocument, panels: Sequence[Panel], size: CurveFormat, *caption: str,
    y: str = NORM, x: str = LAG,
) -> Figure:  # fmt: skip
    """Return a page of panels on one scale, with the names of their axes."""
    panels = [panel for panel in panels if panel.traces]
    traces = [trace for panel in panels for trace in panel.traces]
    scale = decades(traces)
    end = last_lag(traces)
    columns = [labels(panel.traces, scale, end) for panel in panels]
    right = max(column_width([label.text for label in column]) for column in columns)
    height = max(size.height, *map(column_height, columns))
    left = AXIS + max(map(text_width, scale.ticks.values()))
    above = HEADING + HEADING_LINE * max(panel.heading.count("\n") + 1 for panel in panels)
    layout = Panels(len(panels), size.columns, size.width, height, left, right, between=0.12, heading=above)
    figure, all_axes = sheet(title, frame_, [*notes(report, traces, scale), *caption], layout)
    for i, (axes, panel) in enumerate(zip(all_axes, panels, strict=True)):
        draw_traces(axes, panel.traces, scale, end)
        axes.set_title(panel.heading, loc="left", fontsize=9.5, fontweight="bold")
        axes.set_title(panel.formula, loc="right", fontsize=9.5, parse_math=True)
        axes.tick_params(axis="y", labelleft=i % size.columns == 0)
        axes.set_ylabel(_fitting(axes, y) if i % size.columns == 0 else "")
        axes.set_xlabel(translate(x) if i + size.columns >= len(panels) else "")
    return figure
