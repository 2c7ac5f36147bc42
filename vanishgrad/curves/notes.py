"""Notes of a run, in English: what to know of its sequences, inputs, curves and engine before the numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.curves.curve import Curve
from vanishgrad.curves.gates import SATURATING, InputGain
from vanishgrad.curves.recorder import MATRIX_FREE, Engine
from vanishgrad.inputs.sequences import InputSequences
from vanishgrad.languages import english
from vanishgrad.propagation.run import block_length


def engine_notes(engine: Engine) -> list[str]:
    """Return what the engine left out or lost."""
    notes = []
    if engine.float32_loss is not None:
        lost = f"{engine.float32_loss:.1e}"
        notes.append(english("float32: ln ‖∂s_T/∂s_k‖₂ of trial 0 is off by up to {lost} from float64's", lost=lost))
    if engine.name != MATRIX_FREE:
        return notes
    return [
        *notes,
        english(
            "matrix-free: some lags are measured, the two beside the horizon among them; the rate is over those of the "
            "second half; typical sizes are not measured; --engine dense has every lag"
        ),
    ]


def sequence_notes(sequences: InputSequences) -> list[str]:
    """Return what of the sequences is padding, of other lengths, or masked."""
    notes, lengths = [], sequences.lengths
    if sequences.first is not None:
        outside, all_steps = int(np.sum(sequences.steps - lengths)), sequences.trials * sequences.steps
        notes.append(
            english(
                "padding: {outside} of {all} steps lie outside --lengths and are left out",
                outside=outside,
                all=all_steps,
            )
        )
    common, longest = int(lengths.min()), int(lengths.max())
    if common < longest:
        notes.append(
            english(
                "lengths: {common} to {longest} steps; verdict, rate, horizon and norms are read up to lag {lag}, "
                "the last "
                "that every sequence has",
                common=common,
                longest=longest,
                lag=common,
            )
        )
    if sequences.masked_steps:
        notes.append(
            english(
                "masked: {masked} of {all} steps hand the state on (J = I, no input); lags count them",
                masked=sequences.masked_steps,
                all=int(lengths.sum()),
            )
        )
    return notes


def input_notes(cell: Cell, gain: InputGain | None) -> list[str]:
    """Return that inputs saturate the units, if they do."""
    if gain is None or not gain.saturating or not any(each.decay for each in cell.activations):
        return []
    return [
        english(
            "inputs saturate the units: |W_hx x| reaches {largest}, and {share} % of it is beyond {limit}, where σ "
            "is 0 or "
            "1 and tanh ±1 to rounding; try inputs scaled to unit size",
            largest=f"{gain.largest:.2g}",
            share=f"{100 * gain.saturating:.2g}",
            limit=SATURATING,
        )
    ]


def gate_notes(stride: int) -> list[str]:
    """Return over which steps the gates were taken."""
    return [english("quantiles of the gates are over every {stride}th step", stride=stride)] if stride > 1 else []


def _any_input(sequences: InputSequences) -> bool:
    steps = sequences.burn_in + sequences.steps
    length = block_length(steps)
    return any(sequences.inputs.between(start, min(start + length, steps)).any() for start in range(0, steps, length))


def curve_notes(cell: Cell, curves: Mapping[str, Curve], sequences: InputSequences, s0: Array) -> list[str]:
    """Return what to know of the curves before they are believed."""
    notes = []
    state = curves.get("state")
    if cell.own_engine == "attention":
        notes.append(
            english(
                "no recurrence: state is ∂c_T/∂h_k of one random head whose query is the last state, along h_0 … h_T"
            )
        )
    if state is not None and state.transient:
        notes.append(english("transient: the first half of the lags has another rate; try --burn-in"))
    if state is not None and state.rate is not None and state.rate.low is None:
        notes.append(english("one trial: the rate has no interval, and the trend is the sign of one slope"))
    if cell.has_weights and not (_any_input(sequences) or s0.any() or cell.b.any()):
        notes.append(
            english(
                "zero input, biases and start: this is the fixed point h = 0 and not the attractor; try --input white"
            )
        )
    if state is not None and state.zero_trials:
        notes.append(
            english(
                "the gradient is exactly zero in {count} of {trials} trials",
                count=state.zero_trials,
                trials=sequences.trials,
            )
        )
    return notes
