"""A Keras model's configuration: which recurrent layers it has, by what names, and what drives each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vanishgrad.weights.tensors import shown

MAX_DEPTH = 32
"""Levels of models within models; each is a call."""
FARTHEST = 1000
RECURRENT = ("SimpleRNN", "LSTM", "GRU", "CuDNNLSTM", "CuDNNGRU")
TRANSPARENT = (
    "InputLayer", "Dropout", "SpatialDropout1D", "GaussianDropout", "GaussianNoise", "AlphaDropout", "Masking",
    "ActivityRegularization", "Identity",
)  # fmt: skip
"""Layers whose output is their input when the model is used."""

MASKING_ON = (
    "Dense",
    "TimeDistributed",
    "Activation",
    "BatchNormalization",
    "LayerNormalization",
    "Concatenate",
    "Add",
)
"""Layers that change their input and hand its mask on."""
MAX_NODES = 100_000


@dataclass(frozen=True)
class ConfiguredLayer:
    """A recurrent layer as the configuration has it.

    Attributes
    ----------
    path : str
        The user's names, nested models first, joined by dots; a number behind them for one of several stacked cells.
    group : str
        Where Keras 3 stores its weights; the name comes from the class. Empty where the nesting does not tell.
    kind : str
        ``LSTM``, ``GRU``, ``SimpleRNN``, ``CuDNNLSTM``, ``CuDNNGRU``.
    class_name : str
        As the file has it: of a subclass, its own.
    is_backward : bool
    config : mapping
    below : tuple of str or None
        The layers that drive it; empty if there is none; None if something else stands between.
    masked_by : str
        What masks steps before it, ``mask_zero``, ``Masking VALUE``, or ``Masking VALUE before NAME`` of a layer that
        changes what was masked; empty if there is none.
    cell_name : str
        Of one of several stacked cells, its own name.
    """

    path: str
    group: str
    kind: str
    class_name: str
    is_backward: bool
    config: Mapping[str, Any]
    below: tuple[str, ...] | None
    masked_by: str = ""
    cell_name: str = ""

    @property
    def name(self) -> str:
        """The layer's name, direction included."""
        return self.path + (".reverse" if self.is_backward else "")

    @property
    def names(self) -> frozenset[str]:
        """What stands in the path of its weights in older files."""
        path = self.path.rpartition(".")[0] if self.cell_name else self.path
        return frozenset(path.split(".")) | ({self.cell_name} if self.cell_name else frozenset())


def described(model: Any) -> list[ConfiguredLayer]:
    """Return the recurrent layers of a configuration, nested models included; what is not understood is left out."""
    return list(_in_model(model, "", "", 0))


def strays(model: Any) -> list[ConfiguredLayer]:
    """Return every recurrent layer or cell of a configuration, however it is nested, without its place."""
    layers, waiting = list[ConfiguredLayer](), [model]
    for _ in range(MAX_NODES):
        if not waiting:
            break
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            waiting.extend(node.values())
            config = _mapping(node.get("config"))
            if kind := recurrent_kind(node):
                layers.append(ConfiguredLayer("", "", kind, str(node.get("class_name")), False, config, None))
    return layers


def recurrent_kind(layer: Mapping[str, Any]) -> str | None:
    """Return the class of Keras that a layer or cell is, of a subclass the one that its fields are of."""
    name, config = str(layer.get("class_name")).rpartition(">")[2], _mapping(layer.get("config"))
    if name.removesuffix("Cell") in RECURRENT:
        return name.removesuffix("Cell")
    if not {"units", "recurrent_initializer"} <= set(config):
        return None
    if "recurrent_activation" not in config:
        return "SimpleRNN"
    return "LSTM" if "unit_forget_bias" in config else "GRU"


def _in_model(model: Any, group: str, path: str, depth: int) -> Iterator[ConfiguredLayer]:
    layers = _layers_of(model) if depth <= MAX_DEPTH else []
    chain = _Chain(layers, is_sequential=_mapping(model).get("class_name") == "Sequential", path=path)
    for layer, own in _grouped(layers, group):
        below, mask = chain.below(_name(layer)), chain.masked_by(_name(layer))
        yield from _in_layer(layer, _Place(own, path + _name(layer), below, mask), depth)


def _layers_of(model: Any) -> list[Any]:
    config = _mapping(model).get("config")
    layers = _mapping(config).get("layers", config)
    return layers if isinstance(layers, list) else []


