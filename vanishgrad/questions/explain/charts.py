"""Charts of an explanation's sections, for a page: what the pictures of matplotlib show, to be hovered."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from vanishgrad.languages import translate
from vanishgrad.questions.explain.attention.report import AttentionDocument
from vanishgrad.questions.explain.directions.report import DirectionsDocument
from vanishgrad.questions.explain.lyapunov.report import LyapunovDocument
from vanishgrad.questions.explain.map.report import MapDocument
from vanishgrad.questions.explain.paths.report import PathsDocument
from vanishgrad.questions.explain.truncation.report import TruncationDocument
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.page.charts import (
    LONG,
    band_line,
    chart_places,
    line_chart,
    norm_line,
    ranked_line,
    threshold_level,
)
from vanishgrad.reports.page.content import PageChart
from vanishgrad.reports.sentences import fraction

MAX_THRESHOLD_POWER = 3
"""Colours of a map end at this power of the threshold: what is below has long been gone."""
MAP_DIGITS = 2
SPACES = str.maketrans({" ": "␣", "\n": "⏎", "\t": "⇥", "\r": "␍"})


def section_charts(name: str, section: object, model: ModelDocument) -> tuple[PageChart, ...]:
    """Return the charts of one section of a model; none where its table says it all."""
    return CHARTS[name](section, model) if name in CHARTS else ()


def _paths(paths: PathsDocument, model: ModelDocument) -> tuple[PageChart, ...]:
    whole = model.curves[paths.curve]
    names = [translate("whole"), *(_detours(number) for number in paths.detours)]
    bands = [carried.log10_norm for carried in paths.detours.values()]
    lags = chart_places(len(whole.count))
    lines = [norm_line((0,), whole), *(band_line((i,), band, lags) for i, band in enumerate(bands, 1))]
    return (
        line_chart(
            translate("What the conveyor carries, and what returns after detours"),
            (translate("lag T − k (steps)"), translate("log₁₀ of the norm")),
            [(translate("path"), names)],
            lines,
            level=threshold_level([whole.threshold]),
            log_x=whole.last >= LONG,
            heading=translate("path"),
        ),
    )


def _detours(number: str) -> str:
    if number == "0":
        return translate("conveyor")
    if number == "more":
        return translate("more detours")
    return translate("1 detour") if number == "1" else translate("{number} detours", number=number)


def _directions(directions: DirectionsDocument, model: ModelDocument) -> tuple[PageChart, ...]:
    blocks, lags = list(directions.blocks), sorted({at.lag for each in directions.blocks.values() for at in each})
    lines = [
        ranked_line((i, lags.index(at.lag)), at.log10_sigma.median, at.log10_sigma.low, at.log10_sigma.high)
        for i, block in enumerate(blocks)
        for at in directions.blocks[block]
    ]
    return (
        line_chart(
            translate("Singular values of ∂s_T/∂s_k by rank, for some lags T − k"),
            (translate("rank"), "log₁₀ σ"),
            [(translate("block"), [translate(block) for block in blocks]), (translate("lag"), list(map(str, lags)))],
            lines,
            log_x=False,
            heading=translate("block, lag"),
        ),
    )


def _lyapunov(lyapunov: LyapunovDocument, model: ModelDocument) -> tuple[PageChart, ...]:
    exponents = lyapunov.exponents
    lines = [
        ranked_line((0,), exponents.mean, exponents.low, exponents.high),
        ranked_line((1,), lyapunov.finite_time),
    ]
    names = [translate("in the long run"), translate("over this run")]
    if lyapunov.mean_field is not None:
        names.append(translate("of infinitely wide random networks"))
        lines.append(ranked_line((2,), lyapunov.mean_field))
    return (
        line_chart(
            translate("Lyapunov exponents by rank: below 0 a direction shrinks"),
            (translate("rank"), translate("nats a step")),
            [(translate("exponents"), names)],
            lines,
            level=(0.0, translate("neither shrinks nor grows")),
            heading=translate("exponents"),
        ),
    )


def _truncation(truncation: TruncationDocument, model: ModelDocument) -> tuple[PageChart, ...]:
    bands = [truncation.log10_lost, truncation.log10_kept]
    names = [translate("lost"), translate("kept")]
    lines = [ranked_line((i,), band.median, band.low, band.high) for i, band in enumerate(bands)]
    if truncation.log10_bound is not None:
        names.append(translate("lost at most, proved"))
        lines.append(ranked_line((len(bands),), truncation.log10_bound))
    return (
        line_chart(
            translate("What is left and what is lost of the gradient where each output's goes back through N steps"),
            (translate("steps N"), translate("log₁₀ of the share")),
            [(translate("share"), names)],
            lines,
            level=(math.log10(truncation.allowed), translate("allowed loss {share}", share=f"{truncation.allowed:g}")),
            log_x=len(truncation.log10_lost.median) > LONG,
            heading=translate("share"),
        ),
    )


def _attention(attention: AttentionDocument, model: ModelDocument) -> tuple[PageChart, ...]:
    curves = {translate("attention"): attention.attention, translate("skip"): attention.skip}
    if "hidden" in model.curves:
        curves = {translate("recurrence"): model.curves["hidden"], **curves}
    return (
        line_chart(
            translate("What the recurrence, attention and a skip connection send back"),
            (translate("lag T − k (steps)"), translate("log₁₀ of the norm")),
            [(translate("path"), list(curves))],
            [norm_line((i,), curve) for i, curve in enumerate(curves.values())],
            level=threshold_level([model.curves["state"].threshold]),
            log_x=attention.attention.last >= LONG,
            heading=translate("path"),
        ),
    )


def _map(map_: MapDocument, model: ModelDocument) -> tuple[PageChart, ...]:
    threshold = model.curves["state"].threshold
    rows = [[None if each is None else round(each, MAP_DIGITS) for each in row] for row in map_.log10_norm]
    values = [each for row in rows for each in row if each is not None]
    level = math.log10(threshold)
    high, lowest = max(0.0, *values), min(*values, 0.0)
    low = min(max(MAX_THRESHOLD_POWER * level, lowest), high - 1)
    data = {
        "kind": "map",
        "times": list(map_.times),
        "rows": rows,
        "tokens": None if map_.tokens is None else _between(map_.times, map_.tokens),
        "level": level,
        "low": round(low, MAP_DIGITS),
        "high": round(high, MAP_DIGITS),
        "clipped": lowest < low,
        "measure": translate("log₁₀ ‖∂s_t/∂s_k‖₂; line: the threshold {threshold}", threshold=f"{threshold:g}"),
        "reach": translate(
            "back from step {t} at least {fraction} is left up to step {k}, {count} steps before",
            t="#t", k="#k", count="#n", fraction=fraction(threshold),
        ),
    }  # fmt: skip
    title = translate("Point at a word: how much of the gradient at it reaches each word before")
    return (PageChart(title, data, None),)


def _between(times: Sequence[int], tokens: Sequence[str]) -> list[str]:
    """Return what drove the steps up to each time since the one before, with spaces that can be seen."""
    return ["".join(tokens[start:stop]).translate(SPACES) for start, stop in zip([0, *times], times, strict=False)]


CHARTS: Mapping[str, Callable[..., tuple[PageChart, ...]]] = {
    "paths": _paths, "map": _map, "directions": _directions, "lyapunov": _lyapunov, "truncation": _truncation,
    "attention": _attention,
}  # fmt: skip
"""Section → its charts."""
