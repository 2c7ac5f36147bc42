"""Gold files: what a reader sees does not change unnoticed.

Refresh with ``VANISHGRAD_REFRESH=1 python -m pytest tests/reports/test_gold.py``, and read the difference.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from vanishgrad.questions.compare import CompareDocument, CompareRequest, compare, comparison
from vanishgrad.reports.csv_rows import to_csv
from vanishgrad.reports.markdown import to_markdown
from vanishgrad.reports.table import to_table

GOLD = Path(__file__).parent / "gold"
REFRESH = "VANISHGRAD_REFRESH" in os.environ
REQUEST = CompareRequest(
    models=("rnn", "rnn@identity:activation=relu", "lstm:forget_bias=5", "gru@chrono"), hidden=8, steps=24, trials=3
)


@pytest.fixture(scope="module")
def document() -> CompareDocument:
    return comparison(compare(REQUEST))


def expected(name: str, text: str) -> str:
    path = GOLD / name
    if REFRESH:
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "render"), [("table.txt", lambda document: to_table(document)), ("table.md", to_markdown)]
)
def test_what_people_read(document, name, render):
    text = render(document)
    assert text == expected(name, text)


def test_table_fits_80_columns(document):
    assert max(len(line) for line in to_table(document).splitlines()) <= 80


def test_json_keeps_its_fields_and_numbers(document):
    """A refresh leaves numbers that differ by rounding alone as they are, so that its difference can be read."""
    text, gold = document.to_json(), GOLD / "compare.json"
    changes = list(differences(json.loads(text), json.loads(gold.read_text("utf-8")), "report"))
    if changes and REFRESH:
        gold.write_text(text, encoding="utf-8")
    assert REFRESH or not changes


def differences(value, gold, where: str) -> Iterator[str]:
    """Yield what is another field, or a number by more than 1e-9, which another BLAS may not reach for a residual."""
    if isinstance(gold, dict) and isinstance(value, dict) and list(value) == list(gold):
        for name in gold:
            yield from differences(value[name], gold[name], f"{where}.{name}")
    elif isinstance(gold, list) and isinstance(value, list) and len(value) == len(gold):
        for index, (left, right) in enumerate(zip(value, gold, strict=True)):
            yield from differences(left, right, f"{where}[{index}]")
    elif isinstance(gold, float) and isinstance(value, int | float):
        if value != pytest.approx(gold, rel=1e-9, abs=1e-9):
            yield where
    elif value != gold or type(value) is not type(gold):
        yield where


def test_csv_has_a_row_for_each_model_curve_and_lag(document):
    header, *rows = to_csv(document).splitlines()
    assert header.startswith("label,curve,lag,count,log10_norm_median,log10_norm_mean,log10_norm_low,log10_norm_high")
    lags = [len(curve.count) for model in document.models for curve in model.curves.values()]
    assert len(rows) == sum(lags)


def test_same_request_same_bytes(document):
    assert comparison(compare(REQUEST)).to_json() == document.to_json()
