"""What was learned, as a table of model and gap, CSV and Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from vanishgrad.languages import translatable, translate, translate_count, translated
from vanishgrad.questions.learn.document import LearnDocument, LearnedGap, LearnedModel
from vanishgrad.reports.csv_rows import csv_text
from vanishgrad.reports.markdown import markdown_page
from vanishgrad.reports.sentences import about
from vanishgrad.reports.terminal import FILE, Column, Terminal, page

NEVER = "–"
CSV_HEADINGS = ("label", "gap", "seed", "updates", "state_horizon", "input_horizon")


def to_table(document: LearnDocument, terminal: Terminal = FILE) -> str:
    """Return the table, a sentence for each model, and what the models say together."""
    columns = [Column(name, is_text=name == "model") for name in headings(document)]
    return page(terminal, title(document), columns, list(rows(document)), translate(LEGEND), sentences(document))


LEGEND = translatable(
    "state, input: last lag at which a thousandth of ∂s_T/∂s_k, ∂h_T/∂x_k is left, before training; then the median "
    "updates until a gap is learned, and how many seeds learned it if not all; – never; edge/state: the last gap "
    "learned over the horizon."
)


def title(document: LearnDocument) -> str:
    """Return what was trained, and how."""
    r = document.request
    parts = [
        translate("Updates until the task {task} is learned: {seeds}", task=r.task, seeds=seeds_text(r.seeds)),
        f"n = {r.hidden}",
        translate("batch {batch}", batch=r.batch),
        translate(
            "at most {updates} updates of {optimizer} {rate}",
            updates=r.updates,
            optimizer=r.optimizer,
            rate=f"{r.lr:g}",
        ),
        *([] if r.clip is None else [translate("clipped at {norm}", norm=f"{r.clip:g}")]),
        *(
            []
            if r.truncation is None
            else [translate("gradients cut into segments of {steps} steps", steps=r.truncation)]
        ),
        r.dtype,
    ]
    return translate(", ").join(parts)


def seeds_text(count: int) -> str:
    """Return how many seeds there are."""
    return translate_count("{count} seed", "{count} seeds", count)


def headings(document: LearnDocument) -> list[str]:
    """Return the columns' names."""
    gaps = (str(gap) for gap in sorted(document.request.gaps))
    return ["model", "state", "input", *gaps, translatable("edge/state")]


def rows(document: LearnDocument) -> Iterator[list[str]]:
    """Yield each model's label and cells."""
    for model in document.models:
        yield [model.label, *_cells(document, model)]


def _cells(document: LearnDocument, model: LearnedModel) -> list[str]:
    at = {each.gap: each for each in model.gaps}
    gaps = [_updates(at.get(gap)) for gap in sorted(document.request.gaps)]
    horizons = [
        f"{'> ' if censored else ''}{horizon}"
        for horizon, censored in (
            (model.state_horizon, model.state_censored), (model.input_horizon, model.input_censored),
        )
    ]  # fmt: skip
    return [*horizons, *gaps, _ratio(model)]


def _updates(gap: LearnedGap | None) -> str:
    if gap is None:
        return "…"
    seeds = len(gap.updates)
    count = "" if gap.solved in (0, seeds) else f" {gap.solved}/{seeds}"
    return (NEVER if gap.median is None else f"{gap.median:.0f}") + count


def _ratio(model: LearnedModel) -> str:
    if model.edge_over_horizon is None or (model.edge_censored and model.state_censored):
        return NEVER
    sign = "> " if model.edge_censored else "< " if model.state_censored else ""
    return f"{sign}{model.edge_over_horizon:.1f}"


def sentence(model: LearnedModel) -> str:
    """Return up to which gap a model learns, beside its horizon at the start, and what it fails at."""
    return translate("; ").join(_clauses(model))


