"""The map of a sequence: where in it the gradient dies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

from vanishgrad.languages import in_english, translate, translate_count
from vanishgrad.questions.explain.section import Passage, Series
from vanishgrad.reports.documents.curve import log10s
from vanishgrad.reports.documents.declaration import Count, Document, Log10
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.sentences import fraction, log10_text, number, power, span

if TYPE_CHECKING:
    from vanishgrad.questions.explain.map.measure import Map


class MapDocument(Document):
    """‖∂s_t/∂s_k‖ along one sequence."""

    trial: Count
    times: Annotated[Sequence[Count], "steps, ascending; 0 is the start"]
    log10_norm: Annotated[
        Sequence[Sequence[Log10 | None]], "[i][j]: log10 ‖∂s_t/∂s_k‖, t = times[i], k = times[j], j ≤ i"
    ]
    tokens: Annotated[Sequence[str] | None, "what drove steps 1, 2, …, T"]
    sentence: str

    def flaw(self) -> str | None:
        """Rows form a triangle, a row for each time."""
        lengths = [len(row) for row in self.log10_norm]
        if not self.times or lengths != list(range(1, len(self.times) + 1)):
            return "a triangle of norms with a row for each of its times"
        if any(later <= time for time, later in pairwise(self.times)):
            return "times that ascend"
        return None


SHOWN = 8
"""Times of the table."""
Row = Sequence[float | None]


def map_document(measured: Map, model: ModelDocument) -> MapDocument:
    """Return the section's part of the JSON document."""
    document = MapDocument.of(
        measured, trial=0, log10_norm=[log10s(row[: i + 1]) for i, row in enumerate(measured.log_norm)], sentence=""
    )
    return document.with_members(sentence=in_english(sentence, document, model.curves["state"].threshold))


def sentence(document: MapDocument, threshold: float) -> str:
    """Return where the gradient of the last step dies, and where it shrinks most."""
    times, rows = document.times, document.log10_norm
    level, last = math.log10(threshold), len(times) - 1
    died, first = _died(rows[last], level), rows[last][0]
    if died is None:
        text = translate(
            "back from step {start} the gradient reaches step {end}: {norm} is left",
            start=_named(document, last), end=times[0], norm=translate("nothing") if first is None else power(first),
        )  # fmt: skip
    else:
        text = translate_count(
            "back from step {start} less than {left} is left at step {end}, {count} step before",
            "back from step {start} less than {left} is left at step {end}, {count} steps before",
            times[last] - times[died],
            start=_named(document, last), left=fraction(threshold), end=_named(document, died),
        )  # fmt: skip
    return translate("; ").join([text, *_reaches(times, rows, level), *_steepest(document)])


def _died(row: Row, level: float) -> int | None:
    """Return the latest place of a row below the level, None if there is none."""
    below = [place for place, value in enumerate(row) if value is None or value < level]
    return max(below) if below else None


def _reaches(times: Sequence[int], rows: Sequence[Row], level: float) -> list[str]:
    """Say how far back it reaches from steps that are far enough from the start to tell."""
    died = [(i, _died(row, level)) for i, row in enumerate(rows)]
    reaches = [times[i] - times[k] for i, k in died if k is not None]
    if len(reaches) < 2 or min(reaches) == max(reaches):
        return []
    return [translate("from others it takes {steps} steps", steps=span(reaches))]


def _steepest(document: MapDocument) -> list[str]:
    """Say between which neighbouring times the gradient of the last step shrinks most, on its way back."""
    times, row = document.times, document.log10_norm[-1]
    log_norms = {
        i: -math.inf if before is None else before - after
        for i, (before, after) in enumerate(pairwise(row))
        if after is not None
    }
    steepest = min(log_norms, key=lambda i: log_norms[i], default=0)
    if len(row) < 3 or log_norms[steepest] >= 0:
        return []
    remainder = log_norms[steepest]
    factor = translate("nothing") if remainder == -math.inf else number(10.0 ** max(remainder, -300.0))
    return [
        translate(
            "it shrinks most from step {start} to {end}, to {factor} of what it was",
            start=_named(document, steepest + 1),
            end=times[steepest],
            factor=factor,
        )
    ]


def _named(document: MapDocument, place: int) -> str:
    """Return a step, with its token in brackets if it has one."""
    time, tokens = document.times[place], document.tokens
    return f"{time} ({tokens[time - 1]!r})" if tokens and time and tokens[time - 1] else f"{time}"


def map_passage(document: MapDocument, model: ModelDocument) -> Passage:
    """Return the map at a few times."""
    times, rows = document.times, document.log10_norm
    last = len(times) - 1
    places = sorted({round(i * last / (SHOWN - 1)) for i in range(SHOWN)})
    body = tuple((str(times[i]), *(log10_text(rows[i][k]) if k <= i else "" for k in places)) for i in places if i)
    return Passage(
        title=translate("Map: ‖∂s_t/∂s_k‖ along the first sequence"),
        sentences=(sentence(document, model.curves["state"].threshold),),
        headings=("t \\ k", *(str(times[k]) for k in places)),
        rows=body,
        legend=translate("log₁₀ of ‖·‖₂, from step k (across) to step t (down)"),
    )


def map_series(document: MapDocument) -> Series:
    """Yield every number of the map, a series for each t."""
    for t, row in zip(document.times, document.log10_norm, strict=True):
        for k, value in zip(document.times, row, strict=False):
            yield f"t={t}.log10_norm", k, value
