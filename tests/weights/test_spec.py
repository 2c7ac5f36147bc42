"""MODEL strings: what parses, what it resolves to, and what is suggested where it does not."""

from __future__ import annotations

import pickle

import pytest

from vanishgrad.cells.registry import CELLS, gated_cells
from vanishgrad.errors import UsageError
from vanishgrad.weights.model_string import ModelSpec, parse

EVERY = [
    f"{row.name}@{law}" for row in CELLS.values() for law in row.laws if law != "chrono" or row.name in gated_cells()
]


@pytest.mark.parametrize("cell", CELLS)
def test_the_default_law_is_pytorchs_of_its_own_cells_and_else_the_published_one(cell: str) -> None:
    law = "pytorch" if cell in ("rnn", "lstm", "gru", "mgu") else "published"
    assert (parse(cell).cell, parse(cell).law, dict(parse(cell).keys)) == (cell, law, {})


@pytest.mark.parametrize(("label", "keys"), [
    ("rnn:activation=relu", {"activation": "relu"}),
    ("rnn@gaussian:gain=1.5,activation=linear,untied=true", {"gain": 1.5, "activation": "linear", "untied": True}),
    ("rnn:untied=false", {"untied": False}),
    ("lstm:forget_bias=1", {"forget_bias": 1.0}),
    ("lstm@keras:forget_bias=-2.5", {"forget_bias": -2.5}),
    ("lstm@chrono:chrono_max=784", {"chrono_max": 784}),
    ("gru:reset=before,hidden=3", {"reset": "before", "hidden": 3}),
    ("gru@identity:gain=0", {"gain": 0.0}),
    ("gru@orthogonal:gain=-1e-3", {"gain": -1e-3}),
])  # fmt: skip
def test_keys_are_read(label: str, keys: dict) -> None:
    spec = parse(label)
    assert spec.label == label
    assert dict(spec.keys) == keys


@pytest.mark.parametrize(("label", "resolved"), [
    ("rnn", "rnn@pytorch:activation=tanh,hidden=64,untied=false"),
    ("lstm", "lstm@pytorch:activation=tanh,hidden=64"),
    ("lstm@chrono", "lstm@chrono:activation=tanh,chrono_max=100,hidden=64"),
    ("lstm@chrono:chrono_max=7", "lstm@chrono:activation=tanh,chrono_max=7,hidden=64"),
    ("lstm:norm=layer", "lstm@pytorch:activation=tanh,hidden=64,norm=layer"),
    ("gru", "gru@pytorch:activation=tanh,hidden=64,reset=after"),
    ("gru@gaussian:hidden=5", "gru@gaussian:activation=tanh,gain=1,hidden=5,reset=after"),
    ("lstm:coupled=true", "lstm@pytorch:activation=tanh,coupled=true,hidden=64"),
    ("lstm:projection=8", "lstm@pytorch:activation=tanh,hidden=64,projection=8"),
    ("ligru", "ligru@published:activation=relu,hidden=64"),
    ("mingru:forget_bias=1", "mingru@published:forget_bias=1,hidden=64"),
    ("antisymmetric:epsilon=0.5", "antisymmetric@published:activation=tanh,epsilon=0.5,gamma=0,hidden=64"),
    ("lstm:forget_bias=0.5", "lstm@pytorch:activation=tanh,forget_bias=0.5,hidden=64"),
])  # fmt: skip
def test_every_key_that_applies_is_resolved(label: str, resolved: str) -> None:
    assert str(parse(label).resolved(64, 100)) == resolved


def test_chrono_knows_the_length_but_never_less_than_three() -> None:
    assert parse("lstm@chrono").resolved(4, 1).keys["chrono_max"] == 3
    assert parse("gru@chrono").resolved(4, 50).keys["chrono_max"] == 50


@pytest.mark.parametrize("label", [*EVERY, "rnn@gaussian:gain=0.12345678901234567", "lstm:forget_bias=1e-300"])
def test_a_resolved_model_parses_to_itself(label: str) -> None:
    resolved = parse(label).resolved(8, 20)
    again = parse(str(resolved))
    assert (again.cell, again.law, dict(again.keys)) == (resolved.cell, resolved.law, dict(resolved.keys))


def test_a_model_is_immutable_and_pickles() -> None:
    spec = parse("lstm@chrono:hidden=3").resolved(8, 20)
    copied: ModelSpec = pickle.loads(pickle.dumps(spec))
    assert (copied.label, str(copied)) == (spec.label, str(spec))
    with pytest.raises(TypeError):
        spec.keys["hidden"] = 4  # type: ignore[index]
    with pytest.raises(AttributeError):
        spec.cell = "gru"  # type: ignore[misc]


