"""Measured run of a model, with the norms of its Jacobian products at every lag."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import GRU, LSTM, RNN, Cell, StoredTrajectory
from vanishgrad.cells.mgu import MGU
from vanishgrad.curves.recorder import log_sizes
from vanishgrad.propagation.products.products import Product, backward_products
from vanishgrad.propagation.singular_values.largest import LeadingSingularValues, largest_singular_value

BATCH_NUMBERS = 2**22
"""Numbers in a batch of matrices whose norms are taken together."""
MAX_GRAM_SIZE = 160
"""Up to this size the spectrum of a Gram matrix is cheaper than starting an iteration."""


@dataclass(frozen=True, eq=False)
class MeasuredRun:
    """Trial 0 of a model along one input sequence; its lags end at the last step T.

    Attributes
    ----------
    label, spec : str
    cell : Cell
        One set of weights.
    trajectory : StoredTrajectory
        One sequence.
    loss : (n,) array
        A random unit cotangent of h_T.
    """

    label: str
    spec: str
    cell: Cell
    trajectory: StoredTrajectory
    loss: Array

    @property
    def steps(self) -> int:
        """The length T."""
        return self.trajectory.steps

    @property
    def kind(self) -> str:
        """``rnn``, ``lstm``, ``gru`` or ``mgu`` if the theorems of that cell are about exactly this one, else empty."""
        cell = self.cell
        if type(cell) is RNN and cell.W_hh.ndim == 3:
            return cell.name
        gated = (
            isinstance(cell, LSTM | GRU | MGU)
            and cell.gate_activation.name == "sigmoid"
            and cell.activation.name == "tanh"
        )
        if type(cell) is LSTM and gated and cell.cell_activation.name == "tanh":
            return cell.name
        return cell.name if type(cell) in (GRU, MGU) and gated else ""

    @property
    def memory(self) -> str:
        """The part of the state that is meant to remember: c if there is one."""
        return self.cell.parts[-1].name

    def jacobians(self) -> Iterator[Array]:
        """Yield J_1 … J_T, each (m, m); they are kept where they are small."""
        if self.steps * self.cell.state_size**2 <= BATCH_NUMBERS:
            return iter(self._kept)
        return self._dense()

    @cached_property
    def _kept(self) -> list[Array]:
        return list(self._dense())

    def _dense(self) -> Iterator[Array]:
        linearisation = self.cell.linearise(self.trajectory, 0, self.steps)
        return (linearisation.dense(t)[0] for t in range(1, self.steps + 1))

    @cached_property
    def log_determinants(self) -> Array:
        """The logarithms of |det J_t|, (T,)."""
        return np.array([np.linalg.slogdet(J)[1] for J in self.jacobians()])

    @cached_property
    def products(self) -> Products:
        """The norms at every lag."""
        return _swept(self)

    @property
    def log_memory(self) -> float:
        """The logarithm of the norm of the memory's block at lag T."""
        return float(self.products.curves["memory"][-1])


@dataclass(frozen=True, eq=False)
class Products:
    """What one backward sweep leaves.

    Attributes
    ----------
    curves : mapping
        ln ‖·‖₂ by lag, (T + 1,): ``memory`` (∂c_T/∂c_k, or ∂h_T/∂h_k where there is no c) and, for gated cells,
        ``conveyor`` (the product of the diagonal gates) and ``detours`` (the memory's curve without it).
    log_state : float
        ln ‖∂s_T/∂s_0‖₂.
    log_diagonal : (T + 1, n) array
        ln |·| of the diagonal entries of the memory's block.
    log_terms : (T,) array
        ln of the Frobenius norm of each lag's term in ∂L/∂W_hh.
    last : (n, n) array
        The memory's block at lag T divided by exp(log_scale).
    log_scale : float
    """

    curves: Mapping[str, Array]
    log_state: float
    log_diagonal: Array
    log_terms: Array
    last: Array
    log_scale: float


def _swept(run: MeasuredRun) -> Products:
    sweep = _Sweep(run)
    with np.errstate(divide="ignore"):
        for product in backward_products(run.cell, run.trajectory, 1):
            sweep.observe(product)
    return sweep.products()


