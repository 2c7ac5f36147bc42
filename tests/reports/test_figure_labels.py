"""Labels are moved apart, as little as needed, and broken where people would break them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vanishgrad.reports.figures.labels import spread
from vanishgrad.reports.figures.style import wrapped

TOLERANCE = 1e-9  # sums of at most 20 numbers up to 100, some 1e4 roundings of 100


def test_what_has_room_stays():
    assert spread(np.array([1.0, 3.0, 5.0]), np.ones(3), 0, 10).tolist() == [1, 3, 5]


def test_equal_ones_are_spread_around_their_place():
    assert spread(np.full(3, 5.0), np.ones(3), 0, 10).tolist() == [4, 5, 6]


def test_the_edges_hold():
    assert spread(np.array([0.0, 0.0, 10.0]), np.ones(3), 0, 10).tolist() == [0.5, 1.5, 9.5]


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.1, 5)), min_size=1, max_size=20))
def test_intervals_never_overlap_nor_leave_nor_change_order(labels):
    wanted, heights = np.array(sorted(labels)).T
    centres = spread(wanted, heights, 0, 100)
    assert (np.diff(centres) >= (heights[1:] + heights[:-1]) / 2 - TOLERANCE).all()
    assert centres[0] >= heights[0] / 2 - TOLERANCE
    assert centres[-1] <= 100 - heights[-1] / 2 + TOLERANCE


@given(st.lists(st.floats(20, 30), min_size=2, max_size=8))
def test_no_small_move_brings_labels_nearer(wanted):
    wanted, heights = np.sort(wanted), np.ones(len(wanted))
    centres = spread(wanted, heights, 0, 100)
    for move in np.eye(len(wanted)):
        for moved in (centres + 1e-3 * move, centres - 1e-3 * move):
            if (np.diff(moved) >= 1).all():
                assert ((moved - wanted) ** 2).sum() >= ((centres - wanted) ** 2).sum() - TOLERANCE


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("lstm", ["lstm"]),
        ("lstm@gaussian:activation=relu,gain=1.50", ["lstm@gaussian:", "activation=relu,gain=1.50"]),
        ("encoder.layers.0.rnn.reverse.deep", ["encoder.layers.0.rnn.", "reverse.deep"]),
        ("x" * 40, ["x" * 26, "x" * 14]),
        ("", [" "]),
    ],
)
def test_labels_are_broken_after_punctuation_but_not_within_a_number(text, lines):
    assert wrapped(text, 26, 4).split("\n") == lines


def test_a_label_beyond_its_lines_loses_its_middle():
    found = wrapped("begin" + "x" * 300 + "end", 26, 4)
    assert found.startswith("begin")
    assert found.endswith("end")
    assert "…" in found
    assert max(map(len, found.split("\n"))) <= 26
