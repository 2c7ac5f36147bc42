"""Random networks of every size of weight, each run once."""

from __future__ import annotations

import numpy as np

from vanishgrad.cells import GRU, LSTM, RNN
from vanishgrad.cells.mgu import MGU
from vanishgrad.formal_answer.quantities.measured import MeasuredRun
from vanishgrad.propagation.run import run

KINDS = ("rnn", "lstm", "gru-after", "gru-before", "mgu-before-new", "mgu-none-old")


def random_run(kind: str, seed: int, steps: int = 12) -> MeasuredRun:
    """Return a net of 1 to 6 units with weights of a random size and, if gated, keep gates of a random openness."""
    draw = np.random.default_rng(seed)
    n, d = int(draw.integers(1, 7)), int(draw.integers(1, 4))
    cell = _cell(kind, draw, n, d)
    start = np.tanh(draw.standard_normal((1, cell.state_size)))
    trajectory = run(cell, draw.standard_normal((1, steps, d)), start)
    loss = draw.standard_normal(n)
    return MeasuredRun(f"{kind} {seed}", "", cell, trajectory, loss / np.linalg.norm(loss))


def _cell(kind, draw, n, d):
    gates = {"rnn": 1, "lstm": 4}.get(kind, 2 if kind.startswith("mgu") else 3)
    W_hh = draw.standard_normal((gates * n, n)) * 10 ** draw.uniform(-3, 0.3) / np.sqrt(n)
    W_hx, b = draw.standard_normal((gates * n, d)) * 10 ** draw.uniform(-2, 0), draw.standard_normal(gates * n) * 0.3
    if kind == "rnn":
        return RNN(W_hh, W_hx, b)
    open_ = draw.uniform(-2, 12)
    if kind.startswith("mgu"):
        _, reset, keep = kind.split("-")
        b[:n] += open_ if keep == "old" else -open_
        return MGU(W_hh, W_hx, b, draw.standard_normal(n) * 0.3, reset=reset, keep=keep)
    b[n : 2 * n] += open_
    if kind == "lstm":
        b[:n] -= draw.uniform(0, 12)
        return LSTM(W_hh, W_hx, b)
    return GRU(W_hh, W_hx, b, draw.standard_normal(n) * 0.3, reset=kind.removeprefix("gru-"))
