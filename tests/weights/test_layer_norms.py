"""Layer norms in an LSTM's module: read where names and configuration make them certain, else refused as norms."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vanishgrad.cells.layer_norm_lstm import LayerNormLSTM
from vanishgrad.certificates.subject import subject
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats import open_tensors
from vanishgrad.weights.hints import Hints
from vanishgrad.weights.laws import draw
from vanishgrad.weights.model_string import parse
from vanishgrad.weights.recognition import layers_of, recurrent_layers
from vanishgrad.weights.save_npz import npz

FIXTURES = Path(__file__).parent / "fixtures"
N, D = 4, 3


def module(rows: int = 4 * N, *without: str) -> dict[str, np.ndarray]:
    norms = {f"layernorm_{place}.{leaf}": np.ones(rows if place != "c" else N)
             for place in "ihc" for leaf in ("weight", "bias")}  # fmt: skip
    cell = {"weight_ih": np.ones((rows, D)), "weight_hh": np.ones((rows, N)), **norms}
    return {f"cell.{name}": value for name, value in cell.items() if name not in without}


def test_the_fast_rnn_examples_names_say_its_norms_and_a_note_says_the_epsilon() -> None:
    (layer,) = recurrent_layers(module())
    assert (layer.variant, layer.epsilon) == ("layer-normalised", 1e-5)
    assert "1e-05 is taken" in layer.assumptions[0]
    assert type(layer.build()) is LayerNormLSTM


@pytest.mark.parametrize("name", ["bias_ih", "layernorm_z.weight", "ln_c.weight"])
def test_anything_more_beside_them_is_refused(name: str) -> None:
    with pytest.raises(VanishgradError, match="left over, which look like"):
        recurrent_layers(module() | {f"cell.{name}": np.ones(4 * N)})


@pytest.mark.parametrize("name", ["layernorm_c.weight", "layernorm_h.bias"])
def test_fewer_norms_are_another_cell(name: str) -> None:
    with pytest.raises(VanishgradError, match="left over, which look like norms"):
        recurrent_layers(module(4 * N, name))


@pytest.mark.parametrize("gates", [1, 3])
def test_the_same_names_in_another_cell_tell_no_convention(gates: int) -> None:
    with pytest.raises(VanishgradError, match="expected these layer norms in an LSTM"):
        recurrent_layers(module(gates * N))


def test_a_norm_of_another_size_is_refused() -> None:
    with pytest.raises(VanishgradError, match=r"layernorm_c\.bias to be 4 beside"):
        recurrent_layers(module() | {"cell.layernorm_c.bias": np.ones(N + 1)})


def test_a_class_of_ones_own_with_the_same_names_is_not_taken_for_addons() -> None:
    pytest.importorskip("h5py")
    file = open_tensors(FIXTURES / "addons.keras")
    assert layers_of(file, Hints()).layers[0].epsilon == 1e-3
    text = json.dumps(file.configuration["keras"]).replace("LayerNormLSTMCell", "MyLSTMCell")
    own = replace(file, configuration=file.configuration | {"keras": json.loads(text)})
    with pytest.raises(VanishgradError, match="left over, which look like norms"):
        layers_of(own, Hints())


def test_saved_weights_make_the_cell_that_was_drawn(tmp_path: Path) -> None:
    spec = parse("lstm:norm=layer,forget_bias=1").resolved(N, 9)
    weights = draw(spec, D, 9, 1, 0)
    (tmp_path / "drawn.npz").write_bytes(npz(weights, spec, 0, 0))
    drawn, (layer,) = weights.cell(spec), recurrent_layers(tmp_path / "drawn.npz")
    read = layer.build()
    assert type(read) is type(drawn) is LayerNormLSTM
    for name in drawn.tensors:
        np.testing.assert_array_equal(getattr(read, name), getattr(drawn, name))
    partial = {name: each for name, each in np.load(tmp_path / "drawn.npz").items() if "layernorm_c" not in name}
    np.savez(tmp_path / "drawn.npz", **partial)
    with pytest.raises(VanishgradError, match="expected the layer norms that the file was saved with"):
        recurrent_layers(tmp_path / "drawn.npz")


def test_nothing_is_proved_of_a_cell_with_norms() -> None:
    with pytest.raises(VanishgradError, match=r"got a variant of it.*without projection, peepholes, norms and a clip"):
        subject(recurrent_layers(module())["cell"].build())
