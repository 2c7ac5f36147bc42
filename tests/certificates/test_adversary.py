"""No certificate is violated by gradient ascent on the inputs, measured in float64."""

from __future__ import annotations

import numpy as np
import pytest

from tests.certificates.nets import KINDS, net
from vanishgrad.cells import Cell
from vanishgrad.certificates import Certificate, decided, enclosed, lower
from vanishgrad.propagation.run import run

STEPS, ASCENTS = 4, 12
SCALES, BOUNDS, KEEPS = (0.05, 0.2, 0.5, 1.5), (0.0, 0.5, 2.0), (0.0, 3.0, 6.0)
ROOM = 1 + 1e-9
"""What float64 may be off by."""


def norms(cell: Cell, xs: np.ndarray) -> np.ndarray:
    """Return ‖∂s_T/∂s_0‖ along each sequence (B, T, d)."""
    trajectory = run(cell, xs, np.zeros((len(xs), cell.state_size)))
    steps = cell.linearise(trajectory, 0, xs.shape[1])
    P = np.tile(np.eye(cell.state_size), (len(xs), 1, 1))
    for t in range(1, xs.shape[1] + 1):
        before, P = P, np.empty_like(P)
        steps.tangent(t, before, P)
    return np.linalg.norm(P, 2, axis=(1, 2))


def sought(cell: Cell, bound: float, sign: float, random: np.random.Generator) -> float:
    """Return the most extreme norm that ascent from random inputs in the box comes to."""
    xs = bound * random.uniform(-1, 1, (STEPS, cell.input_size))
    best, rate, eps = sign * norms(cell, xs[None])[0], 0.3 * bound, 1e-5
    moves = eps * np.eye(xs.size).reshape(-1, *xs.shape)
    for _ in range(ASCENTS):
        values = sign * norms(cell, np.concatenate([xs + moves, xs - moves]))
        slope = (values[: xs.size] - values[xs.size :]).reshape(xs.shape)
        there = np.clip(xs + rate * np.sign(slope), -bound, bound)
        value = sign * norms(cell, there[None])[0]
        xs, best, rate = (there, value, rate) if value > best else (xs, best, rate / 2)
    return float(sign * best)


def repeated(cell: Cell, certificate: Certificate, periods: int) -> float:
    """Return ‖∂s_t/∂s_0‖^(1/t) along the repeated word from its cycle's state."""
    word = np.array(certificate.witness["word"])
    start = np.sum(certificate.witness["state"], axis=0)
    trajectory = run(cell, np.tile(word, (periods, 1))[None], start[None])
    steps, P, log_norm = cell.linearise(trajectory, 0, periods * len(word)), np.eye(cell.state_size)[None], 0.0
    for t in range(1, periods * len(word) + 1):
        before, P = P, np.empty_like(P)
        steps.tangent(t, before, P)
        size = np.linalg.norm(P)
        log_norm, P = log_norm + np.log(size), P / size
    return float(np.exp(log_norm / (periods * len(word))))


def judge(seed: int) -> list[str]:
    """Return which verdicts a random net's certificates have, none of which its inputs violate."""
    random = np.random.default_rng(seed)
    kind, scale, bound, keep = (random.choice(each) for each in (KINDS, SCALES, BOUNDS, KEEPS))
    n, d = random.integers(1, 4, 2)
    cell, bound = net(str(kind), int(n), int(d), float(scale), seed, float(keep)), float(bound)
    box = None if cell.name == "rnn" else bound
    shown = []
    for outcome in (decided(cell, box), lower(cell, box)):
        if outcome.certificate is None:
            continue
        claim = outcome.certificate.claim
        shown.append(claim["kind"])
        if claim["kind"] == "refuted":
            assert repeated(cell, outcome.certificate, 8) >= claim["rho"] / ROOM
        else:
            size = 10.0 if box is None else bound
            found = sought(cell, size, 1.0 if claim["kind"] == "upper" else -1.0, random)
            proved = claim["C"] * claim["rho"] ** STEPS
            assert found <= proved * ROOM if claim["kind"] == "upper" else found >= proved / ROOM
    xs = random.normal(size=(STEPS, cell.input_size))
    (bounds,) = enclosed(cell, [xs]).certificate.claim["sequences"]
    measured = norms(cell, xs[None])[0]
    assert bounds["state"]["low"][-1] / ROOM <= measured <= bounds["state"]["high"][-1] * ROOM
    return [*shown, "enclosure"]


def test_ascent_violates_no_certificate():
    shown = [kind for seed in range(8) for kind in judge(seed)]
    assert set(shown) == {"upper", "lower", "refuted", "enclosure"}


@pytest.mark.slow
def test_ascent_violates_none_of_a_thousand_certificates():
    shown = [kind for seed in range(8, 500) for kind in judge(seed)]
    assert len(shown) >= 1000
