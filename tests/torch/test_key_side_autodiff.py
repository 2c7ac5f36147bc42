"""Matrix states of linear attention beside PyTorch's autodiff of the published recurrences, in float64."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from tests.engine import log_norms, trajectory
from vanishgrad.cells import StoredTrajectory
from vanishgrad.cells.delta_rule import DeltaNet, GatedDeltaNet
from vanishgrad.cells.key_side import KeySideCell
from vanishgrad.cells.mamba2 import Mamba2
from vanishgrad.cells.rwkv7 import RWKV7

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install torch==2.13.0")
pytestmark = pytest.mark.torch

F = torch.nn.functional
jacobian = torch.autograd.functional.jacobian
T, D, B, H, V, K, R = 6, 4, 2, 2, 3, 3, 2
"""Steps, inputs, sequences, heads, value channels and keys a head, rank of RWKV-7's projections."""
RELATIVE = 1e-10
Weights = dict[str, "torch.Tensor"]
Step = Callable[["torch.Tensor", "torch.Tensor", Weights], "torch.Tensor"]


def mamba2(x: torch.Tensor, S: torch.Tensor, own: Weights, groups: int = 1) -> torch.Tensor:
    """Dao and Gu 2024: h ← e^{ΔA} h + Δ B u, A = -e^{A_log}."""
    u, key, step = (own["W_hx"] @ x + own["b"]).split([H * V, groups * K, H])
    key, step = F.silu(key).reshape(groups, K).repeat_interleave(H // groups, 0), F.softplus(step)
    alpha = torch.exp(-torch.exp(own["A_log"]) * step)
    return alpha[:, None, None] * S + torch.einsum("h,hv,hk->hvk", step, F.silu(u).reshape(H, V), key)


def delta_rule(x: torch.Tensor, S: torch.Tensor, own: Weights, reach: float = 1.0) -> torch.Tensor:
    """Yang et al. 2024: the value that k reads, v_old = S k, is replaced by β v + (1 - β) v_old; 2025: S decays first."""
    v, key, b, *a = (own["W_hx"] @ x + own["b"]).split([H * V, H * K, H, *([H] if "A_log" in own else [])])
    v, key, beta = F.silu(v).reshape(H, V), F.silu(key).reshape(H, K), reach * torch.sigmoid(b)
    key = key * torch.rsqrt(key.square().sum(-1, keepdim=True) + 1e-6)
    if a:
        S = torch.exp(-torch.exp(own["A_log"]) * F.softplus(a[0]))[:, None, None] * S
    old = torch.einsum("hvk,hk->hv", S, key)
    new = beta[:, None] * v + (1 - beta[:, None]) * old
    return S + torch.einsum("hv,hk->hvk", new - old, key)


def rwkv7(x: torch.Tensor, S: torch.Tensor, own: Weights) -> torch.Tensor:
    """Peng et al. 2025: S ← S (diag w - κ̂ᵀ (a ⊙ κ̂)) + vᵀ k̃, the decay's constant as the rwkv package has it."""
    v, key, of_w, of_a = (own["W_hx"] @ x + own["b"]).split([H * V, H * K, R, R])
    w = torch.exp(-0.606531 * torch.sigmoid(own["w0"] + own["W_w"] @ torch.tanh(of_w))).reshape(H, K)
    a = torch.sigmoid(own["a0"] + own["W_a"] @ of_a)
    unit = F.normalize((key * own["k_k"]).reshape(H, K), dim=-1)
    written = (key * (1 + (a - 1) * own["k_a"])).reshape(H, K)
    transition = torch.diag_embed(w) - unit[:, :, None] @ (a.reshape(H, K) * unit)[:, None]
    return S @ transition + v.reshape(H, V, 1) @ written[:, None]


@dataclass(frozen=True)
class Case:
    """Our cell's class and numbers, rows of W_hx beside the values', its other tensors, and a step of PyTorch's."""

    cell: Callable[..., KeySideCell]
    step: Step
    other_rows: int
    others: dict[str, tuple[int, ...]]
    numbers: dict[str, float]


RANKS = {"W_w": (H * K, R), "W_a": (H * K, R), **dict.fromkeys(("w0", "a0", "k_k", "k_a"), (H * K,))}
CASES = {
    "mamba2": Case(Mamba2, mamba2, K + H, {"A_log": (H,)}, {"states": K}),
    "mamba2, two groups": Case(
        Mamba2, lambda x, S, own: mamba2(x, S, own, 2), 2 * K + H, {"A_log": (H,)}, {"states": K, "groups": 2}
    ),
    "deltanet": Case(DeltaNet, delta_rule, H * K + H, {}, {"keys": K}),
    "deltanet, negative eigenvalues": Case(
        DeltaNet, lambda x, S, own: delta_rule(x, S, own, 2.0), H * K + H, {}, {"keys": K, "reach": 2.0}
    ),
    "gated-deltanet": Case(GatedDeltaNet, delta_rule, H * K + 2 * H, {"A_log": (H,)}, {"keys": K}),
    "rwkv7": Case(RWKV7, rwkv7, H * K + 2 * R, RANKS, {"keys": K}),
}


@dataclass(frozen=True)
class Run:
    """A cell along random inputs from a random state, every sequence with weights of its own."""

    case: Case
    cell: KeySideCell
    xs: np.ndarray
    weights: list[Weights]
    trajectory: StoredTrajectory

    def last(self, b: int, s: torch.Tensor, xs: torch.Tensor) -> torch.Tensor:
        """The state after inputs xs (·, d), by PyTorch."""
        S = s.reshape(H, V, K)
        for x in xs:
            S = self.case.step(x, S, self.weights[b])
        return S.reshape(-1)

    def state(self, t: int, b: int) -> torch.Tensor:
        return torch.tensor(self.trajectory.states[t, b])


@pytest.fixture(params=CASES, scope="module")
def case_run(request: pytest.FixtureRequest) -> Run:
    case, rng = CASES[request.param], np.random.default_rng(1)
    rows = H * V + case.other_rows
    shapes = {"W_hx": (rows, D), "b": (rows,), **case.others}
    tensors = {name: 0.7 * rng.standard_normal((B, *shape)) for name, shape in shapes.items()}
    cell = case.cell(**tensors, heads=H, **case.numbers)
    xs, s0 = rng.standard_normal((B, T, D)), rng.standard_normal((B, H * V * K))
    weights = [{name: torch.tensor(each[b]) for name, each in tensors.items()} for b in range(B)]
    return Run(case, cell, xs, weights, trajectory(cell, xs, s0))


def assert_equal(ours: np.ndarray, autodiff: torch.Tensor | np.ndarray) -> None:
    """Within `RELATIVE` of the largest entry."""
    expected = np.asarray(autodiff)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=RELATIVE * np.abs(expected).max())