def _grouped(layers: list[Any], group: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield each layer of a model with the group in which Keras 3 stores it, named for its class."""
    used: Counter[str] = Counter()
    for layer in map(_mapping, layers):
        snake = _snake(str(layer.get("class_name")))
        yield layer, f"{group}layers/{snake}" + (f"_{used[snake]}" if used[snake] else "")
        used[snake] += 1


def embeddings(model: Any, group: str = "", path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield the user's name of each Embedding, nested models first, and the group in which Keras 3 stores it."""
    for layer, own in _grouped(_layers_of(model) if depth <= MAX_DEPTH else [], group):
        if layer.get("class_name") == "Embedding":
            yield path + _name(layer), own
        elif isinstance(_mapping(layer.get("config")).get("layers"), list):
            yield from embeddings(layer, f"{own}/", f"{path}{_name(layer)}.", depth + 1)


@dataclass(frozen=True)
class _Place:
    """Where a layer stands in its model."""

    group: str
    path: str
    below: tuple[str, ...] | None
    masked_by: str = ""


def _in_layer(layer: Mapping[str, Any], place: _Place, depth: int) -> Iterator[ConfiguredLayer]:
    kind, config = str(layer.get("class_name")), _mapping(layer.get("config"))
    if kind == "Bidirectional":
        yield from _both(config, place)
    elif layers := tuple(_one_direction(layer, place, bool(config.get("go_backwards")))):
        yield from layers
    elif isinstance(config.get("layers"), list):
        yield from _in_model(layer, f"{place.group}/", f"{place.path}.", depth + 1)
    elif isinstance(config.get("layer"), dict) and depth < MAX_DEPTH:
        inside = _Place(f"{place.group}/layer", place.path, None)
        yield from _in_layer(_mapping(config["layer"]), inside, depth + 1)


def _one_direction(layer: Mapping[str, Any], place: _Place, is_backward: bool) -> Iterator[ConfiguredLayer]:
    """Yield a recurrent layer, or the cells of an RNN, each but the first driven by the one before."""
    config = _mapping(layer.get("config"))
    if kind := recurrent_kind(layer):
        name = str(layer.get("class_name"))
        yield ConfiguredLayer(place.path, place.group, kind, name, is_backward, config, place.below, place.masked_by)
        return
    cell = _mapping(config.get("cell"))
    cells = _mapping(cell.get("config")).get("cells")
    used: Counter[str] = Counter()
    below = place.below
    for index, configuration in enumerate(cells if isinstance(cells, list) else [cell]):
        kind, snake = recurrent_kind(_mapping(configuration)), _snake(str(_mapping(configuration).get("class_name")))
        inner = f"/cell/cells/{snake}" + (f"_{used[snake]}" if used[snake] else "") if isinstance(cells, list) else ""
        used[snake] += 1
        path = f"{place.path}.{index}" if isinstance(cells, list) else place.path
        if kind is None:
            below = None
            continue
        configured = ConfiguredLayer(
            path, place.group + inner, kind, str(configuration.get("class_name")), is_backward,
            {"stateful": config.get("stateful")} | dict(_mapping(configuration.get("config"))), below, place.masked_by,
            _name(configuration) if isinstance(cells, list) else "",
        )  # fmt: skip
        yield configured
        below = (configured.name,)


def _both(config: Mapping[str, Any], place: _Place) -> Iterator[ConfiguredLayer]:
    forward = _mapping(config.get("layer"))
    backward = _mapping(config.get("backward_layer")) or forward
    is_reversed = bool(_mapping(forward.get("config")).get("go_backwards"))
    for layer, name, is_backward in (
        (forward, "forward_layer", is_reversed),
        (backward, "backward_layer", not is_reversed),
    ):
        inside = _Place(f"{place.group}/{name}", place.path, place.below, place.masked_by)
        yield from _one_direction(layer, inside, is_backward)


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
            if kind == "Bidirectional" or _is_recurrent(layer):
                return self._outputs(name, layer) if is_direct else None
            if kind not in TRANSPARENT:
                is_direct = False
                if isinstance(_mapping(layer.get("config")).get("layers"), list):
                    return None
        return None

    def masked_by(self, name: str) -> str:
        """Return what masks the steps that a layer gets: Keras hands a mask on through most layers."""
        between = ""
        for _ in range(FARTHEST):
            source = self._source.get(name)
            if source is None or source not in self._layers:
                return ""
            name, layer = source, self._layers[source]
            kind, config = str(layer.get("class_name")), _mapping(layer.get("config"))
            if kind == "Embedding":
                return "mask_zero" if config.get("mask_zero") else ""
            if kind == "Masking":
                value = config.get("mask_value", 0.0)
                return f"Masking {value if isinstance(value, int | float) else 'of another kind'}{between}"
            if not (kind in (*TRANSPARENT, *MASKING_ON, "Bidirectional") or _is_recurrent(layer)):
                return ""
            if kind not in TRANSPARENT:
                between = f" before {shown(name)}"
        return ""

    def _outputs(self, name: str, layer: Mapping[str, Any]) -> tuple[str, ...] | None:
        config, path = _mapping(layer.get("config")), self._path + name
        cells = _mapping(_mapping(config.get("cell")).get("config")).get("cells")
        path += f".{len(cells) - 1}" if isinstance(cells, list) else ""
        if layer.get("class_name") == "Bidirectional":
            return (path, f"{path}.reverse") if config.get("merge_mode", "concat") == "concat" else None
        return None if config.get("go_backwards") else (path,)


def _is_recurrent(layer: Mapping[str, Any]) -> bool:
    return recurrent_kind(layer) is not None or layer.get("class_name") == "RNN"


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
