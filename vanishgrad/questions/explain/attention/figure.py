"""Attention and the additive skip beside the recurrence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vanishgrad.reports.figures.conditions import frame
from vanishgrad.reports.figures.lines import Trace
from vanishgrad.reports.figures.norms import MULTIPLES, Panel, heading, page
from vanishgrad.reports.figures.page import PictureKind
from vanishgrad.reports.figures.palette import BLACK, BLUE, DASHES, GREEN, Look
from vanishgrad.reports.figures.reading import Curve, Field, Model, Report, read_curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = (
    "recurrent: ‖∂h_T/∂h_s‖₂; attention: ‖∂c/∂h_s‖₂ of a random head whose query is the last state, shared among all "
    "states; skip: ‖I + ∂h_T/∂h_s‖₂, where the loss sees h_s itself."
)


def draw_attention(report: Report, models: Sequence[Model]) -> Figure:
    """Draw a panel for each model: the recurrence, attention and skip along its states."""
    panels = [Panel(heading(model), _traces(model)) for model in models]
    title = "What a path of length one would send back"
    return page(title, frame(report, models), report, panels, MULTIPLES, CAPTION, x="lag T − s (steps)")


def _traces(model: Model) -> list[Trace]:
    section, several = model.sections["attention"], model.trials > 1
    looks = {"attention": Look(BLUE, DASHES[1]), "skip": Look(GREEN, DASHES[2])}
    return [
        Trace("recurrent", Look(BLACK), model.curves["hidden"], several),
        *(Trace(name, look, _curve(section[name]), several) for name, look in looks.items()),
    ]


def _curve(curve: Field) -> Curve:
    return read_curve(curve["log10_norm"], curve["threshold"].number())


ATTENTION_PICTURE = PictureKind(
    "What attention and an additive skip would send back along the same states, beside the recurrence.",
    "an explanation with the section attention",
    lambda model: "attention" in model.sections,
    draw_attention,
)
