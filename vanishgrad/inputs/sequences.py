"""The input sequences of a run, one for each trial, whatever they come from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells.masked_steps import TAKEN, step_marks
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.inputs.files import FileSequences, load
from vanishgrad.inputs.lengths import PADDINGS, at_the_end, read_lengths
from vanishgrad.inputs.masks import MaskRule, demand_shape, demand_some_taken, read_mask, taken_steps
from vanishgrad.inputs.sources import Held, Noise, Source, Tokens, Zeros, rounded
from vanishgrad.random_streams import ANY_CELL, Role, stream

DEFAULT_STEPS = 100
DEFAULT_TRIALS = 8
LARGEST_HELD = 2**26
"""Bytes of noise up to which it is drawn once and held; beyond, it is drawn again wherever it is asked for."""
WIDEST_ONE_HOT = 2**20
"""Token ids from here on are a mistake: no alphabet is so large, and no memory."""


@dataclass(frozen=True, eq=False)
class InputSequences:
    """Input sequences, aligned at their end.

    Attributes
    ----------
    inputs : Source
        (B, N + T, d): the burn-in's N steps, then T.
    burn_in : int
        N.
    lengths : (B,) array of int
        Sequence b's own length, at most T: it starts T - lengths[b] steps late.
    source : str
        ``white:STD``, ``zeros``, ``captured`` or the path of a file.
    taken : (B, N + T) array of bool, or None
        Which steps are taken; the others are masked and hand the state on. None where no step is masked.
    tokens : tuple of str or None
        Names of the first sequence's steps, from its own first one on, where the input brings them.
    """

    inputs: Source
    burn_in: int
    lengths: Array
    source: str
    taken: Array | None = None
    tokens: tuple[str, ...] | None = None

    @cached_property
    def xs(self) -> Array:
        """The whole, (B, N + T, d)."""
        return self.inputs.between(0, self.inputs.shape[1])

    @property
    def trials(self) -> int:
        """The number B of sequences."""
        return self.inputs.shape[0]

    @property
    def steps(self) -> int:
        """The length T of the longest sequence, burn-in apart."""
        return self.inputs.shape[1] - self.burn_in

    @property
    def input_size(self) -> int:
        """The width d."""
        return self.inputs.shape[2]

    def with_inputs(self, xs: Array) -> InputSequences:
        """Return the same with other sequences in the place of these."""
        return replace(self, inputs=Held(xs, str(xs.dtype), self.source))

    @property
    def first(self) -> Array | None:
        """The step after which each sequence starts, (B,), or None where all start together."""
        late: Array = self.steps - self.lengths
        return late if late.any() else None

    @property
    def marks(self) -> Array | None:
        """Of `step_marks`, (B, N + T): steps before a sequence starts are masked too; None where all are taken."""
        if self.first is None:
            return None if self.taken is None else step_marks(self.taken)
        begun = np.arange(self.inputs.shape[1]) >= self.first[:, None]
        return step_marks(begun if self.taken is None else begun & self.taken)

    @property
    def masked_steps(self) -> int:
        """How many of the T steps, over all sequences within their own lengths, are masked."""
        if self.taken is None or self.marks is None:
            return 0
        return int(self.lengths.sum() - np.count_nonzero(self.marks[:, self.burn_in :] == TAKEN))


@dataclass(frozen=True, eq=False)
class InputRequest:
    """What the options say about the input; None where one is left to its default."""

    source: str = "white"
    steps: int | None = None
    trials: int | None = None
    input_size: int | None = None
    burn_in: int = 0
    lengths: str | None = None
    seed: int = 0
    dtype: str = "float64"
    one_hot_width: int | None = None
    """The width of token ids as unit vectors; None leaves it to the ids."""
    mask: str | None = None
    """A file of 0 and 1 for each sequence and step."""
    padding: str = PADDINGS[0]
    """At which end of a row the steps outside its length stand."""
    rule: MaskRule | None = None
    """What the model's own layers mask, unless a file says it."""
    repeated: bool = True
    """Whether a file's single sequence serves every trial: not where all trials have the same weights."""


