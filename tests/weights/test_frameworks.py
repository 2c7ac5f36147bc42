"""Files of other frameworks beside their own outputs: each is read as what it is, or refused by its true name.

The files are no part of the project; they lie beside it, in ../shared/frameworks, or not at all.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from tests.weights.test_norms import trajectory
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.recognition import recurrent_layers

ABOVE = Path(__file__).parents[3:5]
FOLDER = next((each / "shared" / "frameworks" for each in ABOVE if (each / "shared").is_dir()), ABOVE[0] / "absent")
FLOAT32 = 1e-6
"""The frameworks put out float32: a few roundoffs of 6e-8 in seven steps."""
HALF = 2e-4
"""Where the weights were rounded to float16 after the reference was taken: a weight of 1/2 by up to 1.2e-4."""
ROUNDED = ("k2_lstm_f16_b1.tflite", "openvino_lstm.xml")

READ: dict[str, dict[str, str]] = {
    "attention.pt": {},
    "chainer_nsteplstm.npz": {},
    "chainer_statelesslstm.npz": {},
    "cs231n_lstm.npz": {},
    "eqx_lstm.eqx": {"cell": "lstm"},
    "flax_mgu.msgpack": {},
    "flax_mgu_noreset.msgpack": {},
    "haiku_gru.npz": {},
    "haiku_gru.pkl": {},
    "haiku_lstm.msgpack": {},
    "haiku_lstm.npz": {},
    "haiku_lstm.pkl": {},
    "haiku_rnn.npz": {},
    "hand_lstm.pt": {},
    "k2_lstm_f16_b1.tflite": {},
    "k2_lstm_float_b1.tflite": {},
    "k3_lstm.savedmodel": {},
    "k3_lstm.tfckpt": {},
    "k3_stackedcells.keras": {},
    "layernorm_lstm.pt": {},
    "keras1_lstm.h5": {},
    "keras1_lstm_gpu_model.h5": {},
    "keras1_lstm_model.h5": {},
    "mlx_gru.safetensors": {},
    "ms_lstm.ckpt": {},
    "mxnet_lstm.params": {},
    "openvino_lstm.xml": {},
    "orbax_lstm": {},
    "paddle_lstm.pdparams": {},
    "paddle_lstm_jit.json": {},
    "paddle_lstm_jit.pdiparams": {},
    "sonnet_lstm": {},
    "sonnet_lstm.npz": {},
    "tf1_basiclstm.ckpt": {},
    "tf1_basiclstm.npz": {},
    "tf1_lstm.ckpt": {},
    "tf1_lstm.npz": {},
    "tf1_peephole.ckpt": {},
    "tf1_peephole.npz": {},
    "tfjs_lstm": {},
    "torch_ao.pt": {},
    "torch_dcp": {},
    "torch_dcp/__0_0.distcp": {},
    "torch_ex_lstm.pt2": {},
}
"""What must be read → the hints that it needs."""
REFUSED: dict[str, str] = {
    "coreml_lstm.mlpackage": "a Core ML package",
    "coreml_lstm.mlmodel": "a Core ML model",
    "eqx_lstm.eqx": "--cell lstm",
    "flax_convlstm.npz": "a convolutional one",
    "tensorflow_hard.onnx": "a Loop",
}
"""What must be refused → the words that name it."""
STACKED = ("k3_stackedcells.keras",)
"""Stacks whose reference is the output of the topmost layer alone."""
EVERY = sorted(
    each.name
    for each in (FOLDER.iterdir() if FOLDER.is_dir() else ())
    if not each.name.endswith((".ref.npz", "README.md", ".bin")) and ".data-0" not in each.name
)
"""All but references and the second halves of what is named by its first."""
pytestmark = pytest.mark.skipif(not EVERY, reason="../shared/frameworks is not beside the project")


def reference(name: str) -> dict[str, np.ndarray]:
    """Return inputs and states of a file by layer: ``x`` and ``h``, or ``layer:x`` and ``layer:h``."""
    if (FOLDER / name / "ref.json").exists():
        told = json.loads((FOLDER / name / "ref.json").read_text())
        return {key: np.squeeze(told[key]) for key in ("x", "h")}
    stems = [each.name.removesuffix(".ref.npz") for each in FOLDER.glob("*.ref.npz")]
    fitting = [stem for stem in stems if name.startswith(stem)]
    return dict(np.load(FOLDER / f"{max(fitting, key=len)}.ref.npz")) if fitting else {}


def require_right(name: str, **hints: str) -> None:
    """Compare the states of every layer for which there is a reference."""
    found = recurrent_layers(FOLDER / name, **hints)
    told = reference(name)
    if name in STACKED:
        states = np.float64(told["x"])
        for layer in found:
            states = trajectory(layer.build(), states).states[1:, 0, : layer.output_size]
        np.testing.assert_allclose(states, told["h"], rtol=0, atol=FLOAT32)
        return
    for layer in found:
        x, h = (told.get(f"{layer.name}:{key}", told.get(key)) for key in "xh")
        if x is None or h is None:
            continue
        cell = layer.build()
        states = trajectory(cell, np.float64(x)).states[1:, 0, : h.shape[1]]
        np.testing.assert_allclose(states, h, rtol=0, atol=HALF if name in ROUNDED else FLOAT32, err_msg=layer.name)


@pytest.mark.parametrize("name", READ)
def test_states_equal_the_frameworks_own(name: str) -> None:
    require_right(name, **READ[name])


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(VanishgradError, match=REFUSED[name]):
        recurrent_layers(FOLDER / name)


@pytest.mark.parametrize("name", EVERY)
def test_no_file_is_misread(name: str) -> None:
    with suppress(VanishgradError):
        require_right(name)
