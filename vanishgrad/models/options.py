"""Every option that says how MODELs and files of weights become models with input and start, as one object."""

from __future__ import annotations

from dataclasses import dataclass, fields

from vanishgrad.errors import UsageError
from vanishgrad.inputs.sequences import InputRequest
from vanishgrad.weights.hints import Hints

DTYPES = ("float64", "float32")
OF_FILES = ("layers", "stack", "embedding", *(each.name for each in fields(Hints)))
"""The options that speak of a file."""
LEAST = {
    "hidden": 1, "input_size": 1, "steps": 1, "trials": 1, "seed": 0, "burn_in": 0, "exponents": 1, "lyapunov_steps": 1,
}  # fmt: skip
"""The least value of each option that counts something, where a request has it."""


@dataclass(frozen=True, kw_only=True)
class ModelOptions(Hints):
    """What every command is told of its models, as the command line has it; the hints of a file among them.

    Attributes
    ----------
    hidden : int
        The hidden size of a MODEL that does not name its own.
    input_size : int or None
        Of a MODEL; None leaves it to the input: `hidden` without a file.
    layers, stack : tuple of str
        Names of a file's layers, all if empty; names in the order in which they drive one another.
    embedding : str or None
        A matrix of the same file through which token ids go.
    steps, trials : int or None
        None leaves them to the input.
    seed, burn_in : int
    input, initial : str
    lengths : str or None
    dtype : str
        One of `DTYPES`.

    Raises
    ------
    UsageError
        For a value that cannot be.
    """

    hidden: int = 64
    input_size: int | None = None
    layers: tuple[str, ...] = ()
    stack: tuple[str, ...] = ()
    embedding: str | None = None
    steps: int | None = None
    trials: int | None = None
    seed: int = 0
    input: str = "white"
    initial: str = "zeros"
    burn_in: int = 0
    lengths: str | None = None
    dtype: str = "float64"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in LEAST.items():
            value = getattr(self, name, None)
            if value is not None and value < least:
                raise UsageError(f"expected --{name.replace('_', '-')} from {least} on, got {value}")
        if self.dtype not in DTYPES:
            raise UsageError(f"expected --dtype {' or '.join(DTYPES)}, got {self.dtype!r}")
        if self.embedding is not None and self.is_noise:
            raise UsageError("expected token ids for --embedding, got noise; try --input TOKENS.npy")

    @property
    def is_noise(self) -> bool:
        """Whether the models are driven by generated input."""
        return self.input.partition(":")[0] in ("white", "zeros")

    @property
    def hints(self) -> dict[str, str | None]:
        """The reading that the user chooses."""
        return {each.name: getattr(self, each.name) for each in fields(Hints)}

    def shared_input(self) -> InputRequest:
        """Return what is said of the input that all MODELs share."""
        return InputRequest(
            self.input, self.steps, self.trials, self.input_size, self.burn_in, self.lengths, self.seed, self.dtype
        )

    def layer_input(self) -> InputRequest:
        """Return what is said of the input of a file's layers, whose weights are the same in all trials."""
        return InputRequest(
            self.input, self.steps, self.trials, None, self.burn_in, self.lengths, self.seed, self.dtype, repeated=False
        )
