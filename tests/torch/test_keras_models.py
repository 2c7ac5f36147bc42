"""Live Keras models: norms equal autograd through the very layers, and the model is left as it was."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import vanishgrad
from vanishgrad.errors import UsageError, VanishgradError

os.environ.setdefault("KERAS_BACKEND", "torch")
torch = pytest.importorskip("torch", reason="needs PyTorch: pip install torch==2.13.0")
keras = pytest.importorskip("keras", reason="needs Keras: pip install 'keras==3.15.*'")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")]

layers = keras.layers
STEPS, WIDTH, UNITS = 7, 3, 4
IDS = np.array([[3, 1, 4, 1, 5, 9, 2], [2, 7, 1, 8, 2, 0, 0], [0, 0, 6, 0, 2, 8, 0]])
"""Whole; padded; padded on both sides with a gap."""
RELATIVE = {"float64": 1e-9, "float32": 4 * STEPS * 2.0**-23}
"""Of float32, what the reference itself rounds: a few times in each of its steps (2e-7 altogether was seen)."""


@pytest.fixture(params=["float64", "float32"])
def precision(request, monkeypatch) -> Iterator[str]:
    """Keras's own product of float64 matrices is one of float32 in PyTorch: here PyTorch multiplies them."""
    before = keras.config.floatx(), keras.config.dtype_policy()
    if request.param == "float64":
        monkeypatch.setattr("keras.src.backend.torch.numpy.matmul", torch.matmul)
    keras.config.set_floatx(request.param)
    keras.config.set_dtype_policy(request.param)  # it is made once, of the floatx at that time
    keras.utils.set_random_seed(3)
    yield request.param
    keras.config.set_floatx(before[0])
    keras.config.set_dtype_policy(before[1])


@pytest.fixture
def double(precision: str) -> None:
    if precision != "float64":
        pytest.skip("precision does not matter here")


def scaled(model):
    """Give a model weights of size 0.5, biases too: of Keras's own many states hardly move."""
    for place, variable in enumerate(model.trainable_variables):
        variable.assign(0.5 * np.random.default_rng(place).standard_normal(variable.shape))
    return model


def on_ids(*stack, mask_zero: bool = False):
    return scaled(keras.Sequential([keras.Input((STEPS,)), layers.Embedding(11, WIDTH, mask_zero=mask_zero), *stack]))


def flat(states) -> torch.Tensor:
    return torch.cat([state[0] for state in keras.tree.flatten(states)])


def split(state: torch.Tensor) -> list[torch.Tensor]:
    return [part[None] for part in state.split(UNITS)]


def log_norms(layer, xs: torch.Tensor, taken: np.ndarray, start: torch.Tensor) -> list[float]:
    """Return ln ‖∂s_T/∂s_k‖₂ by lag from the last step that is taken on, by autograd through the layer's own loop."""
    mask = None if taken.all() else torch.as_tensor(taken)[None]

    def run(state: torch.Tensor, part: slice) -> torch.Tensor:
        own = None if mask is None else mask[:, part]
        return flat(layer.inner_loop(xs[None, part], split(state), own)[2])

    order = taken[::-1] if layer.go_backwards else taken
    first, last = int(order.argmax()), len(order) - int(order[::-1].argmax())
    norms = []
    for begin in range(last, first - 1, -1):
        before, behind = slice(0, begin), slice(begin, len(order))
        if layer.go_backwards:
            before, behind = slice(len(order) - begin, len(order)), slice(0, len(order) - begin)
        with torch.no_grad():
            state = run(start, before) if begin else start
        if begin == len(order):
            norms.append(0.0)
            continue
        jacobian = torch.autograd.functional.jacobian(lambda s, behind=behind: run(s, behind), state)
        norms.append(float(torch.linalg.matrix_norm(jacobian, 2).log()))
    return norms


def means(report, label: str) -> list[float]:
    """Return the mean of ln ‖∂s_T/∂s_k‖₂ over the sequences by lag."""
    (model,) = (each for each in report.result.models if each.label == label)
    return model.curves["state"].log_norm.mean


def assert_equal_autograd(model, layer, label: str, inputs: torch.Tensor, taken: np.ndarray, batch, precision: str):
    size = UNITS * len(keras.tree.flatten(layer.cell.state_size))
    zeros = torch.zeros(size, dtype=getattr(torch, precision))
    rows = [log_norms(layer, xs, own, zeros) for xs, own in zip(inputs, taken, strict=True)]
    shortest = min(map(len, rows))
    found = means(vanishgrad.analyze(model, input=batch), label)[:shortest]
    expected = np.mean([row[:shortest] for row in rows], axis=0)  # of logarithms: absolute here is relative to the norm
    assert found == pytest.approx(expected, rel=0, abs=RELATIVE[precision])


