"""What all reports have in common: their header, the run that was asked for, models."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from vanishgrad import __version__
from vanishgrad.curves.statistics import QUANTILE_TRIALS
from vanishgrad.reports.documents.declaration import Count, Document, Limits, Size
from vanishgrad.reports.documents.format_version import FORMAT_VERSION
from vanishgrad.reports.documents.kinds import Schema, refuse
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.weights.hints import Hints

R = TypeVar("R", bound="ReportDocument")
BandName = Literal["min-max", "5-95 %"]


@dataclass(frozen=True, eq=False, kw_only=True)
class ReportDocument(Document):
    """A whole report; its first members are its format, the format's version and the version of vanishgrad."""

    command: ClassVar[str]

    @classmethod
    def read(cls: type[R], value: Any, path: str = "") -> R:
        """Return the report in a JSON value whose header is this report's."""
        if not isinstance(value, dict):
            refuse("an object", path, value)
        return super().read({name: inner for name, inner in value.items() if name not in cls.header()}, path)

    @classmethod
    def header(cls) -> dict[str, Any]:
        """Return what the report begins with."""
        return {"format": f"vanishgrad-{cls.command}", "format_version": FORMAT_VERSION, "vanishgrad": __version__}

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {**self.header(), **super().to_dict()}

    def to_json(self) -> str:
        """Return strict JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"

    @classmethod
    def schema(cls) -> Schema:
        """Return the JSON Schema of the report."""
        head = {
            "format": {"enum": [f"vanishgrad-{cls.command}"]},
            "format_version": {"enum": [FORMAT_VERSION]},
            "vanishgrad": {"type": "string"},
        }
        body = super().schema()
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": f"vanishgrad {cls.command}",
            **body,
            "properties": {**head, **body["properties"]},
            "required": [*head, *body["required"]],
        }


@dataclass(frozen=True, eq=False, kw_only=True)
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
    engine: Literal["auto", "dense", "adaptive", "matrix-free"]
    backend: Literal["numpy", "torch", "cupy"]
    device: Literal["cpu", "cuda"] | None
    band: Annotated[BandName, "what `low` and `high` are"]


@dataclass(frozen=True, eq=False, kw_only=True)
class CurvesRunDocument(RunDocument):
    """A run of which not everything need have been measured."""

    curves: Annotated[Sequence[str] | None, "where not all of them were measured"] = None
    summary: Annotated[bool, "true where only `state` and the last lag of `input` were measured"] = False


@dataclass(frozen=True, eq=False, kw_only=True)
class HintsDocument(Hints, Document):
    """How a file was to be read: each of the hints only where it was given."""

    def __post_init__(self) -> None:
        """Take any text: what a hint may be is for the command that was given it to say."""


@dataclass(frozen=True, eq=False, kw_only=True)
class LayersDocument(Document):
    """Which layers of a file were asked for, and what drives them, only where anything was said of it."""

    layers: Annotated[Sequence[str], "all if empty"] = ()
    stack: Annotated[Sequence[str], "layers in the order in which they drive one another"] = ()
    embedding: Annotated[str | None, "the matrix through which token ids went"] = None


@dataclass(frozen=True, eq=False, kw_only=True)
class FileRequestDocument(HintsDocument, LayersDocument):
    """All that was said of a file."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ModelsDocument(ReportDocument):
    """A report of models that were run."""

    request: RunDocument
    models: Sequence[ModelDocument]

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
