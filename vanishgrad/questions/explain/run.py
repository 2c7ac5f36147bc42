"""One subject of an explanation, run along its input: what every section works on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell, StoredTrajectory
from vanishgrad.curves.model_result import ModelResult, Prepared, Subject, model_result
from vanishgrad.inputs.sequences import InputSequences, input_sequences
from vanishgrad.propagation.run import run
from vanishgrad.propagation.singular_values.all_values import Spectrum, spectra
from vanishgrad.questions.analyze import LayerRuns
from vanishgrad.questions.compare import prepared
from vanishgrad.questions.explain.request import ExplainRequest
from vanishgrad.questions.explain.spectra import spectral_blocks, spectral_lags, spectral_trials
from vanishgrad.weights.layers import LayerFile
from vanishgrad.weights.model_string import parse
from vanishgrad.weights.recognition import recurrent_layers


@dataclass(frozen=True, eq=False)
class Run:
    """A cell along its input sequences.

    Attributes
    ----------
    request : ExplainRequest
    subject : Subject
        The cell with the names under which it is reported.
    sequences : InputSequences
    s0 : (B, m) array
        Where each sequence starts.
    stack : Run or None
        The run of the whole stack up to this layer, where there are layers below.
    """

    request: ExplainRequest
    subject: Subject
    sequences: InputSequences
    s0: Array
    stack: Run | None = None

    @property
    def cell(self) -> Cell:
        """The cell, with the weights of every trial."""
        return self.subject.cell

    @cached_property
    def trajectory(self) -> StoredTrajectory:
        """The burn-in's steps, then T."""
        return run(self.cell, self.sequences.xs, self.s0, self.sequences.first)

    @cached_property
    def spectra(self) -> dict[int, dict[str, Spectrum]]:
        """Lag → block → its singular values in the first trials, at the lags asked for and the last."""
        last, trials = int(self.sequences.lengths.min()), slice(spectral_trials(self.cell, self.sequences.trials))
        cell, path = self.cell.among(trials), self.trajectory
        some = StoredTrajectory(path.states[:, trials], path.records[:, trials])
        lags = {*spectral_lags(self.request.lags, last), last}
        return dict(spectra(cell, some, lags, spectral_blocks(cell)))

    @cached_property
    def measured(self) -> ModelResult:
        """What `compare` and `analyze` find of it."""
        request = self.request
        return model_result(
            self.subject, self.sequences, self.s0, request.threshold, request.seed, engine=request.engine
        )


def layer_file(request: ExplainRequest, source: Mapping[str, Any] | None = None) -> LayerFile | None:
    """Return the recurrent layers of a request's file, or of a mapping of arrays instead; None for a MODEL."""
    weights = request.source if source is None else source
    return recurrent_layers(weights, **request.analysis().hints) if request.is_file and weights is not None else None


def runs(
    request: ExplainRequest, source: Mapping[str, Any] | None = None, file: LayerFile | None = None
) -> Iterator[Run]:
    """Yield the MODEL of a request, or every layer of its file that it names; `source` is a mapping of arrays instead.

    A `file` that has been read is not read again.

    Raises
    ------
    UsageError
        For a model that cannot be.
    VanishgradError
        If a file or its input does not fit.
    """
    file = file or layer_file(request, source)
    for each in _model(request) if file is None else LayerRuns(file, request.analysis()).prepared():
        yield _run(request, each)


def _run(request: ExplainRequest, found: Prepared) -> Run:
    stack = None if found.stack is None else _run(request, found.stack)
    return Run(request, found.subject, found.sequences, found.s0, stack)


def _model(request: ExplainRequest) -> Iterator[Prepared]:
    comparison = request.comparison()
    (label,) = comparison.models
    yield prepared(parse(label), comparison, input_sequences(comparison.input_request(), request.hidden))
