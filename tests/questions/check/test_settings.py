"""[tool.vanishgrad.check]: the command's options by their names, in a project's own file."""

from __future__ import annotations

import pytest

from vanishgrad.errors import VanishgradError
from vanishgrad.questions.check.settings import settings

OPTIONS = ("horizon", "max_rate", "layer", "partial")


@pytest.fixture
def written(tmp_path):
    def write(text: str) -> str:
        path = tmp_path / "settings.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_values_are_as_they_would_be_typed(written):
    path = written(
        "[tool.vanishgrad.check]\nhorizon = 50\nmax-rate = 0.25\nlayer = ['a', 'b']\npartial = true\n"
        "[tool.vanishgrad.check.horizons]\n'encoder.1' = 80\n"
    )
    assert settings(path, OPTIONS) == {
        "horizon": ["50", "encoder.1=80"], "max_rate": ["0.25"], "layer": ["a", "b"], "partial": ["true"],
    }  # fmt: skip


def test_without_a_file_or_table_nothing_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert settings(None, OPTIONS) == {}
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 120\n")
    assert settings(None, OPTIONS) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.vanishgrad.check]\nhorizn = 3\n", "got 'horizn'; try horizon"),
        ("[tool.vanishgrad.check]\nhorizon = {a = 3}\n", "expected horizon of"),
        ("[tool.vanishgrad.check]\nhorizons = 3\n", "as a table of layers, got 3"),
        ("[tool.vanishgrad.check]\nhorizon = 2026-01-01\n", "got datetime.date"),
        ("[tool.vanishgrad]\ncheck = 3\n", "expected a table"),
        ("[tool.ruff]\n", "expected a table"),
        ("[", "expected TOML"),
        ("# " + "x" * 10**6, "at most 1000000 bytes"),
    ],
)
def test_what_cannot_be_is_one_sentence(written, text, message):
    with pytest.raises(VanishgradError, match=message.replace("[", r"\[")):
        settings(written(text), OPTIONS)
