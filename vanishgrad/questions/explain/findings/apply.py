"""`--apply`: the weights that a remedy makes, in a file that `analyze` reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.languages import translate
from vanishgrad.questions.explain.findings.report import effect, remedy_document
from vanishgrad.questions.explain.section import MASKED
from vanishgrad.weights.save_npz import cell_npz

if TYPE_CHECKING:
    from vanishgrad.questions.explain.explain import ExplainResult
    from vanishgrad.questions.explain.findings.measure import Diagnosis, Remedy
    from vanishgrad.questions.explain.request import ExplainRequest

SECTION = "findings"


def demand_applicable(request: ExplainRequest, path: str) -> None:
    """Refuse, before any work is done, what cannot be applied.

    Raises
    ------
    UsageError
        For another ending, without the section, or for random weights of more than one trial.
    """
    if Path(path).suffix.lower() != ".npz":
        raise UsageError(f"expected --apply with the ending .npz, got {path!r}; try {path}.npz")
    if request.only and SECTION not in request.only:
        raise UsageError(f"expected the section {SECTION} for --apply, got --only {' '.join(request.only)}")
    if not request.is_file and request.trials != 1:
        raise UsageError(
            f"expected one set of weights for --apply, got random ones of several trials of {request.source!r}; "
            "try --trials 1"
        )


def remedy_weights(result: ExplainResult, name: str | None = None) -> tuple[bytes, str]:
    """Return the .npz of the weights that a remedy makes of the only model, the best one by default, and its effect.

    Raises
    ------
    VanishgradError
        If there are several layers, or no such remedy.
    """
    if len(result.models) > 1:
        labels = [model.result.label for model in result.models]
        raise VanishgradError(f"expected one layer for --apply, got {', '.join(labels)}; try --layer {labels[0]}")
    (model,) = result.models
    diagnosis, source = model.sections[SECTION], model.result.source
    if diagnosis is None:
        raise VanishgradError(f"expected findings for --apply, got none: {MASKED}")
    remedy = _chosen(diagnosis, name)
    label = f"{model.result.label} with {remedy.change}"
    weights = cell_npz(remedy.cell, label, source.get("direction") == "backward", diagnosis.below)
    return weights, f"{effect(remedy_document(remedy))}{_driven(source, len(diagnosis.below))}"


def _chosen(diagnosis: Diagnosis, name: str | None) -> Remedy:
    remedy = diagnosis.best if name is None else diagnosis.remedies.get(name)
    if remedy is None:
        hint = f"try --remedy {next(iter(diagnosis.remedies))}" if diagnosis.remedies else "try without --apply"
        expected = "a remedy that helps" if name is None else f"the remedy {name}"
        available = ", ".join(diagnosis.remedies) or "no finding that names one"
        raise VanishgradError(f"expected {expected} to apply, got {available}; {hint}")
    return remedy


def _driven(source: Mapping[str, Any], below: int) -> str:
    """Say so where the layer's input was the output of others, and whether the file holds them."""
    if below:
        return translate(
            "; the layers that drive it stand before it, unchanged: it is the last of {count}", count=below + 1
        )
    if source["kind"] == "random" or not source["layer_index"]:
        return ""
    return translate("; its input was the output of the layers below, which this file does not hold")
