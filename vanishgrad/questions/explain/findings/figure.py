"""How far the gradient reaches with each remedy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from vanishgrad.languages import translatable, translate, translated
from vanishgrad.questions.explain.findings.report import FindingDocument, ReachDocument, RemedyDocument
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.documents.report import ModelsDocument
from vanishgrad.reports.figures.conditions import frame
from vanishgrad.reports.figures.labels import LINE_HEIGHT, text_width
from vanishgrad.reports.figures.page import Panels, PictureKind, sheet
from vanishgrad.reports.figures.palette import BLUE, INK, MUTED, RULE
from vanishgrad.reports.figures.style import wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, ROW = 5.0, 0.3
NORMS = translatable("log₁₀ state, input")
NAME_CHARACTERS = 40
CAPTION = translatable(
    "Bars: the last lag up to which the median norm of the state stays at the threshold; an arrow: the run was too "
    "short to see it fall. Beside them the norms of the state and of the input at the last lag."
)


class Bar(NamedTuple):
    """One row: what it is called, the horizon (None if even lag 0 is below), whether it is censored, and its norms."""

    name: str
    horizon: int | None
    censored: bool
    norms: str
    colour: str


def has_remedies(model: ModelDocument) -> bool:
    """Return whether a finding of a model names a remedy."""
    return model.sections.get("findings") is not None and bool(_remedies(model))


def draw_findings(report: ModelsDocument, models: Sequence[ModelDocument]) -> Figure:
    """Draw the horizon of each model as it is and with each remedy that its findings name."""
    bars = [bar for model in models for bar in _bars(model)]
    names = [wrapped(bar.name, NAME_CHARACTERS, 2) for bar in bars]
    row = max(ROW, LINE_HEIGHT * (1.4 + max(name.count("\n") for name in names)))
    right = max(text_width(text) for text in (translate(NORMS), *(bar.norms for bar in bars))) + 0.3
    layout = Panels(1, 1, WIDTH, row * len(bars) + 0.1, max(map(text_width, names)) + 0.3, right, heading=0.28)
    title = translate("What would change how far the gradient reaches")
    figure, (axes,) = sheet(title, frame(report, models), [translate(CAPTION)], layout)
    for place, bar in enumerate(bars):
        _draw(axes, place, bar)
    axes.text(1.03, -0.75, translate(NORMS), transform=axes.get_yaxis_transform(), va="center_baseline", color=MUTED)
    axes.set_yticks(range(len(bars)), labels=names)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.set_xlim(0, max(model.steps for model in models))
    axes.grid(axis="x", color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel(translate("horizon (steps)"))
    return figure


def _draw(axes: Axes, place: int, bar: Bar) -> None:
    length = bar.horizon or 0
    axes.barh(place, length, 0.6, color=bar.colour)
    if bar.censored:
        axes.plot(length, place, ">", color=bar.colour, markersize=8, clip_on=False)
    axes.text(1.03, place, bar.norms, transform=axes.get_yaxis_transform(), va="center_baseline", color=INK)


def _bars(model: ModelDocument) -> list[Bar]:
    remedies = _remedies(model)
    now = _bar(translate("{label} as it is", label=model.label), next(iter(remedies.values())).before, MUTED)
    return [now, *(_bar(translated(change), each.after, BLUE) for change, each in remedies.items())]


def _remedies(model: ModelDocument) -> dict[str, RemedyDocument]:
    """Return each remedy once, by the words of its change."""
    findings: Sequence[FindingDocument] = model.sections["findings"]
    return {remedy.change: remedy for finding in findings for remedy in finding.remedies}


def _bar(name: str, reach: ReachDocument | None, colour: str) -> Bar:
    if reach is None:
        return Bar(name, None, False, translate("a state overflows"), colour)
    norms = ", ".join(_logarithm(norm) for norm in (reach.log10_norm, reach.log10_input))
    return Bar(name, reach.horizon, reach.horizon_censored, norms, colour)


def _logarithm(value: float | None) -> str:
    return translate("zero") if value is None else f"{value:.1f}"


FINDINGS_PICTURE = PictureKind(
    "How far the gradient reaches as it is and with each remedy, computed on the changed weights.",
    "an explanation with findings that a remedy answers",
    has_remedies,
    draw_findings,
)
