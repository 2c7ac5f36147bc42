"""Recurrent modules of one's own: their recorded steps are differentiated, and equal autograd through the module."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vanishgrad
from vanishgrad.errors import VanishgradError

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install torch==2.13.0")
pytestmark = pytest.mark.torch

nn = torch.nn
STEPS, BATCH, WIDTH, UNITS = 7, 3, 3, 4
RELATIVE = 1e-8


class NormedCell(nn.LSTMCell):
    """A layer-normalised subclass of PyTorch's cell."""

    def __init__(self) -> None:
        super().__init__(WIDTH, UNITS)
        self.norm_a, self.norm_c = nn.LayerNorm(4 * UNITS), nn.LayerNorm(UNITS)
        self.register_buffer("scale", torch.ones(1))

    def forward(self, x: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, torch.Tensor]:
        h, c = (x.new_zeros(*x.shape[:-1], UNITS),) * 2 if state is None else state
        a = self.norm_a(x @ self.weight_ih.T + h @ self.weight_hh.T + self.bias_ih)
        i, f, g, o = a.chunk(4, -1)
        c = self.norm_c(torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g))
        return self.scale * torch.sigmoid(o) * torch.tanh(c), c


class Elman(nn.Module):
    """(x, h) → h of one's own."""

    def __init__(self) -> None:
        super().__init__()
        self.lin = nn.Linear(WIDTH + UNITS, UNITS)

    def forward(self, x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.lin(torch.cat([x, h], -1)))


