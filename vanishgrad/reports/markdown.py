"""The comparison as Markdown, for a pull request or a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vanishgrad.languages import translatable, translate, translated
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.documents.report import ModelsDocument
from vanishgrad.reports.sentences import about, caveat, driven_by, notes, opening, sentence, span, trials_text
from vanishgrad.reports.table import factor, final_texts, horizon

HEADINGS = (
    translatable("model"), translatable("verdict"), translatable("trend"), translatable("× per step"),
    translatable("horizon"), translatable("log₁₀ state"), translatable("log₁₀ typical"), translatable("log₁₀ input"),
)  # fmt: skip


def to_markdown(report: ModelsDocument) -> str:
    """Return the table, a sentence for each model, notes and caveats."""
    models, request = report.models, report.request
    first = opening(models)
    lines = [
        *([f"**{first}**", ""] if first else []),
        translate(
            "**∂s_T/∂s_k over T = {steps} steps**, {trials}, input `{input}`, {dtype}, threshold {threshold}; norms "
            "are "
            "medians at the last lag.",
            steps=span(model.steps for model in models),
            trials=trials_text(models),
            input=driven_by(models),
            dtype=request.dtype,
            threshold=f"{request.threshold:g}",
        ),
        "",
        "| " + " | ".join(map(translate, HEADINGS)) + " |",
        "|---|---|---|" + "--:|" * (len(HEADINGS) - 3),
        *(_row(model) for model in models),
        "",
        *(f"- {about([f'`{model.label}`'], sentence(model))}" for model in models),
        *(f"- {translate('note: {note}', note=note)}" for note in notes(models)),
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
        f"| {' | '.join(map(translate, names))} |",
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
        translated(state.verdict),
        translated(state.trend or "–"),
        factor(state),
        horizon(state.horizon, state.horizon_censored),
        *final_texts(model),
    ]
    return "| " + " | ".join(cells) + " |"
