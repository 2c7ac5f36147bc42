"""Calls of a Keras model's recurrent layers by name: called again, in TimeDistributed, in both directions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from vanishgrad.cells.recorded import RECORDED
from vanishgrad.models.captured_run import CapturedCall, call_key


def mapped_layers(model: Any) -> list[Any]:
    """Return what stands within TimeDistributed, which calls it once for each of its steps."""
    import keras

    layers = model._flatten_layers()
    return [inner for each in layers if isinstance(each, keras.layers.TimeDistributed)
            for inner in each._flatten_layers()]  # fmt: skip


def named_calls(
    calls: Mapping[Any, list[CapturedCall]], paths: Mapping[Any, str], mapped: Collection[Any]
) -> dict[str, CapturedCall]:
    """Return the calls by their layers' paths, with ``#2`` from the second on; both directions are one call."""
    named = dict[str, CapturedCall]()
    for layer, own in calls.items():
        for number, call in enumerate([_one_batch(own)] if own and layer in mapped else own, 1):
            is_reverse = layer.go_backwards and call.reading["cell"] == RECORDED
            key = call_key(f"{paths[layer]}.reverse" if is_reverse else paths[layer], number)
            if key not in named:
                named[key] = call
            elif named[key].reading == call.reading and named[key].starts.shape == call.starts.shape:
                named[key] = _both_directions(named[key], call)
            else:
                named[key.replace(paths[layer], f"{paths[layer]}.{layer.name}")] = call
    return named


def _one_batch(calls: list[CapturedCall]) -> CapturedCall:
    """Return the sequences of calls of one shape as one batch."""
    xs, lengths = (np.concatenate([getattr(call, name) for call in calls]) for name in ("xs", "lengths"))
    within = [np.arange(call.xs.shape[1]) < call.lengths[:, None] for call in calls]
    own = np.concatenate([rest if call.taken is None else call.taken for call, rest in zip(calls, within, strict=True)])
    taken = None if all(call.taken is None for call in calls) else own
    weights = calls[0].weights
    if calls[0].reading["cell"] == RECORDED:
        weights = {name: np.concatenate([call.weights[name] for call in calls]) for name in weights}
    return replace(calls[0], weights=weights, xs=xs, lengths=lengths, taken=taken,
                   starts=np.concatenate([call.starts for call in calls], axis=1))  # fmt: skip


def _both_directions(one: CapturedCall, other: CapturedCall) -> CapturedCall:
    """Return the calls of a Bidirectional's halves, which are given the same inputs, as one."""
    backward, forward = sorted((one, other), key=lambda call: not any(key.endswith("_reverse") for key in call.weights))
    starts = np.stack([forward.starts, backward.starts], axis=1).reshape(-1, *forward.starts.shape[1:])
    return replace(forward, weights={**forward.weights, **backward.weights}, starts=starts, directions=2)