class WithOutput(nn.Module):
    """(x, state) → (output, state), the state a dictionary beside a mask that is held fixed."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = NormedCell()

    def forward(self, x: torch.Tensor, state: dict[str, torch.Tensor], mask: torch.Tensor) -> Any:
        h, c = self.cell(x, (state["h"] * mask, state["c"]))
        return h * 2, {"h": h, "c": c}


class Loop(nn.Module):
    """Calls a cell step by step."""

    def __init__(self, cell: nn.Module, start: str = "zeros") -> None:
        super().__init__()
        self.cell, self.start = cell, start

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        zero = xs.new_zeros(*xs.shape[:-2], UNITS)
        state: Any = None
        for x in xs.unbind(-2):
            if isinstance(self.cell, WithOutput):
                state = {"h": zero, "c": zero + 0.5} if state is None else state
                _, state = self.cell(x, state=state, mask=torch.ones_like(x[..., :1]) * 0.7)
            elif isinstance(self.cell, NormedCell):
                state = self.cell(x, state if state is not None or self.start == "none" else (zero, zero + 0.5))
            else:
                state = self.cell(x, zero + 0.5 if state is None else state)
        return (
            state
            if isinstance(state, torch.Tensor)
            else next(iter(state.values() if isinstance(state, dict) else state))
        )


def loop(cell: type[nn.Module], **kind: str) -> Loop:
    torch.manual_seed(4)
    return Loop(cell(), **kind).double()


def inputs(*shape: int) -> torch.Tensor:
    return torch.randn(
        *(shape or (BATCH, STEPS, WIDTH)), dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )


def step_of(cell: nn.Module, s: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    if isinstance(cell, Elman):
        return cell(x, s)
    h, c = s[:UNITS], s[UNITS:]
    if isinstance(cell, WithOutput):
        _, state = cell(x, {"h": h, "c": c}, torch.full((1,), 0.7, dtype=s.dtype))
        return torch.cat([state["h"], state["c"]])
    return torch.cat(cell(x, (h, c)))


def expected(cell: nn.Module, xs: torch.Tensor, start: float = 0.5) -> dict[str, np.ndarray]:
    """Return ln ‖∂s_T/∂s_k‖₂ and ln ‖∂h_T/∂x_k‖₂ by lag of one sequence, by autograd through the whole of it."""
    m = UNITS if isinstance(cell, Elman) else 2 * UNITS
    s = torch.zeros(m, dtype=torch.float64)
    s[-UNITS:] = start
    states = [s]
    for x in xs:
        states.append(step_of(cell, states[-1], x).detach())

    def end(s: torch.Tensor, xs: torch.Tensor) -> torch.Tensor:
        for x in xs:
            s = step_of(cell, s, x)
        return s

    by_state, by_input = [], []
    for lag in range(STEPS + 1):
        k = STEPS - lag
        J = torch.autograd.functional.jacobian(lambda s, k=k: end(s, xs[k:]), states[k])
        by_state.append(float(torch.linalg.matrix_norm(J, 2).log()))
    for lag in range(STEPS):
        k = STEPS - lag - 1
        J = torch.autograd.functional.jacobian(lambda part, k=k: end(states[k], part), xs[k:])
        by_input.append(float(torch.linalg.matrix_norm(J[:UNITS, 0], 2).log()))
    return {"state": np.array(by_state), "input": np.array(by_input)}


@pytest.mark.parametrize(
    ("cell", "kind"), [(NormedCell, {}), (NormedCell, {"start": "none"}), (Elman, {}), (WithOutput, {})]
)
def test_norms_equal_autograd_through_the_very_module(cell: type[nn.Module], kind: dict[str, str]) -> None:
    model, xs = loop(cell, **kind), inputs()
    (found,) = vanishgrad.analyze(model, input=xs).result.models
    by_sequence = [expected(model.cell, x, 0 if kind else 0.5) for x in xs]
    for name in ("state", "input"):
        logs = np.mean([each[name] for each in by_sequence], axis=0)  # of logarithms: absolute is relative to the norm
        assert found.curves[name].log_norm.mean[: len(logs)] == pytest.approx(logs, rel=0, abs=RELATIVE)
    assert set(found.curves) == {"state", "hidden", "input", "output"} | ({"cell"} if cell is not Elman else set())
    assert any("by automatic differentiation" in note for note in found.notes)
    assert not found.gates and not found.share_by_lag.size and found.input_gain is None


def test_one_sequence_without_a_batch_is_one_sequence() -> None:
    model, x = loop(Elman), inputs(STEPS, WIDTH)
    (found,) = vanishgrad.analyze(model, input=x).result.models
    assert found.trials == 1
    assert found.curves["state"].log_norm.mean == pytest.approx(expected(model.cell, x)["state"], rel=0, abs=RELATIVE)


def test_a_float32_module_is_measured_in_float64() -> None:
    model, xs = loop(NormedCell).float(), inputs().float()
    (found,) = vanishgrad.analyze(model, input=xs).result.models
    assert model.cell.weight_hh.dtype == torch.float32
    precise = np.mean([expected(model.double().cell, x)["state"] for x in xs.double()], axis=0)
    assert found.curves["state"].log_norm.mean == pytest.approx(precise, rel=0, abs=1e-5)  # along float32 states


def test_trials_and_steps_take_the_beginning() -> None:
    model, xs = loop(Elman), inputs()
    some = vanishgrad.analyze(model, input=xs, trials=2, steps=5).result.models[0]
    short = vanishgrad.analyze(model, input=xs[:2, :5]).result.models[0]
    assert some.curves["state"].log_norm.mean == pytest.approx(short.curves["state"].log_norm.mean, rel=1e-12)


class Wrapped(nn.Module):
    """Around a cell of PyTorch's own: its state is the cell's, or changed behind it."""

    def __init__(self, changes: bool) -> None:
        super().__init__()
        self.gru, self.lin, self.changes = nn.GRUCell(WIDTH, UNITS), nn.Linear(WIDTH, WIDTH), changes

    def forward(self, x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        h = self.gru(self.lin(x), h)
        return h / (1 + h.square().sum(-1, keepdim=True)) if self.changes else h


def test_what_is_known_is_measured_by_its_weights() -> None:
    torch.manual_seed(0)
    (found,) = vanishgrad.analyze(Loop(Wrapped(changes=False)), input=inputs().float()).result.models
    assert found.label == "cell.gru" and found.cell == "gru" and found.gates


def test_a_wrapper_that_changes_the_state_is_the_step() -> None:
    torch.manual_seed(0)
    model, xs = Loop(Wrapped(changes=True)).double(), inputs()
    (found,) = vanishgrad.analyze(model, input=xs).result.models
    assert found.label == "cell" and found.cell == "recorded"
    start = torch.full((UNITS,), 0.5, dtype=torch.float64)

    def end(h: torch.Tensor) -> torch.Tensor:
        for x in xs[0]:
            h = model.cell(x, h)
        return h

    J = torch.autograd.functional.jacobian(end, start)
    one = vanishgrad.analyze(model, input=xs[:1]).result.models[0]
    assert one.curves["state"].log_norm.mean[STEPS] == pytest.approx(
        float(torch.linalg.matrix_norm(J, 2).log()), abs=1e-8
    )


class Stacked(nn.Module):
    """Two steps, one above the other, called as one."""

    def __init__(self) -> None:
        super().__init__()
        self.lower, self.upper = Elman(), Elman()
        self.upper.lin = nn.Linear(2 * UNITS, UNITS)

    def forward(self, x: torch.Tensor, h: Any) -> Any:
        lower = self.lower(x, h[0] if isinstance(h, tuple) else h)
        return lower, self.upper(lower, h[1] if isinstance(h, tuple) else h)


def test_layers_within_a_step_are_measured_one_by_one() -> None:
    torch.manual_seed(0)
    model = Loop(nn.Identity())
    model.cell = Stacked()
    found = vanishgrad.analyze(model, input=inputs().float())
    assert [each.label for each in found.result.models] == ["cell.lower", "cell.upper"]


@pytest.mark.parametrize("failure", [None, RuntimeError, KeyboardInterrupt])
def test_the_module_and_the_generators_are_left_as_they_were(failure: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model, xs = loop(NormedCell).float(), inputs().float()
    model.cell.norm_a.eval()
    model.cell.weight_hh.grad = torch.ones_like(model.cell.weight_hh)
    tensors = {key: value.clone() for key, value in model.state_dict().items()}
    objects = {key: id(value) for key, value in model.named_parameters()}
    modes, generator = [each.training for each in model.modules()], torch.get_rng_state()
    attributes = [dict(vars(each)) for each in model.modules()]
    if failure is None:
        vanishgrad.analyze(model, input=xs)
    else:

        def fail(*arguments: object, **options: object) -> None:
            torch.rand(3)
            raise failure("the user's own")

        monkeypatch.setattr(torch.func, "jacrev", fail)
        with pytest.raises(VanishgradError if failure is RuntimeError else failure, match="the user's own"):
            vanishgrad.analyze(model, input=xs)
    assert all(torch.equal(value, tensors[key]) for key, value in model.state_dict().items())
    assert {key: id(value) for key, value in model.named_parameters()} == objects
    assert [each.training for each in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), generator)
    assert torch.equal(model.cell.weight_hh.grad, torch.ones_like(model.cell.weight_hh))
    assert [dict(vars(each)) for each in model.modules()] == attributes
    assert not any(each._forward_hooks or each._forward_hooks_with_kwargs for each in model.modules())


def test_a_captured_run_holds_the_derivatives_and_every_command_reads_them(tmp_path: Path) -> None:
    model, xs, path = loop(NormedCell), inputs(), tmp_path / "run.npz"
    vanishgrad.capture(model, xs, path)
    live, read = (vanishgrad.analyze(model, input=xs), vanishgrad.analyze(path))
    for one, other in zip(live.document["models"], read.document["models"], strict=True):
        assert {**one, "source": None} == {**other, "source": None}
    assert vanishgrad.check(path, 3).layers[0].horizon == live["cell"].state.horizon
    assert "derivatives were recorded" in str(vanishgrad.inspect(path)).replace("\n    ", " ")
    assert vanishgrad.verify(path).passed
    explained = vanishgrad.explain(path)
    notes = " ".join(explained.typed.models[0].notes)
    assert all(f"no {name}: it needs gates and weights" in notes for name in ("paths", "truncation", "findings"))
    assert explained.result.models[0].sections["map"] is not None


@pytest.mark.parametrize("live", [False, True])
def test_nothing_is_proved_of_it_and_no_answer_given(tmp_path: Path, live: bool) -> None:
    model, xs, path = loop(Elman), inputs(), tmp_path / "run.npz"
    vanishgrad.capture(model, xs, path)
    with pytest.raises(VanishgradError, match="got recorded, of which nothing is proved"):
        vanishgrad.certify(
            *((model, tmp_path / "c.json") if live else (path, tmp_path / "c.json")), **({"input": xs} if live else {})
        )
    with pytest.raises(VanishgradError, match="got the recorded Jacobians of"):
        vanishgrad.answer(path)
    with pytest.raises(VanishgradError, match="expected no --input for cell"):
        vanishgrad.analyze(path, input="zeros", steps=3)


class Dropped(Elman):
    def forward(self, x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        return nn.functional.dropout(super().forward(x, h), 0.5, self.training)


class BatchNormed(Elman):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(UNITS, track_running_stats=False)

    def forward(self, x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        return self.norm(super().forward(x, h))


class Padded(nn.Module):
    """Changes the state between the steps."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = Elman()

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        h = xs.new_zeros(len(xs), UNITS) + 0.5
        for t, x in enumerate(xs.unbind(1)):
            h = self.cell(x, h) * (0.5 if t > 2 else 1)
        return h


