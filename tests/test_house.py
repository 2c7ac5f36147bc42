"""The house keeps its floors, and README and help speak of the same commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import house
from vanishgrad.cli import COMMANDS, cli

ROOT = Path(__file__).parent.parent
MAX_CELL_NAMES = 91
"""What is left of literals that name a cell; it only falls, to 5."""
MAX_SMALL_FILES = 28
"""It only falls, to 15."""
CLASSES_TWICE = {"Report", "Curve", "Bound"}
"""Of the reader of pictures, which goes when reports are typed."""
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


def test_cells_are_named_in_their_own_rooms():
    found = house.cell_name_literals()
    assert len(found) <= MAX_CELL_NAMES, found


def test_small_files_are_few():
    found = house.small_files()
    assert len(found) <= MAX_SMALL_FILES, found


def test_no_room_is_more_than_a_quarter_of_the_house():
    assert max(house.rooms().values()) <= 0.25, house.rooms()


def test_no_file_is_long():
    assert {path: count for path, count in house.lines().items() if count > 300} == {}


@pytest.mark.parametrize(("question", "path", "name"), house.NEWCOMER, ids=[row[0] for row in house.NEWCOMER])
def test_a_newcomer_finds_it_by_the_name_of_the_file(question, path, name):
    assert name in house.defined(path)
    assert house.guessable(question, path)


def test_public_classes_have_names_of_their_own():
    assert set(house.repeated_class_names()) <= CLASSES_TWICE


def test_a_name_that_says_nothing_is_no_answer():
    assert not house.guessable("where is the horizon of a curve computed", "reports/table.py")
