"""Where a watch writes: a CSV or JSON-lines file, TensorBoard, Weights & Biases, MLflow, or any callable."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from vanishgrad.errors import UsageError, VanishgradError

Record: TypeAlias = Mapping[str, Any]
"""A measurement: step, layers (name → quantity → number or None), and how it was measured."""
PREFIX = "vanishgrad"
COLUMNS = ("step", "layer", "quantity", "value")


def logger(target: Any) -> Callable[[Record], None]:
    """Return what writes a record to a target.

    Parameters
    ----------
    target : path, callable or object
        A file with the ending .csv or .jsonl, which is appended to; a ``SummaryWriter`` (`add_scalar`); a run of W&B
        (`log`); the module mlflow, or a logger of Lightning (`log_metrics`); or what takes a record.

    Raises
    ------
    UsageError
        For anything else.
    """
    if isinstance(target, str | os.PathLike):
        return _file(os.fspath(target))
    if hasattr(target, "add_scalar"):
        return partial(_tensorboard, target)
    if hasattr(target, "log_metrics"):
        return lambda record: target.log_metrics(_plainly_named(record), step=record["step"])
    if hasattr(target, "log"):
        return lambda record: target.log({f"{PREFIX}/{name}": value for name, value in _with_step(record)})
    if callable(target):
        return target
    raise UsageError(f"expected a .csv or .jsonl file, a writer or a callable for log, got {type(target).__name__}")


def scalars(record: Record) -> Iterator[tuple[str, float]]:
    """Yield ``LAYER/QUANTITY`` and its value for each number of a record."""
    for layer, quantities in record["layers"].items():
        yield from ((f"{layer}/{name}", float(value)) for name, value in quantities.items() if value is not None)


def _tensorboard(writer: Any, record: Record) -> None:
    for name, value in scalars(record):
        writer.add_scalar(f"{PREFIX}/{name}", value, record["step"])


def _with_step(record: Record) -> Iterator[tuple[str, float]]:
    """Yield the step too: W&B drops a step that is smaller than its own count of log calls."""
    yield "step", record["step"]
    yield from scalars(record)


def _plainly_named(record: Record) -> dict[str, float]:
    """Return the scalars under names that MLflow takes: letters, digits, ``_-.:/`` and spaces."""
    plain = {f"{PREFIX}/{name}": value for name, value in scalars(record)}
    return {"".join(each if each.isalnum() or each in "_-.:/ " else "_" for each in name): value
            for name, value in plain.items()}  # fmt: skip


def _file(path: str) -> Callable[[Record], None]:
    ending = Path(path).suffix.lower()
    if ending not in (".csv", ".jsonl"):
        raise UsageError(f"expected log with the ending .csv or .jsonl, got {path!r}; try {path}.jsonl")
    if not Path(path).parent.is_dir():
        raise VanishgradError(f"expected an existing folder for {path!r}, got none; try mkdir -p")
    return partial(_csv if ending == ".csv" else _line, path)


def _line(path: str, record: Record) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")


def _csv(path: str, record: Record) -> None:
    is_new = not Path(path).exists() or not Path(path).stat().st_size
    with open(path, "a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(COLUMNS)
        for name, value in scalars(record):
            layer, _, quantity = name.rpartition("/")
            writer.writerow((record["step"], layer, quantity, value))
