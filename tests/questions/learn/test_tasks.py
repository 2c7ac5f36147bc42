"""What each task asks: the key stands where it says, the answer follows from it, and a constant scores the baseline."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from vanishgrad.errors import VanishgradError
from vanishgrad.questions.learn.losses import CrossEntropy, Logistic, Squared
from vanishgrad.questions.learn.named_tasks import named_task

TASKS = (
    "recall",
    "copy",
    "adding",
    "order",
    "language",
    "language:zh",
    "language:characters",
    "language:zh,characters",
)
every_task = pytest.mark.parametrize("name", TASKS)


def drawn(name: str, gap: int = 40, size: int = 16):
    return named_task(name).draw(np.random.default_rng(0), gap, size)


@every_task
def test_shapes_are_those_that_the_task_says(name):
    task, examples = named_task(name), drawn(name)
    assert examples.xs.shape[0] == 16 and examples.xs.shape[2] == task.input_size
    assert examples.targets.shape[:2] == examples.weights.shape
    assert examples.keys.min() >= 1 and examples.keys.max() <= examples.xs.shape[1]
    if examples.targets.ndim == 2:
        assert 0 <= examples.targets.min() <= examples.targets.max() < max(task.output_size, 2)


def test_recall_asks_for_the_sign_of_the_first_input():
    examples = drawn("recall")
    np.testing.assert_array_equal(examples.xs[:, 0, 0], 2 * examples.targets[0] - 1)
    assert not examples.xs[:, 1:, 0].any()


def test_copy_asks_for_its_ten_symbols_behind_the_delimiter():
    examples = drawn("copy", gap=5)
    ids = examples.xs.argmax(axis=-1)
    np.testing.assert_array_equal(examples.targets[-10:].T, ids[:, :10])
    assert (ids[:, 14] == 9).all() and ids.shape[1] == 25
    assert (examples.targets[:-10] == 8).all()


def test_adding_asks_for_the_sum_of_the_marked_numbers():
    examples = drawn("adding")
    marked = (examples.xs[:, :, 0] * examples.xs[:, :, 1]).sum(axis=1)
    np.testing.assert_array_equal(examples.targets[0, :, 0], marked)
    first, second = np.array([np.flatnonzero(row) for row in examples.xs[:, :, 1]]).T
    assert first.max() < 20 <= second.min()
    np.testing.assert_array_equal(examples.keys, first + 1)


def test_order_asks_which_two_symbols_came():
    examples = drawn("order")
    ids = examples.xs.argmax(axis=-1)
    symbols = np.array([row[row >= 4] - 4 for row in ids])
    np.testing.assert_array_equal(examples.targets[0], 2 * symbols[:, 0] + symbols[:, 1])


@pytest.mark.parametrize("name", TASKS[4:])
def test_the_language_follows_from_the_country_and_stands_gap_steps_behind_it(name):
    task = named_task(name)
    for gap in (task.least_gap, 50):
        examples = task.draw(np.random.default_rng(0), gap, 9)
        for xs, key, place in zip(examples.xs, examples.keys, examples.targets[0], strict=True):
            assert task.text(xs[:key]).strip().endswith(list(task._sentences.places)[place])
            assert len(xs) - key == gap


@pytest.mark.parametrize(
    ("name", "gap", "pattern"),
    [
        ("language", 6, r"I grew up in [A-Z]\w+ [a-z]+ [a-z]+ so I speak fluent"),
        ("language:characters", 20, r"I grew up in [A-Z][a-z]+ ..so I speak fluent "),
        ("language:zh", 6, "我成长在.{2,3}国?.{1,2}所以我会说流利的"),
        ("language:zh,characters", 9, "我成长在.{2,4}所以我会说流利的"),
    ],
)
def test_a_sentence_reads_like_the_tutorials(name, gap, pattern):
    task = named_task(name)
    for xs in task.draw(np.random.default_rng(0), gap, 8).xs:
        assert re.fullmatch(pattern, task.text(xs)), task.text(xs)


@every_task
def test_a_gap_shorter_than_the_task_allows_is_refused(name):
    task = named_task(name)
    if task.least_gap > 1:
        with pytest.raises(VanishgradError, match=r"expected gaps from \d+ on"):
            task.demand_gap(task.least_gap - 1)


def test_baselines_are_the_losses_of_constants():
    assert named_task("recall").baseline(9) == Logistic().value(np.zeros(1), np.ones(()))
    examples = drawn("adding", size=4096)
    assert abs(np.var(examples.targets) - named_task("adding").baseline(40)) < 0.02
    assert named_task("copy").baseline(80) == 10 * math.log(8) / 100
    z = np.zeros((1, 4))
    assert CrossEntropy().value(z, np.array([2]))[0] == pytest.approx(named_task("order").baseline(40), rel=1e-15)


@pytest.mark.parametrize(
    ("loss", "y"),
    [(Logistic(), np.array([0, 1, 1])), (CrossEntropy(), np.array([0, 2, 1])), (Squared(), np.ones((3, 3)) / 3)],
    ids=lambda each: getattr(each, "name", ""),
)
def test_a_losses_gradient_is_its_central_difference(loss, y):
    width, h = (1 if isinstance(loss, Logistic) else 3), 1e-5
    z = np.random.default_rng(1).standard_normal((3, width))
    for j in range(width):
        step = h * np.eye(width)[j]
        difference = (loss.value(z + step, y) - loss.value(z - step, y)) / (2 * h)
        # h² of truncation and 1e-16 / h of roundoff
        np.testing.assert_allclose(loss.gradient(z, y)[:, j], difference, rtol=0, atol=1e-9)


def test_large_outputs_overflow_no_loss():
    z = np.array([[900.0], [-900.0]])
    np.testing.assert_array_equal(Logistic().value(z, np.array([1, 1])), [0, 900])
    np.testing.assert_array_equal(Logistic().gradient(z, np.array([1, 1])), [[0], [-1]])
    assert CrossEntropy().value(np.array([[900.0, 0.0]]), np.array([1]))[0] == 900


def test_a_file_of_ones_own_is_a_task(tmp_path):
    path, rng = tmp_path / "own.npz", np.random.default_rng(0)
    x, y = rng.standard_normal((20, 12, 3)), rng.integers(0, 5, 20)
    np.savez(path, x=x, y=y)
    task = named_task(str(path))
    assert (task.input_size, task.output_size, task.most_gap) == (3, 5, 12)
    examples = task.draw(np.random.default_rng(1), 7, 9)
    chosen = [int(np.flatnonzero((x[:, -7:] == row).all(axis=(1, 2)))[0]) for row in examples.xs]
    np.testing.assert_array_equal(examples.targets[0], y[chosen])
    with pytest.raises(VanishgradError, match="expected gaps up to 12"):
        task.demand_gap(13)


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"x": np.zeros((4, 5, 2))}, "got no y"),
        ({"x": np.zeros((4, 5)), "y": np.zeros(4)}, "token ids"),
        ({"x": np.zeros((4, 5, 2)), "y": np.zeros(3)}, "a target for each of 4"),
        ({"x": np.full((4, 5, 2), np.nan), "y": np.zeros(4)}, "finite"),
        ({"x": np.zeros((4, 5, 2)), "y": np.zeros(4, dtype=int), "mask": np.ones((4, 5))}, "a mask of the steps of y"),
        ({"x": np.zeros((4, 5, 2)), "y": np.full(4, -1)}, "from 0 on"),
        ({"x": np.array([{}]), "y": np.zeros(1)}, "got"),
    ],
)
def test_a_file_that_is_no_task_is_refused(tmp_path, arrays, says):
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(VanishgradError, match=says):
        named_task(str(tmp_path / "bad.npz"))


@pytest.mark.parametrize(
    ("name", "says"),
    [("recal", "try recall"), ("copy:zh", "no variant"), ("language:fr", "variant"), ("no.npz", "npz")],
)
def test_a_task_that_there_is_not_is_refused(name, says):
    with pytest.raises(VanishgradError, match=says):
        named_task(name)
