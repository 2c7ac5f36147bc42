"""Curves as data: rows of natural logarithms, and what `curve` says of them."""

from __future__ import annotations

import math

import numpy as np

from vanishgrad.curves.curve import Curve, curve

THRESHOLD = 1e-3
LEVEL = math.log(THRESHOLD)
ZERO, ABSENT = -math.inf, math.nan


def line(rate: float, steps: int = 100, start: float = 0.0) -> list[float]:
    """Return ln ‖·‖ falling or growing at a rate."""
    return [start + rate * lag for lag in range(steps + 1)]


def read(*trials: list[float], threshold: float = THRESHOLD) -> Curve:
    """Return what a curve says of these trials."""
    log_norm = np.array(trials)
    return curve(log_norm, log_norm - 1, {}, threshold)
