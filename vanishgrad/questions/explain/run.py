"""One subject of an explanation, run along its input: what every section works on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell, StoredTrajectory
from vanishgrad.curves.model_result import ModelResult, model_result
from vanishgrad.curves.recorder import alive_lags
from vanishgrad.errors import UsageError
from vanishgrad.inputs.sequences import InputSequences
from vanishgrad.models.open import Opened, open_models
from vanishgrad.models.subject import Prepared, Subject
from vanishgrad.propagation.run import run
from vanishgrad.propagation.singular_values.all_values import Spectrum, spectra
from vanishgrad.questions.explain.request import ExplainRequest

MAX_SVD_WORK = 8 * 128**3
"""Trials times the cube of the state's size: eight LSTMs of 64 units."""


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
        return run(self.cell, self.sequences.xs, self.s0, self.sequences.marks)

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


def runs(request: ExplainRequest, models: Opened | None = None) -> Iterator[Run]:
    """Yield the MODEL of a request, or every layer of its file that it names; what has been opened stays open.

    Raises
    ------
    VanishgradError
        If a file or its input does not fit.
    """
    if models is None:
        (models,) = open_models([request.source], request)
    for prepared in models.prepared_subjects():
        yield _run(request, prepared)


def _run(request: ExplainRequest, prepared: Prepared) -> Run:
    stack = None if prepared.stack is None else _run(request, prepared.stack)
    return Run(request, prepared.subject, prepared.sequences, prepared.s0, stack)


def spectral_trials(cell: Cell, trials: int) -> int:
    """Return how many trials are looked at: all of small networks, one of large ones."""
    return min(trials, max(1, MAX_SVD_WORK // cell.state_size**3))


def spectral_blocks(cell: Cell) -> dict[str, tuple[str, str] | None]:
    """Return name → (to, from) parts, None for the whole state.

    The whole state of an LSTM is never nearly isometric, its cell can be: so the cell's block stands beside it.
    """
    hidden = cell.parts[0].name
    return {"state": None, **{name: block for name, block in cell.curves.items() if hidden not in block}}


def spectral_lags(requested: tuple[int, ...], last: int) -> list[int]:
    """Return the lags asked for, or 1, the powers of ten and the last.

    Raises
    ------
    UsageError
        If a lag lies beyond the last.
    """
    if requested and max(requested) > last:
        raise UsageError(f"expected --lags up to {last}, got {max(requested)}; try --steps {max(requested)}")
    return sorted(set(requested or [1, *alive_lags(last)]))
