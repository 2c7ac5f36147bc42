"""Pictures of a sweep: which kinds there are, what of the report they show, and the axes that they share."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import UsageError
from vanishgrad.languages import translate, translated
from vanishgrad.questions.sweep.axes import Value, value_text
from vanishgrad.questions.sweep.document import SweepDocument, SweptPoint
from vanishgrad.questions.sweep.measures import measure_named
from vanishgrad.questions.sweep.report import axes_of, by_model
from vanishgrad.questions.sweep.theory import (
    CHRONO,
    GAIN,
    MEAN_FIELD,
    OVERLAYS,
    SHARP,
    THEORIES,
    Theory,
    others,
    setting_of,
)
from vanishgrad.reports.figures.labels import finish, inches_of, text_width
from vanishgrad.reports.figures.options import PLAIN, PictureOptions, chosen, drawn_with
from vanishgrad.reports.figures.output import picture_bytes
from vanishgrad.reports.figures.style import drawable, style, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PHASE, SLICE = "phase", "slice"
KINDS: Mapping[str, str] = {
    PHASE: "A measure over two axes: colours from vanishing to exploding, contours, regions, and theory's lines.",
    SLICE: "A measure along one axis with its interval, a line for each value of another one, or for each MODEL.",
}
MODEL = "model"
"""As an axis of slices: a line for each MODEL."""
LOG_SPAN = 8.0
"""An axis whose values have equal ratios, and span this factor, is drawn logarithmically."""
SAMPLES = 33
"""Values at which a line of theory is worked out."""
TICKS, TICK_GAP, TICK_ROW = 7, 0.08, 0.16
"""Values up to which each has a tick; inches between the texts of two, and of one above another."""


@dataclass(frozen=True)
class SweepPicture:
    """What a picture of a sweep shows; None takes the first that there is.

    Attributes
    ----------
    kind : str or None
        One of `KINDS`; None: phase where there are two axes.
    x, y : str or None
        Axes; of slices `y` tells the lines apart, and may be ``model``.
    measure : str or None
    contour : tuple of float or None
        Levels of the measure; None: the neutral one, where there is one.
    overlay : tuple of str or None
        Theories, of `OVERLAYS`; None: those that speak of the MODEL and the measure.
    """

    kind: str | None = None
    x: str | None = None
    y: str | None = None
    measure: str | None = None
    contour: tuple[float, ...] | None = None
    overlay: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.kind not in (None, *KINDS):
            raise UsageError(f"expected --kind {' or '.join(KINDS)} of a report of sweep, got {self.kind!r}")
        for name in self.overlay or ():
            if name not in OVERLAYS:
                raise UsageError(f"expected --overlay out of {', '.join(OVERLAYS)}, none, got {name!r}; try another")

    def resolved(self, axes: Sequence[str], models: int, measures: Sequence[str]) -> SweepPicture:
        """Return the same with kind, axes and measure, out of those that a sweep has.

        Raises
        ------
        UsageError
            If there are no such axes, or no such measure.
        """
        measure = self.measure or measures[0]
        if measure not in measures:
            raise UsageError(f"expected a measure out of {', '.join(measures)}, got {measure!r}; try --measure")
        given = [name for name in (self.x, self.y) if name is not None]
        kind = self.kind or (PHASE if len(axes) > 1 else SLICE)
        for name in given:
            if name not in (*axes, *([MODEL] if kind == SLICE and name == self.y else [])):
                raise UsageError(f"expected an axis out of {', '.join(axes) or 'none'}, got {name!r}; try another")
        free = [name for name in axes if name not in given]
        x = self.x or (free.pop(0) if free else None)
        y = self.y or (free.pop(0) if free else MODEL if kind == SLICE and models > 1 else None)
        if x is None or x == y or (kind == PHASE and y is None):
            wanted = "two axes for a phase diagram" if kind == PHASE else "an axis for a slice"
            raise UsageError(
                f"expected {wanted}, got {', '.join(axes) or 'none'}; try vanishgrad sweep with --hidden 64,128"
            )
        return SweepPicture(kind, x, y, measure, self.contour, self.overlay)


@dataclass(frozen=True)
class SweepPanel:
    """The points of a panel: of a MODEL, or of all, at one value of every axis that the panel does not show."""

    model: str | None
    rest: Mapping[str, Value]
    points: Sequence[SweptPoint]

    @property
    def heading(self) -> str:
        """What stands above the panel."""
        values = [f"{name} = {value_text(value)}" for name, value in self.rest.items()]
        head = [] if self.model is None else [self.model.partition(":")[0]]
        return wrapped(drawable(", ".join(head + values)), 40, 2)


def draw(document: SweepDocument, picture: SweepPicture, options: PictureOptions = PLAIN) -> Figure:
    """Return a picture of a sweep.

    Raises
    ------
    UsageError
        If there are no such axes, no such measure, or nothing that an overlay speaks of.
    """
    from vanishgrad.questions.sweep.phase_diagram import draw_phases
    from vanishgrad.questions.sweep.slices import draw_slices

    request = document.request
    picture = picture.resolved(list(axes_of(document.points)), len(request.models), request.measure)
    _demand_spoken(document, picture)
    with drawn_with(options, str(picture.kind)), style("".join(request.models)):
        figure = (draw_phases if picture.kind == PHASE else draw_slices)(document, picture, str(picture.measure))
        finish(figure)
    return figure


def render(document: SweepDocument, picture: SweepPicture, ending: str, options: PictureOptions = PLAIN) -> bytes:
    """Return the picture as the bytes of a file, the same for the same document.

    Raises
    ------
    UsageError
        As `draw`.
    """
    return picture_bytes(draw(document, picture, options), ending)


def available_kinds(document: SweepDocument) -> list[str]:
    """Return the kinds that a sweep has axes for."""
    return [PHASE, SLICE][2 - min(2, len(axes_of(document.points))) :]


def _demand_spoken(document: SweepDocument, picture: SweepPicture) -> None:
    """Refuse an overlay that is asked for by name and speaks of no point."""
    shown = [theory for theory in theories(picture) if theory.axis in (picture.x, picture.y)]
    for name in picture.overlay or ():
        own = [theory for theory in shown if theory.name == name]
        drawn = [point for point in document.points if any(theory.axis in point.coordinates for theory in own)]
        if not any(theory.predicted(setting_of(point, document.request)) for theory in own for point in drawn):
            resting = all(setting_of(point, document.request).is_at_rest for point in document.points)
            run = "" if resting else ", not at rest: a gated network's line is of --input zeros and --initial zeros"
            raise UsageError(
                f"expected axes and a MODEL that {name} speaks of, got {picture.x} and {picture.y or 'no other'}{run}; "
                "try --overlay none"
            )


def theories(picture: SweepPicture) -> list[Theory]:
    """Return the theories that are drawn: for the gain where it is shown, else for the forget bias.

    Unless they are named: a gate's memory with horizons and norms, N1 with rates and verdicts.
    """
    shown, wanted = (picture.x, picture.y), picture.overlay
    if wanted is None:
        wanted = (MEAN_FIELD, CHRONO) if is_of_lags(picture) else (MEAN_FIELD, SHARP)
    return [
        theory
        for theory in THEORIES
        if theory.name in wanted and theory.axis in shown and (theory.axis == GAIN or not _is_doubled(theory, shown))
    ]


def is_of_lags(picture: SweepPicture) -> bool:
    """Whether what is shown is a horizon, or a norm at a lag."""
    return re.search("horizon|norm@", picture.measure or "") is not None


def _is_doubled(theory: Theory, shown: Sequence[str | None]) -> bool:
    return any(other.name == theory.name and other.axis == GAIN for other in THEORIES) and GAIN in shown


def line_of(
    document: SweepDocument, section: SweepPanel, theory: Theory, along: str, values: Sequence[Value]
) -> tuple[Array, Array]:
    """Return values of another axis, and theory's line there, NaN where it does not speak."""
    point = section.points[0]
    if any(isinstance(value, str) for value in values) or theory.axis not in point.coordinates:
        return np.empty(0), np.empty(0)
    first, last, setting = float(values[0]), float(values[-1]), setting_of(point, document.request)
    scale = np.geomspace if is_geometric(values) else np.linspace
    along_values: Array = scale(first, last, SAMPLES)
    predictions = [theory.predicted(setting.at(along, value)) for value in along_values.tolist()]
    return along_values, np.array([np.nan if each is None else each for each in predictions])


