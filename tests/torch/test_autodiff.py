"""An outside judge: PyTorch's autodiff, in float64, through its own cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from tests.engine import log_norms, trajectory
from vanishgrad.cells import Cell
from vanishgrad.cells.stack import Stack
from vanishgrad.propagation.products.total_derivative import total_products
from vanishgrad.questions.explain.explain import explain
from vanishgrad.questions.explain.request import ExplainRequest
from vanishgrad.weights.laws import Weights, draw
from vanishgrad.weights.model_string import parse
from vanishgrad.weights.recognition import recurrent_layers

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install torch==2.13.0")
pytestmark = pytest.mark.torch

N, D = 12, 5
RELATIVE = 1e-9
SHORTEST, LONGEST = 8, 40
CONTRACTING = ["rnn", "rnn:activation=relu", "lstm", "lstm:forget_bias=1", "gru", "gru:reset=before", "lstm@chrono"]
EXPANDING = [
    "rnn@gaussian:gain=3", "lstm@gaussian:gain=6", "lstm:norm=layer", "gru@gaussian:gain=6",
    "gru@gaussian:gain=6,reset=before",
]  # fmt: skip
Step = Callable[["torch.Tensor", "torch.Tensor"], "torch.Tensor"]


@dataclass(frozen=True)
class Model:
    """Our cell, and one step of PyTorch's (x, s) → s with the same weights."""

    cell: Cell
    step: Step


def model(label: str, seed: int, n: int = N) -> Model:
    spec = parse(label).resolved(n, LONGEST)
    weights = draw(spec, D, LONGEST, 1, seed)
    own = {"before": _gru_before, "layer": _layer_norm_lstm}.get(spec.keys.get("reset", spec.keys.get("norm", "")))
    return Model(weights.cell(spec), own(weights) if own else _torch_step(spec.cell, spec.keys, weights))


def _tensors(weights: Weights) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(getattr(weights, name)[0]) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}


def _torch_step(kind: str, keys: dict, weights: Weights) -> Step:
    n = keys["hidden"]
    if kind == "rnn":
        cell = torch.nn.RNNCell(D, n, nonlinearity=keys["activation"], dtype=torch.float64)
    else:
        cell = (torch.nn.LSTMCell if kind == "lstm" else torch.nn.GRUCell)(D, n, dtype=torch.float64)
    cell.load_state_dict(_tensors(weights))
    if kind != "lstm":
        return lambda x, s: cell(x[None], s[None])[0]
    return lambda x, s: torch.cat([each[0] for each in cell(x[None], (s[None, :n], s[None, n:]))])