def input_sequences(request: InputRequest, default_width: int, embedding: Array | None = None) -> InputSequences:
    """Return the input sequences that a request asks for, token ids through the rows of an embedding if there is one.

    White noise is drawn step by step from a stream of its trial, so that a shorter run is a prefix of a longer one and
    the same for every model.

    Raises
    ------
    UsageError
        If options contradict one another.
    VanishgradError
        If a file does not hold what the options ask for; the message says both numbers.
    """
    lengths = read_lengths(request.lengths)
    if request.source.partition(":")[0] in ("white", "zeros"):
        return _generated(request, lengths, default_width)
    return _from_file(request, lengths, embedding)


def white_std(source: str) -> float:
    """Return STD of ``white[:STD]``, or of ``normal[:STD]``."""
    kind, colon, text = source.partition(":")
    try:
        std = float(text) if colon else 1.0
    except ValueError:
        std = math.nan
    if not (math.isfinite(std) and std >= 0):
        raise UsageError(f"expected {kind} or {kind}:STD with a number STD >= 0, got {source!r}; try {kind}:0.5")
    return std


def _generated(request: InputRequest, lengths: Array | None, default_width: int) -> InputSequences:
    if request.source.startswith("zeros") and request.source != "zeros":
        raise UsageError(f"expected zeros without a value, got {request.source!r}; try --input zeros")
    mask = read_mask(request.mask)
    batch = next((len(each) for each in (lengths, mask) if each is not None), None)
    trials = _trials(request.trials, batch)
    of_mask = None if mask is None else mask.shape[1] - request.burn_in
    steps = _steps(request.steps, lengths) or of_mask or DEFAULT_STEPS
    shape = (trials, request.burn_in + steps, request.input_size or default_width)
    if mask is not None:
        demand_shape(mask, (trials,), shape[1], str(request.mask))
    if request.source == "zeros":
        return _aligned(Zeros(shape, request.dtype, request.source), request, lengths, steps, mask)
    noise: Source = Noise(white_std(request.source), shape, request.seed, request.dtype, request.source)
    if math.prod(shape) * 8 <= LARGEST_HELD:
        noise = Held(noise.between(0, shape[1]), request.dtype, request.source)
    return _aligned(noise, request, lengths, steps, mask)


def stretches(source: str, seed: int, shape: tuple[int, int, int], dtype: str) -> Iterator[Array]:
    """Yield consecutive stretches of generated input without end, each of a shape (B, L, d).

    Laid end to end they are the input that `input_sequences` generates, however long the stretches are.
    """
    std = 0.0 if source == "zeros" else white_std(source)
    trials, steps, width = shape
    streams = [stream(seed, Role.INPUT, trial, ANY_CELL) for trial in range(trials)]
    while True:
        with np.errstate(over="ignore"):
            xs = std * np.stack([each.standard_normal((steps, width)) for each in streams])
        yield rounded(xs, dtype, source)


def _from_file(request: InputRequest, lengths: Array | None, embedding: Array | None) -> InputSequences:
    sequences = load(request.source)
    length = sequences.values.shape[1]
    steps = _steps(request.steps, lengths) or length - request.burn_in
    if steps < 1 or request.burn_in + steps > length:
        after = f" after {request.burn_in} of burn-in" if request.burn_in else ""
        raise VanishgradError(
            f"expected {max(steps, 1)} steps{after} in {request.source!r}, got {length}; "
            f"try --steps {max(1, length - request.burn_in)}"
        )
    taken, total = taken_steps(request.mask, request.rule, sequences.values), request.burn_in + steps
    place = slice(length - total, length) if request.padding == "left" else slice(total)
    values = sequences.values[:, place]
    available = None if sequences.single and request.repeated else len(values)
    trials = _trials(request.trials, len(lengths) if lengths is not None else available)
    if available is not None and trials > available:
        raise VanishgradError(
            f"expected {trials} sequences in {request.source!r}, got {available}; try --trials {available}"
        )
    values = _for_trials(values, trials)
    inputs = _vectors(values, sequences, request, embedding)
    if request.input_size not in (None, inputs.shape[2]):
        raise VanishgradError(
            f"expected inputs of width {request.input_size}, got {inputs.shape[2]} in {request.source!r}; "
            f"try --input-size {inputs.shape[2]}"
        )
    if taken is not None:
        demand_shape(taken, (len(sequences.values), trials), length, str(request.mask))
        taken = _for_trials(taken[:, place], trials)
    return _aligned(inputs, request, lengths, steps, taken)


