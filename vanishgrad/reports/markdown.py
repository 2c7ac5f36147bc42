"""The comparison as Markdown, for a pull request or a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.documents.report import ModelsDocument
from vanishgrad.reports.sentences import caveat, driven_by, notes, opening, sentence, span
from vanishgrad.reports.table import factor, final_texts, horizon

HEADINGS = ("model", "verdict", "trend", "× per step", "horizon", "log₁₀ state", "log₁₀ typical", "log₁₀ input")


def to_markdown(report: ModelsDocument) -> str:
    """Return the table, a sentence for each model, notes and caveats."""
    models, request = report.models, report.request
    first = opening(models)
    steps, trials = (span(getattr(model, name) for model in models) for name in ("steps", "trials"))
    lines = [
        *([f"**{first}**", ""] if first else []),
        f"**∂s_T/∂s_k over T = {steps} steps**, {trials} trial{'s' * (trials != '1')}, input `{driven_by(models)}`, "
        f"{request.dtype}, threshold {request.threshold:g}; norms are medians at the last lag.",
        "",
        "| " + " | ".join(HEADINGS) + " |",
        "|---|---|---|" + "--:|" * (len(HEADINGS) - 3),
        *(_row(model) for model in models),
        "",
        *(f"- `{model.label}`: {sentence(model)}" for model in models),
        *(f"- note: {note}" for note in notes(models)),
        "",
        caveat(report),
    ]
    return "\n".join(lines) + "\n"


def markdown_page(
    heading: str, names: Sequence[str], rows: Iterable[Sequence[str]], sentences: Iterable[str], legend: str = ""
) -> str:
    """Return a heading, a table whose rows begin with a label, its legend, and sentences below."""
    lines = [
        f"**{heading}**",
        "",
        f"| {' | '.join(names)} |",
        "|---|" + "--:|" * (len(names) - 1),
        *(f"| `{label}` | {' | '.join(cells)} |" for label, *cells in rows),
        "",
        *([legend, ""] if legend else []),
        *(f"- {each}" for each in sentences),
    ]
    return "\n".join(lines) + "\n"


def _row(model: ModelDocument) -> str:
    state = model.curves["state"]
    cells = [
        f"`{model.label}`",
        state.verdict,
        state.trend or "–",
        factor(state),
        horizon(state.horizon, state.horizon_censored),
        *final_texts(model),
    ]
    return "| " + " | ".join(cells) + " |"
