"""What the command line does, in Python."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vanishgrad.analysis.analyze import AnalyzeRequest, AnalyzeResult
from vanishgrad.analysis.analyze import analyze as analyze_layers
from vanishgrad.analysis.compare import DEFAULT_MODELS, CompareRequest, CompareResult
from vanishgrad.analysis.compare import compare as compare_models
from vanishgrad.cells import Cell
from vanishgrad.report.document import Document, analysis, comparison, to_json
from vanishgrad.weights.laws import draw
from vanishgrad.weights.spec import parse


@dataclass(frozen=True, eq=False)
class Report:
    """A result with every way to show it.

    Attributes
    ----------
    result : CompareResult or AnalyzeResult
        Frozen, with natural logarithms.
    document : dict
        The JSON report.
    """

    result: CompareResult | AnalyzeResult
    document: Document

    def to_json(self) -> str:
        """Return the JSON report."""
        return to_json(self.document)

    def to_csv(self) -> str:
        """Return long CSV."""
        from vanishgrad.report.rows import to_csv

        return to_csv(self.document)

    def to_markdown(self) -> str:
        """Return Markdown."""
        from vanishgrad.report.markdown import to_markdown

        return to_markdown(self.document)

    def table(self) -> None:
        """Print the table."""
        from vanishgrad.report.table import to_table

        sys.stdout.write(to_table(self.document, colour=False))

    def plot(self, path: str, kind: str = "curves") -> None:
        """Draw to a .png, .svg or .pdf file."""
        from vanishgrad.report.figure import render
        from vanishgrad.report.write import write

        write(path, render(self.document, kind, Path(path).suffix[1:].lower()))


def compare(models: Sequence[str] = DEFAULT_MODELS, **options: Any) -> Report:
    """Compare models side by side on the same inputs.

    Parameters
    ----------
    models : sequence of str
        MODEL strings, ``CELL[@LAW][:key=value,...]``.
    **options
        The fields of `CompareRequest`: hidden, input_size, steps, trials, seed, input, initial, burn_in, lengths,
        threshold, dtype, engine, backend, device, curves.

    Examples
    --------
    >>> import vanishgrad
    >>> report = vanishgrad.compare(["rnn", "lstm:forget_bias=5"], steps=20, hidden=8)
    >>> [model.curves["state"].verdict.value for model in report.result.models]
    ['vanishing', 'preserved']
    """
    result = compare_models(CompareRequest(models=tuple(models), **options))
    return Report(result, comparison(result))


def analyze(source: str | Path | Mapping[str, Any], **options: Any) -> Report:
    """Measure the recurrent layers of a file of weights, or of a live model's state dict.

    Parameters
    ----------
    source : path or mapping
        A file, or name → array or tensor.
    **options
        The fields of `AnalyzeRequest`: layers, stack, embedding, layout, cell, activation, gate_activation, reset,
        steps, trials, seed, input, initial, burn_in, lengths, threshold, dtype, engine, backend,
        device.

    Raises
    ------
    VanishgradError
        If there is no recurrent layer that can be read, or its input does not fit.
    """
    live = isinstance(source, Mapping)
    request = AnalyzeRequest(weights=() if live else (str(source),), **options)
    result = analyze_layers(request, source if isinstance(source, Mapping) else None)
    return Report(result, analysis(result))


def random_cell(model: str, hidden: int = 64, input_size: int | None = None, steps: int = 100, seed: int = 0) -> Cell:
    """Return a cell with random weights, trial 0 of a MODEL."""
    spec = parse(model).resolved(hidden, steps)
    return draw(spec, input_size or spec.keys["hidden"], steps, 1, seed).cell(spec)
