"""Attention and the additive skip beside the recurrence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vanishgrad.languages import translatable, translate
from vanishgrad.questions.explain.attention.report import AttentionDocument
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.documents.report import ModelsDocument
from vanishgrad.reports.figures.conditions import frame
from vanishgrad.reports.figures.lines import Trace, drawable_curves, norm_line
from vanishgrad.reports.figures.norms import MULTIPLES, Panel, heading, page
from vanishgrad.reports.figures.page import PictureKind
from vanishgrad.reports.figures.palette import BLACK, BLUE, DASHES, GREEN, Look

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = translatable(
    "recurrent: ‖∂h_T/∂h_s‖₂; attention: ‖∂c/∂h_s‖₂ of a random head whose query is the last state, shared among all "
    "states; skip: ‖I + ∂h_T/∂h_s‖₂, where the loss sees h_s itself."
)


def draw_attention(report: ModelsDocument, models: Sequence[ModelDocument]) -> Figure:
    """Draw a panel for each model: the recurrence, attention and skip along its states."""
    panels = [Panel(heading(model), _traces(model)) for model in models]
    title = translate("What a path of length one would send back")
    return page(
        title, frame(report, models), report, panels, MULTIPLES, translate(CAPTION), x=translate("lag T − s (steps)")
    )


def _traces(model: ModelDocument) -> list[Trace]:
    section: AttentionDocument = model.sections["attention"]
    several = model.trials > 1
    return [
        Trace(translate("recurrent"), Look(BLACK), norm_line(model.curves["hidden"]), several),
        Trace(translate("attention"), Look(BLUE, DASHES[1]), norm_line(section.attention), several),
        Trace(translate("skip"), Look(GREEN, DASHES[2]), norm_line(section.skip), several),
    ]


ATTENTION_PICTURE = PictureKind(
    "What attention and an additive skip would send back along the same states, beside the recurrence.",
    "an explanation with the section attention",
    lambda model: model.sections.get("attention") is not None and "hidden" in drawable_curves(model),
    draw_attention,
)
