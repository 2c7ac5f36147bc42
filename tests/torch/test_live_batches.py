"""Batches of live modules as newcomers have them: what forward does not take, other devices, short types, no numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import vanishgrad
from vanishgrad.errors import VanishgradError

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install torch==2.13.0")
pytestmark = pytest.mark.torch

nn = torch.nn
BATCH, STEPS, WIDTH, UNITS = 3, 6, 3, 4


def layer(**options: Any) -> nn.LSTM:
    torch.manual_seed(0)
    return nn.LSTM(WIDTH, UNITS, batch_first=True, **options)


def inputs() -> torch.Tensor:
    return torch.randn(BATCH, STEPS, WIDTH, generator=torch.Generator().manual_seed(1))


class OnlyTrained(nn.Module):
    """A LightningModule without a forward, seen from PyTorch."""

    def __init__(self) -> None:
        super().__init__()
        self.net = layer()

    def training_step(self, batch: torch.Tensor) -> torch.Tensor:
        return self.net(batch)[0].mean()


def with_nan() -> torch.Tensor:
    xs = inputs()
    xs[1, 2] = float("nan")
    return xs


@pytest.mark.parametrize(
    ("module", "batch", "message"),
    [
        (layer, lambda: {"inputs": inputs()}, r"as forward\(input, hx=None\) of LSTM takes it, got: missing .*'input'"),
        (layer, lambda: inputs().tolist(), r"as forward\(input, hx=None\) of LSTM takes it, got: too many positional"),
        (layer, with_nan, "expected finite inputs at LSTM, got nan in sequence 1 at step 3"),
        (layer, lambda: inputs()[:0], r"expected a sequence of a step at LSTM, got inputs \(0, 6, 3\)"),
        (lambda: layer(device="meta"), inputs, "expected weights with numbers, got weight_ih_l0 on the device meta"),
        (OnlyTrained, inputs, "expected a module with a forward, got OnlyTrained without; .* for instance model.net"),
    ],
)
def test_a_batch_that_cannot_be_is_refused_in_a_sentence(module: Any, batch: Any, message: str) -> None:
    with pytest.raises(VanishgradError, match=message):
        vanishgrad.analyze(module(), input=batch())


def test_of_a_loaders_mapping_what_forward_takes_is_used() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = layer()

        def forward(self, xs: torch.Tensor) -> torch.Tensor:
            return self.rnn(xs)[0]

    rows = [{"xs": x, "label": 1} for x in inputs()]
    loader = torch.utils.data.DataLoader(rows, batch_size=BATCH)
    found, wanted = (vanishgrad.analyze(Net(), input=each).to_json() for each in (loader, inputs()))
    assert found == wanted


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("given", ["tensor", "array"])
def test_a_module_of_a_short_type_is_measured_in_float64_with_its_rounded_numbers(dtype: Any, given: str) -> None:
    module = layer().to(dtype)
    xs = inputs().to(dtype)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    batch = xs if given == "tensor" else xs.double().numpy()
    found = vanishgrad.analyze(module, input=batch)["LSTM.0"].state
    assert all(value.dtype == dtype and torch.equal(value, before[name]) for name, value in module.state_dict().items())
    wide = vanishgrad.analyze(layer().to(dtype).double(), input=xs.double())["LSTM.0"].state
    assert found.log10_norm.mean == pytest.approx(wide.log10_norm.mean, rel=0, abs=1e-12)


class Delegating(nn.LSTM):
    """A subclass with a forward of its own around PyTorch's."""

    def forward(self, xs: Any, hx: Any = None) -> Any:
        output, state = super().forward(xs, hx)
        return output, state


class Unhooked(nn.Module):
    """Calls a layer's forward itself, of which no hook knows, beside one that it calls as usual."""

    def __init__(self, inner: nn.LSTM, directly: bool = True) -> None:
        super().__init__()
        self.inner, self.outer, self.directly = inner, layer(), directly

    def forward(self, xs: Any, start: Any = None) -> Any:
        call = self.inner.forward if self.directly else self.inner
        out = call(xs, start)[0]
        self.outer(xs)
        return out


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("start", [False, True])
@pytest.mark.parametrize("kind", [nn.LSTM, Delegating])
def test_a_forward_that_no_hook_sees_is_recorded(kind: type[nn.LSTM], start: bool, packed: bool) -> None:
    torch.manual_seed(0)
    inner = kind(WIDTH, UNITS, 2, batch_first=True, bidirectional=True)
    plain = nn.LSTM(WIDTH, UNITS, 2, batch_first=True, bidirectional=True)
    plain.load_state_dict(inner.state_dict())
    xs: Any = inputs()
    state = tuple(0.3 * torch.randn(4, BATCH, UNITS) for _ in "hc") if start else None
    if packed:
        lengths = torch.tensor([3, STEPS, 5])
        xs = nn.utils.rnn.pack_padded_sequence(xs, lengths, batch_first=True, enforce_sorted=False)
    found = vanishgrad.analyze(Unhooked(inner, kind is nn.LSTM), input=(xs, state))
    wanted = vanishgrad.analyze(Unhooked(plain, directly=False), input=(xs, state))
    assert {each.label for each in found.result.models} == {each.label for each in wanted.result.models}
    for label in ("inner.0", "inner.1.reverse", "outer.0"):
        one, other = (each[label].state.log10_norm.mean for each in (found, wanted))
        assert one == pytest.approx(other, rel=0, abs=1e-12)


