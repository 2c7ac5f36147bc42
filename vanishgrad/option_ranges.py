"""The range of each option that counts something, and of a threshold: the same on the command line and in Python."""

from __future__ import annotations

from vanishgrad.errors import UsageError

MAX_STEPS = 10**9
"""Of one number for each step alone 8 GB; a count beyond it is a slip of the hand."""
COUNTS = {
    "hidden": (1, 10**6), "input_size": (1, 10**7), "steps": (1, MAX_STEPS), "trials": (1, 10**6),
    "seed": (0, 2**64 - 1), "burn_in": (0, MAX_STEPS), "start": (0, MAX_STEPS), "exponents": (1, 10**6),
    "lyapunov_steps": (1, MAX_STEPS), "truncation": (1, MAX_STEPS), "horizon": (1, MAX_STEPS // 2),
    "jobs": (1, 1024), "seeds": (1, 10**4), "batch": (1, 10**6), "updates": (1, MAX_STEPS),
}  # fmt: skip
"""The least and the largest value of each; a check runs over twice its horizon."""
MIN_THRESHOLD = 1e-300
"""Below it 1/threshold, and a curve that reaches it, leave the range of float64."""


def demand_count(name: str, value: int) -> None:
    """Refuse a number outside its range.

    Raises
    ------
    UsageError
        Which names the option and its range.
    """
    least, most = COUNTS[name]
    flag = "--" + name.replace("_", "-")
    if value < least:
        raise UsageError(f"expected {flag} from {least} on, got {value}")
    if value > most:
        raise UsageError(f"expected {flag} up to {most}, got {value}; try a smaller one")


def demand_threshold(threshold: float) -> None:
    """Refuse a threshold that is not between `MIN_THRESHOLD` and 1.

    Raises
    ------
    UsageError
        Which says so.
    """
    if not MIN_THRESHOLD <= threshold < 1:
        least = f", from {MIN_THRESHOLD:g} on" if 0 < threshold < 1 else ""
        raise UsageError(f"expected --threshold between 0 and 1{least}, got {threshold:g}; try --threshold 1e-3")
