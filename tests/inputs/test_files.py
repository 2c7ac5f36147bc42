"""Inputs from files: what each kind means, and one sentence for whatever else it holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vanishgrad.inputs.files import load
from vanishgrad.inputs.sequences import InputRequest, input_sequences

RNG = np.random.default_rng(0)
ONE, MANY = RNG.standard_normal((9, 4)), RNG.standard_normal((3, 9, 4))


@pytest.fixture
def saved(tmp_path: Path):
    def save(array: object, name: str = "x.npy") -> str:
        np.save(tmp_path / name, np.asarray(array))
        return str(tmp_path / name)

    return save


def test_one_sequence_serves_every_trial(saved) -> None:
    found = input_sequences(InputRequest(saved(ONE), trials=5), 64)
    assert (found.trials, found.steps, found.input_size) == (5, 9, 4)
    np.testing.assert_array_equal(found.xs, np.broadcast_to(ONE, (5, 9, 4)))
    assert input_sequences(InputRequest(saved(ONE)), 64).trials == 8


def test_one_sequence_is_one_trial_where_all_trials_have_the_same_weights(saved) -> None:
    assert input_sequences(InputRequest(saved(ONE), repeated=False), 64).trials == 1


def test_sequence_i_is_trial_i(saved) -> None:
    np.testing.assert_array_equal(input_sequences(InputRequest(saved(MANY)), 64).xs, MANY)
    np.testing.assert_array_equal(input_sequences(InputRequest(saved(MANY), trials=2), 64).xs, MANY[:2])


def test_steps_takes_the_first_ones_behind_the_burn_in(saved) -> None:
    found = input_sequences(InputRequest(saved(ONE), steps=4, burn_in=3, trials=1), 64)
    assert (found.steps, found.burn_in) == (4, 3)
    np.testing.assert_array_equal(found.xs[0], ONE[:7])
    assert input_sequences(InputRequest(saved(ONE), burn_in=3, trials=1), 64).steps == 6


def test_lengths_from_a_file(saved) -> None:
    lengths = saved(np.array([9, 2, 5]), "lengths.npy")
    found = input_sequences(InputRequest(saved(MANY), lengths=lengths), 64)
    np.testing.assert_array_equal(found.lengths, [9, 2, 5])
    np.testing.assert_array_equal(found.xs[1, 7:], MANY[1, :2])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f8"])
def test_any_float_is_read(saved, dtype: str) -> None:
    found = load(saved(ONE.astype(dtype)))
    assert found.values.dtype == np.float64
    np.testing.assert_array_equal(found.values[0], ONE.astype(dtype).astype(float))


def test_a_fortran_ordered_array_keeps_its_axes(saved) -> None:
    np.testing.assert_array_equal(load(saved(np.asfortranarray(ONE))).values[0], ONE)


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
def test_token_ids_become_unit_vectors(saved, dtype: str) -> None:
    ids = np.array([[0, 2, 1], [2, 2, 0]], dtype=dtype)
    found = input_sequences(InputRequest(saved(ids)), 64)
    np.testing.assert_array_equal(found.xs, np.eye(3)[ids])
    assert input_sequences(InputRequest(saved(ids), input_size=10), 64).xs.shape == (2, 3, 10)


def test_token_ids_of_one_sequence(saved) -> None:
    found = input_sequences(InputRequest(saved(np.array([1, 0, 3])), trials=2), 64)
    np.testing.assert_array_equal(found.xs, np.broadcast_to(np.eye(4)[[1, 0, 3]], (2, 3, 4)))


def test_token_ids_through_an_embedding(saved) -> None:
    embedding = RNG.standard_normal((5, 2))
    found = input_sequences(InputRequest(saved(np.array([[4, 0], [1, 1]]))), 64, embedding)
    np.testing.assert_array_equal(found.xs, embedding[[[4, 0], [1, 1]]])


def test_text_is_bytes(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes("aé\n".encode())
    found = input_sequences(InputRequest(str(tmp_path / "x.txt"), trials=1), 64)
    assert found.xs.shape == (1, 4, 256)
    np.testing.assert_array_equal(found.xs[0].argmax(axis=1), [97, 0xC3, 0xA9, 10])


def test_csv_is_a_row_for_each_step(tmp_path: Path) -> None:
    (tmp_path / "x.CSV").write_text("1, 2.5\n\n-3e-1,4\n")
    found = input_sequences(InputRequest(str(tmp_path / "x.CSV"), trials=1), 64)
    np.testing.assert_array_equal(found.xs[0], [[1, 2.5], [-0.3, 4]])


@pytest.mark.parametrize(
    "text",
    [
        "time;price\n1;2.5\n-3e-1;4\n", "1\t2.5\n-.3\t4\n", '"1","2.5"\r\n"-0.3","4"\r\n',
        '\ufeff"a, b","c"\n1,2.5\n-0.3,4\n', "1 2.5\n-0.3 4\n", "x,y\n\n 1, 2.5\n-0.3, 4",
    ],
)  # fmt: skip
def test_csv_as_other_programs_write_it(tmp_path: Path, text: str) -> None:
    """Semicolons, tabs, blanks, quotes, a byte-order mark and a line of headings."""
    (tmp_path / "x.csv").write_text(text, encoding="utf-8", newline="")
    found = input_sequences(InputRequest(str(tmp_path / "x.csv"), trials=1), 64)
    np.testing.assert_array_equal(found.xs[0], [[1, 2.5], [-0.3, 4]])


def test_csv_of_one_column(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("price\n3000.25\n3001\n", encoding="utf-8")
    found = input_sequences(InputRequest(str(tmp_path / "x.csv"), trials=1), 64)
    np.testing.assert_array_equal(found.xs[0], [[3000.25], [3001]])
