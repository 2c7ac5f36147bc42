"""Every cell as data: a new cell is one row here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from tests import reference
from vanishgrad.cells import ACTIVATIONS, GRU, LSTM, RNN, Cell, StoredTrajectory
from vanishgrad.cells.activations import HARD_SIGMOID, LINEAR, RELU, SIGMOID
from vanishgrad.cells.antisymmetric import AntisymmetricRNN
from vanishgrad.cells.attention_head import AttentionHead
from vanishgrad.cells.cfc import CfC
from vanishgrad.cells.clipped import ClippedLSTM
from vanishgrad.cells.cornn import CoRNN
from vanishgrad.cells.coupled import CoupledLSTM
from vanishgrad.cells.delta_rule import DeltaNet, GatedDeltaNet
from vanishgrad.cells.indrnn import IndRNN
from vanishgrad.cells.janet import JANET
from vanishgrad.cells.layer_norm_lstm import LayerNormLSTM
from vanishgrad.cells.lem import LEM
from vanishgrad.cells.ligru import LiGRU
from vanishgrad.cells.lru import LRU
from vanishgrad.cells.mamba import Mamba
from vanishgrad.cells.mamba2 import Mamba2
from vanishgrad.cells.mgu import MGU
from vanishgrad.cells.mingru import MinGRU, MinLSTM
from vanishgrad.cells.mlstm import MLSTM
from vanishgrad.cells.peephole import PeepholeLSTM
from vanishgrad.cells.projected import ProjectedLSTM
from vanishgrad.cells.rwkv7 import RWKV7
from vanishgrad.cells.s4d import S4D
from vanishgrad.cells.slstm import SLSTM
from vanishgrad.cells.stack import Stack
from vanishgrad.propagation.run import run
from vanishgrad.weights.hints import CHOICES

N, D, P, T, BATCH = 5, 3, 4, 6, 3
"""Hidden size, width of the input, size of a projection, steps, sequences."""


@dataclass(frozen=True)
class Case:
    """A cell, its step in `reference`, and the shapes of its tensors for one trial.

    `normed` names a part of the state whose mean over the units its norm takes out: of the directions from that part,
    and of those into it, one is lost exactly, which Jacobians in floating point show as rounding.
    """

    name: str
    cell: Callable[..., Cell]
    step: Callable[..., np.ndarray]
    shapes: dict[str, tuple[int, ...]]
    normed: str | None = None

    def tensors(self, trials: int, dtype: str = "float64") -> dict[str, np.ndarray]:
        """Return random tensors with a leading axis of trials, gains of order 1."""
        rng = np.random.default_rng(7)
        return {
            name: (1.5 * rng.standard_normal((trials, *shape)) / np.sqrt(N)).astype(dtype)
            for name, shape in self.shapes.items()
        }

    def sequence(self, tensors: dict[str, np.ndarray], b: int) -> Sequence:
        """Return the reference for sequence b."""
        return Sequence(self.step, {name: each[b % len(each)] for name, each in tensors.items()})


@dataclass(frozen=True)
class Sequence:
    """The reference step with one trial's tensors."""

    step: Callable[..., np.ndarray]
    tensors: dict[str, np.ndarray]

    def __call__(self, t: int, x: np.ndarray, s: np.ndarray, **moved: np.ndarray) -> np.ndarray:
        return self.step(t, x, s, **{**self.tensors, **moved})

    def through(self, xs: np.ndarray, s: np.ndarray, k: int = 0) -> np.ndarray:
        """Return s_T from s_k along x_{k+1} … x_T."""
        for t in range(k + 1, len(xs) + 1):
            s = self(t, xs[t - 1], s)
        return s


