"""A cell is one file and one row of the registry: a cell of this file, registered, is known to every command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from vanishgrad.cells import Cell, Linearisation, Outer
from vanishgrad.cells.activations import SIGMOID, TANH, Activation
from vanishgrad.cells.cell_row import CellRow
from vanishgrad.cells.registry import CELLS, keep_words
from vanishgrad.cli import cli

STEPS, HIDDEN = "30", "6"
ROW = CellRow(
    "toy", f"{__name__}:Toy", stream=99, gates="un", candidate="n", keep="u", multiplies="new", words={"u": "hold"},
    cost=2, by_shape=False,
)  # fmt: skip


class Toy(Cell):
    """h' = (1 - u) h + u tanh(W^n h + …) with a gate u = σ(W^u h + …) that writes: dense products, for clearness."""

    name = "toy"
    gate_activation: Activation

    def __init__(
        self,
        W_hh: np.ndarray,
        W_hx: np.ndarray,
        b: np.ndarray,
        activation: Activation = TANH,
        gate_activation: Activation = SIGMOID,
    ) -> None:
        super().__init__(W_hh, W_hx, b)
        self.activation, self.gate_activation = activation, gate_activation

    @property
    def activations(self) -> tuple[Activation, ...]:
        return self.activation, self.gate_activation

    def advance(self, t: int, a_x: np.ndarray, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        a = a_x + self.recurrent(t, s)
        return self.state(a, s), a

    def state(self, record: np.ndarray, s: np.ndarray) -> np.ndarray:
        u, n = (record[..., self.rows(gate)] for gate in ("u", "n"))
        written = self.gate_activation.phi(u) * self.activation.phi(n)
        return self.gate_activation.complement(u) * s + written

    def along(self, states: np.ndarray, records: np.ndarray, start: int) -> Linearisation:
        return ToyLinearisation(self, states, records, start)


class ToyLinearisation(Linearisation):
    def __init__(self, cell: Toy, states: np.ndarray, a: np.ndarray, start: int) -> None:
        self._cell, self._first, self._h = cell, start + 1, states[:-1]
        a_u, a_n = a[..., cell.rows("u")], a[..., cell.rows("n")]
        u = cell.gate_activation.phi(a_u)
        self._kept = cell.gate_activation.complement(a_u)
        of_u = (cell.activation.phi(a_n) - self._h) * cell.gate_activation.dphi(a_u)
        self._slopes = np.stack([of_u, u * cell.activation.dphi(a_n)], axis=2)

    def _through(self, t: int, W: np.ndarray) -> np.ndarray:
        """Return what the stacked weights W, (B | 1, 2·n, q), let through to h_t, (B, n, q)."""
        blocks = W.reshape(W.shape[0], 2, -1, W.shape[-1])
        return (self._slopes[t - self._first][..., None] * blocks).sum(axis=1)

    def dense(self, t: int) -> np.ndarray:
        kept = self._kept[t - self._first]
        return self._through(t, self._cell.W_hh) + kept[..., None] * np.eye(kept.shape[-1], dtype=kept.dtype)

    def cotangent(self, t: int, W: np.ndarray, out: np.ndarray) -> None:
        out[...] = W @ self.dense(t)

    def tangent(self, t: int, V: np.ndarray, out: np.ndarray) -> None:
        out[...] = self.dense(t) @ V

    def input_cotangent(self, t: int, W: np.ndarray, out: np.ndarray) -> None:
        out[...] = W @ self._through(t, self._cell.W_hx)

    def input_tangent(self, t: int, X: np.ndarray, out: np.ndarray) -> None:
        out[...] = self._through(t, self._cell.W_hx) @ X

    def weight_gradient(self, t: int, w: np.ndarray) -> tuple[Outer, ...]:
        step = t - self._first
        delta = (w[:, None] * self._slopes[step]).reshape(len(w), -1)
        return Outer("W_hh", delta, self._h[step]), Outer("b", delta)

    def conveyor(self, t: int) -> np.ndarray:
        return self._kept[t - self._first]


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.setitem(CELLS, ROW.name, ROW)


def output(*arguments: str) -> str:
    found = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.stdout


def report(*arguments: str) -> dict:
    return json.loads(output(*arguments, "--steps", STEPS, "--hidden", HIDDEN, "--json", "--quiet"))


def test_every_row_has_a_stream_of_its_own_and_words_for_its_gates() -> None:
    assert len({row.stream for row in CELLS.values()}) == len(CELLS)
    assert {"rnn": 0, "lstm": 1, "gru": 2, "mgu": 3}.items() <= {row.name: row.stream for row in CELLS.values()}.items()
    for row in CELLS.values():
        letters = {row.candidate, row.keep, row.write, row.reset, row.output} - {None}
        assert letters <= set(row.gates)
        assert row.cell_class.name == row.name
        assert (row.keep is None) == (row.keep_word not in keep_words())


def test_laws_know_a_registered_cell(toy) -> None:
    found = report("compare", "toy", "toy:forget_bias=4", "toy@chrono", "toy@keras", "--trials", "2")
    means = [model["gates"]["hold"]["mean"] for model in found["models"]]
    assert 0.4 < means[0] < 0.6
    assert means[1] > 0.9
    assert means[2] > 0.8


def test_its_chrono_remedy_lengthens_the_horizon(toy) -> None:
    (model,) = report("explain", "toy", "--only", "findings", "--trials", "2")["models"]
    (finding,) = model["findings"]
    remedies = {each["name"]: each for each in finding["remedies"]}
    assert finding["rule"] == "hold_gates"
    assert remedies["chrono"]["change"].startswith("b_u = −ln U")
    for remedy in remedies.values():
        assert remedy["after"]["horizon"] > remedy["before"]["horizon"]


def test_it_is_verified_and_its_saved_weights_come_back(toy, tmp_path: Path) -> None:
    assert "0 failed" in output("verify", "toy", "--hidden", HIDDEN)
    random = report("compare", "toy", "--trials", "1", "--save", str(tmp_path))
    saved, inputs = str(tmp_path / "toy.0.npz"), str(tmp_path / "inputs.npy")
    (layer,) = json.loads(output("inspect", saved, "--json"))["layers"]
    back = json.loads(output("analyze", saved, "--input", inputs, "--json", "--quiet"))
    assert layer["cell"] == "toy"
    assert back["models"][0]["curves"] == random["models"][0]["curves"]
