"""The parameter gradient by lag against PyTorch's autograd, whole and truncated by detach."""

from __future__ import annotations

import numpy as np
import pytest

from vanishgrad.propagation.run import run
from vanishgrad.propagation.weight_gradient import Gradient, OneSequence, gradients, outputs, segment_gradient
from vanishgrad.weights.laws import draw
from vanishgrad.weights.model_string import parse

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install torch==2.13.0")
pytestmark = pytest.mark.torch

N, D, T = 7, 4, 12
RELATIVE = 1e-11
MODULES = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}
every_model = pytest.mark.parametrize(
    "label", ["rnn", "rnn@gaussian:gain=2", "lstm:forget_bias=3", "gru", "gru@chrono"]
)


class Both:
    """The same layer, inputs and cotangents here and there."""

    def __init__(self, label: str) -> None:
        spec, rng = parse(label).resolved(N, T), np.random.default_rng(1)
        weights = draw(spec, D, T, 1, seed=2)
        cell, xs = weights.cell(spec), rng.standard_normal((1, T, D))
        self.path = OneSequence(cell, run(cell, xs, np.zeros((1, cell.state_size))), xs[0])
        self.cotangents = rng.standard_normal((T, N))
        self.module = getattr(torch.nn, MODULES[spec.cell])(D, N, dtype=torch.float64)
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        self.module.load_state_dict({f"{name}_l0": torch.tensor(getattr(weights, name)[0]) for name in names})
        self.xs, self.g = torch.tensor(xs[0]), torch.tensor(self.cotangents)

    def advanced(self, state: object, start: int, stop: int) -> tuple[torch.Tensor, object]:
        """Return the outputs of steps start + 1 … stop, and the state."""
        return self.module(self.xs[start:stop], state)

    def gradient(self, loss: torch.Tensor) -> np.ndarray:
        """Return autograd's gradient in the order of W_hh, W_hx, b, b_hn; each bias stands once."""
        self.module.zero_grad()
        loss.backward()
        found = {name.removesuffix("_l0"): each.grad.numpy() for name, each in self.module.named_parameters()}
        parts = [found["weight_hh"], found["weight_ih"], found["bias_ih"]]
        if isinstance(self.module, torch.nn.GRU):
            parts.append(found["bias_hh"][2 * N :])
        return np.concatenate([part.ravel() for part in parts])


def detached(state: object) -> object:
    return tuple(each.detach() for each in state) if isinstance(state, tuple) else state.detach()


def same(found: Gradient, expected: np.ndarray) -> None:
    error = np.linalg.norm(np.ldexp(found.values, found.exponent) - expected)
    assert error <= RELATIVE * np.linalg.norm(expected)


@every_model
def test_the_sum_over_all_lags_is_the_gradient(label: str) -> None:
    both = Both(label)
    out, _ = both.advanced(None, 0, T)
    same(segment_gradient(both.path, both.cotangents, T), both.gradient((out * both.g).sum()))


@every_model
@pytest.mark.parametrize("length", [1, 4, 9])
def test_lags_below_a_length_are_what_is_left_where_each_output_is_detached_so_far_back(
    label: str, length: int
) -> None:
    both, loss, state = Both(label), torch.zeros((), dtype=torch.float64), None
    states = [state]
    for t in range(T):
        _, state = both.advanced(state, t, t + 1)
        states.append(detached(state))
    for t in range(1, T + 1):
        begin = max(t - length, 0)
        out, _ = both.advanced(states[begin], begin, t)
        loss = loss + (out[-1] * both.g[t - 1]).sum()
    start = outputs(both.path, both.cotangents)
    total, *others = [each for _, each in gradients(both.path, start)][:length]
    for each in others:
        total = total + each
    same(total, both.gradient(loss))


@every_model
@pytest.mark.parametrize("segment", [3, 5])
def test_segments_are_those_of_a_training_loop_that_detaches_its_state(label: str, segment: int) -> None:
    both, loss, state = Both(label), torch.zeros((), dtype=torch.float64), None
    for begin in range(0, T, segment):
        stop = min(begin + segment, T)
        out, state = both.advanced(state, begin, stop)
        loss, state = loss + (out * both.g[begin:stop]).sum(), detached(state)
    same(segment_gradient(both.path, both.cotangents, segment), both.gradient(loss))


def test_attention_is_that_of_a_scaled_dot_product() -> None:
    from vanishgrad.propagation.attention import dot_product

    rng = np.random.default_rng(4)
    W_v, W_k, q, h = (rng.standard_normal(shape) for shape in ((N, N), (N, N), (N,), (T, N)))
    found, states = dot_product(W_v, W_k, q, h), torch.tensor(h)

    def context(moved: torch.Tensor) -> torch.Tensor:
        query, keys, values = torch.tensor(q)[None], moved @ torch.tensor(W_k).T, moved @ torch.tensor(W_v).T
        return torch.nn.functional.scaled_dot_product_attention(query, keys, values)[0]

    expected = torch.autograd.functional.jacobian(context, states)
    for s in range(T):
        np.testing.assert_allclose(found.gradient(s), expected[:, s].numpy(), rtol=0, atol=1e-13)
