"""Jacobian products through gates: one matrix product with the recurrent weights plus elementwise work."""

from __future__ import annotations

from vanishgrad.arrays import Array, columns_through, matmul_into, multiply_into, namespace, weighted_sum_into

NARROW = 32
"""Up to so many rows or columns the operand is scaled; beyond, the weights are, once for each signal."""


class GateProducts:
    """The linear map that the stacked weights of a cell's gates induce along a trajectory.

    A signal y_j ∈ R^n reaches the gates of group j: the pre-activation of gate g moves by V_g dh and signal j by
    Σ_g diag(a_g) V_g dh. So, with K_j = Σ_{g ∈ group j} diag(a_g) V_g stacked over j,

        tangent   dh ↦ K dh          cotangent   (y_1, …, y_k) ↦ Σ_j y_j K_j .

    For wide operands K is formed (n² work for each gate) and the product is k·n wide instead of g·n: half the flops of
    a product with the stacked weights for an LSTM, a third for a GRU. Narrow operands are scaled instead.

    Parameters
    ----------
    weights : (B | 1, g·n, q) array
    coefficients : (T', B, g, n) array
        a_g at each step.
    groups : tuple of tuples of int
        The consecutive gates that each signal reaches, signals in the order of the rows of K.
    """

    def __init__(self, weights: Array, coefficients: Array, groups: tuple[tuple[int, ...], ...]) -> None:
        self._weights = weights
        self._coefficients = coefficients
        self._groups = groups
        self._n = int(coefficients.shape[-1])
        self._source = {g: j for j, group in enumerate(groups) for g in group}
        self._K: Array | None = None
        self._pulled: Array | None = None

    def cotangent(self, step: int, signals: Array, out: Array) -> None:
        """Write Σ_j y_j K_j into `out` (B, p, q); signals (B, p, k·n)."""
        if signals.shape[-2] > NARROW:
            matmul_into(signals, self._matrix(step), out)
        else:
            matmul_into(self._pull(step, signals), self._weights, out)

    def cotangent_with(self, step: int, slopes: Array, signals: Array, out: Array) -> None:
        """Write y_1 K_1 + (y_2 + y_1 ⊙ a) K_2 into `out` (B, p, q); slopes a (B, n), signals (y_1, y_2).

        For wide operands: the slopes go into K_1.
        """
        K = self._matrix(step)
        K[:, self._rows(0)] += slopes[..., None] * K[:, self._rows(1)]
        matmul_into(signals, K, out)

    def tangent(self, step: int, dh: Array, out: Array) -> None:
        """Write K dh into `out` (B, k·n, c); dh (B, q, c)."""
        if dh.shape[-1] > NARROW:
            matmul_into(self._matrix(step), dh, out)
            return
        image = columns_through(self._weights, dh)
        for j, group in enumerate(self._groups):
            out[:, self._rows(j)] = sum(self._scale(step, g)[..., None] * image[:, self._rows(g)] for g in group)

    def cotangent_terms(self, step: int, signals: Array) -> list[Array]:
        """Return y_j diag(a_g) V_g, (B, p, q), for each gate g; `cotangent` is their sum."""
        pulled = self._pull(step, signals)
        gates = range(self._coefficients.shape[2])
        return [pulled[..., self._rows(g)] @ self._weights[:, self._rows(g)] for g in gates]

    def dense(self, step: int) -> Array:
        """Return K, (B, k·n, q)."""
        K: Array = namespace(self._coefficients).asarray(self._matrix(step), copy=True)
        return K

    def pulled_back(self, step: int, signals: Array) -> Array:
        """Return the cotangents (B, p, g·n) of the pre-activations."""
        pulled: Array = namespace(signals).asarray(self._pull(step, signals), copy=True)
        return pulled

    def _pull(self, step: int, signals: Array) -> Array:
        shape = (*signals.shape[:-1], len(self._source) * self._n)
        if self._pulled is None or self._pulled.shape != shape:
            self._pulled = namespace(signals).empty(shape, dtype=signals.dtype)
        for g, j in self._source.items():
            multiply_into(signals[..., self._rows(j)], self._scale(step, g)[:, None], self._pulled[..., self._rows(g)])
        return self._pulled

    def _rows(self, j: int) -> slice:
        return slice(j * self._n, (j + 1) * self._n)

    def _scale(self, step: int, gate: int) -> Array:
        return self._coefficients[step, :, gate]

    def _matrix(self, step: int) -> Array:
        q = self._weights.shape[-1]
        if self._K is None:
            shape = (self._coefficients.shape[1], len(self._groups) * self._n, q)
            self._K = namespace(self._coefficients).empty(shape, dtype=self._coefficients.dtype)
        by_gate = self._weights.reshape(self._weights.shape[0], -1, self._n, q)
        for j, group in enumerate(self._groups):
            gates = slice(group[0], group[-1] + 1)
            weighted_sum_into(self._coefficients[step, :, gates], by_gate[:, gates], self._K[:, self._rows(j)])
        return self._K
