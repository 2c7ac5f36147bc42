"""What `sweep` found, as its JSON document, and what it was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from vanishgrad.errors import UsageError
from vanishgrad.models.options import DTYPES
from vanishgrad.option_ranges import COUNTS, demand_count, demand_threshold
from vanishgrad.questions.sweep.axes import GENERATED, generated_std, option_axis
from vanishgrad.questions.sweep.measures import MeasuredQuantity, measure_named
from vanishgrad.reports.documents.declaration import Count, Document, Limits, Size
from vanishgrad.reports.documents.report_document import ReportDocument

DEFAULTS: Mapping[str, Any] = {
    "hidden": (64,), "input_size": (), "steps": (100,), "burn_in": (0,), "seed": (0,), "input": ("white",),
    "initial": ("zeros",), "dtype": ("float64",), "threshold": (1e-3,), "layer": (), "trials": 8,
    "measure": ("rate", "horizon"),
}  # fmt: skip
"""As for `compare`, where nobody says otherwise."""
OPTION_AXES = ("hidden", "input_size", "steps", "burn_in", "seed", "input", "initial", "dtype", "threshold")
"""The options that may have several values, the last running fastest."""


class SweepSettings(Document):
    """Which points, and what is measured at each."""

    models: Annotated[Sequence[str], "as typed, their axes among the keys; or patterns of files of weights"]
    hidden: Sequence[Size]
    input_size: Annotated[Sequence[Size], "none: the hidden size"]
    steps: Sequence[Size]
    burn_in: Sequence[Count]
    seed: Sequence[Count]
    input: Sequence[str]
    initial: Sequence[str]
    dtype: Sequence[str]
    threshold: Sequence[Annotated[float, Limits(exclusive_minimum=0, exclusive_maximum=1)]]
    layer: Annotated[Sequence[str], "of files; none: all"]
    trials: Size
    measure: Sequence[str]

    def __post_init__(self) -> None:
        for name in ("models", "measure"):
            values = getattr(self, name)
            if not values:
                raise UsageError(f"expected at least one {name.removesuffix('s')}, got none; try rnn, rate")
            for value in values:
                if values.count(value) > 1:
                    raise UsageError(f"expected each {name.removesuffix('s')} once, got {value!r} twice")
        for name in (*OPTION_AXES, "trials"):
            value = getattr(self, name)
            for each in (value if name != "trials" else (value,)) if name in COUNTS else ():
                demand_count(name, each)
        for threshold in self.threshold:
            demand_threshold(threshold)
        for dtype in self.dtype:
            if dtype not in DTYPES:
                raise UsageError(f"expected --dtype {' or '.join(DTYPES)}, got {dtype!r}")
        for value in (*self.input, *self.initial):
            if value.partition(":")[0] in ("white", "normal", "zeros"):
                generated_std(value)
        for value in self.initial:
            if value.partition(":")[0] not in GENERATED["initial"]:
                raise UsageError(f"expected --initial zeros or normal in a sweep, got {value!r}; try zeros")
        for name in self.measure:
            self._demand_lag(name)

    def _demand_lag(self, name: str) -> None:
        lag = measure_named(name).lag
        if lag is not None and lag > min(self.steps):
            raise UsageError(f"expected {name} with --steps from {lag} on, got {min(self.steps)}; try --steps {lag}")

    def differences(self, other: SweepSettings) -> list[str]:
        """Return the names of the fields in which other settings differ."""
        own, others = self.to_dict(), other.to_dict()
        return [name for name in own if own[name] != others[name]]


def settings_of(models: str | Sequence[str], options: Mapping[str, Any]) -> SweepSettings:
    """Return the settings of a command or of a call in Python: axes as typed, as numbers or as sequences.

    Raises
    ------
    UsageError
        For a value that cannot be.
    """
    given = {**DEFAULTS, **options}
    axes = {name: list(option_axis(name, given[name])) for name in (*OPTION_AXES, "layer")}
    measure = given["measure"].split(",") if isinstance(given["measure"], str) else list(given["measure"])
    labels = [models] if isinstance(models, str) else list(models)
    trials = given["trials"]
    if not isinstance(trials, int):
        raise UsageError(
            f"expected one number of --trials, over which intervals are taken, got {trials!r}; try --seed 0..4/5"
        )
    return SweepSettings(**{**given, **axes, "measure": measure, "models": labels})


class SweptPoint(Document):
    """One point: a MODEL with its options."""

    model: Annotated[str, "as in the request"]
    label: Annotated[str, "the MODEL of this point alone"]
    coordinates: Annotated[Mapping[str, float | str], "axis → value, of every axis with several"]
    hidden: Size
    input_size: Size
    steps: Size
    burn_in: Count
    measures: Annotated[Mapping[str, MeasuredQuantity], "none where it failed"]
    failed: Annotated[str | None, "why there is no measure"]


class CriticalPoint(Document):
    """Where a measure crosses its neutral value, or the threshold, along the gain or the forget bias, beside theory."""

    model: str
    axis: Annotated[str, "gain or forget_bias"]
    measure: str
    level: Annotated[float, "of the measure: 0, or log₁₀ of the threshold"]
    coordinates: Annotated[Mapping[str, float | str], "the other axes"]
    measured: Annotated[float | None, "by linear interpolation between points; null where it does not cross"]
    predicted: Annotated[float | None, "null where no theory speaks of the model and its input"]
    theory: Annotated[str | None, "which one"]
    distance: Annotated[float | None, "measured - predicted"]


class SweepDocument(ReportDocument):
    """What `sweep` found."""

    command = "sweep"

    request: SweepSettings
    complete: Annotated[bool, "false where it was interrupted: --resume goes on"]
    points: Sequence[SweptPoint]
    critical: Annotated[Sequence[CriticalPoint], "where the gain or the forget bias is an axis"]

    @property
    def failures(self) -> list[SweptPoint]:
        """The points that failed."""
        return [point for point in self.points if point.failed is not None]
