"""Own cells: the Jacobian of a function, what is refused of one, and every command that takes one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vanishgrad
from vanishgrad.cells import LSTM, RNN
from vanishgrad.cells.own import OwnCell
from vanishgrad.cli import _status
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.propagation.run import run

N, D, T = 4, 3, 6
RNG = np.random.default_rng(0)
W_HH, W_HX, B = RNG.standard_normal((4 * N, N)), RNG.standard_normal((4 * N, D)), RNG.standard_normal(4 * N)


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def lstm_step(p: dict, x: np.ndarray, s: dict) -> dict:
    i, f, g, o = np.split(p["W_hh"] @ s["h"] + p["W_hx"] @ x + p["b"], 4)
    c = sigmoid(f) * s["c"] + sigmoid(i) * np.tanh(g)
    return {"h": sigmoid(o) * np.tanh(c), "c": c}


def own_lstm() -> OwnCell:
    params = {"W_hh": W_HH, "W_hx": W_HX, "b": B}
    return vanishgrad.cell(lstm_step, {"h": N, "c": N}, params, input_size=D)


def models(report: Any) -> list[dict]:
    return report.document["models"]


def linear(W: np.ndarray, **options: object) -> OwnCell:
    return vanishgrad.cell(lambda p, x, s: {"h": p["W"] @ s["h"] + x}, {"h": 2}, {"W": W}, input_size=2, **options)


def test_an_lstm_written_as_a_function_has_the_lstms_states_and_jacobians() -> None:
    own, cell = own_lstm(), LSTM(W_HH, W_HX, B)
    xs, s0 = RNG.standard_normal((2, T, D)), RNG.standard_normal((2, 2 * N))
    mine, expected = run(own, xs, s0), run(cell, xs, s0)
    np.testing.assert_allclose(mine.states, expected.states, rtol=0, atol=1e-14)
    rows, columns, inputs = (RNG.standard_normal((2, *shape)) for shape in ((3, 2 * N), (2 * N, 3), (D, 2)))
    for operand, name, shape in (
        (rows, "cotangent", (2, 3, 2 * N)), (columns, "tangent", (2, 2 * N, 3)),
        (rows, "input_cotangent", (2, 3, D)), (inputs, "input_tangent", (2, 2 * N, 2)),
    ):  # fmt: skip
        by_own, by_cell = np.empty(shape), np.empty(shape)
        getattr(own.linearise(mine, 0, T), name)(T, operand, by_own)
        getattr(cell.linearise(expected, 0, T), name)(T, operand, by_cell)
        np.testing.assert_allclose(by_own, by_cell, rtol=0, atol=1e-13)


def test_its_curves_are_the_lstms_along_the_same_input() -> None:
    xs = RNG.standard_normal((2, T, D))
    weights = {"weight_hh_l0": W_HH, "weight_ih_l0": W_HX, "bias_ih_l0": B, "bias_hh_l0": 0 * B}
    mine, expected = (models(vanishgrad.analyze(source, input=xs))[0] for source in (own_lstm(), weights))
    for name in ("state", "hidden", "cell", "input", "output"):
        norms = (each["curves"][name]["log10_norm"]["median"] for each in (mine, expected))
        np.testing.assert_allclose(*norms, rtol=0, atol=1e-12)
    assert mine["gates"] == {}
    assert "conveyor" not in mine["curves"]


def test_it_stands_beside_models_and_is_explained() -> None:
    report = vanishgrad.compare([own_lstm(), "rnn"], steps=T, trials=2, hidden=D)
    assert [(model["label"], model["cell"], model["source"]["kind"]) for model in models(report)] == [
        ("lstm_step", "own", "own"), ("rnn", "rnn", "random"),
    ]  # fmt: skip
    (model,) = models(vanishgrad.explain(own_lstm(), steps=T, trials=2, only=("paths", "map", "lyapunov")))
    assert model["paths"] is None
    assert model["lyapunov"] is not None


def test_a_jacobian_of_ones_own_serves_a_step_that_is_not_analytic() -> None:
    def step(p: dict, x: np.ndarray, s: dict) -> dict:
        return {"h": np.abs(s["h"] / 2 + 3 * x)}

    def jacobian(p: dict, x: np.ndarray, s: dict) -> np.ndarray:
        return np.diag(np.sign(s["h"] / 2 + 3 * x) / 2)

    own = vanishgrad.cell(step, {"h": 2}, input_size=2, jacobian=jacobian)
    state = models(vanishgrad.compare(own, steps=T, trials=2))[0]["curves"]["state"]
    np.testing.assert_allclose(state["log10_norm"]["median"], np.arange(T + 1) * np.log10(0.5), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("step", "sentence"), [
    (lambda p, x, s: {"h": np.abs(s["h"] + x)}, "to be analytic, got .* by a complex step and .* by finite differences"),
    (lambda p, x, s: {"h": s["h"].real + x}, "to be analytic, got 0 by a complex step"),
    (lambda p, x, s: {"c": s["h"] + x}, "to return the parts h of the state, got c"),
    (lambda p, x, s: s["h"] + x, "to return the parts h of the state, got ndarray"),
    (lambda p, x, s: {"h": (s["h"] + x)[:1]}, r"to return h of shape \(2,\), got \(1,\)"),
    (lambda p, x, s: {"h": s["h"] + np.random.default_rng().standard_normal(2)}, "to return the same state"),
    (lambda p, x, s: {"h": np.log(0 * x)}, "expected finite states"),
])  # fmt: skip
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_a_step_must_be(step: object, sentence: str) -> None:
    with pytest.raises(VanishgradError, match=sentence):
        vanishgrad.cell(step, {"h": 2}, input_size=2)


def test_sizes_are_whole_numbers() -> None:
    with pytest.raises(UsageError, match="expected parts of the state and an input_size from 1 on"):
        vanishgrad.cell(lstm_step, {}, input_size=2)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_state_that_overflows_names_part_and_step() -> None:
    with pytest.raises(VanishgradError, match=r"NaN or infinity in the part h of .* at step 10"):
        run(linear(1e30 * np.eye(2)), np.ones((1, 40, 2)), np.full((1, 2), 1e17))


FILE = """
import numpy as np, vanishgrad
step = lambda p, x, s: {"h": np.tanh(s["h"] @ p["W"] + x)}
MINE = vanishgrad.cell(step, {"h": 3}, {"W": np.eye(3) / 2}, input_size=3)
WRONG = vanishgrad.cell(step, {"h": 3}, {"W": np.eye(3) / 2}, input_size=3, jacobian=lambda p, x, s: np.eye(3))
NUMBER = 3
def made():
    return MINE
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    (tmp_path / "mine.py").write_text(FILE)
    return f"@{tmp_path / 'mine.py'}"


