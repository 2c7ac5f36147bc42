"""Pictures of what was learned: updates by gap with each model's horizon, loss curves, and horizons while learning."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from vanishgrad.errors import UsageError
from vanishgrad.languages import translate
from vanishgrad.questions.learn.document import LearnDocument, LearnedModel
from vanishgrad.reports.figures.labels import column_width, finish, legend_beside, width_beside
from vanishgrad.reports.figures.options import PLAIN, PictureOptions, chosen, drawn_with
from vanishgrad.reports.figures.output import picture_bytes
from vanishgrad.reports.figures.page import Panels, sheet
from vanishgrad.reports.figures.palette import MUTED, RULE, looks, shade
from vanishgrad.reports.figures.style import drawable, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAP = Panels(number=1, columns=1, width=5.6, height=3.3, left=0.75, right=2.1)
COLUMNS, PANEL = 3, Panels(number=1, columns=3, width=2.1, height=1.7, left=0.7, right=0.25, between=0.2)


class LearnPicture(NamedTuple):
    """A kind of picture: what it shows, and how it is drawn."""

    about: str
    draw: Callable[[LearnDocument], Figure]


def draw(document: LearnDocument, kind: str, options: PictureOptions = PLAIN) -> Figure:
    """Return a picture of what was learned.

    Raises
    ------
    UsageError
        If there is no such kind.
    """
    if kind not in KINDS:
        raise UsageError(f"expected a picture out of {', '.join(KINDS)}, got {kind!r}; try {next(iter(KINDS))}")
    with drawn_with(options, kind), style(_words(document)):
        figure = KINDS[kind].draw(document)
        finish(figure)
    return figure


def render(document: LearnDocument, kind: str, ending: str, options: PictureOptions = PLAIN) -> bytes:
    """Return a picture as the bytes of a file, the same for the same document.

    Raises
    ------
    UsageError
        As `draw`.
    """
    return picture_bytes(draw(document, kind, options), ending)


def _words(document: LearnDocument) -> str:
    """Return what is written into a picture and may need a font of its own."""
    return "".join(model.label for model in document.models) + document.request.task


def draw_learnability(document: LearnDocument) -> Figure:
    """Draw each seed's updates by gap, medians joined, and the horizons at initialisation as triangles below."""
    caption = (
        translate(
            "Dots: seeds; lines: medians while most seeds learn. Above the rule: never. Triangles on the axis: the "
            "model's horizon of ∂s_T/∂s_k before training, hollow where it lies beyond the run."
        ),
    )
    layout = MAP._replace(right=width_beside(MAP.right))
    figure, (axes,) = sheet(translate("How many updates a gap takes"), _frame(document), caption, layout)
    most, gaps = document.request.updates, sorted(document.request.gaps)
    axes.set_xscale("log")
    axes.axhline(1.25 * most, color=RULE, linewidth=0.8)
    axes.text(
        0.01,
        1.3 * most,
        translate("never"),
        transform=axes.get_yaxis_transform(),
        va="bottom",
        color=MUTED,
        fontsize=7.5,
    )
    models = chosen_models(document)
    for i, model in enumerate(models):
        _learned(axes, model, i, tuple(each.label for each in document.models), most)
    _counts(axes, "y", 3, 3 * max(most, 2), (1, 3))
    axes.set_xticks(gaps, [str(gap) for gap in gaps])
    axes.minorticks_off()
    axes.set_xlabel(translate("gap (steps)"))
    axes.set_ylabel(translate("updates until it is learned"))
    legend_beside(axes, loc="center left", bbox_to_anchor=(1.02, 0.5))
    return figure


def chosen_models(document: LearnDocument) -> list[LearnedModel]:
    """Return the models that are asked for."""
    return chosen(document.models, [model.label for model in document.models])


def _learned(axes: Axes, model: LearnedModel, place: int, labels: tuple[str, ...], most: int) -> None:
    models = len(labels)
    line, shift = looks(labels)[model.label], 1.02 ** (place - (models - 1) / 2)
    never = most * (1.5 + place / models)
    for gap in model.gaps:
        heights = [never if each is None else each for each in gap.updates]
        axes.plot([gap.gap * shift] * len(heights), heights, "o", color=line.colour, markersize=2.5, alpha=0.6)
    medians = [(each.gap * shift, each.median) for each in model.gaps if each.median is not None]
    xs, ys = zip(*medians, strict=True) if medians else ((), ())
    axes.plot(xs, ys, color=line.colour, linestyle=line.linestyle, linewidth=1.4, label=drawable(model.label))
    if model.state_horizon:
        face = "none" if model.state_censored else line.colour
        axes.plot(
            [model.state_horizon * shift], [0.0], "^", transform=axes.get_xaxis_transform(), clip_on=False,
            color=line.colour, markerfacecolor=face, markersize=7,
        )  # fmt: skip


