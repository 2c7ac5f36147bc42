"""What all reports have in common: their header, the run that was asked for, models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from vanishgrad.curves.statistics import QUANTILE_TRIALS
from vanishgrad.reports.documents.declaration import Count, Document, Limits, Size
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.documents.report_document import ReportDocument
from vanishgrad.weights.hints import Hints

BandName = Literal["min-max", "5-95 %"]


class RunDocument(Document):
    """A run as it was asked for, with every default resolved."""

    steps: Size
    trials: Size
    seed: Count
    input: str
    initial: str
    burn_in: Count
    lengths: Annotated[Sequence[Size] | None, "each sequence's own length; null where all are as long as the run"]
    padding: Annotated[Literal["right", "left"], "where in a row what lies outside its length stands"] = "right"
    mask: Annotated[str | None, "the file that says which steps are masked"] = None
    threshold: Annotated[float, Limits(exclusive_minimum=0, exclusive_maximum=1)]
    dtype: Literal["float64", "float32"]
    engine: Literal["auto", "dense", "adaptive", "matrix-free", "diagonal", "key-side"]
    backend: Literal["numpy", "torch", "cupy"]
    device: Literal["cpu", "cuda"] | None
    band: Annotated[BandName, "what `low` and `high` are"]


class CurvesRunDocument(RunDocument):
    """A run of which not everything need have been measured."""

    curves: Annotated[Sequence[str] | None, "where not all of them were measured"] = None
    summary: Annotated[bool, "true where only `state` and the last lag of `input` were measured"] = False
    per_trial: Annotated[bool, "true where curves have `by_trial`"] = False


class HintsDocument(Hints, Document):
    """How a file was to be read: each of the hints only where it was given."""

    __init__ = Document.__init__

    def __post_init__(self) -> None:
        """Take any text: what a hint may be is for the command that was given it to say."""


class LayersDocument(Document):
    """Which layers of a file were asked for, and what drives them, only where anything was said of it."""

    layers: Annotated[Sequence[str], "all if empty"] = ()
    stack: Annotated[Sequence[str], "layers in the order in which they drive one another"] = ()
    embedding: Annotated[str | None, "the matrix through which token ids went"] = None


class FileRequestDocument(HintsDocument, LayersDocument):
    """All that was said of a file."""


class ModelsDocument(ReportDocument):
    """A report of models that were run."""

    request: RunDocument
    models: Sequence[ModelDocument]

    @property
    def labels(self) -> tuple[str, ...]:
        """The models' labels, in the order of the report."""
        return tuple(model.label for model in self.models)

    @property
    def trials(self) -> int:
        """The largest number of trials of any model."""
        return max(model.trials for model in self.models)

    def flaw(self) -> str | None:
        """There is something to report."""
        return None if self.models else "at least one model"


def band_name(trials: int) -> BandName:
    """Return what `low` and `high` are."""
    return "min-max" if trials < QUANTILE_TRIALS else "5-95 %"
