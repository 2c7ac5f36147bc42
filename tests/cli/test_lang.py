"""``--lang``: what people read is in the language asked for, or the locale's; what programs read is the same."""

from __future__ import annotations

import os
import subprocess
import sys

from vanishgrad.cli.encoding import can_encode
from vanishgrad.languages import language

SMALL = ("--hidden", "4", "--steps", "8", "--trials", "2")


def test_only_what_people_read_is_translated(run):
    english, chinese = (run("compare", "rnn", *SMALL, "--json", "--lang", name).out for name in ("en", "zh"))
    assert english == chinese
    assert "判定" in run("compare", "rnn", *SMALL, "--lang", "zh").out


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
