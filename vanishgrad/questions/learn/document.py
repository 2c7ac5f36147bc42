"""What `learn` found, as its JSON document, and what it was asked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from vanishgrad.errors import UsageError
from vanishgrad.models.options import DTYPES
from vanishgrad.option_ranges import demand_count
from vanishgrad.questions.learn.optimizers import OPTIMIZERS
from vanishgrad.reports.documents.declaration import Count, Document, Limits, Size
from vanishgrad.reports.documents.report_document import ReportDocument

Positive = Annotated[float, Limits(exclusive_minimum=0)]
DEFAULTS: Mapping[str, Any] = {
    "task": "recall", "gaps": (10, 20, 40, 80), "seeds": 2, "hidden": 32, "batch": 64, "updates": 1500,
    "optimizer": "adam", "lr": 3e-3, "clip": 1.0, "truncation": None, "seed": 0, "dtype": "float32",
}  # fmt: skip
"""What is trained where nobody says otherwise; with the default models it takes two minutes on two cores."""
COUNTED = ("seeds", "hidden", "batch", "updates", "truncation", "seed")


class LearnSettings(Document):
    """What is trained, on what, and how."""

    models: Sequence[str]
    gaps: Sequence[Size]
    task: Annotated[str, "recall, copy, adding, order, language[:en|zh][,characters], or a .npz file with x, y, mask"]
    seeds: Size
    hidden: Size
    batch: Annotated[Size, "sequences of each seed in an update"]
    updates: Annotated[Size, "the most updates of a seed"]
    optimizer: Literal["adam", "sgd"]
    lr: Positive
    clip: Annotated[Positive | None, "the largest norm of a seed's gradient; null clips nothing"]
    truncation: Annotated[Size | None, "steps of a segment of truncated backpropagation; null goes back to the start"]
    seed: Count
    dtype: Literal["float32", "float64"]

    def __post_init__(self) -> None:
        for name in COUNTED:
            if getattr(self, name) is not None:
                demand_count(name, getattr(self, name))
        for name in ("lr", "clip"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise UsageError(f"expected a number --{name} > 0, got {value:g}; try --{name} 0.01")
        if self.optimizer not in OPTIMIZERS or self.dtype not in DTYPES:
            raise UsageError(f"expected --optimizer adam or sgd and --dtype {' or '.join(DTYPES)}")
        for name, values in (("MODEL", self.models), ("gap", self.gaps)):
            for value in values:
                if values.count(value) > 1:
                    raise UsageError(f"expected each {name} once, got {value} twice; try leaving one out")

    def trains_alike(self, other: LearnSettings) -> bool:
        """Whether a MODEL at a gap is trained as the other settings do."""
        listed: dict[str, list[str]] = {"models": [], "gaps": []}
        return self.to_dict() | listed == other.to_dict() | listed


class DivergedSeed(Document):
    """A seed whose training left the finite numbers; the other seeds go on."""

    seed: Count
    update: Size
    quantity: Literal["loss", "gradient norm"]
    last: Annotated[float | None, "the last finite norm of the gradient, before clipping"]


class Snapshot(Document):
    """A model while it learns: how far back its gradient reaches, and how much of it comes from the key."""

    update: Count
    state_horizon: Annotated[Count, "last lag at which ‖∂s_T/∂s_k‖ is 1/1000 or more, median over seeds"]
    state_censored: bool
    input_horizon: Annotated[Count, "the same of ‖∂h_T/∂x_k‖"]
    input_censored: bool
    key_share: Annotated[
        Sequence[float | None] | None,
        "of each seed, ‖G_key‖ / ‖∂L/∂θ‖, G_key what enters at the key's step; null where no step is the key's",
    ]


class LearnedGap(Document):
    """One model at one gap."""

    gap: Size
    steps: Annotated[Size, "the length of a sequence"]
    baseline: Annotated[float, "the loss without memory of the key"]
    updates: Annotated[Sequence[int | None], "of each seed, updates until it was solved; null = never"]
    solved: Annotated[Count, "how many seeds solved it"]
    median: Annotated[float | None, "of the updates; null where at least half the seeds never solved it"]
    diverged: Sequence[DivergedSeed]
    loss_updates: Annotated[Sequence[int], "update up to which each entry of `loss` is a mean"]
    loss: Annotated[
        Sequence[Sequence[float | None]], "of each seed, mean loss since the entry before; null once it has stopped"
    ]
    snapshots: Annotated[Sequence[Snapshot], "left out where units saturate so far that no norm can be told"]


class SampleLaw(Document):
    """ln(updates) = a + slope · gap over the gaps that were solved: the law N ∝ ρ^(-2 gap), with its residuals."""

    slope: Annotated[float, "nats a step"]
    predicted: Annotated[float | None, "2 ln(1000) / horizon at initialisation; null where the horizon is censored"]
    gaps: Sequence[int]
    residuals: Annotated[Sequence[float], "of ln(updates), at those gaps"]


class LearnedModel(Document):
    """One model at every gap."""

    label: str
    spec: Annotated[str, "at the longest gap, with every key resolved"]
    cell: str
    state_horizon: Annotated[Count | None, "at initialisation, at the longest gap; null where that is not finished"]
    state_censored: bool
    input_horizon: Count | None
    input_censored: bool
    edge: Annotated[Count | None, "the last gap before the first that most seeds did not solve; 0 = not even the first"]
    edge_censored: Annotated[bool, "whether every gap was solved"]
    edge_over_horizon: Annotated[float | None, "edge / state_horizon; null where the horizon is 0 or not measured"]
    law: SampleLaw | None
    sentence: str
    gaps: Sequence[LearnedGap]


class HorizonOrder(Document):
    """Does the horizon at initialisation order what can be learned?"""

    rank_correlation: Annotated[
        float | None, "Spearman's ρ of state_horizon and every seed's own edge; null if constant"
    ]
    low: Annotated[float | None, "2.5 % of 2000 bootstrap samples of models"]
    high: Annotated[float | None, "97.5 %"]
    pairs: Count
    exceptions: Annotated[Sequence[str], "models whose edge over horizon is more than twice, or under half, the median"]


class LearnDocument(ReportDocument):
    """What `learn` found."""

    command = "learn"

    request: LearnSettings
    complete: Annotated[bool, "false where it was interrupted: --resume goes on"]
    models: Sequence[LearnedModel]
    order: HorizonOrder