def _for_trials(values: Array, trials: int) -> Array:
    """Return the first sequences, or the only one for every trial."""
    return np.broadcast_to(values, (trials, *values.shape[1:])) if len(values) == 1 else values[:trials]


def _vectors(values: Array, sequences: FileSequences, request: InputRequest, embedding: Array | None) -> Source:
    """Return real inputs as they are, and token ids as rows of the embedding or as unit vectors."""
    if embedding is None:
        if sequences.are_tokens:
            return Tokens(values, _one_hot_width(values, sequences, request), request.dtype, request.source)
        return Held(values, request.dtype, request.source)
    if not sequences.are_tokens:
        raise VanishgradError(
            f"expected token ids for --embedding, got real numbers in {request.source!r}; try without it"
        )
    if values.max() >= len(embedding):
        raise VanishgradError(
            f"expected token ids below {len(embedding)}, the rows of the embedding, got {values.max()} in "
            f"{request.source!r}"
        )
    return Tokens(values, embedding, request.dtype, request.source)


def _one_hot_width(ids: Array, sequences: FileSequences, request: InputRequest) -> int:
    """Return the width of the unit vectors that stand for token ids (B, T)."""
    width = request.input_size or request.one_hot_width or sequences.width
    if ids.max() >= width and request.input_size is None:
        raise VanishgradError(
            f"expected token ids below {width}, the width of the layer's input, got {ids.max()} in {request.source!r}; "
            "try --embedding, or ids that it was trained on"
        )
    if ids.max() >= width:
        raise VanishgradError(
            f"expected token ids below {width}, got {ids.max()} in {request.source!r}; try --input-size {ids.max() + 1}"
        )
    if width > WIDEST_ONE_HOT:
        raise VanishgradError(
            f"expected at most {WIDEST_ONE_HOT} different token ids, got {width} in {request.source!r}; try smaller ids"
        )
    return width


def _trials(requested: int | None, batch: int | None) -> int:
    return requested or batch or DEFAULT_TRIALS


def _steps(requested: int | None, lengths: Array | None) -> int | None:
    if lengths is None:
        return requested
    longest = int(lengths.max())
    if requested is not None and longest > requested:
        raise UsageError(f"expected --lengths up to --steps {requested}, got {longest}; try --steps {longest}")
    return longest


def _aligned(
    inputs: Source, request: InputRequest, lengths: Array | None, steps: int, taken: Array | None
) -> InputSequences:
    """Move each sequence to the end of its row: lag 0 is everyone's own last step. Masked steps get no input."""
    trials, burn_in = inputs.shape[0], request.burn_in
    taken = None if taken is None or taken.all() else taken
    if lengths is None and taken is None:
        return InputSequences(inputs, burn_in, np.full(trials, steps), inputs.name)
    if lengths is not None and len(lengths) != trials:
        raise UsageError(
            f"expected one of --lengths for each of {trials} trials, got {len(lengths)}; try --trials {len(lengths)}"
        )
    xs = inputs.between(0, inputs.shape[1])
    if taken is not None:
        xs = np.where(taken[..., None], xs, 0)
    if lengths is not None:
        xs = at_the_end(xs, lengths, burn_in, request.padding)
        taken = None if taken is None else at_the_end(taken, lengths, burn_in, request.padding)
    else:
        lengths = np.full(trials, steps)
    sequences = InputSequences(Held(xs, inputs.dtype, inputs.name), burn_in, lengths, inputs.name, taken)
    if taken is not None and sequences.marks is not None:
        demand_some_taken(sequences.marks[:, burn_in:] == TAKEN, str(request.mask or inputs.name))
    return sequences