LAYERS: dict[str, Callable] = {
    "lstm": lambda: layers.LSTM(UNITS),
    "gru": lambda: layers.GRU(UNITS, return_sequences=True),
    "gru_before": lambda: layers.GRU(UNITS, reset_after=False, activation="relu"),
    "rnn": lambda: layers.SimpleRNN(UNITS, activation="relu", use_bias=False),
    "backward": lambda: layers.LSTM(UNITS, go_backwards=True),
    "of_a_cell": lambda: layers.RNN(layers.LSTMCell(UNITS), unroll=True),
}


@pytest.mark.parametrize("mask_zero", [False, True])
@pytest.mark.parametrize("kind", LAYERS)
def test_norms_equal_autograd_through_the_layer(kind: str, mask_zero: bool, precision: str) -> None:
    model = on_ids(LAYERS[kind](), mask_zero=mask_zero)
    layer = model.layers[-1]
    taken = IDS != 0 if mask_zero else np.ones(IDS.shape, bool)
    label = layer.name + (".reverse" if layer.go_backwards else "")
    with torch.no_grad():
        inputs = model.layers[0](IDS)
    assert_equal_autograd(model, layer, label, inputs, taken, IDS, precision)


def in_float64(layer):
    """Return a layer with the same weights that computes in float64."""
    config = {**layer.get_config(), "dtype": "float64"}
    copy = type(layer).from_config(config)
    copy.build((None, STEPS, WIDTH))
    for variable, own in zip(copy.weights, layer.weights, strict=True):
        variable.assign(own.value.double())
    return copy


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_a_float32_layer_is_measured_in_float64(kind: str, monkeypatch) -> None:
    """The numbers are those of its float32 weights and inputs, with no more rounding: 1e-9, and not float32's 1e-7."""
    keras.utils.set_random_seed(3)
    model = on_ids(LAYERS[kind]())
    assert model.layers[-1].dtype == "float32"
    found = means(vanishgrad.analyze(model, input=IDS), model.layers[-1].name)
    with torch.no_grad():
        inputs = model.layers[0](IDS).double()
    monkeypatch.setattr("keras.src.backend.torch.numpy.matmul", torch.matmul)
    layer = in_float64(model.layers[-1])
    zeros = torch.zeros(UNITS * len(keras.tree.flatten(layer.cell.state_size)), dtype=torch.float64)
    rows = [log_norms(layer, xs, np.ones(STEPS, bool), zeros) for xs in inputs]
    assert found == pytest.approx(np.mean(rows, axis=0), rel=0, abs=1e-9)


@pytest.mark.parametrize("mask_zero", [False, True])
def test_both_directions_and_the_layer_above_them(mask_zero: bool, precision: str) -> None:
    model = on_ids(
        layers.Bidirectional(layers.LSTM(UNITS, return_sequences=True), name="both"),
        layers.GRU(UNITS, name="above"), mask_zero=mask_zero,
    )  # fmt: skip
    taken = IDS != 0 if mask_zero else np.ones(IDS.shape, bool)
    embed, both, above = model.layers
    with torch.no_grad():
        inputs = embed(IDS)
        outputs = both(inputs, mask=torch.as_tensor(taken) if mask_zero else None)
    for layer, label, xs in (
        (both.forward_layer, "both", inputs),
        (both.backward_layer, "both.reverse", inputs),
        (above, "above", outputs),
    ):
        assert_equal_autograd(model, layer, label, xs, taken, IDS, precision)


@pytest.mark.parametrize("given", [False, True])
def test_initial_states_and_the_mask_that_the_layer_really_gets(double, given: bool) -> None:
    """Keras hands a mask on to an RNN that is given an initial state only where it is given by name."""
    xs, h = keras.Input((STEPS, WIDTH)), keras.Input((UNITS,))
    masked, layer = layers.Masking(0.25)(xs), layers.GRU(UNITS, name="gru")
    mask = {"mask": keras.ops.any(keras.ops.not_equal(xs, 0.25), axis=-1)} if given else {}
    model = scaled(keras.Model([xs, h], layer(masked, initial_state=h, **mask)))
    values = np.random.default_rng(1).standard_normal((1, STEPS, WIDTH))
    values[0, 4:] = 0.25
    taken = np.arange(STEPS) < (4 if given else STEPS)
    inputs = torch.as_tensor(np.where(values[0] == 0.25, 0, values[0]))  # as Masking puts it out
    rows = log_norms(layer, inputs, taken, torch.full((UNITS,), 0.7, dtype=torch.float64))
    found = means(vanishgrad.analyze(model, input=[values, np.full((1, UNITS), 0.7)]), "gru")
    assert found == pytest.approx(rows, rel=0, abs=1e-9)


