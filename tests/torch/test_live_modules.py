"""Live PyTorch modules: norms equal autograd through the very module, which is left as it was."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

import vanishgrad
from vanishgrad.errors import UsageError, VanishgradError

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install torch==2.13.0")
pytestmark = pytest.mark.torch

nn = torch.nn
STEPS, WIDTH, UNITS = 9, 3, 4
LENGTHS = torch.tensor([5, STEPS, 7])
RELATIVE = 1e-9


class Net(nn.Module):
    """Embedding → LSTM × 2 → Linear on a padded batch, packed in the caller's order."""

    def __init__(self, bidirectional: bool = False, fails: bool = False) -> None:
        super().__init__()
        self.embed = nn.Embedding(11, WIDTH)
        self.norm = nn.BatchNorm1d(WIDTH)
        self.encoder = nn.LSTM(WIDTH, UNITS, 2, batch_first=True, bidirectional=bidirectional)
        self.head = nn.Linear(UNITS * (1 + bidirectional), 2)
        self.fails = fails

    def embedded(self, ids: torch.Tensor) -> torch.Tensor:
        return self.norm(self.embed(ids).transpose(1, 2)).transpose(1, 2)

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        xs = torch.nn.functional.dropout(self.embedded(ids), 0.0, self.training)
        packed = nn.utils.rnn.pack_padded_sequence(xs, lengths, batch_first=True, enforce_sorted=False)
        out, _ = self.encoder(packed)
        if self.fails:
            torch.rand(3)
            raise RuntimeError("the user's own")
        return self.head(nn.utils.rnn.pad_packed_sequence(out, batch_first=True)[0])


def net(**kind: bool) -> Net:
    torch.manual_seed(3)
    return Net(**kind).double()


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randint(0, 11, (3, STEPS), generator=torch.Generator().manual_seed(5)), LENGTHS


def steps_of(lstm: nn.LSTM, suffix: str, xs: torch.Tensor) -> list[torch.Tensor]:
    """Return ∂s_t/∂s_{t−1} at every step of one layer and direction, by autograd through PyTorch's own cell."""
    cell = nn.LSTMCell(xs.shape[1], UNITS).double()
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        setattr(cell, name, nn.Parameter(getattr(lstm, f"{name}_{suffix}").detach()))
    state, found = torch.zeros(2 * UNITS, dtype=torch.float64), []
    for x in xs:

        def step(s: torch.Tensor, x: torch.Tensor = x) -> torch.Tensor:
            return torch.cat(cell(x, (s[:UNITS], s[UNITS:])))

        found.append(torch.autograd.functional.jacobian(step, state))
        state = step(state).detach()
    return found


def log_norms(jacobians: list[torch.Tensor]) -> list[float]:
    product, found = torch.eye(2 * UNITS, dtype=torch.float64), [0.0]
    for jacobian in reversed(jacobians):
        product = product @ jacobian
        found.append(float(torch.linalg.matrix_norm(product, 2).log()))
    return found


@pytest.mark.parametrize("bidirectional", [False, True])
def test_norms_equal_autograd_along_the_inputs_that_the_layers_really_get(bidirectional: bool) -> None:
    model = net(bidirectional=bidirectional)
    ids, lengths = batch()
    report = vanishgrad.analyze(model, input=(ids, lengths))
    found = {each.label: each for each in report.result.models}
    model.requires_grad_(False)
    inputs = model.embedded(ids)
    lower = nn.LSTM(WIDTH, UNITS, 1, batch_first=True, bidirectional=bidirectional).double()
    lower.load_state_dict({key: value for key, value in model.encoder.state_dict().items() if "_l0" in key})
    directions = ["", "_reverse"] if bidirectional else [""]
    assert len(found) == 2 * len(directions)
    shortest = int(lengths.min())
    for direction in directions:
        by_layer: list[list[list[float]]] = [[], []]
        for b, length in enumerate(lengths.tolist()):
            first = inputs[b, :length]
            second = lower(first[None])[0][0].detach()
            for layer, xs in enumerate((first, second)):
                jacobians = steps_of(model.encoder, f"l{layer}{direction}", xs.flip(0) if direction else xs)
                by_layer[layer].append(log_norms(jacobians)[: shortest + 1])
        for layer, rows in enumerate(by_layer):
            label = f"encoder.{layer}" + (".reverse" if direction else "")
            curve = found[label].curves["state"]
            expected = np.mean(rows, axis=0)  # of logarithms: absolute here is relative to the norm
            assert curve.log_norm.mean[: shortest + 1] == pytest.approx(expected, rel=0, abs=RELATIVE)


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_the_module_and_the_generators_are_left_as_they_were(training: bool, fails: bool) -> None:
    model = net(fails=fails).train(training)
    model.norm.eval()
    model.encoder.train()
    model.head.weight.grad = torch.ones_like(model.head.weight)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    modes, generator = [each.training for each in model.modules()], torch.get_rng_state()
    if fails:
        with pytest.raises(RuntimeError, match="the user's own"):
            vanishgrad.analyze(model, input=batch())
    else:
        vanishgrad.analyze(model, input=batch())
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert [each.training for each in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), generator)
    assert torch.equal(model.head.weight.grad, torch.ones_like(model.head.weight))
    assert not any(each._forward_hooks or each._forward_hooks_with_kwargs for each in model.modules())


