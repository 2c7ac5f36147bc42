"""What the command line does, in Python."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from vanishgrad.cells import Cell
from vanishgrad.errors import UsageError
from vanishgrad.models.captured_run import CapturedRun
from vanishgrad.models.live_torch import captured_run, is_torch_module
from vanishgrad.models.open import Source
from vanishgrad.models.options import ModelOptions, option_names
from vanishgrad.questions.analyze import AnalyzeRequest, AnalyzeResult, analysis
from vanishgrad.questions.analyze import analyze as analyze_layers
from vanishgrad.questions.capture import captured, demand_run_file
from vanishgrad.questions.compare import DEFAULT_MODELS, CompareRequest, CompareResult, comparison
from vanishgrad.questions.compare import compare as compare_models
from vanishgrad.questions.explain.document import explanation
from vanishgrad.questions.explain.explain import ExplainResult
from vanishgrad.questions.explain.explain import explain as explain_models
from vanishgrad.questions.explain.request import ExplainRequest
from vanishgrad.questions.learn.document import DEFAULTS, LearnDocument, LearnSettings
from vanishgrad.questions.learn.findings import learning
from vanishgrad.questions.learn.run import Plan
from vanishgrad.questions.learn.run import learn as learn_models
from vanishgrad.questions.rendering import rendered
from vanishgrad.reports.documents.report import ModelsDocument
from vanishgrad.reports.files import write
from vanishgrad.weights.laws import draw
from vanishgrad.weights.model_string import parse

Request = TypeVar("Request", bound=ModelOptions)


@dataclass(frozen=True, eq=False)
class Shown:
    """A JSON report with every way to show it.

    Attributes
    ----------
    typed : ModelsDocument or LearnDocument
        What the report says, as attributes: ``typed.models[0].curves["state"].horizon``.
    """

    typed: Any

    @cached_property
    def document(self) -> dict[str, Any]:
        """The JSON report as a dictionary."""
        return self.typed.to_dict()

    def to_json(self) -> str:
        """Return the JSON report."""
        return self.typed.to_json()

    def to_csv(self) -> str:
        """Return long CSV."""
        return rendered(self.typed, "csv")

    def to_markdown(self) -> str:
        """Return Markdown."""
        return rendered(self.typed, "markdown")

    def table(self) -> None:
        """Print the table."""
        sys.stdout.write(rendered(self.typed, "table"))


@dataclass(frozen=True, eq=False)
class Report(Shown):
    """What `compare`, `analyze` and `explain` found.

    Attributes
    ----------
    result : CompareResult, AnalyzeResult or ExplainResult
        Frozen, with natural logarithms.
    """

    typed: ModelsDocument
    result: CompareResult | AnalyzeResult | ExplainResult

    def plot(self, path: str, kind: str = "curves") -> None:
        """Draw to a .png, .svg or .pdf file."""
        from vanishgrad.questions.plot.render import render

        write(path, render(self.typed, kind, Path(path).suffix[1:].lower()))


@dataclass(frozen=True, eq=False)
class LearnReport(Shown):
    """What `learn` found: ``typed.models[0].gaps[0].updates``."""

    typed: LearnDocument

    def plot(self, path: str, kind: str = "learnability") -> None:
        """Draw to a .png, .svg or .pdf file."""
        from vanishgrad.questions.learn.figure import render
        from vanishgrad.reports.files import write

        write(path, render(self.typed, kind, Path(path).suffix[1:].lower()))


def compare(models: Source | Sequence[Source] = DEFAULT_MODELS, **options: Any) -> Report:
    """Compare models side by side on the same inputs.

    Parameters
    ----------
    models : str, path, mapping, or a sequence of them
        MODEL strings, ``CELL[@LAW][:key=value,...]``, files of weights, and name → array or tensor.
    **options
        Those of ``vanishgrad compare``, spelled as there: hidden, input_size, layer, stack, embedding, steps, trials,
        seed, input, initial, burn_in, lengths, threshold, dtype, engine, backend, device, the hints of a file; and
        curves, the names of those to measure. Input, initial and lengths take an array instead of a file.

    Examples
    --------
    >>> import vanishgrad
    >>> report = vanishgrad.compare(["rnn", "lstm:forget_bias=5"], steps=20, hidden=8)
    >>> [model.curves["state"].verdict.value for model in report.result.models]
    ['vanishing', 'preserved']
    """
    result = compare_models(_request(CompareRequest, options, models=models))
    return Report(comparison(result), result)


def analyze(source: Any, **options: Any) -> Report:
    """Measure the recurrent layers of a file of weights, of a live module along a batch, or of its state dict.

    Parameters
    ----------
    source : path, mapping or torch.nn.Module
        A file, name → array or tensor, or a module: its layers are measured along what ``input=``, a batch as its
        forward takes it, really gives them, and the module is left as it was.
    **options
        Those of ``vanishgrad analyze``, as for `compare`.

    Raises
    ------
    VanishgradError
        If there is no recurrent layer that can be read, or its input does not fit.
    """
    source, options = _along_batch(source, options)
    result = analyze_layers(_request(AnalyzeRequest, options, weights=(source,)))
    return Report(analysis(result), result)


def capture(source: Any, batch: Any, path: str | os.PathLike[str], tokens: Sequence[str] | None = None) -> CapturedRun:
    """Write what the recurrent layers of a model are given along a batch into a file that every command reads.

    Parameters
    ----------
    source : torch.nn.Module or path
        A live module, which is left as it was, or an ONNX model, which onnxruntime runs.
    batch
        What the module's forward takes, as for ``analyze(module, input=batch)``; of an ONNX model an array, or name →
        array.
    path : path
        The .npz file: weights under PyTorch's names, with inputs, starts, lengths and names of steps.
    tokens : sequence of str, optional
        Names of the first sequence's steps, for the axes of ``explain``'s map.

    Returns
    -------
    CapturedRun
        The same as the file, for `analyze`, `explain` and the others.

    Raises
    ------
    UsageError, VanishgradError
        If there is no such model, or it cannot be recorded or written.
    """
    demand_run_file(os.fspath(path))
    run, refused = captured(source, batch, tokens)
    for sentence in refused:
        warnings.warn(sentence, stacklevel=2)
    write(os.fspath(path), run.content())
    return run


def explain(source: Any, **options: Any) -> Report:
    """Explain why the gradient of a model, or of the recurrent layers of a file or module, vanishes or explodes.

    Parameters
    ----------
    source : str, path, mapping or torch.nn.Module
        A MODEL string, or what `analyze` takes.
    **options
        Those of ``vanishgrad explain``: only (names of sections), tokens, lags, exponents, lyapunov_steps, loss,
        cotangent, truncation, and those of `compare`.

    Examples
    --------
    >>> import vanishgrad
    >>> report = vanishgrad.explain("lstm@keras", steps=20, hidden=8, only=("paths",))
    >>> paths = report.result.models[0].sections["paths"]
    >>> bool(paths.detours["0"].share.mean[1] == 1)
    True
    """
    source, options = _along_batch(source, options)
    result = explain_models(_request(ExplainRequest, options, source=source))
    return Report(explanation(result), result)


def learn(models: str | Sequence[str] = DEFAULT_MODELS, jobs: int = 1, **options: Any) -> LearnReport:
    """Train random models on a task with a gap, and return what each learns beside its horizon before training.

    Parameters
    ----------
    models : str or a sequence of them
        MODEL strings.
    jobs : int
        Processes side by side; no result depends on it.
    **options
        Those of ``vanishgrad learn``: task, gaps, seeds, hidden, batch, updates, optimizer, lr, clip (None clips
        nothing), truncation, seed, dtype.

    Raises
    ------
    UsageError
        For a task, a model or an option that cannot be.

    Examples
    --------
    >>> import vanishgrad
    >>> report = vanishgrad.learn("rnn@orthogonal", gaps=(3,), hidden=8, seeds=1, updates=100, lr=0.03)
    >>> report.typed.models[0].edge
    3
    """
    _demand_options("learn", options, tuple(DEFAULTS))
    labels = (models,) if isinstance(models, str) else tuple(models)
    settings = LearnSettings(models=labels, **{**DEFAULTS, **options})
    trainings = learn_models(Plan(settings, {}), lambda text: None, jobs)
    return LearnReport(learning(settings, {each.key: each.result for each in trainings}))


def _request(kind: type[Request], options: Mapping[str, Any], **sources: Any) -> Request:
    """Return a command's request; refuse an option that it has not, with the nearest that it has."""
    command = kind.__name__.removesuffix("Request").lower()
    _demand_options(command, options, [name for name in option_names(kind) if name not in sources])
    return kind(**sources, **options)


def _demand_options(command: str, options: Mapping[str, Any], known: Sequence[str]) -> None:
    for name in options:
        if name not in known:
            nearest = get_close_matches(name, known, n=1)
            raise UsageError(f"expected an option of {command}, got {name!r}; try {', '.join(nearest or known)}")


def _along_batch(source: Any, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return a live module as the run that its batch gives, and the options that say so; all else as it is."""
    if not is_torch_module(source):
        return source, options
    return captured_run(source, options.get("input")), {name: each for name, each in options.items() if name != "input"}


def random_cell(model: str, hidden: int = 64, input_size: int | None = None, steps: int = 100, seed: int = 0) -> Cell:
    """Return a cell with random weights, trial 0 of a MODEL."""
    spec = parse(model).resolved(hidden, steps)
    return draw(spec, input_size or spec.keys["hidden"], steps, 1, seed).cell(spec)