@pytest.mark.parametrize(("label", "sentence"), [
    ("lstn", "expected a cell that exists, got 'lstn' in 'lstn'; try lstm"),
    ("LSTM", "got 'LSTM' in 'LSTM'; try lstm"),
    ("grru", "got 'grru' in 'grru'; try gru"),
    ("transformer", "got 'transformer' in 'transformer'; try one of rnn, lstm, gru"),
    ("", "expected a cell that exists, got '' in ''; try one of rnn, lstm, gru"),
    ("@keras", "expected a MODEL whose weights are drawn, got the cell of one's own '@keras'"),
    ("lstm@", "expected a law that exists, got '' in 'lstm@'; try one of pytorch,"),
    ("lstm@pytorhc", "expected a law that exists, got 'pytorhc' in 'lstm@pytorhc'; try pytorch"),
    ("lstm@Keras", "got 'Keras' in 'lstm@Keras'; try keras"),
    ("rnn@othogonal", "try orthogonal"),
    ("lstm:forgetbias=1", "expected a key that exists, got 'forgetbias' in .*; try forget_bias"),
    ("rnn:gian=2", "expected a key that exists, got 'gian' in 'rnn:gian=2'; try gain"),
    ("rnn:hidden", "expected key=value after ':', got 'hidden' in 'rnn:hidden'; try rnn:hidden=64"),
    ("lstm:", "expected key=value after ':', got '' in 'lstm:'; try lstm:hidden=64"),
    ("rnn:hidden=8,", "expected key=value after ':', got '' in"),
    ("rnn:hidden=8,hidden=9", "expected each key once, got hidden twice in"),
    ("rnn@chrono", "expected a gated cell for the law chrono, got 'rnn@chrono'; try lstm@chrono or gru@chrono"),
    ("rnn:forget_bias=1", "expected forget_bias on lstm or gru or .*, got 'rnn:forget_bias=1'; try leaving it out"),
    ("lstm:reset=after", "expected reset on gru or mgu, got"),
    ("gru:norm=layer", "expected norm on lstm, got"),
    ("lstm:coupled=false", "expected true for coupled, got 'false'"),
    ("lstm:projection=0", "expected a whole number from 1 on for projection, got '0'"),
    ("lstm:norm=layer,projection=8", "expected one of norm and projection, got both in"),
    ("lstm@keras:projection=8", "expected the law pytorch or chrono for lstm:projection=…, got .*; try lstm@pytorch"),
    ("mingru@keras", "expected the law published for mingru, got 'mingru@keras'; try mingru@published"),
    ("lstm@published", "expected the law pytorch or .* for lstm, got 'lstm@published'; try lstm@pytorch"),
    ("mingru:activation=relu", "expected activation on rnn or lstm or .*, got 'mingru:activation=relu'"),
    ("rnn:epsilon=1", "expected epsilon on antisymmetric or cornn, got 'rnn:epsilon=1'; try leaving it out"),
    ("lstm:norm=batch", "expected layer for norm, got 'batch'"),
    ("lstm:untied=true", "expected untied on rnn, got"),
    ("lstm:gain=2", "expected gain with the law gaussian or orthogonal or identity, got the law pytorch in"),
    ("lstm@keras:gain=2", "expected gain with the law"),
    ("lstm:chrono_max=9", "expected chrono_max with the law chrono, got the law pytorch .*; try lstm@chrono:chrono"),
    ("lstm@chrono:forget_bias=1", "expected forget_bias or the law chrono, got both in"),
    ("rnn:activation=tahn", "expected one of tanh, relu, linear, sigmoid for activation, got 'tahn'"),
    ("gru:reset=during", "expected after or before for reset, got 'during'"),
    ("rnn@gaussian:gain=big", "expected a finite number for gain, got 'big'"),
    ("rnn@gaussian:gain=nan", "expected a finite number for gain, got 'nan'"),
    ("rnn@gaussian:gain=1e999", "expected a finite number for gain, got '1e999'"),
    ("lstm:forget_bias=", "expected a finite number for forget_bias, got ''"),
    ("lstm@chrono:chrono_max=2", "expected a whole number from 3 on for chrono_max, got '2'"),
    ("rnn:hidden=0", "expected a whole number from 1 on for hidden, got '0'"),
    ("rnn:hidden=-4", "expected a whole number from 1 on for hidden, got '-4'"),
    ("rnn:hidden=1.5", "expected a whole number from 1 on for hidden, got '1.5'"),
    ("rnn:untied=yes", "expected true or false for untied, got 'yes'"),
])  # fmt: skip
def test_what_does_not_parse(label: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        parse(label)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
