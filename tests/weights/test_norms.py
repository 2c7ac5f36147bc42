"""Every fixture's Jacobian norms equal those of the framework that wrote it, at every lag, in float64."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vanishgrad.cells import Cell, StoredTrajectory
from vanishgrad.weights.recognition import recurrent_layers

FIXTURES = Path(__file__).parent / "fixtures"
RECORDS = [json.loads(path.read_text()) for path in sorted(FIXTURES.glob("expected_*.json"))]
CASES = [
    pytest.param(file, case, record["origin"], id=f"{file}-{case['layer']}")
    for record in RECORDS
    for case in record["cases"]
    for file in case["files"]
]
ROUNDOFFS = 2**16
"""Tolerance in units of roundoff: a dozen products of 8 × 8 matrices, and as much again in the frameworks' own."""


def trajectory(cell: Cell, xs: np.ndarray) -> StoredTrajectory:
    sequences, states, records = cell.input_preactivation(xs[None]), [np.zeros((1, cell.state_size))], []
    for t in range(len(xs)):
        state, record = cell.advance(t + 1, sequences[t], states[-1])
        states.append(state)
        records.append(record)
    return StoredTrajectory(np.stack(states), np.stack(records))


def norms(cell: Cell, run: StoredTrajectory, length: int) -> list[float]:
    """‖ds_T/ds_k‖₂ at lag 0 … T, by dense products in the plainest way."""
    steps = cell.linearise(run, 0, length)
    product, found = np.eye(cell.state_size), [1.0]
    for t in range(length, 0, -1):
        product = product @ steps.dense(t)[0]
        found.append(float(np.linalg.norm(product, 2)))
    return found


@pytest.mark.parametrize(("file", "case", "origin"), CASES)
def test_norms_equal_the_frameworks_own(file: str, case: dict[str, Any], origin: str) -> None:
    xs = np.array(case["inputs"])
    cell = recurrent_layers(FIXTURES / file, **case["hints"])[case["layer"]].build()
    run = trajectory(cell, xs)
    tolerance = case.get("tolerance", ROUNDOFFS * np.finfo(float).eps)
    np.testing.assert_allclose(norms(cell, run, len(xs)), case["norms"], rtol=tolerance, err_msg=origin)
    if "states" in case:
        np.testing.assert_allclose(run.states[1:, 0], case["states"], rtol=0, atol=tolerance, err_msg=origin)
