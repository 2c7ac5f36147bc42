"""No terminal's encoding stops a command: what it lacks stands there in ASCII."""

from __future__ import annotations

import io
import json
import sys

import numpy as np
import pytest

from vanishgrad.cli import COMMANDS, _status
from vanishgrad.cli.emit import utf8
from vanishgrad.cli.encoding import ascii_fallback, forms

ENCODINGS = ("ascii", "latin-1", "cp1252", "cp437", "gbk")
SMALL = ("--hidden", "4", "--steps", "8", "--trials", "2")


@pytest.fixture
def terminal(monkeypatch):
    """Run the command line on streams of an encoding; return status, and the bytes of stdout and stderr."""

    def terminal(encoding: str, *arguments: str) -> tuple[int, bytes, bytes]:
        streams = {name: io.TextIOWrapper(io.BytesIO(), encoding) for name in ("stdout", "stderr")}
        with monkeypatch.context() as context:
            for name, stream in streams.items():
                context.setattr(sys, name, stream)
            status = _status(list(arguments))
            assert (sys.stdout, sys.stderr) == tuple(streams.values())
        return status, *(stream.buffer.getvalue() for stream in streams.values())

    return terminal


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)], ids=lambda command: "".join(command))
def test_every_help_page(terminal, encoding, command):
    status, out, err = terminal(encoding, *command, "--help")
    assert (status, err) == (0, b"")
    text = out.decode(encoding)
    assert "Options:" in text
    assert "\\u" not in text  # nothing without a form


@pytest.mark.parametrize("encoding", ["ascii", "gbk"])
def test_reports(terminal, encoding, tmp_path):
    weights = str(tmp_path / "weights.npz")
    np.savez(weights, weight_hh_l0=np.eye(8, 2) / 2, weight_ih_l0=np.ones((8, 3)))
    report = str(tmp_path / "report.json")
    assert terminal(encoding, "compare", "lstm", "rnn", *SMALL, "--output", report)[0] == 0
    for arguments in (
        ("compare", "lstm", "rnn@identity", *SMALL),
        ("compare", "gru", *SMALL, "--format", "markdown"),
        ("inspect", weights),
        ("check", report, "--horizon", "4"),
        ("diff", report, report),
        ("explain", "lstm", *SMALL, "--only", "paths"),
        ("learn", "rnn", "--gaps", "2", "--updates", "2", "--seeds", "1", "--hidden", "4", "--quiet"),
        ("verify", "rnn", "--hidden", "4", "--steps", "8"),
    ):
        status, out, err = terminal(encoding, *arguments)
        assert status in (0, 3), err
        assert err == b""
        assert "\\u" not in out.decode(encoding), arguments


def test_a_table_in_ascii_keeps_its_columns(terminal):
    wide = terminal("utf-8", "compare", "lstm", "rnn", *SMALL)[1].decode().splitlines()
    plain = terminal("ascii", "compare", "lstm", "rnn", *SMALL)[1].decode("ascii").splitlines()
    rows = [next(line for line in lines if line.startswith("rnn ")) for lines in (wide, plain)]
    assert len(rows[0]) == len(rows[1])
    assert rows[1].rstrip()[-8:].strip(".:-=+*%#") == ""
    assert any("state ||ds_T/ds_k||_2, typical ||*||_F/sqrt q" in line for line in plain)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_is_utf8_on_every_stream(terminal, encoding):
    status, out, err = terminal(encoding, "compare", "rnn", "--hidden", "4", "--input", "text:记忆", "--json")
    assert status == 0, err
    assert json.loads(out.decode("utf-8"))["request"]["input"] == "text:记忆"
    assert terminal(encoding, "schema", "compare")[1] == terminal("utf-8", "schema", "compare")[1]


def test_an_error_on_ascii(terminal):
    status, out, err = terminal("ascii", "compare", "记")
    assert (status, out) == (2, b"")
    assert rb"\u8bb0" in err


def test_a_name_that_is_no_text_in_json():
    name = "a\udcff.npz"
    assert json.loads(utf8(json.dumps(name, ensure_ascii=False))) == name


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        ("10⁻²·⁵ of ‖∂s_T/∂s_k‖₂", "ascii", "10^-2.5 of ||ds_T/ds_k||_2"),
        ("n² over 10⁻³", "latin-1", "n^2 over 10^-3"),
        ("σ² · τ, log₁₀", "cp1252", "sigma^2 · tau, log10"),
        ("preserved →   0.99", "ascii", "preserved ->  0.99"),
        ("A → B", "ascii", "A -> B"),
        ("▁▄█", "cp437", ".=#"),
        ("▁▄█ ‖", "gbk", "▁▄█ ‖"),
        ("é 记", "ascii", r"\xe9 \u8bb0"),
    ],
)
def test_forms(text, encoding, expected):
    assert ascii_fallback(text, encoding) == expected


def test_unicode_needs_no_forms():
    assert not forms("utf-8")
