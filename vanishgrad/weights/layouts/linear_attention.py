"""Linear attention: Mamba-2 (A_log of heads), gated DeltaNet of Qwen3-Next (in_proj_qkvz) and RWKV-7 (r_k)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.languages import english
from vanishgrad.weights.hints import Hints, Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.saved import own_layer
from vanishgrad.weights.tensors import Tensor, TensorFile, derived, shape_text

LAYOUT = "linear_attention"
Own = Mapping[str, Tensor]
OF_MAMBA2 = (
    "A_log", "D", "dt_bias", "in_proj.weight", "in_proj.bias", "conv1d.weight", "conv1d.bias", "norm.weight",
    "out_proj.weight", "out_proj.bias",
)  # fmt: skip
OF_QWEN = (
    "A_log", "dt_bias", "in_proj_qkvz.weight", "in_proj_ba.weight", "conv1d.weight", "norm.weight", "out_proj.weight",
)  # fmt: skip
OF_RWKV = (
    "r_k", *(f"x_{letter}" for letter in "rwkvag"), *(f"{letter}{place}" for letter in "wav" for place in range(3)),
    "g1", "g2", "k_k", "k_a", *(f"{name}.weight" for name in ("receptance", "key", "value", "output", "ln_x")),
    "ln_x.bias",
)  # fmt: skip
BLOCK = english(
    "the block alone: its own input goes through its projections and its convolution or token shift, and input is "
    "∂S_T/∂x_k of what the recurrence reads then; without --input or a captured run that input is noise"
)
FIRST_VALUES = english(
    "values are the layer's own, not mixed with those of the first layer: ∂s_T/∂s_k has none of them"
)


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each module with a mark of one of the three."""
    for name in free:
        module, leaf = re.fullmatch(r"((?:.*[./])?)([^./]+)", name).groups()  # type: ignore[union-attr]
        for mark, names, layer in MARKS.get(leaf, ()):
            own = {each: free[key] for each in names if (key := module + each) in free}
            if mark in own and not (len(own[leaf].shape) > 1 and leaf != "r_k"):
                claims = tuple(tensor.name for tensor in own.values())
                path = module.rstrip("./").replace("/", ".")
                yield Sighting(path, claims, partial(layer, file, path, own, hints), module)
                break


