"""State-space layers: LRU (nu_log), S5 (log_step), S4D (log_A_real) and Mamba (A_log, dt_proj, x_proj, conv1d)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells.registry import CELLS
from vanishgrad.cells.s4d import zero_order_hold
from vanishgrad.languages import english
from vanishgrad.weights.hints import Hints, Unreadable
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts import Sighting
from vanishgrad.weights.layouts.saved import own_layer
from vanishgrad.weights.tensors import Tensor, TensorFile, derived, shape_text

LAYOUT = "state_space"
Own = Mapping[str, Tensor]
OF_MAMBA = (
    "A_log", "D", "x_proj.weight", "dt_proj.weight", "dt_proj.bias", "in_proj.weight", "in_proj.bias", "conv1d.weight",
    "conv1d.bias", "out_proj.weight", "out_proj.bias",
)  # fmt: skip
OF_LRU = ("nu_log", "theta_log", "gamma_log", "B", "B_re", "B_im", "C", "C_re", "C_im", "D")
OF_S5 = ("log_step", "Lambda", "Lambda_re", "Lambda_im", "B", "C", "C1", "C2", "D")
OF_S4D = ("log_A_real", "A_imag", "log_dt", "C")
READ_OUT = english("input is ∂h_T/∂x_k of the state h itself, before C reads it out")
BLOCK = english(
    "the block alone: its own input goes through in_proj and the convolution, and input is ∂S_T/∂x_k of what the "
    "recurrence reads then; without --input or a captured run that input is noise"
)


def sightings(file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> Iterator[Sighting]:
    """Yield a sighting for each module with a mark of one of the four."""
    for name in free:
        module, leaf = re.fullmatch(r"((?:.*[./])?)([^./]+)", name).groups()  # type: ignore[union-attr]
        mark = MARKS.get(leaf)
        if mark is None:
            continue
        names, shape, layer = mark
        own = {each: free[key] for each in names if (key := module + each) in free}
        if len(own[leaf].shape) in shape and (leaf != "A_log" or "x_proj.weight" in own):
            claims = tuple(tensor.name for tensor in own.values())
            path = module.rstrip("./").replace("/", ".")
            yield Sighting(path, claims, partial(layer, file, path, own, hints), module)


def _require(own: Own, what: str, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse tensors that are missing, empty or of other shapes."""
    missing = [name for name in shapes if name not in own]
    wrong = [str(own[name]) for name, shape in shapes.items() if name in own and own[name].shape != shape]
    if missing or wrong or any(0 in shape for shape in shapes.values()):
        expected = ", ".join(f"{name} {shape_text(shape)}" for name, shape in shapes.items())
        got = ", ".join(wrong) or f"none named {' '.join(missing)}" if missing or wrong else "empty ones"
        raise Unreadable(f"expected the tensors of {what}, {expected}, got {got}; try the whole state_dict")


def _complex(own: Own, name: str) -> tuple[Callable[[], Array], tuple[Tensor, ...]]:
    """Return how a matrix of complex numbers is read, and from which tensors: whole, or NAME_re and NAME_im."""
    if name in own:
        tensor = own[name]
        if "complex" in tensor.dtype:
            return lambda: tensor.read().astype(complex), (tensor,)
        return lambda: tensor.read().astype(float) @ np.array([1, 1j]), (tensor,)
    re_, im = own[f"{name}_re"], own[f"{name}_im"]
    return lambda: re_.read().astype(float) + 1j * im.read().astype(float), (re_, im)


def _derived(name: str, shape: tuple[int, ...], read: Callable[[], Array], sources: tuple[Tensor, ...]) -> Tensor:
    return derived(name, shape, read, sources)


def _zeros(size: int, source: Tensor) -> Tensor:
    return derived("bias", (size,), lambda: np.zeros(size), (source,))


def _stacked(B: Array) -> Array:
    return np.concatenate([B.real, B.imag])


def _lru(file: TensorFile, path: str, own: Own, hints: Hints) -> Layer:
    n = own["nu_log"].shape[0]
    names = ("B",) if "B" in own else ("B_re", "B_im")
    d = own[names[0]].shape[-1] if names[0] in own and own[names[0]].shape else 0
    _require(
        own, "an LRU", {**dict.fromkeys(("nu_log", "theta_log", "gamma_log"), (n,)), **dict.fromkeys(names, (n, d))}
    )
    if names == ("B",) and "complex" not in own["B"].dtype:
        raise Unreadable(f"expected complex numbers, got {own['B']}; try saving B as it is")
    read, sources = _complex(own, "B")
    roles = {name: own[name] for name in ("nu_log", "theta_log", "gamma_log")}
    roles |= {"W_hx": _derived("B", (2 * n, d), lambda: _stacked(read()), sources), "b": _zeros(2 * n, sources[0])}
    return _own(file, path, "lru", roles, hints, n, d, english("nu_log, theta_log and gamma_log are an LRU's names"))


def _s5(file: TensorFile, path: str, own: Own, hints: Hints) -> Layer:
    n = own["log_step"].shape[0]
    d = own["B"].shape[1] if "B" in own and len(own["B"].shape) == 3 else 0
    names = ("Lambda",) if "Lambda" in own else ("Lambda_re", "Lambda_im")
    _require(own, "an S5 layer", {**dict.fromkeys(names, (n,)), "B": (n, d, 2)})
    Lambda, of_lambda = _complex(own, "Lambda")
    B, of_B = _complex(own, "B")
    step = own["log_step"]
    roles = _diagonal(n, d, Lambda, of_lambda, lambda: step.read().astype(float).reshape(n), step, B, of_B)
    return _own(file, path, "s4d", roles, hints, n, d, english("Lambda, log_step and B are an S5 layer's names"))


