"""Masks and padding: which steps are taken, how many are not, and what is no mask."""

from __future__ import annotations

import json

import numpy as np
import pytest

import vanishgrad
from vanishgrad.cells.masked_steps import HANDED_ON, NOT_BEGUN, TAKEN
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.inputs.masks import MaskRule
from vanishgrad.inputs.sequences import InputRequest, input_sequences
from vanishgrad.questions.compare import CompareRequest, compare, comparison

B, T, D = 3, 8, 4
MASK = np.array([[1, 1, 0, 0, 1, 1, 1, 1], [0, 0, 1, 0, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0, 0, 0]])
N = 5


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """xs.npy with 9 in every masked step, and mask.npy."""
    monkeypatch.chdir(tmp_path)
    xs = np.random.default_rng(0).standard_normal((B, T, D))
    np.save("xs.npy", np.where(MASK[..., None], xs, 9.0))
    np.save("mask.npy", MASK)
    return tmp_path


def sequences(**options):
    return input_sequences(InputRequest(**{"source": "xs.npy", **options}), D)


def weights(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    shapes = {"weight_ih_l0": (4 * N, D), "weight_hh_l0": (4 * N, N), "bias_ih_l0": (4 * N,), "bias_hh_l0": (4 * N,)}
    return {name: 0.5 * rng.standard_normal(shape) for name, shape in shapes.items()}


def state(**options) -> dict:
    (model,) = json.loads(vanishgrad.analyze(weights(), **options).to_json())["models"]
    return model


def test_masked_steps_get_no_input_and_are_counted(folder) -> None:
    found = sequences(mask="mask.npy")
    assert found.masked_steps == np.sum(MASK == 0)
    assert not found.xs[MASK == 0].any() and found.xs[MASK == 1].all()
    np.testing.assert_array_equal(found.marks[1], [NOT_BEGUN] * 2 + [TAKEN, HANDED_ON] + [TAKEN] * 4)


@pytest.mark.parametrize("kind", [bool, int, float])
def test_a_mask_is_of_any_kind_of_number(folder, kind: type) -> None:
    np.save("other.npy", MASK.astype(kind))
    np.testing.assert_array_equal(sequences(mask="other.npy").taken, MASK.astype(bool))


def test_a_mask_of_ones_is_none(folder) -> None:
    np.save("ones.npy", np.ones((B, T)))
    assert sequences(mask="ones.npy").marks is None


def test_noise_is_as_long_as_its_mask(folder) -> None:
    found = sequences(source="white", mask="mask.npy")
    assert found.xs.shape == (B, T, D)
    np.testing.assert_array_equal(found.taken, MASK)


@pytest.mark.parametrize("padding", ["right", "left"])
def test_padding_at_either_end_is_left_out(folder, padding: str) -> None:
    xs, lengths = np.load("xs.npy"), [8, 3, 5]
    found = sequences(lengths="8,3,5", padding=padding)
    for b, length in enumerate(lengths):
        own = xs[b, -length:] if padding == "left" else xs[b, :length]
        np.testing.assert_array_equal(found.xs[b, T - length :], own)
        assert not found.xs[b, : T - length].any()


def test_a_padded_sequence_has_the_curve_of_the_shorter_one(folder) -> None:
    """At the left all lags of the shorter one first, at the right as many of 10^0 as steps are padding."""
    xs = np.random.default_rng(1).standard_normal((1, 5, D))
    short = state(input=xs)["curves"]["state"]["log10_norm"]["median"]
    pad = np.zeros((1, 3, D))
    left = state(input=np.concatenate([pad, xs], axis=1), mask=[[0, 0, 0, 1, 1, 1, 1, 1]])
    right = state(input=np.concatenate([xs, pad], axis=1), mask=[[1, 1, 1, 1, 1, 0, 0, 0]])
    assert left["masked_steps"] == right["masked_steps"] == 3
    assert left["curves"]["state"]["log10_norm"]["median"] == short + short[-1:] * 3
    assert right["curves"]["state"]["log10_norm"]["median"] == [0.0] * 3 + short
    alone = state(input=np.concatenate([pad, xs], axis=1), lengths=[5], padding="left")
    assert alone["curves"]["state"]["log10_norm"]["median"] == short


def test_a_report_says_how_many_steps_are_masked(folder) -> None:
    model = state(input="xs.npy", mask="mask.npy")
    assert model["masked_steps"] == 8
    assert any(note.startswith("masked: 8 of 24 steps hand the state on") for note in model["notes"])
    assert any(note.startswith("padding: 8 of 24 steps") for note in state(input="xs.npy", lengths="8,3,5")["notes"])


@pytest.mark.parametrize("options", [{}, {"burn_in": 2}, {"lengths": "8,6,7"}, {"engine": "matrix-free"}], ids=str)
def test_masked_runs_are_the_same_to_a_byte_in_several_processes(folder, options: dict) -> None:
    request = CompareRequest(("lstm", "gru", "mgu"), input="xs.npy", mask="mask.npy", hidden=N, **options)
    assert comparison(compare(request, jobs=2)).to_json() == comparison(compare(request)).to_json()


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (MASK[:2], r"expected a mask \(3, 8\), \(sequences, steps\) of the input, got \(2, 8\)"),
        (MASK[:, :7], r"expected a mask \(3, 8\), .* got \(3, 7\)"),
        (MASK[0], r"expected a mask \(sequences, steps\), got shape \(8,\)"),
        (MASK * 2, "expected a mask of 1 .* and 0 .*, got 2"),
        (MASK * np.nan, "expected a mask of 1 .* and 0 .*, got nan"),
        (MASK * [[1], [0], [1]], "expected a step that is not masked in every sequence, got none in sequence 1"),
    ],
)
def test_what_is_no_mask_is_refused(folder, mask: np.ndarray, message: str) -> None:
    np.save("mask.npy", mask)
    with pytest.raises(VanishgradError, match=message):
        sequences(mask="mask.npy")


def test_padding_without_lengths_is_wrong_usage(folder) -> None:
    with pytest.raises(UsageError, match="expected --padding beside --lengths"):
        vanishgrad.analyze(weights(), input="xs.npy", padding="left")


def test_rules_of_keras_mask_id_0_and_steps_of_one_value(folder) -> None:
    np.testing.assert_array_equal(MaskRule().taken(np.array([[3, 0, 1]])), [[True, False, True]])
    xs = np.array([[[-1.1, -1.1], [-1.1, 0.0]]])
    np.testing.assert_array_equal(MaskRule(-1.1).taken(xs.astype(np.float32).astype(float)), [[False, True]])
    assert MaskRule(0.0).taken(np.array([[0, 1]])) is None
