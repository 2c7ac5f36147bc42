"""Page about what was learned: a card for each model, updates by gap, losses and horizons while learning."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from vanishgrad.languages import translate, translated
from vanishgrad.questions.learn.document import LearnDocument, LearnedGap, LearnedModel
from vanishgrad.questions.learn.report import LEGEND, headings, rows, sentence, sentences, title
from vanishgrad.reports.page.charts import ChartLine, Facets, line_chart
from vanishgrad.reports.page.content import PageBlock, PageChart, PageContent, PageSection, PageTable, VerdictCard


def learning_page(document: LearnDocument) -> PageContent:
    """Return what a page says of what was learned."""
    table = PageTable(tuple(map(translated, headings(document))), tuple(map(tuple, rows(document))), translate(LEGEND))
    of_all = list(sentences(document))[len(document.models) :]
    return PageContent(
        title=translate("What each model can learn: {task}", task=document.request.task),
        about=title(document),
        cards=tuple(map(_card, document.models)),
        sections=(
            PageSection(
                "updates",
                translate("Updates until it is learned"),
                (PageBlock(charts=tuple(_updates(document)), table=table),),
            ),
            PageSection("losses", translate("Loss while learning"), (PageBlock(charts=(_losses(document),)),)),
            PageSection(
                "horizons", translate("The horizon while learning"), (PageBlock(charts=(_horizons(document),)),)
            ),
        ),
        notes=tuple(of_all),
    )


def _card(model: LearnedModel) -> VerdictCard:
    if model.edge_censored:
        mood, verdict = "preserved", translate("learns every gap")
    elif model.edge:
        mood, verdict = "inconclusive", translate("learns some gaps")
    else:
        mood, verdict = "vanishing", translate("learns no gap")
    headline = translate("learns gaps up to {edge} steps", edge=model.edge) if model.edge else verdict
    return VerdictCard(model.label, "", mood, verdict, headline, (sentence(model),))


def _updates(document: LearnDocument) -> Iterator[PageChart]:
    lines = [
        ChartLine(
            (i,),
            [gap.gap for gap in model.gaps],
            [None if gap.median is None else math.log10(gap.median) for gap in model.gaps],
        )
        for i, model in enumerate(document.models)
    ]
    if any(value is not None for line in lines for value in line.y):
        yield line_chart(
            translate("Updates until a gap is learned, median over seeds; where there is no point most seeds never do"),
            (translate("gap (steps)"), translate("log₁₀ of the updates")),
            [_models(document)],
            lines,
            heading=translate("model"),
        )


def _models(document: LearnDocument) -> tuple[str, Sequence[str]]:
    return translate("model"), [model.label for model in document.models]


def _facets(document: LearnDocument) -> Facets:
    return [_models(document), (translate("gap"), [str(gap) for gap in sorted(document.request.gaps)])]


def _of_each_gap(document: LearnDocument) -> Iterator[tuple[tuple[int, int], LearnedGap]]:
    gaps = sorted(document.request.gaps)
    for i, model in enumerate(document.models):
        yield from (((i, gaps.index(gap.gap)), gap) for gap in model.gaps)


def _losses(document: LearnDocument) -> PageChart:
    return line_chart(
        translate("Mean loss of the seeds over the loss without memory of the key"),
        (translate("updates"), translate("loss / baseline")),
        _facets(document),
        [ChartLine(of, gap.loss_updates, _mean_loss(gap)) for of, gap in _of_each_gap(document)],
        [range(len(document.models)), [len(document.request.gaps) - 1]],
        level=(1.0, translate("without memory")),
        heading=translate("model, gap"),
    )


def _mean_loss(gap: LearnedGap) -> list[float | None]:
    """Return the mean over the seeds by update; a seed that has stopped keeps its last loss."""
    last: list[float | None] = [None] * len(gap.loss)
    means = list[float | None]()
    for losses in zip(*gap.loss, strict=True):
        last = [old if new is None else new for old, new in zip(last, losses, strict=True)]
        values = [value for value in last if value is not None]
        means.append(sum(values) / len(values) / gap.baseline if values else None)
    return means


def _horizons(document: LearnDocument) -> PageChart:
    return line_chart(
        translate("How far back the state's gradient reaches while it learns, median over seeds"),
        (translate("updates"), translate("horizon (steps)")),
        _facets(document),
        [
            ChartLine(of, [each.update for each in gap.snapshots], [each.state_horizon for each in gap.snapshots])
            for of, gap in _of_each_gap(document)
        ],
        [range(len(document.models)), [len(document.request.gaps) - 1]],
        log_x=True,
        heading=translate("model, gap"),
    )
