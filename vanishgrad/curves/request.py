"""What every measured run is asked for: which models, and how they are measured."""

from __future__ import annotations

from dataclasses import dataclass

from vanishgrad.curves.scope import SUMMARY, Scope
from vanishgrad.errors import UsageError
from vanishgrad.models.options import ModelOptions
from vanishgrad.propagation.backends import backend

ENGINES = ("auto", "dense", "adaptive", "matrix-free")
CURVES = ("state", "hidden", "cell", "conveyor", "input", "output")


@dataclass(frozen=True, kw_only=True)
class RunRequest(ModelOptions):
    """Models, and how they are measured.

    Attributes
    ----------
    threshold : float
        Between 0 and 1.
    engine : str
        One of `ENGINES`.
    backend : str
        The array library: ``numpy``, ``torch`` or ``cupy``.
    device : str or None
        ``cpu`` or ``cuda``; None leaves it to the backend.

    Raises
    ------
    UsageError
        For a value that cannot be.
    """

    threshold: float = 1e-3
    engine: str = "auto"
    backend: str = "numpy"
    device: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.threshold < 1:
            raise UsageError(f"expected --threshold between 0 and 1, got {self.threshold:g}; try --threshold 1e-3")
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
