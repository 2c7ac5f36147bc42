"""Mamba's recurrence S6: a diagonal state-space model with a step size of the input's choosing (Gu and Dao 2023)."""

from __future__ import annotations

import math

import numpy as np

from vanishgrad.arrays import Array, floating, for_each_sequence, matmul_into, namespace, shared_matmul, times
from vanishgrad.cells.activations import LINEAR, SIGMOID, Activation
from vanishgrad.cells.cell import Cell, Part
from vanishgrad.cells.linearisation import Linearisation, Outer
from vanishgrad.cells.published_law import Draw, Tensors, linear_uniform, no_columns
from vanishgrad.random_streams import Role

SMALLEST_STEP, LARGEST_STEP = 1e-3, 1e-1
"""Between which the initial step sizes Δ are log-uniform."""


class Mamba(Cell):
    r"""S_t = e^{Δ_t A} ⊙ S_{t-1} + (Δ_t ⊙ u_t) B_tᵀ, A = -e^{A_log}, S (E, N): J_t = diag e^{Δ_t A}, from x_t alone.

    u = silu(W_hx x + b), (r, B) = W_x u, Δ = softplus(W_dt r + b_dt): E channels of N states each. The state is S row
    by row, all of it h, of which y = S C + D u is read. The causal convolution of four steps that a block puts before
    silu is not in the recurrence, nor are its gate and its output projection.

    Gu and Dao (2023), "Mamba: linear-time sequence modeling with selective state spaces". Published law: the one of
    mamba_ssm and transformers: A_log = ln 1 … ln N, softplus(b_dt) log-uniform on [0.001, 0.1], W_dt U(±R^{-1/2}) with
    R = ⌈d/16⌉, the others those of an nn.Linear; b = 0.

    Parameters
    ----------
    W_hx : (S, E, d) array
    b : (S, E) array
    W_x : (S, R + N, E) array
    W_dt : (S, E, R) array
    b_dt : (S, E) array
    A_log : (S, E, N) array
    states : int
        N, of the law.
    """

    name = "mamba"
    tensors = ("W_hx", "b", "W_x", "W_dt", "b_dt", "A_log")
    has_weights = False
    is_diagonal = True
    activation = LINEAR

    def __init__(
        self, W_hx: Array, b: Array, W_x: Array, W_dt: Array, b_dt: Array, A_log: Array, states: int = 16
    ) -> None:
        super().__init__(no_columns(W_hx), W_hx, b)
        self.W_x, self.W_dt, self.A_log = (each if each.ndim > 2 else each[None] for each in (W_x, W_dt, A_log))
        self.b_dt = np.atleast_2d(b_dt)
        self.states = int(self.A_log.shape[-1])

    @classmethod
    def published(cls, draw: Draw) -> Tensors:
        """Return W_hx of an nn.Linear without bias."""
        return {"W_hx": linear_uniform(draw.of(Role.W_HX), draw.n, draw.d), "b": np.zeros(draw.n)}

    @classmethod
    def other_tensors(cls, draw: Draw) -> Tensors:
        """Return the projections of the input, the step sizes and A."""
        N, rank = int(draw.keys["states"]), math.ceil(draw.d / 16)
        low, high = math.log(SMALLEST_STEP), math.log(LARGEST_STEP)
        steps = np.exp(draw.of(Role.OTHER_TENSOR).uniform(low, high, draw.n))
        return {
            "W_x": linear_uniform(draw.of(Role.OTHER_TENSOR, 1), rank + N, draw.n),
            "W_dt": draw.of(Role.OTHER_TENSOR, 2).uniform(-1, 1, (draw.n, rank)) * rank**-0.5,
            "b_dt": np.log(np.expm1(steps)),
            "A_log": np.tile(np.log(np.arange(1, N + 1)), (draw.n, 1)),
        }

    @property
    def parts(self) -> tuple[Part, ...]:
        """One: S, channel after channel."""
        return (Part("h", self.hidden_size * self.states),)

    @property
    def record_size(self) -> int:
        """How many numbers a step keeps: the pre-activations of u and of Δ, and B."""
        return 2 * self.hidden_size + self.states

    @property
    def activations(self) -> tuple[Activation, ...]:
        """Silu and softplus are made of the logistic function."""
        return (SIGMOID,)

    def advance(self, t: int, a_x: Array, s: Array) -> tuple[Array, Array]:
        """Return S_t, (B, E·N), and the record."""
        u = a_x * SIGMOID.phi(a_x)
        projected, rank = times(self.W_x, u), self.W_dt.shape[-1]
        a_dt = times(self.W_dt, projected[..., :rank]) + for_each_sequence(self.b_dt, u.shape[0])
        record = namespace(a_x).concat([a_x, a_dt, projected[..., rank:]], axis=-1)
        return self.state(record, s), record

    def shares(self, record: Array) -> tuple[Array, Array, Array]:
        """Return the pre-activations of u and of Δ, (…, E), and B, (…, N)."""
        E = self.hidden_size
        return record[..., :E], record[..., E : 2 * E], record[..., 2 * E :]

    def state(self, record: Array, s: Array) -> Array:
        """Return S_t."""
        a_u, a_dt, B = self.shares(floating(record))
        step, u = softplus(a_dt), a_u * SIGMOID.phi(a_u)
        S = s.reshape(*s.shape[:-1], self.hidden_size, self.states)
        new: Array = np.exp(self.rates(step)) * S + (step * u)[..., None] * B[..., None, :]
        return new.reshape(s.shape)

    def rates(self, step: Array) -> Array:
        """Return Δ A, (…, B, E, N)."""
        A = for_each_sequence(-np.exp(floating(self.A_log)), step.shape[-2])
        return step[..., None] * A

    def multipliers(self, a: Array, before: Array, after: Array) -> Array:
        """Return e^{Δ_t A}, (T', B, E·N)."""
        sizes: Array = np.exp(self.log_multipliers(a, before, after))
        return sizes

    def log_multipliers(self, a: Array, before: Array, after: Array) -> Array:
        """Return ln a_t = Δ_t A, (T', B, E·N)."""
        _, a_dt, _ = self.shares(a)
        return self.rates(softplus(a_dt)).reshape(before.shape)

    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        """Return the linearisation of steps start + 1, … of which states and records are given."""
        return _MambaLinearisation(self, floating(states), floating(records), start)


