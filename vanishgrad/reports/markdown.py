"""The comparison as Markdown, for a pull request or a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vanishgrad.reports.sentences import caveat, notes, sentence
from vanishgrad.reports.table import factor, final_texts, horizon

HEADINGS = ("model", "verdict", "trend", "× per step", "horizon", "log₁₀ state", "log₁₀ typical", "log₁₀ input")


def to_markdown(document: Mapping[str, Any]) -> str:
    """Return the table, a sentence for each model, notes and caveats."""
    models, request = document["models"], document["request"]
    lines = [
        f"**∂s_T/∂s_k over T = {request['steps']} steps**, {request['trials']} trials, input `{request['input']}`, "
        f"{request['dtype']}, threshold {request['threshold']:g}; norms are medians at the last lag.",
        "",
        "| " + " | ".join(HEADINGS) + " |",
        "|---|---|---|" + "--:|" * (len(HEADINGS) - 3),
        *(_row(model) for model in models),
        "",
        *(f"- `{model['label']}`: {sentence(model)}" for model in models),
        *(f"- note: {note}" for note in notes(models)),
        "",
        caveat(document),
    ]
    return "\n".join(lines) + "\n"


def _row(model: Mapping[str, Any]) -> str:
    state = model["curves"]["state"]
    cells = [
        f"`{model['label']}`",
        state["verdict"],
        state["trend"] or "–",
        factor(state),
        horizon(state),
        *final_texts(model),
    ]
    return "| " + " | ".join(cells) + " |"
