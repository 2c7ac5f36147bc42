"""Array API of the engine: the standard's functions for NumPy and other libraries, plus two that write in place."""

from __future__ import annotations

import sys
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from vanishgrad import extended_range
from vanishgrad.extended_range import ExtendedRange

Array: TypeAlias = npt.NDArray[Any]


def is_numpy(x: Any) -> bool:
    """Whether `x` is NumPy's."""
    return isinstance(x, np.ndarray)


def is_extended(x: Any) -> bool:
    """Whether `x` is in extended range."""
    return isinstance(x, ExtendedRange)


def floating(x: Any) -> Array:
    """Return `x` in floating point: what is in extended range may leave it."""
    values: Array = extended_range.to_float(x) if is_extended(x) else x
    return values


def host_array(x: Any) -> Array:
    """Return an array, a live tensor or a data frame as NumPy's, on the host.

    NumPy has no bfloat16, so that becomes float32, which holds it exactly.

    Raises
    ------
    TypeError, ValueError, RuntimeError, AttributeError
        Whatever the library says where it cannot.
    """
    on_host = x.detach().cpu() if hasattr(x, "detach") else x
    if str(getattr(on_host, "dtype", "")).removeprefix("torch.") == "bfloat16":
        return np.asarray(on_host.float() if hasattr(on_host, "float") else on_host.astype("float32"))
    return np.asarray(on_host.to_numpy() if hasattr(on_host, "to_numpy") else on_host)


def namespace(x: Array) -> Any:
    """Return the array-API namespace of `x`."""
    if is_numpy(x):
        return np
    if is_extended(x):
        return extended_range
    from array_api_compat import array_namespace  # speaks for libraries whose own functions are not the standard's

    return array_namespace(x)


def library(x: Array) -> Any:
    """Return the library that `x` is of, whose own functions write in place."""
    if is_numpy(x):
        return np
    if is_extended(x):
        return extended_range
    return sys.modules[type(x).__module__.partition(".")[0]]


def like(x: Array, values: Array) -> Array:
    """Return NumPy's `values` as an array of the library and on the device of `x`."""
    if is_numpy(x) or is_extended(x):
        return values
    array: Array = namespace(x).asarray(values, device=x.device)
    return array


def on_host(x: Any) -> Array:
    """Return `x` as NumPy's array; in extended range it is on the host."""
    if is_numpy(x) or is_extended(x):
        return x
    host: Array = x.get() if hasattr(x, "get") else x.cpu().numpy()
    return host


def bits(x: Array) -> int:
    """Return how many bits a number of `x` has."""
    return int(namespace(x).finfo(x.dtype).bits)


def matmul_into(left: Array, right: Array, out: Array) -> None:
    """Write ``left @ right`` into `out`; a right factor that is shared by the batch makes one product of it.

    left (B, p, k), right (S, k, q), out (B, p, q); each of S right factors serves B / S consecutive left ones.
    """
    matmul = library(out).matmul
    if 1 < right.shape[0] < left.shape[0]:
        out[...] = shared_matmul(left, right)
    elif right.shape[0] == 1 and left.shape[0] > 1 and _contiguous(left) and _contiguous(out):
        rows = left.shape[0] * left.shape[1]
        matmul(left.reshape(rows, -1), right[0], out=out.reshape(rows, -1))
    else:
        matmul(left, right, out=out)


def times(W: Array, x: Array) -> Array:
    """Return W x, W (S, p, q) real and x (B, q); each of S matrices serves B / S consecutive vectors.

    The real part of a complex x goes by itself: so it yields, bit for bit, what the real numbers yield.
    """
    if namespace(x).isdtype(x.dtype, "complex floating"):
        return times(W, x.real) + 1j * times(W, x.imag)
    if 1 < W.shape[0] < x.shape[0]:
        return shared_matmul(x[:, None], namespace(W).matrix_transpose(W))[:, 0]
    return x @ W[0].T if W.shape[0] == 1 else (W @ x[..., None])[..., 0]


def columns_through(W: Array, V: Array) -> Array:
    """Return W V, W (1 | B, p, q) and V (B, q, c); weights that all share make one product of it."""
    if W.shape[0] > 1 or V.shape[0] == 1 or is_extended(V):
        return W @ V
    xp, (batch, q, c) = namespace(V), V.shape
    rows = xp.reshape(xp.matrix_transpose(V), (batch * c, q)) @ xp.matrix_transpose(W[0])
    columns: Array = xp.matrix_transpose(xp.reshape(rows, (batch, c, W.shape[1])))
    return columns


def shared_matmul(left: Array, right: Array) -> Array:
    """Return ``left @ right``, (B, p, q); each of S right factors (S, k, q) serves B / S consecutive left ones."""
    batch, sets = left.shape[0], right.shape[0]
    if sets in (1, batch):
        return left @ right
    return (left.reshape(sets, -1, left.shape[-1]) @ right).reshape(*left.shape[:-1], right.shape[-1])


def for_each_sequence(tensor: Array, batch: int) -> Array:
    """Return a tensor (S, …) as (B | 1, …): each of S sets repeated for the B / S consecutive sequences it serves."""
    sets = tensor.shape[0]
    return tensor if sets in (1, batch) else namespace(tensor).repeat(tensor, batch // sets, axis=0)


def _contiguous(x: Array) -> bool:
    return bool(x.flags.c_contiguous if hasattr(x, "flags") else x.is_contiguous())  # type: ignore[attr-defined]


def multiply_into(left: Array, right: Array, out: Array) -> None:
    """Write the elementwise product of two broadcastable arrays into `out`."""
    library(left).multiply(left, right, out=out)


def weighted_sum_into(coefficients: Array, terms: Array, out: Array) -> None:
    """Write Σ_g a_g ⊙ T_g into `out` (B, n, q); coefficients (B, g, n), terms (B | 1, g, n, q)."""
    if is_numpy(out):
        np.einsum("bgn,bgnq->bnq", coefficients, terms, out=out)  # in one pass
    else:
        out[...] = sum(coefficients[:, g, :, None] * terms[:, g] for g in range(terms.shape[1]))


def weighted_columns_into(rows: Array, coefficients: Array, out: Array) -> None:
    """Write Σ_g R_g ⊙ a_g into `out` (B, p, n); rows (R_1, …), (B, p, g·n), coefficients (B, g, n)."""
    batch, groups, n = coefficients.shape
    if is_numpy(out):
        np.einsum("bpgn,bgn->bpn", rows.reshape(batch, -1, groups, n), coefficients, out=out)
    else:
        out[...] = sum(rows[..., g * n : (g + 1) * n] * coefficients[:, g, None] for g in range(groups))
