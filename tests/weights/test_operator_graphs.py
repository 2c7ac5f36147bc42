"""Layers of TensorFlow Lite and OpenVINO: what drives what, and what is refused by its name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from vanishgrad.certificates.subject import subject
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.recognition import recurrent_layers

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.mark.parametrize(
    ("file", "driven_by"),
    [
        (
            "keras.tflite",
            {"lstm": (), "lstm_1.reverse": ("lstm",), "lstm_2": ("lstm",), "lstm_3": ("lstm_2", "lstm_1.reverse")},
        ),
        (
            "openvino",
            {"lstm": (), "lstm.reverse": (), "net.high.reverse": ("lstm", "lstm.reverse"), "net.inner": (), "rnn": ()},
        ),
    ],
)
def test_the_graph_says_what_drives_each_layer(file: str, driven_by: dict[str, tuple[str, ...]]) -> None:
    assert {layer.name: layer.driven_by for layer in recurrent_layers(FIXTURES / file)} == driven_by


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("loop.tflite", "got a WHILE, as the converter writes every GRU"),
        ("quantised.tflite", "int8.*quantised when the model was converted"),
        ("layer_norm.tflite", "layer norms of each gate"),
        ("openvino_integers", "a layer Multiply that makes them, as of compressed integers"),
    ],
)
def test_what_is_no_cell_of_ours_is_refused_by_its_name(file: str, words: str) -> None:
    with pytest.raises(VanishgradError, match=words):
        recurrent_layers(FIXTURES / file)


def test_a_clip_that_a_file_states_is_said_and_kept() -> None:
    layer = recurrent_layers(FIXTURES / "operators.tflite")["lstm_3"]
    assert (layer.variant, layer.clip) == ("clipped", 0.125)
    assert "clipped at ±0.125" in layer.why
    with pytest.raises(VanishgradError, match="norms and a clip"):
        subject(layer.build())


def test_the_numbers_alone_find_the_model_that_they_are_of() -> None:
    assert recurrent_layers(FIXTURES / "openvino/model.bin").format == "openvino"


def openvino(folder: Path, old: str, new: str) -> Path:
    shutil.copytree(FIXTURES / "openvino", folder, dirs_exist_ok=True)
    text = (folder / "model.xml").read_text()
    assert old in text
    (folder / "model.xml").write_text(text.replace(old, new))
    return folder


def sentences(path: Path) -> tuple[str, ...]:
    """Return why layers of a file, or the file, cannot be read."""
    try:
        return recurrent_layers(path).refused
    except VanishgradError as error:
        return (str(error),)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('hidden_size="4"', 'hidden_size="5"', "the file contradicts itself"),
        ('activations="relu"', 'activations="elu"', "got elu"),
        ('clip="0" />', 'clip="0" zoneout="0.1" />', "got zoneout"),
        ('version="11"', 'version="7"', "version 7 where 10 and 11 are read"),
        ('<?xml version="1.0"?>', '<?xml version="1.0"?><!DOCTYPE net [<!ENTITY a "b">]>', "expected"),
        ("</net>", "", "expected a whole OpenVINO model"),
        ('type="LSTMSequence"', 'type="TensorIterator"', "got TensorIterator"),
        ('offset="0"', 'offset="99999"', "to fit its shape"),
        ('type="GRUSequence"', 'type="AUGRUSequence"', "a GRU with attention"),
    ],
)
def test_a_model_that_says_something_else_is_not_read_as_before(old: str, new: str, words: str, tmp_path: Path) -> None:
    assert words in " ".join(sentences(openvino(tmp_path, old, new)))


def test_a_declaration_of_entities_is_refused(tmp_path: Path) -> None:
    folder = openvino(tmp_path, '<net name="openvino"', '<!DOCTYPE net [<!ENTITY a "b">]><net name="openvino"')
    with pytest.raises(VanishgradError):
        recurrent_layers(folder / "model.xml")


def test_the_numbers_beside_a_model_are_asked_for_by_name(tmp_path: Path) -> None:
    shutil.copy(FIXTURES / "openvino/model.xml", tmp_path)
    with pytest.raises(VanishgradError, match=r"the numbers of the constants in model\.bin"):
        recurrent_layers(tmp_path / "model.xml")
