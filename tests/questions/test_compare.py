"""A comparison: the same request gives the same result, and every model sees the same sequences."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace

import numpy as np
import pytest

from vanishgrad.curves import measure
from vanishgrad.curves.model_result import ModelResult
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.questions.compare import DEFAULT_MODELS, CompareRequest, _side_by_side, compare, comparison
from vanishgrad.weights.model_string import parse

SMALL = CompareRequest(("rnn", "lstm", "gru"), hidden=6, input_size=4, steps=12, trials=3)


def bytes_of(request: CompareRequest) -> str:
    return comparison(compare(request)).to_json()


def norms(model: ModelResult, curve: str = "state") -> np.ndarray:
    return model.curves[curve].log_norm.median


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_same_request_same_bytes(dtype: str) -> None:
    request = replace(SMALL, models=DEFAULT_MODELS, dtype=dtype)
    assert bytes_of(request) == bytes_of(request)


@pytest.mark.parametrize(("models", "trials"), [(("rnn", "lstm", "gru"), 3), (("lstm",), 7)])
def test_same_bytes_whatever_goes_side_by_side(
    monkeypatch: pytest.MonkeyPatch, models: tuple[str, ...], trials: int
) -> None:
    monkeypatch.setattr(measure, "GROUP_BYTES", 2 * 12**2 * 8)
    request = replace(SMALL, models=models, trials=trials)
    assert len({comparison(compare(request, jobs=jobs)).to_json() for jobs in (1, 2, 5)}) == 1


@pytest.mark.parametrize(
    ("changes", "jobs", "side_by_side"),
    [
        ({"models": ("rnn", "lstm", "gru")}, 2, (2, 1)),
        ({"models": ("rnn", "lstm", "gru")}, 8, (3, 1)),
        ({"models": ("lstm",)}, 8, (1, 1)),
        ({"models": ("lstm:hidden=256",)}, 2, (1, 2)),
        ({"models": ("lstm",), "hidden": 256}, 99, (1, 8)),
        ({"models": ("lstm", "gru"), "hidden": 256}, 4, (1, 4)),
        ({"models": ("lstm",), "hidden": 256, "lengths": "9,8"}, 4, (1, 1)),
        ({"models": ("lstm",), "hidden": 256, "engine": "matrix-free"}, 4, (1, 1)),
        ({"models": ("weights.pt",), "hidden": 256}, 4, (1, 1)),
    ],
)
def test_models_go_side_by_side_or_trials_where_there_is_more_of_them(changes, jobs, side_by_side) -> None:
    request = CompareRequest(**changes)
    subjects = [label if label.endswith(".pt") else parse(label) for label in request.models]
    assert _side_by_side(subjects, request, 8, jobs) == side_by_side


def test_a_model_has_the_same_numbers_alone_and_among_others_in_any_order() -> None:
    together = {model.label: model for model in compare(replace(SMALL, models=("gru", "lstm", "rnn"))).models}
    for label in SMALL.models:
        (alone,) = compare(replace(SMALL, models=(label,))).models
        for curve in alone.curves:
            np.testing.assert_array_equal(norms(alone, curve), norms(together[label], curve))


def test_more_trials_leave_the_first_ones_as_they_are() -> None:
    for few, many in zip(compare(SMALL).models, compare(replace(SMALL, trials=5)).models, strict=True):
        np.testing.assert_allclose(many.curves["state"].trial_final[:3], few.curves["state"].trial_final, rtol=1e-12)


def test_float32_is_close_to_float64() -> None:
    request = replace(SMALL, models=DEFAULT_MODELS, hidden=20, steps=60)
    for double, single in zip(compare(request).models, compare(replace(request, dtype="float32")).models, strict=True):
        for curve in double.curves:
            np.testing.assert_allclose(norms(single, curve), norms(double, curve), rtol=0, atol=1e-3, err_msg=curve)


def test_another_seed_is_another_draw() -> None:
    first, second = compare(SMALL).models, compare(replace(SMALL, seed=1)).models
    assert all(not np.array_equal(norms(one), norms(other)) for one, other in zip(first, second, strict=True))


def test_every_model_sees_the_same_sequences() -> None:
    """One cell under two labels is one and the same result."""
    first, second = compare(replace(SMALL, models=("lstm", "lstm@pytorch"))).models
    np.testing.assert_array_equal(norms(first, "input"), norms(second, "input"))
    assert first.input_gain == second.input_gain


def test_a_model_may_have_its_own_size() -> None:
    wide, narrow = compare(replace(SMALL, models=("rnn", "rnn:hidden=2"))).models
    assert (wide.hidden_size, narrow.hidden_size, narrow.input_size) == (6, 2, 4)


def test_what_a_result_holds() -> None:
    lstm = compare(SMALL).models[1]
    assert (lstm.label, lstm.cell, lstm.state_size, lstm.steps, lstm.trials) == ("lstm", "lstm", 12, 12, 3)
    assert lstm.spec == "lstm@pytorch:activation=tanh,hidden=6"
    assert list(lstm.curves) == ["state", "hidden", "cell", "conveyor", "input", "output"]
    assert [len(norms(lstm, curve)) for curve in lstm.curves] == [13, 13, 13, 13, 12, 13]
    assert all(norms(lstm, curve)[0] == pytest.approx(0, abs=1e-15) for curve in lstm.curves if curve != "input")
    assert lstm.gates.keys() == {"input", "forget", "output"}
    assert lstm.source == {"kind": "random", "law": "pytorch", "seed": 0}


def test_curves_of_one_part_are_the_state() -> None:
    for model in (compare(SMALL).models[0], compare(SMALL).models[2]):
        for curve in ("hidden", "output"):
            np.testing.assert_array_equal(norms(model, curve), norms(model))
    assert "conveyor" not in compare(SMALL).models[0].curves
    assert "cell" not in compare(SMALL).models[2].curves


def test_only_the_curves_that_are_asked_for() -> None:
    (some,) = compare(replace(SMALL, models=("lstm",), curves=("cell",))).models
    (every,) = compare(replace(SMALL, models=("lstm",))).models
    assert list(some.curves) == ["cell"]
    np.testing.assert_allclose(norms(some, "cell"), norms(every, "cell"), rtol=1e-10)


def test_input_gain_is_the_deviation_of_the_drive() -> None:
    result = compare(replace(SMALL, models=("rnn@gaussian",), trials=30, steps=50, input_size=40, hidden=40))
    assert result.models[0].input_gain == pytest.approx(1, abs=0.02)


def test_burn_in_is_run_before_and_measured_not() -> None:
    """From a linear network's start nothing but the state changes, and its Jacobian does not see that."""
    request = replace(SMALL, models=("rnn:activation=linear", "rnn"))
    linear, tanh = compare(replace(request, burn_in=5)).models
    plain_linear, plain_tanh = compare(request).models
    np.testing.assert_allclose(norms(linear), norms(plain_linear), rtol=1e-12, atol=1e-14)
    assert len(norms(tanh)) == len(norms(plain_tanh)) == 13
    assert not np.allclose(norms(tanh), norms(plain_tanh))


