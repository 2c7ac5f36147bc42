"""The engine on PyTorch's tensors gives NumPy's numbers: one source, another library."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cells.cases import BATCH, BY_NAME, CASES, Case, D, T, random_run
from vanishgrad.arrays import like, matmul_into, multiply_into, on_host
from vanishgrad.cells.masked_steps import step_marks
from vanishgrad.propagation import checkpoints
from vanishgrad.propagation import run as run_module
from vanishgrad.propagation.backends import Backend, HostPath
from vanishgrad.propagation.checkpoints import CheckpointedTrajectory
from vanishgrad.propagation.run import run
from vanishgrad.questions.compare import CompareRequest, compare

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install torch==2.13.0")
pytest.importorskip("array_api_compat", reason="needs array-api-compat: pip install array-api-compat")
pytestmark = pytest.mark.torch

ROUNDOFF = 1e-13
"""A few hundred units: sums of a dozen products of numbers of order 1."""
RELATIVE = 1e-11
"""Of norms: two libraries add in another order, and Lanczos stops where an error of 1e-11 is left."""
MODELS = ("rnn", "rnn@orthogonal:activation=relu", "rnn@gaussian:untied=true", "lstm", "gru", "gru:reset=before")
TORCH = Backend("torch", "cpu")


@pytest.mark.parametrize("case", [case for case in CASES if case.name != "lru"], ids=lambda case: case.name)
@pytest.mark.parametrize("trials", [BATCH, 1], ids=["own", "shared"])
def test_every_cell_runs_and_linearises_alike(case: Case, trials: int) -> None:
    here, rng = random_run(case, trials), np.random.default_rng(0)
    cell = TORCH.cell(here.cell)
    there = run(cell, TORCH.array(here.xs), TORCH.array(here.trajectory.states[0]))
    assert isinstance(there.states, torch.Tensor)
    np.testing.assert_allclose(on_host(there.states), here.trajectory.states, rtol=0, atol=ROUNDOFF)
    m, mine, other = here.cell.state_size, here.linearisation, cell.linearise(there, 0, T)
    for width in (1, 33):
        shapes = {
            "cotangent": ((BATCH, width, m), (BATCH, width, m)),
            "tangent": ((BATCH, m, width), (BATCH, m, width)),
            "input_cotangent": ((BATCH, width, m), (BATCH, width, D)),
            "input_tangent": ((BATCH, D, width), (BATCH, m, width)),
        }
        for name, (shape, result) in shapes.items():
            operand, expected = rng.standard_normal(shape), np.empty(result)
            found = TORCH.array(np.empty(result))
            getattr(mine, name)(T, operand, expected)
            getattr(other, name)(T, TORCH.array(operand), found)
            np.testing.assert_allclose(on_host(found), expected, rtol=0, atol=10 * ROUNDOFF, err_msg=name)
    w = rng.standard_normal((BATCH, m))
    np.testing.assert_allclose(
        on_host(other.weight_gradient_norm(T, TORCH.array(w))), mine.weight_gradient_norm(T, w), rtol=1e-12
    )
    np.testing.assert_allclose(on_host(other.dense(T)), mine.dense(T), rtol=0, atol=ROUNDOFF)


@pytest.mark.parametrize("engine", ["dense", "adaptive", "matrix-free"])
@pytest.mark.parametrize("options", [{"burn_in": 4}, {"lengths": "20,13,16", "steps": 20}], ids=str)
def test_a_comparison_gives_the_same_numbers(engine: str, options: dict) -> None:
    request = {"hidden": 26, "input_size": 7, "steps": 25, "trials": 3, "engine": engine, **options}
    demand_same_numbers(MODELS[-3:] if engine == "matrix-free" else MODELS, request)


@pytest.mark.parametrize("engine", ["dense", "adaptive", "matrix-free"])
@pytest.mark.parametrize("options", [{"burn_in": 4}, {"lengths": "20,13,16"}], ids=str)
def test_masked_steps_are_handed_on_alike(engine: str, options: dict, tmp_path) -> None:
    """A mask of which the first sequence begins late, the second ends early, the third has a hole."""
    taken = np.ones((3, 20 + options.get("burn_in", 0)), int)
    taken[0, :6] = taken[1, -5:] = taken[2, 9:12] = 0
    np.save(tmp_path / "mask.npy", taken)
    request = {"hidden": 9, "input_size": 7, "trials": 3, "engine": engine, "mask": str(tmp_path / "mask.npy")}
    demand_same_numbers((*MODELS[-3:], "mgu", "lstm:norm=layer"), {**request, **options})


def demand_same_numbers(models: tuple[str, ...], request: dict) -> None:
    here = compare(CompareRequest(models, **request)).models
    there = compare(CompareRequest(models, **request, backend="torch")).models
    for mine, other in zip(here, there, strict=True):
        assert other.engine.name == mine.engine.name
        assert other.check.passed
        np.testing.assert_allclose(other.share_by_lag, mine.share_by_lag, rtol=0, atol=RELATIVE)
        for name, curve in mine.curves.items():
            for field in ("log_norm", "log_rms"):
                found, expected = (getattr(each, field).median for each in (other.curves[name], curve))
                np.testing.assert_array_equal(np.isneginf(found), np.isneginf(expected))
                some = np.isfinite(expected)
                np.testing.assert_allclose(found[some], expected[some], rtol=0, atol=RELATIVE, err_msg=name)
            assert other.curves[name].horizon == curve.horizon
        for name, gate in mine.gates.items():
            assert other.gates[name].mean == pytest.approx(gate.mean, rel=1e-12)
        for bound, same in zip(mine.bounds, other.bounds, strict=True):
            assert same.value == pytest.approx(bound.value, rel=1e-9)


def test_a_run_that_is_not_held_is_the_same_bit_for_bit(monkeypatch) -> None:
    monkeypatch.setattr(run_module, "SHORTEST_BLOCK", 4)
    here = random_run(BY_NAME["lstm"])
    xs = np.random.default_rng(0).standard_normal((BATCH, 15, D))
    cell, s0 = TORCH.cell(here.cell), TORCH.array(here.trajectory.states[0])

    class Inputs:
        def between(self, start: int, stop: int) -> torch.Tensor:
            return TORCH.array(xs[:, start:stop].copy())

    marks = step_marks(np.arange(15) >= np.array([[0], [5], [2]]))
    held = run(cell, TORCH.array(xs), s0, marks)
    found = HostPath(CheckpointedTrajectory(cell, Inputs(), s0, 15, marks))
    for start, stop in (*found.stretches(3), (2, 13)):
        for mine, other in zip(found.between(start, stop), held.between(start, stop), strict=True):
            np.testing.assert_array_equal(mine, on_host(other))


def test_a_long_comparison_with_checkpoints(monkeypatch) -> None:
    monkeypatch.setattr(checkpoints, "LARGEST_HELD", 0)
    request = {"hidden": 5, "steps": 30, "trials": 2}
    (here,), (there,) = (
        compare(CompareRequest(("lstm",), **request, backend=name)).models for name in ("numpy", "torch")
    )
    np.testing.assert_allclose(
        there.curves["state"].log_norm.median, here.curves["state"].log_norm.median, rtol=0, atol=RELATIVE
    )


def test_float32_stays_float32() -> None:
    (there,) = compare(
        CompareRequest(("lstm",), hidden=20, steps=30, trials=2, dtype="float32", backend="torch")
    ).models
    (here,) = compare(CompareRequest(("lstm",), hidden=20, steps=30, trials=2)).models
    assert 1e-9 < there.engine.float32_loss < 1e-3
    np.testing.assert_allclose(
        there.curves["state"].log_norm.median, here.curves["state"].log_norm.median, rtol=0, atol=1e-3
    )


@pytest.mark.parametrize("shared", [True, False])
def test_the_seam_writes_into_views(shared: bool) -> None:
    rng = np.random.default_rng(0)
    left, right = rng.standard_normal((3, 4, 5)), rng.standard_normal((1 if shared else 3, 5, 6))
    out = TORCH.array(np.zeros((3, 4, 9)))
    matmul_into(TORCH.array(left), TORCH.array(right), out[..., 2:8])
    np.testing.assert_allclose(on_host(out)[..., 2:8], left @ right, rtol=0, atol=1e-14)
    assert not on_host(out)[..., [0, 1, 8]].any()
    multiply_into(out[..., 2:8], TORCH.array(np.full((1, 1, 6), 2.0)), out[..., 2:8])
    np.testing.assert_allclose(on_host(out)[..., 2:8], 2 * (left @ right), rtol=0, atol=1e-14)


def test_there_and_back() -> None:
    x = np.arange(6.0).reshape(2, 3)
    assert isinstance(like(TORCH.array(x), x), torch.Tensor)
    np.testing.assert_array_equal(on_host(like(TORCH.array(x), x)), x)
    assert on_host(x) is x
    assert like(x, x) is x
