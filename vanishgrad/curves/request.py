"""Requests of measured runs: which models, which curves, and how they are measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from vanishgrad.errors import UsageError
from vanishgrad.languages import translatable
from vanishgrad.models.options import ModelOptions
from vanishgrad.option_ranges import demand_threshold
from vanishgrad.propagation.backends import backend

ENGINES = ("auto", "dense", "adaptive", "matrix-free", "diagonal", "key-side")
CURVES = (
    translatable("state"), translatable("hidden"), translatable("cell"), translatable("conveyor"),
    translatable("input"), translatable("output"),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Scope:
    """What of a model is measured.

    Attributes
    ----------
    curves : tuple of str or None
        The curves that are measured at every lag; None for all.
    last_input : bool
        Whether ``input`` is measured at the last lag of the longest and of the shortest sequence, if at no other.
    details : bool
        Whether singular values are counted, the share of the parameter gradient by lag is taken, and the bounds are
        that need products of their own.
    per_trial : bool
        Whether each trial's norms are kept beside the statistics over them.
    """

    curves: tuple[str, ...] | None = None
    last_input: bool = False
    details: bool = True
    per_trial: bool = False

    def measures(self, curve: str) -> bool:
        """Whether a curve is measured at every lag."""
        return self.curves is None or curve in self.curves

    def renamed(self, names: Mapping[str, str]) -> Scope:
        """Return the same with other names for some curves."""
        if self.curves is None:
            return self
        return replace(self, curves=tuple(names.get(name, name) for name in self.curves))

    def covers(self, curve: str) -> bool:
        """Whether a curve is measured at some lag."""
        return self.measures(curve) or (curve == "input" and self.last_input)


EVERYTHING = Scope()
SUMMARY = Scope(("state",), last_input=True, details=False)
"""What a table and its sentences say."""


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
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
        demand_threshold(self.threshold)
        if self.engine not in ENGINES:
            raise UsageError(f"expected --engine {', '.join(ENGINES)}, got {self.engine!r}")
        backend(self.backend, self.device)


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class CurvesRequest(RunRequest):
    """What a report of curves is asked for.

    Attributes
    ----------
    curves : tuple of str or None
        Those of `CURVES` to measure; all by default.
    summary : bool
        Whether to measure only what tables and sentences say: ``state``, and ``input`` at the last lag.
    per_trial : bool
        Whether reports have each trial's norms by lag, too.
    """

    curves: tuple[str, ...] | None = None
    summary: bool = False
    per_trial: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.curves is not None and not (self.curves and set(self.curves) <= set(CURVES)):
            raise UsageError(f"expected curves among {', '.join(CURVES)}, got {', '.join(self.curves) or 'none'}")
        if self.curves is not None and self.summary:
            raise UsageError("expected curves or a summary, got both; try one of them")

    @property
    def scope(self) -> Scope:
        """What of each model is measured."""
        return SUMMARY if self.summary else Scope(self.curves, per_trial=self.per_trial)
