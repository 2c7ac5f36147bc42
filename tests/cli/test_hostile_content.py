"""A pickle that asks for calls: none is run, inspect lists them, every command says so once; `check` of a part fails."""

from __future__ import annotations

import json
import os
import pickle

import numpy as np
import pytest

import vanishgrad
from vanishgrad.errors import HostileContentWarning

TENSORS = {"weight_ih_l0": np.ones((4, 3), "f4"), "weight_hh_l0": np.eye(4, dtype="f4") / 2}
SYSTEM = f"{os.system.__module__}.system"
WARNING = f"asks to call {SYSTEM}; not run"
COMMANDS = (
    ("inspect",),
    ("analyze", "--steps", "9"),
    ("compare", "--steps", "9"),
    ("check", "--horizon", "1"),
    ("explain", "--steps", "9"),
)


class Command:
    """Something whose unpickling would run a command, which does nothing."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("true",)


@pytest.fixture
def hostile(tmp_path):
    """A pickle of a layer and of a call."""
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps({**TENSORS, "x": Command()}))
    return str(path)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_every_command_that_opens_the_file_says_once_what_was_not_run(run, hostile, command):
    assert run(command[0], hostile, *command[1:]).err.count(WARNING) == 1


def test_certify_says_it_too(run, hostile, tmp_path):
    assert run("certify", hostile, "--output", str(tmp_path / "cert.json")).err.count(WARNING) == 1


def test_it_is_said_again_by_the_next_command(run, hostile):
    assert [run("inspect", hostile).err.count(WARNING) for _ in range(2)] == [1, 1]


def test_quiet_says_nothing(run, hostile):
    assert WARNING not in run("analyze", hostile, "--steps", "9", "--quiet").err


def test_inspect_lists_it_in_text_and_in_its_document(run, hostile):
    assert f"not run: {SYSTEM}\n" in run("inspect", hostile).out
    assert json.loads(run("inspect", hostile, "--json").out)["calls"] == [SYSTEM]


def test_from_python_it_is_a_warning(hostile):
    with pytest.warns(HostileContentWarning, match=WARNING):
        vanishgrad.analyze(hostile, steps=9)


def test_a_call_whose_result_is_thrown_away_is_listed_too(run, tmp_path):
    call = f"c{os.system.__module__}\nsystem\n(S'true'\ntR0".encode()
    body = pickle.dumps(TENSORS, protocol=2)
    (tmp_path / "model.pkl").write_bytes(body[:2] + call + body[2:])
    assert WARNING in run("inspect", str(tmp_path / "model.pkl")).err


def test_a_dotted_name_does_not_pass_for_a_module_of_pytorch(run, tmp_path):
    name = b"module.warnings.sys.exit"
    call = b"\x8c\x10torch.nn.modules\x8c" + bytes([len(name)]) + name + b"\x93)R0"
    body = pickle.dumps(TENSORS, protocol=4)
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04" + call + body[11:])
    assert (
        "asks to call torch.nn.modules.module.warnings.sys.exit; not run"
        in run("inspect", str(tmp_path / "model.pkl")).err
    )


def test_a_pickle_of_arrays_alone_is_not_warned_of(run, tmp_path):
    for protocol in (0, 2, 3, 4, 5):
        (tmp_path / "model.pkl").write_bytes(pickle.dumps(TENSORS, protocol))
        assert run("inspect", str(tmp_path / "model.pkl")).err == ""


@pytest.fixture
def half_read(tmp_path):
    """One layer that is read, and one with a tensor that nothing explains."""
    layers = {f"{name}.{tensor}": values for name in ("good", "odd") for tensor, values in TENSORS.items()}
    np.savez(tmp_path / "model.npz", **layers, **{"odd.norm_l0": np.ones(4, "f4")})
    return str(tmp_path / "model.npz")


def test_check_does_not_pass_a_file_of_which_a_layer_could_not_be_read(run, half_read):
    outcome = run("check", half_read, "--horizon", "1", "--threshold", "1e-9")
    assert outcome.status == 3
    assert "not read:" in outcome.out and "odd" in outcome.out and "--partial" in outcome.out


def test_partial_checks_the_others_alone(run, half_read):
    outcome = run("check", half_read, "--horizon", "1", "--threshold", "1e-9", "--partial")
    assert outcome.status == 0
    assert "not read:" in outcome.out and "ok" in outcome.out


def test_partial_does_not_pass_a_layer_that_does_not_reach(run, half_read):
    assert run("check", half_read, "--horizon", "30", "--threshold", "1e-3", "--partial").status == 3
