"""White noise and silence: keyed streams, prefixes, burn-in, and options that contradict one another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.inputs.sequences import InputRequest, input_sequences

REQUEST = InputRequest(steps=9, trials=3, input_size=4)


def xs(**change: object) -> np.ndarray:
    return input_sequences(replace(REQUEST, **change), 5).xs


def test_shape_and_defaults() -> None:
    assert xs().shape == (3, 9, 4)
    found = input_sequences(InputRequest(), 5)
    assert (found.trials, found.steps, found.input_size, found.burn_in) == (8, 100, 5, 0)
    assert found.first is None
    assert found.xs.dtype == np.float64


def test_a_shorter_run_is_a_prefix() -> None:
    np.testing.assert_array_equal(xs(steps=4), xs()[:, :4])


def test_fewer_trials_are_the_first_ones() -> None:
    np.testing.assert_array_equal(xs(trials=1), xs()[:1])
    np.testing.assert_array_equal(xs(trials=7)[:3], xs())


def test_trials_and_seeds_differ() -> None:
    assert not np.array_equal(xs()[0], xs()[1])
    assert not np.array_equal(xs(), xs(seed=1))


def test_burn_in_comes_before() -> None:
    found = input_sequences(replace(REQUEST, burn_in=3), 5)
    assert (found.steps, found.xs.shape) == (9, (3, 12, 4))
    np.testing.assert_array_equal(found.xs, xs(steps=12))


def test_noise_is_standard_normal() -> None:
    sample = xs(steps=2000).ravel()
    assert stats.kstest(sample, "norm").pvalue > 1e-3


def test_std_scales_the_same_draw() -> None:
    np.testing.assert_array_equal(xs(source="white:0.25"), 0.25 * xs())
    np.testing.assert_array_equal(xs(source="white:1"), xs())


def test_zeros_are_zeros() -> None:
    assert not xs(source="zeros").any()


def test_float32_is_the_rounded_draw() -> None:
    np.testing.assert_array_equal(xs(dtype="float32"), xs().astype(np.float32))


@pytest.mark.parametrize("burn_in", [0, 2])
def test_sequences_of_their_own_length_end_together(burn_in: int) -> None:
    found = input_sequences(replace(REQUEST, steps=None, trials=None, lengths="7,3,5", burn_in=burn_in), 5)
    whole = xs(steps=7 + burn_in)
    assert (found.steps, found.trials) == (7, 3)
    np.testing.assert_array_equal(found.lengths, [7, 3, 5])
    np.testing.assert_array_equal(found.first, [0, 4, 2])
    for b, length in enumerate((7, 3, 5)):
        np.testing.assert_array_equal(found.xs[b, 7 - length :], whole[b, : burn_in + length])


@pytest.mark.parametrize(("change", "sentence"), [
    ({"source": "white:x"}, "expected white or white:STD with a number STD >= 0, got 'white:x'; try white:0.5"),
    ({"source": "white:-1"}, "expected white or white:STD .*, got 'white:-1'"),
    ({"source": "white:nan"}, "expected white or white:STD .*, got 'white:nan'"),
    ({"source": "white:inf"}, "expected white or white:STD .*, got 'white:inf'"),
    ({"source": "white:"}, "expected white or white:STD .*, got 'white:'"),
    ({"source": "zeros:1"}, "expected zeros without a value, got 'zeros:1'; try --input zeros"),
    ({"lengths": "7,x"}, "expected whole numbers between commas or a .npy file for --lengths, got '7,x'"),
    ({"lengths": "7,3.5"}, "expected whole numbers between commas"),
    ({"lengths": ""}, "expected whole numbers between commas"),
    ({"lengths": "7,0,2"}, "expected lengths as whole numbers from 1 on, got '7,0,2'; try --lengths 7,12,9"),
    ({"lengths": "20,3,5"}, "expected --lengths up to --steps 9, got 20; try --steps 20"),
    ({"lengths": "7,3", "trials": 3}, "expected one of --lengths for each of 3 trials, got 2"),
])  # fmt: skip
def test_what_the_arguments_alone_show_to_be_wrong(change: dict, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        input_sequences(replace(REQUEST, **change), 5)


@pytest.mark.parametrize(("dtype", "std"), [("float64", "1e308"), ("float32", "1e39")])
def test_noise_beyond_the_range_of_its_type(dtype: str, std: str) -> None:
    with pytest.raises(VanishgradError, match=rf"expected inputs that {dtype} can hold, got an overflow from .*{std}"):
        xs(source=f"white:{std}", dtype=dtype)