class OnDevice(torch.Tensor):
    """A stand-in for a GPU's tensor: without ``cpu()`` or ``to("cpu")`` it gives no numbers to NumPy."""

    brought: list[str] = []

    def numpy(self, *given: Any, **named: Any) -> np.ndarray:
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first.")

    def to(self, *given: Any, **named: Any) -> Any:
        target = named.get("device", given[0] if given else None)
        plain = self.as_subclass(torch.Tensor)
        if str(target) == "cpu":
            OnDevice.brought.append("to")
            return plain.to(*given, **named)
        return plain.to(*given, **named).as_subclass(OnDevice)

    def cpu(self) -> torch.Tensor:
        OnDevice.brought.append("cpu")
        return self.as_subclass(torch.Tensor)


def on_device(module: nn.Module) -> nn.Module:
    """Put a module's parameters on it."""
    for part in module.modules():
        for name, parameter in part._parameters.items():
            if parameter is not None:
                part._parameters[name] = parameter.data.as_subclass(OnDevice)
        if isinstance(part, nn.LSTM):
            part._flat_weights = [part._parameters[name] for name in part._flat_weights_names]
    return module


def own() -> nn.Module:
    from tests.torch.test_padded_loops import TAKEN, Elman, Padded

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.loop = Padded(Elman())

        def forward(self, xs: torch.Tensor) -> torch.Tensor:
            return self.loop(xs, TAKEN[:BATCH, :STEPS])

    return Net()


@pytest.mark.parametrize("make", [layer, own])
def test_tensors_of_another_device_are_brought_home_and_the_module_stays_there(make: Any) -> None:
    """Its tensors refuse `numpy()`, as CUDA's do; the module's stay the very objects that they were."""
    module = on_device(make())
    objects = [each for part in module.modules() for each in part._parameters.values()]
    OnDevice.brought.clear()
    found = vanishgrad.analyze(module, input=inputs().as_subclass(OnDevice))
    assert OnDevice.brought
    after = [each for part in module.modules() for each in part._parameters.values()]
    assert all(one is other for one, other in zip(objects, after, strict=True))
    wanted = vanishgrad.analyze(make(), input=inputs())
    assert found.document["models"][0]["curves"] == wanted.document["models"][0]["curves"]


def test_verify_is_along_the_batch_and_what_takes_no_module_says_so() -> None:
    module = layer()
    found = vanishgrad.verify(module, input=inputs())
    assert found.passed and str(found).startswith("LSTM.0")
    with pytest.raises(
        VanishgradError, match=r"to inspect, got LSTM; try vanishgrad\.inspect\(module\.state_dict\(\)\)"
    ):
        vanishgrad.inspect(module)
    with pytest.raises(VanishgradError, match=r"got LSTM; try vanishgrad\.analyze\(module, input=BATCH\)"):
        vanishgrad.compare([module, "lstm"])


class Stepwise(nn.Module):
    """A cell in a loop, which a compiled forward runs without hooks that come later."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.cell = nn.GRUCell(WIDTH, UNITS)

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        h = xs.new_zeros(len(xs), UNITS)
        for x in xs.unbind(1):
            h = self.cell(x, h)
        return h


def test_hooks_that_compilation_would_leave_dead_see_every_step() -> None:
    module = torch.compile(Stepwise(), backend="eager")
    module(inputs())
    found, wanted = (vanishgrad.analyze(each, input=inputs())["cell"].state for each in (module, Stepwise()))
    assert found.log10_norm.mean == wanted.log10_norm.mean
    in_place = Stepwise()
    in_place.compile(backend="eager")
    in_place(inputs())
    assert vanishgrad.analyze(in_place, input=inputs())["cell"].state.log10_norm.mean == wanted.log10_norm.mean


def test_a_parametrised_layer_has_the_weights_that_its_forward_used_and_reading_moves_none() -> None:
    from torch.nn.utils import parametrizations

    for parametrise in (parametrizations.weight_norm, parametrizations.spectral_norm):
        module = parametrise(layer(), "weight_hh_l0")
        before = {name: value.clone() for name, value in module.state_dict().items()}
        found = next(iter(vanishgrad.analyze(module, input=inputs()))).state
        assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
        plain = layer()
        with torch.no_grad():  # in evaluation reading moves nothing
            plain.weight_hh_l0.copy_(module.eval().weight_hh_l0)
        wanted = vanishgrad.analyze(plain, input=inputs())["LSTM.0"].state
        if parametrise is parametrizations.weight_norm:  # a spectral norm in training goes on as it runs
            assert found.log10_norm.mean == pytest.approx(wanted.log10_norm.mean, rel=0, abs=1e-6)
