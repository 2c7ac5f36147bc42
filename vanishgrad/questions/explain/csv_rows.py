"""An explanation as CSV: one row for each number, of the curves first, then of each section."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from vanishgrad.questions.explain.document import SECTION_REPORTS, shown_sections
from vanishgrad.reports.csv_rows import QUANTITIES, STATISTICS

HEADINGS = ("label", "section", "series", "index", "value")
CURVES = "curves"


def to_csv(document: Mapping[str, Any]) -> str:
    """Return long CSV; an exact zero's logarithm is an empty field."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADINGS)
    for model in document["models"]:
        writer.writerows([model["label"], CURVES, *row] for row in _curves(model))
        for name in shown_sections(model):
            writer.writerows([model["label"], name, *row] for row in SECTION_REPORTS[name].series(model[name]))
    return out.getvalue()


def _curves(model: Mapping[str, Any]) -> Iterator[tuple[str, int, float | None]]:
    for name, curve in model["curves"].items():
        for quantity in QUANTITIES:
            for statistic in STATISTICS:
                for lag, value in enumerate(curve[quantity][statistic]):
                    yield f"{name}.{quantity}_{statistic}", lag, value
