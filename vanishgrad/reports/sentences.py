"""One plain sentence for each model that answers why, and the caveats that belong to all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from vanishgrad.cells.registry import keep_words
from vanishgrad.languages import ENGLISH, language, translate, translate_count, translated

if TYPE_CHECKING:
    from vanishgrad.reports.documents.curve import CurveDocument
    from vanishgrad.reports.documents.model import ModelDocument
    from vanishgrad.reports.documents.report import ModelsDocument


def sentence(model: ModelDocument) -> str:
    """Return why the state's gradient does what it does, in numbers."""
    state = model.curves.get("state")
    if state is None:
        return ""
    parts = [_factor(state), reach(state), _gates(model), _weights(model), _written(model)]
    return translate("; ").join(part for part in parts if part) + translate(".")


def _factor(state: CurveDocument) -> str:
    if state.zero_trials:
        return translate(
            "the gradient is exactly zero in {count} of {trials} trials",
            count=state.zero_trials,
            trials=max(state.count),
        )
    if state.rate is None:
        return translate("{steps} steps are too few for a rate", steps=state.common_lag)
    factor = exponential(state.rate.value)
    return translate("each step multiplies the gradient by about {factor}", factor=factor)


def reach(state: CurveDocument) -> str:
    """Return what is left of a curve's gradient, up to its horizon or at its end."""
    threshold, last = state.threshold, state.common_lag
    if state.verdict == "exploding":
        factor = number(1 / threshold)
        return translate("after {steps} steps it is more than {factor} times as large", steps=last, factor=factor)
    left = fraction(threshold)
    if state.horizon_censored and state.projected_horizon:
        return translate(
            "after {steps} steps more than {left} is left, projected to {lag}",
            steps=last, left=left, lag=state.projected_horizon,
        )  # fmt: skip
    if state.horizon_censored:
        return translate("after {steps} steps more than {left} is left", steps=last, left=left)
    if state.horizon is not None:
        return translate("at least {left} is left up to lag {lag}, less behind it", left=left, lag=state.horizon)
    start = state.log10_norm.median[0]
    if start is None or start < math.log10(threshold):
        return translate("less than {left} is left at lag 0", left=left)
    return translate("where less than {left} is left was not measured", left=left)


def _gates(model: ModelDocument) -> str:
    gates = model.gates
    averages = [
        translate("{gate} gates average {mean}", gate=translated(word), mean=f"{gates[word].mean:.2g}")
        for word in keep_words()
        if word in gates
    ]
    return translate(", ").join(averages)


def _weights(model: ModelDocument) -> str:
    values = {bound.name: bound.value for bound in model.bounds}
    norm, radius = values.get("gamma_norm"), values.get("spectral_radius")
    if norm is None or radius is None:
        return ""
    if norm >= 1:
        proof = translate("which proves nothing")
    elif model.masked_steps:
        proof = translate("which proves it for every input without masked steps")
    else:
        proof = translate("which proves it for every input")
    return translate(
        "γ‖W‖₂ is {norm}, {proof}, and ρ(W) is {radius}", norm=number(norm), proof=proof, radius=number(radius)
    )


def _written(model: ModelDocument) -> str:
    """Say so where memory is kept but hardly written: the state's curve stays, the input's does not."""
    state, received = model.curves["state"], model.curves.get("input")
    if received is None or state.verdict != "preserved":
        return ""
    last = received.log10_norm.median[received.common_lag]
    left = state.log10_norm.median[state.common_lag]
    if last is None or left is None or last > -1 or left - last < 1:
        return ""
    return translate(
        "an input of {steps} steps ago moves the output by only {power}: kept, hardly written",
        steps=received.common_lag, power=power(last),
    )  # fmt: skip


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
        sentences = (translated(caution) for caution in cautions)
        return translate("; ").join(f"{text[0].upper()}{text[1:]}{translate('.')}" for text in sentences)
    return translate("; ").join(about(_labels(models, caution), translated(caution)) for caution in cautions)


def about(labels: Iterable[str], text: str) -> str:
    """Return what is said of the models of some labels."""
    return translate("{labels}: {sentence}", labels=translate(", ").join(labels), sentence=text)


def _labels(models: Sequence[Cautioned], caution: str) -> list[str]:
    return [model.label for model in models if model.caution == caution]


SHORTEST_PREFIX = 10
"""Characters that are worth a line of their own, to be left out of every label."""


def shared_prefix(labels: Sequence[str]) -> str:
    """Return what all layers' labels begin with, up to a separator; nothing where leaving it out saves no room."""
    if len(labels) < 2:
        return ""
    first, last = min(labels), max(labels)
    length = next((i for i, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) > 1), len(first) - 1)
    prefix = first[: 1 + max(first.rfind(separator, 0, length) for separator in "./:")]
    return prefix if len(prefix) >= SHORTEST_PREFIX else ""


def prefix_line(prefix: str) -> str:
    """Return the line that says it once."""
    return translate("layers of {prefix}…", prefix=prefix)


def without_prefix(models: Sequence[ModelDocument]) -> tuple[str, Sequence[ModelDocument]]:
    """Return the prefix that the layers of files share, and the models under what is left of their labels."""
    is_file = all(model.source.kind == "file" for model in models)
    prefix = shared_prefix([model.label for model in models]) if is_file else ""
    return prefix, [model.with_members(label=model.label[len(prefix) :]) for model in models] if prefix else models


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
        return translate("A layer's curve goes through that layer alone, its input sequence held fixed.")
    return sentences(
        translate("Random weights before training, driven by white noise.")
        if _is_noise(report)
        else translate("Random weights before training."),
        translate("An LSTM's cell makes a long memory possible; its forget bias decides whether it has one.")
        if any("forget" in model.gates and model.state_size > model.hidden_size for model in report.models)
        else "",
        translate("The chrono law was told the length T.") if any("@chrono" in m.spec for m in report.models) else "",
    )


def sentences(*texts: str) -> str:
    """Return sentences as one paragraph, without those that are empty."""
    return (" " if language() == ENGLISH else "").join(filter(None, texts))


def notes(models: Sequence[ModelDocument]) -> list[str]:
    """Return each note once, with the models that it is about."""
    labels: dict[str, list[str]] = {}
    for model in models:
        for note in model.notes:
            labels.setdefault(note, []).append(model.label)
    everyone = [translate("every layer")] if all(model.source.kind == "file" for model in models) else []
    return [
        about(everyone if everyone and 2 < len(labels_) == len(models) else labels_, translated(note))
        for note, labels_ in labels.items()
    ]


def number(value: float) -> str:
    """Return a number as people write it: two or three figures."""
    if 0.1 <= value < 10:
        return f"{value:.2f}"
    return f"{value:.0f}" if 1000 <= value < 1e7 else f"{value:.3g}"


def exponential(nats: float) -> str:
    """Return e^nats as people write it, as a power of ten where a float64 ends."""
    try:
        return number(math.exp(nats))
    except OverflowError:
        return f"10^{nats / math.log(10):.0f}"


def span(numbers: Iterable[int]) -> str:
    """Return whole numbers as their one value, or the least and the largest."""
    values = sorted(set(numbers))
    return str(values[0]) if len(values) == 1 else translate("{low} to {high}", low=values[0], high=values[-1])


def trials_text(models: Iterable[ModelDocument]) -> str:
    """Return how many trials models have."""
    text = span(model.trials for model in models)
    return translate_count("{count} trial", "{count} trials", 1 if text == "1" else 2, count=text)


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