@pytest.fixture
def outcome(capsys):
    """Run the command line in this process; what it writes anywhere."""

    def run(*arguments: str) -> tuple[int, str]:
        status = _status(list(arguments))
        return status, "".join(capsys.readouterr())

    return run


def test_a_file_names_it_on_the_command_line(path: str, outcome) -> None:
    for name in ("MINE", "made"):
        status, out = outcome("compare", f"{path}:{name}", "rnn", "--steps", "8", "--hidden", "3", "--json", "--quiet")
        assert status == 0
        assert [model["cell"] for model in json.loads(out)["models"]] == ["own", "rnn"]
    for command in ("analyze", "explain"):
        assert outcome(command, f"{path}:MINE", "--steps", "8", "--quiet")[0] == 0


def test_verify_says_which_law_fails_where_and_both_numbers(path: str, outcome) -> None:
    assert outcome("verify", f"{path}:MINE")[0] == 0
    status, out = outcome("verify", f"{path}:WRONG")
    assert status == 3
    assert "FAIL J_t equals the complex step of the cell" in out
    assert re.search(r"h\[\d\] of s_\d+, direction \d: got 1, expected 0\.\d+", out)


@pytest.mark.parametrize(("arguments", "sentence"), [
    (("learn", ":MINE"), "expected a cell of input_size 2 for the task recall, got .* of 3"),
    (("sweep", ":MINE"), "expected a MODEL whose weights are drawn, got the cell of one's own"),
    (("certify", ":MINE", "--output", "x.json"), "expected a MODEL or weights to certify"),
    (("compare", ":MISSING"), "expected MISSING in .*, got no such name"),
    (("compare", ":NUMBER"), "to be a cell, got int"),
    (("compare", ":MINE", "--dtype", "float32"), "expected --dtype float64 for the cell"),
    (("compare", ":MINE", "--hidden", "8"), "expected --hidden with a MODEL, got a cell of one's own"),
])  # fmt: skip
def test_what_is_refused_is_refused_by_name(arguments: tuple[str, ...], sentence: str, path: str, outcome) -> None:
    command, name, *options = arguments
    status, out = outcome(command, path + name, *options)
    assert status in (1, 2)
    assert re.search(sentence, out)


def test_a_file_that_does_not_run_ends_in_a_sentence(tmp_path: Path, outcome) -> None:
    (tmp_path / "broken.py").write_text("1 / 0")
    status, out = outcome("compare", f"@{tmp_path / 'broken.py'}:X")
    assert status == 1
    assert "to run, got ZeroDivisionError: division by zero; try python" in out


def test_a_package_offers_it_by_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        name = "mine"

        def load(self) -> OwnCell:
            return own_lstm()

    monkeypatch.setattr("vanishgrad.weights.own_cells.entry_points", lambda group: [Entry()])
    assert models(vanishgrad.compare("@mine", steps=T))[0]["label"] == "@mine"
    with pytest.raises(UsageError, match=r"got @other; try @mine"):
        vanishgrad.compare("@other", steps=T)


@pytest.mark.torch
def test_a_step_of_pytorch_is_differentiated_by_torch_func() -> None:
    torch = pytest.importorskip("torch")
    W = RNG.standard_normal((N, N))
    own = vanishgrad.cell(
        lambda p, x, s: {"h": torch.tanh(p["W"] @ s["h"] + x)}, {"h": N}, {"W": torch.tensor(W)}, input_size=N
    )
    xs, s0 = RNG.standard_normal((1, T, N)), np.zeros((1, N))
    cell = RNN(W, np.eye(N), np.zeros(N))
    mine, expected = run(own, xs, s0), run(cell, xs, s0)
    np.testing.assert_allclose(mine.states, expected.states, rtol=0, atol=1e-14)
    J, known = (each.linearise(path, 0, T).dense(T) for each, path in ((own, mine), (cell, expected)))
    np.testing.assert_allclose(J, known, rtol=0, atol=1e-14)
    check = models(vanishgrad.compare(own, steps=T))[0]["check"]
    assert check["jacobian_error"] <= check["tolerance"]