def test_states_are_those_of_the_published_recurrence(case_run: Run) -> None:
    for b in range(B):
        for t in range(1, T + 1):
            expected = case_run.last(b, case_run.state(0, b), torch.tensor(case_run.xs[b, :t]))
            assert_equal(case_run.trajectory.states[t, b], expected)


def test_one_step_is_diagonal_plus_rank_one_on_the_key_side(case_run: Run) -> None:
    """∂s_t/∂s_{t-1} = ⊕_heads (diag w - p qᵀ) ⊗ I over the values, and nothing between channels."""
    cell, linearisation = case_run.cell, case_run.cell.linearise(case_run.trajectory, 0, T)
    side = cell.key_side(case_run.trajectory.records)
    for b in range(B):
        for t in range(1, T + 1):
            x = torch.tensor(case_run.xs[b, t - 1 : t])
            J = jacobian(lambda s, b=b, x=x: case_run.last(b, s, x), case_run.state(t - 1, b)).numpy()
            assert_equal(linearisation.dense(t)[b], J)
            by_channel = J.reshape(H, V, K, H, V, K)
            for h in range(H):
                M = np.diag(side.w[t - 1, b, h])
                if side.p is not None:
                    M = M - np.outer(side.p[t - 1, b, h], side.q[t - 1, b, h])
                for v in range(V):
                    assert_equal(M, by_channel[h, v, :, h, v])
                    by_channel[h, v, :, h, v] = 0
            assert not by_channel.any()


@pytest.mark.parametrize("steps", [2, T])
def test_a_product_of_steps_is_the_derivative_through_them(case_run: Run, steps: int) -> None:
    """∂s_T/∂s_{T-steps}, each head to digits of its own, and the norms of the curve."""
    linearisation = case_run.cell.linearise(case_run.trajectory, 0, T)
    curve = log_norms(case_run.cell, case_run.xs, case_run.trajectory.states[0], ("state",))["state"]
    for b in range(B):
        xs = torch.tensor(case_run.xs[b, T - steps :])
        J = jacobian(lambda s, b=b, xs=xs: case_run.last(b, s, xs), case_run.state(T - steps, b)).numpy()
        product = np.eye(len(J))
        for t in range(T, T - steps, -1):
            product = product @ linearisation.dense(t)[b]
        for h in range(H):
            own = slice(h * V * K, (h + 1) * V * K)
            assert_equal(product[own, own], J[own, own])
        assert curve[b, steps] == pytest.approx(np.log(np.linalg.norm(J, 2)), abs=RELATIVE)


def test_what_an_input_does_to_a_later_state(case_run: Run) -> None:
    """∂h_T/∂x_k through every path at each lag T - k, h the whole of S."""
    cell, linearisation = case_run.cell, case_run.cell.linearise(case_run.trajectory, 0, T)
    curve = log_norms(cell, case_run.xs, case_run.trajectory.states[0], ("input",))["input"]
    product = np.tile(np.eye(cell.state_size), (B, 1, 1))
    for k in range(T, 0, -1):
        written = np.empty((B, cell.state_size, D))
        linearisation.input_tangent(k, np.tile(np.eye(D), (B, 1, 1)), written)
        for b in range(B):
            xs, before = torch.tensor(case_run.xs[b, k - 1 :]), case_run.state(k - 1, b)
            J = jacobian(lambda xs, b=b, before=before: case_run.last(b, before, xs), xs)[:, 0].numpy()
            assert_equal(product[b] @ written[b], J)
            assert curve[b, T - k] == pytest.approx(np.log(np.linalg.norm(J, 2)), abs=RELATIVE)
        product = product @ linearisation.dense(k)
