"""A difference says each layer's verdict and horizon first."""

from __future__ import annotations

import numpy as np

import vanishgrad


def linear(factor: float) -> dict[str, np.ndarray]:
    """Return a linear network whose products are factor^lag I exactly."""
    return {"weight_hh_l0": factor * np.eye(3), "weight_ih_l0": np.zeros((3, 1))}


def test_a_page_and_its_report_do_not_differ_by_the_digits_that_the_page_leaves_out(tmp_path):
    report, page, json = vanishgrad.compare(["lstm"], hidden=4, steps=20), tmp_path / "page.html", tmp_path / "r.json"
    page.write_text(report.to_html(), encoding="utf-8")
    json.write_text(report.to_json(), encoding="utf-8")
    assert "no difference" in str(vanishgrad.diff(str(page), str(json)))


def test_verdict_and_horizon_come_first():
    found = vanishgrad.diff(linear(0.25), linear(1.0), cell="rnn", activation="linear", input="zeros", steps=20)
    lines = str(found).splitlines()
    first = next(i for i, line in enumerate(lines) if "→" in line) + 1
    # 0.25^4 = 0.0039 and 0.25^5 = 0.00098, of the threshold 0.001
    assert "vanishing, horizon 4 → preserved, horizon > 20" in lines[first]
    assert "rate" in lines[first + 1]