def sections(document: SweepDocument, *shown: str) -> list[SweepPanel]:
    """Return the panels: MODEL by MODEL, at each value of every axis that is not shown."""
    panels = list[SweepPanel]()
    every = by_model(document)
    models = {model: every[model] for model in chosen(list(every), list(every))}
    groups = {None: [point for own in models.values() for point in own]} if MODEL in shown else models
    for model, points in groups.items():
        rest = [others(point.coordinates, *shown) for point in points]
        for remaining in [value for i, value in enumerate(rest) if value not in rest[:i]]:
            own = [point for point, its in zip(points, rest, strict=True) if its == remaining]
            own = [point for point in own if set(shown) - {MODEL} <= point.coordinates.keys()]
            if own:
                panels.append(SweepPanel(model if len(models) > 1 else None, remaining, own))
    return panels


def is_geometric(values: Sequence[Value]) -> bool:
    """Whether values have equal ratios and span `LOG_SPAN`."""
    if any(isinstance(value, str) for value in values) or len(values) < 3:
        return False
    numbers = np.array(values, dtype=float)
    if numbers[0] <= 0 or numbers[-1] < LOG_SPAN * numbers[0]:
        return False
    ratios = numbers[1:] / numbers[:-1]
    return bool(ratios.max() < 1.3 * ratios.min())


