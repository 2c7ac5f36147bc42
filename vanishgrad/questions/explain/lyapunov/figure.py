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
LONG_RUN, THIS_RUN, THEORY = Look(BLACK, mark="o"), Look(BLUE, DASHES[1]), Look(VERMILLION)
CAPTION = translatable(
    "Dots: exponents of the long run, mean over trials, bars of two standard errors; bands: {band}. Dashed: ln σ_i/T "
    "of this run's product. Above 0 a direction grows, below it is forgotten."
)
MEAN_FIELD_CAPTION = translatable("Mean field: infinitely many units.")
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
    layout = Panels(
        len(models), COLUMNS, WIDTH, HEIGHT, AXIS,
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
    for i, (axes, title, exponents) in enumerate(zip(all_axes, titles, spectra, strict=True)):
        _draw(axes, exponents)
        axes.set_title(title, loc="left", fontsize=9.5, fontweight="bold")
        axes.set_ylabel(translate("λ_i (nats per step)") if i % COLUMNS == 0 else "")
        axes.set_xlabel("i" if i + COLUMNS >= len(models) else "")
    return figure


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
    axes.errorbar(
        ranks, exponents.mean, 2 * np.abs(np.nan_to_num(exponents.error)), color=LONG_RUN.colour, fmt=".", markersize=4,
        linewidth=1, clip_on=False,
    )  # fmt: skip
    for values, look in ((exponents.finite, THIS_RUN), (exponents.mean_field, THEORY)):
        places = np.arange(1, len(values) + 1)
        axes.plot(places, values, color=look.colour, linestyle=look.linestyle, linewidth=1.4)
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
