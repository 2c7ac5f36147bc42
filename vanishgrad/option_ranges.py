"""The range of each option that counts something, and of a threshold: the same on the command line and in Python."""

from __future__ import annotations

import math
import os
from pathlib import Path

from vanishgrad.errors import UsageError, VanishgradError

MAX_STEPS = 10**9
"""Of one number for each step alone 8 GB; a count beyond it is a slip of the hand."""
COUNTS = {
    "hidden": (1, 10**6), "input_size": (1, 10**7), "steps": (1, MAX_STEPS), "trials": (1, 10**6),
    "seed": (0, 2**64 - 1), "burn_in": (0, MAX_STEPS), "start": (0, MAX_STEPS), "exponents": (1, 10**6),
    "lyapunov_steps": (1, MAX_STEPS), "truncation": (1, MAX_STEPS), "horizon": (1, MAX_STEPS // 2),
    "length": (1, 64), "jobs": (1, 1024), "seeds": (1, 10**4), "batch": (1, 10**6), "updates": (1, MAX_STEPS),
}  # fmt: skip
"""The least and the largest value of each; a check runs over twice its horizon."""
MIN_THRESHOLD = 1e-300
"""Below it 1/threshold, and a curve that reaches it, leave the range of float64."""

BYTES_PER_STEP, BYTES_PER_TRIAL = 400, 160
"""What a report holds of each step, and of each trial there: two norms of six curves, and their squares by block."""
MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")
"""Of the container, where there is one; "max" without a limit."""


def demand_count(name: str, value: int) -> None:
    """Refuse a number outside its range.

    Raises
    ------
    UsageError
        Which names the option and its range.
    """
    smallest, largest = COUNTS[name]
    flag = "--" + name.replace("_", "-")
    if value < smallest:
        raise UsageError(f"expected {flag} from {smallest} on, got {value}")
    if value > largest:
        raise UsageError(f"expected {flag} up to {largest}, got {value}; try a smaller one")


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


def memory_bytes() -> float:
    """Return how much memory the machine has, or this process may have; inf where nobody says."""
    try:
        machine: float = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        machine = math.inf
    try:
        return min(machine, float(MEMORY_LIMIT.read_text().strip().replace("max", "inf")))
    except (OSError, ValueError):
        return machine


def demand_memory(steps: int, trials: int, weights: float) -> None:
    """Refuse a run that the machine has no memory for: the kernel would kill it in its middle.

    `weights` is how many bytes the weights of a trial have.

    Raises
    ------
    VanishgradError
        Which says how much it takes.
    """
    of_steps, of_weights = steps * (BYTES_PER_STEP + trials * BYTES_PER_TRIAL), trials * weights
    needed, available = of_steps + of_weights, memory_bytes()
    if needed > available:
        of_what, remedy = (
            (f"{steps} steps", "fewer --steps") if of_steps > of_weights else ("weights", "a smaller --hidden")
        )
        raise VanishgradError(
            f"expected a run that fits into {available / 1e9:.0f} GB of memory, got about {needed / 1e9:.0f} GB of "
            f"{of_what}; try {remedy} or --trials"
        )
