"""Weights and inputs saved so that anyone can redo the numbers in another framework."""

from __future__ import annotations

import io
import json
import re

import numpy as np

from vanishgrad.cells.arrays import Array
from vanishgrad.weights.laws import Weights
from vanishgrad.weights.spec import ModelSpec


def file_name(label: str, trial: int) -> str:
    """Return ``LABEL.TRIAL.npz``, characters outside A-Za-z0-9._- as _."""
    return f"{re.sub(r'[^A-Za-z0-9._-]', '_', label)}.{trial}.npz"


def npz(weights: Weights, spec: ModelSpec, seed: int, trial: int) -> bytes:
    """Return one trial's weights under PyTorch's names and gate order, with a text member `vanishgrad` that names them.

    A bias set by forget_bias or chrono stands whole in bias_ih_l0. An untied network's weight_hh_l0 has a time axis.
    """
    about = {
        "cell": spec.cell,
        "reset": spec.keys.get("reset"),
        "activation": spec.keys["activation"],
        "label": spec.label,
        "law": spec.law,
        "seed": seed,
        "trial": trial,
    }
    tensors = {
        "weight_ih_l0": weights.weight_ih[trial],
        "weight_hh_l0": weights.weight_hh[trial],
        "bias_ih_l0": weights.bias_ih[trial],
        "bias_hh_l0": weights.bias_hh[trial],
    }
    return _bytes({**tensors, "vanishgrad": np.array(json.dumps(about, ensure_ascii=False))})


def _bytes(members: dict[str, Array]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **members)  # type: ignore[arg-type]
    return buffer.getvalue()
