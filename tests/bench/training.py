"""An update of an LSTM at n = 32, batch 64, T = 80, here for four seeds at once and in PyTorch for one."""

from __future__ import annotations

import numpy as np

from tests.bench.contenders import Run
from vanishgrad.questions.learn.named_tasks import named_task
from vanishgrad.questions.learn.parameters import Parameters, read_out
from vanishgrad.questions.learn.training import Recipe, Training
from vanishgrad.weights.laws import draw
from vanishgrad.weights.model_string import parse

N, GAP, SEEDS, UPDATES = 32, 80, 4, 5


def vanishgrad(dtype: str) -> Run:
    """Train `SEEDS` seeds for `UPDATES` updates."""
    task, recipe = named_task("recall"), Recipe(updates=UPDATES, dtype=dtype)
    spec = parse("lstm").resolved(N, GAP)
    cell = draw(spec, task.input_size, GAP, SEEDS, 0, dtype).cell(spec)
    start = Parameters(cell, *read_out(task.output_size, N, SEEDS, 0, dtype))
    return lambda: list(Training(task, GAP, recipe, start.with_flat(start.flat.copy())).updates())


def torch(dtype: str) -> Run:
    """Train `SEEDS` seeds for `UPDATES` updates, one after the other, on one thread."""
    import torch

    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    xs = torch.tensor(rng.standard_normal((64, GAP, 2)).astype(dtype))
    y = torch.tensor(rng.integers(0, 2, (64, 1)).astype(dtype))
    layer = torch.nn.LSTM(2, N, batch_first=True, dtype=xs.dtype)
    linear = torch.nn.Linear(N, 1, dtype=xs.dtype)
    tensors = [*layer.parameters(), *linear.parameters()]
    optimizer = torch.optim.Adam(tensors, lr=3e-3)

    def run() -> None:
        for _ in range(SEEDS * UPDATES):
            loss = torch.nn.functional.binary_cross_entropy_with_logits(linear(layer(xs)[0][:, -1]), y)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(tensors, 1.0)
            optimizer.step()

    return run
