"""One door: what a user names becomes models with input and start, the same whatever asks for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import vanishgrad
from tests.models.nets import TOKENS, two_modules
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.models.open import open_models
from vanishgrad.models.options import ModelOptions
from vanishgrad.propagation.run import run


@pytest.fixture
def file(tmp_path: Path) -> str:
    return two_modules(tmp_path)


@pytest.fixture
def ids(tmp_path: Path) -> str:
    path = tmp_path / "ids.npy"
    np.save(path, np.random.default_rng(0).integers(0, TOKENS, (3, 12)))
    return str(path)


def prepared(source, **options) -> list:
    (opened,) = open_models([source], ModelOptions(**options))
    return list(opened.prepared_subjects())


def test_a_model_and_a_file_side_by_side_share_no_label_and_no_weights(file: str) -> None:
    model, layers = open_models(["lstm", file], ModelOptions(hidden=4, steps=6, trials=2, layer="b"))
    (random,), (layer,) = model.prepared_subjects(), layers.prepared_subjects()
    assert (random.subject.label, layer.subject.label) == ("lstm", "two.npz:b.0")
    assert (random.subject.cell.trials, layer.subject.cell.trials) == (2, 1)


@pytest.mark.parametrize("names", ["a,b", ("a", "b"), "a.0,a.1,b.0", "a,b.0"])
def test_a_stack_is_told_by_modules_or_by_layers(file: str, ids: str, names) -> None:
    """b's input is the output of a's upper layer, by that layer's own run."""
    low, high, top = prepared(file, stack=names, input=ids, embedding="emb.weight")
    outputs = run(high.subject.cell, high.sequences.xs, high.s0).states[1:, :, :5]
    assert np.array_equal(top.sequences.xs, np.swapaxes(outputs, 0, 1))
    assert low.sequences.xs.shape == (3, 12, 3)
    assert top.stack is not None and top.stack.subject.cell.parts[0].size == 5


def test_a_module_of_unordered_layers_is_no_place_in_a_stack(tmp_path: Path) -> None:
    rng, tensors = np.random.default_rng(0), {}
    for name in ("m.x", "m.y"):
        tensors |= {f"{name}.weight_ih_l0": rng.normal(size=(4, 4)), f"{name}.weight_hh_l0": rng.normal(size=(4, 4))}
    np.savez(tmp_path / "m.npz", **tensors)
    with pytest.raises(VanishgradError, match=r"expected layers of a known order under 'm' in --stack, got m\.x"):
        prepared(str(tmp_path / "m.npz"), stack="m", cell="rnn")


def test_an_unknown_name_in_a_stack_gets_the_nearest(file: str) -> None:
    with pytest.raises(VanishgradError, match=r"expected --stack to name a layer .* got aa; try"):
        prepared(file, stack="aa,b")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"hidden": 5}, "expected --hidden with a MODEL, got a file of weights"),
        ({"input_size": 5}, "expected --input-size with a MODEL"),
    ],
)
def test_an_option_of_models_needs_one(file: str, options: dict, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        prepared(file, **options)


@pytest.mark.parametrize(
    "options", [{"layer": "a"}, {"stack": "a,b"}, {"layout": "keras"}, {"ignore": "x"}, {"forget_offset": 0.0}]
)
def test_an_option_of_files_needs_one(options: dict) -> None:
    with pytest.raises(UsageError, match=r"expected --[a-z-]+ with a file of weights, got 'lstm'"):
        prepared("lstm", **options)


@pytest.mark.parametrize("source", ["rnn:untied=true", "lstm"])
def test_the_first_trial_alone_runs_as_it_does_among_the_others(source: str) -> None:
    """Its states after the burn-in, from its own first step on, are those of the whole run, and none besides."""
    options = {"hidden": 4, "burn_in": 3, "lengths": "5,9,7", "initial": "normal:0.5"}
    (whole,) = prepared(source, **options)
    together = run(whole.subject.cell, whole.sequences.xs, whole.s0, whole.sequences.marks)
    alone = whole.first_trial()
    states = run(alone.subject.cell, alone.sequences.xs, alone.s0).states
    assert states.shape == (6, 1, whole.subject.cell.state_size)
    assert states[:, 0] == pytest.approx(together.states[-6:, 0], rel=1e-13, abs=1e-15)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"steps": "ten"}, "expected a whole number or None for steps, got 'ten'"),
        ({"steps": 2.5}, "expected a whole number or None for steps, got 2.5"),
        ({"seed": True}, "expected a whole number for seed, got True"),
        ({"hidden": None}, "expected a whole number for hidden, got None"),
        ({"embedding": 3}, "expected a string or None for embedding, got 3"),
        ({"input": object()}, "expected a string or an array of numbers for input, got object"),
        ({"lengths": ["a"]}, "expected a string or an array of numbers for lengths, got list"),
    ],
)
def test_a_value_of_another_type_is_one_sentence(options: dict, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        ModelOptions(**options)


def test_numbers_of_numpy_become_pythons() -> None:
    options = ModelOptions(steps=np.int64(7), seed=np.uint8(3))
    assert (type(options.steps), type(options.seed)) == (int, int)


def test_a_layer_above_another_one_has_no_note_on_an_unknown_order():
    """Three modules of unknown order; the second layer of one is driven by both directions of its first."""
    report = vanishgrad.analyze(
        "tests/weights/fixtures/modules.npz", layer=["lstm.0", "lstm.1"], steps=3, trials=1
    ).typed
    unknown = {model.label: any("not known" in note for note in model.notes) for model in report.models}
    assert unknown["lstm.0"]
    assert not unknown["lstm.1"]
