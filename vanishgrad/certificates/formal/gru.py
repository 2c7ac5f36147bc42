r"""The literals of a GRU's or MGU's certificate: an invariant box |h| ≤ hb, and a positive w with |J| w ≤ ρ w in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vanishgrad.certificates.boxes import box, input_boxes
from vanishgrad.certificates.equivalent_gru import equivalent_gru
from vanishgrad.certificates.formal import fixed_point as fp
from vanishgrad.certificates.formal.bounded import head, input_limit, least_rate, rate, wider
from vanishgrad.certificates.formal.integer_weights import in_units, rows_of
from vanishgrad.certificates.formal.source import CoqSource
from vanishgrad.certificates.gated import rows
from vanishgrad.certificates.perron import positive_vectors
from vanishgrad.certificates.subject import CertifiedCell


@dataclass(frozen=True, eq=False)
class _Weights:
    """The weights in units of 2^-k, by rows: gates r and z one after the other, the candidate's apart."""

    after: bool
    k: int
    U: Sequence[Sequence[int]]
    V: Sequence[Sequence[int]]
    b: Sequence[int]
    N: Sequence[Sequence[int]]
    VN: Sequence[Sequence[int]]
    bN: Sequence[int]  # noqa: N815
    bh: Sequence[int]

    @property
    def n(self) -> int:
        """The number of units."""
        return len(self.bN)


class _Box:
    """What the gates and the candidate can do while |h| ≤ h and |x_j| ≤ the inputs, as the checker sees it."""

    def __init__(self, weights: _Weights, inputs: Sequence[int], h: Sequence[int]) -> None:
        self.weights, self.h, k = weights, h, weights.k
        reached = [
            fp.pre_activation(k, b, fp.absdot(U, h) + fp.absdot(V, inputs))
            for U, V, b in zip(weights.U, weights.V, weights.b, strict=True)
        ]
        self.r, self.z = ([fp.sigmas(each) for each in part] for part in (reached[: weights.n], reached[weights.n :]))
        states = h if weights.after else [fp.times(r[1], each) for r, each in zip(self.r, h, strict=True)]
        self.inner = [fp.pre_activation(k, b, fp.absdot(N, states)) for N, b in zip(weights.N, weights.bh, strict=True)]
        outer = [fp.pre_activation(k, b, fp.absdot(V, inputs)) for V, b in zip(weights.VN, weights.bN, strict=True)]
        self.candidate = [
            fp.tanh_sizes((low + more[0], high + more[1]))
            for (low, high), more in zip(outer, map(self._reset, self.r, self.inner), strict=True)
        ]

    def _reset(self, r: tuple[int, int], inner: tuple[int, int]) -> tuple[int, int]:
        if not self.weights.after:
            return inner
        return -fp.upto_times(*r, -inner[0]), fp.upto_times(*r, inner[1])

    @property
    def stays(self) -> bool:
        """Whether no step leaves the box: |h_t| ≤ max(|h_{t-1}|, |n̂|)."""
        return all(size[1] <= each for size, each in zip(self.candidate, self.h, strict=True))

    def rates(self, w: Sequence[int]) -> Iterator[int]:
        """Yield the least ρ with which each row of |J| w ≤ ρ w passes."""
        n, k = self.weights.n, self.weights.k
        p = [fp.spread(k, row, w) for row in self.weights.U]
        for j, flow in enumerate(self._flows(w, p)):
            low, high = self.candidate[j]
            through_keep, through_gate = fp.times(fp.slope_high(low), flow), fp.times(self.h[j] + high, p[n + j])
            yield rate(fp.peak(*self.z[j], fp.ONE * w[j], through_keep, through_gate), w[j])

    def _flows(self, w: Sequence[int], p: Sequence[int]) -> list[int]:
        """Return bounds of how far w moves what goes into each candidate's tanh."""
        weights, k = self.weights, self.weights.k
        if weights.after:
            return [
                fp.peak(*self.r[j], fp.spread(k, weights.N[j], w), 0, fp.times(fp.farthest(*self.inner[j]), p[j]))
                for j in range(weights.n)
            ]
        through_reset = [fp.peak(*self.r[j], fp.ONE * w[j], 0, fp.times(self.h[j], p[j])) for j in range(weights.n)]
        return [fp.gather(k, row, through_reset) for row in weights.N]


def gru_source(subject: CertifiedCell, bound: float) -> CoqSource | None:
    """Return the certificate, or None if no box of states is found; an MGU's is found as that of its GRU."""
    form = equivalent_gru(subject)
    weights, limit = _weights(form), input_limit(bound)
    proposed = box(form, input_boxes(limit / fp.ONE, subject.input_size, {}))
    if proposed is None:
        return None
    boxes = (_Box(weights, [limit] * subject.input_size, h) for h in wider(proposed.h))
    invariant = next((each for each in boxes if each.stays), None)
    if invariant is None:
        return None
    r, w = least_rate(positive_vectors(lambda x: rows(form, proposed, x), form.state_size), invariant.rates)
    own = _weights(subject)
    tensors = {name: getattr(own, name) for name in ("b", "U", "V", "bN", "bh", "N", "VN")}
    literals = {"hb": invariant.h, "x": w, **tensors}
    numbers = head(subject, own.k, r, limit, w, literals)
    method = "_".join(filter(None, (subject.cell, subject.reset, subject.keep)))
    return CoqSource(method, subject.activation, {**numbers, **literals})


def _weights(subject: CertifiedCell) -> _Weights:
    k, whole = in_units(subject.tensors)
    split = len(whole["b"]) - subject.hidden_size
    U, V = rows_of(whole["W_hh"]), rows_of(whole["W_hx"])
    b, bh = ([int(each) for each in whole[name]] for name in ("b", "b_hn"))
    return _Weights(subject.reset == "after", k, U[:split], V[:split], b[:split], U[split:], V[split:], b[split:], bh)