def test_each_of_stacked_cells_is_driven_by_the_one_below(double) -> None:
    model = on_ids(layers.RNN([layers.LSTMCell(UNITS), layers.LSTMCell(UNITS)], name="stack"))
    report = vanishgrad.analyze(model, input=IDS)
    assert [each.label for each in report.result.models] == ["stack.0", "stack.1"]
    with torch.no_grad():
        below = model.layers[0](IDS)
        for place, cell in enumerate(model.layers[1].cell.cells):
            alone = layers.RNN(cell, return_sequences=True)
            rows = [
                log_norms(alone, xs, np.ones(STEPS, bool), torch.zeros(2 * UNITS, dtype=below.dtype)) for xs in below
            ]
            found = means(report, f"stack.{place}")
            assert found == pytest.approx(np.mean(rows, axis=0), rel=0, abs=1e-9)
            below = alone(below)


class Own(keras.Model):
    """A subclassed model, which calls one of its layers twice."""

    def __init__(self, fails: bool = False) -> None:
        super().__init__(name="own")
        self.norm = layers.BatchNormalization()
        self.rnn = layers.LSTM(UNITS, return_sequences=True, stateful=True, dropout=0.5, seed=3, name="rnn")
        self.twice = layers.SimpleRNN(UNITS, return_sequences=True, name="twice")
        self.fails = fails

    def call(self, xs, training=None):
        ys = self.twice(self.twice(self.rnn(self.norm(xs, training=training))))
        if self.fails:
            torch.rand(3)
            raise RuntimeError("the user's own")
        return layers.Dropout(0.5)(ys, training=True)


def own(**kind: bool):
    model, xs = Own(), np.random.default_rng(0).standard_normal((2, STEPS, WIDTH))
    model(xs)
    model.fails = kind.get("fails", False)
    return scaled(model), xs


def test_subclassed_and_nested_models_are_named_by_path_and_call(double) -> None:
    model, xs = own()
    assert [each.label for each in vanishgrad.analyze(model, input=xs).result.models] == ["rnn", "twice", "twice#2"]
    inner = keras.Sequential([keras.Input((STEPS, WIDTH)), layers.GRU(UNITS, name="gru")], name="inner")
    outer = keras.Sequential([keras.Input((STEPS, WIDTH)), inner])
    assert [each.label for each in vanishgrad.analyze(outer, input=xs).result.models] == ["inner.gru"]


def test_within_time_distributed_the_sequences_are_one_batch(double) -> None:
    model = scaled(
        keras.Sequential([keras.Input((5, STEPS, WIDTH)), layers.TimeDistributed(layers.GRU(UNITS), name="td")])
    )
    xs = np.random.default_rng(0).standard_normal((2, 5, STEPS, WIDTH))
    (found,) = vanishgrad.analyze(model, input=xs).result.models
    (expected,) = vanishgrad.analyze(model.layers[0].layer, input=xs.reshape(10, STEPS, WIDTH)).result.models
    assert found.label == "td" and found.trials == 10
    assert found.curves["state"].log_norm.mean == pytest.approx(expected.curves["state"].log_norm.mean, rel=1e-12)


@pytest.mark.parametrize("fails", [False, True])
def test_the_model_and_the_generators_are_left_as_they_were(double, fails: bool) -> None:
    model, xs = own(fails=fails)
    variables = [*model.variables, *model.rnn.states]
    before = [np.array(keras.ops.convert_to_numpy(each)) for each in variables]
    assert before[-1].any()
    keys, generator = [sorted(layer.__dict__) for layer in model._flatten_layers()], torch.get_rng_state()
    if fails:
        with pytest.raises(RuntimeError, match="the user's own"):
            vanishgrad.analyze(model, input=xs)
    else:
        vanishgrad.analyze(model, input=xs)
    for variable, value in zip(variables, before, strict=True):
        assert np.array_equal(keras.ops.convert_to_numpy(variable), value)
    assert [sorted(layer.__dict__) for layer in model._flatten_layers()] == keys
    assert torch.equal(torch.get_rng_state(), generator)


