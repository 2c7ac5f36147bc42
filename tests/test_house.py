"""The house keeps its floors, and README and help speak of the same commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vanishgrad.cli import COMMANDS, cli

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_imports_only_go_down_the_floors(monkeypatch):
    from importlinter.cli import lint_imports

    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename="setup.cfg", is_debug_mode=False, show_timings=False, verbose=False) == 0


def test_readme_has_every_command_and_no_other():
    named = set(re.findall(r"vanishgrad ([a-z]+)", README)) | set(re.findall(r"`([a-z]+)`", README))
    assert set(COMMANDS) <= named
    assert set(re.findall(r"^vanishgrad ([a-z]+)", README, flags=re.MULTILINE)) <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_in_readme_exists(command):
    known = {flag for parameter in cli.get_command(None, command).params for flag in parameter.opts}
    for line in re.findall(rf"^vanishgrad {command}\b(.*)$", README, flags=re.MULTILINE):
        used = re.findall(r"(?<!\S)--[a-z-]+", line.split("|")[0])
        assert set(used) <= known, line


def test_every_picture_in_the_gallery_is_shown_with_its_command():
    for picture in (ROOT / "plots").iterdir():
        assert f"plots/{picture.name}" in README, picture.name


def test_readme_links_to_files_that_exist():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
