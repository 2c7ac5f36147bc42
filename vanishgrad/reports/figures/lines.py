"""Norms against the lag: lines, bands, thresholds and labels of one panel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.languages import translatable, translate
from vanishgrad.reports.documents.curve import BandDocument, CurveDocument
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.documents.report import ModelsDocument
from vanishgrad.reports.figures.labels import Label, write_labels
from vanishgrad.reports.figures.log_axis import Decades, power_of_ten
from vanishgrad.reports.figures.options import picture_option
from vanishgrad.reports.figures.palette import MUTED, Look
from vanishgrad.reports.sentences import trials_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_POINTS = 2000
"""Lags that a line is drawn through; a panel has fewer pixels."""
LONG = 1000
"""Lags from which their axis is logarithmic: what happens within the first hundred is seen, too."""
FEW_POINTS = 12
"""Lags up to which each is marked."""
THRESHOLD = Look(MUTED, (3, 2))
NORM = translatable("spectral norm ‖·‖₂ (no unit)")
BANDS = {
    "min-max": translatable("smallest to largest trial"),
    "5-95 %": translatable("5 % to 95 % quantile over trials"),
}
LAG = translatable("lag T − k (steps)")


@dataclass(frozen=True, eq=False)
class NormLine:
    """Base-10 logarithms by lag over trials, each (L,), NaN for exactly zero."""

    median: Array
    low: Array
    high: Array
    threshold: float

    @property
    def zero_from(self) -> int | None:
        """The lag from which on the median is exactly zero, or None."""
        alive = np.flatnonzero(~np.isnan(self.median))
        first = int(alive[-1]) + 1 if alive.size else 0
        return first if first < self.median.size else None


def numbers(values: Sequence[float | None]) -> Array:
    """Return a document's numbers as an array, NaN for null."""
    return np.array(values, dtype=float)


def drawable_curves(model: ModelDocument) -> list[str]:
    """Return the curves measured at lag 0; of a summary's input only the end is known, and that is no line."""
    return [name for name, curve in model.curves.items() if curve.count[0]]


def norm_line(curve: CurveDocument) -> NormLine:
    """Return a curve's line, straight between the lags that were measured."""
    line = band_line(curve.log10_norm, curve.threshold)
    measured = np.array(curve.count) > 0
    median, low, high = (_joined(measured, edge) for edge in (line.median, line.low, line.high))
    return NormLine(median, low, high, line.threshold)


def _joined(measured: Array, values: Array) -> Array:
    lags = np.arange(len(measured))
    return np.where(measured, values, np.interp(lags, lags[measured], values[measured]))


def band_line(band: BandDocument, threshold: float) -> NormLine:
    """Return the line of a band over trials."""
    return NormLine(numbers(band.median), numbers(band.low), numbers(band.high), threshold)


class Trace(NamedTuple):
    """One line of a panel: what it is called, how it looks, its curve, and whether its band is drawn."""

    text: str
    look: Look
    curve: NormLine
    band: bool = False
    scales: bool = True
    """Whether the panel reaches as far as it goes; else it is cut off at the panel's edge."""

    @property
    def title(self) -> str:
        """What stands at the line's end."""
        zero = self.curve.zero_from
        return self.text if zero is None else f"{self.text}\n" + translate("exactly 0 from lag {lag}", lag=zero)


def drawn_lags(curve: NormLine) -> Array:
    """Return the lags that a curve is drawn at: all, or some, even on both kinds of axis, and where it becomes zero."""
    size, zero = curve.median.size, curve.zero_from
    lags = np.linspace(0, size - 1, min(size, MAX_POINTS)).round()
    if size > MAX_POINTS:
        lags = np.append(lags, np.geomspace(1, size - 1, MAX_POINTS).round())
    lags_drawn = lags if zero is None else np.append(lags, [max(zero - 1, 0), zero])
    return np.unique(lags_drawn.astype(int))


def thresholds(curves: Iterable[NormLine]) -> dict[str, float]:
    """Return the thresholds that curves are held against, and their inverses where a curve comes near one."""
    levels: dict[str, float] = {}
    for curve in curves:
        exponent = float(np.log10(curve.threshold))
        levels[translate("threshold {threshold}", threshold=f"{curve.threshold:.4g}")] = exponent
        if np.nanmax(curve.high, initial=0.0) > -exponent:
            levels[translate("1/threshold {inverse}", inverse=f"{1 / curve.threshold:.4g}")] = -exponent
    return levels


def decades(traces: Iterable[Trace]) -> Decades:
    """Return the scale that all traces fit on, with their thresholds."""
    limits = picture_option("ylim")
    if limits is not None:
        return Decades(float(np.log10(limits[0])), float(np.log10(limits[1])), has_zero=False, is_cut=True)
    traces = list(traces)
    traces = [trace for trace in traces if trace.scales] or traces
    curves = [trace.curve for trace in traces]
    lines = [curve.median for curve in curves]
    bands = [edge for trace in traces if trace.band for edge in (trace.curve.low, trace.curve.high)]
    return Decades.of([*lines, *bands, np.array(list(thresholds(curves).values()))])


