"""Claims about sequences of given rows, or of their convex hull: proved, refuted, checked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest

from tests.certificates.nets import DIGITS, jacobians, net, norm
from vanishgrad.cells import LSTM
from vanishgrad.certificates import CertificateVerdict, CertifyRequest, certify, check, lower, upper, verify
from vanishgrad.certificates.boxes import InputSet
from vanishgrad.certificates.certificate import digest, statement
from vanishgrad.certificates.checking.verdict import Inequalities, Refuted
from vanishgrad.certificates.subject import digest_of, subject
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.weights.save_npz import cell_npz

ROWS = np.array([[1.0, 0.0, 0.0], [0.9, 0.2, 0.0], [0.8, 0.0, -0.1]])


@pytest.fixture(params=["lstm", "gru-after", "gru-before", "mgu-before-new"])
def cell(request):
    return net(request.param, 3, 3, 0.2, 1)


def written(tmp_path: Path, **options) -> tuple[Path, str]:
    np.save(tmp_path / "rows.npy", options.pop("rows", ROWS))
    path = tmp_path / "cert.json"
    source = options.pop("source", "lstm@gaussian:gain=0.3")
    request = CertifyRequest(source, str(path), hidden=3, input_size=3, **options)
    result = certify(request)
    for name, content in result.files.items():
        Path(name).write_bytes(content)
    return path, result.outcome.verdict.value


@pytest.mark.parametrize("is_hull", [False, True])
def test_no_sequence_of_the_set_violates_its_bound(cell, is_hull):
    inputs, random = InputSet(1.0, ROWS, is_hull), np.random.default_rng(0)
    claim = upper(cell, inputs=inputs).certificate.claim
    with mp.workdps(DIGITS):
        for _ in range(4):
            rows = ROWS[random.integers(0, 3, 4)]
            xs = random.dirichlet(np.ones(3), 4) @ ROWS if is_hull else rows
            P = mp.eye(cell.state_size)
            for lag, J in enumerate(reversed(jacobians(cell, xs)), start=1):
                P = P * J
                assert norm(P) <= mp.mpf(claim["C"]) * mp.mpf(claim["rho"]) ** lag


def test_fewer_inputs_have_no_weaker_bound(cell):
    rates = [upper(cell, inputs=InputSet(1.0, ROWS, is_hull)).certificate.claim["rho"] for is_hull in (False, True)]
    assert rates[0] <= rates[1] <= upper(cell, 1.0).certificate.claim["rho"]


def test_the_hull_is_sharper_than_the_box_around_it():
    """Rows on a line through 0: two inputs that always agree cancel in a gate that subtracts them."""
    rows = np.array([[4.0, 4.0], [-4.0, -4.0]])
    W_hx = np.array([[0.0, 0.0], [3.0, -3.0], [0.0, 0.0], [0.0, 0.0]])
    cell = LSTM(np.full((4, 1), 0.3), W_hx, np.zeros(4))
    hull, box = upper(cell, inputs=InputSet(4.0, rows, True)), upper(cell, 4.0)
    assert hull.certificate is not None and hull.certificate.claim["rho"] < 0.8
    assert min(each.rho for each in box.attempts) > 0.99 if box.attempts else box.certificate is None
    inputs = {"file": "x.npy", "sha256": digest_of({"inputs": rows})}
    claim = {**hull.certificate.claim, "inputs": inputs}
    verify(replace(hull.certificate, claim=claim), subject(cell), rows, Inequalities())
    other = rows * np.array([1.0, -1.0])
    claim["inputs"] = {"file": "x.npy", "sha256": digest_of({"inputs": other})}
    with pytest.raises(Refuted):
        verify(replace(hull.certificate, claim=claim), subject(cell), other, Inequalities())


def test_a_set_has_lower_bounds(tmp_path):
    found = lower(net("gru-after", 3, 3, 0.1, 1, keep=5.0), None, InputSet(1.0, ROWS, True)).certificate
    assert found.claim["rho"] > 0.5


@pytest.mark.parametrize("option", ["alphabet", "hull"])
@pytest.mark.parametrize("source", ["lstm@gaussian:gain=0.1", "gru@gaussian:gain=0.1", "gru@gaussian:gain=8"])
def test_what_is_written_is_valid(tmp_path, option, source):
    path, verdict = written(tmp_path, source=source, **{option: str(tmp_path / "rows.npy")})
    assert verdict == ("refuted" if "gain=8" in source else "proved")
    found = check(str(path))
    assert found.verdict is CertificateVerdict.VALID
    assert {"alphabet": "made of rows of", "hull": "in the convex hull of the rows of"}[option] in found.reason


def resealed(path: Path, change) -> str:
    content = json.loads(path.read_text())
    change(content)
    content["statement"] = statement(content["claim"], content["model"])
    content["sha256"] = digest(content)
    path.write_text(json.dumps(content))
    return str(path)


def test_a_word_of_other_inputs_refutes_nothing(tmp_path):
    path, _ = written(tmp_path, source="gru@gaussian:gain=8", alphabet=str(tmp_path / "rows.npy"))

    def change(content):
        content["witness"]["word"][0][0] = 0.5

    assert check(resealed(path, change)).verdict is CertificateVerdict.INVALID


def test_other_rows_are_told(tmp_path):
    path, _ = written(tmp_path, source="gru@gaussian:gain=0.1", alphabet=str(tmp_path / "rows.npy"))
    np.save(tmp_path / "cert.inputs.npy", 2 * ROWS)
    assert check(str(path)).verdict is CertificateVerdict.INVALID


def test_a_bound_of_rows_is_not_one_of_their_hull(tmp_path):
    rows = np.array([[8.0, 0.0, 0.0], [-8.0, 0.0, 0.0]])
    path, verdict = written(tmp_path, source="lstm@gaussian:gain=0.2", rows=rows, alphabet=str(tmp_path / "rows.npy"))
    assert verdict == "proved"

    def change(content):
        content["claim"]["among"] = "hull"

    assert check(resealed(path, change)).verdict is not CertificateVerdict.VALID


def test_an_embedding_without_a_bound_is_an_alphabet(tmp_path):
    weights = tmp_path / "net.npz"
    weights.write_bytes(cell_npz(net("gru-after", 3, 3, 0.1, 0), "layer"))
    with np.load(weights) as arrays:
        np.savez(weights, **arrays, emb=ROWS)
    path = tmp_path / "cert.json"
    for name, content in certify(CertifyRequest(str(weights), str(path), embedding="emb")).files.items():
        Path(name).write_bytes(content)
    assert json.loads(path.read_text())["claim"]["among"] == "rows"
    assert check(str(path)).verdict is CertificateVerdict.VALID


def test_what_cannot_be_is_said(tmp_path):
    np.save(tmp_path / "rows.npy", ROWS)
    rows = str(tmp_path / "rows.npy")
    with pytest.raises(UsageError, match=r"expected one set of inputs, got --input-bound and --hull"):
        CertifyRequest("lstm", "c.json", input_bound=1.0, hull=rows)
    with pytest.raises(UsageError, match="got an rnn, whose bound holds for every input"):
        certify(CertifyRequest("rnn", "c.json", hidden=3, hull=rows))
    with pytest.raises(VanishgradError, match=r"expected finite inputs \(S, 4\)"):
        certify(CertifyRequest("lstm", "c.json", hidden=3, input_size=4, alphabet=rows))
