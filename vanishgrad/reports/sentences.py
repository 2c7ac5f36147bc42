"""One plain sentence for each model that answers why, and the caveats that belong to all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from vanishgrad.cells.registry import keep_words

if TYPE_CHECKING:
    from vanishgrad.reports.documents.curve import CurveDocument
    from vanishgrad.reports.documents.model import ModelDocument
    from vanishgrad.reports.documents.report import ModelsDocument

CAVEAT = (
    "Random weights before training{noise}. An LSTM's cell makes a long memory possible; its forget bias decides "
    "whether it has one.{chrono}"
)


def sentence(model: ModelDocument) -> str:
    """Return why the state's gradient does what it does, in numbers."""
    state = model.curves.get("state")
    if state is None:
        return ""
    parts = [_factor(state), reach(state), _gates(model), _weights(model), _written(model)]
    return "; ".join(part for part in parts if part) + "."


def _factor(state: CurveDocument) -> str:
    if state.zero_trials:
        return f"the gradient is exactly zero in {state.zero_trials} of {max(state.count)} trials"
    if state.rate is None:
        return f"{state.common_lag} steps are too few for a rate"
    return f"each step multiplies the gradient by about {number(math.exp(state.rate.value))}"


def reach(state: CurveDocument) -> str:
    """Return what is left of a curve's gradient, up to its horizon or at its end."""
    threshold, last = state.threshold, state.common_lag
    if state.verdict == "exploding":
        return f"after {last} steps it is more than {number(1 / threshold)} times as large"
    if state.horizon_censored:
        more = f", projected to {state.projected_horizon}" if state.projected_horizon else ""
        return f"after {last} steps more than {fraction(threshold)} is left{more}"
    if state.horizon is not None:
        return f"at least {fraction(threshold)} is left up to lag {state.horizon}, less behind it"
    start = state.log10_norm.median[0]
    if start is None or start < math.log10(threshold):
        return f"less than {fraction(threshold)} is left at lag 0"
    return f"where less than {fraction(threshold)} is left was not measured"


def _gates(model: ModelDocument) -> str:
    gates = model.gates
    averages = [f"{word} gates average {gates[word].mean:.2g}" for word in keep_words() if word in gates]
    return ", ".join(averages)


def _weights(model: ModelDocument) -> str:
    values = {bound.name: bound.value for bound in model.bounds}
    norm, radius = values.get("gamma_norm"), values.get("spectral_radius")
    if norm is None or radius is None:
        return ""
    whole = " without masked steps" if model.masked_steps else ""
    proof = f"which proves it for every input{whole}" if norm < 1 else "which proves nothing"
    return f"γ‖W‖₂ is {number(norm)}, {proof}, and ρ(W) is {number(radius)}"


def _written(model: ModelDocument) -> str:
    """Say so where memory is kept but hardly written: the state's curve stays, the input's does not."""
    state, received = model.curves["state"], model.curves.get("input")
    if received is None or state.verdict != "preserved":
        return ""
    last = received.log10_norm.median[received.common_lag]
    left = state.log10_norm.median[state.common_lag]
    if last is None or left is None or last > -1 or left - last < 1:
        return ""
    return f"an input of {received.common_lag} steps ago moves the output by only {power(last)}: kept, hardly written"


class Cautioned(Protocol):
    """A model, or what was judged of it."""

    @property
    def label(self) -> str:
        """Its name."""

    @property
    def caution(self) -> str | None:
        """What to know of its input."""


def opening(models: Sequence[Cautioned]) -> str:
    """Return what must be read before any number, and of which models where it is not true of all; or nothing."""
    cautions = list(dict.fromkeys(model.caution for model in models if model.caution))
    if all(model.caution for model in models):
        return "; ".join(f"{caution[0].upper()}{caution[1:]}." for caution in cautions)
    return "; ".join(f"{', '.join(_labels(models, caution))}: {caution}" for caution in cautions)


def _labels(models: Sequence[Cautioned], caution: str) -> list[str]:
    return [model.label for model in models if model.caution == caution]


def _is_random(report: ModelsDocument) -> bool:
    return any(model.source.kind == "random" for model in report.models)


def driven_by(models: Sequence[ModelDocument]) -> str:
    """Return what drove the models, each input once."""
    return ", ".join(dict.fromkeys(model.input for model in models))


def _is_noise(report: ModelsDocument) -> bool:
    return any(model.source.kind == "random" and model.input.startswith("white") for model in report.models)


def caveat(report: ModelsDocument) -> str:
    """Return what holds for every number of random weights; of a file's layers, that each stands alone."""
    if not _is_random(report):
        return "A layer's curve goes through that layer alone, its input sequence held fixed."
    noise = ", driven by white noise" if _is_noise(report) else ""
    is_chrono = any("@chrono" in model.spec for model in report.models)
    return CAVEAT.format(noise=noise, chrono=" The chrono law was told the length T." if is_chrono else "")


def notes(models: Sequence[ModelDocument]) -> list[str]:
    """Return each note once, with the models that it is about."""
    labels: dict[str, list[str]] = {}
    for model in models:
        for note in model.notes:
            labels.setdefault(note, []).append(model.label)
    return [f"{', '.join(about)}: {note}" for note, about in labels.items()]


def number(value: float) -> str:
    """Return a number as people write it: two or three figures."""
    if 0.1 <= value < 10:
        return f"{value:.2f}"
    return f"{value:.0f}" if 1000 <= value < 1e7 else f"{value:.3g}"


def span(numbers: Iterable[int]) -> str:
    """Return whole numbers as their one value, or the least and the largest."""
    values = sorted(set(numbers))
    return str(values[0]) if len(values) == 1 else f"{values[0]} to {values[-1]}"


def fraction(threshold: float) -> str:
    """Return 1/1000 for 1e-3."""
    inverse = 1 / threshold
    whole = inverse < 1e7 and abs(inverse - round(inverse)) < 1e-6 * inverse
    return f"1/{round(inverse)}" if whole else f"{threshold:g}"


SUPERSCRIPTS = str.maketrans("-0123456789.", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹·")


def power(log10: float) -> str:
    """Return a power of ten: 10⁻²·⁵."""
    return "10" + f"{round(log10, 1) + 0.0:.1f}".translate(SUPERSCRIPTS)


def log10_text(value: float | None) -> str:
    """Return a base-10 logarithm for a table; an exact zero is 'zero'."""
    return "zero" if value is None else f"{round(value, 1) + 0.0:.1f}" if math.fabs(value) < 1000 else f"{value:.0f}"
