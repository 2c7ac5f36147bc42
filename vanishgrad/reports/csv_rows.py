"""The comparison as CSV: one row for each model, curve and lag."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

QUANTITIES = ("log10_norm", "log10_rms")
STATISTICS = ("median", "mean", "low", "high")


def to_csv(document: Mapping[str, Any]) -> str:
    """Return long CSV of the lags that were measured; an exact zero is an empty field."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["label", "curve", "lag", "count", *(f"{q}_{s}" for q in QUANTITIES for s in STATISTICS)])
    writer.writerows(_rows(document))
    return out.getvalue()


def _rows(document: Mapping[str, Any]) -> Iterator[list[Any]]:
    for model in document["models"]:
        for name, curve in model["curves"].items():
            series = [curve[quantity][statistic] for quantity in QUANTITIES for statistic in STATISTICS]
            for lag, (count, *values) in enumerate(zip(curve["count"], *series, strict=True)):
                if count:
                    yield [model["label"], name, lag, count, *values]
