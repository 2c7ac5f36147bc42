"""The comparison as CSV: one row for each model, curve and lag."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from vanishgrad.reports.documents.curve import BandDocument, CurveDocument
from vanishgrad.reports.documents.report import ModelsDocument

QUANTITIES = ("log10_norm", "log10_rms")
TRIAL_COLUMNS = ("label", "curve", "trial", "lag", "log10_norm")
STATISTICS = tuple(BandDocument.declared)


def to_csv(report: ModelsDocument) -> str:
    """Return long CSV of the lags that were measured, trial by trial if there are; an exact zero is an empty field."""
    if by_trial := list(trial_rows(report)):
        return csv_text(TRIAL_COLUMNS, by_trial)
    statistics = (f"{quantity}_{statistic}" for quantity in QUANTITIES for statistic in STATISTICS)
    return csv_text(["label", "curve", "lag", "count", *statistics], _rows(report))


def trial_rows(report: ModelsDocument) -> Iterator[tuple[str, str, int, int, float | None]]:
    """Yield label, curve, trial, lag and log₁₀ norm of the curves that have each trial's norms."""
    for model in report.models:
        for name, curve in model.curves.items():
            for trial, norms in enumerate(curve.by_trial):
                yield from ((model.label, name, trial, lag, norm) for lag, norm in enumerate(norms) if curve.count[lag])


def csv_text(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as CSV with a line of headings; None is an empty field."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows(rows)
    return out.getvalue()


def _rows(report: ModelsDocument) -> Iterator[list[Any]]:
    for model in report.models:
        for name, curve in model.curves.items():
            for lag, (count, *values) in enumerate(zip(curve.count, *columns(curve).values(), strict=True)):
                if count:
                    yield [model.label, name, lag, count, *values]


def columns(curve: CurveDocument) -> dict[str, Sequence[float | None]]:
    """Return the statistics of a curve's norms by their names in CSV, each by lag."""
    bands = {quantity: getattr(curve, quantity) for quantity in QUANTITIES}
    return {f"{name}_{statistic}": getattr(band, statistic) for name, band in bands.items() for statistic in STATISTICS}
