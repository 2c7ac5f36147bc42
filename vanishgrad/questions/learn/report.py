"""What was learned, as a table of model and gap, CSV and Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from vanishgrad.questions.learn.document import LearnDocument, LearnedGap, LearnedModel
from vanishgrad.reports.csv_rows import csv_text
from vanishgrad.reports.markdown import markdown_page
from vanishgrad.reports.terminal import FILE, Column, Terminal, page

NEVER = "–"
CSV_HEADINGS = ("label", "gap", "seed", "updates", "state_horizon", "input_horizon")


def to_table(document: LearnDocument, terminal: Terminal = FILE) -> str:
    """Return the table, a sentence for each model, and what the models say together."""
    columns = [Column(name, is_text=name == "model") for name in headings(document)]
    return page(terminal, title(document), columns, list(rows(document)), LEGEND, sentences(document))


LEGEND = (
    "state, input: last lag at which a thousandth of ∂s_T/∂s_k, ∂h_T/∂x_k is left, before training; then the median "
    "updates until a gap is learned, and how many seeds learned it if not all; – never; edge/state: the last gap "
    "learned over the horizon."
)


def title(document: LearnDocument) -> str:
    """Return what was trained, and how."""
    r = document.request
    truncation = "" if r.truncation is None else f", gradients cut into segments of {r.truncation} steps"
    clip = "" if r.clip is None else f", clipped at {r.clip:g}"
    return (
        f"Updates until the task {r.task} is learned: {r.seeds} {'seed' if r.seeds == 1 else 'seeds'}, n = {r.hidden}, "
        f"batch {r.batch}, at most "
        f"{r.updates} updates of {r.optimizer} {r.lr:g}{clip}{truncation}, {r.dtype}"
    )


def headings(document: LearnDocument) -> list[str]:
    return ["model", "state", "input", *(str(gap) for gap in sorted(document.request.gaps)), "edge/state"]


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


def sentences(document: LearnDocument) -> Iterator[str]:
    """Yield a sentence for each model, seeds that diverged, and the order of horizons."""
    for model in document.models:
        yield f"{model.label}: {model.sentence}."
    for model in document.models:
        for gap in model.gaps:
            for seed in gap.diverged:
                last = "" if seed.last is None else f"; the last finite gradient norm was {seed.last:.3g}"
                yield (
                    f"note: {model.label} at {gap.gap}, seed {seed.seed}: the {seed.quantity} is not finite at update "
                    f"{seed.update}{last}; try a smaller --lr or --clip."
                )
    yield from _order(document)
    if not document.complete:
        yield "note: interrupted; … stands where training is not finished."


def _order(document: LearnDocument) -> Iterator[str]:
    order = document.order
    if order.rank_correlation is None:
        return
    interval = "" if order.low is None else f" (95 % of resampled models: {order.low:.2f} to {order.high:.2f})"
    but = f"; exceptions: {', '.join(order.exceptions)}" if order.exceptions else ""
    yield f"rank correlation of horizon and edge {order.rank_correlation:.2f}{interval}{but}."
    for model in document.models:
        if model.law is not None and model.law.predicted is not None and not model.edge_censored:
            worst = max(map(abs, model.law.residuals))
            yield (
                f"{model.label}: updates grow by {model.law.slope:.3f} nats a step below the edge (ln residuals up to "
                f"{worst:.2f}); samples ∝ ρ^(−2·gap) would say {model.law.predicted:.3f}."
            )


def to_markdown(document: LearnDocument) -> str:
    """Return the same as Markdown."""
    return markdown_page(title(document), headings(document), rows(document), sentences(document), LEGEND)


def to_csv(document: LearnDocument) -> str:
    """Return a row for each model, gap and seed; never is an empty field."""
    lines = (
        (model.label, gap.gap, seed, updates, model.state_horizon, model.input_horizon)
        for model in document.models
        for gap in model.gaps
        for seed, updates in enumerate(gap.updates)
    )
    return csv_text(CSV_HEADINGS, lines)
