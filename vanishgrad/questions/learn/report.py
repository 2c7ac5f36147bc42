"""What was learned, as a table of model and gap, CSV and Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from vanishgrad.questions.learn.document import LearnDocument, LearnedGap, LearnedModel
from vanishgrad.reports.table import console_to, folded_label, print_wrapped

NEVER = "–"
CSV_HEADINGS = ("label", "gap", "seed", "updates", "state_horizon", "input_horizon")


def to_table(document: LearnDocument, colour: bool) -> str:
    """Return the table, a sentence for each model, and what the models say together."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    out = io.StringIO()
    console = console_to(out, colour)
    print_wrapped(console, title(document))
    console.print()
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("model", no_wrap=True, min_width=len("model"))
    for heading in headings(document):
        table.add_column(heading, justify="right", no_wrap=True, min_width=len(heading))
    for model in document.models:
        table.add_row(Text(folded_label(model.label)), *row(document, model))
    console.print(table, crop=False)
    print_wrapped(console, LEGEND)
    console.print()
    for sentence in sentences(document):
        print_wrapped(console, sentence)
    return out.getvalue()


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
    """Return the headings behind that of the model."""
    return ["state", "input", *(str(gap) for gap in sorted(document.request.gaps)), "edge/state"]


def row(document: LearnDocument, model: LearnedModel) -> list[str]:
    """Return a model's cells behind its label."""
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
    names = headings(document)
    lines = [
        f"**{title(document)}**",
        "",
        f"| model | {' | '.join(names)} |",
        "|---|" + "--:|" * len(names),
        *(f"| `{model.label}` | {' | '.join(row(document, model))} |" for model in document.models),
        "",
        LEGEND,
        "",
        *(f"- {sentence}" for sentence in sentences(document)),
    ]
    return "\n".join(lines) + "\n"


def to_csv(document: LearnDocument) -> str:
    """Return a row for each model, gap and seed; never is an empty field."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_HEADINGS)
    for model in document.models:
        for gap in model.gaps:
            for seed, updates in enumerate(gap.updates):
                writer.writerow([model.label, gap.gap, seed, updates, model.state_horizon, model.input_horizon])
    return out.getvalue()
