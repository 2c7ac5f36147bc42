"""Requests and the command: which files are written, what is said, with which status."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from vanishgrad import random_cell
from vanishgrad.cells import RNN
from vanishgrad.cells.registry import CELLS
from vanishgrad.certificates import CertificateVerdict, CertifyRequest, certify, check, decided, upper
from vanishgrad.certificates.subject import subject
from vanishgrad.cli.certify import certify as command
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.weights.recognition import recurrent_layers


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str]:
        found = CliRunner().invoke(command, arguments, standalone_mode=False)
        if found.exception:
            raise found.exception
        return found.return_value, found.output

    return run


def saved_lstm(path, names=("",), scale=0.05, n=4):
    """Save LSTMs under PyTorch's names, each behind a prefix."""
    random, shapes = np.random.default_rng(0), {"weight_hh": (4 * n, n), "weight_ih": (4 * n, 3), "bias_ih": 4 * n}
    np.savez(
        path, **{f"{name}{part}_l0": random.normal(size=shapes[part]) * scale for name in names for part in shapes}
    )


def test_a_model_is_certified_with_its_weights_beside_it(run, tmp_path):
    status, out = run("rnn@gaussian:gain=0.4", "--hidden", "8", "--output", "c.json")
    assert status == 0
    assert "for every input sequence" in out
    assert {each.name for each in tmp_path.iterdir()} == {"c.json", "c.weights.npz"}
    assert run("--check", "c.json") == (0, run("--check", "c.json", "c.weights.npz")[1])


def test_the_weights_beside_it_are_trial_0_of_the_model(run):
    run("gru@gaussian:gain=0.1", "--hidden", "4", "--input-bound", "0.1", "--seed", "3", "--output", "c.json")
    (layer,) = recurrent_layers("c.weights.npz")
    assert subject(layer.build()).sha256 == json.loads(Path("c.json").read_text())["weights"]["sha256"]
    from vanishgrad.weights.laws import draw
    from vanishgrad.weights.model_string import parse

    spec = parse("gru@gaussian:gain=0.1").resolved(4, 100)
    assert subject(draw(spec, 4, 100, 5, 3).cell(spec).trial(0)).sha256 == subject(layer.build()).sha256


def test_an_inconclusive_proof_writes_nothing_and_is_status_3(run, tmp_path):
    status, out = run("rnn@gaussian:gain=0.8", "--hidden", "8", "--output", "c.json")
    assert status == 3
    assert out.startswith("inconclusive: ")
    assert not list(tmp_path.iterdir())
    below, above = map(float, re.search(r"below ([\d.]+), and none below ([\d.]+) was proved", out).groups())
    W = random_cell("rnn@gaussian:gain=0.8", hidden=8).W_hh[0]
    assert np.abs(np.linalg.eigvals(W)).max() == pytest.approx(below, rel=1e-12)
    assert below < 1 < above


def test_where_no_input_refutes_anything_the_gap_begins_at_0(monkeypatch):
    monkeypatch.setattr("vanishgrad.certificates.decide.refutations", lambda *_: iter(()))
    outcome = decided(random_cell("rnn@gaussian:gain=0.8", hidden=8))
    assert outcome.certificate is None
    assert re.search(r"none below 1\.\d+ was proved: the gap is from 0 to that", outcome.reason)


def test_a_refutation_is_written_with_status_3_and_its_check_says_what_was_refuted(run, tmp_path):
    status, out = run("rnn@orthogonal:gain=1.5", "--hidden", "8", "--output", "c.json")
    assert status == 3
    assert out.startswith("refuted by 1 repeated input: ")
    assert {each.name for each in tmp_path.iterdir()} == {"c.json", "c.weights.npz"}
    status, out = run("--check", "c.json")
    assert status == 0
    assert out.startswith("valid: rnn with 8 units: no C and no ρ < 1.")


def test_inputs_to_repeat_are_read_from_a_file(run, tmp_path):
    word = np.array([[0.5], [-0.25]])
    np.save(tmp_path / "word.npy", word)
    of_gru = (
        "gru",
        "--hidden",
        "2",
        "--input-size",
        "1",
        "--repeat",
        "word.npy",
        "--output",
        "c.json",
        "--input-bound",
    )
    assert run(*of_gru, "0.5")[0] == 3
    for shape in ((3, 3), (2, 2, 1), (65, 1)):
        np.save(tmp_path / "word.npy", np.zeros(shape))
        with pytest.raises(VanishgradError, match="expected finite inputs"):
            run(*of_gru, "0.5")
    np.save(tmp_path / "word.npy", word)
    with pytest.raises(VanishgradError, match=r"within --input-bound 0\.3"):
        run(*of_gru, "0.3")


def test_an_invalid_certificate_is_status_3(run, tmp_path):
    run("rnn@gaussian:gain=0.4", "--hidden", "4", "--output", "c.json")
    (tmp_path / "c.json").write_text((tmp_path / "c.json").read_text().replace("0.", "0.0", 1))
    status, out = run("--check", "c.json")
    assert status == 3
    assert out.startswith("invalid: ")


def test_a_lower_bound_along_a_file_of_inputs(run, tmp_path):
    np.save(tmp_path / "xs.npy", np.random.default_rng(0).normal(size=(9, 4)))
    status, out = run("lstm", "--hidden", "4", "--input", "xs.npy", "--start", "2", "--output", "c.json")
    assert status == 0
    assert "‖∂s_9/∂s_2‖₂ ≥" in out
    assert np.array_equal(np.load("c.inputs.npy"), np.load("xs.npy"))
    assert run("--check", "c.json")[0] == 0