def softplus(a: Array) -> Array:
    """Return ln(1 + e^a), of complex numbers too."""
    small: Array = np.log1p(np.exp(np.where(a.real > 0, -a, a)))
    return np.where(a.real > 0, a + small, small)


def _sum(x: Array, axis: int) -> Array:
    """Return sums along an axis, in either range."""
    total: Array = namespace(x).mean(x, axis=axis, keepdims=False) * x.shape[axis]
    return total


class _MambaLinearisation(Linearisation):
    """The diagonals e^{ΔA}, and the chain from x to them and to what is written."""

    def __init__(self, cell: Mamba, states: Array, records: Array, start: int) -> None:
        self._cell, self._first = cell, start + 1
        self._rank = int(cell.W_dt.shape[-1])
        a_u, a_dt, self._B = cell.shares(records)
        logistic = SIGMOID.phi(a_u)
        self._u, self._du = a_u * logistic, logistic + a_u * SIGMOID.dphi(a_u)
        self._step, self._dstep = softplus(a_dt), SIGMOID.phi(a_dt)
        rates = cell.rates(self._step)
        self._a = np.exp(rates)
        self._A = for_each_sequence(-np.exp(floating(cell.A_log)), states.shape[1])
        self._S = states[:-1].reshape(*states[:-1].shape[:-1], cell.hidden_size, cell.states)

    def _diagonal(self, t: int) -> Array:
        a = self._a[t - self._first]
        return a.reshape(a.shape[0], -1)

    def _by_step(self, i: int) -> Array:
        """Return ∂S/∂Δ, (B, E, N)."""
        return self._A * self._a[i] * self._S[i] + self._u[i][..., None] * self._B[i][:, None]

    def cotangent(self, t: int, W: Array, out: Array) -> None:
        out[...] = W * self._diagonal(t)[:, None]

    def tangent(self, t: int, V: Array, out: Array) -> None:
        out[...] = self._diagonal(t)[..., None] * V

    def input_cotangent(self, t: int, W: Array, out: Array) -> None:
        i, cell = t - self._first, self._cell
        w = W.reshape(*W.shape[:2], cell.hidden_size, cell.states)
        step, B = self._step[i][:, None, :, None], self._B[i][:, None, None]
        of_step = _sum(w * self._by_step(i)[:, None], -1) * self._dstep[i][:, None]
        of_B = _sum(w * step * self._u[i][:, None, :, None], -2)
        projected = namespace(W).concat([shared_matmul(of_step, cell.W_dt), of_B], axis=-1)
        of_u = _sum(w * step * B, -1) + shared_matmul(projected, cell.W_x)
        matmul_into(of_u * self._du[i][:, None], cell.W_hx, out)

    def input_tangent(self, t: int, X: Array, out: Array) -> None:
        i, cell = t - self._first, self._cell
        du = self._du[i][..., None] * (cell.W_hx @ X)
        projected = cell.W_x @ du
        dstep = self._dstep[i][..., None] * (cell.W_dt @ projected[:, : self._rank])
        dB = projected[:, self._rank :]
        step, u, B = self._step[i][..., None, None], self._u[i][..., None, None], self._B[i][:, None, :, None]
        dS = self._by_step(i)[..., None] * dstep[:, :, None] + step * (B * du[:, :, None] + u * dB[:, None])
        out[...] = dS.reshape(out.shape)

    def dense(self, t: int) -> Array:
        a = self._diagonal(t)
        J: Array = a[..., None] * np.eye(a.shape[-1], dtype=a.dtype)
        return J

    def weight_gradient(self, t: int, w: Array) -> tuple[Outer, ...]:
        """Nothing: it is measured, and not trained."""
        return ()

    def conveyor(self, t: int) -> Array:
        return self._diagonal(t)
