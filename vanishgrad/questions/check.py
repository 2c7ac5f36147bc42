"""`check`: does the gradient reach far enough? A report, judged for CI."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from vanishgrad.errors import VanishgradError
from vanishgrad.reports.documents.document import Document, header
from vanishgrad.reports.documents.reading import layer_curves


def judged(
    document: dict[str, Any], path: str, curve: str, horizon: int, threshold: float, max_rate: float | None
) -> Document:
    """Return the document of a check: every layer of a report against a horizon.

    A layer passes if the median norm is at `threshold` or above at every lag up to `horizon`, if it does not explode
    and if |rate| is at most `max_rate`.

    Raises
    ------
    VanishgradError
        If the report is shorter than the horizon.
    """
    rows = [
        _row(label, found, path, horizon, threshold, max_rate) for label, found in layer_curves(document, path, curve)
    ]
    asked = {"report": path, "curve": curve, "horizon": horizon, "threshold": threshold, "max_rate": max_rate}
    return {**header("check"), "request": asked, "passed": all(row["passed"] for row in rows), "layers": rows}


def _row(
    label: str, found: Mapping[str, Any], path: str, horizon: int, threshold: float, max_rate: float | None
) -> Document:
    measured, level = _measured(found), math.log10(threshold)
    last = len(found["count"]) - 1
    if last < horizon:
        raise VanishgradError(
            f"expected a report of at least {horizon} lags for --horizon {horizon}, got {last} of {label} "
            f"in {path!r}; try a longer run or a smaller --horizon"
        )
    gone = next((lag for lag, value in measured.items() if value < level), last + 1)
    reached = max((lag for lag in measured if lag < gone), default=-1)
    if 0 not in measured or last >= gone > reached + 1:
        raise VanishgradError(
            f"expected lag {max(reached, 0) + 1} of {label} in {path!r} to be measured, got lags {_some(measured)}; "
            f"try a report by compare --json --engine dense, or the same --threshold"
        )
    rate = found["rate"]["value"] if found["rate"] else None
    reasons = []
    if reached < horizon:
        reasons.append(f"reaches {reached} of {horizon} steps")
    if measured[last] > -level:
        reasons.append(f"explodes to 10^{measured[last]:.1f}")
    if max_rate is not None and (rate is None or abs(rate) > max_rate):
        reasons.append("has no rate" if rate is None else f"|rate| {abs(rate):.3g} > {max_rate:g}")
    return {
        "label": label,
        "horizon": reached,
        "censored": reached == last,
        "verdict": found["verdict"],
        "rate": rate,
        "passed": not reasons,
        "reasons": reasons,
    }


def _measured(found: Mapping[str, Any]) -> dict[int, float]:
    """Return log10 of the median norm at each lag that was measured, -inf for an exact zero."""
    by_lag = enumerate(zip(found["log10_norm"]["median"], found["count"], strict=True))
    return {lag: -math.inf if value is None else value for lag, (value, count) in by_lag if count}


def _some(lags: Collection[int]) -> str:
    first = [str(lag) for lag in list(lags)[:4]]
    return ", ".join(first) + (", …" if len(lags) > len(first) else "")


def to_text(document: Mapping[str, Any]) -> str:
    """Return one line for each layer."""
    lines = []
    for row in document["layers"]:
        mark = "ok  " if row["passed"] else "FAIL"
        horizon = f"{'> ' if row['censored'] else ''}{row['horizon']}"
        why = f": {'; '.join(row['reasons'])}" if row["reasons"] else ""
        lines.append(f"{mark} {row['label']}  horizon {horizon}, {row['verdict']}{why}")
    return "\n".join(lines) + "\n"