def draw_losses(document: LearnDocument) -> Figure:
    """Draw the mean loss of the seeds by update, a panel for each model and a line for each gap."""
    figure, panels = _panels(
        document,
        translate("Loss while learning"),
        translate("Mean over seeds, over the baseline; a seed that has stopped keeps its last loss."),
    )
    last = max(gap.loss_updates[-1] for model in document.models for gap in model.gaps)
    for axes, model in zip(panels, chosen_models(document), strict=True):
        _counts(axes, "x", 0.9, 1.2 * last, (1,))
        for i, gap in enumerate(model.gaps):
            means = np.mean([_to_the_end(of_seed) for of_seed in gap.loss], axis=0)
            colour = shade(i / max(len(model.gaps) - 1, 1))
            axes.plot(
                gap.loss_updates,
                means / gap.baseline,
                color=colour,
                linewidth=1.3,
                label=translate("gap {gap}", gap=gap.gap),
            )
        axes.set_ylim(0, 1.4)
        axes.axhline(1, color=RULE, linewidth=0.8)
    _finish(panels, translate("loss / baseline"))
    return figure


def _to_the_end(losses: Sequence[float | None]) -> list[float]:
    """Return a seed's losses, the last one repeated from where it has stopped; NaN if it never had one."""
    filled: list[float] = []
    for loss in losses:
        filled.append(loss if loss is not None else filled[-1] if filled else np.nan)
    return filled


def draw_horizons(document: LearnDocument) -> Figure:
    """Draw how the horizon of the state moves with the updates, a panel for each model and a line for each gap."""
    figure, panels = _panels(
        document,
        translate("The horizon while learning"),
        translate("Median over seeds; update 0 is drawn at 1/2."),
    )
    every = [each for model in document.models for gap in model.gaps for each in gap.snapshots]
    last, longest = max(each.update for each in every), max(each.state_horizon for each in every)
    for axes, model in zip(panels, chosen_models(document), strict=True):
        _counts(axes, "x", 0.4, 1.2 * last, (1,))
        _counts(axes, "y", 0.9, 1.3 * longest, (1, 3))
        for i, gap in enumerate(model.gaps):
            points = [(max(each.update, 0.5), max(each.state_horizon, 1)) for each in gap.snapshots]
            colour = shade(i / max(len(model.gaps) - 1, 1))
            axes.plot(
                *zip(*points, strict=True),
                color=colour,
                marker=".",
                linewidth=1.3,
                label=translate("gap {gap}", gap=gap.gap),
            )
    _finish(panels, translate("horizon (steps)"))
    return figure


def _panels(document: LearnDocument, title: str, caption: str) -> tuple[Figure, Sequence[Axes]]:
    models = chosen_models(document)
    names = column_width([translate("gap {gap}", gap=max(document.request.gaps))])
    laid = PANEL._replace(number=len(models), columns=min(COLUMNS, len(models)), margin=names - PANEL.right)
    figure, panels = sheet(title, _frame(document), (caption,), laid)
    for axes, model in zip(panels, models, strict=True):
        axes.set_title(drawable(model.label), fontsize=9, loc="left")
        axes.grid(color=RULE, linewidth=0.4)
    return figure, panels


def _counts(axes: Axes, direction: Literal["x", "y"], low: float, high: float, steps: Sequence[int]) -> None:
    """Make an axis logarithmic from low to high, its ticks written whole: `steps` times powers of ten."""
    ticks = [step * 10**k for k in range(len(str(int(high)))) for step in steps if low <= step * 10**k <= high]
    axes.set(**{f"{direction}lim": (low, high), f"{direction}scale": "log"})
    axes.set(**{f"{direction}ticks": ticks, f"{direction}ticklabels": [str(tick) for tick in ticks]})
    axes.minorticks_off()


def _finish(panels: Sequence[Axes], y: str) -> None:
    for axes in panels:
        axes.set_xlabel(translate("updates"), color=MUTED)
    panels[0].set_ylabel(y)
    legend_beside(panels[min(COLUMNS, len(panels)) - 1], loc="center left", bbox_to_anchor=(1.02, 0.5))


def _frame(document: LearnDocument) -> str:
    r = document.request
    return translate(
        "task {task}, n = {hidden}, batch {batch}, {optimizer} {rate}, {seeds} seeds",
        task=drawable(r.task), hidden=r.hidden, batch=r.batch, optimizer=r.optimizer, rate=f"{r.lr:g}", seeds=r.seeds,
    )  # fmt: skip


KINDS: Mapping[str, LearnPicture] = {
    "learnability": LearnPicture("How many updates each gap takes, with the horizons drawn in.", draw_learnability),
    "losses": LearnPicture("The loss by update, for each model and gap.", draw_losses),
    "learning_horizons": LearnPicture("How the horizon moves while a model learns.", draw_horizons),
}
