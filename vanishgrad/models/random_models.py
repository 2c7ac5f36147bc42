"""Random models: MODELs with the weights drawn for them, along the input that all of them share."""

from __future__ import annotations

from vanishgrad.inputs.initial_state import initial_state
from vanishgrad.inputs.sequences import InputSequences, input_sequences
from vanishgrad.models.options import ModelOptions
from vanishgrad.models.subject import Prepared, Subject
from vanishgrad.weights.laws import Weights, draw
from vanishgrad.weights.model_string import ModelSpec


def shared_sequences(options: ModelOptions) -> InputSequences:
    """Return the input that all MODELs of a command share, trial by trial; without a file of the hidden size's width.

    Raises
    ------
    UsageError, VanishgradError
        As `input_sequences`.
    """
    return input_sequences(options.shared_input(), options.hidden)


def weights_of(spec: ModelSpec, options: ModelOptions, sequences: InputSequences) -> tuple[ModelSpec, Weights]:
    """Return the resolved model and the weights of all its trials."""
    total = sequences.burn_in + sequences.steps
    resolved = spec.resolved(options.hidden, sequences.steps)
    return resolved, draw(resolved, sequences.input_size, total, sequences.trials, options.seed, options.dtype)


def random_model(spec: ModelSpec, options: ModelOptions, sequences: InputSequences) -> Prepared:
    """Return a model with its weights, its input and its start.

    Raises
    ------
    UsageError, VanishgradError
        As `initial_state`.
    """
    resolved, weights = weights_of(spec, options, sequences)
    cell = weights.cell(resolved)
    source = {"kind": "random", "law": resolved.law, "seed": options.seed}
    s0 = initial_state(options.initial, cell, spec.cell, sequences.trials, options.seed, options.dtype)
    return Prepared(Subject(spec.label, str(resolved), cell, source), sequences, s0)