def test_a_file_is_named_as_seen_from_the_certificate(run, tmp_path):
    (tmp_path / "certs").mkdir()
    saved_lstm(tmp_path / "w.npz")
    assert run("w.npz", "--input-bound", "0.5", "--output", "certs/c.json")[0] == 0
    assert json.loads((tmp_path / "certs" / "c.json").read_text())["weights"]["file"] == "../w.npz"
    assert check("certs/c.json").verdict is CertificateVerdict.VALID
    assert {each.name for each in (tmp_path / "certs").iterdir()} == {"c.json"}


def test_of_several_layers_one_must_be_named(run, tmp_path):
    saved_lstm(tmp_path / "w.npz", ("a.", "b."))
    with pytest.raises(VanishgradError, match="--layer"):
        run("w.npz", "--input-bound", "0.5", "--output", "c.json")
    assert run("w.npz", "--layer", "b.0", "--input-bound", "0.5", "--output", "c.json")[0] == 0
    assert run("--check", "c.json")[0] == 0


def test_an_activation_that_the_file_leaves_open_is_part_of_the_claim(run, tmp_path):
    random = np.random.default_rng(0)
    np.savez(tmp_path / "w.npz", weight_hh_l0=random.normal(size=(3, 3)) * 0.1, weight_ih_l0=random.normal(size=(3, 2)))
    assert run("w.npz", "--activation", "relu", "--output", "c.json")[0] == 0
    assert json.loads(Path("c.json").read_text())["model"]["activation"] == "relu"
    assert run("--check", "c.json")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rnn",), "--output"),
        ((), "--output"),
        (("lstm", "--output", "c.json"), "--input-bound"),
        (("lstm", "--input-bound", "1", "--input", "white", "--output", "c.json"), "both"),
        (("rnn:untied=true", "--output", "c.json"), "untied"),
        (("rnn", "--layer", "x", "--output", "c.json"), "--layer"),
        (("lstn", "--output", "c.json"), "lstm"),
        (("lstm", "--input", "white", "--repeat", "x.npy", "--output", "c.json"), "--repeat"),
        (("lstm", "--input-bound", "1", "--repeat", "x.npy", "--coq", "c.v"), "--repeat"),
        (("lstm", "--input", "white", "--steps", "3", "--start", "3", "--output", "c.json"), "--start"),
    ],
)
def test_wrong_usage_is_said(run, arguments, said):
    with pytest.raises(UsageError, match=said):
        run(*arguments)


def test_an_rnn_has_no_lower_bound_for_all_inputs(run):
    status, out = run("rnn", "--claim", "lower", "--output", "c.json")
    assert status == 3
    assert "--input" in out


def test_a_function_without_bounds_is_inconclusive(run):
    status, out = run("lstm:activation=relu", "--input-bound", "1", "--output", "c.json")
    assert status == 3
    assert "no enclosure" in out


@pytest.mark.parametrize("value", [0.0, 1e300, 1e-300])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_extreme_weights_end_in_a_verdict(cell, value):
    from tests.certificates.nets import net

    found = net({"gru": "gru-after"}.get(cell, cell), 3, 2, 1.0, 0)
    for name in found.tensors:
        getattr(found, name)[:] *= value
    outcome = upper(found, 1.0)
    assert (outcome.certificate is None) == (value > 1)


def test_the_same_request_gives_the_same_bytes(tmp_path):
    request = CertifyRequest("lstm@gaussian:gain=0.05", str(tmp_path / "c.json"), hidden=5, input_bound=0.1)
    assert certify(request).files == certify(request).files


def test_a_chosen_layout_is_read_again_by_the_checker(run, tmp_path):
    random = np.random.default_rng(0)
    np.savez(tmp_path / "w.npz", w_hh=random.normal(size=(16, 4)) * 0.05, w_ih=random.normal(size=(16, 3)) * 0.1)
    for layout in ("pytorch", "onnx"):
        assert run("w.npz", "--layout", layout, "--input-bound", "0.5", "--output", f"{layout}.json")[0] == 0
        assert run("--check", f"{layout}.json")[0] == 0
    first, second = (json.loads(Path(f"{each}.json").read_text())["weights"] for each in ("pytorch", "onnx"))
    assert first["sha256"] != second["sha256"]


def test_a_cell_of_which_nothing_is_proved_is_refused_by_name(monkeypatch):
    class Unproved(RNN):
        name = "unproved"

    monkeypatch.setitem(CELLS, "unproved", replace(CELLS["rnn"], name="unproved"))
    with pytest.raises(VanishgradError, match="got unproved, of which nothing is proved; measure it instead"):
        subject(Unproved(np.eye(2)[None], np.eye(2)[None], np.zeros((1, 2))))


def test_weights_of_an_earlier_certificate_are_named(run, tmp_path):
    np.savez(tmp_path / "rnn.npz", weight_hh_l0=0.3 * np.eye(2), weight_ih_l0=np.eye(2))
    assert "note:" not in run("rnn@gaussian:gain=0.2", "--hidden", "4", "--output", "a.json")[1]
    note = "note: a.weights.npz is of an earlier certificate, not of this one"
    assert note in run("rnn.npz", "--cell", "rnn", "--output", "a.json")[1]
    assert "note:" not in run("a.weights.npz", "--output", "a.json")[1]
