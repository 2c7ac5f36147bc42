r"""A minimal gated unit as a GRU: the checker's own form of it, row by row.

Unit j has f = σ(w·h + v·x + b). The GRU's reset gate is f. Its keep gate is f where f multiplies the old state, and
1 - f = 1 / (1 + e^(w·h + v·x + b)), which is σ of the negative row, where f multiplies what is new. A candidate without
a reset is ½ (2 W^n h + 2 b_hn), and ½ is σ of a row of zeros.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells.registry import GRU, MGU
from vanishgrad.certificates.checking.verdict import Inequalities
from vanishgrad.certificates.subject import CertifiedCell

CONVENTIONS = (("before", "after", "none"), ("new", "old"))
"""What the gate may do to the state within the candidate, and what it multiplies."""

LARGEST_HALF = float(np.finfo(np.float64).max) / 2


def as_gru(subject: CertifiedCell, inequalities: Inequalities) -> CertifiedCell:
    """Return a GRU of which every step equals the minimal gated unit's; any other cell as it is."""
    if subject.cell != MGU.name:
        return subject
    known = subject.reset in CONVENTIONS[0] and subject.keep in CONVENTIONS[1]
    inequalities.demand(known or None, "the conventions of the minimal gated unit are known")
    n, without_reset = subject.hidden_size, subject.reset == "none"
    small = all((np.abs(tensor) <= LARGEST_HALF).all() for tensor in subject.tensors.values())
    inequalities.demand(small or None, "twice a weight is a number")
    stacked = {name: _rows(subject, name, n, without_reset) for name in ("W_hh", "W_hx", "b")}
    b_hn = subject.tensors["b_hn"]
    stacked["b_hn"] = b_hn + b_hn if without_reset else b_hn
    reset = "after" if without_reset else subject.reset
    return replace(subject, cell=GRU.name, reset=reset, keep=None, tensors=stacked)


def _rows(subject: CertifiedCell, name: str, n: int, without_reset: bool) -> Array:
    """Return the rows of r, z and the candidate from those of f and the candidate."""
    tensor = subject.tensors[name]
    rows = np.zeros((3 * n, *tensor.shape[1:]))
    for j in range(n):
        rows[n + j] = tensor[j] if subject.keep == "old" else 0.0 - tensor[j]
        rows[2 * n + j] = tensor[n + j]
        if not without_reset:
            rows[j] = tensor[j]
        elif name == "W_hh":
            rows[2 * n + j] += tensor[n + j]
    return rows
