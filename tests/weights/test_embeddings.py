"""--embedding takes the tensor's name, the user's name of a Keras layer, or a unique run of parts of either."""

from __future__ import annotations

import numpy as np
import pytest

from vanishgrad.errors import VanishgradError
from vanishgrad.weights.layers import LayerFile
from vanishgrad.weights.layouts.keras_model import embeddings
from vanishgrad.weights.tensors import stored_array


def layer(kind: str, name: str, **config: object) -> dict:
    return {"class_name": kind, "config": {"name": name, **config}}


MODEL = {
    "class_name": "Functional",
    "config": {
        "layers": [
            layer("Embedding", "embedding_1"),
            layer("Embedding", "tags"),
            layer("Functional", "encoder", layers=[layer("Embedding", "chars"), layer("LSTM", "lstm")]),
        ]
    },
}
NAMES = {
    "embedding_1": "layers/embedding", "tags": "layers/embedding_1",
    "encoder.chars": "layers/functional/layers/embedding",
}  # fmt: skip
"""Keras 3 stores by class: the user's `embedding_1` is the first of its class, whose group has no number."""


def test_the_users_names_are_those_of_the_configuration() -> None:
    assert dict(embeddings(MODEL)) == NAMES


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("embedding_1", "layers/embedding"), ("tags", "layers/embedding_1"),
        ("chars", "layers/functional/layers/embedding"), ("encoder.chars", "layers/functional/layers/embedding"),
        ("layers/embedding_1/vars/0", "layers/embedding_1"), ("layers/functional", "layers/functional/layers/embedding"),
    ],
)  # fmt: skip
def test_a_layers_name_chooses_its_matrix(name: str, group: str) -> None:
    tensors = {
        f"{each}/vars/0": stored_array(f"{each}/vars/0", np.full((5, 2), k)) for k, each in enumerate(NAMES.values())
    }
    tensors = {each: stored_array(each, tensor.read().astype(float)) for each, tensor in tensors.items()}
    named = {each: f"{own}/vars/0" for each, own in NAMES.items()}
    file = LayerFile("model.keras", "keras", (), tensors=tensors, embeddings=named)
    assert (file.embedding(name) == list(NAMES.values()).index(group)).all()
    with pytest.raises(VanishgradError, match=r"got vars \(no such tensor\); try"):
        file.embedding("vars")
