"""Backpropagation through time against PyTorch's autograd: every cell that trains and that it has no module for, and its projection."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cells.cases import CASES, D, N, P
from vanishgrad.propagation.passes.selection import training_pass

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install torch==2.13.0")
pytestmark = pytest.mark.torch

T, SETS, EACH, OUTPUTS = 9, 2, 3, 4
RELATIVE = 1e-10


def mgu(reset: str, keep: str):
    """Zhou et al. 2016, and Flax."""

    def step(x, s, W_hh, W_hx, b, b_hn):
        (h,), (W_f, W_n), (x_f, x_n) = s, W_hh.split(N), (W_hx @ x + b).split(N)
        f = torch.sigmoid(x_f + W_f @ h)
        inner = W_n @ (f * h if reset == "before" else h) + b_hn
        candidate = torch.tanh(x_n + (f * inner if reset == "after" else inner))
        kept = f if keep == "old" else 1 - f
        return (kept * h + (1 - kept) * candidate,)

    return step


def peephole(x, s, W_hh, W_hx, b, w_c):
    """Gers and Schmidhuber 2000."""
    h, c = s
    a_i, a_f, a_g, a_o = (W_hh @ h + W_hx @ x + b).split(N)
    p_i, p_f, p_o = w_c.split(N)
    c_new = torch.sigmoid(a_f + p_f * c) * c + torch.sigmoid(a_i + p_i * c) * torch.tanh(a_g)
    return torch.sigmoid(a_o + p_o * c_new) * torch.tanh(c_new), c_new


def gru_before(x, s, W_hh, W_hx, b, b_hn):
    """Cho et al. 2014."""
    (h,), (W_r, W_z, W_n), (x_r, x_z, x_n) = s, W_hh.split(N), (W_hx @ x + b).split(N)
    r, z = torch.sigmoid(x_r + W_r @ h), torch.sigmoid(x_z + W_z @ h)
    return (z * h + (1 - z) * torch.tanh(x_n + W_n @ (r * h) + b_hn),)


def coupled(x, s, W_hh, W_hx, b):
    """Greff et al. 2017: the input gate is 1 - f."""
    h, c = s
    f, g, o = (W_hh @ h + W_hx @ x + b).split(N)
    c = torch.lerp(torch.tanh(g), c, torch.sigmoid(f))
    return torch.sigmoid(o) * torch.tanh(c), c


def janet(x, s, W_hh, W_hx, b, beta):
    """van der Westhuizen and Lasenby 2018."""
    (h,), (f, n) = s, (W_hh @ s[0] + W_hx @ x + b).split(N)
    return (torch.sigmoid(f) * h + torch.sigmoid(beta - f) * torch.tanh(n),)


def ligru(x, s, W_hh, W_hx, b):
    """Ravanelli et al. 2018."""
    (h,), (z, n) = s, (W_hh @ s[0] + W_hx @ x + b).split(N)
    return (torch.lerp(torch.relu(n), h, torch.sigmoid(z)),)


def indrnn(x, s, W_hx, b, u):
    """Li et al. 2018."""
    return (torch.tanh(u * s[0] + W_hx @ x + b),)


def positive(a):
    return torch.where(a >= 0, a + 0.5, torch.sigmoid(a))


def mingru(x, s, W_hx, b):
    """Feng et al. 2024."""
    n, z = (W_hx @ x + b).split(N)
    return (torch.lerp(s[0], positive(n), torch.sigmoid(z)),)


def minlstm(x, s, W_hx, b):
    """Feng et al. 2024, the gates normalised to sum to 1."""
    n, f, i = (W_hx @ x + b).split(N)
    f, i = torch.sigmoid(f), torch.sigmoid(i)
    return ((f * s[0] + i * positive(n)) / (f + i),)


def antisymmetric(x, s, W_hh, W_hx, b):
    """Chang et al. 2019, with ε = 0.3 and γ = 0.2."""
    whole = W_hh - W_hh.T - 0.2 * torch.eye(N, dtype=torch.float64)
    return (s[0] + 0.3 * torch.tanh(whole @ s[0] + W_hx @ x + b),)


def lru(x, s, W_hx, b, nu_log, theta_log, gamma_log):
    """Orvieto et al. 2023, in complex numbers."""
    eigenvalues = torch.exp(torch.complex(-torch.exp(nu_log), torch.exp(theta_log)))
    drive = torch.complex(*(W_hx @ x + b).split(N))
    state = eigenvalues * torch.complex(*s) + torch.exp(gamma_log) * drive
    return state.real, state.imag


def cornn(x, s, W_hh, W_hx, b):
    """Rusch and Mishra 2021, with Δ = 0.1 and γ = ε = 1."""
    h, c = s
    c = c + 0.1 * (torch.tanh(W_hh @ torch.cat(s) + W_hx @ x + b) - h - c)
    return h + 0.1 * c, c


def layer_norm_lstm(x, s, W_hh, W_hx, b, gain_x, gain_h, gain_c, shift_c):
    """Ba et al. 2016, through PyTorch's layer norm."""
    h, c = s
    norm = torch.nn.functional.layer_norm
    i, f, g, o = (norm(W_hx @ x, (4 * N,), gain_x) + norm(W_hh @ h, (4 * N,), gain_h) + b).split(N)
    c = norm(torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g), (N,), gain_c, shift_c)
    return torch.sigmoid(o) * torch.tanh(c), c


