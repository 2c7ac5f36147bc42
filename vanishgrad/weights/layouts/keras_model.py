"""A Keras model's configuration: which recurrent layers it has, by what names, and what drives each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

DEEPEST = 32
FARTHEST = 1000
RECURRENT = ("SimpleRNN", "LSTM", "GRU", "CuDNNLSTM", "CuDNNGRU")
TRANSPARENT = (
    "InputLayer", "Dropout", "SpatialDropout1D", "GaussianDropout", "GaussianNoise", "AlphaDropout", "Masking",
    "ActivityRegularization", "Identity",
)  # fmt: skip
"""Layers whose output is their input when the model is used."""


@dataclass(frozen=True)
class ConfiguredLayer:
    """A recurrent layer as the configuration has it.

    Attributes
    ----------
    path : str
        The user's names, nested models first, joined by dots.
    group : str
        Where Keras 3 stores its weights; the name comes from the class.
    kind : str
        ``LSTM``, ``GRU``, ``SimpleRNN``, ``CuDNNLSTM``, ``CuDNNGRU``.
    is_backward : bool
    config : mapping
    below : tuple of str or None
        The layers that drive it; empty if there is none; None if something else stands between.
    """

    path: str
    group: str
    kind: str
    is_backward: bool
    config: Mapping[str, Any]
    below: tuple[str, ...] | None

    @property
    def name(self) -> str:
        """The layer's name, direction included."""
        return self.path + (".reverse" if self.is_backward else "")


def described(model: Any) -> list[ConfiguredLayer]:
    """Return the recurrent layers of a configuration, nested models included; what is not understood is left out."""
    return list(_in_model(model, "", "", 0))


def _in_model(model: Any, group: str, path: str, depth: int) -> Iterator[ConfiguredLayer]:
    config = _mapping(model).get("config")
    layers = _mapping(config).get("layers", config)
    if not isinstance(layers, list) or depth > DEEPEST:
        return
    used: Counter[str] = Counter()
    chain = _Chain(layers, is_sequential=_mapping(model).get("class_name") == "Sequential", path=path)
    for layer in map(_mapping, layers):
        kind = str(layer.get("class_name"))
        snake = _snake(kind)
        own = f"{group}layers/{snake}" + (f"_{used[snake]}" if used[snake] else "")
        used[snake] += 1
        yield from _in_layer(layer, own, path + _name(layer), depth, chain.below(_name(layer)))


def _in_layer(
    layer: Mapping[str, Any], group: str, path: str, depth: int, below: tuple[str, ...] | None
) -> Iterator[ConfiguredLayer]:
    kind, config = str(layer.get("class_name")), _mapping(layer.get("config"))
    if kind in RECURRENT:
        yield ConfiguredLayer(path, group, kind, bool(config.get("go_backwards")), config, below)
    elif kind == "RNN":
        cell = _mapping(config.get("cell"))
        kind = str(cell.get("class_name")).removesuffix("Cell")
        if kind in RECURRENT:
            yield ConfiguredLayer(
                path, group, kind, bool(config.get("go_backwards")), _mapping(cell.get("config")), below
            )
    elif kind == "Bidirectional":
        yield from _both(config, group, path, below)
    elif isinstance(config.get("layers"), list):
        yield from _in_model(layer, f"{group}/", f"{path}.", depth + 1)
    elif isinstance(config.get("layer"), dict) and depth < DEEPEST:
        yield from _in_layer(_mapping(config["layer"]), f"{group}/layer", path, depth + 1, None)


def _both(config: Mapping[str, Any], group: str, path: str, below: tuple[str, ...] | None) -> Iterator[ConfiguredLayer]:
    forward = _mapping(config.get("layer"))
    backward = _mapping(config.get("backward_layer")) or forward
    for layer, name, is_backward in ((forward, "forward_layer", False), (backward, "backward_layer", True)):
        kind = str(layer.get("class_name"))
        if kind in RECURRENT:
            yield ConfiguredLayer(path, f"{group}/{name}", kind, is_backward, _mapping(layer.get("config")), below)


class _Chain:
    """What feeds each layer of one model."""

    def __init__(self, layers: list[Any], is_sequential: bool, path: str) -> None:
        self._path = path
        self._layers = {_name(_mapping(layer)): _mapping(layer) for layer in layers}
        names = list(self._layers)
        before = zip(names, [None, *names[:-1]], strict=True)
        self._source = dict(before) if is_sequential else {name: _source(self._layers[name]) for name in names}

    def below(self, name: str) -> tuple[str, ...] | None:
        """Return the recurrent layers whose output this one takes in as it is."""
        is_direct = True
        for _ in range(FARTHEST):
            source = self._source.get(name)
            if source is None or source not in self._layers:
                return () if not self._path else None
            name, layer = source, self._layers[source]
            kind = str(layer.get("class_name"))
            if kind in (*RECURRENT, "RNN", "Bidirectional"):
                return self._outputs(name, layer) if is_direct else None
            if kind not in TRANSPARENT:
                is_direct = False
                if isinstance(_mapping(layer.get("config")).get("layers"), list):
                    return None
        return None

    def _outputs(self, name: str, layer: Mapping[str, Any]) -> tuple[str, ...] | None:
        config, path = _mapping(layer.get("config")), self._path + name
        if layer.get("class_name") == "Bidirectional":
            return (path, f"{path}.reverse") if config.get("merge_mode", "concat") == "concat" else None
        return None if config.get("go_backwards") else (path,)


def _source(layer: Mapping[str, Any]) -> str | None:
    """Return the first layer whose tensor a functional layer is called on, in the notation of Keras 2 or 3."""
    waiting: list[Any] = [layer.get("inbound_nodes")]
    for _ in range(1000):
        if not waiting:
            break
        node = waiting.pop()
        if isinstance(node, dict):
            waiting.extend(reversed([each for key, each in node.items() if key in ("args", "config", "keras_history")]))
        elif isinstance(node, list) and len(node) >= 3 and isinstance(node[0], str) and isinstance(node[1], int):
            return node[0]
        elif isinstance(node, list):
            waiting.extend(reversed(node))
    return None


def _name(layer: Mapping[str, Any]) -> str:
    return str(_mapping(layer.get("config")).get("name", layer.get("name", "")))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _snake(kind: str) -> str:
    """Return a class name as Keras spells its group: SimpleRNN → simple_rnn."""
    spaced = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", kind))
    return re.sub("([a-z])([A-Z])", r"\1_\2", spaced).lower()
