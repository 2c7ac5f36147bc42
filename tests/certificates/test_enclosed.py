"""Enclosures along sequences hold what 60-digit arithmetic finds, are narrow, and are refused once narrowed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest

from tests.certificates.nets import DIGITS, KINDS, jacobians, net
from vanishgrad import random_cell
from vanishgrad.cells import ACTIVATIONS, RNN
from vanishgrad.certificates import CertificateVerdict, CertifyRequest, certify, check, enclosed, verify
from vanishgrad.certificates.certificate import digest
from vanishgrad.certificates.checking.verdict import Inequalities, Refuted, Undecided
from vanishgrad.certificates.enclosure_along_sequence import enclosure
from vanishgrad.certificates.equivalent_gru import equivalent_gru
from vanishgrad.certificates.fixed_point_run import fixed_point_run
from vanishgrad.certificates.float_arrays import FloatArray
from vanishgrad.certificates.limb_arrays import LIMB_BITS, LimbArray, of_floats
from vanishgrad.certificates.matrix_norms import (
    accurate_product,
    largest_singular_value,
    quick_norm_up,
    smallest_singular_value,
)
from vanishgrad.certificates.step_jacobians import FLOATS, StepJacobians, limbs
from vanishgrad.certificates.subject import digest_of, subject

STEPS = 12


def target(cell):
    return equivalent_gru(subject(cell))


def exact(x: LimbArray) -> mp.matrix:
    """Return what the limbs stand for."""
    powers = [mp.mpf(2) ** (LIMB_BITS * (x.exponent - 1 - place)) for place in range(x.count)]
    rows, columns = x.limbs.shape[1:]
    return mp.matrix(
        [
            [mp.fsum(mp.mpf(float(x.limbs[k, i, j])) * powers[k] for k in range(x.count)) for j in range(columns)]
            for i in range(rows)
        ]
    )


def largest_entry(A: mp.matrix) -> mp.mpf:
    return max(abs(each) for each in A)


@pytest.fixture(autouse=True)
def many_digits():
    with mp.workdps(2 * DIGITS):
        yield


@pytest.mark.parametrize("seed", range(6))
def test_products_and_sums_of_limbs_are_within_their_error(seed):
    random = np.random.default_rng(seed)
    scale = 10.0 ** random.integers(-12, 13, 2)
    X, Y = (size * random.normal(size=(7, 7)) * 2.0 ** random.integers(-30, 1, (7, 7)) for size in scale)
    x, y = of_floats(X, 5), of_floats(Y, 5)
    for result, formed in ((x @ y, exact(x) * exact(y)), (x + y, exact(x) + exact(y))):
        assert largest_entry(exact(result) - formed) <= result.error
        assert result.error <= 1e-20 * max(1, float(largest_entry(exact(x))), float(scale.prod()))
        assert largest_entry(mp.matrix(result.floats.tolist()) - formed) <= result.float_error
    both = x * y
    assert (
        max(abs(exact(both)[i, j] - exact(x)[i, j] * exact(y)[i, j]) for i in range(7) for j in range(7)) <= both.error
    )


@pytest.mark.parametrize("kind", KINDS)
def test_jacobians_of_limbs_are_within_their_error(kind):
    cell = net(kind, 3, 2, 1.0, 0)
    xs = np.random.default_rng(1).normal(size=(4, 2))
    run, step = fixed_point_run(target(cell), xs, 200), StepJacobians(target(cell), limbs(6))
    for t, J in enumerate(jacobians(cell, xs), start=1):
        found = step.recurrent(run, t)
        assert largest_entry(exact(found) - J) <= found.error + mp.mpf(10) ** -50
        assert found.error < 1e-28


@pytest.mark.parametrize("kind", KINDS)
def test_jacobians_and_products_of_float64_are_within_their_error(kind):
    cell = net(kind, 3, 2, 1.0, 0)
    xs = np.random.default_rng(1).normal(size=(4, 2))
    run, step = fixed_point_run(target(cell), xs, 80), StepJacobians(target(cell), FLOATS)
    P, exact_product = FloatArray(np.eye(cell.state_size)), mp.eye(cell.state_size)
    for t, J in enumerate(jacobians(cell, xs), start=1):
        found = step.recurrent(run, t)
        P, exact_product = found @ P, J * exact_product
        assert mp.mnorm(mp.matrix(found.floats.tolist()) - J, "f") <= found.spread < 1e-13
        assert mp.mnorm(mp.matrix(P.floats.tolist()) - exact_product, "f") <= P.spread < 1e-11


@pytest.mark.parametrize("size", [5, 70, 97])
def test_a_product_by_chunks_is_within_its_error(size):
    A, B = np.random.default_rng(size).normal(size=(2, 4, size))
    result, error = accurate_product(A, np.ascontiguousarray(B.T))
    exact_product = mp.matrix(A.tolist()) * mp.matrix(B.T.tolist())
    assert mp.mnorm(mp.matrix(result.tolist()) - exact_product, "f") <= error < 1e-11


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(2))
def test_enclosures_hold_the_singular_values_and_are_narrow(kind, seed):
    cell = net(kind, 3, 2, 1.5, seed)
    xs = np.random.default_rng(seed).normal(size=(STEPS, 2))
    found, P = enclosure(target(cell), xs, 0), mp.eye(cell.state_size)
    for lag, J in enumerate(reversed(jacobians(cell, xs))):
        P = P * J
        values = list(mp.svd_r(P, compute_uv=False))
        (low, high), (least_low, least_high) = found.state[lag], found.sigma_min[lag]
        assert low <= max(values) <= high
        assert least_low <= min(values) <= least_high
    assert found.width < 1e-8


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru-after"])
def test_beyond_float64_s_condition_the_least_singular_value_has_a_bound_above_zero(kind, tmp_path):
    cell, xs = net(kind, 3, 2, 0.6, 1), np.random.default_rng(1).normal(size=(30, 2))
    outcome = enclosed(cell, [xs])
    bounds, P = outcome.certificate.claim["sequences"][0]["sigma_min"], mp.eye(cell.state_size)
    for lag, J in enumerate(reversed(jacobians(cell, xs))):
        P = P * J
        assert 0 < bounds["low"][lag] <= min(mp.svd_r(P, compute_uv=False)) <= bounds["high"][lag]
    assert max(mp.svd_r(P, compute_uv=False)) / min(mp.svd_r(P, compute_uv=False)) > 1e16
    assert outcome.certificate.witness["blocks"][0]
    inputs = {"file": "x.npy", "sha256": digest_of({"inputs": xs})}
    certificate = replace(outcome.certificate, claim={**outcome.certificate.claim, "inputs": inputs})
    verify(certificate, subject(cell), xs, Inequalities())
    with pytest.raises(Undecided, match="sigma_min"):
        verify(replace(certificate, witness={}), subject(cell), xs, Inequalities())
    bounds["low"][-1] = min(1e3 * bounds["low"][-1], bounds["high"][-1])
    with pytest.raises((Undecided, Refuted), match="sigma_min"):
        verify(certificate, subject(cell), xs, Inequalities())


@pytest.mark.parametrize("kind", KINDS[:5])
def test_a_start_of_its_own_is_where_the_run_begins(kind):
    cell, random = net(kind, 3, 2, 1.5, 0), np.random.default_rng(4)
    xs, s0, P = random.normal(size=(4, 2)), random.normal(size=cell.state_size) / 3, mp.eye(cell.state_size)
    found = enclosure(target(cell), xs, 0, s0)
    for J in jacobians(cell, xs, s0):
        P = J * P
    assert found.state[-1][0] <= max(mp.svd_r(P, compute_uv=False)) <= found.state[-1][1]
    assert found.width < 1e-8


@pytest.mark.parametrize("options", [{"along": "X"}, {"input": "X", "claim": "lower"}])
def test_a_certificate_names_its_starts_and_is_refused_once_they_move(options, tmp_path):
    inputs, starts = str(tmp_path / "x.npy"), str(tmp_path / "s0.npy")
    np.save(inputs, np.random.default_rng(0).normal(size=(1, 4, 3)))
    np.save(starts, np.array([[0.1, -0.2, 0.3, 0.7]]))
    path = tmp_path / "cert.json"
    given = {name: inputs if value == "X" else value for name, value in options.items()}
    request = CertifyRequest("gru", str(path), hidden=4, input_size=3, initial=starts, **given)
    for name, content in certify(request).files.items():
        Path(name).write_bytes(content)
    content = json.loads(path.read_text())
    assert content["claim"]["starts"] == [[0.1, -0.2, 0.3, 0.7]]
    assert "from the start that it names" in check(str(path)).reason
    for moved in ([[0.1, -0.2, 0.3, 0.71]], [[0.0] * 4], [[0.1]], []):
        content["claim"]["starts"] = moved
        content["sha256"] = digest(content)
        path.write_text(json.dumps(content))
        assert check(str(path)).verdict is not CertificateVerdict.VALID or "claim" in options


@pytest.mark.parametrize("kind", KINDS)
def test_the_input_is_enclosed_by_a_difference_quotient(kind):
    cell, eps = net(kind, 3, 2, 1.0, 1), 1e-6
    xs = np.random.default_rng(2).normal(size=(5, 2))
    found = enclosure(target(cell), xs, 0)
    for lag in range(5):
        columns = []
        for j in range(2):
            shifted = [xs.copy(), xs.copy()]
            shifted[0][4 - lag, j] += eps
            shifted[1][4 - lag, j] -= eps
            ends = [_last_state(cell, each) for each in shifted]
            columns.append((ends[0] - ends[1]) / (2 * eps))
        measured = np.linalg.norm(np.array(columns).T, 2)
        assert found.input[lag][0] == pytest.approx(measured, rel=1e-7)


def _last_state(cell, xs):
    from vanishgrad.propagation.run import run

    return run(cell, xs[None], np.zeros((1, cell.state_size))).states[-1, 0]


@pytest.mark.parametrize("seed", range(4))
def test_norms_of_float64_matrices_are_enclosed(seed):
    A = np.random.default_rng(seed).normal(size=(5, 5)) * 10.0 ** (40 * seed - 60)
    values = mp.svd_r(mp.matrix(A.tolist()), compute_uv=False)
    low, high = largest_singular_value(A)
    assert low <= values[0] <= high <= low * (1 + 1e-11)
    low, high, _ = smallest_singular_value(A)
    assert low <= values[4] <= high <= low * (1 + 1e-9)
    assert values[0] <= quick_norm_up(A) <= values[0] * 5**0.125 * 1.001


def test_relu_has_no_enclosure_where_a_pre_activation_is_at_its_kink():
    cell = RNN(np.eye(2) * 0.5, np.eye(2), np.zeros(2), ACTIVATIONS["relu"])
    assert enclosed(cell, [np.ones((4, 2))]).certificate is not None
    assert "could not be enclosed" in enclosed(cell, [np.zeros((4, 2))]).reason


def test_what_leaves_the_range_of_float64_is_said():
    cell = RNN(np.eye(2) * 1e4, np.eye(2), np.zeros(2), ACTIVATIONS["linear"])
    assert "could not be enclosed" in enclosed(cell, [np.ones((100, 2))]).reason


def test_a_relu_is_not_enclosed_a_unit_from_its_kink():
    cell = RNN(np.eye(1), np.eye(1), np.zeros(1), ACTIVATIONS["relu"])
    assert "could not be enclosed" in enclosed(cell, [np.full((1, 1), 2.0**-900)]).reason


def test_a_run_that_grows_is_enclosed_with_more_digits():
    cell = random_cell("rnn@gaussian:gain=8", hidden=16)
    found = enclosure(target(cell), np.random.default_rng(0).normal(size=(60, cell.input_size)), 0)
    assert found.width < 1e-8


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("enclosure")
    np.save(folder / "x.npy", np.random.default_rng(0).normal(size=(2, 6, 3)))
    path = folder / "cert.json"
    request = CertifyRequest("gru", str(path), along=str(folder / "x.npy"), hidden=4, input_size=3, start=2)
    for name, content in certify(request).files.items():
        Path(name).write_bytes(content)
    return path


def test_every_sequence_has_bounds_for_every_lag(certificate):
    claim = json.loads(certificate.read_text())["claim"]
    assert claim["lengths"] == [6, 6]
    assert [len(each["state"]["low"]) for each in claim["sequences"]] == [4, 4]
    assert check(str(certificate)).verdict is CertificateVerdict.VALID


@pytest.mark.parametrize("quantity", ["state", "sigma_min", "input"])
@pytest.mark.parametrize(("side", "factor"), [("low", 1 + 1e-6), ("high", 1 - 1e-6)])
def test_a_bound_beyond_the_truth_is_refused(certificate, quantity, side, factor):
    content = json.loads(certificate.read_text())
    bounds = content["claim"]["sequences"][1][quantity]
    other = "high" if side == "low" else "low"
    bounds[side][2] *= factor
    bounds[other][2] *= 1 + (factor - 1) * 2
    content["sha256"] = digest(content)
    path = certificate.parent / "narrow.json"
    path.write_text(json.dumps(content))
    assert check(str(path)).verdict is CertificateVerdict.INVALID


def test_bounds_without_room_between_them_are_not_shown(certificate):
    content = json.loads(certificate.read_text())
    bounds = content["claim"]["sequences"][0]["state"]
    bounds["low"][1] = bounds["high"][1] = (bounds["low"][1] + bounds["high"][1]) / 2
    content["sha256"] = digest(content)
    path = certificate.parent / "point.json"
    path.write_text(json.dumps(content))
    assert check(str(path)).verdict is not CertificateVerdict.VALID


def test_wider_bounds_are_valid(certificate):
    content = json.loads(certificate.read_text())
    for sequence in content["claim"]["sequences"]:
        for bounds in sequence.values():
            bounds["low"] = [each * 0.99 for each in bounds["low"]]
            bounds["high"] = [each * 1.01 for each in bounds["high"]]
    content["sha256"] = digest(content)
    path = certificate.parent / "wide.json"
    path.write_text(json.dumps(content))
    assert check(str(path)).verdict is CertificateVerdict.VALID


def test_a_minimal_gated_unit_is_enclosed_as_the_gru_that_it_equals(tmp_path):
    path = tmp_path / "cert.json"
    for name, content in certify(CertifyRequest("mgu", str(path), along="white", hidden=3, steps=5)).files.items():
        Path(name).write_bytes(content)
    assert check(str(path)).verdict is CertificateVerdict.VALID
