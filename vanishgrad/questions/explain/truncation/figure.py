"""What truncated backpropagation loses, lag by lag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vanishgrad.languages import translatable, translate
from vanishgrad.questions.explain.truncation.report import TruncationDocument
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.documents.report import ModelsDocument
from vanishgrad.reports.figures.conditions import frame
from vanishgrad.reports.figures.lines import NormLine, Trace, band_line, numbers
from vanishgrad.reports.figures.norms import MULTIPLES, Panel, heading, page
from vanishgrad.reports.figures.page import PictureKind
from vanishgrad.reports.figures.palette import BLACK, BLUE, DASHES, VERMILLION, Look

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = translatable(
    "lost: ‖G − G_≤l‖/‖G‖, what a truncation to l + 1 steps takes from ∂L/∂θ; own: ‖G_l‖/‖G‖, what lag l alone "
    "contributes. Under the threshold stands a length that keeps 99 %."
)
PROVED_CAPTION = translatable("proved: an upper bound, where γ‖W‖₂ < 1.")


def draw_truncation(report: ModelsDocument, models: Sequence[ModelDocument]) -> Figure:
    """Draw a panel for each model: what is lost beyond each lag, what each lag contributes, and the bound."""
    panels = [Panel(heading(model), _traces(model)) for model in models]
    title = translate("How much of the weights' gradient a truncation loses")
    has_bound = any(model.sections["truncation"].log10_bound is not None for model in models)
    caption = [translate(CAPTION), *[translate(PROVED_CAPTION)] * has_bound]
    return page(
        title, frame(report, models), report, panels, MULTIPLES, " ".join(caption),
        y=translate("share of ‖∂L/∂θ‖ (no unit)"), x=translate("lag l (steps)"),
    )  # fmt: skip


def _traces(model: ModelDocument) -> list[Trace]:
    section: TruncationDocument = model.sections["truncation"]
    allowed, several = section.allowed, model.trials > 1
    traces = [
        Trace(translate("lost"), Look(BLACK), band_line(section.log10_lost, allowed), several),
        Trace(translate("own"), Look(BLUE, DASHES[1]), band_line(section.log10_share, allowed), several),
    ]
    if section.log10_bound is None:
        return traces
    bound = numbers(section.log10_bound)
    return [*traces, Trace(translate("proved"), Look(VERMILLION, DASHES[1]), NormLine(bound, bound, bound, allowed))]


TRUNCATION_PICTURE = PictureKind(
    "What truncated backpropagation loses of the parameter gradient, by length, with the proved bound.",
    "an explanation with the section truncation",
    lambda model: model.sections.get("truncation") is not None,
    draw_truncation,
)
