"""The input sequences of a run, one for each trial, whatever they come from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.inputs.files import FileSequences, load, load_array
from vanishgrad.inputs.held_array import HeldArray
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
        ``white:STD``, ``zeros`` or the path of a file.
    """

    inputs: Source
    burn_in: int
    lengths: Array
    source: str

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


@dataclass(frozen=True)
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
    lengths = _lengths(request.lengths)
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
    trials = _trials(request.trials, None if lengths is None else len(lengths))
    steps = _steps(request.steps, lengths) or DEFAULT_STEPS
    shape = (trials, request.burn_in + steps, request.input_size or default_width)
    if request.source == "zeros":
        return _aligned(Zeros(shape, request.dtype, request.source), request.burn_in, lengths, steps)
    noise: Source = Noise(white_std(request.source), shape, request.seed, request.dtype, request.source)
    if math.prod(shape) * 8 <= LARGEST_HELD:
        noise = Held(noise.between(0, shape[1]), request.dtype, request.source)
    return _aligned(noise, request.burn_in, lengths, steps)


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
    held = sequences.values.shape[1]
    steps = _steps(request.steps, lengths) or held - request.burn_in
    if steps < 1 or request.burn_in + steps > held:
        after = f" after {request.burn_in} of burn-in" if request.burn_in else ""
        raise VanishgradError(
            f"expected {max(steps, 1)} steps{after} in {request.source!r}, got {held}; "
            f"try --steps {max(1, held - request.burn_in)}"
        )
    values = sequences.values[:, : request.burn_in + steps]
    available = None if sequences.single and request.repeated else len(values)
    trials = _trials(request.trials, len(lengths) if lengths is not None else available)
    if available is not None and trials > available:
        raise VanishgradError(
            f"expected {trials} sequences in {request.source!r}, got {available}; try --trials {available}"
        )
    values = np.broadcast_to(values, (trials, *values.shape[1:])) if len(values) == 1 else values[:trials]
    inputs = _vectors(values, sequences, request, embedding)
    if request.input_size not in (None, inputs.shape[2]):
        raise VanishgradError(
            f"expected inputs of width {request.input_size}, got {inputs.shape[2]} in {request.source!r}; "
            f"try --input-size {inputs.shape[2]}"
        )
    return _aligned(inputs, request.burn_in, lengths, steps)


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


def lengths_of(text: str | None) -> list[int] | None:
    """Return the lengths that ``--lengths`` names, None without it.

    Raises
    ------
    UsageError, VanishgradError
        If there are none.
    """
    lengths = _lengths(text)
    return None if lengths is None else lengths.tolist()


def _lengths(text: str | None) -> Array | None:
    if text is None:
        return None
    if isinstance(text, HeldArray) or text.endswith(".npy"):
        values = load_array(text, "lengths")
    else:
        try:
            values = np.array([int(field) for field in text.split(",")])
        except ValueError:
            raise UsageError(
                f"expected whole numbers between commas or a .npy file for --lengths, got {text!r}"
            ) from None
    if values.ndim != 1 or values.size == 0 or values.dtype.kind not in "iu" or values.min() < 1:
        error = VanishgradError if text.endswith(".npy") else UsageError
        raise error(f"expected lengths as whole numbers from 1 on, got {text!r}; try --lengths 7,12,9")
    return values.astype(np.int64)


def _trials(asked: int | None, given: int | None) -> int:
    return asked or given or DEFAULT_TRIALS


def _steps(asked: int | None, lengths: Array | None) -> int | None:
    if lengths is None:
        return asked
    longest = int(lengths.max())
    if asked is not None and longest > asked:
        raise UsageError(f"expected --lengths up to --steps {asked}, got {longest}; try --steps {longest}")
    return longest


def _aligned(inputs: Source, burn_in: int, lengths: Array | None, steps: int) -> InputSequences:
    """Move each sequence to the end of its row, so that lag 0 is everyone's own last step."""
    trials = inputs.shape[0]
    if lengths is None:
        return InputSequences(inputs, burn_in, np.full(trials, steps), inputs.name)
    if len(lengths) != trials:
        raise UsageError(
            f"expected one of --lengths for each of {trials} trials, got {len(lengths)}; try --trials {len(lengths)}"
        )
    xs = inputs.between(0, inputs.shape[1])
    moved = np.zeros_like(xs)
    for b, length in enumerate(lengths):
        moved[b, steps - length :] = xs[b, : burn_in + length]
    return InputSequences(Held(moved, inputs.dtype, inputs.name), burn_in, lengths, inputs.name)
