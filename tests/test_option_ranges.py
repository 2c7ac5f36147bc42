"""Options have one range and one type, on the command line and in Python."""

from __future__ import annotations

import numpy as np
import pytest

import vanishgrad
from vanishgrad.errors import UsageError
from vanishgrad.option_ranges import COUNTS, MIN_THRESHOLD

OPTIONS = {"hidden": 2, "steps": 5, "trials": 2}
OF_COMPARE = ("hidden", "input_size", "steps", "trials", "seed", "burn_in")


@pytest.mark.parametrize("name", OF_COMPARE)
@pytest.mark.parametrize("beyond", ["least", "most"])
def test_a_count_outside_its_range_is_named_with_it(name, beyond):
    least, most = COUNTS[name]
    value, sentence = {"least": (least - 1, f"from {least} on"), "most": (10**20, f"up to {most}")}[beyond]
    with pytest.raises(UsageError, match=f"expected --{name.replace('_', '-')} {sentence}, got {value}"):
        vanishgrad.compare(["rnn"], **{**OPTIONS, name: value})


@pytest.mark.parametrize("name", ["exponents", "lyapunov_steps", "truncation"])
def test_a_count_of_a_section_has_a_range_too(name):
    with pytest.raises(UsageError, match=name.replace("_", "-")):
        vanishgrad.explain("rnn", **OPTIONS, **{name: 10**20})


@pytest.mark.parametrize("threshold", [0, 1e-320, 1, float("nan"), -1.0])
def test_a_threshold_outside_its_range_is_refused(threshold):
    with pytest.raises(UsageError, match="expected --threshold between 0 and 1, "):
        vanishgrad.compare(["rnn"], **OPTIONS, threshold=threshold)


def test_the_least_threshold_serves():
    report = vanishgrad.compare(["rnn"], **OPTIONS, threshold=MIN_THRESHOLD)
    assert report.result.models[0].curves["state"].horizon.lag == OPTIONS["steps"]
    assert "1e-300" in report.to_markdown()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"steps": "5"}, "expected a whole number or None for steps, got '5'"),
        ({"steps": 5.0}, "expected a whole number or None for steps, got 5.0"),
        ({"hidden": None}, "expected a whole number for hidden, got None"),
        ({"hidden": True}, "expected a whole number for hidden, got True"),
        ({"seed": [1]}, r"expected a whole number for seed, got \[1\]"),
        ({"threshold": "1e-3"}, "expected a number for threshold, got '1e-3'"),
        ({"input": 3}, "expected a string or an array of numbers for input, got int"),
        ({"initial": None}, "expected a string for initial, got None"),
        ({"dtype": np.float32}, "expected a string for dtype, got <class"),
        ({"curves": 3}, r"expected a tuple, each a string or None for curves, got \(3,\)"),
        ({"summary": 1}, "expected True or False for summary, got 1"),
    ],
)
def test_a_value_of_another_type_is_named_with_the_option(options, sentence):
    with pytest.raises(UsageError, match=sentence):
        vanishgrad.compare(["rnn"], **{**OPTIONS, **options})


def test_numpys_numbers_and_lists_are_taken():
    report = vanishgrad.compare(["rnn"], hidden=np.int64(2), steps=np.int32(5), trials=2, curves=["state"])
    assert report.result.models[0].steps == 5
    report.to_json()
