"""``--lang``: what people read is in the language asked for, or the locale's; what programs read is the same."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from vanishgrad.cli import cli
from vanishgrad.cli.encoding import can_encode
from vanishgrad.languages import language

SMALL = ("--hidden", "4", "--steps", "8", "--trials", "2")


SPEAKING = (
    "compare",
    "analyze",
    "explain",
    "check",
    "diff",
    "inspect",
    "learn",
    "sweep",
    "track",
    "plot",
    "answer",
    "verify",
    "capture",
)
"""Commands with something for people to read."""


@pytest.mark.parametrize("command", SPEAKING)
def test_commands_that_people_read_have_the_option(command):
    assert "--lang" in [name for option in cli.get_command(None, command).params for name in option.opts]


def test_only_what_people_read_is_translated(run):
    english, chinese = (run("compare", "rnn", *SMALL, "--json", "--lang", name).out for name in ("en", "zh"))
    assert english == chinese
    assert "判定" in run("compare", "rnn", *SMALL, "--lang", "zh").out


def test_what_is_verified_is_told_in_chinese(run):
    english, chinese = (run("verify", "rnn", "--hidden", "3", "--lang", name).out for name in ("en", "zh"))
    assert "J_t equals the complex step of the cell" in english and "0 failed" in english
    assert "J_t 等于单元的复步导数" in chinese and "0 项未通过" in chinese and "equals" not in chinese


def test_an_attention_heads_note_is_no_missing_section(run):
    """ "no recurrence: …" has the form of "no {section}: …", and is a message of its own."""
    note = "没有循环：state 是一个随机注意力头的 ∂c_T/∂h_k，查询为最后的状态，沿 h_0 … h_T"
    for form in ("markdown", "html"):
        assert note in run("compare", "attention", *SMALL, "--lang", "zh", "--format", form).out
    lines = run("compare", "attention", *SMALL, "--lang", "zh").out.splitlines()
    said = "".join(line.strip() for line in lines)
    assert f"注：attention：{note}" in said and "一节" not in said


def test_the_locale_chooses_where_no_option_does(run, monkeypatch):
    monkeypatch.setenv("LANGUAGE", "zh_CN")
    assert "判定" in run("compare", "rnn", *SMALL).out
    assert "verdict" in run("compare", "rnn", *SMALL, "--lang", "en").out
    assert "expected" in run("compare", "nonsense").err
    assert language() == "en"


def test_a_stream_without_chinese_gets_english():
    assert can_encode("中文", "gbk") and not can_encode("中文", "cp1252")
    command = [sys.executable, "-m", "vanishgrad", "compare", "rnn", *SMALL, "--lang", "zh"]
    outcome = subprocess.run(command, capture_output=True, env=os.environ | {"PYTHONIOENCODING": "cp1252"}, check=True)
    assert b"verdict" in outcome.stdout
    assert b"has no characters of --lang zh; try PYTHONIOENCODING=utf-8" in outcome.stderr


CJK = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"


def test_a_picture_without_any_font_for_chinese_is_in_english(run, monkeypatch, tmp_path):
    from vanishgrad.reports.figures import style

    monkeypatch.setattr(style, "_best_font", lambda lacking, own: None)
    outcome = run("compare", "rnn", *SMALL, "--lang", "zh", "--plot", f"{tmp_path}/a.svg")
    assert "判定" in outcome.out
    assert "no font has the characters of --lang zh, so pictures are in English; try --font FILE" in outcome.err
    assert run("compare", "rnn", *SMALL, "--lang", "en", "--plot", f"{tmp_path}/b.svg").err == ""
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


@pytest.mark.skipif(not os.path.exists(CJK), reason="needs fonts-noto-cjk")
def test_the_users_font_draws_chinese(run, tmp_path):
    arguments = ("compare", "rnn", *SMALL, "--plot", f"{tmp_path}/a.svg", "--font", CJK)
    assert run(*arguments, "--lang", "zh").err == ""
    chinese = (tmp_path / "a.svg").read_bytes()
    assert run(*arguments, "--lang", "en").err == ""
    assert (tmp_path / "a.svg").read_bytes() != chinese


def test_a_font_is_refused_that_is_none_or_that_draws_nothing(run, tmp_path):
    (tmp_path / "no.ttf").write_text("no font")
    plot = ("--plot", f"{tmp_path}/a.svg")
    assert (
        "expected a font (.ttf, .otf or .ttc)"
        in run("compare", "rnn", *SMALL, *plot, "--font", f"{tmp_path}/no.ttf").err
    )
    import matplotlib

    own = f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSerif.ttf"
    assert "expected --plot FILE or --plots DIR with --font" in run("compare", "rnn", *SMALL, "--font", own).err