def test_batch_statistics_that_a_run_moves_are_put_back() -> None:
    model = net().train()
    mean, count = model.norm.running_mean.clone(), model.norm.num_batches_tracked.clone()
    vanishgrad.analyze(model, input=batch())
    assert torch.equal(model.norm.running_mean, mean) and torch.equal(model.norm.num_batches_tracked, count)


class Holder(nn.Module):
    """A layer behind a forward of one argument."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.GRU(WIDTH, UNITS, batch_first=True)

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        return self.layer(xs)[0]


def test_a_layer_is_driven_by_what_it_was_given_whatever_the_batch_is() -> None:
    torch.manual_seed(1)
    holder = Holder()
    xs = torch.randn(3, STEPS, WIDTH)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(xs, torch.zeros(3)), batch_size=3)
    batches = [xs, xs.numpy(), (xs,), {"xs": xs}, loader]
    generator = torch.get_rng_state()
    reports = {vanishgrad.analyze(holder, input=each).to_json() for each in batches}
    assert len(reports) == 1
    assert torch.equal(torch.get_rng_state(), generator)


def test_a_cell_in_a_loop_is_one_sequence_and_equals_the_layer() -> None:
    class Loop(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.LSTMCell(WIDTH, UNITS)

        def forward(self, xs: torch.Tensor) -> torch.Tensor:
            state = None
            for x in xs.unbind(1):
                state = self.cell(x, state)
            return state[0]

    torch.manual_seed(2)
    loop, layer = Loop().double(), nn.LSTM(WIDTH, UNITS, batch_first=True).double()
    layer.load_state_dict({f"{key}_l0": value for key, value in loop.cell.state_dict().items()})
    xs = torch.randn(3, STEPS, WIDTH, dtype=torch.float64)
    one, other = (vanishgrad.analyze(each, input=xs).result.models[0] for each in (loop, layer))
    assert one.label == "cell"
    assert one.curves["state"].log_norm.mean == pytest.approx(other.curves["state"].log_norm.mean, rel=1e-12)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_a_layer_that_is_called_step_by_step_is_one_sequence(kind: type[nn.Module]) -> None:
    class Decoder(nn.Module):
        def __init__(self, chunk: int) -> None:
            super().__init__()
            self.layer, self.chunk = kind(WIDTH, UNITS, 2, batch_first=True), chunk

        def forward(self, xs: torch.Tensor) -> torch.Tensor:
            state = None
            for part in xs.split(self.chunk, dim=1):
                out, state = self.layer(part, state)
            return out

    torch.manual_seed(2)
    stepwise, whole = Decoder(1).double(), Decoder(STEPS).double()
    whole.load_state_dict(stepwise.state_dict())
    xs = torch.randn(3, STEPS, WIDTH, dtype=torch.float64)
    one, other = (vanishgrad.analyze(each, input=xs).result.models for each in (stepwise, whole))
    assert [each.label for each in one] == [each.label for each in other] == ["layer.0", "layer.1"]
    for found, expected in zip(one, other, strict=True):
        assert found.curves["state"].log_norm.mean == pytest.approx(expected.curves["state"].log_norm.mean, rel=1e-9)


def test_the_initial_state_is_the_one_that_was_given() -> None:
    torch.manual_seed(4)
    layer = nn.RNN(WIDTH, UNITS, batch_first=True).double()
    xs, start = torch.zeros(1, 2, WIDTH, dtype=torch.float64), torch.full((1, 1, UNITS), 0.7, dtype=torch.float64)
    curve = vanishgrad.analyze(layer, input=(xs, start)).result.models[0].curves["state"]
    whole = torch.autograd.functional.jacobian(lambda h: layer(xs, h)[1].flatten(), start).reshape(UNITS, UNITS)
    assert curve.log_norm.mean[2] == pytest.approx(float(torch.linalg.matrix_norm(whole, 2).log()), rel=RELATIVE)


def test_a_module_called_twice_is_named_by_its_call() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.RNN(WIDTH, WIDTH, nonlinearity="relu", batch_first=True)

        def forward(self, xs: torch.Tensor) -> torch.Tensor:
            return self.rnn(self.rnn(xs)[0])[0]

    report = vanishgrad.analyze(Twice(), input=torch.randn(2, STEPS, WIDTH))
    assert [each.label for each in report.result.models] == ["rnn.0", "rnn#2.0"]
    assert all("activation=relu" in each.spec for each in report.result.models)


def test_without_a_batch_the_sentence_says_what_is_needed() -> None:
    with pytest.raises(UsageError, match=r"expected a batch to run Net on.*try input=BATCH"):
        vanishgrad.analyze(net())


def scripted(module: nn.Module) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # PyTorch 2.13 advises torch.compile
        return torch.jit.script(module)


class Own(nn.LSTMCell):
    """A cell with steps of its own."""

    def forward(self, x: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor] | None = None) -> torch.Tensor:
        return super().forward(x, state)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.Linear(2, 2), "expected an nn.RNN.*got Linear"),
        (Own(WIDTH, UNITS), "expected PyTorch's own forward.*got that of Own"),
        (nn.LSTM(WIDTH, UNITS, 2, dropout=0.5), "expected LSTM in eval mode, got training with dropout"),
        (scripted(nn.LSTM(WIDTH, UNITS)), "got a ScriptModule"),
        (nn.Sequential(scripted(nn.Linear(WIDTH, WIDTH))), "got a ScriptModule at 0"),
    ],
)
def test_what_cannot_be_recorded_is_refused_by_name(module: nn.Module, message: str) -> None:
    with pytest.raises(VanishgradError, match=message):
        vanishgrad.analyze(module, input=torch.zeros(1, WIDTH))


@pytest.mark.parametrize("option", [{"steps": 10}, {"lengths": "3"}, {"burn_in": 1}, {"trials": 9}])
def test_an_option_that_the_run_answers_is_refused(option: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=r"captured run|--trials up to 2|--steps up to 9"):
        vanishgrad.analyze(nn.GRU(WIDTH, UNITS, batch_first=True), input=torch.zeros(2, STEPS, WIDTH), **option)


def test_check_and_certify_are_along_the_batch(tmp_path: Path) -> None:
    torch.manual_seed(0)
    layer, xs = nn.RNN(WIDTH, UNITS, batch_first=True).double(), torch.randn(2, STEPS, WIDTH, dtype=torch.float64)
    curve = vanishgrad.analyze(layer, input=xs).document["models"][0]["curves"]["state"]
    judged = vanishgrad.check(layer, 4, input=xs)
    assert judged.layers[0].horizon == curve["horizon"] and judged.layers[0].caution is None
    found = vanishgrad.certify(layer, tmp_path / "cert.json", claim="lower", input=xs)
    jacobians = torch.autograd.functional.jacobian(
        lambda h: layer(xs[:1], h)[1].flatten(), torch.zeros(1, 1, UNITS, dtype=torch.float64)
    )
    norm = float(torch.linalg.matrix_norm(jacobians.reshape(UNITS, UNITS), 2))
    claim = found.outcome.certificate.claim
    assert norm * (1 - 1e-6) <= claim["value"] <= norm
    assert sorted(each.name for each in tmp_path.iterdir()) == ["cert.inputs.npy", "cert.json", "cert.weights.npz"]