STEPS = {
    f"mgu-{reset}-{keep}-tanh": mgu(reset, keep) for reset in ("before", "after", "none") for keep in ("new", "old")
}
STEPS |= {
    "peephole": peephole, "gru-before": gru_before, "coupled": coupled, "janet": janet, "ligru": ligru,
    "indrnn": indrnn, "mingru": mingru, "minlstm": minlstm, "antisymmetric": antisymmetric, "lru": lru, "cornn": cornn,
    "layer-norm": layer_norm_lstm,
}  # fmt: skip
TWO_PARTS = ("peephole", "coupled", "lru", "cornn", "layer-norm")


def stepwise_loss(name: str):
    """The loss of one set of weights along its sequences, step by step."""

    def loss(tensors, xs, g):
        total = torch.zeros((), dtype=torch.float64)
        for b in range(EACH):
            s = tuple(torch.zeros(N, dtype=torch.float64) for _ in range(2 if name in TWO_PARTS else 1))
            for t in range(T):
                s = STEPS[name](xs[b, t], s, **tensors)
                if t >= T - OUTPUTS:
                    total = total + s[0] @ g[t - T + OUTPUTS, b]
        return total

    return loss


def projected_loss(tensors, xs, g):
    """The loss through ``torch.nn.LSTM(proj_size=P)``."""
    layer = torch.nn.LSTM(D, N, batch_first=True, proj_size=P, dtype=torch.float64)
    own = {"weight_ih_l0": "W_hx", "weight_hh_l0": "W_hh", "bias_ih_l0": "b", "weight_hr_l0": "W_hr"}
    weights = {theirs: tensors[ours] for theirs, ours in own.items()} | {"bias_hh_l0": torch.zeros_like(tensors["b"])}
    out, _ = torch.func.functional_call(layer, weights, (xs,))
    return (out[:, -OUTPUTS:].swapaxes(0, 1) * g).sum()


LOSSES = {name: stepwise_loss(name) for name in STEPS} | {"projected": projected_loss}


@pytest.mark.parametrize("case", [case for case in CASES if case.name in LOSSES], ids=lambda case: case.name)
def test_the_gradient_of_every_tensor_is_autograds(case):
    assert set(LOSSES) <= {each.name for each in CASES}
    rng, tensors = np.random.default_rng(3), case.tensors(SETS)
    xs = rng.standard_normal((SETS * EACH, T, D))
    cell = case.cell(**tensors)
    g = rng.standard_normal((OUTPUTS, SETS * EACH, cell.parts[0].size))
    through = training_pass(cell, T, SETS * EACH)
    through.forward(cell, xs)
    found = through.backward(g)
    for place in range(SETS):
        leaves = {name: torch.tensor(each[place], requires_grad=True) for name, each in tensors.items()}
        own = slice(place * EACH, (place + 1) * EACH)
        LOSSES[case.name](leaves, torch.tensor(xs[own]), torch.tensor(g[:, own])).backward()
        for name, leaf in leaves.items():
            error = np.linalg.norm(found[name][place] - leaf.grad.numpy())
            assert error <= RELATIVE * np.linalg.norm(leaf.grad.numpy()), (name, place)
