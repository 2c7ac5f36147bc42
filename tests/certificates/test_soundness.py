"""No certificate says more than 60-digit arithmetic finds, and the checker confirms every one that the prover makes."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from tests.certificates.nets import DIGITS, KINDS, jacobians, matrix, net, norm, scaled
from vanishgrad.cells import Cell
from vanishgrad.certificates import Outcome, along, lower, upper, verify
from vanishgrad.certificates.checking.verdict import Inequalities
from vanishgrad.certificates.subject import subject

STEPS, SEQUENCES = 5, 2
SCALES, BOUNDS, KEEPS = (0.05, 0.2, 0.5), (0.0, 0.5, 2.0), (0.0, 3.0, 6.0)


def drawn(seed: int) -> tuple[Cell, float]:
    """Return a random small net and a bound of its inputs."""
    random = np.random.default_rng(seed)
    kind, scale, bound, keep = (random.choice(each) for each in (KINDS, SCALES, BOUNDS, KEEPS))
    n, d = random.integers(1, 4, 2)
    return net(str(kind), int(n), int(d), float(scale) * (2 if kind == "rnn" else 1), seed, float(keep)), float(bound)


def sequences(cell: Cell, bound: float, seed: int) -> list[np.ndarray]:
    """Return inputs at corners of the box, where gates are as open and as shut as they get; an rnn's are unbounded."""
    random = np.random.default_rng(seed)
    size = 10.0 if cell.name == "rnn" else bound
    return [size * random.choice([-1.0, 1.0, 0.0], (STEPS, cell.input_size)) for _ in range(SEQUENCES)]


def products(cell: Cell, xs: np.ndarray) -> list[tuple[int, mp.matrix]]:
    """Return (lag, J_{t:k}) for k = 0 and for t = T."""
    each = jacobians(cell, xs)
    forward, backward = [each[0]], [each[-1]]
    for J in each[1:]:
        forward.append(J * forward[-1])
    for J in reversed(each[:-1]):
        backward.append(backward[-1] * J)
    return [(lag + 1, J) for found in (forward, backward) for lag, J in enumerate(found)]


def demand_confirmed(outcome: Outcome, cell: Cell, xs: np.ndarray | None = None) -> None:
    verify(outcome.certificate, subject(cell), xs, Inequalities())


def judge(seed: int) -> None:
    judge_cell(*drawn(seed), seed)


def judge_cell(cell: Cell, bound: float, seed: int) -> None:
    if (proved := upper(cell, bound)).certificate is not None:
        demand_confirmed(proved, cell)
        C, rho = (mp.mpf(proved.certificate.claim[name]) for name in ("C", "rho"))
        for xs in sequences(cell, bound, seed):
            for lag, J in products(cell, xs):
                assert norm(J) <= C * rho**lag, (seed, lag)
    if (proved := lower(cell, bound)).certificate is not None:
        demand_confirmed(proved, cell)
        C, rho = (mp.mpf(proved.certificate.claim[name]) for name in ("C", "rho"))
        for xs in sequences(cell, bound, seed):
            for lag, J in products(cell, xs):
                assert norm(J) >= C * rho**lag, (seed, lag)


def judge_along(seed: int) -> None:
    cell, _ = drawn(seed)
    xs = np.random.default_rng(seed).normal(size=(STEPS, cell.input_size))
    outcome = along(cell, xs, seed % STEPS)
    J = mp.eye(cell.state_size)
    for each in jacobians(cell, xs)[seed % STEPS :]:
        J = each * J
    if outcome.certificate is None:
        assert norm(J) < 1e-290
        return
    value = mp.mpf(outcome.certificate.claim["value"])
    assert norm(J) * (1 - mp.mpf("1e-5")) <= value <= norm(J), seed


@pytest.fixture(autouse=True)
def sixty_digits():
    with mp.workdps(DIGITS):
        yield


@pytest.mark.parametrize("seed", range(40))
def test_no_claim_is_unsound(seed):
    judge(seed)


@pytest.mark.parametrize("kind", KINDS[1:])
@pytest.mark.parametrize("keep", [20.0, 30.0, 40.0, 100.0])
def test_no_claim_of_an_open_keep_gate_is_unsound(kind, keep):
    cell = net(kind, 3, 2, 0.3, 0, keep)
    assert lower(cell, 1.0).certificate is not None
    judge_cell(cell, 1.0, 0)


@pytest.mark.parametrize("seed", range(20))
def test_no_claim_along_a_sequence_is_unsound(seed):
    judge_along(seed)


@pytest.mark.slow
@pytest.mark.parametrize("hundred", range(10))
def test_no_claim_is_unsound_in_a_thousand_nets(hundred):
    for seed in range(1000 + 100 * hundred, 1100 + 100 * hundred):
        judge(seed)
        judge_along(seed)


def test_the_sample_has_every_kind_of_proof():
    """A soundness test that sees no certificate would be worth nothing."""
    methods = set()
    for seed in range(40):
        cell, bound = drawn(seed)
        for outcome in (upper(cell, bound), lower(cell, bound)):
            if outcome.certificate is not None:
                methods.add((cell.name, outcome.certificate.method))
    assert {
        ("rnn", "scaled_norm"),
        ("lstm", "cone"),
        ("gru", "cone"),
        ("gru", "gram_norms"),
        ("mgu", "gram_norms"),
    } <= methods
    assert any(name == "lstm" and method in ("gram_norms", "block_norms", "max_norm") for name, method in methods)


@pytest.mark.parametrize("seed", range(10))
def test_the_scaled_norm_of_a_certificate_is_above_60_digits(seed):
    cell = net("rnn", 4, 2, 0.5, 3 * seed)
    for attempt in upper(cell).attempts:
        if attempt.method == "scaled_norm":
            true = norm(scaled(matrix(cell.W_hh[0]), attempt.witness["scale"]))
            assert true <= mp.mpf(attempt.witness["mu"]) <= true * (1 + mp.mpf(2) ** -40)


@pytest.mark.parametrize("kind", KINDS)
def test_along_a_longer_sequence_the_checker_agrees(kind):
    cell = net(kind, 6, 3, 1.0, 0)
    xs = np.random.default_rng(0).normal(size=(40, 3))
    demand_confirmed_along(cell, xs)


def demand_confirmed_along(cell: Cell, xs: np.ndarray) -> None:
    from dataclasses import replace

    from vanishgrad.certificates.subject import digest_of

    certificate = along(cell, xs).certificate
    claim = {**certificate.claim, "inputs": {"file": "", "sha256": digest_of({"inputs": xs})}}
    verify(replace(certificate, claim=claim), subject(cell), xs, Inequalities())