def _shapes(gates: int, n: int = N, h: int = N, **more: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return {"W_hh": (gates * n, h), "W_hx": (gates * n, D), "b": (gates * n,), **more}


def _without_recurrence(gates: int, **more: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a cell whose gates see the input alone."""
    return {"W_hx": (gates * N, D), "b": (gates * N,), **more}


def _matrix_state(other_rows: int, **more: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a cell of N value channels and some rows beside theirs."""
    return {"W_hx": (N + other_rows, D), "b": (N + other_rows,), **more}


NORMS = _shapes(4, gain_x=(4 * N,), gain_h=(4 * N,), gain_c=(N,), shift_c=(N,))


def _rnn(name: str, phi: Callable) -> Case:
    return Case(f"rnn-{name}", partial(RNN, activation=ACTIVATIONS[name]), partial(reference.rnn, phi=phi), _shapes(1))


def _gru(name: str, step: Callable, **options: object) -> Case:
    return Case(f"gru-{name}", partial(GRU, **options), step, _shapes(3, b_hn=(N,)))


def _mgu(reset: str, keep: str, phi: str = "tanh", gate: str = "sigmoid") -> Case:
    functions = {"phi": getattr(reference, phi, np.tanh), "gate": getattr(reference, gate)}
    kind = partial(MGU, activation=CHOICES[phi], gate_activation=CHOICES[gate], reset=reset, keep=keep)
    step = partial(reference.mgu, reset=reset, keep=keep, **functions)
    return Case(f"mgu-{reset}-{keep}-{phi}", kind, step, _shapes(2, b_hn=(N,)))


def _stack(W_hh: np.ndarray, W_hx: np.ndarray, b: np.ndarray, W_hx_above: np.ndarray, b_hn: np.ndarray) -> Stack:
    """A GRU above an LSTM."""
    below = LSTM(W_hh[..., : 4 * N, :], W_hx, b[..., : 4 * N])
    return Stack([below, GRU(W_hh[..., 4 * N :, :], W_hx_above, b[..., 4 * N :], b_hn)])


def _stack_step(t: int, x: np.ndarray, s: np.ndarray, **tensors: np.ndarray) -> np.ndarray:
    W_hh, W_hx, b, W_hx_above, b_hn = tensors.values()
    below = reference.lstm(t, x, s[N:], W_hh[: 4 * N], W_hx, b[: 4 * N])
    above = reference.gru_after(t, below[:N], s[:N], W_hh[4 * N :], W_hx_above, b[4 * N :], b_hn)
    return np.concatenate([above, below])


CASES = [
    _rnn("tanh", np.tanh),
    _rnn("relu", reference.relu),
    _rnn("linear", reference.linear),
    _rnn("sigmoid", reference.sigmoid),
    Case("rnn-untied", RNN, reference.untied_rnn, {**_shapes(1), "W_hh": (T, N, N)}),
    Case("lstm", LSTM, reference.lstm, _shapes(4)),
    Case(
        "lstm-relu", partial(LSTM, activation=RELU),
        partial(reference.lstm, phi=reference.relu, phi_c=reference.relu), _shapes(4),
    ),
    Case(
        "lstm-mixed", partial(LSTM, activation=SIGMOID, gate_activation=HARD_SIGMOID, cell_activation=LINEAR),
        partial(reference.lstm, phi=reference.sigmoid, gate=reference.hard_sigmoid, phi_c=reference.linear), _shapes(4),
    ),
    _gru("after", reference.gru_after),
    _gru("before", reference.gru_before, reset="before"),
    _gru(
        "after-mixed", partial(reference.gru_after, phi=reference.relu, gate=reference.hard_sigmoid),
        activation=RELU, gate_activation=HARD_SIGMOID,
    ),
    _gru(
        "before-mixed", partial(reference.gru_before, phi=reference.sigmoid, gate=reference.hard_sigmoid),
        activation=SIGMOID, gate_activation=HARD_SIGMOID, reset="before",
    ),
    *(_mgu(reset, keep) for reset in ("before", "after", "none") for keep in ("new", "old")),
    _mgu("before", "new", "relu", "hard_sigmoid"),
    _mgu("after", "old", "sigmoid", "hard_sigmoid"),
    Case("peephole", PeepholeLSTM, reference.peephole, _shapes(4, w_c=(3 * N,))),
    Case("coupled", CoupledLSTM, reference.coupled, _shapes(3)),
    Case("janet", JANET, reference.janet, _shapes(2, beta=(1,))),
    Case("ligru", LiGRU, reference.ligru, _shapes(2)),
    Case("indrnn", IndRNN, reference.indrnn, _without_recurrence(1, u=(N,))),
    Case("mingru", MinGRU, reference.mingru, _without_recurrence(2)),
    Case("minlstm", MinLSTM, reference.minlstm, _without_recurrence(3)),
    Case(
        "antisymmetric", partial(AntisymmetricRNN, epsilon=0.3, gamma=0.2),
        partial(reference.antisymmetric, epsilon=0.3, gamma=0.2), _shapes(1),
    ),
    Case("lru", LRU, reference.lru, _without_recurrence(2, nu_log=(N,), theta_log=(N,), gamma_log=(N,))),
    Case("cornn", CoRNN, reference.cornn, _shapes(1, h=2 * N)),
    Case("layer-norm", LayerNormLSTM, reference.layer_norm_lstm, NORMS, normed="c"),
    Case(
        "layer-norm-wide", partial(LayerNormLSTM, epsilon=1e-3),
        partial(reference.layer_norm_lstm, epsilon=1e-3), NORMS, normed="c",
    ),
    Case("stack", _stack, _stack_step, {**_shapes(7), "W_hx": (4 * N, D), "W_hx_above": (3 * N, N), "b_hn": (N,)}),
    Case(
        "clipped", partial(ClippedLSTM, clip=0.4), partial(reference.clipped, clip=0.4), _shapes(4),
    ),
    Case("projected", ProjectedLSTM, reference.projected, _shapes(4, h=P, W_hr=(P, N))),
]  # fmt: skip

WITHOUT_GRADIENTS = [
    Case(
        "mamba",
        Mamba,
        reference.mamba,
        _without_recurrence(1, W_x=(2 + P, N), W_dt=(N, 2), b_dt=(N,), A_log=(N, P)),
    ),
    Case(
        "attention", AttentionHead, reference.attention,
        _without_recurrence(1, W_q=(N, N), W_k=(N, N), W_v=(N, N)),
    ),
    Case("mamba2", partial(Mamba2, heads=2, states=3), reference.mamba2, _matrix_state(3 + 2, A_log=(2,))),
    Case("deltanet", partial(DeltaNet, heads=2, keys=3), reference.deltanet, _matrix_state(6 + 2)),
    Case(
        "deltanet-reach", partial(DeltaNet, heads=2, keys=3, reach=2.0),
        partial(reference.deltanet, reach=2.0), _matrix_state(6 + 2),
    ),
    Case(
        "gated-deltanet", partial(GatedDeltaNet, heads=2, keys=3), reference.deltanet,
        _matrix_state(6 + 4, A_log=(2,)),
    ),
    Case(
        "rwkv7", partial(RWKV7, heads=2, keys=3), reference.rwkv7,
        _matrix_state(6 + 4, W_w=(6, 2), w0=(6,), W_a=(6, 2), a0=(6,), k_k=(6,), k_a=(6,)),
    ),
    Case("mlstm", partial(MLSTM, heads=2, keys=3), reference.mlstm, _matrix_state(6 + 4)),
    Case("slstm", SLSTM, reference.slstm, _shapes(4)),
    Case(
        "cfc", partial(CfC, dt=0.7), partial(reference.cfc, dt=0.7),
        {"W_hh": (P, N), "W_hx": (P, D), "b": (P,), "W_out": (4 * N, P), "b_out": (4 * N,)},
    ),
    Case("s4d", S4D, reference.s4d, _without_recurrence(2, Lambda_re=(N,), Lambda_im=(N,), log_step=(N,))),
    *(
        Case(
            f"lem-{reads}",
            partial(LEM, reads=reads, dt=0.7),
            partial(reference.lem, reads=reads, dt=0.7),
            _without_recurrence(4, W_hh=(3 * N, N), W_ch=(N, N)),
        )
        for reads in ("new", "old")
    ),
]  # fmt: skip
"""Cells that are measured, and have no gradient by their weights."""

BY_NAME = {case.name: case for case in CASES}


@dataclass(frozen=True, eq=False)
class Run:
    """A case driven through `T` random steps, by the engine and by the reference."""

    case: Case
    tensors: dict[str, np.ndarray]
    cell: Cell
    xs: np.ndarray
    trajectory: StoredTrajectory

    @property
    def linearisation(self):
        return self.cell.linearise(self.trajectory, 0, T)

    def sequence(self, b: int) -> Sequence:
        return self.case.sequence(self.tensors, b)


def random_run(case: Case, trials: int = BATCH, dtype: str = "float64") -> Run:
    """Return a run of `BATCH` sequences from a random start; `trials` is 1 for weights that they share."""
    rng = np.random.default_rng(1)
    tensors = case.tensors(trials, dtype)
    cell = case.cell(**tensors)
    xs = rng.standard_normal((BATCH, T, D)).astype(dtype)
    s0 = rng.standard_normal((BATCH, cell.state_size)).astype(dtype)
    return Run(case, tensors, cell, xs, run(cell, xs, s0))
