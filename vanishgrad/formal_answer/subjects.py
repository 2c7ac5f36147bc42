"""The models of an answer, each run once: random ones as `compare`'s trial 0, or the recurrent layers of a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vanishgrad.certificates.subject import LARGEST_WEIGHT, largest_weight
from vanishgrad.curves.model_result import unit_losses
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.formal_answer.quantities.measured import MeasuredRun
from vanishgrad.models.open import Opened, Source, demand_distinct, open_models
from vanishgrad.models.options import ModelOptions
from vanishgrad.models.subject import Prepared
from vanishgrad.propagation.run import run

DEFAULT_MODELS = (
    "rnn",
    "rnn@gaussian:gain=0.4",
    "lstm",
    "lstm:forget_bias=5",
    "lstm@chrono",
    "gru",
    "gru:forget_bias=5",
    "gru@chrono",
)
"""Chosen so that every theorem has a model on which it speaks and one on which it is silent."""

MIN_STEPS = 4


@dataclass(frozen=True)
class AnswerRequest(ModelOptions):
    """Every option of an answer, which is about the first sequence.

    Attributes
    ----------
    models : tuple
        MODEL strings, paths of weight files and mappings of arrays.
    """

    UNUSED = ("trials", "padding", "mask", "dtype")

    models: tuple[Source, ...] = DEFAULT_MODELS

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps is not None:
            _demand_long(self.steps)
        demand_distinct(self.models)


def runs(request: AnswerRequest) -> Iterator[MeasuredRun]:
    """Yield every model of a request, run along its input.

    Raises
    ------
    UsageError
        For a model that cannot be.
    VanishgradError
        If a file cannot be read, or a state overflows.
    """
    options = request if request.lengths is not None else replace(request, trials=1)
    for models in open_models(request.models, options):
        trials = [prepared.first_trial() for prepared in models.prepared_subjects()]
        for prepared in trials:
            yield _run(*_names(models, prepared, len(trials)), prepared, request.seed)


def _names(models: Opened, prepared: Prepared, together: int) -> tuple[str, str]:
    """Return the label of a model, and what it is."""
    if models.file is None:
        return prepared.subject.label, prepared.subject.spec
    layer, path = prepared.subject.source["layer"], models.file.path
    cell, _, _ = prepared.subject.spec.partition("@")
    return layer if together > 1 else f"{Path(path).name} {layer}", f"{cell} {layer} of {path}"


def _run(label: str, spec: str, prepared: Prepared, seed: int) -> MeasuredRun:
    cell = prepared.subject.cell
    _demand_long(prepared.sequences.steps)
    if not cell.has_weights:
        raise VanishgradError(f"expected a cell with weights for an answer, got the recorded Jacobians of {label}; "
                              "try vanishgrad explain")  # fmt: skip
    if prepared.sequences.masked_steps:
        raise VanishgradError(
            f"expected no masked steps for an answer, got {prepared.sequences.masked_steps} of {label}; "
            "try --lengths, or vanishgrad analyze"
        )
    largest = largest_weight({name: getattr(cell, name) for name in cell.tensors})
    if largest > LARGEST_WEIGHT:
        raise VanishgradError(
            f"expected weights up to {LARGEST_WEIGHT:g} for an answer, got {largest:.3g} in {label}; try a smaller gain"
        )
    trajectory = run(cell, prepared.sequences.xs, prepared.s0)
    return MeasuredRun(label, spec, cell, trajectory, unit_losses(cell, 1, seed)[0])


def _demand_long(steps: int) -> None:
    if steps < MIN_STEPS:
        raise UsageError(f"expected --steps from {MIN_STEPS} on, got {steps}; try --steps 100")


def demand_some(models: Sequence[object]) -> None:
    """Refuse an answer about nothing."""
    if not models:
        raise VanishgradError("expected at least one model, got none; try vanishgrad answer lstm gru")
