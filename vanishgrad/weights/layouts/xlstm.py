"""xlstm's cells: sLSTM (_recurrent_kernel_, _bias_) and mLSTM (fgate and igate of q, k, v), each without its block."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.languages import english
from vanishgrad.weights.hints import Hints, Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.saved import own_layer
from vanishgrad.weights.tensors import Tensor, TensorFile, derived, shape_text

LAYOUT = "xlstm"
NAMES = re.compile(r"(?P<module>(?:.*\.)?)(?P<mark>_recurrent_kernel_|fgate\.weight)")
OF_MLSTM = ("fgate.weight", "fgate.bias", "igate.weight", "igate.bias")
GATES = 4
OF_SLSTM = english(
    "driven at the pre-activations of i, f, z and o: what stands before them in the block is left out; the first step "
    "fills the empty memory and is run before anything is measured"
)
OF_ITS_KEYS = english("driven at its own q, k and v side by side: what stands before them in the block is left out")


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each recurrent kernel of an sLSTM, and for each pair of an mLSTM's gates."""
    for name, tensor in free.items():
        match = NAMES.fullmatch(name)
        if not match:
            continue
        module = match["module"]
        path = module.rstrip(".")
        if match["mark"] == "_recurrent_kernel_":
            bias = free.get(f"{module}_bias_")
            claims = (name, *([bias.name] if bias else []))
            yield Sighting(path, claims, partial(_slstm, file, path, tensor, bias, hints), module)
        elif len(tensor.shape) == 2 and f"{module}igate.weight" in free:
            own = {each: free[module + each] for each in OF_MLSTM if module + each in free}
            read_out = [each for each in (f"{module}outnorm.weight", f"{module}outnorm.bias") if each in free]
            claims = (*(each.name for each in own.values()), *read_out)
            yield Sighting(path, claims, partial(_mlstm, file, path, own, hints), module)


def _slstm(file: TensorFile, path: str, kernel: Tensor, bias: Tensor | None, hints: Hints) -> Layer:
    heads, rows, columns = kernel.shape if len(kernel.shape) == 3 else (0, 0, 0)
    is_cuda = columns == GATES * rows
    width = min(rows, columns)
    n = heads * width
    if not n or max(rows, columns) != GATES * width or bias is None or bias.size != GATES * n:
        raise Unreadable(
            f"expected _recurrent_kernel_ (heads × 4·n × n, or heads × n × 4·n) and _bias_ of an sLSTM, got {kernel} "
            f"and {bias}; try the whole state_dict"
        )
    roles = {
        "W_hh": derived(
            "_recurrent_kernel_", (GATES * n, n), partial(_blocks, kernel, heads, width, is_cuda), (kernel,)
        ),
        "W_hx": derived("identity", (GATES * n, GATES * n), lambda: np.eye(GATES * n), (kernel,)),
        "b": derived("_bias_", (GATES * n,), partial(_bias, bias, heads, width, is_cuda), (bias,)),
    }
    return own_layer(
        file, path, "slstm", roles, hints, layout=LAYOUT, n=n, d=GATES * n, starts_empty=True, driven_by=(),
        assumptions=(OF_SLSTM,),
        why=english("_recurrent_kernel_ {shape} is xlstm's name for an sLSTM's", shape=shape_text(kernel.shape)),
    )  # fmt: skip


def _blocks(kernel: Tensor, heads: int, width: int, is_cuda: bool) -> Array:
    """Return W_hh, (4·n, n), gates i, f, z, o one after the other, block-diagonal in the heads."""
    by_head = kernel.read()
    by_head = (np.swapaxes(by_head, 1, 2) if is_cuda else by_head).reshape(heads, GATES, width, width)
    W = np.zeros((GATES, heads, width, heads, width), by_head.dtype)
    for head, block in enumerate(by_head):
        W[:, head, :, head] = block
    return W.reshape(GATES * heads * width, heads * width)


def _bias(bias: Tensor, heads: int, width: int, is_cuda: bool) -> Array:
    """Return the biases by gate; the CUDA kernel has them by head."""
    values = bias.read()
    return np.swapaxes(values.reshape(heads, GATES, width), 0, 1).ravel() if is_cuda else values.ravel()


def _mlstm(file: TensorFile, path: str, own: Mapping[str, Tensor], hints: Hints) -> Layer:
    heads, width = own["fgate.weight"].shape
    n = width // 3
    shapes = {
        "fgate.weight": (heads, 3 * n),
        "igate.weight": (heads, 3 * n),
        "fgate.bias": (heads,),
        "igate.bias": (heads,),
    }
    if not heads or not n or n % heads or any(name not in own or own[name].shape != shapes[name] for name in shapes):
        expected = ", ".join(f"{name} {shape_text(shape)}" for name, shape in shapes.items())
        raise Unreadable(
            f"expected the gates of an mLSTM, {expected}, got {', '.join(map(str, own.values()))}; "
            "try the whole state_dict"
        )
    i, f = ({part: own[f"{gate}.{part}"] for part in ("weight", "bias")} for gate in ("igate", "fgate"))

    def rows() -> Array:
        chosen = np.eye(3 * n)
        return np.concatenate([chosen[2 * n :], chosen[n : 2 * n], i["weight"].read(), f["weight"].read()])

    def biases() -> Array:
        return np.concatenate([np.zeros(2 * n), i["bias"].read(), f["bias"].read()])

    roles = {
        "W_hx": derived("gates", (2 * n + 2 * heads, 3 * n), rows, (f["weight"], i["weight"])),
        "b": derived("biases", (2 * n + 2 * heads,), biases, (f["bias"], i["bias"])),
    }
    return own_layer(
        file, path, "mlstm", roles, hints, keys={"heads": str(heads), "keys": str(n // heads)}, layout=LAYOUT, n=n,
        d=3 * n, driven_by=(), assumptions=(OF_ITS_KEYS,),
        why=english("fgate and igate {shape} are xlstm's names for an mLSTM's gates", shape=shape_text((heads, 3 * n))),
    )  # fmt: skip
