"""Reports with known numbers, for pictures: JSON objects as `explain` writes them, and what reads them."""

from __future__ import annotations

from typing import Any

from vanishgrad.questions.documents import demand_models, report_in
from vanishgrad.questions.plot import render as pictures
from vanishgrad.reports.documents.format_version import FORMAT_VERSION

BLOCKS = ("state", "hidden", "cell", "conveyor", "input", "output")
QUANTILES = {"0.05": 0.1, "0.25": 0.4, "0.5": 0.5, "0.75": 0.6, "0.95": 0.9}


def read(document: dict[str, Any]) -> Any:
    return demand_models(report_in(document))


def draw(document: dict[str, Any], kind: str = "curves") -> Any:
    return pictures.draw(read(document), kind)


def render(document: dict[str, Any], kind: str, ending: str) -> bytes:
    return pictures.render(read(document), kind, ending)


def available_kinds(document: dict[str, Any]) -> tuple[str, ...]:
    return pictures.available_kinds(read(document))


def curve(median, spread=0.1):
    def shifted(by):
        return [None if value is None else value + by for value in median]

    band = {"median": median, "mean": median, "low": shifted(-spread), "high": shifted(spread)}
    return {
        "log10_norm": band, "log10_rms": band, "count": [1] * len(median), "zero_trials": 0, "zero_lag": None,
        "alive": {}, "rate": None, "trend": None, "half_life": None, "projected_horizon": None, "horizon": 0,
        "horizon_censored": False, "horizon_low": None, "horizon_high": None, "threshold": 1e-3,
        "verdict": "vanishing", "verdict_counts": {"vanishing": 1}, "peak": None,
    }  # fmt: skip


def straight(slope, steps):
    return [slope * lag for lag in range(steps + 1)]


def a_model(label, slope=-0.3, steps=20, trials=8, gated=True, median=None):
    names = BLOCKS if gated else ("state", "input")
    values = median or straight(slope, steps)
    gate = {"mean": 0.5, "quantiles": QUANTILES, "saturated": {"near_zero": 0.1, "near_one": 0.1}}
    claim = {"failure_probability": 0.0, "curve": "state", "claim": "upper", "value": 1.2}
    trial = {"rate": None, "log10_norm": values[-1], "verdict": "vanishing"}
    return {
        "label": label, "spec": label, "cell": "lstm", "hidden_size": 64, "input_size": 64, "state_size": 128,
        "steps": steps, "trials": trials, "input": "white", "caution": None, "input_gain": 1.0,
        "source": {"kind": "random", "law": "pytorch", "seed": 0},
        "curves": {name: curve([v if v is None else v - 0.1 * i for v in values]) for i, name in enumerate(names)},
        "share_by_lag": [0.5**lag for lag in range(1, steps)] + [0.5 ** (steps - 1)],
        "gates": dict.fromkeys(("input", "forget", "output"), gate) if gated else {},
        "time_constants": None,
        "bounds": [] if gated else [
            {"name": "gamma_norm", **claim, "holds": False, "log10_norm": straight(0.1, steps)},
            {"name": "spectral_radius", **claim, "holds": None, "log10_norm": None},
        ],
        "per_trial": [{"trial": i, **trial} for i in range(trials)],
        "check": {"jacobian_error": 1e-16, "tolerance": 1e-12, "steps": 3, "directions": 2},
        "engine": {"name": "dense", "final_rows": 64, "error_bound": 1e-12, "float32_loss": None},
        "notes": [],
    }  # fmt: skip


def a_document(*models, **request):
    run = {
        "steps": 20, "trials": 8, "seed": 0, "input": "white", "initial": "zeros", "burn_in": 0, "lengths": None,
        "threshold": 1e-3, "dtype": "float64", "engine": "auto", "backend": "numpy", "device": None, "band": "min-max",
    }  # fmt: skip
    file = dict.fromkeys(("embedding", "layout", "cell", "activation", "gate_activation", "reset"))
    asked = dict.fromkeys(("input_size", "tokens", "exponents", "lyapunov_steps", "cotangent", "truncation"))
    explained = {"source": "lstm", "only": [], "hidden": 64, "lags": [], "loss": "all", "layers": [], "stack": []}
    return {
        "format": "vanishgrad-explain", "format_version": FORMAT_VERSION, "vanishgrad": "0",
        "request": run | file | asked | explained | request, "models": list(models), "refused": [],
    }  # fmt: skip
