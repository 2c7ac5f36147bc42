"""Opens models: a MODEL, a file of weights or a mapping of arrays → models with input and start, for all commands."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from vanishgrad.cells.own import OwnCell
from vanishgrad.errors import UsageError
from vanishgrad.inputs.initial_state import initial_state
from vanishgrad.inputs.sequences import input_sequences
from vanishgrad.languages import english
from vanishgrad.models.options import OF_FILES, OF_MODELS, ModelOptions
from vanishgrad.models.random_models import random_model, shared_sequences
from vanishgrad.models.subject import Prepared, Subject
from vanishgrad.weights.hints import Hints, flag
from vanishgrad.weights.model_string import ModelSpec, names_file, names_own_cell, parse

if TYPE_CHECKING:
    from vanishgrad.inputs.sequences import InputSequences
    from vanishgrad.weights.layers import LayerFile

Options = TypeVar("Options", bound=ModelOptions)
Source = str | os.PathLike[str] | Mapping[str, Any] | OwnCell
"""What a user names: a MODEL, a path of a file of weights, name → array, or a cell of one's own or its name."""
Argument = ModelSpec | Source
"""A MODEL that has been parsed, or what holds weights and has not been opened."""


@dataclass(frozen=True, eq=False)
class Opened:
    """One argument with all that its models need; their numbers are read, drawn or run when they are asked for.

    Attributes
    ----------
    argument : ModelSpec, path or mapping
    options : ModelOptions
    sequences : InputSequences or None
        The input that all MODELs share; None for weights, each of whose layers has its own.
    file : LayerFile or None
        None for a MODEL.
    prefix : str
        What the labels of a file's layers begin with.
    """

    argument: Argument
    options: ModelOptions
    sequences: InputSequences | None
    file: LayerFile | None
    prefix: str = ""

    @property
    def refused(self) -> tuple[str, ...]:
        """A sentence for each layer that was seen and cannot be read."""
        return () if self.file is None else self.file.refused

    @property
    def largest(self) -> int:
        """The largest hidden size."""
        if isinstance(self.argument, OwnCell):
            return self.argument.hidden_size
        if self.file is None:
            assert isinstance(self.argument, ModelSpec)
            return int(self.argument.keys.get("hidden", self.options.hidden))
        return max(layer.hidden_size for layer in self.file)

    def prepared_subjects(self) -> Iterator[Prepared]:
        """Yield the MODEL, or every layer of the file that the options name."""
        if isinstance(self.argument, OwnCell):
            yield _own_model(self.argument, self.options)
            return
        if self.file is None:
            assert isinstance(self.argument, ModelSpec) and self.sequences is not None
            yield random_model(self.argument, self.options, self.sequences)
            return
        from vanishgrad.models.captured_run import CapturedRun
        from vanishgrad.models.file_layers import LayerRuns

        captured = self.argument if isinstance(self.argument, CapturedRun) else None
        yield from LayerRuns(self.file, self.options, self.prefix, captured).prepared_subjects()


def _own_model(cell: OwnCell, options: ModelOptions) -> Prepared:
    """Return an own cell along noise of its own width, which is that of MODELs of the same width, or along a file.

    Raises
    ------
    UsageError
        For float32, which its step does not know.
    VanishgradError
        If its input or its start does not fit.
    """
    if options.dtype != "float64":
        raise UsageError(f"expected --dtype float64 for the cell {cell}, got {options.dtype}; try without it")
    request = replace(options.shared_input(), input_size=cell.input_size)
    sequences = input_sequences(request, cell.input_size)
    s0 = initial_state(options.initial, cell, str(cell), sequences.trials, options.seed, options.dtype)
    source = {"kind": "own", "function": cell.step.name}
    notes = (
        () if cell.derivative_error == 0 else (english("the step is not analytic: jacobian is checked by differences"),)
    )
    return Prepared(Subject(str(cell), f"own:{cell}", cell, source, notes), sequences, s0)


def holds_weights(source: Source) -> bool:
    """Whether a source is a file or a mapping, and no MODEL."""
    return not isinstance(source, str) or names_file(source)


def arguments(sources: Sequence[Source], options: ModelOptions) -> list[Argument]:
    """Return each MODEL parsed and all else as it is, once the options are known to speak of them.

    Raises
    ------
    UsageError
        For a MODEL that cannot be, and for an option that speaks of MODELs where there is none, or of files.
    """
    parsed = [_argument(source) for source in sources]
    models, own = ([isinstance(each, kind) for each in parsed] for kind in (ModelSpec, OwnCell))
    got = "a cell of one's own" if any(own) else "a file of weights"
    _demand_default(options, OF_MODELS if not any(models) else (), "a MODEL", got)
    listing = " ".join(repr(str(source)) for source in sources)
    drawn_or_own = all(is_model or is_own for is_model, is_own in zip(models, own, strict=True))
    _demand_default(options, OF_FILES if drawn_or_own else (), "a file of weights", listing)
    return parsed