class _Sweep:
    """Fills in one lag after the other."""

    def __init__(self, run: MeasuredRun) -> None:
        self._run, self._steps = run, run.steps
        n = run.cell.parts[-1].size
        self._conveyor: Array | None = np.zeros(n) if run.cell.keep_gate else None
        self._shapes = {"memory": (n, n)} | ({} if self._conveyor is None else {"detours": (n, n)})
        self._leading = leading_values(self._shapes, 1)
        names = [*self._shapes, *([] if self._conveyor is None else ["conveyor"])]
        self._curves = {name: np.empty(run.steps + 1) for name in names}
        self._diagonal, self._terms = np.empty((run.steps + 1, n)), np.empty(run.steps)
        self._last, self._log_scale, self._log_state = np.eye(n), 0.0, 0.0

    def observe(self, product: Product) -> None:
        lag, memory = product.lag, self._run.memory
        blocks = {"memory": product.block(memory, memory)}
        whole, scale = blocks["memory"]
        self._last, self._log_scale = whole[0].copy(), float(scale[0])
        self._diagonal[lag] = np.log(np.abs(np.diagonal(whole[0]))) + scale[0]
        if self._conveyor is not None:
            direct = np.exp(np.minimum(self._conveyor - scale[0], 700.0))
            blocks["detours"] = (whole - np.diag(direct), scale)
            self._curves["conveyor"][lag] = self._conveyor.max()
        sigma = self._leading({name: matrix for name, (matrix, _) in blocks.items() if name in self._shapes})
        for name, value in sigma.items():
            self._curves[name][lag] = np.log(value[0]) + blocks[name][1][0]
        if product.linearisation is None:
            matrix, log_scale = product.block(None, None)
            self._log_state = float(np.log(largest_singular_value(matrix)[0]) + log_scale[0])
        else:
            self._terms[lag] = _log_term(product, self._run.loss, self._steps - lag)
            step = product.linearisation.conveyor(self._steps - lag)
            if self._conveyor is not None and step is not None:
                self._conveyor = self._conveyor + log_sizes(step)[0]

    def products(self) -> Products:
        return Products(self._curves, self._log_state, self._diagonal, self._terms, self._last, self._log_scale)


def _log_term(product: Product, loss: Array, t: int) -> float:
    assert product.linearisation is not None
    matrix, scale = product.block("h", None)
    norm = product.linearisation.weight_gradient_norm(t, (loss @ matrix[0])[None])
    return float(log_sizes(norm)[0] + scale[0])


def leading_values(
    shapes: Mapping[str, tuple[int, int]], batch: int
) -> Callable[[Mapping[str, Array]], dict[str, Array]]:
    """Return what gives σ₁ of named matrices, call after call: from Gram matrices if small, else by Lanczos."""
    if max(max(shape) for shape in shapes.values()) > MAX_GRAM_SIZE:
        return LeadingSingularValues(shapes, batch)
    return lambda matrices: {name: _from_gram(matrix) for name, matrix in matrices.items()}


def _from_gram(matrix: Array) -> Array:
    """Return σ₁ of matrices (B, p, q) that lie well within the range of a float64, to a few units of roundoff."""
    largest = np.linalg.eigvalsh(matrix @ np.swapaxes(matrix, 1, 2))[:, -1]
    return np.sqrt(np.maximum(largest, 0.0))


def spectral_norms(matrices: Iterable[Array]) -> Array:
    """Return ‖·‖₂ of each of several matrices of one shape, (N,), in batches."""
    norms: list[Array] = []
    batch: list[Array] = []
    for matrix in matrices:
        batch.append(matrix)
        if len(batch) * matrix.size >= BATCH_NUMBERS:
            norms.append(_norms(np.stack(batch)))
            batch = []
    return np.concatenate([*norms, _norms(np.stack(batch))] if batch else norms)


def _norms(stack: Array) -> Array:
    return leading_values({"": stack.shape[1:]}, len(stack))({"": stack})[""]


def log_smallest(matrix: Array, log_scale: float = 0.0) -> float:
    """Return ln σ_min of exp(log_scale) · matrix, NaN where it is lost in roundoff."""
    sigma = np.linalg.svd(matrix, compute_uv=False)
    resolved = sigma[-1] > len(matrix) * np.finfo(float).eps * sigma[0]
    return float(np.log(sigma[-1]) + log_scale) if resolved else math.nan
