"""Model options: how MODELs and files of weights become models with input and start, as one object."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np

from vanishgrad.errors import UsageError
from vanishgrad.inputs.lengths import PADDINGS
from vanishgrad.inputs.sequences import InputRequest
from vanishgrad.models.option_types import demand_types, settle
from vanishgrad.option_ranges import COUNTS, demand_count, demand_memory
from vanishgrad.weights.hints import Hints

DTYPES = ("float64", "float32")
OF_MODELS = ("hidden", "input_size")
"""The options that speak of a MODEL."""
HINT_NAMES = tuple(each.name for each in fields(Hints))
OF_FILES = ("layer", "stack", "embedding", *HINT_NAMES)
"""The options that speak of a file."""


@dataclass(frozen=True, kw_only=True)
class ModelOptions(Hints):
    """What every command is told of its models, as the command line has it; the hints of a file among them.

    Attributes
    ----------
    hidden : int
        The hidden size of a MODEL that does not name its own.
    input_size : int or None
        Of a MODEL; None leaves it to the input: `hidden` without a file.
    layer, stack : tuple of str
        Names of a file's layers, all if empty; names in the order in which they drive one another. One name, and
        names between commas, are taken too.
    embedding : str or None
        A matrix of the same file through which token ids go.
    steps, trials : int or None
        None leaves them to the input.
    seed, burn_in : int
    input, initial : str
    lengths, mask : str or None
        What the command line takes; or an array instead of a file.
    padding : str
        One of `PADDINGS`: at which end of a row the steps outside its length stand.
    dtype : str
        One of `DTYPES`.

    Raises
    ------
    UsageError
        For a value that cannot be.
    """

    UNUSED: ClassVar[tuple[str, ...]] = ()
    """The options that a command cannot use, and does not take."""

    hidden: int = 64
    input_size: int | None = None
    layer: tuple[str, ...] = ()
    stack: tuple[str, ...] = ()
    embedding: str | None = None
    steps: int | None = None
    trials: int | None = None
    seed: int = 0
    input: str = "white"
    initial: str = "zeros"
    burn_in: int = 0
    lengths: str | None = None
    padding: str = PADDINGS[0]
    mask: str | None = None
    dtype: str = "float64"

    def __post_init__(self) -> None:
        settle(self)
        super().__post_init__()
        demand_types(self)
        if self.dtype not in DTYPES:
            raise UsageError(f"expected --dtype {' or '.join(DTYPES)}, got {self.dtype!r}")
        for name in COUNTS:
            if (value := getattr(self, name, None)) is not None:
                demand_count(name, value)
        if self.padding not in PADDINGS:
            raise UsageError(f"expected --padding {' or '.join(PADDINGS)}, got {self.padding!r}")
        if self.padding != PADDINGS[0] and self.lengths is None:
            raise UsageError("expected --padding beside --lengths, got it alone; try --lengths 7,12,9, or --mask FILE")
        of_weights = 4 * self.hidden * (self.hidden + (self.input_size or self.hidden)) * np.dtype(self.dtype).itemsize
        demand_memory(self.steps or 0, self.trials or 1, of_weights)
        if self.embedding is not None and self.is_noise:
            raise UsageError("expected token ids for --embedding, got noise; try --input TOKENS.npy")

    @property
    def is_noise(self) -> bool:
        """Whether the models are driven by generated input."""
        return self.input.partition(":")[0] in ("white", "zeros")

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers named, as reports call them."""
        return self.layer

    @property
    def hints(self) -> dict[str, Any]:
        """The reading that the user chooses."""
        return {name: getattr(self, name) for name in HINT_NAMES}

    def shared_input(self) -> InputRequest:
        """Return what is said of the input that all MODELs share."""
        return replace(self.layer_input(), input_size=self.input_size, repeated=True)

    def layer_input(self) -> InputRequest:
        """Return what is said of the input of a file's layers, whose weights are the same in all trials."""
        return InputRequest(
            self.input,
            self.steps,
            self.trials,
            None,
            self.burn_in,
            self.lengths,
            self.seed,
            self.dtype,
            mask=self.mask,
            padding=self.padding,
            repeated=False,
        )


def option_names(request: type[ModelOptions]) -> tuple[str, ...]:
    """Return the options that a command takes: the fields of its request."""
    return tuple(each.name for each in fields(request) if each.name not in request.UNUSED)
