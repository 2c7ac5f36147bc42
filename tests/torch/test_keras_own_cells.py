"""Keras layers over cells of one's own are differentiated step by step: norms equal autograd through the very layer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

import vanishgrad
from vanishgrad.errors import VanishgradError

os.environ.setdefault("KERAS_BACKEND", "torch")
torch = pytest.importorskip("torch", reason="needs PyTorch: pip install torch==2.13.0")
keras = pytest.importorskip("keras", reason="needs Keras: pip install 'keras==3.15.*'")
from tests.torch.test_keras_models import (  # noqa: E402
    IDS,
    STEPS,
    UNITS,
    WIDTH,
    assert_equal_autograd,
    double,
    log_norms,
    on_ids,
    precision,
    scaled,
)

__all__ = ["double", "precision"]
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")]
layers, ops = keras.layers, keras.ops


@pytest.fixture(autouse=True)
def whole_float64(precision: str) -> Iterator[None]:
    """Keras's layer norm, products and more are float32 within a float64 layer: the reference is to be float64 too."""
    from vanishgrad.models.torch_modes import InFloat64

    with InFloat64() if precision == "float64" else nullcontext():
        yield


@keras.saving.register_keras_serializable("vanishgrad")
class Normed(keras.Layer):
    """Elman's step with a layer norm: it puts out twice its state."""

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(**options)
        self.units = self.state_size = units
        self.norm = layers.LayerNormalization()

    def build(self, shape) -> None:
        self.kernel = self.add_weight(shape=(shape[-1], self.units))
        self.recurrent = self.add_weight(shape=(self.units, self.units))
        self.norm.build((None, self.units))

    def call(self, x, states):
        h = ops.tanh(self.norm(ops.matmul(x, self.kernel) + ops.matmul(states[0], self.recurrent)))
        return 2 * h, [h]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("vanishgrad")
class Leaky(layers.LSTMCell):
    """A subclass of Keras's cell, which leaks between its steps."""

    def call(self, inputs, states, training=False):
        h, (_, c) = super().call(inputs, states, training=training)
        h = 0.9 * h + 0.1 * states[0]
        return h, [h, c]


@pytest.mark.parametrize("mask_zero", [False, True])
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("cell", [Normed, Leaky])
def test_norms_equal_autograd_through_the_layer(cell, go_backwards: bool, mask_zero: bool, precision: str) -> None:
    model = on_ids(layers.RNN(cell(UNITS), go_backwards=go_backwards, name="rnn"), mask_zero=mask_zero)
    taken = IDS != 0 if mask_zero else np.ones(IDS.shape, bool)
    with torch.no_grad():
        inputs = model.layers[0](IDS)
    label = "rnn.reverse" if go_backwards else "rnn"
    assert_equal_autograd(model, model.layers[-1], label, inputs, taken, IDS, precision)
    (found,) = vanishgrad.analyze(model, input=IDS).result.models
    assert any("by automatic differentiation" in note for note in found.notes)


def test_both_directions_a_captured_run_and_time_distributed(double, tmp_path) -> None:
    model = on_ids(layers.Bidirectional(layers.RNN(Normed(UNITS), name="rnn"), name="both"), mask_zero=True)
    vanishgrad.capture(model, IDS, tmp_path / "run.npz")
    live, file = vanishgrad.analyze(model, input=IDS), vanishgrad.analyze(tmp_path / "run.npz")
    for report in (live, file):
        assert [each.label for each in report.result.models] == ["both", "both.reverse"]
    for one, other in zip(live.result.models, file.result.models, strict=True):
        assert list(one.curves["state"].log_norm.mean) == list(other.curves["state"].log_norm.mean)
    several = scaled(
        keras.Sequential([keras.Input((5, STEPS, WIDTH)), layers.TimeDistributed(layers.RNN(Normed(UNITS)), name="td")])
    )
    xs = np.random.default_rng(0).standard_normal((2, 5, STEPS, WIDTH))
    (found,) = vanishgrad.analyze(several, input=xs).result.models
    layer = several.layers[0].layer
    rows = [log_norms(layer, torch.as_tensor(x), np.ones(STEPS, bool), torch.zeros(UNITS, dtype=torch.float64))
            for x in xs.reshape(10, STEPS, WIDTH)]  # fmt: skip
    assert found.trials == 10 and found.curves["state"].log_norm.mean == pytest.approx(np.mean(rows, axis=0), abs=1e-9)


def test_stacked_cells_of_different_kinds_are_one_step_and_trials_take_the_beginning(double) -> None:
    model = on_ids(layers.RNN([Normed(UNITS), layers.LSTMCell(UNITS)], name="stack"))
    (found,) = vanishgrad.analyze(model, input=IDS, trials=2, steps=5).result.models
    assert (found.label, found.trials, found.steps) == ("stack", 2, 5)
    with torch.no_grad():
        inputs = model.layers[0](IDS)[:2, :5]
    layer = model.layers[1]
    rows = []
    for xs in inputs:
        norms = [0.0]
        for begin in range(4, -1, -1):
            with torch.no_grad():
                state = (
                    run(layer, xs[:begin], torch.zeros(3 * UNITS, dtype=xs.dtype))
                    if begin
                    else torch.zeros(3 * UNITS, dtype=xs.dtype)
                )
            J = torch.autograd.functional.jacobian(lambda s, xs=xs, begin=begin: run(layer, xs[begin:], s), state)
            norms.append(float(torch.linalg.matrix_norm(J, 2).log()))
        rows.append(norms)
    assert found.curves["state"].log_norm.mean == pytest.approx(np.mean(rows, axis=0), rel=0, abs=1e-9)


def run(layer, xs: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
    h, lstm = state[None, :UNITS], [state[None, UNITS : 2 * UNITS], state[None, 2 * UNITS :]]
    states = layer.inner_loop(xs[None], [[h], lstm], None)[2]
    return torch.cat([part[0] for part in keras.tree.flatten(states)])


class Dropped(Normed):
    """Draws a mask at every step."""

    def call(self, x, states):
        out, (h,) = super().call(x, states)
        return out, [keras.random.dropout(h, 0.5)]


class Plane(Normed):
    """Its state is a plane."""

    def call(self, x, states):
        return x, [states[0]]

    def get_initial_state(self, batch_size):
        return [ops.zeros((batch_size, 2, 2))]


class Meeting(Normed):
    """Each sequence of a batch sees the others."""

    def call(self, x, states):
        out, (h,) = super().call(x, states)
        return out, [h - ops.mean(h, axis=0)]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (Dropped, r"expected r \(Dropped\) to put out the same for the same input and state"),
        (Plane, r"expected states \(batch, units\) of r, got \(3, 2, 2\)"),
        (Meeting, r"expected the sequences of a batch to be apart at r \(Meeting\)"),
    ],
)
def test_what_cannot_be_differentiated_so_is_refused_by_name(double, cell, message: str) -> None:
    with pytest.raises(VanishgradError, match=message):
        vanishgrad.analyze(on_ids(layers.RNN(cell(UNITS), name="r")), input=IDS)