def test_lengths_are_counted_lag_by_lag() -> None:
    for model in compare(replace(SMALL, steps=None, trials=None, lengths="9,4,6")).models:
        state, driven = model.curves["state"], model.curves["input"]
        np.testing.assert_array_equal(state.count, [3, 3, 3, 3, 3, 2, 2, 1, 1, 1])
        np.testing.assert_array_equal(driven.count, [3, 3, 3, 3, 2, 2, 1, 1, 1])
        assert (model.steps, state.final_lag, driven.final_lag) == (9, 4, 3)


def test_results_are_frozen_and_pickle() -> None:
    result = compare(SMALL)
    assert comparison(pickle.loads(pickle.dumps(result))).to_json() == comparison(result).to_json()
    for frozen in (result, result.models[0], result.models[0].curves["state"], result.request):
        with pytest.raises(AttributeError):
            setattr(frozen, fields(frozen)[0].name, None)


def test_done_is_told_each_label() -> None:
    labels: list[str] = []
    compare(SMALL, labels.append)
    assert labels == ["rnn", "lstm", "gru"]


@pytest.mark.parametrize(("change", "sentence"), [
    ({"hidden": 0}, "expected --hidden from 1 on, got 0"),
    ({"input_size": 0}, "expected --input-size from 1 on, got 0"),
    ({"steps": -1}, "expected --steps from 1 on, got -1"),
    ({"trials": 0}, "expected --trials from 1 on, got 0"),
    ({"seed": -1}, "expected --seed from 0 on, got -1"),
    ({"burn_in": -1}, "expected --burn-in from 0 on, got -1"),
    ({"threshold": 0.0}, "expected --threshold between 0 and 1, got 0; try --threshold 1e-3"),
    ({"threshold": 1.0}, "expected --threshold between 0 and 1, got 1"),
    ({"threshold": float("nan")}, "expected --threshold between 0 and 1, got nan"),
    ({"dtype": "float16"}, "expected --dtype float64 or float32, got 'float16'"),
    ({"models": ()}, "expected at least one MODEL, got none; try"),
    ({"models": ("lstm", "gru", "lstm")}, "expected each model once, got 'lstm' twice"),
])  # fmt: skip
def test_a_request_that_cannot_be(change: dict, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        replace(SMALL, **change)


def test_an_expanding_network_that_overflows_is_told_so() -> None:
    request = CompareRequest(("rnn@identity:activation=linear,gain=10",), hidden=2, steps=400, trials=1)
    with pytest.raises(VanishgradError, match="got an overflow at step"):
        compare(request)


@pytest.mark.parametrize(("change", "note"), [
    ({"trials": 1}, "one trial: the rate has no interval"),
    ({"models": ("rnn@gaussian",), "input": "zeros"}, "zero input, biases and start: this is the fixed point h = 0"),
    ({"models": ("rnn@gaussian:activation=relu",), "hidden": 1, "trials": 8}, "the gradient is exactly zero in"),
])  # fmt: skip
def test_what_a_reader_should_know_is_noted(change: dict, note: str) -> None:
    model = compare(replace(SMALL, **change)).models[0]
    assert any(each.startswith(note) for each in model.notes), model.notes


def test_the_default_needs_no_warning_about_its_fixed_point() -> None:
    assert not any("fixed point" in note for model in compare(SMALL).models for note in model.notes)
