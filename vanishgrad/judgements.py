"""In Python, what commands judge or prove: check, diff, track, inspect, verify, certify, and the formal answer."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from vanishgrad.cells.own import OwnCell
from vanishgrad.certificates import Certified, CertifyRequest
from vanishgrad.certificates import certify as certify_layer
from vanishgrad.curves.processes import blas_threads
from vanishgrad.errors import UsageError
from vanishgrad.formal_answer import AnswerRequest
from vanishgrad.formal_answer import answer as answer_models
from vanishgrad.formal_answer.subjects import DEFAULT_MODELS as ANSWERED
from vanishgrad.languages import LANGUAGES
from vanishgrad.models.open import Source
from vanishgrad.models.options import HINT_NAMES
from vanishgrad.option_ranges import demand_count
from vanishgrad.questions.analyze import AnalyzeRequest, reports
from vanishgrad.questions.check.check import check as checked
from vanishgrad.questions.check.formats import to_text as check_text
from vanishgrad.questions.check.judge import CheckRequest
from vanishgrad.questions.diff import DiffRequest, difference
from vanishgrad.questions.diff import to_text as diff_text
from vanishgrad.questions.inspect.measure import inspect as inspect_layers
from vanishgrad.questions.inspect.report import inspection
from vanishgrad.questions.inspect.report import to_text as inspect_text
from vanishgrad.questions.keywords import along_batch, demand_known, name_of, request_of
from vanishgrad.questions.shown import TextReport
from vanishgrad.questions.track.track import to_text as track_text
from vanishgrad.questions.track.track import track as track_files
from vanishgrad.questions.verify.measure import DEFAULT_MODELS as VERIFIED
from vanishgrad.questions.verify.measure import VerifyRequest
from vanishgrad.questions.verify.measure import verify as verify_models
from vanishgrad.questions.verify.report import to_text as verify_text
from vanishgrad.questions.verify.report import verification
from vanishgrad.reports.files import write_together
from vanishgrad.weights.recognition import recurrent_layers


def check(
    source: Any,
    horizon: int | Mapping[str, int] | None = None,
    max_rate: float | None = None,
    curve: str = "state",
    partial: bool = False,
    baseline: str | os.PathLike[str] | None = None,
    **options: Any,
) -> TextReport:
    """Judge whether the gradient reaches far enough: ``check(…).passed``.

    Parameters
    ----------
    source : path, mapping, MODEL, report, torch.nn.Module or keras.Model
        A module with ``input=``, a batch as its forward takes it.
    horizon : int or mapping, optional
        Steps that the gradient must reach; or layer → steps, ``""`` for all others.
    max_rate : float, optional
        The largest abs(rate), nats per step.
    curve : str
    partial : bool
        Whether to pass although some recurrent layers cannot be read.
    baseline : path, optional
        A report whose horizons are the least, where `horizon` says nothing.
    **options
        Those of ``vanishgrad check``.
    """
    source, options = along_batch(source, options)
    request = request_of(AnalyzeRequest, options, weights=(source,), curves=(curve,), per_trial=False)
    horizons = dict(horizon) if isinstance(horizon, Mapping) else {} if horizon is None else {"": horizon}
    for steps in horizons.values():
        demand_count("horizon", steps)
    asked = CheckRequest(
        report=name_of(source), curve=curve, horizon=horizons.pop("", None), horizons=horizons,
        threshold=request.threshold, max_rate=max_rate, baseline=None if baseline is None else os.fspath(baseline),
    )  # fmt: skip
    return TextReport(checked(request, asked, partial), check_text)


def diff(before: Source, after: Source, **options: Any) -> TextReport:
    """Return what changed from one report, checkpoint or MODEL to another, what matters most first."""
    old, new = reports(request_of(AnalyzeRequest, options, weights=(before, after), per_trial=False))
    request = DiffRequest(before=name_of(before), after=name_of(after))
    return TextReport(difference(old, new, request), diff_text)


def track(files: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], **options: Any) -> TextReport:
    """Return how far the gradient reaches from checkpoint to checkpoint, or along the log of a watch.

    Parameters
    ----------
    files : path, pattern or a sequence of them
        ``"checkpoints/*.pt"``, or a ``.jsonl``.
    **options
        Those of ``vanishgrad track``.
    """
    names = (files,) if isinstance(files, str | os.PathLike) else tuple(files)
    return TextReport(
        track_files(request_of(AnalyzeRequest, options, weights=names, summary=True, per_trial=False)), track_text
    )


def inspect(source: Source, layer: str | Sequence[str] = (), **hints: Any) -> TextReport:
    """Return which recurrent layers a file or mapping holds, and why each was taken for what it is."""
    demand_known("inspect", hints, HINT_NAMES)
    if not isinstance(source, str | os.PathLike | Mapping | OwnCell):
        raise UsageError(f"expected a file or a mapping of arrays to inspect, got {type(source).__name__}; try "
                         "vanishgrad.inspect(module.state_dict()), or what vanishgrad.capture returns")  # fmt: skip
    names = (layer,) if isinstance(layer, str) else tuple(layer)
    if isinstance(source, OwnCell):
        raise UsageError(f"expected weights to inspect, got the cell of one's own {source}; try vanishgrad.verify")
    return TextReport(inspection(inspect_layers(recurrent_layers(source, **hints), names)), inspect_text)


def verify(models: Source | Sequence[Source] = VERIFIED, **options: Any) -> TextReport:
    """Check the arithmetic: the complex step, the definition and sum rules; of a live module along its ``input=``."""
    models, options = along_batch(models, options)
    return TextReport(verification(verify_models(request_of(VerifyRequest, options, models=models))), verify_text)


def certify(source: Any, output: str | os.PathLike[str], **options: Any) -> Certified:
    """Prove a bound of one layer's gradient and write its certificate, with what belongs beside it.

    Parameters
    ----------
    source : path, mapping, MODEL, torch.nn.Module or keras.Model
        A module with ``input=``, a batch: ``claim="lower"`` is then along what it gives the layer.
    output : path
        The certificate; nothing is written where nothing was proved or refuted: ``files`` is then empty.
    **options
        Those of ``vanishgrad certify``: claim, input_bound, input, start, repeat, layer, ….

    ``outcome.verdict`` says which it is: proved, refuted or inconclusive.
    """
    batch, options = options.get("input"), dict(options)
    source, options = along_batch(source, options)
    if batch is not None and "input" not in options and options.get("claim") == "lower":
        options["input"] = "captured"
    request = request_of(CertifyRequest, options, source=source, output=os.fspath(output))
    with blas_threads(state_size=0, jobs=1):
        outcome = certify_layer(request)
    write_together(outcome.files.items())
    return outcome


def answer(models: Source | Sequence[Source] = ANSWERED, lang: str = "en", jobs: int = 1, **options: Any) -> TextReport:
    """Return what ``vanishgrad answer`` writes, with the numbers of some models, in English or Chinese (``zh``).

    A live module is measured along ``input=``, as `analyze` does it.
    """
    from vanishgrad.formal_answer.renderers.claims_json import answer_document
    from vanishgrad.formal_answer.renderers.terminal import to_terminal

    if lang not in LANGUAGES:
        raise UsageError(f"expected lang {' or '.join(LANGUAGES)}, got {lang!r}")
    models, options = along_batch(models, options)
    formal = answer_models(request_of(AnswerRequest, options, models=models), lambda label: None, jobs)
    return TextReport(answer_document(formal, lang), lambda document: to_terminal(formal, lang))
