"""How far back the gradient of a recurrent network reaches, and why."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_NAMES = {
    "analyze": "vanishgrad.api",
    "capture": "vanishgrad.api",
    "cell": "vanishgrad.cells.own",
    "compare": "vanishgrad.api",
    "explain": "vanishgrad.api",
    "learn": "vanishgrad.api",
    "watch": "vanishgrad.questions.watch.watch:Watch",
    "random_cell": "vanishgrad.api",
    "sweep": "vanishgrad.api",
    "answer": "vanishgrad.judgements",
    "certify": "vanishgrad.judgements",
    "check": "vanishgrad.judgements",
    "diff": "vanishgrad.judgements",
    "inspect": "vanishgrad.judgements",
    "track": "vanishgrad.judgements",
    "verify": "vanishgrad.judgements",
    "from_state_dict": "vanishgrad.weights.recognition",
    "product": "vanishgrad.propagation.products.operator",
    "RNN": "vanishgrad.cells",
    "LSTM": "vanishgrad.cells",
    "GRU": "vanishgrad.cells",
    "VanishgradError": "vanishgrad.errors",
    "UsageError": "vanishgrad.errors",
}

__all__ = ["__version__", *_NAMES]


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module 'vanishgrad' has no attribute {name!r}")
    module, _, inner = _NAMES[name].partition(":")
    return getattr(importlib.import_module(module), inner or name)


def __dir__() -> list[str]:
    return list(__all__)
