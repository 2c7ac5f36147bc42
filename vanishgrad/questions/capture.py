"""`capture`: what the recurrent layers of a model are given along a batch, in a file that every command reads."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from vanishgrad.arrays import Array
from vanishgrad.errors import UsageError
from vanishgrad.inputs.files import load_archive, load_array
from vanishgrad.inputs.held_array import named_source
from vanishgrad.languages import translate, translate_count
from vanishgrad.models.captured_run import CapturedRun
from vanishgrad.models.live_keras import captured_keras_run, is_keras_model
from vanishgrad.models.live_onnx import captured_graph
from vanishgrad.models.live_torch import captured_run, is_torch_module

ENDING = ".npz"


def demand_run_file(path: str) -> None:
    """Refuse a name that no captured run is looked for under."""
    if Path(path).suffix.lower() != ENDING:
        raise UsageError(f"expected the ending {ENDING} for a captured run, got {path!r}; try {path}{ENDING}")


def live_run(
    source: Any, batch: Any, evaluating: bool = False, trials: int | None = None, steps: int | None = None
) -> CapturedRun | None:
    """Return the run of a PyTorch module on a batch, in its own mode or evaluating, or of a Keras model.

    None for anything else.

    Raises
    ------
    UsageError, VanishgradError
        As `captured_run` and `captured_keras_run`.
    """
    if is_keras_model(source):
        run = captured_keras_run(source, batch, trials, steps)
    elif is_torch_module(source):
        run = captured_run(source, batch, evaluating, trials, steps)
    else:
        return None
    run.demand_inputs()
    return run


def captured(source: Any, batch: Any, tokens: Sequence[str] | None = None) -> tuple[CapturedRun, list[str]]:
    """Return the run of a live module or an ONNX model on a batch, and a sentence for each layer left out.

    Raises
    ------
    UsageError
        For anything else than a module or an ONNX model.
    VanishgradError
        As `captured_run` and `captured_graph`.
    """
    refused: list[str] = []
    if (live := live_run(source, batch)) is not None:
        run = live
    elif isinstance(source, str | os.PathLike) and Path(source).suffix.lower() == ".onnx":
        run, refused = captured_graph(os.fspath(source), _feeds(batch))
    else:
        raise UsageError(
            f"expected an ONNX model, or from Python a live module or Keras model, got {source!r}; "
            "try vanishgrad.capture(module, batch, 'run.npz')"
        )
    if tokens is not None:
        longest = max(int(call.lengths[0]) for call in run.calls.values())
        if len(tokens) < longest:
            raise UsageError(f"expected a name for each of {longest} steps, got {len(tokens)} tokens")
        run.tokens = tuple(map(str, tokens))
    return run, refused


def _feeds(batch: Any) -> dict[str, Array]:
    """Return the arrays of a batch by the names of a graph's inputs; one without a name is ``input``."""
    if isinstance(batch, str | os.PathLike) and os.fspath(batch).lower().endswith(".npz"):
        return load_archive(os.fspath(batch), "arrays")
    if isinstance(batch, dict):
        return {str(name): load_array(named_source(value, name), "inputs") for name, value in batch.items()}
    return {"input": load_array(named_source(batch, "the batch"), "inputs")}


def to_text(run: CapturedRun) -> str:
    """Return a line for each call: how many sequences of how many steps of which width it was given."""
    return "".join(f"{line}\n" for line in _lines(run))


def _lines(run: CapturedRun) -> Iterator[str]:
    for name, call in run.calls.items():
        batch, _, width = call.xs.shape
        low, high = call.xs.min(), call.xs.max()
        yield translate_count(
            "{name}: {count} sequence of up to {steps} steps, {width} inputs from {low} to {high}, {start}",
            "{name}: {count} sequences of up to {steps} steps, {width} inputs from {low} to {high}, {start}",
            batch, name=name, steps=call.lengths.max(), width=width, low=f"{low:.3g}", high=f"{high:.3g}",
            start=translate("a start of its own") if call.starts.any() else translate("from zero"),
        )  # fmt: skip
