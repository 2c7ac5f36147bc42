"""Trained models that people use; they are no part of the project, and lie beside it or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vanishgrad.propagation.lyapunov import lyapunov_spectrum
from vanishgrad.weights.formats import open_tensors
from vanishgrad.weights.layers import LayerFile
from vanishgrad.weights.recognition import recurrent_layers

MODELS = Path(__file__).parents[3] / "shared" / "weights"


def layers(file: str) -> LayerFile:
    if not (MODELS / file).exists():
        pytest.skip(f"the trained model {file} is not in ../shared/weights")
    return recurrent_layers(MODELS / file)


def test_the_grapheme_to_phoneme_model() -> None:
    found = layers("g2p_gru.npz")
    assert [(each.name, each.cell, each.hidden_size, each.reading.reset) for each in found] == [
        ("enc", "gru", 256, "after"),
        ("dec", "gru", 256, "after"),
    ]
    assert found.embedding("enc_emb").shape == (29, 256)
    assert all("--gates" in each.assumptions[0] for each in found)


def test_the_speech_detector() -> None:
    (layer,) = layers("silero_vad_16k.safetensors")
    assert (layer.name, layer.cell, layer.hidden_size, layer.input_size) == ("lstm_cell", "lstm", 128, 128)
    assert layer.build().state_size == 256


def test_the_speech_detector_as_a_graph_has_the_numbers_that_its_initial_values_hold() -> None:
    """Its LSTM nodes read Slice, Concat and Unsqueeze of matrices that are in PyTorch's gate order."""
    (layer,) = layers("silero_vad_16k_op15.onnx")
    tensors = open_tensors(MODELS / "silero_vad_16k_op15.onnx").tensors
    stored = {
        name: tensors[f"model.decoder.rnn.{name}"].read() for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }
    (plain,) = recurrent_layers(stored)
    cell, expected = layer.build(), plain.build()
    np.testing.assert_array_equal(cell.W_hh, expected.W_hh)
    np.testing.assert_array_equal(cell.W_hx, expected.W_hx)
    np.testing.assert_array_equal(cell.b, expected.b)


def test_the_character_model() -> None:
    pytest.importorskip("h5py")
    found = layers("textgenrnn_lstm.hdf5")
    assert [(each.name, each.cell, each.hidden_size, each.input_size, each.driven_by) for each in found] == [
        ("rnn_1", "lstm", 128, 100, None),
        ("rnn_2", "lstm", 128, 128, None),
    ]
    assert all("CuDNN" in each.why for each in found)
    b = found["rnn_1"].build().b[0].reshape(4, 128).mean(axis=1)
    assert np.argmax(b) == 1  # forget gates start at bias 1 and stay there: the order of the doubled bias is right


@pytest.mark.slow
@pytest.mark.parametrize(("token", "exponent", "accuracy"), [(None, 0.056, 0.012), (140, 0.207, 0.03)])
def test_the_character_models_first_layer_expands_in_the_long_run(token, exponent, accuracy) -> None:
    """λ₁ on random ids, and on one id for ever; both from 20 000 steps, to four standard errors of these 5600."""
    pytest.importorskip("h5py")
    file, rng = layers("textgenrnn_lstm.hdf5"), np.random.default_rng(0)
    cell, rows = file["rnn_1"].build(), file.embedding("embedding")
    ids = rng.integers(0, len(rows), (8, 900)) if token is None else np.full((8, 900), token)
    spectrum = lyapunov_spectrum(cell, [rows[ids]], 0.5 * rng.standard_normal((8, cell.state_size)), 700, 200, 1)
    assert spectrum.lam.mean() == pytest.approx(exponent, abs=accuracy)
