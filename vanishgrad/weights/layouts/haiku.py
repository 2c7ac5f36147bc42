"""Haiku and Sonnet: hk.LSTM, hk.GRU, hk.VanillaRNN of JAX, snt.LSTM and snt.GRU of TensorFlow 2.

hk.LSTM keeps one matrix for [x, h], gates i g f o, and adds 1 to the forget gate at run time; snt.LSTM keeps two, gates
i f g o, and has its forget bias in the file. Both GRUs keep w_i, w_h and b, gates z r n, the reset gate before the
product, and a z that writes: h' = (1 - z) h + z n.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial

from vanishgrad.cells.activations import RELU, SIGMOID, TANH
from vanishgrad.languages import english
from vanishgrad.weights.gate_order import HAIKU, SONNET
from vanishgrad.weights.hints import Hints, Stated, Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.conventions import keeping, plus_one, turned
from vanishgrad.weights.layouts.shapes import fitted
from vanishgrad.weights.tensors import Tensor, TensorFile, part, shape_text

FUSED = re.compile(r"(?P<path>(?:.*[./])?\w*lstm\w*[./])(?P<inner>linear[./])w", re.IGNORECASE)
VANILLA = re.compile(r"(?P<path>(?:.*[./])?\w*rnn\w*[./])(?P<inner>linear_1[./])w", re.IGNORECASE)
SPLIT = re.compile(r"(?P<path>(?:.*[./])?)(?P<inner>_?)w_h")
STATED = Stated(TANH, SIGMOID, "before", layout="haiku")


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each matrix with a name of Haiku's or Sonnet's."""
    for name, tensor in free.items():
        for pattern, names, layer in (
            (FUSED, {"W": "{path}linear{s}w", "b": "{path}linear{s}b"}, _fused),
            (VANILLA, {"W_hx": "{path}linear{s}w", "W_hh": "{path}linear_1{s}w", "b_x": "{path}linear{s}b",
                       "b_h": "{path}linear_1{s}b"}, _vanilla),
            (SPLIT, {"W_hx": "{path}{inner}w_i", "W_hh": "{path}{inner}w_h", "b_x": "{path}b",
                     "W_hr": "{path}projection"}, _split),
        ):  # fmt: skip
            match = pattern.fullmatch(name)
            if not match or len(tensor.shape) != 2:
                continue
            s = match["inner"][-1:]
            whole = {role: each.format(s=s, **match.groupdict()) for role, each in names.items()}
            roles = {role: free[each] for role, each in whole.items() if each in free}
            if len(roles) > 1 and ({"W", "W_hx"} & set(roles)):
                path, claims = match["path"], tuple(each.name for each in roles.values())
                yield Sighting(_label(path), claims, partial(layer, file, path, roles, hints), path)


def _label(path: str) -> str:
    return path.strip("./").replace("/", ".")


def _fused(file: TensorFile, path: str, roles: dict[str, Tensor], hints: Hints) -> Layer:
    kernel, bias = roles["W"], roles.get("b")
    rows, columns = kernel.shape
    n = columns // 4
    if columns % 4 or not 0 < n < rows or bias is None:
        raise Unreadable(f"expected a matrix of (d + n) × 4n and a bias for hk.LSTM, got {kernel}; try the whole file")
    return fitted(
        file, _label(path),
        {"W_hx": part(kernel, 0, rows - n), "W_hh": part(kernel, rows - n, rows), "b_x": plus_one(bias, 2, 4)},
        HAIKU, hints, STATED,
        why=english("{name} {shape} is one matrix for [x, h], as hk.LSTM of Haiku has it, which adds 1 to the forget "
                    "gate at run time", name=kernel.name, shape=shape_text(kernel.shape)),
        layout="haiku",
    )  # fmt: skip


def _vanilla(file: TensorFile, path: str, roles: dict[str, Tensor], hints: Hints) -> Layer:
    return fitted(
        file, _label(path), roles, HAIKU, hints, Stated(RELU, layout="haiku"),
        why=english("{name} beside {partner} are hk.VanillaRNN's of Haiku, a ReLU",
                    name=roles["W_hh"].name, partner=roles["W_hx"].name),
        layout="haiku",
    )  # fmt: skip


def _split(file: TensorFile, path: str, roles: dict[str, Tensor], hints: Hints) -> Layer:
    rows, columns = roles["W_hh"].shape
    if "W_hr" in roles:
        roles = {**roles, "W_hr": turned(roles["W_hr"])}
    elif columns == 3 * rows:
        roles = {role: keeping(each, 0, 3) for role, each in roles.items()}
    elif columns != 4 * rows:
        raise Unreadable(f"expected n × 3n or n × 4n recurrent weights of Haiku or Sonnet, got {roles['W_hh']}")
    is_gru = columns == 3 * rows
    stacking, cell = (HAIKU, "hk.GRU of Haiku or snt.GRU of Sonnet") if is_gru else (SONNET, "snt.LSTM of Sonnet")
    return fitted(
        file, _label(path), roles, stacking, hints, STATED,
        why=english("{name} {shape} and {partner} are the names of {module}", module=cell,
                    name=roles["W_hh"].name, shape=shape_text((rows, columns)), partner=roles["W_hx"].name),
        layout=stacking.name,
        variant="projected" if "W_hr" in roles else "",
    )  # fmt: skip