def _gru_before(weights: Weights) -> Step:
    """Cho et al. 2014, which PyTorch has not: the reset gate acts before the recurrent product."""
    held = _tensors(weights)
    (W_ir, W_iz, W_in), (W_hr, W_hz, W_hn) = held["weight_ih"].chunk(3), held["weight_hh"].chunk(3)
    (b_ir, b_iz, b_in), (b_hr, b_hz, b_hn) = held["bias_ih"].chunk(3), held["bias_hh"].chunk(3)

    def step(x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        r = torch.sigmoid(W_ir @ x + b_ir + W_hr @ h + b_hr)
        z = torch.sigmoid(W_iz @ x + b_iz + W_hz @ h + b_hz)
        return (1 - z) * torch.tanh(W_in @ x + b_in + W_hn @ (r * h) + b_hn) + z * h

    return step


def _layer_norm_lstm(weights: Weights) -> Step:
    """The fast-RNN example's cell: what each norm does is PyTorch's, the cell state is carried on normed."""
    held, n = _tensors(weights), weights.weight_hh.shape[-1]
    norm = torch.nn.functional.layer_norm

    def step(x: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
        gates = norm(held["weight_ih"] @ x, [4 * n]) + norm(held["weight_hh"] @ s[:n], [4 * n])
        i, f, g, o = (gates + held["bias_ih"] + held["bias_hh"]).chunk(4)
        c = norm(f.sigmoid() * s[n:] + i.sigmoid() * g.tanh(), [n])
        return torch.cat([o.sigmoid() * c.tanh(), c])

    return step


def through_the_run(step: Step, xs: torch.Tensor, s0: torch.Tensor, n: int) -> dict[str, list[float]]:
    """Norms by lag of the derivatives of the last state by every earlier state and input, from the whole graph."""
    states, inputs = [s0.clone().requires_grad_()], [x.clone().requires_grad_() for x in xs]
    for x in inputs:
        states.append(step(x, states[-1]))
    wanted = [*states[:-1], *inputs]
    rows = [torch.autograd.grad(entry, wanted, retain_graph=True, allow_unused=True) for entry in states[-1]]
    by_node = [
        torch.stack([torch.zeros_like(node) if row[j] is None else row[j] for row in rows])
        for j, node in enumerate(wanted)
    ]
    blocks = [torch.eye(len(s0), dtype=s0.dtype), *reversed(by_node[: len(xs)])]
    return {**_block_norms(blocks, n), "input": _norms([each[:n] for each in reversed(by_node[len(xs) :])])}


def along_a_trajectory(step: Step, xs: torch.Tensor, states: torch.Tensor, n: int) -> dict[str, list[float]]:
    """The same from one-step Jacobians at stored states, for nets on which two runs part."""
    product, blocks, inputs = torch.eye(states.shape[1], dtype=states.dtype), [], []
    blocks.append(product)
    for t in range(len(xs), 0, -1):
        by_x, by_s = torch.autograd.functional.jacobian(step, (xs[t - 1], states[t - 1]))
        inputs.append((product @ by_x)[:n])
        product = product @ by_s
        blocks.append(product)
    return {**_block_norms(blocks, n), "input": _norms(inputs)}


def _block_norms(blocks: list[torch.Tensor], n: int) -> dict[str, list[float]]:
    found = {"state": _norms(blocks), "hidden": _norms([each[:n, :n] for each in blocks])}
    found["output"] = _norms([each[:n] for each in blocks])
    return found if blocks[0].shape[0] == n else {**found, "cell": _norms([each[n:, n:] for each in blocks])}


def _norms(matrices: list[torch.Tensor]) -> list[float]:
    return [float(torch.linalg.matrix_norm(each, 2)) for each in matrices]


def inputs(seed: int, steps: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((1, steps, D))


def steps_of_five_nats(cell: Cell, seed: int) -> int:
    """T with rate · T below 5, so that no roundoff of the graph grows beyond the tolerance."""
    slope = -log_norms(cell, inputs(seed, LONGEST), curves=("state",))["state"][0, -1] / LONGEST
    return int(np.clip(5 / max(slope, 1e-9), SHORTEST, LONGEST))


def compare(found: dict[str, np.ndarray], expected: dict[str, list[float]]) -> None:
    assert set(expected) <= set(found)
    for curve, norms in expected.items():
        np.testing.assert_allclose(np.exp(found[curve][0]), norms, rtol=RELATIVE, err_msg=curve)


@pytest.mark.parametrize("label", CONTRACTING)
@pytest.mark.parametrize(("n", "seed"), [(N, 0), (N, 1), (N, 2), (N, 3), (64, 0)])
def test_norms_equal_those_of_the_graph_of_the_whole_run(label: str, n: int, seed: int) -> None:
    found = model(label, seed, n)
    xs = inputs(seed, steps_of_five_nats(found.cell, seed))
    s0 = torch.zeros(found.cell.state_size, dtype=torch.float64)
    expected = through_the_run(found.step, torch.tensor(xs[0]), s0, n)
    compare(log_norms(found.cell, xs), expected)


@pytest.mark.parametrize("label", EXPANDING)
@pytest.mark.parametrize("seed", range(3))
def test_norms_of_an_expanding_net_along_the_same_stored_trajectory(label: str, seed: int) -> None:
    found = model(label, seed)
    xs = inputs(seed, LONGEST)
    states = torch.tensor(trajectory(found.cell, xs).states[:, 0])
    curves = log_norms(found.cell, xs)
    assert curves["state"][0, -1] > 0
    compare(curves, along_a_trajectory(found.step, torch.tensor(xs[0]), states, N))


@pytest.mark.parametrize("label", [*CONTRACTING, *EXPANDING])
def test_one_step_is_pytorchs(label: str) -> None:
    found = model(label, 0)
    xs = inputs(0, 5)
    states = trajectory(found.cell, xs).states[:, 0]
    for t in range(5):
        advanced = found.step(torch.tensor(xs[0, t]), torch.tensor(states[t])).detach().numpy()
        np.testing.assert_allclose(states[t + 1], advanced, rtol=0, atol=1e-14)


@pytest.mark.parametrize("label", ["lstm", "lstm:forget_bias=1", "lstm@chrono", "lstm@gaussian:gain=3"])
@pytest.mark.parametrize("seed", range(2))
def test_total_is_autograds_derivative_by_the_node_c_k(label: str, seed: int) -> None:
    """autograd's derivative by c_k lets h_k move too: `total` is that, `cell` holds h_k fixed."""
    spec = parse(label).resolved(N, LONGEST)
    weights = draw(spec, D, LONGEST, 1, seed)
    step = torch.nn.LSTMCell(D, N, dtype=torch.float64)
    step.load_state_dict(_tensors(weights))
    xs, cell = inputs(seed, SHORTEST), weights.cell(spec)
    h, c, nodes = torch.zeros(1, N, dtype=torch.float64), torch.zeros(1, N, dtype=torch.float64), []
    for x in torch.tensor(xs[0]):
        h, c = step(x[None], (h, c))
        nodes.append(c)
    rows = [torch.autograd.grad(entry, nodes, retain_graph=True) for entry in c[0]]
    by_node = [torch.cat([row[k] for row in rows]).numpy() for k in range(SHORTEST)]
    partial = np.exp(log_norms(cell, xs, curves=("cell",))["cell"][0])
    for product in total_products(cell, trajectory(cell, xs), 1):
        matrix, log_scale = product.total
        expected = by_node[SHORTEST - 1 - product.lag]
        np.testing.assert_allclose(
            matrix[0] * np.exp(log_scale[0]), expected, rtol=0, atol=1e-12 * np.abs(expected).max()
        )
    assert abs(np.linalg.norm(by_node[0], 2) / partial[SHORTEST - 1] - 1) > 1e-3


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_stack_is_the_graph_through_all_layers_of_pytorchs_module(kind: str) -> None:
    torch.manual_seed(0)
    module = getattr(torch.nn, kind)(D, N, num_layers=3, dtype=torch.float64)
    request = ExplainRequest(module.state_dict(), steps=SHORTEST, trials=1, only=("map",))
    xs = inputs(0, SHORTEST)
    cell = Stack([layer.build() for layer in recurrent_layers(module.state_dict())])
    parts = 2 if kind == "LSTM" else 1

    def last(s: torch.Tensor) -> torch.Tensor:
        by_layer = s.reshape(3, parts, N).flip(0)  # ours begins at the top
        state = tuple(by_layer[:, part : part + 1].contiguous() for part in range(parts))
        _, end = module(torch.tensor(xs[0])[:, None], state if parts == 2 else state[0])
        ends = end if parts == 2 else (end,)
        return torch.stack([each[:, 0] for each in ends], dim=1).flip(0).reshape(-1)

    J = torch.autograd.functional.jacobian(last, torch.zeros(cell.state_size, dtype=torch.float64))
    found = log_norms(cell, xs, curves=("state",))["state"][0, -1]
    assert np.exp(found) == pytest.approx(float(torch.linalg.matrix_norm(J, 2)), rel=RELATIVE)
    (*_, top) = explain(request).models
    assert "stack" in top.result.curves
