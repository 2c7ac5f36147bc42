"""Files beside those that were met: more in a module, less in a file, other spellings, and what each is taken for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from vanishgrad.cells import LSTM
from vanishgrad.cells.activations import TANH
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats import open_tensors
from vanishgrad.weights.hints import Hints
from vanishgrad.weights.recognition import layers_of, recurrent_layers

FIXTURES = Path(__file__).parent / "fixtures"
N, D = 4, 3
RANDOM = np.random.default_rng(17)
Arrays = dict[str, np.ndarray]


def arrays(prefix: str = "", **shapes: tuple[int, ...]) -> Arrays:
    return {prefix + name: RANDOM.normal(size=shape) for name, shape in shapes.items()}


def pytorch(prefix: str = "rnn.", *without: str) -> Arrays:
    matrices = arrays(prefix, weight_ih_l0=(4 * N, D), weight_hh_l0=(4 * N, N))
    whole = matrices | arrays(prefix, bias_ih_l0=(4 * N,), bias_hh_l0=(4 * N,))
    return {name: value for name, value in whole.items() if name.removeprefix(prefix) not in without}


@pytest.mark.parametrize("inner", ["lora_A.weight_hh_l0", "weight_hh_l0_lora_A", "lora_A.default.weight_hh_l0"])
def test_low_rank_deltas_are_not_left_out(inner: str) -> None:
    deltas = {f"rnn.{inner}": RANDOM.normal(size=(2, N)), f"rnn.{inner.replace('_A', '_B')}": np.ones((4 * N, 2))}
    with pytest.raises(VanishgradError, match=r"layer rnn\.0.*low-rank deltas"):
        recurrent_layers(pytorch() | deltas)


@pytest.mark.parametrize("bias", ["bias_ih_l0", "bias_hh_l0"])
def test_a_bias_that_pytorch_always_saves_is_missed(bias: str) -> None:
    (layer,) = recurrent_layers(pytorch("rnn.", bias))
    assert layer.assumptions == (f"rnn.{bias} is not in the file and taken to be 0; try the whole checkpoint",)
    assert not recurrent_layers(pytorch("rnn.", "bias_ih_l0", "bias_hh_l0")).layers[0].assumptions


def test_biases_of_the_backward_direction_are_missed_where_the_forward_one_has_them() -> None:
    backward = {f"{name}_reverse": value for name, value in pytorch("rnn.", "bias_ih_l0", "bias_hh_l0").items()}
    layer = recurrent_layers(pytorch() | backward)["rnn.0.reverse"]
    assert [note.split()[0] for note in layer.assumptions] == ["rnn.bias_ih_l0_reverse", "rnn.bias_hh_l0_reverse"]


def test_the_layer_below_is_missed() -> None:
    (layer,) = recurrent_layers({name.replace("_l0", "_l1"): value for name, value in pytorch().items()})
    assert "layer 0, which drives this one, is not in the file" in layer.assumptions[0]


@pytest.mark.parametrize("wrapper", ["_fsdp_wrapped_module.", "module._orig_mod.", "_orig_mod.module."])
def test_what_wrapped_a_model_is_no_part_of_a_layers_name(wrapper: str) -> None:
    assert [layer.name for layer in recurrent_layers(pytorch(f"{wrapper}rnn."))] == ["rnn.0"]


def shards(folder: Path, places: tuple[int, ...]) -> Path:
    """Write the shards at some places of two: the matrices, then the biases."""
    whole = pytorch()
    parts = [{name: each for name, each in whole.items() if word in name} for word in ("weight", "bias")]
    for place in places:
        save_file(parts[place - 1], folder / f"model-0000{place}-of-00002.safetensors")
    return folder


def test_shards_without_an_index_are_one_checkpoint(tmp_path: Path) -> None:
    folder = shards(tmp_path, (1, 2))
    for path in (folder, folder / "model-00001-of-00002.safetensors"):
        (layer,) = recurrent_layers(path)
        assert len(layer.tensors) == 4


@pytest.mark.parametrize("places", [(1,), (2,)])
def test_a_shard_that_is_missing_is_named(places: tuple[int, ...], tmp_path: Path) -> None:
    with pytest.raises(VanishgradError, match=rf"all 2 shards.*got no model-0000{3 - places[0]}-of-00002"):
        recurrent_layers(shards(tmp_path, places))


def test_a_shard_beside_its_index_is_the_whole_checkpoint(tmp_path: Path) -> None:
    folder = shards(tmp_path, (1, 2))
    names = {name: f"model-0000{1 + ('bias' in name)}-of-00002.safetensors" for name in pytorch()}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    assert recurrent_layers(folder / "model-00002-of-00002.safetensors").path.endswith(".index.json")


@pytest.mark.parametrize(
    ("scope", "cell"),
    [("layer_norm_basic_lstm_cell", "LayerNormBasicLSTMCell, which norms each gate"), ("ugrnn_cell", "UGRNNCell")],
)
def test_other_cells_of_tensorflow_1_are_refused_by_their_names(scope: str, cell: str) -> None:
    file = arrays(f"rnn/{scope}/", kernel=(D + N, 4 * N)) | {f"rnn/{scope}/input/gamma": np.ones(N)}
    with pytest.raises(VanishgradError, match=f"got {cell}"):
        recurrent_layers(file)


def test_attention_around_a_cell_is_said_to_be_left_out() -> None:
    (layer,) = recurrent_layers(arrays("rnn/attention_wrapper/basic_lstm_cell/", kernel=(D + N, 4 * N), bias=(4 * N,)))
    assert any("attention around the cell" in note for note in layer.assumptions)


@pytest.mark.parametrize(("hh", "xh", "b"), [("Whh", "Wxh", "bh"), ("Waa", "Wax", "ba")])
def test_a_bias_stored_as_a_column_is_a_bias(hh: str, xh: str, b: str) -> None:
    """As in min-char-rnn and in courses that it inspired."""
    file = {hh: RANDOM.normal(size=(N, N)), xh: RANDOM.normal(size=(N, D)), b: RANDOM.normal(size=(N, 1))}
    (layer,) = recurrent_layers(file | arrays(Why=(2, N), by=(2, 1)))
    np.testing.assert_array_equal(layer.build().b[0], file[b][:, 0])


@pytest.mark.parametrize("name", ["i2h.weight", "rnn.forget_gate.weight", "Wf"])
def test_one_matrix_for_input_and_state_is_told(name: str) -> None:
    with pytest.raises(VanishgradError, match="one matrix for x and h joined"):
        recurrent_layers({name: np.ones((N, D + N)), "fc.weight": np.ones((2, N))})


def test_clip_bounds_gates_and_candidate_of_an_onnx_lstm_and_not_its_cell_state() -> None:
    """With c beyond the clip, onnxruntime 1.32 puts out o tanh(c), by 0.13 another h than with a clipped c."""
    cell = recurrent_layers(FIXTURES / "lstm_clip.onnx").layers[0].build()
    assert isinstance(cell, LSTM)
    assert cell.cell_activation == TANH
    assert "clipped" in cell.activation.name


def test_another_class_in_the_configuration_than_in_the_weights_is_a_contradiction() -> None:
    pytest.importorskip("h5py")
    file = open_tensors(FIXTURES / "masked.keras")
    text = json.dumps(file.configuration["keras"])
    assert '"LSTM"' in text
    other = file.configuration | {"keras": json.loads(text.replace('"LSTM"', '"GRU"'))}
    sentences = " ".join(contradictions(replace(file, configuration=other)))
    assert "the file contradicts itself" in sentences


def contradictions(file: object) -> tuple[str, ...]:
    try:
        return layers_of(file, Hints()).refused  # type: ignore[arg-type]
    except VanishgradError as error:
        return (str(error),)