def _argument(source: Source) -> Argument:
    if isinstance(source, str) and not holds_weights(source):
        return parse(source)
    if names_own_cell(source):
        from vanishgrad.weights.own_cells import own_cell

        return own_cell(str(source))
    if isinstance(source, Mapping | OwnCell):
        return source
    if not isinstance(source, str | os.PathLike):
        raise UsageError(
            f"expected a MODEL, a file of weights or a mapping of arrays, got {type(source).__name__}; "
            "try vanishgrad.analyze(module, input=BATCH), or module.state_dict()"
        )
    from vanishgrad.models.captured_run import CapturedRun
    from vanishgrad.weights.formats.captured import is_captured

    return CapturedRun.read(os.fspath(source)) if is_captured(os.fspath(source)) else source


def has_own_input(source: Source) -> bool:
    """Whether a source is a captured run, a file's or one in memory, which drives its layers unless it is told."""
    from vanishgrad.models.captured_run import CapturedRun
    from vanishgrad.weights.formats.captured import is_captured

    if isinstance(source, str | os.PathLike):
        return is_captured(os.fspath(source))
    return isinstance(source, CapturedRun)


def input_of_all(models: Sequence[Opened], options: ModelOptions) -> str:
    """Return what drives the models where that is one and the same, else what the options say."""
    sources = {each.options.input for each in models}
    return sources.pop() if len(sources) == 1 else options.input


def _demand_default(options: ModelOptions, names: Iterable[str], wanted: str, got: str) -> None:
    for name in names:
        if getattr(options, name) != getattr(type(options), name):
            raise UsageError(f"expected {flag(name)} with {wanted}, got {got}; try leaving it out")


def options_for(source: Source, options: Options) -> Options:
    """Return what the options say of one source among others: those of the other kind are at their defaults."""
    names = OF_MODELS if holds_weights(source) else OF_FILES
    return replace(options, **{name: getattr(type(options), name) for name in names})


def open_argument(
    argument: Argument, options: ModelOptions, sequences: InputSequences | None = None, prefix: str = ""
) -> Opened:
    """Open one argument, a MODEL along the sequences that all of them share.

    Raises
    ------
    UsageError, VanishgradError
        If a file or its input does not fit.
    """
    if isinstance(argument, OwnCell):
        return Opened(argument, options, None, None)
    if isinstance(argument, ModelSpec):
        return Opened(argument, options, sequences or shared_sequences(options), None)
    from vanishgrad.models.captured_run import CapturedRun
    from vanishgrad.weights.formats.captured import CAPTURED
    from vanishgrad.weights.recognition import recurrent_layers  # a third of the start-up of a run without files

    if isinstance(argument, CapturedRun):
        own = replace(options, input=CAPTURED) if options.input == ModelOptions.input else options
        return Opened(argument, own, None, argument.layers(Hints(**options.hints)), prefix)
    if options.input == CAPTURED:
        raise UsageError(f"expected a captured run for the input {CAPTURED!r}, got {argument}; try vanishgrad capture")
    return Opened(argument, options, None, recurrent_layers(argument, **options.hints), prefix)


def open_models(sources: Sequence[Source], options: ModelOptions) -> list[Opened]:
    """Open every source; what one says of its layers begins with its name where there are several.

    Raises
    ------
    UsageError, VanishgradError
        As `arguments` and `open_argument`.
    """
    parsed = arguments(sources, options)
    sequences = shared_sequences(options) if any(isinstance(each, ModelSpec) for each in parsed) else None
    prefixes = file_prefixes(parsed) if len(parsed) > 1 else [""]
    return [open_argument(each, options, sequences, prefix) for each, prefix in zip(parsed, prefixes, strict=True)]


def file_prefixes(parsed: Sequence[Argument]) -> list[str]:
    """Return what tells the layers of several files apart: their names, or their paths where names repeat."""
    paths = [_path(each) for each in parsed]
    names = [Path(path).name for path in paths]
    return [f"{name if names.count(name) == 1 else path}:" for name, path in zip(names, paths, strict=True)]


def _path(argument: Argument) -> str:
    if isinstance(argument, ModelSpec | Mapping | OwnCell):
        return getattr(argument, "path", "mapping")
    return os.fspath(argument)


def demand_distinct(labels: Sequence[Source]) -> None:
    """Refuse the same model twice: nothing would tell them apart."""
    for label in labels:
        if isinstance(label, str | OwnCell) and [str(each) for each in labels].count(str(label)) > 1:
            raise UsageError(f"expected each model once, got {str(label)!r} twice; try leaving one out")
