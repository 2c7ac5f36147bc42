"""Layers with identical numbers are said once, and either name names them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import vanishgrad
from vanishgrad.weights.recognition import recurrent_layers

N = 3


def module(prefix: str, seed: int, layers: int = 1, width: int = N) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    shapes = {"weight_ih": (4 * N, width), "weight_hh": (4 * N, N), "bias_ih": (4 * N,), "bias_hh": (4 * N,)}
    return {
        f"{prefix}.{name}_l{k}": rng.standard_normal(shape) for k in range(layers) for name, shape in shapes.items()
    }


def renamed(tensors: dict[str, np.ndarray], old: str, new: str) -> dict[str, np.ndarray]:
    return {name.replace(old, new): values for name, values in tensors.items()}


def saved(folder: Path, *modules: dict[str, np.ndarray]) -> str:
    path = folder / "weights.npz"
    np.savez(path, **{name: values for each in modules for name, values in each.items()})
    return str(path)


@pytest.mark.parametrize("name", ["a", "a.0", "b", "b.0"])
def test_either_name_chooses_them(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path, module("a", 0), renamed(module("a", 0), "a.", "b."), module("c", 1))
    assert [layer.name for layer in recurrent_layers(path).select([name])] == ["a.0"]
    report = json.loads(vanishgrad.analyze(path, steps=5, layer=name).to_json())
    assert [model["label"] for model in report["models"]] == ["a.0 (= b.0)"]


def test_modules_of_two_layers_are_one_module(tmp_path: Path) -> None:
    path = saved(tmp_path, module("a", 0, 2), renamed(module("a", 0, 2), "a.", "b."))
    assert [(layer.label, layer.driven_by) for layer in recurrent_layers(path).select()] == [
        ("a.0 (= b.0)", None), ("a.1 (= b.1)", ("a.0",)),
    ]  # fmt: skip


def test_tied_layers_of_one_stack_stay_two(tmp_path: Path) -> None:
    tied = module("a", 0) | renamed(module("a", 0), "_l0", "_l1")
    assert [layer.label for layer in recurrent_layers(saved(tmp_path, tied)).select()] == ["a.0", "a.1"]


def test_tied_directions_stay_two(tmp_path: Path) -> None:
    tied = module("a", 0) | {f"{name}_reverse": values for name, values in module("a", 0).items()}
    assert [layer.label for layer in recurrent_layers(saved(tmp_path, tied)).select()] == ["a.0", "a.0.reverse"]


def test_one_number_tells_layers_apart(tmp_path: Path) -> None:
    other = renamed(module("a", 0), "a.", "b.")
    other["b.weight_hh_l0"][-1, -1] += 1e-15
    assert len(recurrent_layers(saved(tmp_path, module("a", 0), other)).select()) == 2


def test_a_layer_that_cannot_be_read_does_not_hide_its_twin(tmp_path: Path) -> None:
    other = renamed(module("a", 0), "a.", "b.")
    other["b.weight_hh_l0"][0, 0] = np.nan
    assert [layer.name for layer in recurrent_layers(saved(tmp_path, module("a", 0), other)).select(["a"])] == ["a.0"]


def test_the_digest_is_of_the_numbers_and_of_no_name(tmp_path: Path) -> None:
    one, two = (recurrent_layers(saved(tmp_path, module(name, 0))).layers[0].sha256 for name in ("rnn", "net.lstm"))
    assert one == two != recurrent_layers(saved(tmp_path, module("rnn", 1))).layers[0].sha256
