"""Points of a sweep: a MODEL, or a layer of a file of weights, at one value of every axis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from vanishgrad.cells.registry import CELLS
from vanishgrad.curves.measure import group_size
from vanishgrad.errors import UsageError
from vanishgrad.models.options import ModelOptions
from vanishgrad.questions.sweep.axes import MAX_VALUES, NOISE, Value, files_of, generated_std, models_of
from vanishgrad.questions.sweep.document import DEFAULTS, OPTION_AXES, SweepSettings
from vanishgrad.questions.sweep.measures import measure_named
from vanishgrad.weights.model_string import KEYS, ModelSpec, parse

GROUP_BYTES = 2**20
"""Of the products of one batch: with half of it a point of rnn at n = 64 takes a tenth longer, with twice as long."""
BATCH_BYTES = 2**27
"""Of the states, pre-activations, inputs and matrices of one batch."""
OF_MODELS = ("hidden", "input_size")
"""The axes that speak of MODELs alone; a file has its own."""
FILE, LAYER = "file", "layer"


STEP_SECONDS, ENTRY_SECONDS = 1e-5, 7e-9
"""Of a step of one trial, whatever its size; and of an entry of W_hh, times 1 + the cell's cost."""


@lru_cache(maxsize=4096)
def _resolved(label: str, hidden: int, steps: int) -> ModelSpec:
    return parse(label).resolved(hidden, steps)


def _expected_seconds(cost: float, hidden: int, steps: int) -> float:
    return max(1, steps) * (STEP_SECONDS + ENTRY_SECONDS * (1 + cost) * hidden**2)


@dataclass(frozen=True)
class Point:
    """One point: a MODEL of its own and the options that it is drawn and run with."""

    model: str
    label: str
    coordinates: Mapping[str, Value]
    options: ModelOptions
    threshold: float

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it apart from the others of a sweep."""
        return self.model, self.label, frozenset(self.coordinates.items())

    @property
    def spec(self) -> ModelSpec:
        """The MODEL with every key resolved."""
        return _resolved(self.label, self.options.hidden, self.options.steps or 0)

    @property
    def hidden(self) -> int:
        """The hidden size n."""
        return int(self.spec.keys["hidden"])

    @property
    def width(self) -> int:
        """The input size d."""
        return self.options.input_size or self.options.hidden

    @property
    def shape(self) -> tuple[object, ...]:
        """What points of one batch have in common: the cell and its variant, n, d, T and what drives them."""
        spec, run = self.spec, self.options
        words = {name: value for name, value in spec.keys.items() if name not in KEYS or KEYS[name].number is None}
        of_run = (run.steps, run.burn_in, run.seed, run.input, run.initial, run.dtype)
        return spec.cell, *sorted(words.items()), self.hidden, self.width, *of_run

    @property
    def seconds(self) -> float:
        """What a trial of it is expected to take of a core, by the law fitted in docs/explanation/million-points.md."""
        return _expected_seconds(CELLS[self.spec.cell].cost, self.hidden, self.options.steps or 0)

    @property
    def trials_together(self) -> int:
        """How many trials of it are measured together: what fits into a cache, and into `BATCH_BYTES`."""
        row, n, bits = CELLS[self.spec.cell], self.hidden, 8 * np.dtype(self.options.dtype).itemsize
        steps, size = (self.options.steps or 0) + self.options.burn_in, len(row.parts) * n
        matrices = len(row.gates) * n * (n + self.width) * (steps if self.spec.keys.get("untied") else 1)
        numbers = steps * (size + 2 * len(row.gates) * n + self.width) + matrices
        return max(1, min(group_size(size, bits, GROUP_BYTES), BATCH_BYTES // (numbers * bits // 8)))

    def has(self, measure: str) -> bool:
        """Whether a measure means something to its cell."""
        return measure_named(measure).applies(self.spec)


@dataclass(frozen=True)
class FilePoint(Point):
    """A layer of a file of weights, along input of its own; sizes are those of the first file of its pattern."""

    path: str
    layer: str
    hidden_size: int
    input_size: int
    relative_cost: float

    @property
    def hidden(self) -> int:
        """The hidden size n."""
        return self.hidden_size

    @property
    def width(self) -> int:
        """The input size d."""
        return self.input_size

    @property
    def shape(self) -> tuple[object, ...]:
        """Itself: trials share its weights."""
        return self.key

    @property
    def seconds(self) -> float:
        """As of a MODEL."""
        return _expected_seconds(self.relative_cost, self.hidden, self.options.steps or 0)

    @property
    def trials_together(self) -> int:
        """All of it are one batch."""
        return 1

    def has(self, measure: str) -> bool:
        """What a file's layer has is seen when it is measured."""
        return True


