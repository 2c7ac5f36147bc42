"""Bounds over all words of an alphabet hold what 60-digit arithmetic finds word by word, and are refused once moved."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest

from tests.certificates.nets import DIGITS, KINDS, jacobians, net, norm
from vanishgrad.cells import ACTIVATIONS, RNN
from vanishgrad.certificates import CertificateVerdict, CertifyRequest, certify, check, verify
from vanishgrad.certificates.certificate import digest, statement
from vanishgrad.certificates.checking.verdict import Inequalities, Undecided
from vanishgrad.certificates.rounded_steps import RoundedSteps
from vanishgrad.certificates.subject import digest_of, subject
from vanishgrad.certificates.word_norms import word_norms
from vanishgrad.errors import UsageError


@pytest.mark.parametrize("kind", KINDS)
def test_every_word_is_within_the_bounds_and_the_ends_are_attained(kind):
    cell, rows = net(kind, 3, 2, 1.0, 1), np.random.default_rng(2).normal(size=(3, 2))
    certificate = word_norms(cell, rows, 3).certificate
    least, greatest = certificate.claim["least"], certificate.claim["greatest"]
    with mp.workdps(DIGITS):
        norms = {}
        for word in product(range(3), repeat=3):
            first, second, third = jacobians(cell, rows[list(word)])
            norms[word] = norm(third * second * first)
    assert least["low"] <= min(norms.values()) <= norms[tuple(least["word"])] <= least["high"]
    assert greatest["low"] <= norms[tuple(greatest["word"])] <= max(norms.values()) <= greatest["high"]
    assert least["high"] <= least["low"] * (1 + 1e-8) and greatest["high"] <= greatest["low"] * (1 + 1e-8)
    inputs = {"file": "x.npy", "sha256": digest_of({"inputs": rows})}
    shown = Inequalities()
    verify(replace(certificate, claim={**certificate.claim, "inputs": inputs}), subject(cell), rows, shown)
    assert "low ≤ norm ≤ high for 27 words, and both ends are attained" in shown.shown


@pytest.mark.parametrize("kind", KINDS[:4])
def test_what_a_rounded_step_is_off_by_is_within_its_bounds(kind):
    cell, rows = net(kind, 3, 2, 2.0, 0), np.random.default_rng(1).normal(size=(2, 2))
    taken = RoundedSteps(subject(cell), rows)
    steps, identity = taken(np.zeros(cell.state_size)), np.eye(cell.state_size)
    shared = taken.shared(identity)
    with mp.workdps(DIGITS):
        for row in range(2):
            (J,) = jacobians(cell, rows[row : row + 1])
            found = taken.products(steps, slice(row, row + 1), identity, shared)[0]
            room = steps.rounding + taken.product_error(steps, identity, shared)
            assert norm(mp.matrix(found.tolist()) - J) <= room < 1e-7
            assert norm(J) <= steps.norm + steps.rounding


def test_words_whose_relu_may_be_at_its_kink_are_not_enclosed():
    cell = RNN(np.eye(2) * 0.5, np.eye(2), np.zeros(2), ACTIVATIONS["relu"])
    assert word_norms(cell, np.array([[1.0, 2.0], [3.0, 1.0]]), 2).certificate is not None
    assert "could not all be enclosed" in word_norms(cell, np.array([[0.0, 2.0]]), 2).reason


def test_too_many_words_are_refused():
    with pytest.raises(UsageError, match="at most 1000000 words"):
        word_norms(net("rnn", 2, 1, 1.0, 0), np.zeros((10, 1)), 7)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("words")
    np.save(folder / "rows.npy", np.random.default_rng(0).normal(size=(3, 3)))
    path = folder / "cert.json"
    request = CertifyRequest("gru", str(path), alphabet=str(folder / "rows.npy"), length=2, hidden=4, input_size=3)
    for name, content in certify(request).files.items():
        Path(name).write_bytes(content)
    return path


def changed(certificate: Path, end: str, **fields: object) -> CertificateVerdict:
    content = json.loads(certificate.read_text())
    content["claim"][end].update(fields)
    content["statement"] = statement(content["claim"], content["model"])
    content["sha256"] = digest(content)
    path = certificate.parent / "changed.json"
    path.write_text(json.dumps(content))
    return check(str(path)).verdict


def test_rows_keep_the_order_of_their_file(certificate):
    rows = np.load(certificate.parent / "rows.npy")
    np.testing.assert_array_equal(np.load(certificate.parent / "cert.inputs.npy"), rows)
    assert check(str(certificate)).verdict is CertificateVerdict.VALID


def test_narrowed_bounds_and_moved_words_are_refused(certificate):
    claim = json.loads(certificate.read_text())["claim"]
    least, greatest = claim["least"], claim["greatest"]
    other = (least["word"][0] + 1) % 3
    for end, fields in (
        ("least", {"low": least["high"] * (1 + 1e-7), "high": least["high"] * (1 + 2e-7)}),
        ("least", {"high": least["low"] * (1 - 1e-7), "low": least["low"] * (1 - 2e-7)}),
        ("greatest", {"high": greatest["low"] * (1 - 1e-7), "low": greatest["low"] * (1 - 2e-7)}),
        ("greatest", {"low": greatest["high"] * (1 + 1e-7), "high": greatest["high"] * (1 + 2e-7)}),
        ("least", {"word": [other, other]}),
        ("greatest", {"word": greatest["word"][:1]}),
        ("greatest", {"word": [3, 0]}),
    ):
        assert changed(certificate, end, **fields) is CertificateVerdict.INVALID, (end, fields)


def test_wider_bounds_are_valid(certificate):
    claim = json.loads(certificate.read_text())["claim"]
    assert changed(certificate, "least", low=claim["least"]["low"] * 0.9) is CertificateVerdict.VALID


def test_the_last_bit_of_a_weight_counts(certificate):
    rows = np.load(certificate.parent / "cert.inputs.npy")
    cell = net("rnn", 4, 3, 1.0, 0)
    outcome = word_norms(cell, rows, 2)
    inputs = {"file": "x.npy", "sha256": digest_of({"inputs": rows})}
    cell.W_hh[0, 0, 0] = np.nextafter(cell.W_hh[0, 0, 0], 2)
    with pytest.raises(Exception, match="sha256"):
        verify(
            replace(outcome.certificate, claim={**outcome.certificate.claim, "inputs": inputs}),
            subject(cell), rows, Inequalities(),
        )  # fmt: skip


def test_a_run_that_intervals_lose_goes_through_integers():
    rows = np.random.default_rng(0).normal(size=(2, 3))
    cell = net("gru-after", 6, 3, 8.0, 0)
    outcome = word_norms(cell, rows, 6)
    if outcome.certificate is None:
        assert "could not all be enclosed" in outcome.reason
        return
    inputs = {"file": "x.npy", "sha256": digest_of({"inputs": rows})}
    try:
        verify(replace(outcome.certificate, claim={**outcome.certificate.claim, "inputs": inputs}), subject(cell), rows,
               Inequalities())  # fmt: skip
    except Undecided as reason:
        raise AssertionError("what is proved is shown") from reason


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 2}, "--alphabet or --embedding, got neither"),
        ({"length": 2, "alphabet": "x.npy", "input_bound": 1.0}, "got --input-bound too"),
        ({"length": 2, "alphabet": "x.npy", "along": "white"}, "got another claim"),
        ({"length": 2, "alphabet": "x.npy", "claim": "lower"}, "got another claim"),
    ],
)
def test_length_is_about_all_words_of_an_alphabet(options, message):
    with pytest.raises(UsageError, match=message):
        CertifyRequest("gru", "cert.json", **options)
