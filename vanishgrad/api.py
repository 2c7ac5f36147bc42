"""Python API: each command as a function of MODELs, files, arrays or live modules, which returns its report."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from vanishgrad.cells import Cell
from vanishgrad.models.captured_run import CapturedRun
from vanishgrad.models.open import Source
from vanishgrad.questions.analyze import AnalyzeRequest, analysis
from vanishgrad.questions.analyze import analyze as analyze_layers
from vanishgrad.questions.capture import captured, demand_run_file
from vanishgrad.questions.compare import DEFAULT_MODELS, CompareRequest, comparison
from vanishgrad.questions.compare import compare as compare_models
from vanishgrad.questions.explain.document import explanation
from vanishgrad.questions.explain.explain import explain as explain_models
from vanishgrad.questions.explain.request import ExplainRequest
from vanishgrad.questions.keywords import along_batch, demand_known, model_strings, request_of
from vanishgrad.questions.learn.document import DEFAULTS, LearnSettings
from vanishgrad.questions.learn.findings import learning
from vanishgrad.questions.learn.plan import Plan
from vanishgrad.questions.learn.run import learn as learn_models
from vanishgrad.questions.shown import LearnReport, Report, SweepReport
from vanishgrad.questions.sweep.document import DEFAULTS as SWEEP_DEFAULTS
from vanishgrad.questions.sweep.document import SweptPoint, settings_of
from vanishgrad.questions.sweep.execution import results
from vanishgrad.questions.sweep.executors import workers
from vanishgrad.questions.sweep.plan import SweepPlan
from vanishgrad.questions.sweep.report import swept
from vanishgrad.reports.files import write
from vanishgrad.reports.frames import library
from vanishgrad.weights.laws import draw
from vanishgrad.weights.model_string import parse

if TYPE_CHECKING:
    import xarray


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
    result = compare_models(request_of(CompareRequest, options, models=models))
    return Report(comparison(result), result)


def analyze(source: Any, **options: Any) -> Report:
    """Measure the recurrent layers of a file of weights, of a live module along a batch, or of its state dict.

    Parameters
    ----------
    source : path, mapping, torch.nn.Module or keras.Model
        A file, name → array or tensor, or a module: its layers are measured along what ``input=``, a batch as its
        forward takes it, really gives them, and the module is left as it was.
    **options
        Those of ``vanishgrad analyze``, as for `compare`.

    Raises
    ------
    VanishgradError
        If there is no recurrent layer that can be read, or its input does not fit.
    """
    source, options = along_batch(source, options)
    result = analyze_layers(request_of(AnalyzeRequest, options, weights=(source,)))
    return Report(analysis(result), result)


def capture(source: Any, batch: Any, path: str | os.PathLike[str], tokens: Sequence[str] | None = None) -> CapturedRun:
    """Write what the recurrent layers of a model are given along a batch into a file that every command reads.

    Parameters
    ----------
    source : torch.nn.Module, keras.Model or path
        A live module or model, which is left as it was, or an ONNX model, which onnxruntime runs.
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
    source : str, path, mapping, torch.nn.Module or keras.Model
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
    source, options = along_batch(source, options)
    result = explain_models(request_of(ExplainRequest, options, source=source))
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
    demand_known("learn", options, tuple(DEFAULTS))
    settings = LearnSettings(models=model_strings(models), **{**DEFAULTS, **options})
    trainings = learn_models(Plan(settings, {}), lambda text: None, jobs)
    return LearnReport(learning(settings, {each.key: each.result for each in trainings}))


@overload
def sweep(
    models: str | Sequence[str], jobs: int = 1, scheduler: Any = None, report: Literal[False] = False, **options: Any
) -> xarray.Dataset: ...
@overload
def sweep(
    models: str | Sequence[str], jobs: int = 1, scheduler: Any = None, *, report: Literal[True], **options: Any
) -> SweepReport: ...
def sweep(
    models: str | Sequence[str], jobs: int = 1, scheduler: Any = None, report: bool = False, **options: Any
) -> xarray.Dataset | SweepReport:
    """Measure a grid of MODELs and options: phase diagrams.

    Parameters
    ----------
    models : str or a sequence of them
        MODEL strings whose keys may be axes: ``a..b/n``, ``a..b/n/log`` or ``a,b,c``; or patterns of files of weights.
    jobs : int
        Processes side by side; no result depends on it.
    scheduler : str, concurrent.futures.Executor or dask.distributed.Client, optional
        What measures instead: ``local``, an address or a scheduler file of Dask, a client of it, or any executor.
    report : bool
        Whether to return a `SweepReport` with ``typed.points``, ``typed.critical``, ``to_csv()`` and ``plot()``, for
        which xarray is not needed.
    **options
        Those of ``vanishgrad sweep``: hidden, input_size, steps, burn_in, seed, input, initial, dtype, threshold (one
        value, a sequence, or an axis as typed), layer, trials, measure.

    Returns
    -------
    xarray.Dataset or SweepReport
        Over the axes: each measure, its ``_low``, ``_high`` and ``_by_trial``; request and version as attributes.
        MODELs without a common grid lie along ``point``.

    Raises
    ------
    UsageError
        For a model, an axis or an option that cannot be.
    VanishgradError
        If xarray is not installed, or a scheduler does not answer.

    Examples
    --------
    >>> import vanishgrad
    >>> data = vanishgrad.sweep("rnn@gaussian:gain=0.8,1.2", hidden=64, steps=20, trials=2, input="zeros")
    >>> (data["rate"] < 0).values.tolist()
    [True, False]
    """
    demand_known("sweep", options, tuple(SWEEP_DEFAULTS))
    plan = SweepPlan(settings_of(model_strings(models), options))
    if not report:
        library("xarray")
    points = dict[int, SweptPoint]()
    with workers(scheduler, jobs) as pool:
        for result in results(plan, plan.tasks(plan.batches, pool.number()), pool):
            points |= result.points
    swept_report = SweepReport(swept(plan, points))
    return swept_report if report else swept_report.to_xarray()


def random_cell(model: str, hidden: int = 64, input_size: int | None = None, steps: int = 100, seed: int = 0) -> Cell:
    """Return a cell with random weights, trial 0 of a MODEL."""
    spec = parse(model).resolved(hidden, steps)
    return draw(spec, input_size or spec.keys["hidden"], steps, 1, seed).cell(spec)
