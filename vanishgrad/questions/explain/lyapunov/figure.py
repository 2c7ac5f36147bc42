"""Pictures of Lyapunov spectra."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.languages import translatable, translate
from vanishgrad.questions.explain.lyapunov.report import LyapunovDocument
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.documents.report import ModelsDocument
from vanishgrad.reports.figures.conditions import frame
from vanishgrad.reports.figures.labels import Label, column_width, write_labels
from vanishgrad.reports.figures.lines import BANDS, numbers
from vanishgrad.reports.figures.page import Panels, PictureKind, sheet
from vanishgrad.reports.figures.palette import BLACK, BLUE, DASHES, MUTED, RULE, VERMILLION, Look
from vanishgrad.reports.figures.style import wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT, COLUMNS, AXIS = 2.6, 2.4, 2, 0.75
HEIGHT_OF_TWO = 1.7
"""Of a panel with the difference to mean field beneath it."""
LONG_RUN, THIS_RUN, THEORY = Look(BLACK, mark="o"), Look(BLUE, DASHES[1]), Look(VERMILLION)
CAPTION = translatable(
    "Dots: exponents of the long run, mean over trials, bars of two standard errors; bands: {band}. Dashed: ln σ_i/T "
    "of this run's product. Above 0 a direction grows, below it is forgotten."
)
MEAN_FIELD_CAPTION = translatable("Mean field: infinitely many units; beneath: what the long run lies above it.")
LOST_NOTE = translatable("Exponents of minus infinity, directions lost to rounding, are left out.")


class Exponents(NamedTuple):
    """A spectrum, nats per step; NaN for minus infinity or no error."""

    mean: Array
    error: Array
    low: Array
    high: Array
    finite: Array
    mean_field: Array
    """Empty where theory has none."""
    steps: int
    finite_steps: int

    @property
    def labels(self) -> list[Label]:
        """What stands beside the panel."""
        labels = []
        for values, text, look in (
            (self.mean, translate("{steps} steps", steps=self.steps), LONG_RUN),
            (self.finite, translate("this run, {steps}", steps=self.finite_steps), THIS_RUN),
            (self.mean_field, translate("mean field"), THEORY),
        ):
            finite = np.flatnonzero(~np.isnan(values))
            if finite.size:
                labels.append(Label(finite[-1] + 1, float(values[finite[-1]]), text, look))
        return labels


def draw_lyapunov(report: ModelsDocument, models: Sequence[ModelDocument]) -> Figure:
    """Draw a panel for each model: the exponents with their errors, and those of the run itself."""
    spectra = [_exponents(model.sections["lyapunov"]) for model in models]
    wide = any(each.mean_field.size for each in spectra)
    lost = any(np.isnan(each.mean).any() for each in spectra)
    titles = [wrapped(model.label, 34, 2) for model in models]
    order = _rows(len(models), wide)
    layout = Panels(
        len(order), min(COLUMNS, len(models)), WIDTH, HEIGHT if not wide else HEIGHT_OF_TWO, AXIS,
        column_width([label.text for each in spectra for label in each.labels] or [""]), between=0.5,
        heading=0.2 + 0.16 * max(title.count("\n") + 1 for title in titles),
    )  # fmt: skip
    notes = [
        translate(CAPTION, band=translate(BANDS[report.request.band])),
        *([translate(MEAN_FIELD_CAPTION)] if wide else []),
        *([translate(LOST_NOTE)] if lost else []),
    ]
    figure, all_axes = sheet(
        translate("What every direction does in the long run"), frame(report, models), notes, layout
    )
    for place, (axes, (i, is_difference)) in enumerate(zip(all_axes, order, strict=True)):
        if is_difference and not spectra[i].mean_field.size:
            axes.set_axis_off()
            continue
        if is_difference:
            _draw_difference(axes, spectra[i])
        else:
            _draw(axes, spectra[i])
            axes.set_title(titles[i], loc="left", fontsize=9.5, fontweight="bold")
        name = translate("λ_i − mean field") if is_difference else translate("λ_i (nats per step)")
        axes.set_ylabel(name if place % layout.columns == 0 else "")
        axes.set_xlabel("i" if place + layout.columns >= len(order) else "")
    return figure


def _rows(models: int, with_difference: bool) -> list[tuple[int, bool]]:
    """Return which model each panel shows, and whether its difference to mean field: that stands beneath."""
    rows = [range(first, min(first + COLUMNS, models)) for first in range(0, models, COLUMNS)]
    if not with_difference:
        return [(i, False) for row in rows for i in row]
    if len(rows[-1]) < min(COLUMNS, models):  # the last row is not full: its differences would move up beside it
        return [(i, is_difference) for i in range(models) for is_difference in (False, True)]
    return [(i, is_difference) for row in rows for is_difference in (False, True) for i in row]


def _draw_difference(axes: Axes, exponents: Exponents) -> None:
    """Draw the long run's exponents less those of infinitely many units, with two standard errors."""
    number = min(len(exponents.mean), len(exponents.mean_field))
    difference = exponents.mean[:number] - exponents.mean_field[:number]
    errors = 2 * np.abs(np.nan_to_num(exponents.error[:number]))
    axes.axhline(0, color=THEORY.colour, linewidth=1.2)
    axes.errorbar(
        np.arange(1, number + 1), difference, errors, color=LONG_RUN.colour, fmt=".", markersize=4, linewidth=1,
        clip_on=False,
    )  # fmt: skip
    axes.set_xlim(1, max(len(exponents.mean), 2))
    axes.locator_params(axis="x", nbins=6, integer=True)
    axes.locator_params(axis="y", nbins=5)
    axes.grid(axis="y", color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)


def _exponents(lyapunov: LyapunovDocument) -> Exponents:
    over_trials = lyapunov.exponents
    return Exponents(
        numbers(over_trials.mean),
        numbers(over_trials.error),
        numbers(over_trials.low),
        numbers(over_trials.high),
        numbers(lyapunov.finite_time),
        numbers(lyapunov.mean_field or ()),
        lyapunov.steps,
        lyapunov.finite_steps,
    )


def _draw(axes: Axes, exponents: Exponents) -> None:
    ranks = np.arange(1, len(exponents.mean) + 1)
    axes.axhline(0, color=MUTED, linewidth=0.9)
    axes.fill_between(ranks, exponents.low, exponents.high, color=LONG_RUN.colour, alpha=0.12, linewidth=0)
    errors = 2 * np.abs(np.nan_to_num(exponents.error))
    axes.errorbar(ranks, exponents.mean, errors, color=LONG_RUN.colour, fmt="none", elinewidth=1, clip_on=False)
    axes.plot(ranks, exponents.mean, ".", color=LONG_RUN.colour, markersize=4, clip_on=False, label="long run")
    theories = (("this run", exponents.finite, THIS_RUN), ("mean field", exponents.mean_field, THEORY))
    for name, values, look in theories:
        places = np.arange(1, len(values) + 1)
        axes.plot(places, values, color=look.colour, linestyle=look.linestyle, linewidth=1.4, label=name)
    axes.set_xlim(1, max(len(exponents.mean), 2))
    axes.locator_params(axis="x", nbins=6, integer=True)
    axes.locator_params(axis="y", nbins=6)
    axes.margins(y=0.08)
    axes.grid(axis="y", color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    if exponents.labels:
        write_labels(axes, exponents.labels)


LYAPUNOV_PICTURE = PictureKind(
    "The Lyapunov exponents with their errors: which directions grow or are forgotten in the long run.",
    "the exponents of vanishgrad explain",
    lambda model: model.sections.get("lyapunov") is not None,
    draw_lyapunov,
)
