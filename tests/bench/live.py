"""A 2 × 256 LSTM at T = 100, batch 32, in PyTorch: trained with and without a watch; a batch run and captured."""

from __future__ import annotations

from typing import Any

from tests.bench.contenders import Run
from vanishgrad.models.live_torch import captured_run
from vanishgrad.questions.watch.watch import Watch

N, WIDTH, STEPS, BATCH, UPDATES = 256, 64, 100, 32, 200


def _module() -> tuple[Any, Any]:
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    return torch.nn.LSTM(WIDTH, N, 2, batch_first=True), torch.randn(BATCH, STEPS, WIDTH)


def training(watched: bool) -> Run:
    """Return `UPDATES` updates, under a watch that asks for a measurement every 100 or not."""
    module, xs = _module()
    import torch

    optimizer = torch.optim.SGD(module.parameters(), 1e-3)

    def updates() -> None:
        for _ in range(UPDATES):
            optimizer.zero_grad()
            module(xs)[0].pow(2).mean().backward()
            optimizer.step()

    def under_watch() -> None:
        with Watch(module, every=100):
            updates()

    return under_watch if watched else updates


def forward() -> Run:
    """Return a forward without gradients."""
    import torch

    module, xs = _module()

    def run() -> None:
        with torch.no_grad():
            module(xs)

    return run


def capture() -> Run:
    """Return the same with what its layers were given recorded."""
    module, xs = _module()
    return lambda: captured_run(module, xs)
