"""`learn` on the command line: bad options end with a sentence, Ctrl-C keeps what is finished and says how to go on."""

from __future__ import annotations

import json

import pytest

from vanishgrad.questions.learn.run import learn

SMALL = ("rnn@orthogonal", "gru", "--hidden", "4", "--batch", "4", "--updates", "6", "--jobs", "1")


def test_json_resumes_what_ctrl_c_interrupted(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = ("learn", *SMALL, "--gaps", "3,4", "--json")
    whole = run(*command)

    def interrupted(*arguments):
        trainings = learn(*arguments)
        yield next(trainings)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("vanishgrad.cli.learn.learn_models", interrupted)
        stopped = run(*command)
    assert stopped.status == 130 and "--resume learn.partial.json" in stopped.err
    assert not json.loads((tmp_path / "learn.partial.json").read_text())["complete"]
    assert run(*command, "--resume", "learn.partial.json").out == whole.out


def test_saved_weights_are_read_by_analyze(run, tmp_path):
    assert run("learn", *SMALL, "--gaps", "3", "--save", str(tmp_path / "saved")).status == 0
    files = sorted((tmp_path / "saved").iterdir())
    assert run("analyze", str(files[0]), "--steps", "5", "--json").status == 0
    assert any("update00006" in file.name for file in files)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--task", "recal"), "try recall"),
        (("--gaps", "0"), "whole numbers from 1 on"),
        (("--task", "order", "--gaps", "5"), "expected gaps from 10 on"),
        (("--lr", "0"), "expected a number --lr > 0"),
        (("lstm:untied=true",), "expected untied on rnn"),
    ],
)
def test_bad_options_end_with_a_sentence(run, options, says):
    found = run("learn", *options)
    assert found.status == 2 and says in found.err
