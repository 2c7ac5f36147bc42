r"""A minimal gated unit as the GRU that it is: the prover's form of it.

With a_f the one gate's pre-activation, reset and keep gate are r = σ(a_f) and z = σ(±a_f): 1 - σ(a) = σ(-a), so
keep=new (k = 1 - f) takes the negative rows and keep=old (k = f) the rows themselves. Without a reset, r = σ(0) = ½
multiplies 2 W^n h + 2 b_hn. Negation and doubling are exact, so both cells have the same states and Jacobians.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells.registry import GRU, MGU
from vanishgrad.certificates.subject import CertifiedCell


def equivalent_gru(target: CertifiedCell) -> CertifiedCell:
    """Return the GRU with the states and Jacobians of a minimal gated unit; any other cell as it is."""
    if target.cell != MGU.name:
        return target
    sign, resets = (-1.0 if target.keep == "new" else 1.0), target.reset != "none"
    factor = 1.0 if resets else 2.0
    tensors: dict[str, Array] = {"b_hn": factor * target.tensors["b_hn"]}
    for name in ("W_hh", "W_hx", "b"):
        f, candidate = target.gate(name, "f"), target.gate(name, "n")
        doubled = factor * candidate if name == "W_hh" else candidate
        tensors[name] = np.concatenate([f if resets else np.zeros_like(f), sign * f, doubled])
    return replace(target, cell=GRU.name, reset=target.reset if resets else "after", keep=None, tensors=tensors)
