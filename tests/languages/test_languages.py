"""Messages in the language spoken: values, numbers, sentences of reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from vanishgrad.languages import in_language, language, translate, translate_count, translated
from vanishgrad.weights.recognition import recurrent_layers

FIXTURES = Path(__file__).parent.parent / "weights" / "fixtures"
FILES = (
    "modules.pt",
    "orthogonal_rnn_cayley.pt",
    "cudnn.hdf5",
    "keras1.h5",
    "haiku.npz",
    "linen.npz",
    "chainer.npz",
    "lstm_clip.onnx",
    "keras.tflite",
)


def test_english_is_what_is_written():
    assert language() == "en"
    assert translate("{low} to {high}", low=1, high=2) == "1 to 2"
    assert translated("vanishing") == "vanishing"


def test_a_message_has_its_values_in_every_language():
    with in_language("zh"):
        assert translate("{low} to {high}", low=1, high=2) == "1 至 2"
        assert translate_count("{count} trial", "{count} trials", 8) == "8 次试验"
        assert translated("vanishing") == "消失"
    assert language() == "en"


def test_what_is_no_message_stays_as_it_is():
    with in_language("zh"):
        assert translate("") == translated("") == ""
        assert translated("encoder.1: anything {else}") == "encoder.1: anything {else}"


def test_another_language_is_refused():
    with pytest.raises(ValueError, match="expected one of en, zh, got 'fr'"), in_language("fr"):
        pass


@pytest.mark.parametrize("name", FILES)
def test_why_a_layer_is_recognised_and_what_is_assumed_are_told_in_chinese(name):
    for layer in recurrent_layers(FIXTURES / name).layers:
        with in_language("zh"):
            assert [text for text in (layer.why, *layer.assumptions) if translated(text) == text] == []
