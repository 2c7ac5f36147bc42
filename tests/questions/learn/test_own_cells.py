"""Training an own cell: the same LSTM written by hand, beside the built-in one, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.questions.learn.small import learned, settings
from vanishgrad.errors import VanishgradError
from vanishgrad.propagation.passes.selection import training_pass
from vanishgrad.questions.learn.named_tasks import named_task
from vanishgrad.questions.learn.plan import Plan, start
from vanishgrad.questions.learn.run import demand_learnable, trained

N, SEEDS, GAP = 3, 2, 4
BY_HAND = """
import numpy as np, vanishgrad
{module}
def step(p, x, s):
    i, f, g, o = {split}(p["W_hh"] @ s["h"] + p["W_hx"] @ x + p["b_x"] + p["b_h"], 4)
    c = logistic(f) * s["c"] + logistic(i) * {tanh}(g)
    return {{"h": logistic(o) * {tanh}(c), "c": c}}
def LSTM(seed):
    with np.load({path!r}) as start:
        params = {{name: {array}(start[name][seed]) for name in start}}
    return vanishgrad.cell(step, {{"h": 3, "c": 3}}, params, input_size=2)
BARE = vanishgrad.cell(lambda p, x, s: {{"h": s["h"] / 2 + x}}, {{"h": 2}}, input_size=2)
WIDE = vanishgrad.cell(lambda p, x, s: {{"h": p["W"] @ x}}, {{"h": 2}}, {{"W": {array}(np.ones((2, 3)))}}, input_size=3)
BIG = vanishgrad.cell(
    lambda p, x, s: {{"h": p["W"] @ s["h"] / 99}}, {{"h": 90}}, {{"W": {array}(np.ones((90, 90)))}}, input_size=2
)
"""
MODULES = {
    "numpy": {"module": "logistic = lambda a: 1 / (1 + np.exp(-a))", "split": "np.split", "tanh": "np.tanh", "array": "np.array"},
    "torch": {"module": "import torch; logistic = torch.sigmoid", "split": "torch.chunk", "tanh": "torch.tanh", "array": "torch.tensor"},
    "one_by_one": {"module": "import torch\ndef logistic(a): return torch.sigmoid(a) if a[0] > 0 else torch.sigmoid(a)", "split": "torch.chunk", "tanh": "torch.tanh", "array": "torch.tensor"},
}  # fmt: skip
CHANGED = {"hidden": N, "seeds": SEEDS, "gaps": (GAP,), "batch": 4, "updates": 5}


def by_hand(tmp_path: Path, module: str) -> str:
    """Write the LSTM as a step with two biases, as PyTorch has them, from the weights of the built-in one."""
    if module != "numpy":
        pytest.importorskip("torch")
    cell = start("lstm", named_task("recall"), GAP, settings(**CHANGED)).cell
    np.savez(tmp_path / "start.npz", W_hh=cell.W_hh, W_hx=cell.W_hx, b_x=cell.b / 4, b_h=cell.b * 3 / 4)
    file = tmp_path / "by_hand.py"
    file.write_text(BY_HAND.format(path=str(tmp_path / "start.npz"), **MODULES[module]))
    return f"@{file}:"


every_module = pytest.mark.parametrize(
    "module", ["numpy", *(pytest.param(each, marks=pytest.mark.torch) for each in ("torch", "one_by_one"))]
)


@every_module
def test_its_gradient_is_that_of_the_same_built_in_cell(module, tmp_path):
    task, rng = named_task("recall"), np.random.default_rng(1)
    cells = [
        start(label, task, GAP, settings(**CHANGED)).cell for label in (by_hand(tmp_path, module) + "LSTM", "lstm")
    ]
    xs, cotangents, keys = rng.standard_normal((6, 5, 2)), rng.standard_normal((3, 6, N)), np.array([1, 2, 3, 4, 5, 1])
    for options in ({}, {"truncation": 2}, {"only": keys}):
        gradients = []
        for cell in cells:
            through = training_pass(cell, 5, 6)
            through.forward(cell, xs)
            gradients.append((through.hidden(3), through.backward(cotangents, **options)))
        (h, own), (expected_h, expected) = gradients
        np.testing.assert_allclose(h, expected_h, rtol=0, atol=1e-15)
        for name, same in (("W_hh", "W_hh"), ("W_hx", "W_hx"), ("b_x", "b"), ("b_h", "b")):
            np.testing.assert_allclose(own[f"params.{name}"], expected[same], rtol=0, atol=1e-13)


@every_module
def test_it_learns_as_the_built_in_cell_does(module, tmp_path):
    mine, built_in = learned(models=(by_hand(tmp_path, module) + "LSTM", "lstm"), **CHANGED).models
    assert (mine.cell, mine.state_horizon, mine.input_horizon) == (
        "own",
        built_in.state_horizon,
        built_in.input_horizon,
    )
    np.testing.assert_allclose(mine.gaps[0].loss, built_in.gaps[0].loss, rtol=1e-11)
    for ours, theirs in zip(mine.gaps[0].snapshots, built_in.gaps[0].snapshots, strict=True):
        assert min(ours.key_share) > 0 and ours.state_horizon == theirs.state_horizon


def test_saved_weights_are_its_parameters_with_the_read_out(tmp_path):
    label = by_hand(tmp_path, "numpy") + "LSTM"
    name, content = trained(Plan(settings(models=(label,), **CHANGED), {}, saves=True), (label, GAP)).checkpoints[1]
    (tmp_path / name).write_bytes(content)
    with np.load(tmp_path / name) as saved, np.load(tmp_path / "start.npz") as begun:
        assert set(saved) == {"W_hh", "W_hx", "b_x", "b_h", "read_out.weight", "read_out.bias"}
        np.testing.assert_array_equal(saved["W_hh"], begun["W_hh"][1])


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("BARE", "expected params of .*, got none"),
        ("WIDE", "expected a cell of input_size 2 for the task recall, got .* of 3"),
        ("BIG", "expected at most 2000000 calls of <lambda> an update, got 5.24e.06.*; try the same step in PyTorch"),
    ],
)
def test_what_cannot_be_trained_is_refused(name, says, tmp_path):
    label = by_hand(tmp_path, "numpy") + name
    with pytest.raises(VanishgradError, match=says):
        demand_learnable(settings(models=(label,), gaps=(40,)))