def last_lag(traces: Iterable[Trace]) -> int:
    """Return the largest lag of any trace."""
    return max(trace.curve.median.size for trace in traces) - 1


def labels(traces: Sequence[Trace], scale: Decades, last_lag: int) -> list[Label]:
    """Return what is written beside a panel: a name for each line and threshold."""
    return [
        *(Label(*_end(t.curve.median, scale), t.title, t.look) for t in traces),
        *(Label(last_lag, y, text, THRESHOLD, MUTED) for text, y in _levels(traces, scale).items()),
    ]


def _levels(traces: Iterable[Trace], scale: Decades) -> dict[str, float]:
    """Return the thresholds that lie on a scale."""
    levels = thresholds(trace.curve for trace in traces if trace.scales)
    return {text: y for text, y in levels.items() if scale.low <= y <= scale.high}


def _end(values: Array, scale: Decades) -> tuple[float, float]:
    """Return where the name of a line points to: its end, or the edge of the panel that it has left."""
    lowest = scale.low if scale.is_cut else -np.inf
    return len(values) - 1.0, float(np.clip(scale.heights(values)[-1], lowest, scale.high))


def draw_traces(axes: Axes, traces: Sequence[Trace], scale: Decades, last_lag: int) -> None:
    """Draw a panel."""
    scale.apply(axes)
    is_long = _is_long(last_lag)
    if not is_long:
        axes.set_xlim(0, max(last_lag, 1))
        axes.locator_params(axis="x", nbins=6, integer=True)
    else:
        _make_lags_logarithmic(axes, last_lag)
    for exponent in _levels(traces, scale).values():
        axes.axhline(exponent, color=THRESHOLD.colour, linestyle=THRESHOLD.linestyle, linewidth=0.9)
    for trace in traces:
        _draw(axes, trace, scale)
    write_labels(axes, labels(traces, scale, last_lag))


def _is_long(last_lag: int) -> bool:
    """Whether lags are drawn logarithmically."""
    asked = picture_option("xscale")
    return last_lag >= LONG if asked is None else asked == "log" and last_lag > 1


def _make_lags_logarithmic(axes: Axes, last_lag: int) -> None:
    """Give lags from 1 on a logarithmic axis, with lag 0 before them."""
    axes.set_xscale("symlog", linthresh=1, linscale=0.3)
    axes.set_xlim(0, last_lag)
    powers = [10**i for i in range(len(str(last_lag)))]
    axes.set_xticks(
        [0, *powers],
        labels=["0", *(f"{power:g}" if power < 10**5 else power_of_ten(len(str(power)) - 1) for power in powers)],
    )


def _draw(axes: Axes, trace: Trace, scale: Decades) -> None:
    curve, look, lags = trace.curve, trace.look, drawn_lags(trace.curve)
    if trace.band:
        low, high = (scale.heights(edge[lags]) for edge in (curve.low, curve.high))
        axes.fill_between(lags, scale.cut(low), scale.cut(high), color=look.colour, alpha=0.18, linewidth=0)
    axes.plot(
        lags, _without_outside(scale.heights(curve.median[lags]), scale), label=trace.text,
        color=look.colour, linestyle=look.linestyle,
        linewidth=1.6, marker=look.mark or ("." if len(lags) <= FEW_POINTS else ""), markersize=4,
        markevery=1 if len(lags) <= FEW_POINTS else len(lags) // 8, clip_on=False,
    )  # fmt: skip
    if curve.zero_from is not None and not scale.is_cut:
        axes.plot(curve.zero_from, scale.heights(curve.median)[-1], "v", color=look.colour, markersize=6, clip_on=False)


def _without_outside(heights: Array, scale: Decades) -> Array:
    """Return heights, NaN where a line has left the panel."""
    low = scale.low if scale.is_cut else -np.inf
    outside = (heights < low) | (heights > scale.high)
    nearest = np.clip(heights, low, scale.high)
    entered = outside & ~(np.append(outside[1:], True) & np.append(True, outside[:-1]))
    result: Array = np.where(outside & ~entered, np.nan, nearest)
    return result


def notes(report: ModelsDocument, traces: Sequence[Trace], scale: Decades) -> list[str]:
    """Return what the marks of traces mean, a sentence each."""
    lines = translate("Lines: the one trial")
    if report.trials > 1:
        lines = translate("Lines: the median of {trials}", trials=trials_text(report.models))
    if any(trace.band for trace in traces):
        lines += translate("; ") + translate("bands: {band}", band=translate(BANDS[report.request.band]))
    thinned = any(trace.curve.median.size > MAX_POINTS for trace in traces)
    is_long = _is_long(last_lag(traces))
    return [
        lines + translate("."),
        *([translate("The axis of lags is logarithmic from 1 on.")] if is_long else []),
        *([translate("Lines are drawn through some of the lags.")] if thinned else []),
    ]
