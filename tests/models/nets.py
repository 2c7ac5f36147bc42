"""Files of weights whose layers nobody has put in order, with an embedding."""

from __future__ import annotations

from pathlib import Path

import numpy as np

TOKENS, WIDTH, N = 11, 3, 5


def two_modules(folder: Path) -> str:
    """Return an .npz with an embedding, a two-layer LSTM ``a`` and a GRU ``b`` that takes its outputs."""
    rng = np.random.default_rng(3)
    path = folder / "two.npz"
    layers = {("a", 0): (4, WIDTH), ("a", 1): (4, N), ("b", 0): (3, N)}
    tensors = {"emb.weight": rng.standard_normal((TOKENS, WIDTH))}
    for (module, index), (gates, width) in layers.items():
        tensors[f"{module}.weight_ih_l{index}"] = 0.4 * rng.standard_normal((gates * N, width))
        tensors[f"{module}.weight_hh_l{index}"] = 0.4 * rng.standard_normal((gates * N, N))
        tensors[f"{module}.bias_ih_l{index}"] = rng.standard_normal(gates * N)
        tensors[f"{module}.bias_hh_l{index}"] = rng.standard_normal(gates * N)
    np.savez(path, **tensors)
    return str(path)