def places(values: Sequence[Value]) -> Array:
    """Return where values stand on their axis: numbers where they are, words side by side."""
    is_words = any(isinstance(value, str) for value in values)
    return np.arange(len(values), dtype=float) if is_words else np.array(values, dtype=float)


def set_axis(axes: Axes, direction: Literal["x", "y"], name: str, values: Sequence[Value]) -> None:
    """Name an axis, give it its scale and its ticks."""
    from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

    getattr(axes, f"set_{direction}label")(name.replace("_", " "))
    own, texts = getattr(axes, f"{direction}axis"), tick_texts(values)
    width, height = inches_of(axes)
    needed = sum(text_width(text) + TICK_GAP for text in texts.values()) if direction == "x" else TICK_ROW * len(texts)
    fits = needed <= (width if direction == "x" else height)
    if any(isinstance(value, str) for value in values):
        getattr(axes, f"set_{direction}ticks")(list(texts), labels=list(texts.values()))
        if not fits and direction == "x":
            axes.tick_params(axis="x", rotation=90)
        return
    if is_geometric(values):
        getattr(axes, f"set_{direction}scale")("log")
        own.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=9))
        own.set_major_formatter(ScalarFormatter())
        own.set_minor_formatter(NullFormatter())
    if texts and fits and len(values) <= TICKS:
        getattr(axes, f"set_{direction}ticks")(list(texts), labels=list(texts.values()))


def tick_texts(values: Sequence[Value]) -> dict[float, str]:
    """Return what stands at the ticks of an axis of few values, or of words."""
    if any(isinstance(value, str) for value in values):
        step = -(-len(values) // TICKS)
        return {float(i): wrapped(drawable(str(values[i])), 16, 2) for i in range(0, len(values), step)}
    return {float(value): f"{value:.3g}" for value in values} if len(values) <= TICKS else {}


def name_of(measure: str) -> str:
    """Return what a measure is called: its title without the unit, and without what its values mean."""
    return re.split("[,，(（]", translated(measure_named(measure).title))[0].strip()


def label_of(measure: str) -> str:
    """Return what stands at an axis of a measure: its title with the unit."""
    title = re.split("[(（]", translated(measure_named(measure).title))[0].strip()
    return wrapped(title, 44, 1)


def caption_of(measure: str, further: Sequence[str]) -> list[str]:
    """Return what the marks of a picture mean."""
    return [f"{capitalised(translated(measure_named(measure).title))}{translate('.')}", *further]


def capitalised(text: str) -> str:
    """Return a text as a sentence begins."""
    return text[:1].upper() + text[1:]
