"""Layers with identical numbers are said once, and either name names them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vanishgrad
from vanishgrad.models.file_layers import LayerRuns
from vanishgrad.models.options import ModelOptions
from vanishgrad.weights.layers import LayerFile
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


def driven(path: str, below: dict[str, tuple[str, ...] | None], order: list[str]) -> LayerFile:
    """Return a file's layers in some order, driven as a layout that knows its model's wiring would say."""
    file = recurrent_layers(path)
    by_name = {layer.name: layer for layer in file.layers}
    return replace(file, layers=tuple(replace(by_name[name], driven_by=below[name]) for name in order))


@pytest.mark.parametrize("order", [["a.0", "b.0", "c.0"], ["c.0", "b.0", "a.0"], ["c.0", "a.0", "b.0"]])
def test_a_layer_behind_a_twin_is_driven_by_the_row_that_exists(tmp_path: Path, order: list[str]) -> None:
    """c is driven by b, the twin of a, wherever the three stand in the file; its numbers are those behind a."""
    path = saved(tmp_path, module("a", 0), renamed(module("a", 0), "a.", "b."), module("c", 1))
    file = driven(path, {"a.0": (), "b.0": (), "c.0": ("b.0",)}, order)
    rows = {layer.name: layer for layer in file.select()}
    (below,) = rows["c.0"].driven_by
    assert below in rows and {below, *rows[below].twins} == {"a.0", "b.0"}
    (one,) = LayerRuns(file, ModelOptions(layer=("c.0",), steps=5)).prepared_subjects()
    plain = driven(path, {"a.0": (), "b.0": (), "c.0": ("a.0",)}, ["a.0", "b.0", "c.0"])
    (other,) = LayerRuns(plain, ModelOptions(layer=("c.0",), steps=5)).prepared_subjects()
    np.testing.assert_array_equal(one.sequences.xs, other.sequences.xs)


@pytest.mark.parametrize("reverse", [False, True])
def test_layers_behind_twins_are_twins_in_turn(tmp_path: Path, reverse: bool) -> None:
    """Two copies of a tower of three, whose layers are named one by one: three rows, each driven by the one below."""
    floors = [module(name, seed) for seed, name in enumerate("abc")]
    copies = [renamed(module(name, seed), f"{name}.", f"{name}2.") for seed, name in enumerate("abc")]
    path = saved(tmp_path, *floors, *copies)
    below = {"a.0": (), "b.0": ("a.0",), "c.0": ("b.0",), "a2.0": (), "b2.0": ("a2.0",), "c2.0": ("b2.0",)}
    order = sorted(below, reverse=reverse)
    rows = driven(path, below, order).select()
    assert len(rows) == 3
    names = {layer.name for layer in rows}
    assert all(set(layer.driven_by) <= names and len(layer.twins) == 1 for layer in rows)


def test_twins_that_drive_each_other_end(tmp_path: Path) -> None:
    path = saved(tmp_path, module("a", 0), renamed(module("a", 0), "a.", "b."))
    rows = driven(path, {"a.0": ("b.0",), "b.0": ("a.0",)}, ["a.0", "b.0"]).select()
    assert {name for layer in rows for name in layer.driven_by} <= {layer.name for layer in rows}