def points(settings: SweepSettings) -> list[Point]:
    """Return every point, MODEL after MODEL, the last option running fastest.

    Raises
    ------
    UsageError
        For a MODEL, key or option that cannot be.
    VanishgradError
        If the first file of a pattern cannot be read.
    """
    files = {model: files_of(model) for model in settings.models}
    _demand_fitting(settings, files)
    grid = list[Point]()
    for model, paths in files.items():
        own = _of_model(settings, model) if paths is None else _of_files(settings, model, paths)
        for point in own:
            grid.append(point)
            if len(grid) > MAX_VALUES:
                raise UsageError(f"expected at most {MAX_VALUES} points, got more in {model!r}; try coarser axes")
    labels = [(point.label, point.options, point.threshold) for point in grid]
    if len(set(labels)) < len(labels):
        raise UsageError("expected each point once, got one in two MODELs; try leaving one out")
    first = {point.model: point for point in grid}.values()
    for name in settings.measure:
        if not any(point.has(name) for point in first):
            cells = ", ".join(dict.fromkeys(point.spec.cell for point in first))
            raise UsageError(f"expected {name} of a MODEL that has it, got {cells}; try another --measure")
    return grid


def _demand_fitting(settings: SweepSettings, files: Mapping[str, list[str] | None]) -> None:
    """Refuse options that speak of MODELs where there are files alone, and of files where there are MODELs."""
    drawn = [model for model, paths in files.items() if paths is None]
    for name in OF_MODELS if not drawn else ():
        if tuple(getattr(settings, name)) != DEFAULTS[name]:
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"expected {flag} with a MODEL, got files of weights; try leaving it out")
    if drawn and settings.layer:
        raise UsageError(f"expected --layer with files of weights, got {drawn[0]!r}; try leaving it out")
    for source in settings.input if drawn else ():
        if not is_generated(source):
            raise UsageError(f"expected --input white or zeros for {drawn[0]!r}, got {source!r}; try --input zeros")


def is_generated(source: str) -> bool:
    """Whether an input is noise or nothing."""
    return source.partition(":")[0] in ("white", "zeros")


def _runs(settings: SweepSettings, without: Sequence[str] = ()) -> Iterator[tuple[dict[str, Any], dict[str, Value]]]:
    """Yield options, and the coordinates of those that have several values."""
    names = [name for name in OPTION_AXES if name not in without]
    all_noise = all(map(is_generated, settings.input))
    for values in product(*(getattr(settings, name) or (None,) for name in names)):
        options = dict(zip(names, values, strict=True))
        several = {name: value for name, value in options.items() if len(getattr(settings, name)) > 1}
        coordinates = dict[str, Value]()
        for name, value in several.items():
            if name == "initial" or (name == "input" and all_noise):
                coordinates[NOISE if name == "input" else name] = generated_std(value)
            else:
                coordinates[name] = value if isinstance(value, str) else float(value)
        yield {name: value for name, value in options.items() if value is not None}, coordinates


def _of_model(settings: SweepSettings, model: str) -> Iterator[Point]:
    runs = [(_options(settings, options), coordinates) for options, coordinates in _runs(settings)]
    for label, keys in models_of(model):
        if len(settings.hidden) > 1 and "hidden" in parse(label).keys:
            raise UsageError(f"expected hidden in {model!r} or several --hidden, got both; try one of the two")
        for options, coordinates in runs:
            yield Point(model, label, {**keys, **coordinates}, *options)


def _options(settings: SweepSettings, options: Mapping[str, Any]) -> tuple[ModelOptions, float]:
    of_model = {name: value for name, value in options.items() if name != "threshold"}
    return ModelOptions(**of_model, trials=settings.trials), options["threshold"]


def _of_files(settings: SweepSettings, model: str, paths: Sequence[str]) -> Iterator[Point]:
    """Yield the layers of every file that a pattern matches; which there are, and of which size, the first one says."""
    from vanishgrad.weights.recognition import recurrent_layers

    layers = recurrent_layers(paths[0]).select(tuple(settings.layer))
    names = [Path(path).name for path in paths]
    runs = list(_runs(settings, OF_MODELS))
    for path, name in zip(paths, names, strict=True):
        shown = name if names.count(name) == 1 else path
        for layer in layers:
            keys = {**({FILE: shown} if len(paths) > 1 else {}), **({LAYER: layer.name} if len(layers) > 1 else {})}
            for options, coordinates in runs:
                run, threshold = _options(settings, {**options, "layer": (layer.name,)})
                yield FilePoint(
                    model, f"{shown}:{layer.name}", {**keys, **coordinates}, run, threshold,
                    path, layer.name, layer.hidden_size, layer.input_size, CELLS[layer.cell].cost,
                )  # fmt: skip
