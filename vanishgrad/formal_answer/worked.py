"""Every number that the prose works out, by name; none of them is typed into a text."""

from __future__ import annotations

import math
from collections.abc import Mapping

from vanishgrad.formal_answer.quantities import retention, scalars
from vanishgrad.formal_answer.quantities.learned import learning_numbers
from vanishgrad.formal_answer.quantities.limits import majorant_radius
from vanishgrad.formal_answer.quantities.lstm import path_counts
from vanishgrad.formal_answer.quantities.separation import separation

PATHS = 6
TEMPTING_BIAS = 1.0


def worked_numbers(steps: int) -> dict[str, float]:
    """Return the numbers of the worked examples, ``group.name`` → value."""
    groups: dict[str, Mapping[str, float]] = {
        "run": {"steps": float(steps)},
        "detours": scalars.detours_cancel(),
        "burst": scalars.explosion(),
        "nilpotent": scalars.nilpotent(),
        "saturated": scalars.saturated(),
        "infinity": scalars.infinity_norm(),
        "logistic": scalars.logistic(),
        "unstable": scalars.unstable_latch(),
        "slow": scalars.slow_tanh(),
        "noise": scalars.noise_accumulated(),
        "separation": separation(),
        "three": scalars.three_of_four(),
        "bias1": scalars.forget_bias(TEMPTING_BIAS, 100),
        "bias2": scalars.forget_bias(2.0, 100),
        "bias5": scalars.forget_bias(5.0, 100),
        "chrono": scalars.chrono(100),
        "doubled": scalars.forget_bias(2 * math.log(99), 100),
        "default": scalars.zero_fixed_point(1 / math.sqrt(3)),
        "keys": {"floor": scalars.write_hold_read_floor()},
        "paths": dict(zip(("partial", "total"), map(float, path_counts(PATHS)), strict=True)),
        "small": {"conveyor": 2.0**-100},
        "additive": _additive(),
        "underflow": {"value": 2.0**-1100},
        "threshold": {"radius": majorant_radius(0.98, 0.02 * 0.7 / 0.4, 0.3, 0.4)},
        "window": scalars.eigenvalue_window(1000, 0.1),
        "samples": scalars.samples_for_a_gap(0.9, 100),
        "memory90": scalars.memory_sensitivity(0.9),
        "memory99": scalars.memory_sensitivity(0.99),
        "learning": learning_numbers(),
        "bias_for": {"half": scalars.bias_for(100, 0.5), "most": scalars.bias_for(100, 0.9)},
    }
    return {f"{group}.{name}": value for group, values in groups.items() for name, value in values.items()}


def _additive() -> dict[str, float]:
    quarter = 1 / (4 * 50)
    return {
        "floor": 1 - 0.25 - math.expm1(0.25),
        "limit": math.exp(-0.25) + 1 - math.exp(0.25),
        "at_50": retention.additive_floor(quarter, quarter, 50),
    }