def _require(own: Own, what: str, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse tensors that are missing, empty or of other shapes."""
    wrong = [str(own[name]) for name, shape in shapes.items() if name in own and own[name].shape != shape]
    missing = [name for name in shapes if name not in own]
    if wrong or missing or any(each < 1 for shape in shapes.values() for each in shape):
        expected = ", ".join(f"{name} {shape_text(shape)}" for name, shape in shapes.items())
        got = ", ".join(wrong) or (f"none named {' '.join(missing)}" if missing else "others")
        raise Unreadable(f"expected the tensors of {what}, {expected}, got {got}; try the whole state_dict")


def _axes(own: Own, name: str, count: int) -> tuple[int, ...]:
    shape = own[name].shape if name in own else ()
    return tuple(map(int, shape)) if len(shape) == count else (0,) * count


def _number(hints: Hints, name: str, default: int) -> int:
    typed = float(hints.numbers.get(name, default))
    if typed != int(typed) or typed < 1:
        raise Unreadable(f"expected a whole number from 1 on for {name}, got {typed:g}; try {name}={default}")
    return int(typed)


def _read(tensor: Tensor, dtype: Any) -> Array:
    return tensor.read().astype(dtype)


def _identity(rows: int, source: Tensor) -> Tensor:
    return derived("identity", (rows, rows), lambda: np.eye(rows), (source,))


def _bias(rows: int, dt_bias: Tensor) -> Tensor:
    """Return zeros, and in the last rows dt_bias."""
    heads = dt_bias.shape[0]
    return derived("dt_bias", (rows,), lambda: np.concatenate([np.zeros(rows - heads), dt_bias.read()]), (dt_bias,))


def _convolved(own: Own, x: Array) -> Array:
    """Return the causal convolution of a sequence (B, T, E), each channel by itself."""
    kernel = _read(own["conv1d.weight"], x.dtype)[:, 0]
    width, steps = kernel.shape[1], x.shape[1]
    padded = np.concatenate([np.zeros((len(x), width - 1, x.shape[2]), x.dtype), x], axis=1)
    bias = _read(own["conv1d.bias"], x.dtype) if "conv1d.bias" in own else np.zeros(x.shape[2], x.dtype)
    convolved: Array = sum((padded[:, j : j + steps] * kernel[:, j] for j in range(width)), start=bias)
    return convolved


def _mamba2(file: TensorFile, path: str, own: Own, hints: Hints) -> Layer:
    """Read in_proj's rows z, u, B, C and Δ; the groups that share B and C are no number of the file."""
    (H,), (rows, d), (conv, _, K) = own["A_log"].shape, _axes(own, "in_proj.weight", 2), _axes(own, "conv1d.weight", 3)
    E, groups = rows - H - conv, _number(hints, "groups", 1)
    N = (conv - E) // (2 * groups)
    _require(
        own, "a Mamba-2 mixer",
        {"in_proj.weight": (2 * E + 2 * groups * N + H, d), "conv1d.weight": (E + 2 * groups * N, 1, K),
         "dt_bias": (H,), "A_log": (H,)},
    )  # fmt: skip
    total = E + groups * N + H

    def front(xs: Array) -> Array:
        projected = xs @ _read(own["in_proj.weight"], xs.dtype).T
        if "in_proj.bias" in own:
            projected += _read(own["in_proj.bias"], xs.dtype)
        read = _convolved(own, projected[..., E : E + conv])[..., : E + groups * N]
        return np.concatenate([read, projected[..., -H:]], axis=-1)

    keys = {"heads": str(H), "states": str(N), "groups": str(groups)}
    return _layer(
        file, path, "mamba2", own, hints, E, d, keys, total, front,
        english("A_log of {heads} heads, dt_bias, in_proj and conv1d are a Mamba-2 mixer's names", heads=str(H)),
        () if "groups" in hints.numbers else (english("one group of B and C is taken; --cell mamba2:groups=8 with "
        "another number says it"),),
    )  # fmt: skip


def _qwen(file: TensorFile, path: str, own: Own, hints: Hints) -> Layer:
    """Read the rows of in_proj_qkvz, grouped by key heads: q, k, v, z; d_k is d_v unless the user says another."""
    (H,), (_, d), (conv, _, K) = (
        own["A_log"].shape, _axes(own, "in_proj_qkvz.weight", 2), _axes(own, "conv1d.weight", 3)
    )  # fmt: skip
    (d_v,) = _axes(own, "norm.weight", 1)
    d_k = _number(hints, "keys", max(d_v, 1))
    key_rows = (conv - H * d_v) // 2
    key_heads = key_rows // d_k
    if key_heads < 1 or key_rows % d_k or H % key_heads:
        raise Unreadable(
            f"expected {key_rows} rows of keys to be heads of {d_k} that share {H} value heads evenly, "
            f"got no whole number; try --cell gated-deltanet:keys=D with the d_k of the configuration"
        )
    shared = H // key_heads
    _require(
        own, "a gated DeltaNet",
        {"in_proj_qkvz.weight": (2 * (key_rows + H * d_v), d), "in_proj_ba.weight": (2 * H, d), "dt_bias": (H,),
         "conv1d.weight": (2 * key_rows + H * d_v, 1, K), "A_log": (H,)},
    )  # fmt: skip

    def front(xs: Array) -> Array:
        by_head = (xs @ _read(own["in_proj_qkvz.weight"], xs.dtype).T).reshape(*xs.shape[:2], key_heads, -1)
        q, k, v, _ = np.split(by_head, np.cumsum([d_k, d_k, shared * d_v]), axis=-1)
        stacked = np.concatenate([each.reshape(*xs.shape[:2], -1) for each in (q, k, v)], axis=-1)
        convolved = _convolved(own, stacked)
        k, v = convolved[..., key_rows : 2 * key_rows], convolved[..., 2 * key_rows :]
        keys = np.repeat(k.reshape(*xs.shape[:2], key_heads, d_k), shared, axis=2).reshape(*xs.shape[:2], -1)
        ba = (xs @ _read(own["in_proj_ba.weight"], xs.dtype).T).reshape(*xs.shape[:2], key_heads, 2, shared)
        b, a = (ba[..., place, :].reshape(*xs.shape[:2], H) for place in range(2))
        return np.concatenate([v, keys, b, a], axis=-1)

    return _layer(
        file, path, "gated-deltanet", own, hints, H * d_v, d,
        {"heads": str(H), "keys": str(d_k), "reach": hints.numbers.get("reach", "1")}, H * d_v + H * d_k + 2 * H, front,
        english("A_log, in_proj_qkvz and in_proj_ba are a gated DeltaNet's names in Qwen3-Next"),
        () if "keys" in hints.numbers else (english("d_k = d_v is taken; --cell gated-deltanet:keys=128 with another "
        "number says it"),),
    )  # fmt: skip


def _layer(
    file: TensorFile, path: str, cell: str, own: Own, hints: Hints, n: int, d: int, keys: Mapping[str, str],
    rows: int, front: Callable[[Array], Array], why: str, assumptions: tuple[str, ...],
) -> Layer:  # fmt: skip
    roles = {
        "W_hx": _identity(rows, own["A_log"]),
        "b": _bias(rows, own["dt_bias"]),
        "A_log": own["A_log"],
    }
    return own_layer(
        file, path, cell, roles, hints, layout=LAYOUT, why=why, n=n, d=d, keys=keys, driven_by=(), front=front,
        assumptions=(BLOCK, *assumptions),
    )  # fmt: skip


def _rwkv7(file: TensorFile, path: str, own: Own, hints: Hints) -> Layer:
    """Read a time mix: its input is the normed one of the block, and W_hx what stands behind the token shift."""
    (H, N), (_, R_w), (_, R_a) = _axes(own, "r_k", 2), _axes(own, "w1", 2), _axes(own, "a1", 2)
    C, vectors = H * N, ("x_w", "x_k", "x_v", "x_a", "w0", "a0", "k_k", "k_a")
    own = {name: _vector(each) if name in vectors else each for name, each in own.items()}
    _require(
        own, "an RWKV-7 time mix",
        {**dict.fromkeys(vectors, (C,)), "w1": (C, R_w), "w2": (R_w, C), "a1": (C, R_a), "a2": (R_a, C),
         "key.weight": (C, C), "value.weight": (C, C), "r_k": (H, N)},
    )  # fmt: skip
    rank = max(R_w, R_a)
    rows = 2 * C + 2 * rank

    def front(xs: Array) -> Array:
        before = np.concatenate([np.zeros_like(xs[:, :1]), xs[:, :-1]], axis=1)
        mixed = {letter: xs + (before - xs) * _read(own[f"x_{letter}"], xs.dtype) for letter in "vkwa"}
        v, k = (mixed[each[0]] @ _read(own[f"{each}.weight"], xs.dtype).T for each in ("value", "key"))
        of_w, of_a = (_padded(mixed[each] @ _read(own[f"{each}1"], xs.dtype), rank) for each in "wa")
        return np.concatenate([v, k, of_w, of_a], axis=-1)

    roles = {
        "W_hx": _identity(rows, own["w0"]),
        "b": derived("bias", (rows,), lambda: np.zeros(rows), (own["w0"],)),
        **{
            f"W_{each}": derived(f"{each}2", (C, rank), partial(_second, own[f"{each}2"], rank), (own[f"{each}2"],))
            for each in "wa"
        },
        **{name: own[name] for name in ("w0", "a0", "k_k", "k_a")},
    }
    return own_layer(
        file, path, "rwkv7", roles, hints, layout=LAYOUT, n=C, d=C, keys={"heads": str(H), "keys": str(N)},
        driven_by=(), front=front, assumptions=(BLOCK, FIRST_VALUES),
        why=english("r_k {shape}, k_k, k_a and w0 are the names of an RWKV-7 time mix", shape=shape_text((H, N))),
    )  # fmt: skip


def _vector(tensor: Tensor) -> Tensor:
    """Return a tensor (1, 1, C) as (C,)."""
    size = tensor.shape[-1] if tensor.shape else 0
    if tensor.shape != (1,) * (len(tensor.shape) - 1) + (size,):
        return tensor
    return derived(tensor.name, (size,), lambda: tensor.read().reshape(size), (tensor,))


def _padded(x: Array, size: int) -> Array:
    return np.concatenate([x, np.zeros((*x.shape[:-1], size - x.shape[-1]), x.dtype)], axis=-1)


def _second(tensor: Tensor, rank: int) -> Array:
    return _padded(tensor.read().T, rank)


MARKS: Mapping[str, tuple[tuple[str, tuple[str, ...], Any], ...]] = {
    "A_log": (("in_proj_qkvz.weight", OF_QWEN, _qwen), ("dt_bias", OF_MAMBA2, _mamba2)),
    "r_k": (("k_a", OF_RWKV, _rwkv7),),
}
"""Name → the name that stands beside it, the names of the module, and the reading; the first that fits."""
