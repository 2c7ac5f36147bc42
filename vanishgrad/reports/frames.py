"""Reports as data frames of pandas and data sets of xarray, each asked for only when it is wanted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from vanishgrad.errors import VanishgradError
from vanishgrad.reports.csv_rows import QUANTITIES, STATISTICS, TRIAL_COLUMNS, columns, trial_rows
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.documents.report import ModelsDocument

if TYPE_CHECKING:
    import pandas
    import xarray


def library(name: str) -> Any:
    """Import an optional library, or say how to install it."""
    try:
        return import_module(name)
    except ImportError:
        raise VanishgradError(f"expected {name}, got none; try pip install 'vanishgrad[{name}]'") from None


def by_model(report: ModelsDocument) -> pandas.DataFrame:
    """Return a row for each model, indexed by its label."""
    rows = [{"label": model.label, **dict(_members(model))} for model in report.models]
    return library("pandas").DataFrame(rows).set_index("label")


def _members(model: ModelDocument) -> Iterator[tuple[str, Any]]:
    yield from ((name, getattr(model, name)) for name in ("cell", "hidden_size", "steps", "trials", "input", "caution"))
    for name, curve in model.curves.items():
        yield f"{name}.verdict", curve.verdict
        yield f"{name}.horizon", curve.horizon
        yield f"{name}.horizon_censored", curve.horizon_censored
        yield f"{name}.rate", curve.rate.value if curve.rate else None
        yield f"{name}.log10_norm", curve.log10_norm.median[curve.common_lag]
    yield from ((f"gate.{name}", gate.mean) for name, gate in model.gates.items())


def by_lag(report: ModelsDocument) -> pandas.DataFrame:
    """Return a row for each model, curve and lag that was measured: the CSV's columns."""
    rows = [
        {
            "label": model.label,
            "curve": name,
            "lag": lag,
            "count": count,
            **{key: each[lag] for key, each in columns(curve).items()},
        }
        for model in report.models
        for name, curve in model.curves.items()
        for lag, count in enumerate(curve.count)
        if count
    ]
    return library("pandas").DataFrame(rows)


def by_trial(report: ModelsDocument) -> pandas.DataFrame:
    """Return a row for each model, curve, trial and lag, where each trial's norms were asked for."""
    rows = list(trial_rows(report))
    if not rows:
        raise VanishgradError(
            "expected a report with each trial's norms, got statistics over trials; try per_trial=True"
        )
    return library("pandas").DataFrame(rows, columns=list(TRIAL_COLUMNS))


def dataset(report: ModelsDocument) -> xarray.Dataset:
    """Return log₁₀ norms over (model, curve, statistic, lag), and over (model, curve, trial, lag) where they are known.

    NaN where nothing was measured, -inf for a trial's exact zero; the request as attrs.
    """
    names = list(dict.fromkeys(name for model in report.models for name in model.curves))
    lags = 1 + max(curve.last for model in report.models for curve in model.curves.values())
    shape = (len(report.models), len(names), len(STATISTICS), lags)
    values = {quantity: np.full(shape, np.nan) for quantity in QUANTITIES}
    for i, model in enumerate(report.models):
        for name, curve in model.curves.items():
            for quantity, array in values.items():
                for k, statistic in enumerate(STATISTICS):
                    by_lag = np.array(getattr(getattr(curve, quantity), statistic), dtype=float)
                    array[i, names.index(name), k, : len(by_lag)] = by_lag
    axes = ("model", "curve", "statistic", "lag")
    trials = max((len(curve.by_trial) for model in report.models for curve in model.curves.values()), default=0)
    by_trial = np.full((len(report.models), len(names), trials, lags), np.nan)
    labels = [model.label for model in report.models]
    for label, name, trial, lag, norm in trial_rows(report):
        by_trial[labels.index(label), names.index(name), trial, lag] = -np.inf if norm is None else norm
    variables = {quantity: (axes, array) for quantity, array in values.items()}
    if trials:
        variables["log10_norm_by_trial"] = (("model", "curve", "trial", "lag"), by_trial)
    coordinates = {"model": labels, "curve": names,
                   "statistic": list(STATISTICS), "lag": np.arange(lags)}  # fmt: skip
    return library("xarray").Dataset(
        variables,
        {name: np.array(each, dtype=object) if name != "lag" else each for name, each in coordinates.items()},
        {"vanishgrad": json.dumps({**report.header(), "request": report.request.to_dict()})},
    )
