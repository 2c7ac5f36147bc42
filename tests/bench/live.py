"""A 2 × 256 LSTM at T = 100 in PyTorch: trained with and without a watch; a batch of 32 run and captured; measured."""

from __future__ import annotations

from typing import Any

import vanishgrad
from tests.bench.contenders import Run, jacobian_norms
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


def analyze(curves: tuple[str, ...] | None = None) -> Run:
    """Return the measurement of both layers, all curves by default, along one sequence, the module's forward included."""
    module, xs = _module()
    return lambda: vanishgrad.analyze(module, input=xs[:1], curves=curves)


def torch_func(all_curves: bool = False) -> Run:
    """Return the norms of ∂s_T/∂s_k of both layers along what the same run recorded, by `torch.func`, or all curves'."""
    import torch

    module, xs = _module()
    (call,) = captured_run(module, xs[:1]).calls.values()
    weights = {name: torch.from_numpy(each) for name, each in call.weights.items()}
    inputs, layers = torch.from_numpy(call.xs[0]), []
    for layer in range(module.num_layers):
        names = {"W_hx": "weight_ih", "W_hh": "weight_hh", "b_x": "bias_ih", "b_h": "bias_hh"}
        W = {name: weights[f"{own}_l{layer}"] for name, own in names.items()}
        norms, states = jacobian_norms(W, "lstm", 2 * N, all_curves)
        layers.append((norms, inputs))
        inputs = states(inputs)[:, :N]
    return lambda: [norms(xs) for norms, xs in layers]
