"""The layers of a file: what they are, why they were recognised so, and the norms of their weights."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from vanishgrad.cells.registry import CELLS
from vanishgrad.questions.inspect.measure import QUANTILES, InspectResult, LayerFacts
from vanishgrad.reports.documents.document import Document, header
from vanishgrad.reports.sentences import number
from vanishgrad.reports.table import WIDTH


def inspection(result: InspectResult) -> Document:
    """Return the document of an inspection."""
    file = result.file
    return {
        **header("inspect"),
        "file": file.path,
        "file_format": file.format,
        "layers": [_layer(facts) for facts in result.layers],
        "refused": list(file.refused),
    }


def _layer(facts: LayerFacts) -> Document:
    layer, keep = facts.layer, facts.keep_bias
    return {
        "name": layer.name,
        "cell": layer.cell,
        "variant": layer.variant or None,
        "hidden_size": layer.hidden_size,
        "input_size": layer.input_size,
        "output_size": layer.output_size,
        "layer_index": layer.layer_index,
        "direction": layer.direction,
        "driven_by": None if layer.driven_by is None else list(layer.driven_by),
        "dtype": layer.dtype,
        "layout": layer.layout,
        "activation": layer.reading.activation.name,
        "gate_activation": layer.reading.gate_activation.name if layer.reading.gate_activation else None,
        "reset": layer.reading.reset,
        "why": layer.why,
        "assumptions": list(layer.assumptions),
        "sha256": layer.sha256,
        "norms": dict(facts.norms),
        "spectral_radius": facts.radius,
        "gamma_norm": facts.gamma_norm,
        "keep_bias": keep and {
            **asdict(keep),
            "quantiles": _named(keep.quantiles),
            "time_constants": _named(keep.time_constants),
        },
    }  # fmt: skip


def _named(values: tuple[float, ...]) -> dict[str, float]:
    return {f"{q:g}": value for q, value in zip(QUANTILES, values, strict=True)}


def to_text(document: Mapping[str, Any]) -> str:
    """Return a paragraph for each layer."""
    count = len(document["layers"])
    lines = [f"{document['file']} ({document['file_format']}): {count} recurrent layer{'s' * (count != 1)}"]
    for layer in document["layers"]:
        lines += ["", _headline(layer), *(_indented(text) for text in _facts(layer))]
    return "\n".join([*lines, *(f"\nnot read: {sentence}" for sentence in document["refused"])]) + "\n"


def _headline(layer: Mapping[str, Any]) -> str:
    variant = f"{layer['variant']} " if layer["variant"] else ""
    reset = f", reset {layer['reset']}" if layer["reset"] else ""
    return (
        f"{layer['name']}: {variant}{layer['cell'].upper()}, n = {layer['hidden_size']}, d = {layer['input_size']}, "
        f"{layer['direction']}, {layer['dtype']}, {layer['layout']} layout{reset}"
    )


def _facts(layer: Mapping[str, Any]) -> list[str]:
    gates = ", ".join(f"{gate} {number(norm)}" for gate, norm in layer["norms"].items())
    radius = "" if layer["spectral_radius"] is None else f"; ρ(W) {number(layer['spectral_radius'])}"
    texts = [f"why: {layer['why']}", f"‖W_hh‖₂: {gates}; γ‖W‖₂ {number(layer['gamma_norm'])}{radius}"]
    keep = layer["keep_bias"]
    if keep:
        low, median, high = keep["quantiles"].values()
        taus = [number(tau) for tau in keep["time_constants"].values()]
        texts.append(
            f"{CELLS[layer['cell']].keep_word} bias: median {median:.2f} ({low:.2f} … {high:.2f}); "
            f"time constants -1/ln σ(b): median {taus[1]} steps ({taus[0]} … {taus[2]}); "
            f"the chrono rule ln(T - 1) gives the upper end for T = {number(keep['chrono_horizon'])}"
        )
    if layer["driven_by"]:
        texts.append(f"driven by {' and '.join(layer['driven_by'])}")
    return texts + [f"note: {assumption}" for assumption in layer["assumptions"]]


def _indented(text: str) -> str:
    return "\n".join(textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    "))