class WithoutState(nn.Module):
    """The recurrence stands in the loop itself."""

    def __init__(self) -> None:
        super().__init__()
        self.lin = nn.Linear(WIDTH, UNITS)
        self.mix = Mix()

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        h = torch.zeros(len(xs), UNITS)
        for x in xs.unbind(1):
            h = torch.tanh(h + self.mix(self.lin(x), h))
        return h


class Mix(nn.Module):
    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return a - b


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (lambda: Loop(Dropped()), r"put out the same for the same input and state.*try module.eval\(\)"),
        (lambda: Loop(BatchNormed()), "sequences of a batch to be apart at cell"),
        (Padded, "expected the state of cell to be handed on .* after 4 steps"),
        (
            WithoutState,
            r"handed its last state, got Linear, Mix, WithoutState; called more than once: mix \(Mix, 7 calls\)",
        ),
    ],
)
def test_what_cannot_be_measured_so_is_refused_by_name(module: Any, message: str) -> None:
    torch.manual_seed(0)
    with pytest.raises(VanishgradError, match=message):
        vanishgrad.analyze(module(), input=inputs().float())


def test_jacobians_that_are_too_large_say_how_many_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vanishgrad.models.step_jacobians.MAX_BYTES", 2 * 8 * STEPS * UNITS * (UNITS + WIDTH))
    with pytest.raises(VanishgradError, match="try a batch of 2, or trials=2"):
        vanishgrad.analyze(loop(Elman), input=inputs())
    assert vanishgrad.analyze(loop(Elman), input=inputs(), trials=2).result.models[0].trials == 2