def _clauses(model: LearnedModel) -> Iterator[str]:
    gaps, edge, far, horizon = model.gaps, model.edge or 0, model.state_censored, model.state_horizon or 0
    seeds = len(gaps[0].updates)
    reach = translate("over {steps}", steps=horizon) if far else f"{horizon}"
    at_start = translate("horizon at the start {horizon}", horizon=reach)
    if model.edge_censored:
        yield translate(
            "learns every gap up to {gap} (median {updates} updates there)", gap=edge, updates=f"{gaps[-1].median:g}"
        )
        yield at_start
    else:
        first = next(each for each in gaps if each.gap > edge)
        lost = translate_count(
            "at {gap}, {solved} of {count} seed learns it", "at {gap}, {solved} of {count} seeds learn it",
            seeds, gap=first.gap, solved=first.solved,
        )  # fmt: skip
        if edge == 0:
            yield translate("learns not even the gap {gap}: {lost}", gap=first.gap, lost=lost)
            yield at_start
        elif far or not horizon:
            yield translate(
                "learns gaps up to {gap}, beside its horizon at the start, {horizon}", gap=edge, horizon=reach
            )
            yield lost
        else:
            yield translate(
                "learns gaps up to {gap}, {ratio} times its horizon at the start, {horizon}",
                gap=edge, ratio=f"{edge / horizon:.1f}", horizon=reach,
            )  # fmt: skip
            yield lost
    if diverged := sum(len(each.diverged) for each in gaps):
        yield translate("{count} of {trainings} trainings diverged", count=diverged, trainings=seeds * len(gaps))


def sentences(document: LearnDocument) -> Iterator[str]:
    """Yield a sentence for each model, seeds that diverged, and the order of horizons."""
    for model in document.models:
        yield about([model.label], sentence(model) + translate("."))
    for model in document.models:
        for gap in model.gaps:
            for seed in gap.diverged:
                parts = [
                    translate(
                        "note: {label} at {gap}, seed {seed}: the {quantity} is not finite at update {update}",
                        label=model.label, gap=gap.gap, seed=seed.seed, quantity=translated(seed.quantity),
                        update=seed.update,
                    ),
                    *([] if seed.last is None else [_last_finite(seed.last)]),
                    translate("try a smaller --lr or --clip."),
                ]  # fmt: skip
                yield translate("; ").join(parts)
    yield from _order(document)
    if not document.complete:
        yield translate("note: interrupted; … stands where training is not finished.")


def _last_finite(norm: float) -> str:
    return translate("the last finite gradient norm was {norm}", norm=f"{norm:.3g}")


def _order(document: LearnDocument) -> Iterator[str]:
    order = document.order
    if order.rank_correlation is None:
        return
    text = translate("rank correlation of horizon and edge {value}", value=f"{order.rank_correlation:.2f}")
    if order.low is not None:
        text += translate(
            " (95 % of resampled models: {low} to {high})", low=f"{order.low:.2f}", high=f"{order.high:.2f}"
        )
    but = [translate("exceptions: {labels}", labels=translate(", ").join(order.exceptions))] if order.exceptions else []
    yield translate("; ").join([text, *but]) + translate(".")
    for model in document.models:
        if model.law is not None and model.law.predicted is not None and not model.edge_censored:
            worst = max(map(abs, model.law.residuals))
            yield translate(
                "{label}: updates grow by {slope} nats a step below the edge (ln residuals up to {residual}); "
                "samples ∝ "
                "ρ^(−2·gap) would say {predicted}.",
                label=model.label, slope=f"{model.law.slope:.3f}", residual=f"{worst:.2f}",
                predicted=f"{model.law.predicted:.3f}",
            )  # fmt: skip


def to_markdown(document: LearnDocument) -> str:
    """Return the same as Markdown."""
    return markdown_page(title(document), headings(document), rows(document), sentences(document), translate(LEGEND))


def to_csv(document: LearnDocument) -> str:
    """Return a row for each model, gap and seed; never is an empty field."""
    lines = (
        (model.label, gap.gap, seed, updates, model.state_horizon, model.input_horizon)
        for model in document.models
        for gap in model.gaps
        for seed, updates in enumerate(gap.updates)
    )
    return csv_text(CSV_HEADINGS, lines)
