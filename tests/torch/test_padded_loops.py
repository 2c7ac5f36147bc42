"""Loops over padded batches: a step that a mask leaves out hands the state on, of PyTorch's cells and of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import vanishgrad
from tests.torch.test_step_jacobians import Elman, NormedCell
from vanishgrad.errors import VanishgradError

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install torch==2.13.0")
pytestmark = pytest.mark.torch

nn = torch.nn
STEPS, WIDTH, UNITS = 7, 3, 4
TAKEN = torch.tensor([[1] * STEPS, [1] * 6 + [0], [1, 1, 0, 1, 1, 0, 0], [0, 0, 1, 1, 1, 1, 1]], dtype=torch.bool)
"""Whole; a step of padding, which no call behind shows; a gap and padding; padding before."""

Blend = Callable[[Any, Any, Any], Any]
BLENDS: dict[str, Blend] = {
    "where": torch.where,
    "product": lambda mask, new, old: mask * new + ~mask * old,
    "in_place": lambda mask, new, old: old.clone().index_put_((mask[:, 0],), new[mask[:, 0]]),
}


class Padded(nn.Module):
    """A loop that a mask holds still; the state begins at zero, at 0.5, or is left to the cell."""

    def __init__(self, cell: nn.Module, blend: Blend = torch.where, start: float | None = 0.0) -> None:
        super().__init__()
        self.cell, self.blend, self.start = cell, blend, start

    def forward(self, xs: torch.Tensor, taken: torch.Tensor) -> torch.Tensor:
        zero = xs.new_zeros(len(xs), UNITS)
        state = None if self.start is None else self.parts(zero + self.start)
        for x, mask in zip(xs.unbind(1), taken[..., None].unbind(1), strict=True):
            new = self.cell(x, state)
            if isinstance(new, tuple):
                state = tuple(self.blend(mask, *pair) for pair in zip(new, state or (zero, zero), strict=True))
            else:
                state = self.blend(mask, new, zero if state is None else state)
        return state[0] if isinstance(state, tuple) else state

    def parts(self, h: torch.Tensor) -> Any:
        return (h, h) if isinstance(self.cell, nn.LSTMCell) else h


def end(model: Padded, xs: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
    """Return the state behind the steps of one sequence that are taken."""
    is_lstm = isinstance(model.cell, nn.LSTMCell)
    for x in xs:
        s = torch.cat(model.cell(x, (s[:UNITS], s[UNITS:]))) if is_lstm else model.cell(x, s)
    return s


def log_norms(model: Padded, xs: torch.Tensor) -> list[float]:
    """Return ln ‖∂s_T/∂s_k‖₂ by lag along the steps that are taken, by autograd through the cell."""
    size = UNITS * (2 if isinstance(model.cell, nn.LSTMCell) else 1)
    start = torch.full((size,), model.start or 0.0, dtype=xs.dtype)
    norms = []
    for k in range(len(xs), -1, -1):
        J = torch.autograd.functional.jacobian(lambda s, k=k: end(model, xs[k:], s), end(model, xs[:k], start).detach())
        norms.append(float(torch.linalg.matrix_norm(J, 2).log()))
    return norms


def with_gaps(norms: list[float], taken: torch.Tensor) -> list[float]:
    """Return the same by lag over masked steps too, from the last step that is taken to the first."""
    places = torch.nonzero(taken)[:, 0].tolist()
    lags, lag = [0.0], 0
    for step in range(places[-1], places[0] - 1, -1):
        lag += bool(taken[step])
        lags.append(norms[lag])
    return lags


CELLS = {"lstm": lambda: nn.LSTMCell(WIDTH, UNITS), "gru": lambda: nn.GRUCell(WIDTH, UNITS), "own": Elman, "normed": NormedCell}  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "blend", "start"),
    [("lstm", "where", 0.0), ("lstm", "product", 0.5), ("lstm", "in_place", 0.0), ("gru", "where", None),
     ("own", "where", 0.5), ("own", "product", 0.0), ("normed", "where", None), ("normed", "in_place", 0.5)],
)  # fmt: skip
def test_norms_equal_autograd_over_the_steps_that_are_taken(cell: str, blend: str, start: float | None) -> None:
    torch.manual_seed(2)
    model = Padded(CELLS[cell](), BLENDS[blend], start).double()
    xs = torch.randn(len(TAKEN), STEPS, WIDTH, dtype=torch.float64)
    (found,) = vanishgrad.analyze(model, input=(xs, TAKEN), per_trial=True).result.models
    known = cell in ("lstm", "gru")
    assert found.cell == (cell if known else "recorded") and bool(found.gates) == known
    by_trial = found.curves["state"].by_trial
    for row, x, taken in zip(by_trial, xs, TAKEN, strict=True):
        wanted = with_gaps(log_norms(model, x[taken]), taken)
        assert row[: len(wanted)] == pytest.approx(wanted, rel=0, abs=1e-9)
        assert np.isnan(row[len(wanted) :]).all()


def test_a_captured_run_says_the_same(tmp_path: Any) -> None:
    torch.manual_seed(2)
    model, xs = Padded(Elman()).double(), torch.randn(len(TAKEN), STEPS, WIDTH, dtype=torch.float64)
    vanishgrad.capture(model, (xs, TAKEN), tmp_path / "run.npz")
    for option in ({}, {"trials": 3, "steps": 4}):
        live = vanishgrad.analyze(model, input=(xs, TAKEN), **option).result.models[0].curves["state"].log_norm.mean
        file = vanishgrad.analyze(tmp_path / "run.npz", **option).result.models[0].curves["state"].log_norm.mean
        assert live == pytest.approx(file, rel=1e-12)


@pytest.mark.parametrize(
    ("cell", "blend", "message"),
    [
        (
            "gru",
            lambda mask, new, old: 0.9 * new + 0.1 * old,
            "or by a mask as it was before, got another one after 1 ",
        ),
        ("own", lambda mask, new, old: 0.9 * new + 0.1 * old, "handed its last state, got Elman.* all that changes it"),
        ("gru", lambda mask, new, old: new * mask, "or by a mask as it was before, got another one after 3 steps"),
        ("own", lambda mask, new, old: new * mask, "or by a mask as it was before, got another one after 3 steps"),
    ],
)
def test_a_state_that_is_mixed_or_reset_is_refused(cell: str, blend: Blend, message: str) -> None:
    torch.manual_seed(2)
    model = Padded(CELLS[cell](), blend, 0.5)
    with pytest.raises(VanishgradError, match=message):
        vanishgrad.analyze(model, input=(torch.randn(3, STEPS, WIDTH), TAKEN[:3]))


def test_a_last_step_that_nothing_shows_is_refused() -> None:
    """Each step puts the state where no tensor has rows of both its ends."""

    class Scattered(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.GRUCell(WIDTH, UNITS)

        def forward(self, xs: torch.Tensor, taken: torch.Tensor) -> torch.Tensor:
            h = xs.new_zeros(len(xs), UNITS)
            for t, x in enumerate(xs.unbind(1)):
                new = self.cell(x, h)
                h = torch.where(taken[:, t, None], new, h) if t + 1 < STEPS else 2 * new
            return h

    with pytest.raises(VanishgradError, match="expected to see which sequences take the last step of cell"):
        vanishgrad.analyze(Scattered(), input=(torch.randn(3, STEPS, WIDTH), TAKEN[:3]))
