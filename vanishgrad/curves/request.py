"""What every measured run is asked for, whatever the weights."""

from __future__ import annotations

from dataclasses import dataclass

from vanishgrad.curves.scope import SUMMARY, Scope
from vanishgrad.errors import UsageError
from vanishgrad.propagation.backends import backend

DTYPES = ("float64", "float32")
ENGINES = ("auto", "dense", "adaptive", "matrix-free")
CURVES = ("state", "hidden", "cell", "conveyor", "input", "output")
LEAST = {
    "hidden": 1, "input_size": 1, "steps": 1, "trials": 1, "seed": 0, "burn_in": 0, "exponents": 1, "lyapunov_steps": 1,
}  # fmt: skip
"""The least value of each option that counts something, where a request has it."""


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """The options that all measured runs share, as the command line has them.

    Attributes
    ----------
    steps, trials : int or None
        None leaves them to the input.
    seed, burn_in : int
    input, initial : str
    lengths : str or None
    threshold : float
        Between 0 and 1.
    dtype, engine : str
        One of `DTYPES` and of `ENGINES`.
    backend : str
        The array library: ``numpy``, ``torch`` or ``cupy``.
    device : str or None
        ``cpu`` or ``cuda``; None leaves it to the backend.

    Raises
    ------
    UsageError
        For a value that cannot be.
    """

    steps: int | None = None
    trials: int | None = None
    seed: int = 0
    input: str = "white"
    initial: str = "zeros"
    burn_in: int = 0
    lengths: str | None = None
    threshold: float = 1e-3
    dtype: str = "float64"
    engine: str = "auto"
    backend: str = "numpy"
    device: str | None = None

    def __post_init__(self) -> None:
        for name, least in LEAST.items():
            value = getattr(self, name, None)
            if value is not None and value < least:
                raise UsageError(f"expected --{name.replace('_', '-')} from {least} on, got {value}")
        if not 0 < self.threshold < 1:
            raise UsageError(f"expected --threshold between 0 and 1, got {self.threshold:g}; try --threshold 1e-3")
        if self.dtype not in DTYPES:
            raise UsageError(f"expected --dtype {' or '.join(DTYPES)}, got {self.dtype!r}")
        if self.engine not in ENGINES:
            raise UsageError(f"expected --engine {', '.join(ENGINES)}, got {self.engine!r}")
        backend(self.backend, self.device)


@dataclass(frozen=True, kw_only=True)
class CurvesRequest(RunRequest):
    """What a report of curves is asked for.

    Attributes
    ----------
    curves : tuple of str or None
        Those of `CURVES` to measure; all by default.
    summary : bool
        Whether to measure only what tables and sentences say: ``state``, and ``input`` at the last lag.
    """

    curves: tuple[str, ...] | None = None
    summary: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.curves is not None and not (self.curves and set(self.curves) <= set(CURVES)):
            raise UsageError(f"expected curves among {', '.join(CURVES)}, got {', '.join(self.curves) or 'none'}")
        if self.curves is not None and self.summary:
            raise UsageError("expected curves or a summary, got both; try one of them")

    @property
    def scope(self) -> Scope:
        """What of each model is measured."""
        return SUMMARY if self.summary else Scope(self.curves)
