"""A check of a report decides as the run that made it did."""

from __future__ import annotations

import math

import numpy as np
import pytest

import vanishgrad
from vanishgrad.questions.check import CheckRequest, judgement

HALVES = {"weight_hh_l0": np.eye(3) / 2, "weight_ih_l0": np.zeros((3, 1))}
"""A linear network whose Jacobian products are 2^-lag I exactly."""


def report(threshold: float):
    return vanishgrad.analyze(HALVES, cell="rnn", activation="linear", input="zeros", steps=60, threshold=threshold)


def reached(threshold: float, at: float | None = None) -> tuple[int | None, int]:
    """Return the horizon of a report and of its check, at the report's own threshold or at another one."""
    typed = report(threshold).typed
    request = CheckRequest(report="r.json", curve="state", horizon=1, threshold=at or threshold, max_rate=None)
    return typed.models[0].curves["state"].horizon, judgement(typed, request).layers[0].horizon


@pytest.mark.parametrize("lag", range(1, 59))
def test_a_norm_that_equals_the_threshold_is_judged_as_the_report_has_it(lag):
    horizon, checked = reached(2.0**-lag)
    assert checked == horizon


@pytest.mark.parametrize("towards", [0.0, 1.0])
def test_a_threshold_a_roundoff_away_is_judged_as_the_report_has_it(towards):
    for lag in (3, 10, 40):
        horizon, checked = reached(math.nextafter(2.0**-lag, towards))
        assert checked == horizon


def test_at_another_threshold_equal_logarithms_are_not_below():
    for lag in (3, 10, 40):
        assert reached(1e-3, at=2.0**-lag)[1] == lag