def test_a_stateful_layer_starts_where_it_stands_and_a_file_says_the_same(double, tmp_path: Path) -> None:
    model, xs = own()
    state = np.concatenate([keras.ops.convert_to_numpy(each) for each in model.rnn.states], axis=-1)
    run = vanishgrad.capture(model, xs, tmp_path / "run.npz")
    assert run.calls["rnn"].starts[0] == pytest.approx(state)
    live, file = (vanishgrad.analyze(each, **option).document["models"]
                  for each, option in ((model, {"input": xs}), (tmp_path / "run.npz", {})))  # fmt: skip
    assert [{**each, "source": {**each["source"], "path": ""}} for each in live] == [
        {**each, "source": {**each["source"], "path": ""}} for each in file
    ]


def test_gaps_of_a_mask_stand_in_the_file(double, tmp_path: Path) -> None:
    model = on_ids(layers.Bidirectional(layers.GRU(UNITS), name="both"), mask_zero=True)
    vanishgrad.capture(model, IDS, tmp_path / "run.npz")
    live, file = vanishgrad.analyze(model, input=IDS), vanishgrad.analyze(tmp_path / "run.npz")
    for label in ("both", "both.reverse"):
        assert list(means(live, label)) == list(means(file, label))
    assert "masked: 1 of 16 steps" in " ".join(str(file).split())


def test_check_explain_and_certify_are_along_the_batch(double, tmp_path: Path) -> None:
    model = on_ids(layers.SimpleRNN(UNITS, name="rnn"))
    judged = vanishgrad.check(model, 3, input=IDS)
    assert judged.layers[0].label == "rnn" and judged.layers[0].caution is None
    assert vanishgrad.explain(model, input=IDS, only=("map",)).document["models"][0]["map"]
    found = vanishgrad.certify(model, tmp_path / "cert.json", claim="lower", input=IDS)
    layer = model.layers[-1]
    with torch.no_grad():
        xs = model.layers[0](IDS[:1])[0]
    (*_, last) = log_norms(layer, xs, np.ones(STEPS, bool), torch.zeros(UNITS, dtype=xs.dtype))
    assert np.exp(last) * (1 - 1e-6) <= found.outcome.certificate.claim["value"] <= np.exp(last) * (1 + 1e-9)


class OwnCall(keras.layers.LSTM):
    """A layer with a call of its own."""

    def call(self, sequences, initial_state=None, mask=None, training=False):
        return super().call(sequences, initial_state, mask, training)


class InTraining(keras.Model):
    """Runs its layer with dropout whatever it is called with."""

    def __init__(self) -> None:
        super().__init__(name="training")
        self.rnn = layers.GRU(UNITS, recurrent_dropout=0.5, name="rnn")

    def call(self, xs):
        return self.rnn(xs, training=True)


def in_training() -> InTraining:
    model = InTraining()
    model.rnn.build((1, STEPS, WIDTH))
    model.built = True
    return model


XS = np.zeros((1, STEPS, WIDTH))


@pytest.mark.parametrize(
    ("make", "batch", "message"),
    [
        (lambda: on_ids(layers.Flatten()), IDS, "expected an LSTM, GRU, SimpleRNN or RNN layer of Keras, got Embedding"),
        (lambda: on_ids(OwnCall(2, name="r")), IDS, "expected Keras's own call at r, got that of OwnCall"),
        (lambda: on_ids(layers.RNN([layers.GRUCell(2), layers.LSTMCell(3)], name="r")), IDS, "gru of 2, lstm of 3"),
        (lambda: keras.Sequential([layers.LSTM(2)], name="new"), XS, "has been built, got new"),
        (lambda: keras.Sequential([keras.Input((2, 4, 3)), layers.ConvLSTM1D(2, 2, name="r")]), XS, "got .*ConvLSTM"),
        (lambda: on_ids(layers.GRU(2, name="r"), mask_zero=True), 0 * IDS, "steps? .*of r, got none in sequence 0"),
        (in_training, XS, "expected rnn without dropout"),
        (lambda: on_ids(layers.GRU(2), layers.Dense(2, activation="tanh")), None, "expected a batch to call"),
        (lambda: on_ids(layers.LSTM(2, activation="gelu")), IDS, "expected an activation among"),
    ],
)  # fmt: skip
def test_what_cannot_be_captured_is_refused_by_name(double, make, batch, message: str) -> None:
    with pytest.raises((VanishgradError, UsageError), match=message):
        vanishgrad.analyze(make(), input=batch)