def _s4d(file: TensorFile, path: str, own: Own, hints: Hints) -> Layer:
    d, N = own["log_A_real"].shape
    _require(own, "an S4D kernel", {"log_A_real": (d, N), "A_imag": (d, N), "log_dt": (d,)})
    re_, im, step = own["log_A_real"], own["A_imag"], own["log_dt"]

    def Lambda() -> Array:
        A: Array = -np.exp(re_.read().astype(float)) + 1j * im.read().astype(float)
        return A.ravel()

    roles = _diagonal(
        d * N, d, Lambda, (re_, im), lambda: np.repeat(step.read().astype(float), N), step,
        lambda: np.repeat(np.eye(d), N, axis=0).astype(complex), (step,),
    )  # fmt: skip
    return _own(
        file, path, "s4d", roles, hints, d * N, d, english("log_A_real, A_imag and log_dt are an S4D kernel's names")
    )


def _diagonal(
    n: int, d: int, Lambda: Callable[[], Array], of_lambda: tuple[Tensor, ...], log_step: Callable[[], Array],
    of_step: Tensor, B: Callable[[], Array], of_B: tuple[Tensor, ...],
) -> dict[str, Tensor]:  # fmt: skip
    """Return the tensors of an `S4D`, with B̄ held over a step."""
    whole = (*of_B, *of_lambda, of_step)
    return {
        "W_hx": _derived("B", (2 * n, d), lambda: _stacked(zero_order_hold(Lambda(), log_step(), B())), whole),
        "b": _zeros(2 * n, of_step),
        "Lambda_re": _derived("Lambda", (n,), lambda: Lambda().real, of_lambda),
        "Lambda_im": _derived("Lambda", (n,), lambda: Lambda().imag, of_lambda),
        "log_step": _derived("log_step", (n,), log_step, (of_step,)),
    }


def _own(
    file: TensorFile, path: str, cell: str, roles: Mapping[str, Tensor], hints: Hints, n: int, d: int, why: str
) -> Layer:
    return own_layer(
        file, path, cell, roles, hints, layout=LAYOUT, why=why, n=n, d=d, of_law=CELLS[cell].numbers, driven_by=(),
        assumptions=(READ_OUT,),
    )  # fmt: skip


def _mamba(file: TensorFile, path: str, own: Own, hints: Hints) -> Layer:
    (E, N), (_, d) = own["A_log"].shape, _matrix(own, "in_proj.weight")
    R, K = _matrix(own, "dt_proj.weight")[1], own["conv1d.weight"].shape[-1] if "conv1d.weight" in own else 0
    _require(
        own, "a Mamba mixer",
        {"in_proj.weight": (2 * E, d), "conv1d.weight": (E, 1, K), "x_proj.weight": (R + 2 * N, E),
         "dt_proj.weight": (E, R), "dt_proj.bias": (E,), "A_log": (E, N)},
    )  # fmt: skip
    x_proj = own["x_proj.weight"]
    roles = {
        "W_hx": derived("identity", (E, E), lambda: np.eye(E), (own["A_log"],)),
        "b": _zeros(E, own["A_log"]),
        "W_x": derived("x_proj.weight", (R + N, E), lambda: x_proj.read()[: R + N], (x_proj,)),
        "W_dt": own["dt_proj.weight"],
        "b_dt": own["dt_proj.bias"],
        "A_log": own["A_log"],
    }
    return own_layer(
        file, path, "mamba", roles, hints, layout=LAYOUT, n=E, d=d, of_law=("states",), driven_by=(),
        why=english("A_log {shape}, dt_proj, x_proj and conv1d are a Mamba mixer's names", shape=shape_text((E, N))),
        front=partial(_in_projected, own, E), assumptions=(BLOCK,),
    )  # fmt: skip


def _matrix(own: Own, name: str) -> tuple[int, int]:
    shape = own[name].shape if name in own else ()
    return (int(shape[0]), int(shape[1])) if len(shape) == 2 else (0, 0)


def _in_projected(own: Own, E: int, xs: Array) -> Array:
    """Return what the recurrence of a mixer reads before silu, (B, T, E), of the block's inputs (B, T, d)."""

    def bias(name: str, rows: int) -> Array:
        return own[name].read().astype(xs.dtype)[:rows] if name in own else np.zeros(rows, xs.dtype)

    kernel = own["conv1d.weight"].read()[:, 0].astype(xs.dtype)
    x = xs @ own["in_proj.weight"].read()[:E].astype(xs.dtype).T + bias("in_proj.bias", E)
    width, steps = kernel.shape[1], x.shape[1]
    padded = np.concatenate([np.zeros((len(x), width - 1, E), x.dtype), x], axis=1)
    convolved: Array = sum(
        (padded[:, j : j + steps] * kernel[:, j] for j in range(width)), start=bias("conv1d.bias", E)
    )
    return convolved


MARKS: Mapping[str, tuple[tuple[str, ...], tuple[int, ...], Any]] = {
    "nu_log": (OF_LRU, (1,), _lru),
    "log_step": (OF_S5, (1, 2), _s5),
    "log_A_real": (OF_S4D, (2,), _s4d),
    "A_log": (OF_MAMBA, (2,), _mamba),
}
"""Name → the names of the module, the axes of this one, and the reading."""
